// Builders of composite functions, shared by expressions and layers. Those of maps take a tensor of any shape.
#pragma once
#include "compiler/ir/graph.h"

// ---- activation.c: gradients equal PyTorch's, also at 0
Value activation_relu(Graph *graph, Value x);
Value activation_leaky_relu(Graph *graph, Value x, double slope);
Value activation_elu(Graph *graph, Value x, double alpha);
Value activation_sigmoid(Graph *graph, Value x);
Value activation_silu(Graph *graph, Value x);
Value activation_gelu(Graph *graph, Value x); // exact: x (1 + erf(x / sqrt 2)) / 2
Value activation_mish(Graph *graph, Value x); // x tanh(softplus(x)) (Misra 2019)
Value activation_softplus(Graph *graph, Value x);
Value activation_log_softmax(Graph *graph, Value x, uint32_t axis);

// ---- loss.c: means over all elements; equal shapes
Value loss_mean(Graph *graph, Value x, const int64_t *axes, uint32_t axis_count); // axis_count 0: all
Value loss_mse(Graph *graph, Value a, Value b);
Value loss_l1(Graph *graph, Value a, Value b);
Value loss_huber(Graph *graph, Value a, Value b, double delta); // Huber 1964, as PyTorch's huber_loss
Value loss_bce(Graph *graph, Value p, Value target);
Value loss_bce_logits(Graph *graph, Value x, Value target);
// Classes on axis 1. Labels outside of them give NaN; where they equal `ignore` (NULL: none does) nothing is counted.
Value loss_cross_entropy(Graph *graph, Value logits, Value labels, const int64_t *ignore);
Value loss_kl(Graph *graph, Value mean, Value log_variance);        // to N(0, 1)

// ---- pool.c: x [n, c, h, w]; {0} with `problem` set where the sizes do not fit
Value pool_max(Graph *graph, Value x, const int64_t kernel[2], const int64_t stride[2], const int64_t pad[2], const char **problem);
// `counts_pad`: the padding's zeros are elements of the mean.
Value pool_average(Graph *graph, Value x, const int64_t kernel[2], const int64_t stride[2], const int64_t pad[2], bool counts_pad,
                   const char **problem);
Value pool_upsample(Graph *graph, Value x, const int64_t factor[2]); // nearest
Value pool_shuffle(Graph *graph, Value x, uint32_t factor);          // [n, c r r, h, w] to [n, c, h r, w r]
Value pool_unshuffle(Graph *graph, Value x, uint32_t factor);
Value pool_patches(Graph *graph, Value x, const int64_t size[2]);    // [n, c, h, w] to [n, h/p w/q, c p q]; p and q divide h and w
Value pool_unpatches(Graph *graph, Value x, const int64_t size[2], const int64_t grid[2]); // and back; grid is [h/p, w/q]

// ---- border.c: `low` and `high` elements around an axis; {0} with `problem` set where the axis is too short
typedef enum { BORDER_ZEROS, BORDER_REFLECT, BORDER_REPLICATE, BORDER_CIRCULAR } BorderMode;
BorderMode border_find(const char *word); // of "zeros", "reflect", "replicate" and "circular"
Value border_pad(Graph *graph, Value x, uint32_t axis, int64_t low, int64_t high, BorderMode mode, const char **problem);

// ---- resize.c
typedef enum { RESIZE_NEAREST, RESIZE_BILINEAR, RESIZE_BICUBIC, RESIZE_AREA } ResizeMode;
ResizeMode resize_find(const char *word); // of "nearest", "bilinear", "bicubic" and "area"
// [out, in]: what each pixel of an axis of `out` takes of each of one of `in`, by any mode but RESIZE_NEAREST. scale: pixels of `in` for one
// of `out`.
double *resize_weights(Arena *arena, uint32_t in, uint32_t out, double scale, ResizeMode mode, bool antialias);
uint32_t resize_source(uint32_t in, uint32_t out, double scale, uint32_t i); // which pixel is nearest to pixel i of `out`
Value resize_axis(Graph *graph, Value x, uint32_t axis, Value weights);      // an axis of `in` becomes one of `out`
// Whether out / in is a ratio of so small numbers that few strided slices make the axis (of at most five). Antialiased it is still to be
// multiplied by its norms [out], 1 / the sum of the weights inside the image.
bool resize_is_periodic(Arena *arena, uint32_t in, uint32_t out, double scale, ResizeMode mode, bool antialias);
Value resize_periodic(Graph *graph, Value x, uint32_t axis, uint32_t out, double scale, ResizeMode mode, bool antialias);
double *resize_norms(Arena *arena, uint32_t in, uint32_t out, double scale, ResizeMode mode);

// ---- linear.c: x [..., f] times the transpose of weight [o, f], plus bias [o] (or {0})
Value linear_map(Graph *graph, Value x, Value weight, Value bias);
