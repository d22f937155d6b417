// Emits: collects what programs emit, and writes it as files.
//   image   one picture a run: a PNG grid; several repetitions: a strip, rows = images, columns = time
//   rows    all repetitions and runs below each other, without the rows of a padded batch: .npy
//   tensor  .npy, with a leading axis for time when a run has several; runs below each other where they are records
#pragma once
#include "runtime/show/image.h"
#include "runtime/session/session.h"

typedef struct Emits Emits;

Emits *emits_create(Arena *arena);
// Copies a repetition's emits. `records`: real ones of its batch, 0 when nothing was fed.
void emits_add(Emits *emits, const SessionResult *result, uint32_t run, uint32_t records);
bool emits_is_empty(const Emits *emits);
// Images that one run of a program makes: the longest first axis of its image emits, at least 1.
uint32_t emits_images_per_run(const ProgramEntry *entry);
// Records that one run makes: its images; without such its rows, of all repetitions; without such the longest first axis of its tensors.
// At least 1. `repeats`: of each phase.
uint32_t emits_records_per_run(const ProgramEntry *entry, const uint32_t *repeats);
bool emits_any(const ProgramEntry *entry, ResultFormat format); // does the program emit something of this format?

// All pictures of one image emit: [count, times, channels, height, width], run after run; times: repetitions of a run.
typedef struct {
    const char *name;
    uint32_t count, times, channels, height, width;
    const float *values;
} EmitsPictures;
// By emit, in the program's order, at most `limit` pictures of each (0: all); gives their number.
uint32_t emits_pictures(Arena *arena, const Emits *emits, uint32_t limit, EmitsPictures **out);

typedef struct {
    const char *folder, *prefix; // files are FOLDER/PREFIXNAME.png; prefix may be NULL
    uint32_t count;              // records at most: images, and of rows and tensors as many as a run's records are; 0: all
    uint32_t records_per_run;    // of emits_records_per_run; 0: not known, tensors of several runs are stacked
    uint32_t columns;            // of a grid; 0: by_class where it is for a run's records, else nearly square
    uint32_t by_class;           // of grid_by_class; 0: not known
    const char *const *classes;  // by image of a grid that is for a run's records: the name of its class; NULL: not known
    bool singles;                // also each image of a grid as FOLDER/PREFIXNAME/0001.png
    bool tensors;                // also image emits as .npy
    const ImageText *texts;      // of every PNG; "name" is added
    uint32_t text_count;
    FILE *log; // a line per file, or NULL
} EmitsOutput;
// Makes the folder. Nothing is written over but files of the same names.
bool emits_write(const Emits *emits, const EmitsOutput *output, Diag *diag);
