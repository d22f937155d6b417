// Contract: what the contractions have in common. Every one is a sum over taps and a channel of x[row, tap, channel] * w[tap, channel, column],
// or, for weight gradients, a sum over rows of x[row, tap, channel] * g[row, column]; but for the transforms of tiles, which have one operand, x, that
// is multiplied by constants.
#pragma once
#include "compiler/kernel/kernel.h"

typedef enum { ROWS_PLAIN, ROWS_FORWARD, ROWS_INPUT } RowKind; // matmul; conv2d; conv2d_input

typedef struct {
    Value out, x, w;
    RowKind kind;
    bool is_outer;                        // sums over rows
    uint32_t batch, groups;               // matrices of a batched matmul; groups of a convolution
    uint32_t images, height, width;       // rows are images x height x width
    uint32_t x_height, x_width;           // extent of x's plane
    uint32_t taps_y, taps_x;
    uint32_t channels, columns;           // of one group
    int64_t stride[2], pad[2], dilation[2];
    uint32_t slices;                      // of the images, for weight gradients
    // strides in elements; along channels of x, columns of w and of out it is 1
    uint32_t x_image, x_row, x_column, x_batch;
    uint32_t w_tap_y, w_tap_x, w_channel, w_batch; // is_outer: w_batch; w is g: image, row, column strides below
    uint32_t g_image, g_row, g_column;
} Contract;

Contract contract_of(const KernelList *list, Value value);
double contract_terms(const Contract *contract); // products that are added to one element, at most
double contract_flops(const Graph *graph, Value value); // 2 x multiply-adds, direct, unpadded
WorkClass contract_class(const Graph *graph, Value value);
// How many steps of the innermost loop (of `extent` steps, run `outer` times) go into one turn, so that an invocation's turns stay below
// LOOP_TURNS_MAX: a divisor of the extent.
uint32_t contract_unroll(uint64_t outer, uint32_t extent);
// Whether the matrices of a batched matmul's operand or result lie one after the other at equal distances, as those that tiles compute do.
bool contract_has_even_batch(const Layout *layout);
// Can the register-tile schedules compute it with these layouts and groups?
bool contract_is_tileable(const KernelList *list, Value value);
// Whether each channel has a kernel of its own, one to one, by the weights of a convolution.
bool contract_has_own_kernels(const Type *w, int64_t groups);
// The same of a forward convolution or an input gradient, with layouts that a schedule for them can read.
bool contract_is_depthwise(const KernelList *list, Value value);

uint32_t contract_ceil_div(uint32_t a, uint32_t b);
