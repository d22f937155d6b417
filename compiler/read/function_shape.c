// Functions that rename indices: shapes and views.
#include "compiler/read/function_impl.h"

Datum function_shape_of(Reader *reader, const char *name, const Datum *args) {
    if (!strcmp(name, "len") && args[0].kind == DATUM_LIST)
        return datum_int(args[0].list->items.count);
    Value x = argument_tensor(reader, name, args[0]);
    if (!x.id)
        return datum_error();
    Type type = graph_type(reader->stage->graph, x);
    if (!strcmp(name, "size"))
        return datum_int((int64_t)type_count(&type));
    if (!strcmp(name, "len"))
        return type.rank ? datum_int(type.dims[0]) : reader_error(reader, "a scalar has no length");
    if (args[1].kind != DATUM_NONE) {
        uint32_t axis;
        return argument_axis(reader, name, args[1], type.rank, &axis) ? datum_int(type.dims[axis]) : datum_error();
    }
    DatumList *list = ARENA_NEW(reader->arena, DatumList, 1);
    for (uint32_t i = 0; i < type.rank; i++)
        array_push(reader->arena, &list->items, datum_int(type.dims[i]));
    return (Datum){.kind = DATUM_LIST, .list = list};
}

static bool sizes(Reader *reader, const char *name, Datum shape, int64_t *out, uint32_t *rank) {
    if (shape.kind != DATUM_LIST) {
        reader_error(reader, "%s: a list of sizes expected, not %s", name, datum_word(reader, shape));
        return false;
    }
    return argument_integers(reader, name, "shape", shape, MAX_RANK, out, rank);
}

Datum function_reshape(Reader *reader, const char *name, const Datum *args) {
    Value x = argument_tensor(reader, name, args[0]);
    int64_t wanted[MAX_RANK];
    uint32_t rank, dims[MAX_RANK], open = UINT32_MAX;
    if (!x.id || !sizes(reader, name, args[1], wanted, &rank))
        return datum_error();
    Type type = graph_type(reader->stage->graph, x);
    uint64_t count = type_count(&type), known = 1;
    for (uint32_t i = 0; i < rank; i++) {
        if ((wanted[i] < 1 && wanted[i] != -1) || wanted[i] > INT32_MAX || (wanted[i] == -1 && open != UINT32_MAX))
            return reader_error(reader, "%s: a size of %lld (one may be -1, the rest is 1 to 2,147,483,647)", name, (long long)wanted[i]);
        if (wanted[i] == -1)
            open = i;
        else if (__builtin_mul_overflow(known, (uint64_t)wanted[i], &known))
            known = 0;
        dims[i] = (uint32_t)wanted[i];
    }
    if (known == 0 || count % known || (open == UINT32_MAX && count != known))
        return reader_error(reader, open == UINT32_MAX ? "%s: %s has %s elements, the shape has %s" : "%s: %s has %s elements, no multiple of the shape's other %s",
                            name, type_text(reader->arena, &type), text_thousands(reader->arena, count),
                            known ? text_thousands(reader->arena, known) : "too many");
    if (open != UINT32_MAX)
        dims[open] = (uint32_t)(count / known);
    return datum_tensor(build_reshape(reader->stage->graph, x, rank, dims));
}

Datum function_broadcast(Reader *reader, const char *name, const Datum *args) {
    Value x = argument_tensor(reader, name, args[0]);
    int64_t wanted[MAX_RANK];
    uint32_t rank, dims[MAX_RANK];
    if (!x.id || !sizes(reader, name, args[1], wanted, &rank))
        return datum_error();
    Type type = graph_type(reader->stage->graph, x);
    for (uint32_t i = 0; i < rank; i++)
        if (wanted[i] > INT32_MAX)
            return reader_error(reader, "%s: a size of %lld, at most 2,147,483,647 expected", name, (long long)wanted[i]);
    for (uint32_t i = 0; i < rank; i++) {
        uint32_t own = i + type.rank >= rank ? type.dims[i + type.rank - rank] : 1;
        if (type.rank > rank || wanted[i] < -1 || wanted[i] == 0 || wanted[i] > INT32_MAX ||
            (own != 1 && wanted[i] != -1 && wanted[i] != own))
            return reader_error(reader, "%s: %s does not spread over axis %u of size %lld", name, type_text(reader->arena, &type), i,
                                (long long)wanted[i]);
        dims[i] = wanted[i] == -1 ? own : (uint32_t)wanted[i];
    }
    if (type.rank > rank)
        return reader_error(reader, "%s: %s has more axes than the shape", name, type_text(reader->arena, &type));
    return datum_tensor(build_broadcast_dims(reader->stage->graph, x, rank, dims));
}

Datum function_transpose(Reader *reader, const char *name, const Datum *args) {
    Value x = argument_tensor(reader, name, args[0]);
    int64_t given[MAX_RANK];
    uint32_t count, order[MAX_RANK];
    if (!x.id || !argument_integers(reader, name, "axes", args[1], MAX_RANK, given, &count))
        return datum_error();
    Type type = graph_type(reader->stage->graph, x);
    uint32_t seen = 0;
    for (uint32_t i = 0; i < count; i++) {
        int64_t axis = given[i] < 0 ? given[i] + type.rank : given[i];
        order[i] = (uint32_t)axis;
        if (axis >= 0 && axis < type.rank)
            seen |= 1u << axis;
    }
    if (count != type.rank || seen != (1u << type.rank) - 1)
        return reader_error(reader, "%s: every axis of %s once expected", name, type_text(reader->arena, &type));
    return datum_tensor(build_transpose(reader->stage->graph, x, order));
}

Datum function_flip(Reader *reader, const char *name, const Datum *args) {
    Value x = argument_tensor(reader, name, args[0]);
    int64_t axes[MAX_RANK];
    uint32_t count;
    if (!x.id || !argument_axes(reader, name, args[1], graph_type(reader->stage->graph, x).rank, axes, &count))
        return datum_error();
    return datum_tensor(build_flip(reader->stage->graph, x, axes, count));
}

Datum function_concat(Reader *reader, const char *name, const Datum *args) {
    Graph *graph = reader->stage->graph;
    uint32_t count, axis;
    Value *parts = argument_parts(reader, name, args[0], &count);
    if (!parts)
        return datum_error();
    Type first = graph_type(graph, parts[0]);
    if (!argument_axis(reader, name, args[1], first.rank, &axis))
        return datum_error();
    for (uint32_t i = 0; i < count; i++) {
        Type type = graph_type(graph, parts[i]), other = type;
        if (other.rank == first.rank)
            other.dims[axis] = first.dims[axis];
        if (!type_equal(&other, &first))
            return reader_error(reader, "%s: %s and %s do not join along axis %u", name, type_text(reader->arena, &first),
                                type_text(reader->arena, &type), axis);
    }
    return datum_tensor(build_concat(graph, parts, count, axis));
}

Datum function_along(Reader *reader, const char *name, const Datum *args) {
    Graph *graph = reader->stage->graph;
    Value v = argument_tensor(reader, name, args[0]), x = argument_tensor(reader, name, args[1]);
    if (!v.id || !x.id)
        return datum_error();
    Type own = graph_type(graph, v), like = graph_type(graph, x), result = like;
    bool is_over = !strcmp(name, "over");
    if (own.rank > like.rank || (is_over && (own.rank != 2 || like.rank < 2)))
        return reader_error(reader, "%s: %s %s", name, type_text(reader->arena, &own),
                            is_over ? "is not [n, c]"
                                    : arena_format(reader->arena, "has more axes than %s", type_text(reader->arena, &like)));
    for (uint32_t i = 0; i < like.rank; i++)
        result.dims[i] = i < own.rank ? own.dims[i] : 1;
    Value y = build_reshape(graph, v, result.rank, result.dims);
    for (uint32_t i = 2; i < like.rank; i++)
        result.dims[i] = like.dims[i];
    return datum_tensor(is_over ? build_broadcast_dims(graph, y, result.rank, result.dims) : y);
}
