// Verify reference: what one kernel must give - the interpreter's ops on the numbers that the kernel really reads, in double.
#pragma once
#include "compiler/verify/values.h"

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

// Contractions of more than flops_max operations (0: no limit) are computed at sampled elements only, which the seed chooses; the others are
// `fill`.
typedef struct {
    uint64_t seed;
    double flops_max, fill;
} VerifySampling;

// values[id] of all nodes of the cone, from values[id] of loads and sources, which are given.
void verify_evaluate(Arena *arena, const Graph *graph, const Cone *cone, Tensor *values, const VerifySampling *sampling);
// One node that is no source.
Tensor verify_evaluate_node(Arena *arena, const Graph *graph, Value value, const Tensor *const *args, const VerifySampling *sampling);
