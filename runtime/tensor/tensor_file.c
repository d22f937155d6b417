// What the tensor formats share: dtypes, element conversion, look-up.
#include "runtime/tensor/tensor_file.h"
#include "runtime/tensor/tensor_stored.h"
#include "runtime/base/text.h"
#include <inttypes.h>

const char *host_dims_text(Arena *arena, uint32_t rank, const uint64_t *dims) {
    Text text = text_create(arena);
    for (uint32_t i = 0; i < rank; i++)
        text_format(&text, i ? ",%" PRIu64 : "%" PRIu64, dims[i]);
    return text.data;
}

uint64_t host_count(const HostTensor *tensor) {
    uint64_t count = 1;
    for (uint32_t i = 0; i < tensor->rank; i++)
        count *= tensor->dims[i];
    return count;
}

double host_number(const HostTensor *tensor, uint64_t i) { return element_number(tensor->dtype, tensor->data, i); }

bool stored_by_npy(const char *name, ElementType *out) {
    for (uint32_t i = 0; i < ELEMENT_COUNT; i++) {
        const char *known = element_row((ElementType)i)->npy;
        if (known && strcmp(known, name) == 0) {
            *out = (ElementType)i;
            return true;
        }
    }
    return false;
}

bool stored_by_safetensors(const char *name, ElementType *out) {
    for (uint32_t i = 0; i < ELEMENT_COUNT; i++) {
        const char *known = element_row((ElementType)i)->safetensors;
        if (known && strcmp(known, name) == 0) {
            *out = (ElementType)i;
            return true;
        }
    }
    return false;
}

bool stored_count(const uint64_t *dims, uint32_t rank, uint64_t *count) {
    uint64_t product = 1, most = (uint64_t)(SIZE_MAX / 2) / 8; // 8: the largest element in host memory
    bool is_empty = false;
    for (uint32_t i = 0; i < rank; i++) {
        if (dims[i] == 0) {
            is_empty = true;
            continue;
        }
        if (dims[i] > most / product)
            return false;
        product *= dims[i];
    }
    *count = is_empty ? 0 : product;
    return true;
}

static const void *aligned(Arena *arena, const void *bytes, size_t size, uint64_t count) {
    return (uintptr_t)bytes % size == 0 ? bytes : arena_copy_bytes(arena, bytes, (size_t)count * size);
}

const void *stored_to_host(Arena *arena, ElementType type, void *bytes, uint64_t count) {
    ElementType host = element_row(type)->host;
    unsigned char *b = bytes;
    uint32_t size = element_bytes(type);
    for (uint64_t i = 0; i < count && type == ELEMENT_BOOL; i++)
        b[i] = b[i] != 0;
    for (uint64_t i = 0; i < count && type == ELEMENT_U64; i++)
        if (b[size * (i + 1) - 1] & 0x80)
            return NULL;
    if (size == element_bytes(host))
        return aligned(arena, bytes, size, count);
    char *out = arena_alloc(arena, (size_t)count * element_bytes(host));
    for (uint64_t i = 0; i < count; i++)
        element_put(host, out, i, element_number(type, bytes, i));
    return out;
}

const HostTensor *tensor_file_find(const TensorFile *file, const char *name) {
    for (uint32_t i = 0; i < file->tensors.count; i++)
        if (strcmp(file->tensors.items[i].name, name) == 0)
            return &file->tensors.items[i];
    return NULL;
}

const char *tensor_file_metadata(const TensorFile *file, const char *key) {
    for (uint32_t i = 0; i < file->metadata_count; i++)
        if (strcmp(file->keys[i], key) == 0)
            return file->values[i];
    return NULL;
}
