// Functions that join, cut and make tensors: stack, split, roll, triangles, the identity, one-hot codes.
#include "compiler/layers/build.h"
#include "compiler/read/function_impl.h"

Datum function_stack(Reader *reader, const char *name, const Datum *args) {
    Graph *graph = reader->stage->graph;
    uint32_t count, axis;
    Value *parts = argument_parts(reader, name, args[0], &count);
    if (!parts)
        return datum_error();
    Type first = graph_type(graph, parts[0]);
    if (first.rank == MAX_RANK)
        return reader_error(reader, "%s: %s has %d axes already, as many as a tensor may", name, type_text(reader->arena, &first), MAX_RANK);
    if (!argument_axis(reader, name, args[1], first.rank + 1u, &axis))
        return datum_error();
    for (uint32_t i = 0; i < count; i++) {
        Type type = graph_type(graph, parts[i]), wide = type;
        if (!type_equal(&type, &first))
            return reader_error(reader, "%s: part 0 is %s, part %u %s; one shape and dtype expected", name, type_text(reader->arena, &first), i,
                                type_text(reader->arena, &type));
        wide.rank++;
        for (uint32_t k = 0; k < wide.rank; k++)
            wide.dims[k] = k < axis ? type.dims[k] : k == axis ? 1 : type.dims[k - 1];
        parts[i] = build_reshape(graph, parts[i], wide.rank, wide.dims);
    }
    return datum_tensor(build_concat(graph, parts, count, axis));
}

// As torch.split: one size is that of every piece but the last.
Datum function_split(Reader *reader, const char *name, const Datum *args) {
    Graph *graph = reader->stage->graph;
    Value x = argument_tensor(reader, name, args[0]);
    uint32_t axis;
    if (!x.id || !argument_axis(reader, name, args[2], graph_type(graph, x).rank, &axis))
        return datum_error();
    Type type = graph_type(graph, x);
    bool is_list = args[1].kind == DATUM_LIST;
    int64_t at = 0, total = type.dims[axis];
    DatumList *list = ARENA_NEW(reader->arena, DatumList, 1);
    for (uint32_t i = 0; is_list ? i < args[1].list->items.count : at < total; i++) {
        int64_t size;
        if (!argument_integer(reader, name, "size", is_list ? args[1].list->items.items[i] : args[1], 1, &size))
            return datum_error();
        if (!is_list && size > total - at)
            size = total - at;
        if (size <= total - at)
            array_push(reader->arena, &list->items, datum_tensor(build_slice(graph, x, axis, at, at + size, 1)));
        at += size;
    }
    if (at != total)
        return reader_error(reader, "%s: the sizes are %lld together, axis %u of %s has %lld", name, (long long)at, axis, type_text(reader->arena, &type),
                            (long long)total);
    return (Datum){.kind = DATUM_LIST, .list = list};
}

Datum function_roll(Reader *reader, const char *name, const Datum *args) {
    Graph *graph = reader->stage->graph;
    Value x = argument_tensor(reader, name, args[0]);
    int64_t shifts[MAX_RANK], axes[MAX_RANK];
    uint32_t shift_count, axis_count;
    if (!x.id || !argument_integers(reader, name, "shift", args[1], MAX_RANK, shifts, &shift_count) ||
        !argument_integers(reader, name, "axis", args[2], MAX_RANK, axes, &axis_count))
        return datum_error();
    if (shift_count != axis_count)
        return reader_error(reader, "%s: %u shift%s along %u ax%s", name, shift_count, shift_count == 1 ? "" : "s", axis_count, axis_count == 1 ? "is" : "es");
    Type type = graph_type(graph, x);
    for (uint32_t i = 0; i < axis_count; i++) {
        uint32_t axis;
        if (!argument_axis(reader, name, datum_int(axes[i]), type.rank, &axis))
            return datum_error();
        int64_t size = type.dims[axis], shift = (shifts[i] % size + size) % size;
        if (shift)
            x = build_concat(graph, (Value[]){build_slice(graph, x, axis, size - shift, size, 1), build_slice(graph, x, axis, 0, size - shift, 1)}, 2, axis);
    }
    return datum_tensor(x);
}

Datum function_triangle(Reader *reader, const char *name, const Datum *args) {
    Graph *graph = reader->stage->graph;
    Value x = argument_tensor(reader, name, args[0]);
    int64_t diagonal = 0;
    if (!x.id || (args[1].kind != DATUM_NONE && !argument_integer(reader, name, "diagonal", args[1], -INT32_MAX, &diagonal)))
        return datum_error();
    Type type = graph_type(graph, x);
    if (type.rank < 2 || type.dtype == DTYPE_U8)
        return reader_error(reader, "%s: a matrix […, rows, columns] expected, not %s", name, type_text(reader->arena, &type));
    diagonal = diagonal < -(int64_t)type.dims[type.rank - 2] ? -(int64_t)type.dims[type.rank - 2] : diagonal;
    diagonal = diagonal > type.dims[type.rank - 1] ? type.dims[type.rank - 1] : diagonal;
    Type plane = type_make(DTYPE_I32, 2, type.dims + type.rank - 2);
    Value column = build_iota(graph, &plane, 1), edge = build_number(graph, OP_add, build_iota(graph, &plane, 0), (double)diagonal);
    Value is_kept = build_binary(graph, strcmp(name, "tril") ? OP_ge : OP_le, column, edge);
    return datum_tensor(build_select(graph, is_kept, x, build_constant(graph, type.dtype, 0)));
}

Datum function_eye(Reader *reader, const char *name, const Datum *args) {
    Graph *graph = reader->stage->graph;
    int64_t rows, columns;
    if (!argument_integer(reader, name, "rows", args[0], 1, &rows))
        return datum_error();
    columns = rows;
    if (args[1].kind != DATUM_NONE && !argument_integer(reader, name, "columns", args[1], 1, &columns))
        return datum_error();
    Type type = type_make(DTYPE_I32, 2, (uint32_t[]){(uint32_t)rows, (uint32_t)columns});
    Value row = build_iota(graph, &type, 0);
    if (!row.id) // reported: more elements than a tensor holds
        return datum_error();
    return datum_tensor(build_cast(graph, build_binary(graph, OP_eq, row, build_iota(graph, &type, 1)), DTYPE_F32));
}

Datum function_one_hot(Reader *reader, const char *name, const Datum *args) {
    Graph *graph = reader->stage->graph;
    Value x = argument_tensor(reader, name, args[0]);
    int64_t count;
    if (!x.id || !argument_integer(reader, name, "count", args[1], 1, &count))
        return datum_error();
    Type type = graph_type(graph, x), wide = type;
    if (type.dtype != DTYPE_I32 || type.rank == MAX_RANK)
        return reader_error(reader, "%s: i32 of at most %d axes expected, not %s", name, MAX_RANK - 1, type_text(reader->arena, &type));
    wide.dims[wide.rank++] = 1;
    x = build_reshape(graph, x, wide.rank, wide.dims);
    wide.dims[type.rank] = (uint32_t)count;
    return datum_tensor(build_cast(graph, build_binary(graph, OP_eq, x, build_iota(graph, &wide, type.rank)), DTYPE_F32));
}
