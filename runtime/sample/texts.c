// Texts: see texts.h.
#include "runtime/sample/texts.h"
#include "runtime/base/random.h"
#include "runtime/tensor/tensor_file.h"
#include "runtime/data/encoder.h"
#include <inttypes.h>

static bool is_text(const ProgramFeed *input) {
    uint32_t rank = input->tensor.layout.rank;
    return strcmp(input->name, "text") == 0 && (input->tensor.type == ELEMENT_F32 || input->tokens) && (rank == 1 || rank == 2);
}

const ProgramFeed *texts_input(const ProgramEntry *entry) {
    for (uint32_t i = 0; i < entry->inputs.count; i++)
        if (is_text(&entry->inputs.items[i]))
            return &entry->inputs.items[i];
    return NULL;
}

uint32_t texts_size(const ProgramFeed *input) { return input->tensor.layout.dims[input->tensor.layout.rank - 1]; }

uint32_t texts_per_run(const ProgramFeed *input) { return input->tensor.layout.rank == 2 ? input->tensor.layout.dims[0] : 1; }

const char *texts_kind(Arena *arena, const ProgramFeed *input) {
    if (input->tokens)
        return arena_format(arena, "texts as %u tokens of \"%s\"", texts_size(input), input->tokens->of);
    return arena_format(arena, "texts of %u numbers", texts_size(input));
}

uint32_t texts_field(const ProgramData *declared, const ProgramFeed *input) {
    for (uint32_t i = 0; i < declared->field_count; i++) {
        const Tokens *tokens = declared->fields[i].tokens;
        bool is_same = input->tokens ? tokens && strcmp(tokens->of, input->tokens->of) == 0 : declared->fields[i].type == ELEMENT_F32;
        if (is_same && declared->fields[i].rank == 1 && declared->fields[i].dims[0] == texts_size(input))
            return i;
    }
    return UINT32_MAX;
}

static void encode_tokens(Arena *arena, const char *const *captions, uint32_t count, const ProgramFeed *input, Texts *out, Diag *diag) {
    uint32_t size = texts_size(input);
    int32_t *words = ARENA_NEW(arena, int32_t, (size_t)count *size), *whole = ARENA_NEW(arena, int32_t, size + 1u);
    for (uint32_t i = 0; i < count; i++) {
        tokens_encode(input->tokens, captions[i], size, words + (size_t)i * size);
        if (tokens_encode(input->tokens, captions[i], size + 1, whole) > size)
            diag_warning(diag, NULL, "\"%s\" is cut: the network reads %u tokens of a text", text_excerpt(arena, captions[i], 0), size);
    }
    *out = (Texts){.count = count, .size = size, .words = words, .captions = captions};
}

bool texts_encode(Arena *arena, const char *const *captions, uint32_t count, const char *encoder, const ProgramFeed *input, Texts *out,
                  Diag *diag) {
    uint32_t size = texts_size(input);
    if (input->tokens) {
        encode_tokens(arena, captions, count, input, out, diag);
        return true;
    }
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
    *out = (Texts){.count = count, .size = size, .words = vectors, .captions = captions, .encoder = found->name};
    return true;
}

bool texts_read(Arena *arena, const char *path, const char *encoder, const ProgramFeed *input, Texts *out, Diag *diag) {
    uint32_t size = texts_size(input);
    HostTensor tensor;
    if (input->tokens) {
        diag_error(diag, NULL, "--embedding gives vectors, but the network reads %s: --text \"...\", or --set %s=FILE.npy with tokens",
                   texts_kind(arena, input), input->name);
        return false;
    }
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
    *out = (Texts){.count = tensor.rank == 2 ? (uint32_t)tensor.dims[0] : 1, .size = size, .words = tensor.data, .encoder = encoder};
    return true;
}

bool texts_of_data(Arena *arena, const Dataset *dataset, uint32_t count, uint64_t seed, bool in_order, const ProgramFeed *input, Texts *out,
                   Diag *diag) {
    uint32_t split = 0, field = texts_field(dataset->declared, input), size = texts_size(input);
    if (field == UINT32_MAX || (!dataset->encoder && !input->tokens)) {
        diag_error(diag, NULL, "the data set \"%s\" (%s) has no %s", dataset->name, dataset->spec, texts_kind(arena, input));
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
    char *words = arena_alloc(arena, (size_t)count * size * ELEMENT_WORD);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t record = in_order ? i % records : order[i % records];
        if (!dataset->fetch(dataset, split, record, field, i / records, words + (size_t)i * size * ELEMENT_WORD, diag))
            return false;
        captions[i] = dataset->caption ? dataset->caption(dataset, arena, split, record, i / records, diag) : NULL;
    }
    *out = (Texts){.count = count,
                   .size = size,
                   .words = words,
                   .captions = dataset->caption ? captions : NULL,
                   .encoder = input->tokens ? NULL : dataset->encoder};
    return true;
}

void texts_interpolate(Arena *arena, const Texts *ends, uint32_t count, Texts *out) {
    const float *both = ends->words;
    float *vectors = ARENA_NEW(arena, float, (size_t)count * ends->size);
    const char **captions = ARENA_NEW(arena, const char *, count);
    captions[0] = ends->captions ? ends->captions[0] : NULL;
    captions[count - 1] = ends->captions ? ends->captions[1] : NULL;
    for (uint32_t i = 0; i < count; i++) {
        double t = i / (count - 1.0);
        for (uint32_t k = 0; k < ends->size; k++)
            vectors[(size_t)i * ends->size + k] = (float)((1 - t) * both[k] + t * both[ends->size + k]);
    }
    *out = (Texts){.count = count, .size = ends->size, .words = vectors, .captions = captions, .encoder = ends->encoder, .by_run = true};
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
    size_t each = (size_t)texts->size * ELEMENT_WORD;
    char *words = arena_alloc(arena, rows * each);
    for (uint32_t i = 0; i < rows; i++)
        memcpy(words + i * each, (const char *)texts->words + texts_index(texts, input, run, i) * each, each);
    HostTensor tensor = {.name = "text", .dtype = input->tensor.type, .rank = rank, .data = words, .size = rows * each};
    tensor.dims[0] = rank == 2 ? rows : texts->size;
    tensor.dims[1] = rank == 2 ? texts->size : 0;
    bool ok = session_set(session, arena_format(arena, "%s.%s", entry->name, input->name), &tensor, diag);
    arena_destroy(&arena);
    return ok;
}
