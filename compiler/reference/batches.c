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
                            .end_step = options->end};
    out->loader = loader_create(arena, kept, diag);
    return out->loader != NULL;
}

void batches_close(Batches *data) { loader_destroy(&data->loader); }

static bool is_at(const LoaderBatch *batch, uint32_t step, uint32_t phase, uint32_t repetition) {
    return batch->step == step && batch->phase == phase && batch->repetition == repetition;
}

bool batches_seek(Batches *data, uint32_t step, uint32_t phase, uint32_t repetition, Diag *diag) {
    while (data->loader && (!data->has_batch || !is_at(&data->batch, step, phase, repetition))) {
        if (!loader_next(data->loader, &data->batch, diag))
            return false;
        data->has_batch = true;
    }
    return true;
}

bool batches_records(Batches *data, uint32_t batch, uint32_t step, uint32_t phase, uint32_t repetition, uint32_t *out, Diag *diag) {
    *out = batch;
    if (!data->loader || batch == 0)
        return true;
    if (!batches_seek(data, step, phase, repetition, diag))
        return false;
    *out = data->batch.records;
    return true;
}

// ---- elements

static DType dtype_of(ElementType type) {
    switch (type) {
    case ELEMENT_F32:
        return DTYPE_F32;
    case ELEMENT_I32:
        return DTYPE_I32;
    case ELEMENT_U32:
        return DTYPE_U32;
    case ELEMENT_BOOL:
        return DTYPE_BOOL;
    case ELEMENT_U8:
        return DTYPE_U8;
    }
    return DTYPE_F32;
}

bool batches_elements_from(Arena *arena, const char *name, const HostTensor *given, ElementType type, const Layout *layout, void **out,
                       Diag *diag) {
    Type wanted = type_make(dtype_of(type), layout->rank, layout->dims);
    Tensor tensor;
    if (!dump_tensor_from(arena, name, given, &wanted, &tensor, diag))
        return false;
    uint64_t count = type_count(&wanted);
    uint32_t *elements = ARENA_NEW(arena, uint32_t, count);
    for (uint64_t i = 0; i < count; i++) {
        float number = (float)tensor.data[i];
        if (type == ELEMENT_F32)
            memcpy(&elements[i], &number, sizeof number);
        else
            elements[i] = (uint32_t)(int64_t)tensor.data[i];
    }
    *out = elements;
    return true;
}

HostTensor batches_elements_to(const void *elements, ElementType type, const Layout *layout) {
    HostTensor tensor = {.dtype = type == ELEMENT_F32   ? HOST_F32
                                  : type == ELEMENT_I32 ? HOST_I32
                                                        : HOST_U32,
                         .rank = layout->rank,
                         .data = elements};
    tensor.size = 4;
    for (uint32_t i = 0; i < layout->rank; i++) {
        tensor.dims[i] = layout->dims[i];
        tensor.size *= layout->dims[i];
    }
    return tensor;
}

void batches_elements_to_tensor(const void *elements, Tensor *out) {
    for (uint64_t i = 0, count = type_count(&out->type); i < count; i++) {
        union {
            float f32;
            int32_t i32;
            uint32_t u32;
        } word;
        memcpy(&word, (const char *)elements + 4 * i, sizeof word);
        out->data[i] = out->type.dtype == DTYPE_F32 ? (double)word.f32 : out->type.dtype == DTYPE_I32 ? word.i32 : (double)word.u32;
    }
}
