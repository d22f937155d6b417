// Parts of the reader of birds. Internal to cub.c (records' fields) and cub_folder.c (what the folder says of them).
#pragma once
#include "runtime/tensor/pickle.h"
#include "runtime/data/readers.h"
#include "runtime/data/resize.h"

typedef struct {
    const char *name;           // "CLASS/NAME"; a path that stays in the folder
    double x, y, width, height; // of the bird's box in the picture, pixels
    uint32_t class;             // as class_info.pickle numbers it
    const HostTensor *texts;    // NULL: not read
    uint64_t first_text;        // element where the record's texts begin
} CubRecord;

typedef struct {
    const char *name; // "train"
    CubRecord *records;
    uint32_t count;
    uint32_t text_count, text_size; // vectors of a record, numbers of a vector; 0: not read
} CubSplit;

typedef struct {
    bool classes, texts;
} CubWanted;

enum { CUB_SPLITS = 2 }; // train, test
// Reads what is wanted of the splits that are there; "train" must be.
bool cub_read_splits(Arena *arena, const char *folder, CubWanted wanted, CubSplit splits[CUB_SPLITS], uint32_t *count, Diag *diag);
const char *cub_picture_path(Arena *arena, const char *folder, const CubRecord *record);
const char *cub_text_path(Arena *arena, const char *folder, const CubRecord *record);
bool cub_read_encoder(Arena *arena, const char *folder, const char **name, Diag *diag);
