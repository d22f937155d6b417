// Canonical: the text by which equal kernels are recognised.
#pragma once
#include "runtime/base/text.h"

// The GLSL without comments, with its own names - those that it declares and that hold a number, as v12, i7, whole_a12 - numbered in order of
// appearance: equal for kernels that are equal up to a renaming of values, wherever they stand.
const char *canonical_text(Arena *arena, const char *source);
