// Run device: runs a program of a bundle on a device, one repetition after the other.
#pragma once
#include "compiler/driver/run_data.h"
#include "compiler/driver/run_files.h"
#include "runtime/session.h"

typedef struct {
    const Program *program;
    const ProgramEntry *entry;
    const char *phase; // only this one; NULL: all
    RunFiles *files;
    RunData *data;
    const Inputs *inputs;
    Session *session; // with its states already set
    uint32_t first_step, steps;
} RunDevice;

bool run_device(Arena *arena, const RunDevice *run, Diag *diag);
