// Bench run: times a program's step and each of its kernels.
#pragma once
#include "runtime/session.h"

// One kernel's share of a step, all its dispatches together.
typedef struct {
    const char *name, *op_class;
    bool is_contraction;
    uint32_t dispatches;          // in one step
    double seconds, flops, bytes; // of one step
} BenchKernel;

typedef struct {
    DevicePeaks peaks;
    double step_seconds, flops, bytes; // bytes: the sum over dispatches
    double images;                     // records fed in one step
    ARRAY(BenchKernel) kernels;        // most expensive first
} Bench;

// seconds: about how long to measure. False: reported.
bool bench_run(Arena *arena, Device *device, const Program *program, const ProgramEntry *entry, uint64_t seed, double seconds, Bench *out,
               Diag *diag);
// FLOP/s over the measured peak for contractions, bytes/s over the measured bandwidth for all else.
double bench_share(const Bench *bench, const BenchKernel *kernel);
