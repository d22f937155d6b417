// Elements as files hold them, and what they become in host memory. Internal to npy.c and safetensors.c.
#pragma once
#include "runtime/tensor/tensor_file.h"

bool stored_by_npy(const char *name, ElementType *out);         // "f4"; false when unknown
bool stored_by_safetensors(const char *name, ElementType *out); // "F32"; false when unknown

// The product of the dims; false when so many elements of 8 bytes could not be addressed, axes of length 0 left out.
bool stored_count(const uint64_t *dims, uint32_t rank, uint64_t *count);

// The elements in the type's form in host memory, aligned; the bytes themselves where they are that already. NULL (not reported) when a u64
// does not fit in an i64. Any byte but 0 becomes a bool's 1. May write into `bytes`.
const void *stored_to_host(Arena *arena, ElementType type, void *bytes, uint64_t count);
