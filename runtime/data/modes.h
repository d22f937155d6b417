// Modes: the places of the plane where a mixture of Gaussians has its mass, and how many of a network's samples lie there.
#pragma once
#include "runtime/base/arena.h"

typedef struct {
    const double (*centres)[2];
    uint32_t count;
    double deviation; // of each mode, the same in both coordinates
} DatasetModes;

// A sample is good when it lies within MODES_DEVIATIONS standard deviations of the nearest centre (Metz et al. 2017; Srivastava et al.
// 2017, "VEEGAN"); a mode is hit when at least one good sample lies at it. A true sample of the mixture is good with probability 0.989.
enum { MODES_DEVIATIONS = 3 };

typedef struct {
    uint32_t count;      // samples
    uint32_t good;       // … that are good
    uint32_t not_finite; // … that are no points: not good, but counted
    uint32_t hit;        // modes
    uint32_t *per_mode;  // good samples at each mode; in the arena
    uint32_t least, most;
    double median; // of per_mode
} ModesFound;

// points: [count, 2].
ModesFound modes_find(Arena *arena, const DatasetModes *modes, const float *points, uint32_t count);
