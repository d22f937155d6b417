// Tables: numbers computed when compiling, by the judge in double. What a graph reads is rounded once to f32; a table that reads another
// reads it unrounded.
#include "compiler/ir/interpret.h"
#include "compiler/ir/op.h"
#include "compiler/read/reader.h"

enum { TABLE_COUNT_MAX = 1 << 24 }; // elements of a table, and of what it is computed from

static bool fits(Reader *reader, const TableDecl *table, const Graph *graph) {
    for (uint32_t id = 1; id < graph->nodes.count; id++) {
        uint64_t count = type_count(&graph->nodes.items[id].type);
        if (count > TABLE_COUNT_MAX)
            return reader_error_at(reader, table->json, "it is computed from %s of %s numbers; a table has at most %s",
                                   op_def(graph->nodes.items[id].op)->name, text_thousands(reader->arena, count), text_thousands(reader->arena, TABLE_COUNT_MAX));
    }
    return true;
}

static bool compute(Reader *reader, TableDecl *table) {
    Stage *outer = reader->stage;
    reader->stage = stage_create(reader, STAGE_TABLE);
    Graph *graph = reader->stage->graph;
    Datum datum = evaluate(reader, table->json, &table->document->scope);
    reader_flush(reader);
    if (datum.kind == DATUM_LIST) {
        ReaderPlace old = reader_enter(reader, table->json, table->json->string);
        datum = datum_tensor(literal_tensor(reader, datum.list, NULL));
        reader_leave(reader, old);
        reader_flush(reader);
    }
    bool is_good = datum.kind == DATUM_TENSOR;
    if (!is_good && datum.kind != DATUM_ERROR)
        reader_error_at(reader, table->json, "a table is a tensor, not %s", datum_word(reader, datum));
    is_good = is_good && fits(reader, table, graph);
    if (is_good) {
        Sources none = {0};
        Type type = graph_type(graph, datum.tensor);
        uint64_t count = type_count(&type);
        bool *needed = ARENA_NEW(reader->arena, bool, graph->nodes.count);
        needed[datum.tensor.id] = true;
        const double *data = interpret(reader->arena, graph, &none, needed, reader->diag)[datum.tensor.id].data;
        double *rounded = ARENA_NEW(reader->arena, double, count);
        for (uint64_t i = 0; i < count; i++)
            rounded[i] = type.dtype == DTYPE_F32 ? (double)(float)data[i] : data[i];
        array_push(reader->arena, &reader->exact->tables, ((Table){table->name, type, data}));
        array_push(reader->arena, &reader->module->tables, ((Table){table->name, type, rounded}));
        table->exact = reader->exact->tables.count;
        table->rounded = reader->module->tables.count;
    }
    reader->stage = outer;
    return is_good;
}

static bool read_list(Reader *reader, const Json *json, Datum datum, const double **out, uint32_t *count) {
    double *numbers = ARENA_NEW(reader->arena, double, datum.list->items.count + 1u);
    for (uint32_t i = 0; i < datum.list->items.count; i++) {
        if (!is_static_number(datum.list->items.items[i]))
            return reader_error_at(reader, json, "item %u is %s, not a number", i, datum_word(reader, datum.list->items.items[i]));
        numbers[i] = datum_double(datum.list->items.items[i]);
    }
    *out = numbers;
    *count = datum.list->items.count;
    return *count > 0 || reader_error_at(reader, json, "an empty list gives no number");
}

static bool read_numbers(Reader *reader, const Json *json, Datum datum, const double **out, uint32_t *count) {
    Graph *graph = reader->stage->graph;
    if (datum.kind == DATUM_LIST)
        return read_list(reader, json, datum, out, count);
    Value value = is_static_number(datum) || datum.kind == DATUM_TENSOR ? arithmetic_tensor(reader, datum, NULL) : (Value){0};
    if (!value.id)
        return reader_error_at(reader, json, "a number or a list of numbers expected, not %s", datum_word(reader, datum));
    Type type = graph_type(graph, value);
    if (type.rank > 1 || type.set)
        return reader_error_at(reader, json, "a number or a list of numbers expected, not %s", datum_word(reader, datum));
    bool *needed = ARENA_NEW(reader->arena, bool, graph->nodes.count);
    needed[value.id] = true;
    *out = interpret(reader->arena, graph, &(Sources){0}, needed, reader->diag)[value.id].data;
    *count = (uint32_t)type_count(&type);
    return true;
}

bool table_numbers(Reader *reader, const Json *json, Scope *scope, const double **out, uint32_t *count) {
    Stage *outer = reader->stage;
    reader->stage = stage_create(reader, STAGE_TABLE);
    Datum datum = evaluate(reader, json, scope);
    reader_flush(reader);
    bool is_good = datum.kind != DATUM_ERROR && read_numbers(reader, json, datum, out, count);
    reader->stage = outer;
    return is_good;
}

Datum table_read(Reader *reader, TableDecl *table) {
    if (table->busy)
        return reader_error(reader, "table \"%s\" depends on itself", table->name);
    if (!table->done) {
        table->busy = true;
        table->failed = !compute(reader, table);
        table->busy = false;
        table->done = true;
    }
    if (table->failed)
        return datum_error();
    uint32_t index = reader->stage->kind == STAGE_TABLE ? table->exact : table->rounded;
    return datum_tensor(graph_add(reader->stage->graph, OP_table, NULL, 0, (Attr[]){attr_int((int64_t)index - 1)}, 1));
}

Value table_internal(Reader *reader, const char *name, const double *data, uint32_t count) {
    Module *owner = reader->stage->kind == STAGE_TABLE ? reader->exact : reader->module;
    uint32_t i = 0;
    while (i < owner->tables.count && strcmp(owner->tables.items[i].name, name))
        i++;
    if (i == owner->tables.count)
        array_push(reader->arena, &owner->tables, ((Table){name, type_make(DTYPE_F32, 1, &count), data}));
    return graph_add(reader->stage->graph, OP_table, NULL, 0, (Attr[]){attr_int(i)}, 1);
}
