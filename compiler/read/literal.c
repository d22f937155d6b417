// Literals: lists of numbers as tensors. [1, 3, 3, 1] has one axis, [[1, 2], [3, 4]] two.
#include "compiler/read/reader.h"
#include <math.h>

enum { LITERAL_COUNT_MAX = 1 << 20 };

typedef struct {
    Reader *reader;
    double *data;
    uint64_t count;
    bool all_bool, all_whole;
} Filling;

// The shape by the first item of each list.
static bool shape_of(Reader *reader, const DatumList *list, Type *out) {
    uint64_t count = 1;
    for (out->rank = 0;; list = list->items.items[0].list) {
        if (out->rank == MAX_RANK) {
            reader_error(reader, "lists within lists more than %d deep: a tensor has at most %d axes", MAX_RANK, MAX_RANK);
            return false;
        }
        if (!list->items.count) {
            reader_error(reader, "a tensor has no axis of 0: an empty list");
            return false;
        }
        out->dims[out->rank++] = list->items.count;
        count *= list->items.count;
        if (count > LITERAL_COUNT_MAX) {
            reader_error(reader, "a list of %s numbers; as a tensor it has at most %s", text_thousands(reader->arena, count),
                         text_thousands(reader->arena, LITERAL_COUNT_MAX));
            return false;
        }
        if (list->items.items[0].kind != DATUM_LIST)
            return true;
    }
}

static bool fill(Filling *filling, const DatumList *list, const Type *type, uint32_t axis) {
    if (list->items.count != type->dims[axis]) {
        reader_error(filling->reader, "a list of %u beside one of %u: a tensor's lists are equally long", list->items.count, type->dims[axis]);
        return false;
    }
    for (uint32_t i = 0; i < list->items.count; i++) {
        Datum item = list->items.items[i];
        bool is_list = axis + 1 < type->rank;
        if (is_list != (item.kind == DATUM_LIST) || (!is_list && !is_static_number(item))) {
            const char *more = item.kind == DATUM_TENSOR ? "; stack([…], axis) joins tensors" : "";
            if (item.kind != DATUM_ERROR)
                reader_error(filling->reader, "a list as a tensor: item %u is %s, a %s expected%s", i, datum_word(filling->reader, item),
                             is_list ? "list" : "number known when compiling", more);
            return false;
        }
        if (is_list && !fill(filling, item.list, type, axis + 1))
            return false;
        if (is_list)
            continue;
        filling->all_bool = filling->all_bool && item.kind == DATUM_BOOL;
        filling->all_whole = filling->all_whole && item.kind != DATUM_NUMBER;
        filling->data[filling->count++] = datum_double(item);
    }
    return true;
}

static bool fits(Reader *reader, const Type *type, const double *data) {
    double low = type->dtype == DTYPE_U32 ? 0 : INT32_MIN, high = type->dtype == DTYPE_U32 ? UINT32_MAX : INT32_MAX;
    for (uint64_t i = 0; (type->dtype == DTYPE_I32 || type->dtype == DTYPE_U32) && i < type_count(type); i++)
        if (data[i] < low || data[i] > high) {
            reader_error(reader, "%.0f does not fit %s, which holds %s to %s", data[i], dtype_name(type->dtype), type->dtype == DTYPE_U32 ? "0" : "-2,147,483,648",
                         type->dtype == DTYPE_U32 ? "4,294,967,295" : "2,147,483,647");
            return false;
        }
    return true;
}

// The same numbers are one table.
static Value table_of(Reader *reader, const Type *type, const double *data) {
    bool is_exact = reader->stage->kind == STAGE_TABLE;
    Module *module = is_exact ? reader->exact : reader->module;
    uint64_t count = type_count(type);
    for (uint64_t i = 1; i <= count; i++)
        if (i == count)
            return build_full(reader->stage->graph, type, data[0]);
        else if (memcmp(&data[i], &data[0], sizeof *data))
            break;
    uint32_t index = 0;
    for (; index < module->tables.count; index++) {
        const Table *table = &module->tables.items[index];
        if (!strcmp(table->name, "literal") && type_equal(&table->type, type) && !memcmp(table->data, data, count * sizeof *data))
            break;
    }
    if (index == module->tables.count)
        array_push(reader->arena, &module->tables, ((Table){"literal", *type, data}));
    return graph_add(reader->stage->graph, OP_table, NULL, 0, (Attr[]){attr_int(index)}, 1);
}

bool literal_is_whole(Datum datum) {
    if (datum.kind != DATUM_LIST)
        return datum.kind != DATUM_NUMBER;
    for (uint32_t i = 0; i < datum.list->items.count; i++)
        if (!literal_is_whole(datum.list->items.items[i]))
            return false;
    return true;
}

Value literal_tensor(Reader *reader, const DatumList *list, const Type *like) {
    Type type = {.dtype = DTYPE_F32};
    if (!shape_of(reader, list, &type))
        return (Value){0};
    Filling filling = {reader, ARENA_NEW(reader->arena, double, type_count(&type)), 0, true, true};
    if (!fill(&filling, list, &type, 0))
        return (Value){0};
    type.dtype = filling.all_bool ? DTYPE_BOOL : filling.all_whole ? DTYPE_I32 : DTYPE_F32;
    if (like && !filling.all_bool && (like->dtype == DTYPE_F32 || (filling.all_whole && (like->dtype == DTYPE_I32 || like->dtype == DTYPE_U32))))
        type.dtype = like->dtype;
    if (!fits(reader, &type, filling.data))
        return (Value){0};
    for (uint64_t i = 0; type.dtype == DTYPE_F32 && reader->stage->kind != STAGE_TABLE && i < filling.count; i++)
        filling.data[i] = (double)(float)filling.data[i]; // what it is on a device
    return table_of(reader, &type, filling.data);
}
