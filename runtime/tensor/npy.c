// The .npy format (NumPy enhancement proposal 1; numpy.lib.format): magic, version, a Python dictionary as text, the elements.
#include "runtime/tensor/tensor_stored.h"
#include "runtime/base/bug.h"
#include "runtime/base/text.h"
#include <inttypes.h>

static const char magic[] = "\x93NUMPY";
enum { MAGIC_SIZE = 6, HEADER_ALIGNMENT = 64 };

// The dictionary's text, read from the front. After the first mistake `mistake` is set and nothing more is read.
typedef struct {
    const char *at, *end;
    const char *mistake;
} Cursor;

typedef struct {
    char descr[16];
    bool is_fortran;
    uint32_t rank;
    uint64_t dims[HOST_RANK_MAX];
    bool has_descr, has_order, has_shape;
} Header;

static bool wrong(Cursor *cursor, const char *mistake) {
    if (!cursor->mistake)
        cursor->mistake = mistake;
    return false;
}

static void skip_space(Cursor *cursor) {
    while (cursor->at < cursor->end && (*cursor->at == ' ' || *cursor->at == '\n' || *cursor->at == '\t' || *cursor->at == '\r'))
        cursor->at++;
}

static bool skip(Cursor *cursor, const char *wanted) {
    skip_space(cursor);
    size_t size = strlen(wanted);
    if ((size_t)(cursor->end - cursor->at) < size || memcmp(cursor->at, wanted, size) != 0)
        return false;
    cursor->at += size;
    return true;
}

static bool read_quoted(Cursor *cursor, char *out, size_t capacity) {
    skip_space(cursor);
    if (cursor->at == cursor->end || (*cursor->at != '\'' && *cursor->at != '"'))
        return wrong(cursor, "a quoted text is missing");
    char quote = *cursor->at++;
    const char *close = memchr(cursor->at, quote, (size_t)(cursor->end - cursor->at));
    if (!close || (size_t)(close - cursor->at) >= capacity)
        return wrong(cursor, "a quoted text does not end or is too long");
    memcpy(out, cursor->at, (size_t)(close - cursor->at));
    out[close - cursor->at] = 0;
    cursor->at = close + 1;
    return true;
}

static bool read_dim(Cursor *cursor, uint64_t *dim) {
    skip_space(cursor);
    const char *start = cursor->at;
    *dim = 0;
    for (; cursor->at < cursor->end && *cursor->at >= '0' && *cursor->at <= '9'; cursor->at++) {
        if (*dim > (UINT64_MAX - 9) / 10)
            return wrong(cursor, "a length in the shape is too large");
        *dim = *dim * 10 + (uint64_t)(*cursor->at - '0');
    }
    if (cursor->at == start)
        return wrong(cursor, "a length in the shape is missing");
    skip(cursor, "L"); // written by NumPy on Python 2
    return true;
}

static bool read_shape(Cursor *cursor, Header *header) {
    if (!skip(cursor, "("))
        return wrong(cursor, "the shape is no tuple");
    while (!skip(cursor, ")")) {
        if (header->rank == HOST_RANK_MAX)
            return wrong(cursor, "more than 8 axes");
        if (!read_dim(cursor, &header->dims[header->rank++]))
            return false;
        if (skip(cursor, ","))
            continue;
        if (header->rank == 1) // (3) is a number in Python
            return wrong(cursor, "the shape is no tuple");
        if (!skip(cursor, ")"))
            return wrong(cursor, "the shape does not end");
        break;
    }
    return true;
}

static bool read_member(Cursor *cursor, Header *header) {
    char key[16];
    if (!read_quoted(cursor, key, sizeof key))
        return false;
    if (!skip(cursor, ":"))
        return wrong(cursor, "':' is missing");
    bool *seen = strcmp(key, "descr") == 0           ? &header->has_descr
                 : strcmp(key, "fortran_order") == 0 ? &header->has_order
                 : strcmp(key, "shape") == 0         ? &header->has_shape
                                                     : NULL;
    if (!seen || *seen)
        return wrong(cursor, "a key is unknown or occurs twice");
    *seen = true;
    if (seen == &header->has_descr)
        return skip(cursor, "[") ? wrong(cursor, "structured types are not supported")
                                 : read_quoted(cursor, header->descr, sizeof header->descr);
    if (seen == &header->has_shape)
        return read_shape(cursor, header);
    header->is_fortran = skip(cursor, "True");
    return header->is_fortran || skip(cursor, "False") || wrong(cursor, "fortran_order is neither True nor False");
}

// NULL when all is well, else what is wrong.
static const char *read_header(const char *text, size_t size, Header *header) {
    Cursor cursor = {.at = text, .end = text + size};
    if (!skip(&cursor, "{"))
        return "no dictionary";
    while (!skip(&cursor, "}")) {
        if (!read_member(&cursor, header))
            return cursor.mistake;
        if (skip(&cursor, ","))
            continue;
        if (!skip(&cursor, "}"))
            return "the dictionary does not end";
        break;
    }
    skip_space(&cursor);
    if (cursor.at != cursor.end)
        return "text behind the dictionary";
    return header->has_descr && header->has_order && header->has_shape ? NULL : "descr, fortran_order or shape is missing";
}

// Where the header's text lies; false (reported) when the file is no .npy of a known version.
static bool find_header(const char *bytes, size_t size, uint64_t file_size, size_t *start, size_t *length, const Place *place, Diag *diag) {
    const unsigned char *b = (const unsigned char *)bytes;
    if (size < MAGIC_SIZE + 4 || memcmp(bytes, magic, MAGIC_SIZE) != 0) {
        diag_error(diag, place, "not a .npy file");
        return false;
    }
    bool is_first = b[6] == 1;
    if ((!is_first && b[6] != 2 && b[6] != 3) || b[7] != 0) {
        diag_error(diag, place, ".npy version %u.%u is not supported (1.0, 2.0 and 3.0 are)", b[6], b[7]);
        return false;
    }
    *start = is_first ? 10 : 12;
    *length = (size_t)b[8] | (size_t)b[9] << 8;
    if (!is_first && size >= *start)
        *length |= (size_t)b[10] << 16 | (size_t)b[11] << 24;
    if (size < *start || *length > file_size - *start) {
        diag_error(diag, place, "the .npy header is longer than the file");
        return false;
    }
    if (*length > size - *start) {
        diag_error(diag, place, "a .npy header of %zu bytes; at most %d are supported", *length, NPY_FRONT - 12);
        return false;
    }
    return true;
}

static bool find_type(const char *descr, TensorPlace *out, const Place *place, Diag *diag) {
    bool is_known = descr[0] && stored_by_npy(descr + 1, &out->type);
    out->is_big = descr[0] == '>' && is_known && element_bytes(out->type) > 1;
    if (is_known && (descr[0] == '<' || descr[0] == '>' || (descr[0] == '|' && element_bytes(out->type) == 1)))
        return true;
    diag_error(diag, place, "element type \"%s\" is not supported (bool, integer and float types are)", descr);
    return false;
}

bool npy_locate(const char *path, const void *front, size_t front_size, uint64_t file_size, TensorPlace *out, Diag *diag) {
    const Place place = {.file = path};
    size_t start, length;
    *out = (TensorPlace){0};
    if (!find_header(front, front_size, file_size, &start, &length, &place, diag))
        return false;
    Header header = {0};
    const char *mistake = read_header((const char *)front + start, length, &header);
    if (mistake) {
        diag_error(diag, &place, "the .npy header is wrong: %s", mistake);
        return false;
    }
    uint64_t count;
    if (!find_type(header.descr, out, &place, diag))
        return false;
    if (!stored_count(header.dims, header.rank, &count)) {
        diag_error(diag, &place, "the shape is too large for any memory");
        return false;
    }
    out->is_fortran = header.is_fortran;
    out->rank = header.rank;
    memcpy(out->dims, header.dims, sizeof out->dims);
    out->offset = start + length;
    out->size = count * element_bytes(out->type);
    if (out->size == file_size - out->offset)
        return true;
    diag_error(diag, &place, "%" PRIu64 " elements of %u bytes make %" PRIu64 " bytes, but %" PRIu64 " follow the header", count,
               element_bytes(out->type), out->size, file_size - out->offset);
    return false;
}

void npy_swap(ElementType type, void *bytes, uint64_t count) {
    uint32_t size = element_bytes(type);
    for (uint8_t *at = bytes; count-- > 0 && size > 1; at += size)
        for (uint32_t i = 0; i < size / 2; i++) {
            uint8_t other = at[size - 1 - i];
            at[size - 1 - i] = at[i];
            at[i] = other;
        }
}

const void *npy_from_fortran(Arena *arena, const void *bytes, uint32_t item_size, const TensorPlace *place) {
    uint64_t index[HOST_RANK_MAX] = {0}, count = place->size / element_bytes(place->type);
    char *out = arena_alloc(arena, (size_t)count * item_size);
    for (uint64_t i = 0; i < count; i++) {
        uint64_t source = 0;
        for (uint32_t axis = place->rank; axis-- > 0;)
            source = source * place->dims[axis] + index[axis];
        memcpy(out + i * item_size, (const char *)bytes + source * item_size, item_size);
        for (uint32_t axis = place->rank; axis-- > 0 && ++index[axis] == place->dims[axis];)
            index[axis] = 0;
    }
    return out;
}

static bool read_elements(Arena *arena, char *bytes, const TensorPlace *at, HostTensor *out, const Place *place, Diag *diag) {
    uint64_t count = at->size / element_bytes(at->type);
    if (at->is_big)
        npy_swap(at->type, bytes, count);
    void *data = (void *)stored_to_host(arena, at->type, bytes, count);
    if (!data) {
        diag_error(diag, place, "a value beyond 9223372036854775807 does not fit in i64");
        return false;
    }
    ElementType host = element_row(at->type)->host;
    uint32_t item_size = element_bytes(host);
    bool is_moved = at->is_fortran && at->rank > 1 && count > 0;
    out->data = is_moved ? npy_from_fortran(arena, data, item_size, at) : data;
    out->dtype = host;
    out->rank = at->rank;
    memcpy(out->dims, at->dims, sizeof out->dims);
    out->size = (size_t)count * item_size;
    return true;
}

bool npy_read(Arena *arena, const char *path, HostTensor *out, Diag *diag) {
    size_t size;
    TensorPlace at;
    char *bytes = file_read(arena, path, &size, diag);
    *out = (HostTensor){0};
    const char *name = file_name(path);
    out->name = arena_copy_bytes(arena, name, strlen(name) - (text_ends_with(name, ".npy") ? 4 : 0));
    return bytes && npy_locate(path, bytes, size, size, &at, diag) &&
           read_elements(arena, bytes + at.offset, &at, out, &(Place){.file = path}, diag);
}

bool npy_write(const char *path, const HostTensor *tensor, Diag *diag) {
    CHECK(tensor->rank <= HOST_RANK_MAX);
    Arena *scratch = arena_create();
    const ElementRow *row = element_row(tensor->dtype);
    CHECK(row->npy);
    Text text = text_create(scratch);
    text_format(&text, "{'descr': '%c%s', 'fortran_order': False, 'shape': (", row->bytes == 1 ? '|' : '<', row->npy);
    for (uint32_t i = 0; i < tensor->rank; i++)
        text_format(&text, "%s%" PRIu64 "%s", i ? " " : "", tensor->dims[i], i + 1 < tensor->rank || i == 0 ? "," : "");
    text_append(&text, "), }");
    while ((MAGIC_SIZE + 4 + text.length + 1) % HEADER_ALIGNMENT != 0)
        text_append(&text, " ");
    text_append(&text, "\n");
    char front[MAGIC_SIZE + 4] = {0};
    memcpy(front, magic, MAGIC_SIZE);
    front[6] = 1;
    front[8] = (char)(text.length & 0xFF);
    front[9] = (char)(text.length >> 8);
    FileWriter *writer = file_create(scratch, path, diag);
    bool is_written = writer && file_put(writer, front, sizeof front, diag) && file_put(writer, text.data, text.length, diag) &&
                      file_put(writer, tensor->data, tensor->size, diag);
    if (is_written)
        is_written = file_commit(writer, diag);
    else if (writer)
        file_abandon(writer);
    arena_destroy(&scratch);
    return is_written;
}
