// Batches: the loader, one repetition after the other.
#include "compiler/reference/batches.h"
#include "compiler/reference/dump.h"

bool batches_open(Arena *arena, const BatchesOptions *options, Batches *out, Diag *diag) {
    memset(out, 0, sizeof *out);
    if (options->spec_count == 0)
        return true;
    Dataset **datasets = dataset_open_all(arena, options->program, options->entry, options->specs, options->spec_count, diag);
    if (!datasets)
        return false;
    LoaderOptions *kept = ARENA_NEW(arena, LoaderOptions, 1);
    *kept = (LoaderOptions){.program = options->program,
                            .entry = options->entry,
                            .datasets = datasets,
                            .seed = options->seed,
                            .first_step = options->first,
                            .end_step = options->end,
                            .is_plain = options->is_plain};
    out->options = kept;
    out->batches = ARENA_NEW(arena, LoaderBatch, options->entry->phases.count);
    out->has_batch = ARENA_NEW(arena, bool, options->entry->phases.count);
    return true;
}

bool batches_begin(Arena *arena, Batches *data, const uint32_t *runs, Diag *diag) {
    if (!data->options)
        return true;
    data->options->runs = runs;
    data->loader = loader_create(arena, data->options, diag);
    return data->loader != NULL;
}

void batches_close(Batches *data) { loader_destroy(&data->loader); }

static bool is_at(const LoaderBatch *batch, uint32_t run, uint32_t repetition) { return batch->run == run && batch->repetition == repetition; }

bool batches_seek(Batches *data, uint32_t run, uint32_t phase, uint32_t repetition, Diag *diag) {
    if (!data->loader)
        return true;
    while (!data->has_batch[phase] || !is_at(&data->batches[phase], run, repetition)) {
        if (!loader_next(data->loader, phase, &data->batches[phase], diag))
            return false;
        data->has_batch[phase] = true;
    }
    data->batch = data->batches[phase];
    return true;
}

bool batches_records(Batches *data, uint32_t batch, uint32_t run, uint32_t phase, uint32_t repetition, uint32_t *out, Diag *diag) {
    *out = batch;
    if (!data->loader || batch == 0)
        return true;
    if (!batches_seek(data, run, phase, repetition, diag))
        return false;
    *out = data->batch.records;
    return true;
}

// ---- elements

bool batches_elements_from(Arena *arena, const char *name, const HostTensor *given, ElementType type, const Layout *layout, void **out,
                       Diag *diag) {
    Type wanted = type_make((DType)type, layout->rank, layout->dims); // a feed is of a type that graphs compute with
    Tensor tensor;
    if (!dump_tensor_from(arena, name, given, &wanted, &tensor, diag))
        return false;
    uint64_t count = type_count(&wanted);
    uint32_t *words = ARENA_NEW(arena, uint32_t, count);
    for (uint64_t i = 0; i < count; i++)
        words[i] = element_word(type, tensor.data[i]);
    *out = words;
    return true;
}

HostTensor batches_elements_to(const void *words, ElementType type, const Layout *layout) {
    HostTensor tensor = {.dtype = element_row(type)->word, .rank = layout->rank, .data = words};
    for (uint32_t i = 0; i < layout->rank; i++)
        tensor.dims[i] = layout->dims[i];
    tensor.size = ELEMENT_WORD * host_count(&tensor);
    return tensor;
}

void batches_elements_to_tensor(const void *words, Tensor *out) {
    for (uint64_t i = 0, count = type_count(&out->type); i < count; i++)
        out->data[i] = element_word_number(dtype_element(out->type.dtype), ((const uint32_t *)words)[i]);
}
