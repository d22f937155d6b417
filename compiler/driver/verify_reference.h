// Verify reference: what one kernel must give - the interpreter's ops on the numbers that the kernel really reads, in double, and how far
// single precision may be from that.
#pragma once
#include "compiler/driver/verify_values.h"

typedef struct {
    const Kernel *kernel;
    Value *nodes; // between loads and stores, ascending; sources among them
    uint32_t node_count;
    double flops;          // of the contractions
    uint64_t elements_max; // of the largest tensor
} Cone;

Cone verify_cone(Arena *arena, const KernelList *list, const Kernel *kernel);
// Marks the values that verification needs from the interpreter: what kernels load, and the sources inside them.
void verify_mark(const KernelList *list, const Cone *cone, bool *needed);

typedef enum { ROUNDING_NONE, ROUNDING_NOISE } Rounding;

// values[id] of all nodes of the cone, from values[id] of loads and sources, which are given. ROUNDING_NOISE disturbs each result as single
// precision would (seeded): the difference to the undisturbed values shows what error is natural. flops_max: contractions beyond it are
// computed at sampled elements only, the others are `fill` (0: no limit).
void verify_evaluate(Arena *arena, const Graph *graph, const Cone *cone, Tensor *values, Rounding rounding, uint64_t seed, double flops_max,
                     double fill);
