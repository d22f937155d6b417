// The functions that layers.def names, and what several of them share.
#pragma once
#include "compiler/layers/build.h"
#include "compiler/layers/layer.h"

#define LAYER(name, options, summary) Value layer_##name(Layer *layer, Value x);
#include "compiler/layers/layers.def"
#undef LAYER

// Where a weight's axes are. Kernel axes, if any, are those after the second.
typedef struct {
    uint32_t rank, outputs_at, inputs_at;
    uint32_t inputs, groups;  // the weight's inputs_at axis has inputs / groups elements (of transposed convolutions: all inputs)
    bool outputs_are_grouped; // the weight's outputs_at axis has outputs / groups elements
    uint32_t outputs, kernel[2]; // one axis: [1, k]
} WeightShape;

// The weight ("weight", or declared with the sizes that `count_option` and "kernel" give) and the bias ({0} without); fills outputs and
// kernel.
bool weight_and_bias(Layer *layer, const char *count_option, WeightShape *shape, Value *weight, Value *bias);
bool image_expected(Layer *layer, Value x); // [n, c, h, w]
bool line_expected(Layer *layer, Value x);  // [n, c, w]
bool float_expected(Layer *layer, Value x); // f32

extern const Initialiser init_zeros, init_ones;
