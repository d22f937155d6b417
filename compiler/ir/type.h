// Type: what a value is - element type, shape and, for a flat parameter set, which set.
#pragma once
#include "runtime/base/text.h"
#include "runtime/tensor/element.h"

// The element types that graphs compute with; each is the ElementType of the same name.
typedef enum {
#define GRAPH_ELEMENT(id, ...) DTYPE_##id = ELEMENT_##id,
#define ELEMENT(...)
#include "runtime/tensor/elements.def"
#undef GRAPH_ELEMENT
#undef ELEMENT
    DTYPE_COUNT
} DType;

enum { MAX_RANK = 6 };

// A shape is at most MAX_RANK axes of at least 1 element; rank 0 is a scalar.
// set 0: an ordinary tensor. set k > 0: a flat parameter set: rank 1, its elements are those of Module.sets[k - 1]'s parts, each part
// row-major, one after the other. Values of different sets never mix, since their types differ.
typedef struct {
    DType dtype;
    uint8_t rank;
    uint16_t set;
    uint32_t dims[MAX_RANK]; // 0 beyond rank
} Type;

Type type_make(DType dtype, uint32_t rank, const uint32_t *dims);
Type type_scalar(DType dtype);
Type type_with_dtype(Type type, DType dtype); // the same shape
bool type_equal(const Type *a, const Type *b);
bool type_same_shape(const Type *a, const Type *b); // shape and set
uint64_t type_count(const Type *type);              // elements
const char *dtype_name(DType dtype);                // "f32"
bool dtype_parse(const char *name, DType *out);
static inline ElementType dtype_element(DType dtype) { return (ElementType)dtype; }
const char *type_text(Arena *arena, const Type *type); // "f32[4,3]", "f32[368428 of set 1]"
