// Pickle: the few functions and classes that a pickle may name, and the arrays that they make.
#include "runtime/tensor/pickle_parts.h"

static const struct {
    const char *module, *name;
    PickleRole role;
} GLOBALS[] = {
    {"numpy.core.multiarray", "_reconstruct", PICKLE_ROLE_RECONSTRUCT},
    {"numpy._core.multiarray", "_reconstruct", PICKLE_ROLE_RECONSTRUCT},
    {"numpy.core.multiarray", "scalar", PICKLE_ROLE_SCALAR},
    {"numpy._core.multiarray", "scalar", PICKLE_ROLE_SCALAR},
    {"numpy.core.numeric", "_frombuffer", PICKLE_ROLE_FROM_BUFFER},
    {"numpy._core.numeric", "_frombuffer", PICKLE_ROLE_FROM_BUFFER},
    {"numpy", "ndarray", PICKLE_ROLE_NDARRAY},
    {"numpy", "dtype", PICKLE_ROLE_DTYPE_CLASS},
    {"_codecs", "encode", PICKLE_ROLE_ENCODE},
    {"codecs", "encode", PICKLE_ROLE_ENCODE},
    {"__builtin__", "bytes", PICKLE_ROLE_BYTES_CLASS}, // bytes() stands for no bytes in protocols 0 to 2
    {"builtins", "bytes", PICKLE_ROLE_BYTES_CLASS},
};
enum { GLOBAL_COUNT = sizeof GLOBALS / sizeof *GLOBALS, SHOWN_MAX = 60 };

static const ElementType DTYPES[] = {ELEMENT_F32, ELEMENT_F64, ELEMENT_I32, ELEMENT_I64}; // that a data file is made of
enum { DTYPE_COUNT = sizeof DTYPES / sizeof *DTYPES };

static bool is_name(const char *bytes, size_t size, const char *name) { return size == strlen(name) && memcmp(bytes, name, size) == 0; }

// For messages: a file's bytes are not to reach a terminal as they are.
static const char *show(PickleReader *reader, const char *bytes, size_t size) {
    size_t count = size < SHOWN_MAX ? size : SHOWN_MAX;
    char *text = arena_copy_bytes(reader->arena, bytes, count);
    for (size_t i = 0; i < count; i++)
        if (text[i] < ' ' || text[i] > '~')
            text[i] = '?';
    return text;
}

bool pickle_push_global(PickleReader *reader, const char *module, size_t module_size, const char *name, size_t name_size) {
    for (uint32_t i = 0; i < GLOBAL_COUNT; i++)
        if (is_name(module, module_size, GLOBALS[i].module) && is_name(name, name_size, GLOBALS[i].name))
            return pickle_push(reader, &(PickleValue){.kind = PICKLE_INTERNAL}, GLOBALS[i].role);
    return pickle_broken(reader, "the pickle wants to use %s.%s; only numbers, texts, lists, dictionaries and NumPy arrays are read",
                         show(reader, module, module_size), show(reader, name, name_size));
}

// ---- arguments

static const PickleNode *node_at(const PickleValue *tuple, uint32_t i) { return (const PickleNode *)tuple->items[i]; }

static bool is_bytes(const PickleValue *value) { return value->kind == PICKLE_BYTES || value->kind == PICKLE_TEXT; }

static bool is_word(const PickleValue *value, const char *word) {
    return is_bytes(value) && is_name(value->bytes.start, value->bytes.size, word);
}

static bool make_dtype(PickleReader *reader, const PickleValue *args) {
    if (args->count < 1 || !is_bytes(args->items[0]))
        return pickle_broken(reader, "a dtype without a name");
    const char *name = args->items[0]->bytes.start;
    size_t size = args->items[0]->bytes.size;
    bool has_order = size && (*name == '<' || *name == '=');
    for (uint32_t i = 0; i < DTYPE_COUNT; i++)
        if (is_name(name + has_order, size - has_order, element_row(DTYPES[i])->npy)) {
            if (!pickle_push(reader, &(PickleValue){.kind = PICKLE_INTERNAL}, PICKLE_ROLE_DTYPE))
                return false;
            pickle_top(reader)->dtype = DTYPES[i];
            return true;
        }
    return pickle_broken(reader, "arrays of dtype \"%s\"; only f4, f8, i4 and i8 are read", show(reader, name, size));
}

static bool check_dtype(PickleReader *reader, const PickleValue *state) {
    if (state->kind != PICKLE_TUPLE || state->count < 2 ||
        !(is_word(state->items[1], "<") || is_word(state->items[1], "|") || is_word(state->items[1], "=")))
        return pickle_broken(reader, "a dtype that is not little-endian");
    return true;
}

static bool read_shape(PickleReader *reader, const PickleValue *shape, HostTensor *tensor) {
    if (shape->kind != PICKLE_TUPLE || shape->count > HOST_RANK_MAX)
        return pickle_broken(reader, "an array's shape is a tuple of at most %d integers", HOST_RANK_MAX);
    tensor->rank = shape->count;
    uint64_t size = element_bytes(tensor->dtype);
    for (uint32_t i = 0; i < shape->count; i++) {
        if (shape->items[i]->kind != PICKLE_INTEGER || shape->items[i]->integer < 0)
            return pickle_broken(reader, "an array's axis that is no length");
        tensor->dims[i] = (uint64_t)shape->items[i]->integer;
        if (__builtin_mul_overflow(size, tensor->dims[i], &size))
            return pickle_broken(reader, "an array of more elements than any file holds");
    }
    tensor->size = (size_t)size;
    return true;
}

// From the first axis fastest to the last axis fastest.
static bool reorder(PickleReader *reader, HostTensor *tensor) {
    size_t element = element_bytes(tensor->dtype);
    char *data = pickle_take(reader, tensor->size);
    if (!data)
        return false;
    uint64_t index[HOST_RANK_MAX] = {0}, strides[HOST_RANK_MAX];
    for (uint32_t i = 0; i < tensor->rank; i++)
        strides[i] = i ? strides[i - 1] * tensor->dims[i - 1] : element;
    for (size_t at = 0; at < tensor->size; at += element) {
        size_t from = 0;
        for (uint32_t i = 0; i < tensor->rank; i++)
            from += (size_t)(index[i] * strides[i]);
        memcpy(data + at, (const char *)tensor->data + from, element);
        for (uint32_t i = tensor->rank; i-- > 0 && ++index[i] == tensor->dims[i];)
            index[i] = 0;
    }
    tensor->data = data;
    return true;
}

static const HostTensor *make_array(PickleReader *reader, const PickleValue *shape, const PickleNode *dtype, bool is_fortran,
                                    const PickleValue *bytes) {
    HostTensor *tensor = pickle_take(reader, sizeof *tensor);
    if (!tensor)
        return NULL;
    if (dtype->role != PICKLE_ROLE_DTYPE || bytes->kind != PICKLE_BYTES) {
        pickle_broken(reader, "an array without dtype and bytes");
        return NULL;
    }
    *tensor = (HostTensor){.name = "", .dtype = dtype->dtype};
    if (!read_shape(reader, shape, tensor))
        return NULL;
    if (tensor->size != bytes->bytes.size) {
        pickle_broken(reader, "an array of %zu bytes, %zu expected by its shape", bytes->bytes.size, tensor->size);
        return NULL;
    }
    tensor->data = bytes->bytes.start;
    return !is_fortran || tensor->rank < 2 || reorder(reader, tensor) ? tensor : NULL;
}

// ---- functions

static bool call_from_buffer(PickleReader *reader, const PickleValue *args) {
    if (args->count != 4)
        return pickle_broken(reader, "_frombuffer takes 4 arguments");
    const HostTensor *array = make_array(reader, args->items[2], node_at(args, 1), is_word(args->items[3], "F"), args->items[0]);
    return array && pickle_push(reader, &(PickleValue){.kind = PICKLE_ARRAY, .array = array}, PICKLE_ROLE_NONE);
}

static bool call_scalar(PickleReader *reader, const PickleValue *args) {
    if (args->count != 2)
        return pickle_broken(reader, "scalar takes 2 arguments");
    const HostTensor *array = make_array(reader, &(PickleValue){.kind = PICKLE_TUPLE}, node_at(args, 0), false, args->items[1]);
    if (!array)
        return false;
    PickleValue value = {.kind = PICKLE_REAL};
    if (array->dtype == ELEMENT_I64) { // a double would not hold all of them
        value.kind = PICKLE_INTEGER;
        memcpy(&value.integer, array->data, sizeof value.integer);
    } else if (array->dtype == ELEMENT_I32) {
        value.kind = PICKLE_INTEGER;
        value.integer = (int64_t)host_number(array, 0);
    } else {
        value.real = host_number(array, 0);
    }
    return pickle_push(reader, &value, PICKLE_ROLE_NONE);
}

// Bytes as Python 3 writes them in protocols 0 to 2: a text, to be encoded as Latin-1.
static bool call_encode(PickleReader *reader, const PickleValue *args) {
    if (args->count != 2 || args->items[0]->kind != PICKLE_TEXT ||
        !(is_word(args->items[1], "latin1") || is_word(args->items[1], "latin-1")))
        return pickle_broken(reader, "encode takes a text and \"latin1\"");
    const uint8_t *text = (const uint8_t *)args->items[0]->bytes.start;
    size_t size = args->items[0]->bytes.size, count = 0;
    uint8_t *bytes = pickle_take(reader, size);
    if (!bytes)
        return false;
    for (size_t i = 0; i < size; i++) {
        uint32_t code = text[i];
        if (code > 0xc3)
            return pickle_broken(reader, "a text that is not Latin-1");
        if (code >= 0x80) // the text is well-formed: a second byte follows
            code = (code & 3) << 6 | (text[++i] & 0x3f);
        bytes[count++] = (uint8_t)code;
    }
    return pickle_push_bytes(reader, PICKLE_BYTES, bytes, count);
}

bool pickle_reduce(PickleReader *reader) {
    const PickleNode *args = pickle_pop(reader), *function = args ? pickle_pop(reader) : NULL;
    if (!function)
        return false;
    if (args->value.kind != PICKLE_TUPLE)
        return pickle_broken(reader, "a call without a tuple of arguments");
    switch (function->role) {
    case PICKLE_ROLE_RECONSTRUCT:
        if (args->value.count < 1 || node_at(&args->value, 0)->role != PICKLE_ROLE_NDARRAY)
            return pickle_broken(reader, "_reconstruct of something other than an array");
        return pickle_push(reader, &(PickleValue){.kind = PICKLE_INTERNAL}, PICKLE_ROLE_HOLLOW_ARRAY);
    case PICKLE_ROLE_SCALAR:
        return call_scalar(reader, &args->value);
    case PICKLE_ROLE_DTYPE_CLASS:
        return make_dtype(reader, &args->value);
    case PICKLE_ROLE_FROM_BUFFER:
        return call_from_buffer(reader, &args->value);
    case PICKLE_ROLE_ENCODE:
        return call_encode(reader, &args->value);
    case PICKLE_ROLE_BYTES_CLASS:
        return args->value.count == 0 ? pickle_push_bytes(reader, PICKLE_BYTES, "", 0) : pickle_broken(reader, "bytes with arguments");
    case PICKLE_ROLE_NONE:
    case PICKLE_ROLE_NDARRAY:
    case PICKLE_ROLE_DTYPE:
    case PICKLE_ROLE_HOLLOW_ARRAY:
        break;
    }
    return pickle_broken(reader, "a call of something that is no function");
}

bool pickle_build(PickleReader *reader) {
    const PickleNode *state = pickle_pop(reader);
    PickleNode *object = state ? pickle_top(reader) : NULL;
    if (!object)
        return false;
    if (object->role == PICKLE_ROLE_DTYPE)
        return check_dtype(reader, &state->value);
    if (object->role != PICKLE_ROLE_HOLLOW_ARRAY || object->is_held)
        return pickle_broken(reader, "a state for something that takes none");
    const PickleValue *value = &state->value;
    if (value->kind != PICKLE_TUPLE || value->count != 5 ||
        (value->items[3]->kind != PICKLE_BOOL && value->items[3]->kind != PICKLE_INTEGER))
        return pickle_broken(reader, "an array's state is version, shape, dtype, order and bytes");
    const HostTensor *array = make_array(reader, value->items[1], node_at(value, 2), value->items[3]->integer != 0, value->items[4]);
    if (!array)
        return false;
    object->value = (PickleValue){.kind = PICKLE_ARRAY, .array = array};
    object->role = PICKLE_ROLE_NONE;
    object->is_plain = true;
    return true;
}
