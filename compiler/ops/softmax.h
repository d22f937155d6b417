// Softmax: its parts, which losses and the logarithm of it share.
#pragma once
#include "compiler/ir/graph.h"

Value softmax_shifted(Graph *graph, Value x, uint32_t axis);          // x - its largest along the axis, by which no gradient flows
Value softmax_sum_of_exp(Graph *graph, Value shifted, uint32_t axis); // with an axis of 1
