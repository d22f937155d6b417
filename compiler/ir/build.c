// Builders: shorthand for graph_add that inserts broadcasts, leaves out identities and passes {0} on.
#include "compiler/ir/module.h"
#include "compiler/ir/op.h"

static Value add(Graph *graph, Op op, Value x, const Attr *attrs, uint32_t attr_count) {
    return graph_add(graph, op, &x, 1, attrs, attr_count);
}

static void to_ints(int64_t *ints, uint32_t count, const uint32_t *numbers) {
    for (uint32_t i = 0; i < count; i++)
        ints[i] = numbers[i];
}

Value build_constant(Graph *graph, DType dtype, double number) {
    Attr attrs[] = {attr_number(number), attr_text(dtype_name(dtype))};
    return graph_add(graph, OP_constant, NULL, 0, attrs, 2);
}

Value build_full(Graph *graph, const Type *type, double number) {
    return build_broadcast(graph, build_constant(graph, type->dtype, number), type);
}

Value build_broadcast(Graph *graph, Value x, const Type *like) {
    if (x.id == 0)
        return x;
    Type type = graph_type(graph, x);
    if (type_same_shape(&type, like))
        return x;
    int64_t dims[MAX_RANK];
    to_ints(dims, like->rank, like->dims);
    Attr attrs[] = {attr_ints(dims, like->set ? 0 : like->rank), attr_int(like->set)};
    return add(graph, OP_broadcast, x, attrs, 2);
}

Value build_broadcast_dims(Graph *graph, Value x, uint32_t rank, const uint32_t *dims) {
    Type like = type_make(DTYPE_F32, rank, dims);
    return build_broadcast(graph, x, &like);
}

Value build_unary(Graph *graph, Op op, Value x) { return add(graph, op, x, NULL, 0); }

// NumPy's rule: right-aligned, an axis of 1 takes the other's extent. A set takes scalars only.
static bool common_shape(const Type *a, const Type *b, Type *out) {
    if (a->set || b->set) {
        *out = a->set ? *a : *b;
        return a->set == b->set || (a->set ? b->rank : a->rank) == 0;
    }
    const Type *longer = a->rank >= b->rank ? a : b, *shorter = a->rank >= b->rank ? b : a;
    *out = *longer;
    for (uint32_t i = 0; i < shorter->rank; i++) {
        uint32_t at = longer->rank - shorter->rank + i, dim = shorter->dims[i];
        if (dim != 1 && longer->dims[at] != 1 && dim != longer->dims[at])
            return false;
        if (longer->dims[at] == 1)
            out->dims[at] = dim;
    }
    return true;
}

static Value broadcast_and_add(Graph *graph, Op op, Value *args, uint32_t count) {
    Type common = {0};
    for (uint32_t i = 0; i < count; i++) {
        if (args[i].id == 0)
            return args[i];
        Type type = graph_type(graph, args[i]), wider = type;
        if (i > 0 && !common_shape(&common, &type, &wider)) {
            Node node = {.op = op};
            Type first = graph_type(graph, args[0]);
            graph_error(graph, &node, "%s and %s do not broadcast", type_text(graph->arena, i > 1 ? &common : &first),
                        type_text(graph->arena, &type));
            graph->failed = true;
            return (Value){0};
        }
        common = wider;
    }
    for (uint32_t i = 0; i < count; i++)
        args[i] = build_broadcast(graph, args[i], &common);
    return graph_add(graph, op, args, count, NULL, 0);
}

Value build_binary(Graph *graph, Op op, Value x, Value y) { return broadcast_and_add(graph, op, (Value[]){x, y}, 2); }

Value build_select(Graph *graph, Value condition, Value x, Value y) {
    return broadcast_and_add(graph, OP_select, (Value[]){condition, x, y}, 3);
}

Value build_root(Graph *graph, Value x) {
    if (x.id == 0)
        return x;
    Value zero = build_constant(graph, DTYPE_F32, 0), is_zero = build_binary(graph, OP_eq, x, zero);
    return build_select(graph, is_zero, zero, build_unary(graph, OP_sqrt, build_select(graph, is_zero, build_constant(graph, DTYPE_F32, 1), x)));
}

Value build_number(Graph *graph, Op op, Value x, double number) {
    if (x.id == 0)
        return x;
    return build_binary(graph, op, x, build_constant(graph, graph_type(graph, x).dtype, number));
}

Value build_cast(Graph *graph, Value x, DType dtype) {
    if (x.id == 0 || graph_type(graph, x).dtype == dtype)
        return x;
    switch (dtype) {
    case DTYPE_F32:
        return build_unary(graph, OP_to_f32, x);
    case DTYPE_I32:
        return build_unary(graph, OP_to_i32, x);
    case DTYPE_U32:
        return build_unary(graph, OP_to_u32, x);
    case DTYPE_BOOL:
        return build_unary(graph, OP_to_bool, x);
    case DTYPE_U8:
    case DTYPE_COUNT:
        break;
    }
    graph_bug(graph, x, "no cast to %s", dtype_name(dtype));
}

Value build_reshape(Graph *graph, Value x, uint32_t rank, const uint32_t *dims) {
    if (x.id == 0)
        return x;
    Type type = graph_type(graph, x), wanted = type_make(type.dtype, rank, dims);
    if (type_equal(&type, &wanted))
        return x;
    int64_t ints[MAX_RANK];
    to_ints(ints, rank, dims);
    return add(graph, OP_reshape, x, (Attr[]){attr_ints(ints, rank)}, 1);
}

Value build_transpose(Graph *graph, Value x, const uint32_t *order) {
    if (x.id == 0)
        return x;
    uint32_t rank = graph_type(graph, x).rank;
    int64_t ints[MAX_RANK];
    to_ints(ints, rank, order);
    bool is_identity = true;
    for (uint32_t i = 0; i < rank; i++)
        is_identity = is_identity && order[i] == i;
    return is_identity ? x : add(graph, OP_transpose, x, (Attr[]){attr_ints(ints, rank)}, 1);
}

Value build_slice(Graph *graph, Value x, uint32_t axis, int64_t start, int64_t stop, int64_t step) {
    if (x.id == 0)
        return x;
    Type type = graph_type(graph, x);
    int64_t starts[MAX_RANK] = {0}, stops[MAX_RANK], steps[MAX_RANK];
    for (uint32_t i = 0; i < type.rank; i++) {
        stops[i] = type.dims[i];
        steps[i] = 1;
    }
    if (axis >= type.rank)
        graph_bug(graph, x, "no axis %u to slice", axis);
    if (start == 0 && stop == stops[axis] && step == 1)
        return x;
    starts[axis] = start;
    stops[axis] = stop;
    steps[axis] = step;
    return add(graph, OP_slice, x, (Attr[]){attr_ints(starts, type.rank), attr_ints(stops, type.rank), attr_ints(steps, type.rank)}, 3);
}

Value build_pad(Graph *graph, Value x, const int64_t *low, const int64_t *high, const int64_t *interior) {
    if (x.id == 0)
        return x;
    static const int64_t none[MAX_RANK] = {0};
    const int64_t *amounts[] = {low ? low : none, high ? high : none, interior ? interior : none};
    uint32_t rank = graph_type(graph, x).rank;
    bool is_identity = true;
    for (uint32_t i = 0; i < 3; i++)
        for (uint32_t axis = 0; axis < rank; axis++)
            is_identity = is_identity && amounts[i][axis] == 0;
    if (is_identity)
        return x;
    return add(graph, OP_pad, x, (Attr[]){attr_ints(amounts[0], rank), attr_ints(amounts[1], rank), attr_ints(amounts[2], rank)}, 3);
}

Value build_concat(Graph *graph, const Value *parts, uint32_t count, uint32_t axis) {
    if (count == 1)
        return parts[0];
    return graph_add(graph, OP_concat, parts, count, (Attr[]){attr_int(axis)}, 1);
}

Value build_flip(Graph *graph, Value x, const int64_t *axes, uint32_t axis_count) {
    return axis_count == 0 ? x : add(graph, OP_flip, x, (Attr[]){attr_ints(axes, axis_count)}, 1);
}

Value build_gather(Graph *graph, Value data, Value index) { return graph_add(graph, OP_gather, (Value[]){data, index}, 2, NULL, 0); }

Value build_take_along(Graph *graph, Value data, Value index, uint32_t axis, bool permutes) {
    return graph_add(graph, OP_take_along, (Value[]){data, index}, 2, (Attr[]){attr_int(axis), attr_int(permutes)}, 2);
}

Value build_argsort(Graph *graph, Value x, uint32_t axis, bool descending) {
    if (x.id == 0)
        return x;
    uint32_t order[MAX_RANK], last = graph_type(graph, x).rank - 1u; // swapped with the axis: its own inverse
    for (uint32_t i = 0; i <= last; i++)
        order[i] = i == axis ? last : i == last ? axis : i;
    Value sorted = add(graph, OP_argsort, build_transpose(graph, x, order), (Attr[]){attr_int(descending)}, 1);
    return sorted.id ? build_transpose(graph, sorted, order) : sorted;
}

Value build_iota(Graph *graph, const Type *type, uint32_t axis) {
    int64_t dims[MAX_RANK];
    to_ints(dims, type->rank, type->dims);
    return graph_add(graph, OP_iota, NULL, 0, (Attr[]){attr_int(axis), attr_ints(dims, type->rank)}, 2);
}

Value build_reduce(Graph *graph, Op op, Value x, const int64_t *axes, uint32_t axis_count) {
    static const int64_t all[MAX_RANK] = {0, 1, 2, 3, 4, 5};
    if (x.id == 0)
        return x;
    uint32_t rank = graph_type(graph, x).rank;
    if (axis_count == 0) {
        if (rank == 0 && op_def(op)->reduction->result_count == 1)
            return x;
        axes = all;
        axis_count = rank;
    }
    bool takes_one = op_attr(op, 0) == ATTR_axis;
    if (takes_one && axis_count != 1)
        graph_bug(graph, x, "%s along %u axes", op_def(op)->name, axis_count);
    return add(graph, op, x, (Attr[]){takes_one ? attr_int(axes[0]) : attr_ints(axes, axis_count)}, 1);
}

Value build_sum_to(Graph *graph, Value x, const Type *like) {
    if (x.id == 0)
        return x;
    Type type = graph_type(graph, x);
    if (type_same_shape(&type, like))
        return x;
    int64_t axes[MAX_RANK];
    uint32_t count = 0, missing = (uint32_t)(type.rank - like->rank);
    for (uint32_t i = 0; i < type.rank; i++)
        if (i < missing || (like->dims[i - missing] == 1 && type.dims[i] != 1))
            axes[count++] = i;
    if (count > 0)
        x = build_reduce(graph, OP_reduce_sum, x, axes, count);
    return build_reshape(graph, x, like->rank, like->dims);
}

Value build_matmul(Graph *graph, Value a, Value b) { return graph_add(graph, OP_matmul, (Value[]){a, b}, 2, NULL, 0); }

Value build_softmax(Graph *graph, Value x, uint32_t axis) { return add(graph, OP_softmax, x, (Attr[]){attr_int(axis)}, 1); }

Value build_attention(Graph *graph, Value q, Value k, Value v, Value mask, bool causal) {
    return graph_add(graph, OP_attention, (Value[]){q, k, v, mask}, mask.id ? 4 : 3, (Attr[]){attr_int(causal)}, 1);
}

Value build_pack(Graph *graph, uint32_t set, const Value *parts, uint32_t count) {
    return graph_add(graph, OP_pack, parts, count, (Attr[]){attr_int(set)}, 1);
}

Value build_unpack(Graph *graph, Value set, uint32_t part) {
    if (set.id == 0)
        return set;
    const Node *node = graph_node(graph, set);
    if (node->op == OP_pack && part < node->arg_count)
        return node->args[part];
    return add(graph, OP_unpack, set, (Attr[]){attr_int(part)}, 1);
}

bool is_constant(const Graph *graph, Value value, double *number) {
    const Node *node = value.id ? graph_node(graph, value) : NULL;
    while (node && node->op == OP_broadcast)
        node = graph_node(graph, node->args[0]);
    if (!node || node->op != OP_constant)
        return false;
    *number = attr_of(node, ATTR_value)->number;
    return true;
}
