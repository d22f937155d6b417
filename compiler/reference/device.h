// Device run: runs a program of a bundle on a device, one repetition after the other.
#pragma once
#include "compiler/reference/batches.h"
#include "compiler/reference/dump.h"
#include "runtime/session/session.h"

typedef struct {
    const Program *program;
    const ProgramEntry *entry;
    const char *phase; // only this one; NULL: all
    Dump *files;
    Batches *data;
    const Inputs *inputs;
    Session *session; // with its states already set
    uint32_t first_step, steps;
    FILE *log; // a line for each report and emit
} DeviceRun;

bool device_run(Arena *arena, const DeviceRun *run, Diag *diag);
