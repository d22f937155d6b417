// Verify sample: some elements of a contraction that is too large to interpret as a whole.
#pragma once
#include "compiler/ir/interpret.h"

// The contraction at a few rows and columns (or images and channels, always with the first and the last ones), all other elements being
// `fill`. The seed chooses; the same seed chooses the same.
Tensor verify_sample_contract(Arena *arena, const Graph *graph, const Node *node, const Tensor *const *args, uint64_t seed, double fill);
