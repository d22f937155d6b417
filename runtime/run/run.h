// Run: what a training run was started with, as RUN/run.json, so that --resume needs nothing more.
#pragma once
#include "runtime/run/classes.h"

// From step `from` on, schedules see `steps` as the total.
typedef struct {
    uint32_t from, steps;
} RunTotal;

// Whose states a run began with (`train --fork`).
typedef struct {
    const char *checkpoint; // its whole path; NULL: it began with initial values
    uint32_t step;          // what the checkpoint says of itself
    const char *digest;     // of its graph, "" where it is no checkpoint of ours
} RunFork;

// NULL, 0 and false: not said.
typedef struct {
    const char *bundle, *digest, *entry; // digest: of the graph
    const char *const *data;             // --data specs
    uint32_t data_count;
    const char *const *inits; // --init NAME=RUN|FILE
    uint32_t init_count;
    const char *names; // --names MAP.json of the inits
    bool has_seed;
    uint64_t seed;
    uint32_t steps, epochs; // the total; run.json always has steps
    const RunTotal *totals; // every total that the run has had, the first from step 0; run.json's, never given
    uint32_t total_count;
    RunFork fork;
    const char *stopped; // why the run is finished before its total: its program's "stop"; NULL: it is not
    uint32_t stopped_at; // after so many steps
    uint32_t save_every, keep, sample_every, sample_count;
    const char *sample_entry;
    const char *schedules; // the winners, as text
    const char *encoder;   // of the data's texts; found out, never given
    const char *records;   // how many each split of the data has, for people; found out, too. NULL: older runs do not say
    ClassLists classes;    // of the data's labels; found out, too
} Run;

bool run_exists(const char *folder); // is there a run.json?
bool run_read(Arena *arena, const char *folder, Run *out, Diag *diag);
bool run_write(const char *folder, const Run *run, Diag *diag);
// Fills in what `given` (the command line of a --resume) does not say. What decides the numbers - graph, program, seed, data, inits - must
// not differ; the total, and how often to save and to sample, may, and a data set may be given by another path, or lie elsewhere once its
// old place is gone (a warning). `folder` is for messages.
bool run_merge(Run *given, const Run *stored, const char *folder, Diag *diag);
// Notes that from step `from` on the total is run->steps; what was noted for later steps never came to be.
void run_note_total(Arena *arena, Run *run, uint32_t from);
