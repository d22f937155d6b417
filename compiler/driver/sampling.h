// Sampling: a sampling program on trained weights, as `sample` and `eval` run it.
#pragma once
#include "compiler/driver/common.h"
#include "runtime/sample/sample.h"

typedef struct {
    const char *bundle, *program; // program NULL: the one called "sample", or the only one that emits images or rows
    const char *from;             // NULL: only for programs that read no weights
    const char *folder, *prefix;         // of what it emits; folder NULL: nothing is written
    uint32_t count, columns;             // records; columns of grids: 0: by class, or nearly square
    bool singles, tensors;
    bool may_replace;                    // files that are there already
    uint64_t seed;
    FILE *log, *reports; // a line per file, per report; may be NULL
} Sampling;

#define SAMPLING_DATA_OPTION                                                                                                               \
    { "data", 0, OPTION_TEXT, true, "SPEC", "a data set, [NAME=]mnist, idx:DIR … (see gcc-graph data)" }

// Reads the bundle, opens device, session and data sets (by the command's --device … and --data), runs and writes. False: reported.
bool sampling_run(Arguments *arguments, const Sampling *sampling);
