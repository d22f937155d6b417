// Outer: what the two families that sum over rows share.
#pragma once
#include "compiler/schedules/tile.h"

// Their own parameters; at_once has each family's own numbers.
// clang-format off
#define OUTER_PARAMS \
    {"channels", "vec4s of input channels of a lane", {1, 2, 3, 4}, 4}, \
    {"columns", "vec4s of output channels of a lane", {1, 2, 3}, 3}
// clang-format on

typedef struct {
    Emitter *emitter;
    Contract c;
    uint32_t rows, columns, lanes; // vec4s of channels and of columns of a lane; lanes of a workgroup
    uint32_t taps;                 // along a line, of a lane: accumulators are numbered tap, channel; column
    uint32_t at_once;              // rows of x and g that are multiplied in one go
    uint32_t channel_vectors, column_vectors, channel_blocks, column_groups;
    // How workgroups share it out: the family's to say.
    uint32_t lane_count, lane_blocks;
    uint64_t groups;
    bool channels_by_lane; // else a workgroup's lanes have the same channels
    bool computes_x, computes_g; // else they lie in memory
} Outer;

Outer outer_of(Emitter *emitter, const Contract *contract, const Schedule *schedule, uint32_t taps);
uint32_t outer_accumulators(const Outer *outer); // for each vec4 of columns
void outer_zero(const Outer *outer, char name);  // declares a set of accumulators
// Of `place` of x, at `ix<place>`, of the vec4 of channels number r of the lane; `channel` in the text.
const char *outer_computed_x(const Outer *outer, uint32_t r, uint32_t place, const char *channel);
// Vec4 q of columns of row u of g, counted from `from`, or from `x` where it is computed.
const char *outer_g(const Outer *outer, uint32_t q, uint32_t u);
void outer_advance_g(const Outer *outer, uint32_t count); // by rows
// Where the first row of an image lies in g; of a matmul the image itself.
const char *outer_gradient_place(const Outer *outer, const char *image);
// A running sum of very many terms loses digits: then each line, image or some rows are summed by themselves first.
bool outer_sums_in_parts(const Outer *outer);
void outer_end_part(const Outer *outer, const char *condition);
// Stores the accumulators of lanes that have work.
void outer_store(const Outer *outer);
double outer_error(const KernelView *view, const Schedule *schedule);
