// Export: weights as safetensors under other names, and back.
#pragma once
#include "runtime/base/diag.h"

typedef struct {
    const char *input, *output; // a run or a file; the file to write
    const char *names;          // the map's path; NULL: names stay
    bool is_import;             // input has their names, output ours
    bool ema;                   // averaged weights where there are some
    bool all;                   // the optimizers' states, too, and what the training's conditions go by
} ExportOptions;

// Counts the tensors and numbers that were written. False: reported.
bool export_run(Arena *arena, const ExportOptions *options, uint32_t *tensors, uint64_t *numbers, Diag *diag);
