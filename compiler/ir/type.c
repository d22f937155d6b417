// Type: element type, shape and set.
#include "compiler/ir/type.h"
#include "runtime/base/bug.h"

Type type_make(DType dtype, uint32_t rank, const uint32_t *dims) {
    CHECK(rank <= MAX_RANK);
    Type type = {.dtype = dtype, .rank = (uint8_t)rank};
    for (uint32_t i = 0; i < rank; i++)
        type.dims[i] = dims[i];
    return type;
}

Type type_scalar(DType dtype) { return (Type){.dtype = dtype}; }

Type type_with_dtype(Type type, DType dtype) {
    type.dtype = dtype;
    return type;
}

bool type_equal(const Type *a, const Type *b) { return a->dtype == b->dtype && type_same_shape(a, b); }

bool type_same_shape(const Type *a, const Type *b) {
    if (a->rank != b->rank || a->set != b->set)
        return false;
    for (uint32_t i = 0; i < a->rank; i++)
        if (a->dims[i] != b->dims[i])
            return false;
    return true;
}

uint64_t type_count(const Type *type) {
    uint64_t count = 1;
    for (uint32_t i = 0; i < type->rank; i++)
        count *= type->dims[i];
    return count;
}

const char *dtype_name(DType dtype) {
    CHECK(dtype < DTYPE_COUNT);
    return element_name(dtype_element(dtype));
}

bool dtype_parse(const char *name, DType *out) {
    ElementType type;
    if (!element_parse(name, &type) || (int)type >= DTYPE_COUNT)
        return false;
    *out = (DType)type;
    return true;
}

const char *type_text(Arena *arena, const Type *type) {
    if (type->set)
        return arena_format(arena, "%s[%u of set %u]", dtype_name(type->dtype), type->dims[0], type->set);
    Text text = text_create(arena);
    text_append(&text, dtype_name(type->dtype));
    for (uint32_t i = 0; i < type->rank; i++)
        text_format(&text, "%s%u", i ? "," : "[", type->dims[i]);
    if (type->rank)
        text_append(&text, "]");
    return text.data;
}
