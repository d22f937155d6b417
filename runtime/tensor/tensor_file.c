// What the tensor formats share: dtypes, element conversion, look-up.
#include "runtime/tensor/tensor_file.h"
#include "runtime/tensor/tensor_stored.h"
#include "runtime/base/text.h"
#include <inttypes.h>

static const struct {
    const char *name;
    size_t size;
} host_dtypes[] = {[HOST_F32] = {"f32", 4}, [HOST_F64] = {"f64", 8}, [HOST_I32] = {"i32", 4},  [HOST_I64] = {"i64", 8},
                   [HOST_U32] = {"u32", 4}, [HOST_U8] = {"u8", 1},   [HOST_BOOL] = {"bool", 1}};

// The types of the host first, each in the form in which it is written.
static const StoredType stored_types[] = {
    {"f4", "F32", 4, HOST_F32, STORED_AS_IT_IS}, {"f8", "F64", 8, HOST_F64, STORED_AS_IT_IS}, {"i4", "I32", 4, HOST_I32, STORED_AS_IT_IS},
    {"i8", "I64", 8, HOST_I64, STORED_AS_IT_IS}, {"u4", "U32", 4, HOST_U32, STORED_AS_IT_IS}, {"u1", "U8", 1, HOST_U8, STORED_AS_IT_IS},
    {"b1", "BOOL", 1, HOST_BOOL, STORED_BOOL},   {"f2", "F16", 2, HOST_F32, STORED_F16},      {NULL, "BF16", 2, HOST_F32, STORED_BF16},
    {"i1", "I8", 1, HOST_I32, STORED_I8},        {"i2", "I16", 2, HOST_I32, STORED_I16},      {"u2", "U16", 2, HOST_U32, STORED_U16},
    {"u8", "U64", 8, HOST_I64, STORED_U64},
};
enum { STORED_TYPE_COUNT = sizeof stored_types / sizeof stored_types[0] };

size_t host_dtype_size(HostDType dtype) { return host_dtypes[dtype].size; }

const char *host_dtype_name(HostDType dtype) { return host_dtypes[dtype].name; }

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

double host_number(const HostTensor *tensor, uint64_t i) {
    switch (tensor->dtype) {
    case HOST_F32:
        return (double)((const float *)tensor->data)[i];
    case HOST_F64:
        return ((const double *)tensor->data)[i];
    case HOST_I32:
        return ((const int32_t *)tensor->data)[i];
    case HOST_I64:
        return (double)((const int64_t *)tensor->data)[i];
    case HOST_U32:
        return ((const uint32_t *)tensor->data)[i];
    case HOST_U8:
    case HOST_BOOL:
        return ((const uint8_t *)tensor->data)[i];
    }
    return 0;
}

const StoredType *stored_by_npy(const char *name) {
    for (uint32_t i = 0; i < STORED_TYPE_COUNT; i++)
        if (stored_types[i].npy && strcmp(stored_types[i].npy, name) == 0)
            return &stored_types[i];
    return NULL;
}

const StoredType *stored_by_safetensors(const char *name) {
    for (uint32_t i = 0; i < STORED_TYPE_COUNT; i++)
        if (strcmp(stored_types[i].safetensors, name) == 0)
            return &stored_types[i];
    return NULL;
}

const StoredType *stored_of_host(HostDType dtype) {
    const StoredType *type = stored_types;
    while (type->dtype != dtype)
        type++;
    return type;
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

static float float_of_bits(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static float float_of_half(uint16_t half) {
    uint32_t sign = (uint32_t)(half & 0x8000) << 16, exponent = (half >> 10) & 31, fraction = half & 0x3FFu;
    if (exponent == 31)
        return float_of_bits(sign | 0x7F800000u | fraction << 13);
    if (exponent > 0)
        return float_of_bits(sign | (exponent + 112) << 23 | fraction << 13);
    float small = (float)fraction * 0x1p-24f; // zero and subnormals
    return sign ? -small : small;
}

static uint16_t u16_at(const unsigned char *bytes) { return (uint16_t)(bytes[0] | bytes[1] << 8); }

static const void *to_floats(Arena *arena, StoredForm form, const unsigned char *bytes, uint64_t count) {
    float *out = ARENA_NEW(arena, float, count);
    for (uint64_t i = 0; i < count; i++) {
        uint16_t word = u16_at(bytes + 2 * i);
        out[i] = form == STORED_F16 ? float_of_half(word) : float_of_bits((uint32_t)word << 16);
    }
    return out;
}

static const void *to_integers(Arena *arena, StoredForm form, const unsigned char *bytes, uint64_t count) {
    uint32_t *out = ARENA_NEW(arena, uint32_t, count);
    for (uint64_t i = 0; i < count; i++)
        out[i] = form == STORED_U16   ? u16_at(bytes + 2 * i)
                 : form == STORED_I16 ? (uint32_t)(int16_t)u16_at(bytes + 2 * i)
                                      : (uint32_t)(int8_t)bytes[i];
    return out;
}

static const void *aligned(Arena *arena, const StoredType *type, const void *bytes, uint64_t count) {
    if ((uintptr_t)bytes % type->size == 0)
        return bytes;
    return arena_copy_bytes(arena, bytes, (size_t)count * type->size);
}

const void *stored_to_host(Arena *arena, const StoredType *type, void *bytes, uint64_t count) {
    unsigned char *b = bytes;
    switch (type->form) {
    case STORED_AS_IT_IS:
        break;
    case STORED_BOOL:
        for (uint64_t i = 0; i < count; i++)
            b[i] = b[i] != 0;
        break;
    case STORED_F16:
    case STORED_BF16:
        return to_floats(arena, type->form, b, count);
    case STORED_I8:
    case STORED_I16:
    case STORED_U16:
        return to_integers(arena, type->form, b, count);
    case STORED_U64:
        for (uint64_t i = 0; i < count; i++)
            if (b[8 * i + 7] & 0x80)
                return NULL;
        break;
    }
    return aligned(arena, type, bytes, count);
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
