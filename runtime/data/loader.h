// Loader: fills the feeds of a program's phases in threads, ahead of the device.
//
// What a batch holds is a pure function of seed and number, whatever the number of threads, so a resumed run needs no more than how often
// each phase ran: its k-th batch since step 0 (of one that accumulates a repetition takes several) is batch k mod B of permutation k div B,
// where B is the number of batches in the feed's split. A shuffled feed's draw (see dataset.h) is a function of seed, data set and k div B:
// feeds that take the same record together get the same draw, and every epoch another one. A sequential feed's draw is 0.
#pragma once
#include "runtime/data/dataset.h"
#include "runtime/program/turns.h"

typedef struct Loader Loader;

typedef struct {
    const Program *program;
    const ProgramEntry *entry;
    Dataset *const *datasets; // of dataset_open_all
    uint64_t seed;
    uint32_t first_step, end_step;
    uint32_t steps;       // the run's total; 0: end_step
    const uint32_t *runs; // by phase: of those that have a `when`, how often they ran before first_step; NULL: never
    bool is_plain;        // phases run in each step, whatever the program says of when they do
    uint32_t depth;   // repetitions ahead, of each phase; 0: 4
    uint32_t threads; // that read; 0: one less than there are processors, 1 to 8
} LoaderOptions;

// Starts the threads. Everything in the options is borrowed until loader_destroy. NULL (reported) when a data set holds no records, or
// fewer than a batch where the last one is dropped.
Loader *loader_create(Arena *arena, const LoaderOptions *options, Diag *diag);
void loader_destroy(Loader **loader);

// Where a feed's batch comes from: row i is record records[i] of the split, at this draw.
typedef struct {
    const Dataset *dataset; // NULL: the feed is a program's input
    uint32_t split;
    uint64_t draw;
    const uint32_t *records;
} LoaderOrigin;

typedef struct {
    uint32_t run, phase, repetition; // run: how often the phase ran before; of one that runs in each step, the step
    const void *const *feeds; // by index in phase->feeds: dense logical words; NULL where a feed is a program's input
    const LoaderOrigin *origins;
    uint32_t records; // real ones of the batch; the rest of the batch repeats the last one. 0: nothing is fed
} LoaderBatch;

// The phase's next batch, whatever other phases do; `repetition` counts batches where a repetition takes several. Valid until the next call
// for this phase. Readers' warnings (a broken picture) are added to `diag`. False: a reader failed (reported).
bool loader_next(Loader *loader, uint32_t phase, LoaderBatch *out, Diag *diag);

uint32_t loader_repeats(const Loader *loader, uint32_t phase); // of one step; "epoch" resolved, K batches each where it accumulates K
uint32_t loader_epoch_steps(const Loader *loader);             // batches of the first feeding phase / those of a step, at least 1
uint32_t loader_step_records(const Loader *loader);            // that the first feeding phase takes in one step; 0: nothing is fed
// What an epoch really is, for people, a line a split: "images.train: 60,000 records in batches of 128: 468 steps an epoch, 96 left out of
// each".
const char *loader_describe(const Loader *loader, Arena *arena);
// Where every feed stands before `step`, for people: "images.train: epoch 2, batch 51 of 937".
const char *loader_position(const Loader *loader, Arena *arena, uint32_t step);
