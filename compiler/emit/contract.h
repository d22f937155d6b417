// Contract: what the contractions have in common. Every one is a sum over taps and a channel of x[row, tap, channel] * w[tap, channel, column],
// or, for weight gradients, a sum over rows of x[row, tap, channel] * g[row, column].
#pragma once
#include "compiler/emit/emitter.h"

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
double contract_flops(const Graph *graph, Value value); // 2 x multiply-adds, direct, unpadded
const char *contract_class(const Graph *graph, Value value);
// How many steps of the innermost loop (of `extent` steps, run `outer` times) go into one turn, so that an invocation's turns stay below
// LOOP_TURNS_MAX: a divisor of the extent.
uint32_t contract_unroll(uint64_t outer, uint32_t extent);
// Pieces of int expressions as a person would write them: "x * 3", "x" for a factor of 1; " + 2", " - 1", "" for 0.
const char *contract_times(Arena *arena, const char *name, int64_t factor);
const char *contract_plus(Arena *arena, int64_t number);
// Can the register-tile schedules compute it with these layouts and groups?
bool contract_is_tileable(const KernelList *list, Value value);

// Strips of neighbouring pixels: the most, up to `most`, that lines divide into (0: none), and how many pixels of x one of them reads.
uint32_t contract_strip_pixels(const Contract *contract, uint32_t most);
uint32_t contract_strip_loads(const Contract *contract, uint32_t pixels);
// How workgroups share out a weight gradient: lanes have columns and taps, and channels too where fewer lanes are idle then.
typedef struct {
    uint32_t lane_count; // lanes with work, over the workgroups of one part
    bool channels_by_lane;
    uint64_t groups;
} OuterGrid;
OuterGrid contract_outer_grid(const Contract *contract, uint32_t rows, uint32_t columns, uint32_t taps, uint32_t lanes);
// Rows of a weight gradient that are summed by themselves first; all of them where one sum runs over all.
uint64_t contract_outer_part(const Contract *contract, uint32_t at_once);
// Vec4s that an OUTER_STRIP tile reads for `at_once` pixels.
uint32_t contract_outer_loads(const Contract *contract, uint32_t rows, uint32_t columns, uint32_t at_once);

// ---- what the tiled emitters share
uint32_t contract_ceil_div(uint32_t a, uint32_t b);
// A vec4 of an operand at a vec4 offset.
const char *contract_load(Emitter *emitter, Value value, const char *format, ...) __attribute__((format(printf, 3, 4)));
// Axis indices of the batch of a matmul from the number of its matrix, `matrix` in the text.
void contract_unravel_matrix(Emitter *emitter, const Type *type, uint32_t batch, Index *index);
// All axis indices but the columns' of row p of a tile: `row3`, or `n3`, `y3` and `x3` in the text.
void contract_row_index(Emitter *emitter, const Contract *c, const Type *type, uint32_t p, uint32_t row_count, Index *index);
// Computes what follows the contraction from an accumulator, and stores it.
void contract_store(Emitter *emitter, const Index *index, const char *accumulator);
