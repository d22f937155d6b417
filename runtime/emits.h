// Emits: collects what programs emit, and writes it as files.
//   image   one picture a run: a PNG grid; several repetitions: a strip, rows = images, columns = time
//   rows    all repetitions and runs below each other, without the rows of a padded batch: .npy
//   tensor  .npy, with a leading axis for time when there are several
#pragma once
#include "runtime/image.h"
#include "runtime/session.h"

typedef struct Emits Emits;

Emits *emits_create(Arena *arena);
// Copies a repetition's emits. `records`: real ones of its batch, 0 when nothing was fed.
void emits_add(Emits *emits, const SessionResult *result, uint32_t run, uint32_t records);
bool emits_is_empty(const Emits *emits);
// Images that one run of a program makes: the longest first axis of its image emits, at least 1.
uint32_t emits_images_per_run(const ProgramEntry *entry);

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
    uint32_t count;              // images at most; 0: all
    bool singles;                // also each image of a grid as FOLDER/PREFIXNAME/0001.png
    bool tensors;                // also image emits as .npy
    const ImageText *texts;      // of every PNG; "name" is added
    uint32_t text_count;
    FILE *log; // a line per file, or NULL
} EmitsOutput;
// Makes the folder. Nothing is written over but files of the same names.
bool emits_write(const Emits *emits, const EmitsOutput *output, Diag *diag);
