// Task: a program, or a phase of it, with tensors in and out; on a device, or interpreted in double precision.
#pragma once
#include "compiler/reference/dump.h"
#include "runtime/run/checkpoint.h"
#include "runtime/vk/device.h"

typedef struct {
    const ProgramEntry *entry;
    const char *phase; // only this one; NULL: all
    uint64_t seed;
    uint32_t first_step, steps;
    Dump *files;
    const char **data; // data sets for the feeds
    uint32_t data_count;
    const Checkpoint *start; // NULL: initial states
    const char *save;        // a folder for a checkpoint of the end; NULL: none
    FILE *log;               // a line for each report, emit and checkpoint
} Task;

// A phase that is named exists. False: reported, with the known ones.
bool task_check(Arena *arena, const Task *task, Diag *diag);
// `program`: the module's, for its data sets and names. False: reported.
bool task_interpret(Arena *arena, const Task *task, const Module *module, const Program *program, Diag *diag);
bool task_run(Arena *arena, const Task *task, Device *device, const Program *program, Diag *diag);
// Named values and gradients become emits, which a device computes.
void task_emit_values(Module *module);
