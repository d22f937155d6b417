// Arrays: a data set's records as .npy files.
#pragma once
#include "runtime/data/dataset.h"
#include <stdio.h>

// The first `count` records of a split (0: all), a file a field, FOLDER/FIELD.npy; the folder is made. A line a file goes to `log`, which
// may be NULL.
bool arrays_write(Arena *arena, const Dataset *dataset, const char *split, uint32_t count, const char *folder, FILE *log, Diag *diag);
