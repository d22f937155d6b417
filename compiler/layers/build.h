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
Value pool_average(Graph *graph, Value x, const int64_t kernel[2], const int64_t stride[2], const int64_t pad[2], const char **problem);
Value pool_upsample(Graph *graph, Value x, const int64_t factor[2]); // nearest
Value pool_shuffle(Graph *graph, Value x, uint32_t factor);          // [n, c r r, h, w] to [n, c, h r, w r]
Value pool_unshuffle(Graph *graph, Value x, uint32_t factor);

// ---- linear.c: x [..., f] times the transpose of weight [o, f], plus bias [o] (or {0})
Value linear_map(Graph *graph, Value x, Value weight, Value bias);
