// Inputs: a module for tests, and numbers for an op's examples.
#pragma once
#include "compiler/ir/interpret.h"

// Set 1 ("net") has the parts a f32[2,3], b f32[4], c f32[1,2,2]; there are states "net" (of the set), "s" f32[2,3] and a table of f32[5].
Module *inputs_module(Arena *arena);
// Random numbers in the example's range; from `avoid` on, inputs stay away from 0 and from each other, as far as there is room.
// One tensor for each of its arguments.
Tensor *inputs_draw(Arena *arena, const OpExample *example, uint64_t seed);
// Uniform in [low, high).
Tensor inputs_random(Arena *arena, const Type *type, double low, double high, uint64_t seed);

// Numbers by name, as sources of a run: feeds and states.
typedef struct {
    const char *names[16];
    const Tensor *tensors[16];
    uint32_t count;
} Inputs;
void inputs_give(Inputs *inputs, const char *name, const Tensor *tensor);
Sources inputs_sources(const Inputs *inputs);
// A source node of this type and name: a feed, or the state "net" for a set.
Value inputs_source(Graph *graph, const char *name, const Type *type);
const char *inputs_name(Arena *arena, const char *stem, uint32_t number);
