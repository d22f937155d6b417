// Sample: runs a program that emits - samples, strips, features - on a session, and writes what it emits.
#pragma once
#include "runtime/data/dataset.h"
#include "runtime/sample/emits.h"
#include "runtime/sample/inputs.h"
#include "runtime/sample/texts.h"

// What is known of weights.
typedef struct {
    uint32_t steps;      // that they were trained
    const char *encoder; // of the texts in their training; NULL: not known
} SampleWeights;

typedef struct {
    const char *entry;        // the program
    uint32_t count;           // records wanted (emits_records_per_run): ceil(count / those of one run) runs, run k draws as step k; 0: as
                              // many as the inputs' pictures and files have, else one run
    Dataset *const *datasets; // of dataset_open_all for this program; may be NULL where nothing is fed
    uint64_t seed;            // of the order of data; draws have the session's
    const Texts *texts;       // for programs that take them (texts.h); NULL: none
    const Inputs *inputs;     // complete (inputs.h); NULL: the defaults
    ClassLists classes;       // what labels of the defaults mean
    bool is_interpolation;    // a column of pictures for each text: as many runs as texts (by_run), all of which draw alike
    SampleWeights weights;    // for the PNGs' texts
    EmitsOutput output;       // its texts are filled in here; folder NULL: nothing is written
    void (*progress)(void *context, uint32_t done, uint32_t total); // repetitions; may be NULL
    void *progress_context;
    FILE *reports; // a line per report, or NULL
} SampleOptions;

// States of the program itself begin anew in each run; all others must be there. Waits for nothing inside a run.
bool sample_run(Session *session, const Program *program, const SampleOptions *options, Diag *diag);

// False, reported, where a file is there already that sampling would write: all that it can write is known before it runs.
bool sample_is_free(const ProgramEntry *entry, const EmitsOutput *output, bool is_interpolation, Diag *diag);

// Loads what a sampling program needs from a RUN or a FILE.safetensors.
bool sample_load(Arena *arena, Session *session, const Program *program, const char *run_or_file, SampleWeights *out, Diag *diag);

// The first state beyond its own that the program writes, or NULL: a preview must not disturb a training.
const ProgramState *sample_writes(const Program *program, const ProgramEntry *entry);
