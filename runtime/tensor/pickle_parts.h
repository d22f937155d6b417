// Parts of the pickle reader. Internal to pickle.c (the machine), pickle_scalars.c (what is spelled in the file) and pickle_numpy.c (what
// functions make). All that return bool or a pointer report their failure.
#pragma once
#include "runtime/tensor/pickle.h"

typedef enum {
    PICKLE_ROLE_NONE,
    PICKLE_ROLE_RECONSTRUCT,
    PICKLE_ROLE_SCALAR,
    PICKLE_ROLE_NDARRAY,
    PICKLE_ROLE_DTYPE_CLASS,
    PICKLE_ROLE_FROM_BUFFER,
    PICKLE_ROLE_ENCODE,
    PICKLE_ROLE_BYTES_CLASS,
    PICKLE_ROLE_DTYPE,
    PICKLE_ROLE_HOLLOW_ARRAY // before its BUILD
} PickleRole;

typedef struct {
    PickleValue value; // first
    uint8_t depth;     // 0: holds nothing
    bool is_plain;     // no class, function, dtype or unfinished array in it
    bool is_held;      // another value has it: it grows no more, so that nothing can hold itself
    PickleRole role;
    ElementType dtype; // of a dtype
} PickleNode;

typedef struct {
    Arena *arena;
    Diag *diag;
    const char *path;
    const uint8_t *bytes;
    size_t size, at;
    uint64_t memory; // that may still be taken
    ARRAY(PickleNode *) stack;
    ARRAY(uint32_t) marks; // stack counts
    PickleNode **memo;
    uint32_t memo_count, memo_next; // places; what MEMOIZE takes next
} PickleReader;

// ---- pickle.c
__attribute__((format(printf, 2, 3))) bool pickle_broken(PickleReader *reader, const char *format, ...); // false
void *pickle_take(PickleReader *reader, uint64_t size); // memory, counted; NULL when the pickle unfolds into too much
bool pickle_push(PickleReader *reader, const PickleValue *value, PickleRole role);
PickleNode *pickle_top(PickleReader *reader);
PickleNode *pickle_pop(PickleReader *reader);

// ---- pickle_scalars.c: each reads what its opcode announces
const uint8_t *pickle_bytes(PickleReader *reader, uint64_t size);
bool pickle_number(PickleReader *reader, uint32_t size, uint64_t *out);  // little-endian
bool pickle_line(PickleReader *reader, const char **line, size_t *size); // without its end, which is skipped
bool pickle_memo_line(PickleReader *reader, uint64_t *index);
bool pickle_push_integer(PickleReader *reader, int64_t integer);
bool pickle_push_bool(PickleReader *reader, bool truth);
bool pickle_push_bytes(PickleReader *reader, PickleKind kind, const void *start, size_t size);
bool pickle_counted(PickleReader *reader, uint32_t width, PickleKind kind); // bytes or text behind a length of `width` bytes
bool pickle_long(PickleReader *reader, uint32_t width);
bool pickle_integer_line(PickleReader *reader, bool is_long);
bool pickle_real_line(PickleReader *reader);
bool pickle_real(PickleReader *reader);
bool pickle_quoted(PickleReader *reader);
bool pickle_unicode_line(PickleReader *reader);

// ---- pickle_numpy.c
bool pickle_push_global(PickleReader *reader, const char *module, size_t module_size, const char *name, size_t name_size);
bool pickle_reduce(PickleReader *reader); // function, arguments -> what it makes
bool pickle_build(PickleReader *reader);  // object, state -> object
