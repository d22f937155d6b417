// The .safetensors format (github.com/huggingface/safetensors): 8 bytes of header length, a JSON header, the tensors' bytes.
#include "runtime/base/json.h"
#include "runtime/base/bug.h"
#include "runtime/tensor/tensor_stored.h"
#include <inttypes.h>
#include <stdlib.h>

enum { LENGTH_SIZE = 8, HEADER_ALIGNMENT = 8, HEADER_SIZE_MAX = 16 * 1024 * 1024 };

typedef struct {
    uint64_t begin, end;
    const Json *json;
} Range;

typedef ARRAY(TensorPlace) Places;

typedef struct {
    Arena *arena, *scratch;
    char *data;
    size_t data_size;
    ARRAY(Range) ranges;
    Places places; // from the data's begin on
    TensorFile *file;
    Diag *diag;
} Reader;

__attribute__((format(printf, 3, 4))) static bool wrong(Reader *reader, const Json *json, const char *format, ...) {
    Place place = json_place(reader->scratch, json);
    va_list list;
    va_start(list, format);
    diag_error(reader->diag, &place, "%s", arena_format_list(reader->scratch, format, list));
    va_end(list);
    return false;
}

static bool read_unsigned(Reader *reader, const Json *json, uint64_t *out) {
    bool is_number = json->kind == JSON_NUMBER && json->is_integer && json->written[0] != '-' && json->number < 0x1p63;
    if (!is_number)
        return wrong(reader, json, "expected an integer of at least 0 and below 2^63");
    *out = strtoull(json->written, NULL, 10);
    return true;
}

static bool read_shape(Reader *reader, const Json *json, HostTensor *tensor) {
    const Json *shape = json_get(json, "shape");
    if (!shape || shape->kind != JSON_ARRAY)
        return wrong(reader, json, "a tensor needs a \"shape\", an array");
    if (shape->count > HOST_RANK_MAX)
        return wrong(reader, shape, "%u axes; at most %d are supported", shape->count, HOST_RANK_MAX);
    for (const Json *dim = shape->first; dim; dim = dim->next)
        if (!read_unsigned(reader, dim, &tensor->dims[tensor->rank++]))
            return false;
    return true;
}

static bool read_range(Reader *reader, const Json *json, Range *range) {
    const Json *offsets = json_get(json, "data_offsets");
    if (!offsets || offsets->kind != JSON_ARRAY || offsets->count != 2)
        return wrong(reader, json, "a tensor needs \"data_offsets\", an array of begin and end");
    if (!read_unsigned(reader, offsets->first, &range->begin) || !read_unsigned(reader, offsets->first->next, &range->end))
        return false;
    if (range->begin > range->end || range->end > reader->data_size)
        return wrong(reader, offsets, "bytes %" PRIu64 " to %" PRIu64 " of a file with %zu bytes of data", range->begin, range->end,
                     reader->data_size);
    return true;
}

static bool read_tensor(Reader *reader, const Json *json) {
    HostTensor tensor = {.name = arena_copy_text(reader->arena, json->key)};
    Range range = {.json = json};
    const char *type_name;
    if (json->kind != JSON_OBJECT)
        return wrong(reader, json, "a tensor must be an object with dtype, shape and data_offsets");
    if (!json_text(json, "dtype", &type_name, reader->diag) || !read_shape(reader, json, &tensor) || !read_range(reader, json, &range))
        return false;
    ElementType type;
    if (!stored_by_safetensors(type_name, &type))
        return wrong(reader, json, "dtype \"%s\" is not supported", type_name);
    uint64_t count;
    if (!stored_count(tensor.dims, tensor.rank, &count))
        return wrong(reader, json, "the shape is too large for any memory");
    uint64_t size = count * element_bytes(type);
    if (size != range.end - range.begin)
        return wrong(reader, json, "%" PRIu64 " elements of %s take %" PRIu64 " bytes, but data_offsets spans %" PRIu64, count, type_name,
                     size, range.end - range.begin);
    array_push(reader->scratch, &reader->ranges, range);
    TensorPlace place = {.name = tensor.name, .type = type, .rank = tensor.rank, .offset = range.begin, .size = size};
    memcpy(place.dims, tensor.dims, sizeof place.dims);
    array_push(reader->arena, &reader->places, place);
    tensor.dtype = element_row(type)->host;
    tensor.size = (size_t)count * element_bytes(tensor.dtype);
    array_push(reader->arena, &reader->file->tensors, tensor);
    return true;
}

static bool read_metadata(Reader *reader, const Json *json) {
    TensorFile *file = reader->file;
    if (json->kind != JSON_OBJECT)
        return wrong(reader, json, "__metadata__ must be an object");
    file->keys = ARENA_NEW(reader->arena, const char *, json->count);
    file->values = ARENA_NEW(reader->arena, const char *, json->count);
    for (const Json *item = json->first; item; item = item->next) {
        if (item->kind != JSON_STRING)
            return wrong(reader, item, "metadata must be strings, found %s", json_kind_name(item->kind));
        file->keys[file->metadata_count] = arena_copy_text(reader->arena, item->key);
        file->values[file->metadata_count++] = arena_copy_text(reader->arena, item->string);
    }
    return true;
}

static int compare_ranges(const void *a, const void *b) {
    const Range *x = a, *y = b;
    if (x->begin != y->begin)
        return x->begin < y->begin ? -1 : 1;
    return (x->end > y->end) - (x->end < y->end);
}

// No overlap, no gap, nothing behind the last one. Reorders the ranges.
static bool check_ranges(Reader *reader, const Json *root) {
    uint64_t at = 0;
    if (reader->ranges.count > 1)
        qsort(reader->ranges.items, reader->ranges.count, sizeof(Range), compare_ranges);
    for (uint32_t i = 0; i < reader->ranges.count; i++) {
        const Range *range = &reader->ranges.items[i];
        if (range->begin != at)
            return wrong(reader, range->json, range->begin < at ? "its bytes overlap another tensor's" : "its bytes follow a gap");
        at = range->end;
    }
    return at == reader->data_size || wrong(reader, root, "%zu bytes of data belong to no tensor", (size_t)(reader->data_size - at));
}

// Only now, with every range checked, are elements touched: converting a bool writes in place, which overlaps would make visible elsewhere.
static bool read_elements(Reader *reader, const Json *root) {
    uint32_t index = 0;
    for (const Json *json = root->first; json; json = json->next) {
        if (strcmp(json->key, "__metadata__") == 0)
            continue;
        HostTensor *tensor = &reader->file->tensors.items[index];
        const TensorPlace *place = &reader->places.items[index++];
        tensor->data = stored_to_host(reader->arena, place->type, reader->data + place->offset, place->size / element_bytes(place->type));
        if (!tensor->data)
            return wrong(reader, json, "a value beyond 9223372036854775807 does not fit in i64");
    }
    return true;
}

static bool read_header(Reader *reader, const char *path, const char *text, size_t size) {
    const Json *root = json_parse(reader->scratch, path, text, size, reader->diag);
    if (!root)
        return false;
    if (root->kind != JSON_OBJECT)
        return wrong(reader, root, "the header must be an object, found %s", json_kind_name(root->kind));
    for (const Json *json = root->first; json; json = json->next)
        if (!(strcmp(json->key, "__metadata__") == 0 ? read_metadata(reader, json) : read_tensor(reader, json)))
            return false;
    return check_ranges(reader, root) && (!reader->data || read_elements(reader, root));
}

// From the file's first bytes; there must be a header, which begins with a brace.
static bool find_header(const Place *place, const char *front, size_t front_size, uint64_t size, uint64_t *length, Diag *diag) {
    *length = 0;
    for (size_t i = 0; front_size >= LENGTH_SIZE && i < LENGTH_SIZE; i++)
        *length |= (uint64_t)(unsigned char)front[i] << (8 * i);
    if (front_size <= LENGTH_SIZE || *length > size - LENGTH_SIZE || front[LENGTH_SIZE] != '{') {
        diag_error(diag, place, "not a .safetensors file, or cut off");
        return false;
    }
    if (*length > HEADER_SIZE_MAX) {
        diag_error(diag, place, "a header of %" PRIu64 " bytes; at most %d are supported", *length, HEADER_SIZE_MAX);
        return false;
    }
    return true;
}

bool safetensors_locate(Arena *arena, const char *path, const FileView *view, TensorPlace **out, uint32_t *count, Diag *diag) {
    char front[LENGTH_SIZE + 1];
    uint64_t size = file_size(view), length;
    size_t front_size = size < sizeof front ? (size_t)size : sizeof front;
    if (!file_read_at(view, 0, front, front_size, diag) || !find_header(&(Place){.file = path}, front, front_size, size, &length, diag))
        return false;
    Arena *scratch = arena_create();
    TensorFile unused = {0};
    Reader reader = {.arena = arena, .scratch = scratch, .file = &unused, .diag = diag, .data_size = (size_t)(size - LENGTH_SIZE - length)};
    char *text = arena_alloc(scratch, (size_t)length + 1);
    bool ok = file_read_at(view, LENGTH_SIZE, text, (size_t)length, diag) && read_header(&reader, path, text, (size_t)length);
    for (uint32_t i = 0; i < reader.places.count; i++)
        reader.places.items[i].offset += LENGTH_SIZE + length;
    *out = reader.places.items;
    *count = reader.places.count;
    arena_destroy(&scratch);
    return ok;
}

bool safetensors_read(Arena *arena, const char *path, TensorFile *out, Diag *diag) {
    Place place = {.file = path};
    size_t size;
    *out = (TensorFile){0};
    char *bytes = file_read(arena, path, &size, diag);
    if (!bytes)
        return false;
    uint64_t length;
    if (!find_header(&place, bytes, size < LENGTH_SIZE + 1 ? size : LENGTH_SIZE + 1, size, &length, diag))
        return false;
    Arena *scratch = arena_create();
    Reader reader = {.arena = arena, .scratch = scratch, .file = out, .diag = diag};
    reader.data = bytes + LENGTH_SIZE + length;
    reader.data_size = size - LENGTH_SIZE - (size_t)length;
    bool is_read = read_header(&reader, path, bytes + LENGTH_SIZE, (size_t)length);
    arena_destroy(&scratch);
    return is_read;
}

static int compare_names(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

// What safetensors_read would refuse must not be written: it would be found out when the checkpoint is needed.
static bool check_names(Arena *scratch, const char *path, const char *const *names, uint32_t count, Diag *diag) {
    const char **sorted = ARENA_NEW(scratch, const char *, count);
    for (uint32_t i = 0; i < count; i++)
        sorted[i] = names[i];
    qsort(sorted, count, sizeof *sorted, compare_names);
    for (uint32_t i = 1; i < count; i++) {
        if (strcmp(sorted[i - 1], sorted[i]) == 0) {
            diag_error(diag, &(Place){.file = path}, "cannot write: the name \"%s\" occurs twice", sorted[i]);
            return false;
        }
    }
    return true;
}

static void write_tensor_entry(JsonWriter *writer, const HostTensor *tensor, uint64_t begin) {
    json_begin_object(writer, tensor->name);
    json_write_text(writer, "dtype", element_row(tensor->dtype)->safetensors);
    json_begin_array(writer, "shape");
    for (uint32_t i = 0; i < tensor->rank; i++)
        json_write_uint(writer, NULL, tensor->dims[i]);
    json_end_array(writer);
    json_begin_array(writer, "data_offsets");
    json_write_uint(writer, NULL, begin);
    json_write_uint(writer, NULL, begin + tensor->size);
    json_end_array(writer);
    json_end_object(writer);
}

static const char *header_text(Arena *scratch, const HostTensor *tensors, uint32_t tensor_count, const char *const *keys,
                               const char *const *values, uint32_t metadata_count) {
    JsonWriter *writer = json_line_writer_create(scratch);
    json_begin_object(writer, NULL);
    if (metadata_count) {
        json_begin_object(writer, "__metadata__");
        for (uint32_t i = 0; i < metadata_count; i++)
            json_write_text(writer, keys[i], values[i]);
        json_end_object(writer);
    }
    uint64_t begin = 0;
    for (uint32_t i = 0; i < tensor_count; begin += tensors[i++].size)
        write_tensor_entry(writer, &tensors[i], begin);
    json_end_object(writer);
    return json_writer_text(writer);
}

static bool put_file(FileWriter *writer, const char *header, const HostTensor *tensors, uint32_t tensor_count, Diag *diag) {
    size_t length = strlen(header) - 1; // without the newline
    size_t padding = (HEADER_ALIGNMENT - length % HEADER_ALIGNMENT) % HEADER_ALIGNMENT;
    unsigned char front[LENGTH_SIZE];
    for (size_t i = 0; i < LENGTH_SIZE; i++)
        front[i] = (unsigned char)((uint64_t)(length + padding) >> (8 * i));
    if (!file_put(writer, front, sizeof front, diag) || !file_put(writer, header, length, diag) ||
        !file_put(writer, "        ", padding, diag))
        return false;
    for (uint32_t i = 0; i < tensor_count; i++)
        if (!file_put(writer, tensors[i].data, tensors[i].size, diag))
            return false;
    return true;
}

bool safetensors_write(Arena *arena, const char *path, const HostTensor *tensors, uint32_t tensor_count, const char *const *keys,
                       const char *const *values, uint32_t metadata_count, Diag *diag) {
    (void)arena; // nothing of it outlives the call
    Arena *scratch = arena_create();
    const char **names = ARENA_NEW(scratch, const char *, tensor_count + 1);
    for (uint32_t i = 0; i < tensor_count; i++) {
        CHECK(tensors[i].rank <= HOST_RANK_MAX);
        names[i] = tensors[i].name;
    }
    names[tensor_count] = "__metadata__"; // taken
    bool is_written = check_names(scratch, path, names, tensor_count + 1, diag) && check_names(scratch, path, keys, metadata_count, diag);
    FileWriter *writer = is_written ? file_create(scratch, path, diag) : NULL;
    is_written =
        writer && put_file(writer, header_text(scratch, tensors, tensor_count, keys, values, metadata_count), tensors, tensor_count, diag);
    if (is_written)
        is_written = file_commit(writer, diag);
    else if (writer)
        file_abandon(writer);
    arena_destroy(&scratch);
    return is_written;
}
