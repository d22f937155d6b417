// Bench run: times a program's step and each of its kernels.
#pragma once
#include "runtime/base/activity.h"
#include "runtime/session/session.h"

// One kernel's share of a step, all its dispatches together.
typedef struct {
    const char *name;
    WorkClass work_class;
    bool is_contraction;
    uint32_t dispatches;          // in a step in which all phases run
    double seconds, flops, bytes; // of one step
    double ideal;                 // seconds that its dispatches would take at their peaks
    PeakStream stream;            // of its largest dispatch, whose bytes are `largest`: which peak of the memory it is compared with
    double largest;
    double registers, spills;     // see executable.h; below 0: the driver does not say
} BenchKernel;

typedef struct {
    DevicePeaks peaks;
    DeviceModel model;                 // of the device, by these peaks
    double step_seconds, flops, bytes; // bytes: the sum over dispatches
    double records;                    // fed in one step, by phases that run in each
    const uint32_t *every;             // by phase: it runs each so many steps of a training of the program's own length, and counts so much less
    const char *unit;                  // what they are
    ARRAY(BenchKernel) kernels;        // most expensive first
} Bench;

// Only the time of a step, measured for about so many seconds: no peaks, no kernels. False: reported.
bool bench_step(Arena *arena, Device *device, const Program *program, const ProgramEntry *entry, uint64_t seed, double seconds,
                Activity *activity, Bench *out, Diag *diag);
// seconds: about how long to measure, twice. Peaks are measured before, again and again between, and after, so in whatever state the clocks
// are; they are kept, as measure_device does. False: reported.
bool bench_run(Arena *arena, Device *device, const Program *program, const ProgramEntry *entry, uint64_t seed, double seconds,
               Activity *activity, Bench *out, Diag *diag);
// What its dispatches would take at their peaks over what they took. The peak of a contraction is of multiply-adds; that of all else is of
// memory, of a working set as large as the dispatch's and with its mix of reads and writes.
double bench_share(const BenchKernel *kernel);
