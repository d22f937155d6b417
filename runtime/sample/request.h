// Request: what a person asks of a sampling program - weights, inputs, texts, data - made into a run of it.
#pragma once
#include "runtime/sample/sample.h"

typedef struct {
    const char *from;                   // a run or a file; NULL: only for programs that read no weights
    const char **sets, **data, **texts; // NAME=VALUE, data sets, captions
    uint32_t set_count, data_count, text_count;
    const char *embedding, *encoder; // vectors of texts instead of captions, and who made them; NULL: not given
    uint32_t interpolate;            // steps from one text to another; 0: not wanted
    uint32_t count;                  // records
    EmitsOutput output;              // folder NULL: nothing is written
    bool may_replace;                // files that are there already
    uint64_t seed;
    FILE *reports; // a line per report; may be NULL
    void (*progress)(void *context, uint32_t done, uint32_t total);           // repetitions
    void (*progress_pipelines)(void *context, uint32_t done, uint32_t total); // of both; may be NULL
    void *progress_context;
} SampleRequest;

// The program that is meant where none is named: the one called "sample", or the only one that emits images or rows. NULL: reported, with
// the known names.
const ProgramEntry *request_entry(Arena *arena, const Program *program, Diag *diag);
// What can be known without a device: the files that are there, the weights that are needed, the inputs, which go to *inputs.
bool request_check(Arena *arena, const SampleRequest *request, const Program *program, const ProgramEntry *entry, Inputs *inputs,
                   Diag *diag);
// Opens session and data sets, runs and writes. False: reported.
bool request_run(Arena *arena, const SampleRequest *request, Device *device, const Program *program, const ProgramEntry *entry,
                 const Inputs *inputs, Diag *diag);
