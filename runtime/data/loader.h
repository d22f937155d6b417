// Loader: fills the feeds of a program's phases in a thread, ahead of the device.
//
// What a batch holds is a pure function of seed and step, so a resumed run needs no state of it: a phase's k-th repetition since step 0
// takes batch k mod B of permutation k div B, where B is the number of batches in the feed's split.
#pragma once
#include "runtime/data/dataset.h"

typedef struct Loader Loader;

typedef struct {
    const Program *program;
    const ProgramEntry *entry;
    Dataset *const *datasets; // of dataset_open_all
    uint64_t seed;
    uint32_t first_step, end_step;
    uint32_t depth; // repetitions ahead; 0: 4
} LoaderOptions;

// Starts the thread. Everything in the options is borrowed until loader_destroy. NULL (reported) when a data set holds no records.
Loader *loader_create(Arena *arena, const LoaderOptions *options, Diag *diag);
void loader_destroy(Loader **loader);

typedef struct {
    uint32_t step, phase, repetition;
    const void *const *feeds; // by index in phase->feeds: dense logical elements of 4 bytes; NULL where a feed is a program's input
    uint32_t records;         // real ones of the batch; the rest of the batch repeats the last one. 0: nothing is fed
} LoaderBatch;

// The next repetition, in the order step, phase, repetition. Valid until the next call. False: a reader failed (reported).
bool loader_next(Loader *loader, LoaderBatch *out, Diag *diag);

uint32_t loader_repeats(const Loader *loader, uint32_t phase); // of one step; "epoch" resolved
uint32_t loader_epoch_steps(const Loader *loader);             // batches of the first feeding phase / its repetitions, at least 1
uint32_t loader_step_records(const Loader *loader);            // that the first feeding phase takes in one step; 0: nothing is fed
// Where every feed stands before `step`, for people: "images.train: epoch 2, batch 51 of 937".
const char *loader_position(const Loader *loader, Arena *arena, uint32_t step);
