// Fold: what reductions share - their axes, the walk over their argument, and the way back from result to argument.
#pragma once
#include "compiler/ops/ops.h"

// Checks attribute 0 (sorted, unique axes; at least one) against argument 0, and gives the shape that remains.
bool fold_infer(Graph *graph, const Node *node, Type *out);
// A value of the result's shape, repeated along the folded axes to the shape of the argument.
Value fold_spread(Graph *graph, Value value, const Type *from, const Attr *axes);

// Walks the argument in memory order, a row of the innermost axis at a time: element i of the row goes to `target + i * step`.
typedef struct {
    Type outer;               // all axes but the innermost
    uint32_t index[MAX_RANK]; // in them
    uint64_t strides[MAX_RANK];
    uint64_t target, step;
    uint32_t row; // elements
} Fold;

Fold fold_start(const Type *from, const Attr *axes);
bool fold_next(Fold *fold); // false: that was the last row
