// Interpret: the judge. Runs a graph in double on the CPU with each op's plain reference.
#pragma once
#include "compiler/ir/module.h"
#include "compiler/ir/op.h"

// What sources give. Every pointer may be NULL when the graph has no such source.
typedef struct {
    void *context;
    // A state's value at the beginning of the phase (by name), a feed's batch or a program's input. NULL: not available (an error).
    const Tensor *(*state)(void *context, const char *name);
    const Tensor *(*feed)(void *context, const char *name);
    // Overrides a draw with given numbers (NULL result: draw it from the seed).
    const Tensor *(*draw)(void *context, const char *name);
    uint64_t seed;
    int32_t step, steps, epoch, epoch_steps, repetition, index, records;
} Sources;

// Values of all nodes that `needed` marks (NULL: all); values[id].data is NULL elsewhere. All lives in the arena. Never fails on a verified graph
// whose sources are available; a missing source is reported.
Tensor *interpret(Arena *arena, const Graph *graph, const Sources *sources, const bool *needed, Diag *diag);
// One node from given arguments; used by op tests and by verify.
Tensor interpret_node(Arena *arena, const Graph *graph, const Node *node, const Tensor *const *args);
Tensor tensor_create(Arena *arena, const Type *type); // zeros

// A state's (or a part's) initial numbers, drawn from the seed by its name; rounded to f32.
void init_fill(const Init *init, const Type *type, const char *name, uint64_t seed, double *out);
