// Tune's parts: what the files of this folder share. Only for them.
#pragma once
#include "compiler/tune/tune.h"
#include "compiler/schedules/families.h"
#include "runtime/bench/steps.h"

typedef enum {
    TRIAL_NEW,
    TRIAL_CHOSEN, // built, not measured yet
    TRIAL_GOOD,   // measured
    TRIAL_SLOW,   // its measurement was not ended
    TRIAL_FAILED, // did not compile, or did not run
    TRIAL_WRONG,  // computed wrong numbers
} TrialState;

// A schedule that is tried.
typedef struct {
    Schedule schedule;
    const char *text;
    double estimate; // seconds, by the model
    bool is_usual;   // the families' tables have it for such kernels
    double ratio;    // of its time to that of the schedule that the estimate chose, each measured alone, in turns
    double in_step;  // the same among the other dispatches of a step; 0: not measured so
    TrialState state;
} Trial;

typedef struct {
    uint32_t phase, step;
} Spot;

// All schedules of one kind of work.
typedef struct {
    const char *work;
    const KernelList *list;
    const Kernel *kernel; // the first that does it
    ARRAY(Spot) spots;    // dispatches that do it
    double seconds;       // of a step, as the estimate has it
    double share;         // of the step
    Trial *trials;        // by estimate; the schedule that it has already is none of them
    uint32_t trial_count, chosen_count, chosen_max;
    Trial *leader; // NULL: what it has already
} Contest;

typedef struct {
    Arena *arena;
    const Module *module;
    const Target *target;
    const TuneOptions *options;
    Device *device;
    const Compiled *base; // as the estimate has it
    const ProgramEntry *entry;
    uint32_t entry_index;
    uint32_t *every; // by phase, as in bench
    ARRAY(Contest) contests; // those that take longest first
    uint32_t lost; // how often the device was
    double begin, search_end, end;
    TuneResult *result;
} Tune;

// ---- candidates.c
// The trials of a contest: all that families can do and that the estimate does not find hopeless.
void candidates_list(Arena *arena, const Target *target, const Winners *known, Contest *contest);
// The next to be tried: what is known from elsewhere, what the families' tables have, neighbours of the leader, what the estimate likes. NULL:
// none is left.
Trial *candidates_next(const Contest *contest, const Winners *known);

// ---- variants.c
// Programs that differ in schedules only, as entries of one: they share memories and states, and a session holds them all.
typedef struct {
    Arena *arena;
    Program program; // entry 0 is the base's
    ARRAY(const Compiled *) compiled; // by entry; [0]: the base
} Variants;
void variants_begin(Arena *arena, const Tune *tune, Variants *out);
// Adds one with these winners; false: it does not compile, or has another plan. What is reported goes to `diag`.
bool variants_add(const Tune *tune, Variants *variants, const Winners *winners, Diag *diag);
Session *variants_open(const Tune *tune, Variants *variants, bool profile, Diag *diag); // with its states initialised

// ---- measure.c
// Tries so many more candidates of each contest; false: nothing is left to be tried, or the device is lost too often.
bool measure_round(Tune *tune, uint32_t count);
// Seconds of each work in whole steps, as they are and, in turns with them, as each of `count` lists of winners has it: seconds[0] is as they are,
// by contest; of what could not be built INFINITY. *step: of a step as it is. All with what it takes to measure each dispatch.
bool measure_in_step(Tune *tune, const Winners *winners, uint32_t count, double **seconds, double *step, Diag *diag);
// Whether whole steps with the winners are faster, beyond noise, measured in turns.
bool measure_steps(Tune *tune, const Winners *winners, double *before, double *after, bool *faster, Diag *diag);
bool measure_is_over(const Tune *tune, double end);
