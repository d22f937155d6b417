// Readers: the functions that datasets.def names, and what readers share.
#pragma once
#include "runtime/data/dataset.h"

#define DATASET(name, argument, needed, open, natural, summary)                            \
    bool open(Arena *arena, const char *argument_text, Dataset *dataset, Diag *diag);      \
    bool natural(Arena *arena, const char *argument_text, ProgramData *declared, Diag *diag);
#include "runtime/data/datasets.def"
#undef DATASET

// Appends a field; its range and bound are the caller's to set.
void dataset_add_field(Arena *arena, ProgramData *declared, const char *name, ElementType type, uint32_t rank, const uint32_t *dims);
const char *dataset_field_text(Arena *arena, const ProgramData *declared, uint32_t field); // "image f32[1,28,28]"
