// Captions: see captions.h.
#include "runtime/data/captions.h"
#include "runtime/data/encoder.h"

static bool is_vector(const ProgramData *declared, uint32_t field) {
    return declared->fields[field].type == ELEMENT_F32 && declared->fields[field].rank == 1 &&
           declared->fields[field].dims[0] == encoder_default()->size;
}

bool captions_make(const Dataset *dataset, uint32_t field) {
    const ProgramData *declared = dataset->declared;
    return declared->fields[field].tokens || (is_vector(declared, field) && (!dataset->encoder || dataset->encodes));
}

void captions_write(const ProgramData *declared, uint32_t field, const char *caption, void *out) {
    const char *text = caption ? caption : "";
    if (declared->fields[field].tokens)
        tokens_encode(declared->fields[field].tokens, text, declared->fields[field].dims[0], out);
    else
        encoder_default()->encode(text, out);
}

static bool fetch(const Dataset *dataset, uint32_t split, uint32_t record, uint32_t field, uint64_t draw, void *out, Diag *diag) {
    if (!captions_make(dataset, field))
        return dataset->fetch_own(dataset, split, record, field, draw, out, diag);
    Arena *scratch = arena_create();
    uint32_t errors = diag_error_count(diag);
    captions_write(dataset->declared, field, dataset->caption(dataset, scratch, split, record, draw, diag), out);
    arena_destroy(&scratch);
    return diag_error_count(diag) == errors;
}

void captions_serve(Dataset *dataset) {
    bool any = false, vectors = false;
    for (uint32_t i = 0; i < dataset->declared->field_count && dataset->caption; i++) {
        any |= captions_make(dataset, i);
        vectors |= captions_make(dataset, i) && !dataset->declared->fields[i].tokens;
    }
    if (!any)
        return;
    dataset->fetch_own = dataset->fetch;
    dataset->fetch = fetch;
    dataset->encodes = vectors;
    dataset->encoder = vectors ? encoder_default()->name : dataset->encoder;
}
