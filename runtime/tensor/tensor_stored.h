// Element types as files store them, and what they become in host memory. Internal to npy.c and safetensors.c.
#pragma once
#include "runtime/tensor/tensor_file.h"

typedef enum { STORED_AS_IT_IS, STORED_BOOL, STORED_F16, STORED_BF16, STORED_I8, STORED_I16, STORED_U16, STORED_U64 } StoredForm;

typedef struct {
    const char *npy, *safetensors; // names in the two formats; NULL where the format has none
    uint32_t size;
    HostDType dtype;
    StoredForm form;
} StoredType;

const StoredType *stored_by_npy(const char *name);         // "f4"; NULL when unknown
const StoredType *stored_by_safetensors(const char *name); // "F32"; NULL when unknown
const StoredType *stored_of_host(HostDType dtype);         // the type that this dtype is written as

// The product of the dims; false when so many elements of 8 bytes could not be addressed, axes of length 0 left out.
bool stored_count(const uint64_t *dims, uint32_t rank, uint64_t *count);

// The elements as the host dtype, aligned; the bytes themselves where they are that already. NULL (not reported) when a u64 does not fit
// in an i64. Any byte but 0 becomes a bool's 1. May write into `bytes`.
const void *stored_to_host(Arena *arena, const StoredType *type, void *bytes, uint64_t count);
