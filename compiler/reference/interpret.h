// Interpret: runs a program of a module in double on the CPU.
#pragma once
#include "compiler/reference/batches.h"
#include "compiler/reference/dump.h"
#include "compiler/reference/states.h"

typedef struct {
    const Module *module;
    const GraphProgram *entry;
    const ProgramEntry *planned; // the same, as the host plays it
    const char *phase; // only this one; NULL: all
    Dump *files;
    uint64_t seed;
    uint32_t first_step, steps; // runs steps first_step … first_step + steps - 1
    States *states;          // changed by the run
    Batches *data;              // feeds that no file gives
    const Inputs *inputs;
    FILE *log; // a line for each report and emit
} Interpretation;

bool interpret_program(Arena *arena, const Interpretation *run, Diag *diag);
