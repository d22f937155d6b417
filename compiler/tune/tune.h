// Tune: finds schedules that make a program's step faster on a device, by measuring. A candidate that computes wrong numbers, does not
// compile, is slow or loses the device never wins and never ends the search.
#pragma once
#include "compiler/compile.h"
#include "runtime/base/activity.h"
#include "runtime/vk/device.h"
#include <signal.h>

typedef struct {
    const char *entry; // the program's name
    double seconds;    // about how long it may take
    uint32_t rounds;   // of candidates at most; 0: as many as there is time for
    double share;      // where above 0: at most this share of so many `steps`, as soon as it is known how long one takes
    uint32_t steps;
    uint64_t seed;
    const Winners *known; // of these works elsewhere: tried first
    DeviceOptions device;
    const volatile sig_atomic_t *interrupted; // ends the search: what is known by then is judged. NULL: nobody does
    Activity *activity;
    // Tests: may damage what was built of these winners, before it gets a session.
    void (*spoil)(void *context, Arena *arena, const Winners *winners, Program *program);
    void *spoil_context;
} TuneOptions;

typedef struct {
    Winners winners;      // that the whole step was faster with, all together; none: it was not
    double before, after; // seconds of a step
    uint32_t works;       // kinds of work that take long enough to look at
    uint32_t tried, failed, wrong; // candidates: measured; that did not compile or run; that computed wrong numbers
    const char *program;  // what the program computes, as tune_key says it
    double seconds;       // that it took
} TuneResult;

// `module` has the program. False: the program itself could not be run (reported); what befalls candidates is no failure.
bool tune_program(Arena *arena, const Module *module, const Target *target, const TuneOptions *options, TuneResult *out, Diag *diag);
// What a program computes: of all of its kernels' works. The compilation must have had winners, if only none.
const char *tune_key(Arena *arena, const Compiled *compiled, uint32_t entry);
// Whether schedules may be chosen by measuring: where "exact" is true, they are part of what is asked for.
bool tune_may(const Program *program);
