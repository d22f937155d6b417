// Run data: the batches of data sets, in the order of a training, and their form in tensors.
#pragma once
#include "compiler/driver/arguments.h"
#include "compiler/ir/interpret.h"
#include "runtime/base/tensor_file.h"
#include "runtime/data/loader.h"

typedef struct {
    Loader *loader; // NULL: no --data was given
    LoaderBatch batch;
    bool has_batch;
} RunData;

// Opens what --data names for steps first … end - 1.
bool run_data_open(Arguments *arguments, const Program *program, const ProgramEntry *entry, uint64_t seed, uint32_t first, uint32_t end,
                   RunData *out);
void run_data_close(RunData *data);
// Goes on to this repetition; feeds in data->batch.feeds. Repetitions may be left out, but not be asked for again.
bool run_data_seek(RunData *data, uint32_t step, uint32_t phase, uint32_t repetition, Diag *diag);
// How many of a phase's batch are fed there: `batch`, or fewer where the data set ends.
bool run_data_records(RunData *data, uint32_t batch, uint32_t step, uint32_t phase, uint32_t repetition, uint32_t *out, Diag *diag);

// Elements of 4 bytes as the session takes them, from and to tensors.
bool run_elements_from(Arena *arena, const char *name, const HostTensor *given, ElementType type, const Layout *layout, void **out,
                       Diag *diag);
HostTensor run_elements_to(const void *elements, ElementType type, const Layout *layout);
void run_elements_to_tensor(const void *elements, Tensor *out); // of the tensor's own type
