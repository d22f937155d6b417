// What the files of compiler/ops share: helpers of infer functions, gradients and examples.
#pragma once
#include "compiler/ir/module.h"
#include "compiler/ir/op_rows.h"

#define EXAMPLE_INTS(...)                                                                                                                  \
    { .kind = ATTR_INTS, .ints = (const int64_t[]){__VA_ARGS__}, .count = sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t) }
#define EXAMPLE_NO_INTS                                                                                                                    \
    { .kind = ATTR_INTS }
#define EXAMPLE_INT(value)                                                                                                                 \
    { .kind = ATTR_INT, .integer = (value) }
#define EXAMPLE_NUMBER(value)                                                                                                              \
    { .kind = ATTR_NUMBER, .number = (value) }
#define EXAMPLE_TEXT(value)                                                                                                                \
    { .kind = ATTR_TEXT, .text = (value) }
#define F32(...)                                                                                                                           \
    {                                                                                                                                      \
        DTYPE_F32, sizeof((uint32_t[]){__VA_ARGS__}) / 4, 0, { __VA_ARGS__ }                                                               \
    }
#define I32(...)                                                                                                                           \
    {                                                                                                                                      \
        DTYPE_I32, sizeof((uint32_t[]){__VA_ARGS__}) / 4, 0, { __VA_ARGS__ }                                                               \
    }
#define F32_SCALAR                                                                                                                         \
    {                                                                                                                                      \
        DTYPE_F32, 0, 0, { 0 }                                                                                                             \
    }

enum { ELEMENTS_MAX = INT32_MAX }; // of a tensor: kernels count elements in 32 bits

const char *shown(const Graph *graph, Value value); // its type, as messages show it
Type arg_type(const Graph *graph, const Node *node, uint32_t arg);
// A shape from an attribute; reports what is no shape.
bool shape_from_ints(Graph *graph, const Node *node, DType dtype, const Attr *dims, Type *out);
bool needs_plain(Graph *graph, const Node *node, uint32_t arg); // reports an argument that is a parameter set
bool needs_f32(Graph *graph, const Node *node, uint32_t arg);   // a plain tensor of f32
void row_major_strides(const Type *type, uint64_t *strides);    // in elements
// Axis ranges of an access out[i] = in[at(i)] are walked by this odometer: false when it wraps around.
bool next_index(const Type *type, uint32_t *index);
