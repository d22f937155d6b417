// Run states: the states of a module in double, by their own names and by those of their parts.
#pragma once
#include "compiler/ir/interpret.h"
#include "runtime/base/tensor_file.h"

typedef struct {
    Arena *arena;
    const Module *module;
    Tensor *tensors; // by index of Module.states
} RunStates;

// Initial values, drawn from the seed.
RunStates run_states_create(Arena *arena, const Module *module, uint64_t seed);
const Tensor *run_states_get(const RunStates *states, const char *name); // NULL when absent
void run_states_set(RunStates *states, const char *name, const Tensor *tensor);

// The tensors of a dump or checkpoint: ordinary states by name, a set's parts as "unet.conv2d.weight", "opt.m.unet.conv2d.weight".
typedef struct {
    const char *name;
    const State *state;
    Type type;
    double *data; // inside the state's
} RunPart;
typedef ARRAY(RunPart) RunParts;
// Those of the whole document and of the program `entry`.
RunParts run_states_parts(const RunStates *states, const char *entry);
