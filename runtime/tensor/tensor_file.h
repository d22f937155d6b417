// Tensor files: .npy (NumPy format 1.0 and 2.0) and .safetensors, in and out. Tensors are dense, row-major, in logical layout.
#pragma once
#include "runtime/base/file.h"
#include "runtime/tensor/element.h"

enum { HOST_RANK_MAX = 8 };

// A tensor in host memory.
typedef struct {
    const char *name;
    ElementType dtype; // of a tensor that was read a row that is its own `host`
    uint32_t rank;
    uint64_t dims[HOST_RANK_MAX];
    const void *data;
    size_t size; // bytes
} HostTensor;

const char *host_dims_text(Arena *arena, uint32_t rank, const uint64_t *dims); // "2,3"
uint64_t host_count(const HostTensor *tensor);              // elements
double host_number(const HostTensor *tensor, uint64_t i);   // element i as a number

// Where the elements of a tensor lie in a file, which need not be read for it.
typedef struct {
    const char *name; // NULL where a file has only one
    ElementType type; // as stored
    bool is_big;      // big-endian
    bool is_fortran;  // the first axis is the fastest
    uint32_t rank;
    uint64_t dims[HOST_RANK_MAX];
    uint64_t offset, size; // bytes
} TensorPlace;

enum { NPY_FRONT = 128 * 1024 }; // bytes that hold any header that is read
// From the first bytes of a .npy file, NPY_FRONT of them or all, and its size. The elements fill the rest of the file.
bool npy_locate(const char *path, const void *front, size_t front_size, uint64_t file_size, TensorPlace *out, Diag *diag);
// `count` elements' bytes in the other order.
void npy_swap(ElementType type, void *bytes, uint64_t count);
// The elements, of item_size bytes each (as wide as the type, or widened), with the last axis the fastest instead of the first.
const void *npy_from_fortran(Arena *arena, const void *bytes, uint32_t item_size, const TensorPlace *place);

// Reads any bool, integer or float array of at most 8 axes, little- or big-endian, C or Fortran order (f64, i64 … keep their dtype; f16 becomes
// f32, i8 and i16 i32, u16 u32, u64 i64 where all values fit). The name is the file's, without folder and ".npy".
bool npy_read(Arena *arena, const char *path, HostTensor *out, Diag *diag);
bool npy_write(const char *path, const HostTensor *tensor, Diag *diag);

typedef struct {
    ARRAY(HostTensor) tensors; // in file order, data inside the arena
    const char **keys;         // __metadata__
    const char **values;
    uint32_t metadata_count;
} TensorFile;

// Checks header length, offsets, sizes, overlaps, dtypes and duplicate names before anything is believed; the tensors' bytes
// must fill the file without gaps, as the format demands. Narrow types become wider ones as in npy_read, bf16 f32.
bool safetensors_read(Arena *arena, const char *path, TensorFile *out, Diag *diag);
// The same checks, of the header alone: where the tensors lie, in file order.
bool safetensors_locate(Arena *arena, const char *path, const FileView *view, TensorPlace **out, uint32_t *count, Diag *diag);
// Written through file_create: atomic. Keys and values are the __metadata__ (strings).
bool safetensors_write(Arena *arena, const char *path, const HostTensor *tensors, uint32_t tensor_count, const char *const *keys,
                       const char *const *values, uint32_t metadata_count, Diag *diag);
const HostTensor *tensor_file_find(const TensorFile *file, const char *name); // NULL when absent
const char *tensor_file_metadata(const TensorFile *file, const char *key);    // NULL when absent
