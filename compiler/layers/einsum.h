// Einsum: sums of products of tensors whose axes carry labels (Einstein's convention).
#pragma once
#include "compiler/ir/graph.h"

enum { EINSUM_LABELS = 58, EINSUM_PARTS_MAX = 16 };

// A tensor and the label of each of its axes, 0 … EINSUM_LABELS - 1; a label may stand twice.
typedef struct {
    Value value;
    uint32_t rank;
    uint8_t labels[MAX_RANK];
} EinsumPart;

// The product of f32 parts (at least one), summed over every label that `out` has not (its value is not read). Each axis is sizes[label] long, or 1,
// then it counts for every index. Pairs are multiplied in the order that keeps what is between small. Overwrites the parts.
// {0} where what is between would have more axes than a tensor may: *axes says how many; else it is 0.
Value einsum_contract(Graph *graph, EinsumPart *parts, uint32_t count, const EinsumPart *out, const uint32_t *sizes, uint32_t *axes);
