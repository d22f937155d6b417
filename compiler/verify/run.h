// Verify run: all phases of a compiled graph on a device, and which part of the compiler is to blame where kernels fail.
#pragma once
#include "compiler/built.h"
#include "runtime/base/activity.h"
#include "compiler/verify/kernels.h"

typedef struct {
    uint64_t seed;
    double flops_max;
    const char *only_program; // NULL: all
    const Value *only;        // see VerifyRun
    uint32_t only_count;
    bool modes[VERIFY_MODES];
} VerifyChoice;

// Appends the results of all phases. False when the device or the interpreter fails (reported).
bool verify_run(Arena *arena, Device *device, const Built *built, const VerifyChoice *choice, VerifyResults *results, Activity *activity,
                Diag *diag);

// Compiles the graph without fusion, with reference schedules and with both, runs what failed again, and says in a line each who is to blame.
bool verify_bisect(Arena *arena, Device *device, const Module *module, const Target *target, const VerifyChoice *choice,
                   const VerifyResults *failed, Activity *activity, Text *out, Diag *diag);
