// Outer: what the two families that sum over rows share; whole_lines: a lane has all taps along a line.
#pragma once
#include "compiler/schedules/tile.h"

// Their own parameters.
// clang-format off
#define OUTER_PARAMS \
    {"channels", "vec4s of input channels of a lane", {1, 2, 3, 4}, 4}, \
    {"columns", "vec4s of output channels of a lane", {1, 2, 3}, 3}, \
    {"at_once", "rows that are multiplied in one go", {1, 2, 4}, 3}
// clang-format on

uint64_t outer_emit(Emitter *emitter, bool whole_lines);
Work outer_work(const KernelView *view, const Schedule *schedule, bool whole_lines);
double outer_error(const KernelView *view, const Schedule *schedule);
// Why it does not fit where a lane has `taps` taps; NULL: it does.
const char *outer_misfit(const KernelView *view, const Schedule *schedule, uint32_t taps);
