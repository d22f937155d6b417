// Work: what a kernel, or a step of many, does, in counts; and how long a device takes for it.
#pragma once
#include "runtime/program/model.h"

typedef struct {
    double groups, lanes; // workgroups, and invocations of each
    // Of one invocation, vec4s throughout:
    double multiply_adds;
    double texel_loads, tile_loads, storage_loads, shared_loads; // tile: texels, too, between a contraction's multiply-adds
    double broadcasts; // from one lane to all of a subgroup
    double conflicts;  // loads that find what they had in a cache pushed out, by others that lie on it there
    double crowd;      // multiply-adds, for each vec4 too many among those that are loaded at once
    double places;  // computed for loads
    double turns;   // of loops that are too short to hide what a turn costs
    double sums;    // registers that are zeroed at first
    double stores;  // of results; left out where sums are long and stores few
    double streams; // that many loads and stores, far from each other in memory, run through
    // Of reductions, whose loads are those of a turn:
    double chain;     // turns, each of a vec4 of elements, that make a vec4 of results one after the other
    double shared_by; // lanes that share them; 1: none does
    double at_once;   // vec4s of results
    // Of all of it, where nobody counts invocations:
    double all_multiply_adds; // single ones
    double bytes;             // read and written
    double dispatches;
    double waves; // those among the dispatches that wait for what is before them
} Work;

// A coarse estimate, for kernels as good as they are on average: only its order of magnitude, and which of two works takes longer, matter.
double model_seconds(const Work *work, const DeviceModel *model);
