// Functions that choose and order elements along an axis.
#include "compiler/ir/op.h"
#include "compiler/read/function_impl.h"

// As torch.take_along_dim: the other axes broadcast.
Datum function_gather(Reader *reader, const char *name, const Datum *args) {
    Graph *graph = reader->stage->graph;
    Value x = argument_tensor(reader, name, args[0]), index = argument_tensor(reader, name, args[1]);
    uint32_t axis;
    if (!x.id || !index.id)
        return datum_error();
    Type data = graph_type(graph, x), places = graph_type(graph, index);
    if (places.dtype != DTYPE_I32)
        return reader_error(reader, "%s: an index is i32, not %s; convert it with i32(…)", name, type_text(reader->arena, &places));
    if (!argument_axis(reader, name, args[2], data.rank, &axis))
        return datum_error();
    Type from = data, to = places;
    bool fits = data.rank == places.rank;
    for (uint32_t i = 0; fits && i < data.rank; i++) {
        uint32_t size = data.dims[i] > places.dims[i] ? data.dims[i] : places.dims[i];
        if (i == axis)
            continue;
        fits = (data.dims[i] == size || data.dims[i] == 1) && (places.dims[i] == size || places.dims[i] == 1);
        from.dims[i] = to.dims[i] = size;
    }
    if (!fits)
        return reader_error(reader, "%s: index %s does not choose from %s along axis %u: as many axes expected, the others of the same sizes, or 1", name,
                            type_text(reader->arena, &places), type_text(reader->arena, &data), axis);
    return datum_tensor(build_take_along(graph, build_broadcast(graph, x, &from), build_broadcast(graph, index, &to), axis, false));
}

// A flag that is known when compiling.
static bool flag(Reader *reader, const char *name, const char *what, Datum arg, bool fallback, bool *out) {
    *out = arg.kind == DATUM_NONE ? fallback : is_static_number(arg) && datum_double(arg) != 0;
    if (arg.kind != DATUM_NONE && !is_static_number(arg))
        reader_error(reader, "%s: \"%s\" is true or false, known when compiling, not %s", name, what, datum_word(reader, arg));
    return arg.kind == DATUM_NONE || is_static_number(arg);
}

static bool numbers_along(Reader *reader, const char *name, Datum x, Datum given, Value *out, uint32_t *axis) {
    *out = argument_tensor(reader, name, x);
    if (!out->id)
        return false;
    Type type = graph_type(reader->stage->graph, *out);
    if (type.rank == 0 || type.dtype == DTYPE_BOOL || type.dtype == DTYPE_U8) {
        reader_error(reader, "%s of %s: numbers along an axis expected", name, type_text(reader->arena, &type));
        return false;
    }
    return argument_axis(reader, name, given.kind == DATUM_NONE ? datum_int(-1) : given, type.rank, axis);
}

enum { FEW = 64 }; // of so many each gradient is looked for among all; of more the order is undone by its inverse, which takes another sort

Datum function_sort(Reader *reader, const char *name, const Datum *args) {
    Graph *graph = reader->stage->graph;
    Value x;
    uint32_t axis;
    bool descending;
    if (!numbers_along(reader, name, args[0], args[1], &x, &axis) || !flag(reader, name, "descending", args[2], false, &descending))
        return datum_error();
    Value order = build_argsort(graph, x, axis, descending);
    return datum_tensor(strcmp(name, "sort") ? order : build_take_along(graph, x, order, axis, graph_type(graph, x).dims[axis] > FEW));
}

// The first of the order along an axis, as positions there. Of a long axis only the first of each block can be among them: these alone are
// ordered further. They stand as they stood, so that equals keep their order.
static Value first_of_order(Graph *graph, Value x, uint32_t axis, uint32_t count, bool descending) {
    enum { BLOCK = 64, BLOCKS_MIN = 16 };
    Type type = graph_type(graph, x);
    uint32_t size = count * 4 <= BLOCK ? BLOCK : 4 * BLOCK, blocks = type.dims[axis] / size, whole = blocks * size;
    uint32_t rest = type.dims[axis] - whole;
    if (type.rank == MAX_RANK || blocks < BLOCKS_MIN)
        return build_slice(graph, build_argsort(graph, x, axis, descending), axis, 0, count, 1);
    Type split = type, places = type_with_dtype(type, DTYPE_I32);
    split.rank++;
    for (uint32_t i = axis + 2u; i < split.rank; i++)
        split.dims[i] = type.dims[i - 1];
    split.dims[axis] = blocks;
    split.dims[axis + 1] = size;
    Value block = build_reshape(graph, build_slice(graph, x, axis, 0, whole, 1), split.rank, split.dims);
    Value first = build_slice(graph, build_argsort(graph, block, axis + 1, descending), axis + 1, 0, count, 1);
    Type chosen = graph_type(graph, first);
    first = build_binary(graph, OP_add, first, build_number(graph, OP_mul, build_iota(graph, &chosen, axis), size));
    places.dims[axis] = blocks * count;
    first = build_reshape(graph, first, places.rank, places.dims);
    if (rest) {
        places.dims[axis] = rest;
        first = build_concat(graph, (Value[]){first, build_number(graph, OP_add, build_iota(graph, &places, axis), whole)}, 2, axis);
    }
    Value among = first_of_order(graph, build_take_along(graph, x, first, axis, false), axis, count, descending);
    return build_take_along(graph, first, among, axis, false);
}

Datum function_topk(Reader *reader, const char *name, const Datum *args) {
    Graph *graph = reader->stage->graph;
    Value x;
    uint32_t axis;
    int64_t count;
    bool largest;
    if (!numbers_along(reader, name, args[0], args[2], &x, &axis) || !argument_integer(reader, name, "count", args[1], 1, &count) ||
        !flag(reader, name, "largest", args[3], true, &largest))
        return datum_error();
    Type type = graph_type(graph, x);
    if (count > type.dims[axis])
        return reader_error(reader, "%s: %lld of %u, as many as %s has along axis %u", name, (long long)count, type.dims[axis], type_text(reader->arena, &type), axis);
    Value indices, values;
    if (count <= FEW) {
        indices = first_of_order(graph, x, axis, (uint32_t)count, largest);
        values = build_take_along(graph, x, indices, axis, false);
    } else {
        Value order = build_argsort(graph, x, axis, largest);
        indices = build_slice(graph, order, axis, 0, count, 1);
        values = build_slice(graph, build_take_along(graph, x, order, axis, true), axis, 0, count, 1);
    }
    NamedList *record = ARENA_NEW(reader->arena, NamedList, 1);
    array_push(reader->arena, &record->items, ((Named){"values", datum_tensor(values)}));
    array_push(reader->arena, &record->items, ((Named){"indices", datum_tensor(indices)}));
    return (Datum){.kind = DATUM_RECORD, .record = record};
}
