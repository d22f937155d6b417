// Run interpret: runs a program of a module in double on the CPU.
#pragma once
#include "compiler/driver/run_data.h"
#include "compiler/driver/run_files.h"
#include "compiler/driver/run_states.h"

typedef struct {
    const Module *module;
    const GraphProgram *entry;
    const char *phase; // only this one; NULL: all
    RunFiles *files;
    uint64_t seed;
    uint32_t first_step, steps; // runs steps first_step … first_step + steps - 1
    RunStates *states;          // changed by the run
    RunData *data;              // feeds that no file gives
    const Inputs *inputs;
} RunInterpret;

bool run_interpret(Arena *arena, const RunInterpret *run, Diag *diag);
