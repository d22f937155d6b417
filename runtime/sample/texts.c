// Texts: see texts.h.
#include "runtime/sample/texts.h"
#include "runtime/base/random.h"
#include "runtime/tensor/tensor_file.h"
#include "runtime/data/encoder.h"
#include <inttypes.h>

const ProgramFeed *texts_input(const ProgramEntry *entry) {
    for (uint32_t i = 0; i < entry->inputs.count; i++) {
        const ProgramFeed *input = &entry->inputs.items[i];
        uint32_t rank = input->tensor.layout.rank;
        if (strcmp(input->name, "text") == 0 && input->tensor.type == ELEMENT_F32 && (rank == 1 || rank == 2))
            return input;
    }
    return NULL;
}

uint32_t texts_size(const ProgramFeed *input) { return input->tensor.layout.dims[input->tensor.layout.rank - 1]; }

uint32_t texts_per_run(const ProgramFeed *input) { return input->tensor.layout.rank == 2 ? input->tensor.layout.dims[0] : 1; }

uint32_t texts_field(const ProgramData *declared, uint32_t size) {
    for (uint32_t i = 0; i < declared->field_count; i++)
        if (declared->fields[i].type == ELEMENT_F32 && declared->fields[i].rank == 1 && declared->fields[i].dims[0] == size)
            return i;
    return UINT32_MAX;
}

bool texts_encode(Arena *arena, const char *const *captions, uint32_t count, const char *encoder, uint32_t size, Texts *out, Diag *diag) {
    const TextEncoder *found = encoder ? encoder_find(encoder) : encoder_default();
    if (!found) {
        diag_error(
            diag, NULL,
            "the network was trained with vectors of the encoder %s, which is not built in: give its vectors by --embedding FILE.npy",
            encoder);
        return false;
    }
    if (found->size != size) {
        diag_error(diag, NULL, "the network's texts have %u numbers; the encoder %s makes %u", size, found->name, found->size);
        return false;
    }
    float *vectors = ARENA_NEW(arena, float, (size_t)count *size);
    for (uint32_t i = 0; i < count; i++)
        found->encode(captions[i], vectors + (size_t)i * size);
    *out = (Texts){.count = count, .size = size, .vectors = vectors, .captions = captions, .encoder = found->name};
    return true;
}

bool texts_read(Arena *arena, const char *path, const char *encoder, uint32_t size, Texts *out, Diag *diag) {
    HostTensor tensor;
    if (!npy_read(arena, path, &tensor, diag))
        return false;
    Place place = {.file = path};
    if (tensor.dtype != ELEMENT_F32 || tensor.rank < 1 || tensor.rank > 2 || tensor.dims[tensor.rank - 1] != size ||
        (tensor.rank == 2 && (tensor.dims[0] == 0 || tensor.dims[0] > UINT32_MAX))) {
        diag_error(diag, &place, "the network takes texts as floats of the shape [count, %u] or [%u]; here are %s of the rank %u%s", size,
                   size, element_name(tensor.dtype), tensor.rank,
                   tensor.rank ? arena_format(arena, " with a last axis of %" PRIu64, tensor.dims[tensor.rank - 1]) : "");
        return false;
    }
    *out = (Texts){.count = tensor.rank == 2 ? (uint32_t)tensor.dims[0] : 1, .size = size, .vectors = tensor.data, .encoder = encoder};
    return true;
}

bool texts_of_data(Arena *arena, const Dataset *dataset, uint32_t count, uint64_t seed, bool in_order, uint32_t size, Texts *out,
                   Diag *diag) {
    uint32_t split = 0, field = texts_field(dataset->declared, size);
    if (field == UINT32_MAX || !dataset->encoder) {
        diag_error(diag, NULL, "the data set \"%s\" (%s) has no texts of %u numbers", dataset->name, dataset->spec, size);
        return false;
    }
    if (!dataset_find_split(dataset, "test", &split) || dataset->splits[split].count == 0)
        split = 0;
    uint32_t records = dataset->splits[split].count, *order = ARENA_NEW(arena, uint32_t, records + 1);
    if (records == 0) {
        diag_error(diag, NULL, "the data set \"%s\" (%s) holds no records", dataset->name, dataset->spec);
        return false;
    }
    random_permutation(seed, random_name("texts"), 0, order, records);
    const char **captions = ARENA_NEW(arena, const char *, count);
    float *vectors = ARENA_NEW(arena, float, (size_t)count *size);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t record = in_order ? i % records : order[i % records];
        captions[i] = dataset->caption ? dataset->caption(dataset, arena, split, record, i / records) : NULL;
        if (!dataset->fetch(dataset, split, record, field, i / records, vectors + (size_t)i * size, diag))
            return false;
    }
    *out = (Texts){
        .count = count, .size = size, .vectors = vectors, .captions = dataset->caption ? captions : NULL, .encoder = dataset->encoder};
    return true;
}

void texts_interpolate(Arena *arena, const Texts *ends, uint32_t count, Texts *out) {
    float *vectors = ARENA_NEW(arena, float, (size_t)count * ends->size);
    const char **captions = ARENA_NEW(arena, const char *, count);
    captions[0] = ends->captions ? ends->captions[0] : NULL;
    captions[count - 1] = ends->captions ? ends->captions[1] : NULL;
    for (uint32_t i = 0; i < count; i++) {
        double t = i / (count - 1.0);
        for (uint32_t k = 0; k < ends->size; k++)
            vectors[(size_t)i * ends->size + k] = (float)((1 - t) * ends->vectors[k] + t * ends->vectors[ends->size + k]);
    }
    *out = (Texts){.count = count, .size = ends->size, .vectors = vectors, .captions = captions, .encoder = ends->encoder, .by_run = true};
}

bool texts_check_encoder(const char *encoder, const char *trained, const char *where, Diag *diag) {
    if (!encoder || !trained || strcmp(encoder, trained) == 0)
        return true;
    diag_error(diag, NULL, "%s was trained with texts of the encoder %s; these are of the encoder %s, whose vectors mean something else",
               where, trained, encoder);
    return false;
}

uint32_t texts_index(const Texts *texts, const ProgramFeed *input, uint32_t run, uint32_t row) {
    uint64_t index = texts->by_run ? run : (uint64_t)run * texts_per_run(input) + (input->tensor.layout.rank == 2 ? row : 0);
    return (uint32_t)(index % texts->count);
}

bool texts_set(Session *session, const ProgramEntry *entry, const Texts *texts, uint32_t run, Diag *diag) {
    const ProgramFeed *input = texts_input(entry);
    uint32_t rows = texts_per_run(input), rank = input->tensor.layout.rank;
    Arena *arena = arena_create();
    float *vectors = ARENA_NEW(arena, float, (size_t)rows * texts->size);
    for (uint32_t i = 0; i < rows; i++)
        memcpy(vectors + (size_t)i * texts->size, texts->vectors + (size_t)texts_index(texts, input, run, i) * texts->size,
               sizeof *vectors * texts->size);
    HostTensor tensor = {.name = "text", .dtype = ELEMENT_F32, .rank = rank, .data = vectors, .size = sizeof *vectors * rows * texts->size};
    tensor.dims[0] = rank == 2 ? rows : texts->size;
    tensor.dims[1] = rank == 2 ? texts->size : 0;
    bool ok = session_set(session, arena_format(arena, "%s.%s", entry->name, input->name), &tensor, diag);
    arena_destroy(&arena);
    return ok;
}
