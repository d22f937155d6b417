// States: the states of a module in double, by their own names and by those of their parts.
#pragma once
#include "compiler/ir/interpret.h"
#include "runtime/tensor/tensor_file.h"

typedef struct {
    Arena *arena;
    const Module *module;
    Tensor *tensors; // by index of Module.states
} States;

// Initial values, drawn from the seed.
States states_create(Arena *arena, const Module *module, uint64_t seed);
const Tensor *states_get(const States *states, const char *name); // NULL when absent
void states_set(States *states, const char *name, const Tensor *tensor);

// The tensors of a dump or checkpoint: ordinary states by name, a set's parts as "unet.conv2d.weight", "opt.m.unet.conv2d.weight".
typedef struct {
    const char *name;
    const State *state;
    Type type;
    double *data; // inside the state's
} StatePart;
typedef ARRAY(StatePart) StateParts;
// Those of the whole document and of the program `entry`.
StateParts states_parts(const States *states, const char *entry);
