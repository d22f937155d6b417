// Decorate: SPIR-V with the decoration NoContraction on all float arithmetic: a driver then computes a multiply and an add as two operations.
#pragma once
#include "runtime/base/arena.h"
#include <stdint.h>

// A copy in the arena; `size` (bytes) grows. Instructions that are decorated already are not again.
const uint32_t *decorate_exact(Arena *arena, const uint32_t *words, size_t *size);
