// Dataset: records by number. A reader is one row in datasets.def and one file; it fills in a Dataset.
#pragma once
#include "runtime/base/file.h"
#include "runtime/data/modes.h"
#include "runtime/data/picture.h"
#include "runtime/program/program.h"

enum { DATASET_SPLIT_MAX = 4 };

// ---- pictures of any size: what a reader of them does; all else (sizes, crops, flips, colours, ranges, the cache, broken pictures) is
// frames.h's, for all readers

// What is known of a picture before it is decoded. Where two keys are equal, so are the pictures.
typedef struct {
    const char *path; // of the file, absolute where it may be: the cache is shared by all that read it
    uint64_t size;    // bytes of the file
    int64_t seconds;  // when it was changed last
    uint32_t nanoseconds;
    uint64_t part; // which picture of the file, or what is cut out of it; 0: all of it
} PictureKey;

typedef struct Dataset Dataset;
typedef struct Frames Frames; // see frames.h
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
    // The caption that the record's text stands for at this draw, in the arena; NULL where it has none, or (reported) where too much of the
    // split is broken. The member is NULL where records have no captions.
    const char *(*caption)(const Dataset *dataset, Arena *arena, uint32_t split, uint32_t record, uint64_t draw, Diag *diag);
    // Set by dataset_open where fields are made of the caption (captions.h): whether vectors are among them, and the reader's own fetch.
    bool encodes;
    bool (*fetch_own)(const Dataset *dataset, uint32_t split, uint32_t record, uint32_t field, uint64_t draw, void *out, Diag *diag);
    // Records of a split that could not be read so far, each told as a warning by the fetch that found it; the next good record takes its
    // place, in all fields from then on. More than 1 % of a split are an error. The member is NULL where that cannot happen. Any thread may call it.
    uint32_t (*broken)(const Dataset *dataset, uint32_t split);
    // Of points drawn from a mixture of Gaussians: where they lie. NULL for any other data set.
    const DatasetModes *modes;
    // By number, what a record's field "label" means ("cat"): class_count names, or NULL.
    const char *const *class_names;
    uint32_t class_count;
    const void *data; // the reader's own

    // ---- of a reader with pictures: dataset_open then takes the place of its fetch, caption and broken (which it leaves NULL). These are
    // asked only for records whose pictures are good. A record is good where the pictures of all its fields are.
    // By field, declared as f32[1,h,w], f32[3,h,w] or f32[h,w]: `picture` gives it, and fetch is never asked. NULL: no field is one.
    const bool *is_picture;
    // Decodes it: upright, 8 bits a channel, rows from the top; in the arena (or borrowed of memory that stays). False: broken, or not there
    // any more; one error says which file and why. Any thread may call it.
    bool (*picture)(const Dataset *dataset, Arena *arena, uint32_t split, uint32_t record, uint32_t field, const PictureWanted *wanted,
                    Image *out, Diag *diag);
    // Cheap, since it is asked each time: a stat, no open. False (reported) where the file is not there. A picture whose key changes is left
    // out like a broken one. NULL: pictures lie in memory, are never broken and never cached.
    bool (*picture_key)(const Dataset *dataset, Arena *arena, uint32_t split, uint32_t record, uint32_t field, PictureKey *out, Diag *diag);
    const ProgramAugment *own_augments; // by field: what is done to its pictures where the graph does not say; NULL: see ProgramAugment
    const char *draws;                 // the name of the draws of crops and flips; NULL: "augment"
    // By field that is no picture but an array [h,w] or [c,h,w]: height and width as fetch writes it, larger than declared where the graph
    // crops (ProgramData.has_augment). NULL, or 0: as declared.
    const uint32_t (*stored)[2];

    const Frames *frames; // dataset_open's
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
bool dataset_find_split(const Dataset *dataset, const char *split, uint32_t *out);                // not reported
bool dataset_need_split(const Dataset *dataset, const char *split, uint32_t *out, Diag *diag); // reported, with those that are there
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
