// Pickle: Python's serialized values (protocols 0 to 5), read without running anything: only values that a data file is made of come out,
// and NumPy arrays; whatever else a pickle names is refused. Format: Python's Lib/pickletools.py.
#pragma once
#include "runtime/tensor/tensor_file.h"

typedef enum {
    PICKLE_NONE,
    PICKLE_BOOL,    // integer
    PICKLE_INTEGER, // integer
    PICKLE_REAL,    // real
    PICKLE_BYTES,   // bytes; also what Python 2 calls str
    PICKLE_TEXT,    // bytes, in UTF-8
    PICKLE_LIST,    // items
    PICKLE_TUPLE,   // items
    PICKLE_DICT,    // items: key, value, key, value …, in file order; equal keys are all there
    PICKLE_ARRAY,   // array
    PICKLE_INTERNAL // a class or function on its way to what it makes; never in a result
} PickleKind;

typedef struct PickleValue PickleValue;
struct PickleValue {
    PickleKind kind;
    uint32_t count; // of items
    union {
        int64_t integer;
        double real;
        struct {
            const char *start; // not followed by a 0 byte
            size_t size;
        } bytes;
        const PickleValue **items;
        const HostTensor *array; // f32, f64, i32 or i64, row-major; its data may be unaligned
    };
};

// The value in the file. Values may be shared, never circular; nested at most 64 deep. Memory stays within a multiple of the file's size.
const PickleValue *pickle_read(Arena *arena, const char *path, Diag *diag);

// A copy with a 0 byte at the end; NULL (not reported) for what is neither bytes nor text, or holds a 0 byte itself.
const char *pickle_text(Arena *arena, const PickleValue *value);
// Elements first … first + count - 1 of an array, which has them, as f32.
void pickle_floats(const HostTensor *array, uint64_t first, uint64_t count, float *out);
