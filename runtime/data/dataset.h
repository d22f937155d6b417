// Dataset: records by number. A reader is one row in datasets.def and one file; it fills in a Dataset.
#pragma once
#include "runtime/base/file.h"
#include "runtime/data/modes.h"
#include "runtime/program/program.h"

enum { DATASET_SPLIT_MAX = 4 };

typedef struct Dataset Dataset;
struct Dataset {
    const char *name;            // in the document: "images"
    const char *spec;            // as the user wrote it: "mnist", "idx:digits"
    const ProgramData *declared; // the fields as the graph wants them
    struct {
        const char *name; // "train", "test"
        uint32_t count;   // records
    } splits[DATASET_SPLIT_MAX];
    uint32_t split_count;
    const char *encoder; // of its texts, see encoder.h; NULL: the data set has no texts
    // Writes one field of one record as dense logical words (see element.h). A pure function of its arguments; any thread may call it.
    // `draw` numbers the uses of a record in a training: what a reader draws for itself (crop, flip, which of several texts) is a function
    // of it and the record alone, so that a record's fields fit together. 0: nothing is drawn (centre crop, no flip, the first text).
    bool (*fetch)(const Dataset *dataset, uint32_t split, uint32_t record, uint32_t field, uint64_t draw, void *out, Diag *diag);
    // The caption that the record's text stands for at this draw; in the arena. The member is NULL where records have no captions.
    const char *(*caption)(const Dataset *dataset, Arena *arena, uint32_t split, uint32_t record, uint64_t draw);
    // Records of a split that could not be read so far, each told as a warning by the fetch that found it; the next good record took its
    // place, in all fields. More than 1 % of a split are an error. The member is NULL where that cannot happen. Any thread may call it.
    uint32_t (*broken)(const Dataset *dataset, uint32_t split);
    // Of points drawn from a mixture of Gaussians: where they lie. NULL for any other data set.
    const DatasetModes *modes;
    const void *data; // the reader's own
};

typedef struct {
    const char *name, *argument, *summary; // argument: what follows a colon in the spec ("DIR"), or NULL
    bool argument_required;
    // Fills splits, fetch and data of `dataset` after checking the declared fields against what is there. `argument` is "" when absent.
    bool (*open)(Arena *arena, const char *argument, Dataset *dataset, Diag *diag);
    bool (*natural)(Arena *arena, const char *argument, ProgramData *declared, Diag *diag); // adds the fields that are there
} DatasetReader;

const DatasetReader *dataset_readers(uint32_t *count);

// Opens a program's data set by a spec "[NAME=]READER[:ARGUMENT]"; NAME is ignored here. Lives in the arena.
Dataset *dataset_open(Arena *arena, const char *spec, const ProgramData *declared, Diag *diag);
// Opens all data sets that the entry's feeds name. A spec without NAME= serves the one data set that no other spec names. The result has
// program->data.count places; those that the entry does not feed from are NULL. Checks the splits of all feeds.
Dataset **dataset_open_all(Arena *arena, const Program *program, const ProgramEntry *entry, const char *const *specs, uint32_t spec_count,
                           Diag *diag);
bool dataset_find_split(const Dataset *dataset, const char *split, uint32_t *out); // not reported
uint64_t dataset_field_count(const ProgramData *declared, uint32_t field);         // elements of a record's field
uint32_t dataset_batches(uint32_t records, uint32_t batch, bool pad);              // of an epoch; 0: not one is whole
// What an epoch is, for people: "60,000 records in batches of 128: 468 steps an epoch, 96 left out of each". repeats: batches of a step.
const char *dataset_epoch_text(Arena *arena, uint32_t records, uint32_t batch, bool pad, uint32_t repeats);
void dataset_report_broken(const Dataset *dataset, Diag *diag); // a warning a split with broken records, for the end of a run

// For `gcc-graph data`: what a spec holds when no graph says what it wants, from the reader's natural fields.
const ProgramData *dataset_natural_fields(Arena *arena, const char *spec, Diag *diag);
void dataset_describe(Text *text, const Dataset *dataset, uint32_t batch); // batch: of a training, for what an epoch would be
// A PNG of the first records: a grid of the first image field, or a scatter plot of a field of two numbers.
bool dataset_preview(const Dataset *dataset, const char *split, uint32_t count, const char *path, Diag *diag);
