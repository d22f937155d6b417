// Verify bound: how far single precision may put each element that a kernel computes from the reference.
#pragma once
#include "compiler/verify/reference.h"

// errors[id], for the nodes of the cone, from values[id] as verify_evaluate gives them: the largest absolute error of each element that
// rounding explains, in the first order (so of what one op may round and what its arguments' errors make of that); infinite where nothing
// can be said. data NULL: none. Sums are rounded as the kernel's schedule adds (schedule_error), by the magnitudes of the terms of each
// element. Sampling as in verify_evaluate; errors of what is left out mean nothing.
void verify_bounds(Arena *arena, const KernelList *list, const Cone *cone, const Tensor *values, Tensor *errors,
                   const VerifySampling *sampling);
