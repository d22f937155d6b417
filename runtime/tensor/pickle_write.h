// Pickle write: the three kinds of pickles that a folder of birds holds, as Python 2 wrote them with protocol 2 (PEP 307). Python 3 loads
// them with encoding="latin1". Files are written as file_write does, as one step.
#pragma once
#include "runtime/base/file.h"

// A list of str. No text is longer than 2^31 - 1 bytes.
bool pickle_write_texts(const char *path, const char *const *texts, uint32_t count, Diag *diag);
// A list of int.
bool pickle_write_ints(const char *path, const int32_t *numbers, uint32_t count, Diag *diag);

typedef struct {
    uint32_t count, rows, columns;                                 // arrays, and the shape of each: at most 2^31 - 1 bytes
    void (*fill)(const void *context, uint32_t index, float *out); // array `index`, row by row
    const void *context;
} PickleArrays;

// A list of numpy arrays [rows, columns] of little-endian float32.
bool pickle_write_arrays(const char *path, const PickleArrays *arrays, Diag *diag);
