// Compare: tensors within tolerances, and gradients with central differences.
#pragma once
#include "compiler/ir/differentiate.h"
#include "tests/support/inputs.h"

// Equal within absolute + relative tolerance; NaN equals NaN. Otherwise `problem` tells the first difference.
bool compare_tensors(const Tensor *got, const Tensor *wanted, double tolerance, Text *problem);
// The gradients of a scalar by `targets` (sources whose numbers are in `inputs` under `names`) against central differences in double.
bool compare_gradients(Arena *arena, Graph *graph, Value scalar, const Value *targets, const char *const *names, uint32_t target_count,
                       const Inputs *inputs, Text *problem);
