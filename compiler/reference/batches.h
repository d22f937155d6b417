// Batches: those of data sets, in the order of a training, and their form in tensors.
#pragma once
#include "compiler/ir/interpret.h"
#include "runtime/tensor/tensor_file.h"
#include "runtime/data/loader.h"

typedef struct {
    LoaderOptions *options; // of the loader; NULL: no --data was given
    Loader *loader;         // NULL until batches_begin, and without --data
    LoaderBatch batch;      // what was sought last
    LoaderBatch *batches;   // by phase: where it stands
    bool *has_batch;
} Batches;

// Opens the data sets that `specs` name ("[NAME=]mnist"; none: no feed comes from one) for steps first … end - 1.
typedef struct {
    const Program *program;
    const ProgramEntry *entry;
    const char **specs;
    uint32_t spec_count;
    uint64_t seed;
    uint32_t first, end;
    bool is_plain; // see LoaderOptions
} BatchesOptions;
bool batches_open(Arena *arena, const BatchesOptions *options, Batches *out, Diag *diag);
// Begins to read, where phases with a `when` ran so often before, by phase.
bool batches_begin(Arena *arena, Batches *data, const uint32_t *runs, Diag *diag);
void batches_close(Batches *data);
// Goes on to this repetition of the phase's so many-th run; feeds in data->batch.feeds. Repetitions may be left out, but not be asked for again.
bool batches_seek(Batches *data, uint32_t run, uint32_t phase, uint32_t repetition, Diag *diag);
// How many of a phase's batch are fed there: `batch`, or fewer where the data set ends.
bool batches_records(Batches *data, uint32_t batch, uint32_t run, uint32_t phase, uint32_t repetition, uint32_t *out, Diag *diag);

// Words (see element.h) as the session takes them, from and to tensors.
bool batches_elements_from(Arena *arena, const char *name, const HostTensor *given, ElementType type, const Layout *layout, void **out,
                       Diag *diag);
HostTensor batches_elements_to(const void *words, ElementType type, const Layout *layout);
void batches_elements_to_tensor(const void *words, Tensor *out); // of the tensor's own type
