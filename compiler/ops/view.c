// Views with one argument, and concat: the result's elements are the arguments', under other indices.
#include "compiler/ops/ops.h"

#define NO_GRADIENT ((Value){0})

// Copies a block of out's shape: element index i of out is base + sum of i[a] strides[a] in `from`. The innermost axis is a plain loop.
static void copy_strided(const double *from, int64_t base, const int64_t *strides, const Type *shape, double *to) {
    uint32_t index[MAX_RANK] = {0}, inner_axis = shape->rank ? shape->rank - 1u : 0;
    uint32_t inner = shape->rank ? shape->dims[inner_axis] : 1;
    int64_t step = shape->rank ? strides[inner_axis] : 1;
    Type outer = *shape;
    outer.rank = (uint8_t)(shape->rank ? shape->rank - 1 : 0);
    do {
        int64_t at = base;
        for (uint32_t axis = 0; axis < outer.rank; axis++)
            at += (int64_t)index[axis] * strides[axis];
        for (uint32_t i = 0; i < inner; i++)
            to[i] = from[at + i * step];
        to += inner;
    } while (next_index(&outer, index));
}

static void signed_strides(const Type *type, int64_t *strides) {
    uint64_t unsigned_strides[MAX_RANK];
    row_major_strides(type, unsigned_strides);
    for (uint32_t i = 0; i < type->rank; i++)
        strides[i] = (int64_t)unsigned_strides[i];
}

static bool needs_count(Graph *graph, const Node *node, const Attr *attr, const char *name, uint32_t rank) {
    if (attr->count != rank)
        return graph_error(graph, node, "%s has %u numbers for the %u axes of %s", name, attr->count, rank, shown(graph, node->args[0]));
    return true;
}

// ---- broadcast

static bool infer_broadcast(Graph *graph, const Node *node, Type *out) {
    Type from = arg_type(graph, node, 0);
    int64_t set = attr_of(node, ATTR_set)->integer;
    if (!needs_plain(graph, node, 0))
        return false;
    if (set != 0) {
        if (!graph->module || set < 0 || set > graph->module->sets.count)
            return graph_error(graph, node, "no parameter set %lld", (long long)set);
        if (from.rank != 0)
            return graph_error(graph, node, "only a scalar spreads over a parameter set, got %s", shown(graph, node->args[0]));
        *out = (Type){.dtype = from.dtype, .rank = 1, .set = (uint16_t)set, .dims = {(uint32_t)graph->module->sets.items[set - 1].count}};
        return true;
    }
    if (!shape_from_ints(graph, node, from.dtype, attr_of(node, ATTR_dims), out))
        return false;
    bool fits = from.rank <= out->rank;
    for (uint32_t i = 0; fits && i < from.rank; i++)
        fits = from.dims[i] == 1 || from.dims[i] == out->dims[out->rank - from.rank + i];
    return fits || graph_error(graph, node, "%s does not broadcast to %s", shown(graph, node->args[0]), type_text(graph->arena, out));
}

static void vjp_broadcast(Graph *graph, Value out, Value grad, Value *grads) {
    Type type = graph_type(graph, graph_node(graph, out)->args[0]);
    grads[0] = build_sum_to(graph, grad, &type);
}

static void reference_broadcast(const Graph *graph, const Node *node, const Tensor *const *args, Tensor *out) {
    (void)graph, (void)node;
    int64_t own[MAX_RANK], strides[MAX_RANK] = {0};
    const Type *from = &args[0]->type;
    signed_strides(from, own);
    for (uint32_t i = 0; i < from->rank; i++)
        strides[out->type.rank - from->rank + i] = from->dims[i] == 1 ? 0 : own[i];
    copy_strided(args[0]->data, 0, strides, &out->type, out->data);
}

const OpDef op_broadcast = {
    .name = "broadcast",
    .summary = "repeats along axes of 1 and missing axes in front",
    .op_class = CLASS_VIEW,
    .arg_count = 1,
    .infer = infer_broadcast,
    .vjp = vjp_broadcast,
    .reference = reference_broadcast,
    .example_count = 5,
    .examples = {{{F32(3)}, 1, {EXAMPLE_INTS(2, 4, 3), EXAMPLE_INT(0)}, -2, 2, 0},
                 {{F32(2, 1, 3, 1)}, 1, {EXAMPLE_INTS(2, 4, 3, 5), EXAMPLE_INT(0)}, -2, 2, 0},
                 {{F32_SCALAR}, 1, {EXAMPLE_INTS(2, 3), EXAMPLE_INT(0)}, -2, 2, 0},
                 {{F32_SCALAR}, 1, {EXAMPLE_NO_INTS, EXAMPLE_INT(1)}, -2, 2, 0},
                 {{I32(1)}, 1, {EXAMPLE_INTS(6), EXAMPLE_INT(0)}, -9, 9, 0}},
};

// ---- reshape

static bool infer_reshape(Graph *graph, const Node *node, Type *out) {
    Type from = arg_type(graph, node, 0);
    if (!needs_plain(graph, node, 0) || !shape_from_ints(graph, node, from.dtype, attr_of(node, ATTR_dims), out))
        return false;
    if (type_count(&from) != type_count(out))
        return graph_error(graph, node, "%s has %llu elements, %s would have %llu", shown(graph, node->args[0]),
                           (unsigned long long)type_count(&from), type_text(graph->arena, out), (unsigned long long)type_count(out));
    return true;
}

static void vjp_reshape(Graph *graph, Value out, Value grad, Value *grads) {
    Type type = graph_type(graph, graph_node(graph, out)->args[0]);
    grads[0] = build_reshape(graph, grad, type.rank, type.dims);
}

static void reference_reshape(const Graph *graph, const Node *node, const Tensor *const *args, Tensor *out) {
    (void)graph, (void)node;
    memcpy(out->data, args[0]->data, type_count(&out->type) * sizeof *out->data);
}

const OpDef op_reshape = {
    .name = "reshape",
    .summary = "other axes, the same elements in row-major order",
    .op_class = CLASS_VIEW,
    .arg_count = 1,
    .infer = infer_reshape,
    .vjp = vjp_reshape,
    .reference = reference_reshape,
    .example_count = 4,
    .examples = {{{F32(2, 3, 4)}, 1, {EXAMPLE_INTS(6, 4)}, -2, 2, 0},
                 {{F32(2, 3, 2, 2)}, 1, {EXAMPLE_INTS(2, 12)}, -2, 2, 0},
                 {{F32(1, 1)}, 1, {EXAMPLE_NO_INTS}, -2, 2, 0},
                 {{I32(6)}, 1, {EXAMPLE_INTS(3, 2)}, -9, 9, 0}},
};

// ---- transpose

static bool infer_transpose(Graph *graph, const Node *node, Type *out) {
    Type from = arg_type(graph, node, 0);
    const Attr *order = attr_of(node, ATTR_order);
    if (!needs_plain(graph, node, 0) || !needs_count(graph, node, order, "order", from.rank))
        return false;
    *out = from;
    uint32_t seen = 0;
    for (uint32_t i = 0; i < from.rank; i++) {
        if (order->ints[i] < 0 || order->ints[i] >= from.rank || (seen >> order->ints[i] & 1))
            return graph_error(graph, node, "order must name each axis of %s once", shown(graph, node->args[0]));
        seen |= 1u << order->ints[i];
        out->dims[i] = from.dims[order->ints[i]];
    }
    return true;
}

static void vjp_transpose(Graph *graph, Value out, Value grad, Value *grads) {
    const Node *node = graph_node(graph, out);
    uint32_t inverse[MAX_RANK] = {0};
    for (uint32_t i = 0; i < node->type.rank; i++)
        inverse[attr_of(node, ATTR_order)->ints[i]] = i;
    grads[0] = build_transpose(graph, grad, inverse);
}

static void reference_transpose(const Graph *graph, const Node *node, const Tensor *const *args, Tensor *out) {
    (void)graph;
    int64_t own[MAX_RANK], strides[MAX_RANK];
    signed_strides(&args[0]->type, own);
    for (uint32_t i = 0; i < out->type.rank; i++)
        strides[i] = own[attr_of(node, ATTR_order)->ints[i]];
    copy_strided(args[0]->data, 0, strides, &out->type, out->data);
}

const OpDef op_transpose = {
    .name = "transpose",
    .summary = "axes in another order",
    .op_class = CLASS_VIEW,
    .arg_count = 1,
    .infer = infer_transpose,
    .vjp = vjp_transpose,
    .reference = reference_transpose,
    .example_count = 3,
    .examples = {{{F32(2, 3)}, 1, {EXAMPLE_INTS(1, 0)}, -2, 2, 0},
                 {{F32(2, 3, 4, 5)}, 1, {EXAMPLE_INTS(0, 2, 3, 1)}, -2, 2, 0},
                 {{F32(3, 1, 2)}, 1, {EXAMPLE_INTS(2, 0, 1)}, -2, 2, 0}},
};

// ---- slice and pad, each other's adjoints

static bool infer_slice(Graph *graph, const Node *node, Type *out) {
    Type from = arg_type(graph, node, 0);
    const Attr *starts = attr_of(node, ATTR_starts), *stops = attr_of(node, ATTR_stops), *steps = attr_of(node, ATTR_steps);
    if (!needs_plain(graph, node, 0) || !needs_count(graph, node, starts, "starts", from.rank) ||
        !needs_count(graph, node, stops, "stops", from.rank) || !needs_count(graph, node, steps, "steps", from.rank))
        return false;
    *out = from;
    for (uint32_t i = 0; i < from.rank; i++) {
        int64_t start = starts->ints[i], stop = stops->ints[i], step = steps->ints[i];
        if (start < 0 || stop > from.dims[i] || start >= stop || step < 1 || step > ELEMENTS_MAX)
            return graph_error(graph, node, "%lld:%lld:%lld takes nothing, or more than there is, from axis %u of %s", (long long)start,
                               (long long)stop, (long long)step, i, shown(graph, node->args[0]));
        out->dims[i] = (uint32_t)((stop - start - 1) / step + 1);
    }
    return true;
}

static void vjp_slice(Graph *graph, Value out, Value grad, Value *grads) {
    const Node *node = graph_node(graph, out);
    Type type = graph_type(graph, node->args[0]);
    int64_t low[MAX_RANK], high[MAX_RANK], interior[MAX_RANK];
    for (uint32_t i = 0; i < type.rank; i++) {
        int64_t step = attr_of(node, ATTR_steps)->ints[i];
        low[i] = attr_of(node, ATTR_starts)->ints[i];
        interior[i] = node->type.dims[i] > 1 ? step - 1 : 0;
        high[i] = (int64_t)type.dims[i] - (low[i] + (int64_t)(node->type.dims[i] - 1) * step + 1);
    }
    grads[0] = build_pad(graph, grad, low, high, interior);
}

static void reference_slice(const Graph *graph, const Node *node, const Tensor *const *args, Tensor *out) {
    (void)graph;
    int64_t strides[MAX_RANK], base = 0;
    signed_strides(&args[0]->type, strides);
    for (uint32_t i = 0; i < out->type.rank; i++) {
        base += attr_of(node, ATTR_starts)->ints[i] * strides[i];
        strides[i] *= attr_of(node, ATTR_steps)->ints[i];
    }
    copy_strided(args[0]->data, base, strides, &out->type, out->data);
}

const OpDef op_slice = {
    .name = "slice",
    .summary = "every step-th element from start to before stop, per axis",
    .op_class = CLASS_VIEW,
    .arg_count = 1,
    .infer = infer_slice,
    .vjp = vjp_slice,
    .reference = reference_slice,
    .example_count = 4,
    .examples = {{{F32(7)}, 1, {EXAMPLE_INTS(2), EXAMPLE_INTS(6), EXAMPLE_INTS(1)}, -2, 2, 0},
                 {{F32(3, 8)}, 1, {EXAMPLE_INTS(0, 1), EXAMPLE_INTS(3, 7), EXAMPLE_INTS(2, 3)}, -2, 2, 0},
                 {{F32(2, 6, 3, 3)}, 1, {EXAMPLE_INTS(0, 4, 0, 0), EXAMPLE_INTS(2, 6, 3, 3), EXAMPLE_INTS(1, 1, 1, 1)}, -2, 2, 0},
                 {{I32(5, 2)}, 1, {EXAMPLE_INTS(4, 0), EXAMPLE_INTS(5, 2), EXAMPLE_INTS(1, 1)}, -9, 9, 0}},
};

static bool infer_pad(Graph *graph, const Node *node, Type *out) {
    Type from = arg_type(graph, node, 0);
    const Attr *low = attr_of(node, ATTR_low), *high = attr_of(node, ATTR_high), *interior = attr_of(node, ATTR_interior);
    if (!needs_plain(graph, node, 0) || !needs_count(graph, node, low, "low", from.rank) ||
        !needs_count(graph, node, high, "high", from.rank) || !needs_count(graph, node, interior, "interior", from.rank))
        return false;
    int64_t dims[MAX_RANK];
    for (uint32_t i = 0; i < from.rank; i++) {
        int64_t amounts[] = {low->ints[i], high->ints[i], interior->ints[i]};
        for (uint32_t j = 0; j < 3; j++)
            if (amounts[j] < 0 || amounts[j] > ELEMENTS_MAX)
                return graph_error(graph, node, "padding of axis %u is %lld, %s expected", i, (long long)amounts[j],
                                   text_bound(graph->arena, amounts[j], 0, ELEMENTS_MAX));
        dims[i] = amounts[0] + amounts[1] + from.dims[i] + (int64_t)(from.dims[i] - 1) * amounts[2];
    }
    return shape_from_ints(graph, node, from.dtype, &(Attr){.kind = ATTR_INTS, .ints = dims, .count = from.rank}, out);
}

static void vjp_pad(Graph *graph, Value out, Value grad, Value *grads) {
    const Node *node = graph_node(graph, out);
    Type type = graph_type(graph, node->args[0]);
    int64_t starts[MAX_RANK], stops[MAX_RANK], steps[MAX_RANK];
    for (uint32_t i = 0; i < type.rank; i++) {
        starts[i] = attr_of(node, ATTR_low)->ints[i];
        steps[i] = attr_of(node, ATTR_interior)->ints[i] + 1;
        stops[i] = starts[i] + (int64_t)(type.dims[i] - 1) * steps[i] + 1;
    }
    Attr attrs[] = {attr_ints(starts, type.rank), attr_ints(stops, type.rank), attr_ints(steps, type.rank)};
    grads[0] = graph_add(graph, OP_slice, &grad, 1, attrs, 3);
}

static void reference_pad(const Graph *graph, const Node *node, const Tensor *const *args, Tensor *out) {
    (void)graph;
    const Type *from = &args[0]->type;
    int64_t strides[MAX_RANK], base = 0;
    uint32_t index[MAX_RANK] = {0};
    signed_strides(&out->type, strides);
    for (uint32_t i = 0; i < from->rank; i++) {
        base += attr_of(node, ATTR_low)->ints[i] * strides[i];
        strides[i] *= attr_of(node, ATTR_interior)->ints[i] + 1;
    }
    const double *data = args[0]->data;
    do {
        int64_t at = base;
        for (uint32_t i = 0; i < from->rank; i++)
            at += index[i] * strides[i];
        out->data[at] = *data++;
    } while (next_index(from, index));
}

const OpDef op_pad = {
    .name = "pad",
    .summary = "zeros before, after and between elements, per axis",
    .op_class = CLASS_VIEW,
    .arg_count = 1,
    .infer = infer_pad,
    .vjp = vjp_pad,
    .reference = reference_pad,
    .example_count = 4,
    .examples = {{{F32(3)}, 1, {EXAMPLE_INTS(1), EXAMPLE_INTS(2), EXAMPLE_INTS(0)}, -2, 2, 0},
                 {{F32(2, 3)}, 1, {EXAMPLE_INTS(0, 1), EXAMPLE_INTS(1, 0), EXAMPLE_INTS(0, 2)}, -2, 2, 0},
                 {{F32(1, 2, 3, 3)}, 1, {EXAMPLE_INTS(0, 0, 1, 1), EXAMPLE_INTS(0, 3, 1, 1), EXAMPLE_INTS(0, 0, 1, 1)}, -2, 2, 0},
                 {{I32(1)}, 1, {EXAMPLE_INTS(2), EXAMPLE_INTS(0), EXAMPLE_INTS(3)}, -9, 9, 0}},
};

// ---- concat

static bool infer_concat(Graph *graph, const Node *node, Type *out) {
    Type first = arg_type(graph, node, 0);
    int64_t axis = attr_of(node, ATTR_axis)->integer;
    if (axis < 0 || axis >= first.rank)
        return graph_error(graph, node, "no axis %lld in %s", (long long)axis, shown(graph, node->args[0]));
    int64_t dims[MAX_RANK];
    for (uint32_t i = 0; i < first.rank; i++)
        dims[i] = i == axis ? 0 : first.dims[i];
    for (uint32_t arg = 0; arg < node->arg_count; arg++) {
        Type type = arg_type(graph, node, arg);
        dims[axis] += type.dims[axis];
        type.dims[axis] = first.dims[axis];
        if (!needs_plain(graph, node, arg))
            return false;
        if (!type_equal(&type, &first))
            return graph_error(graph, node, "%s and %s differ in more than axis %lld", shown(graph, node->args[0]),
                               shown(graph, node->args[arg]), (long long)axis);
    }
    return shape_from_ints(graph, node, first.dtype, &(Attr){.kind = ATTR_INTS, .ints = dims, .count = first.rank}, out);
}

static void vjp_concat(Graph *graph, Value out, Value grad, Value *grads) {
    Node node = *graph_node(graph, out);
    uint32_t axis = (uint32_t)attr_of(&node, ATTR_axis)->integer, start = 0;
    for (uint32_t arg = 0; arg < node.arg_count; arg++) {
        uint32_t extent = graph_type(graph, node.args[arg]).dims[axis];
        grads[arg] = build_slice(graph, grad, axis, start, start + extent, 1);
        start += extent;
    }
}

static void reference_concat(const Graph *graph, const Node *node, const Tensor *const *args, Tensor *out) {
    (void)graph;
    uint32_t axis = (uint32_t)attr_of(node, ATTR_axis)->integer;
    uint64_t outer = 1, inner = 1, start = 0;
    for (uint32_t i = 0; i < out->type.rank; i++)
        *(i < axis ? &outer : &inner) *= i == axis ? 1 : out->type.dims[i];
    uint64_t row = out->type.dims[axis] * inner;
    for (uint32_t arg = 0; arg < node->arg_count; arg++) {
        uint64_t piece = args[arg]->type.dims[axis] * inner;
        for (uint64_t i = 0; i < outer; i++)
            memcpy(out->data + i * row + start, args[arg]->data + i * piece, piece * sizeof *out->data);
        start += piece;
    }
}

const OpDef op_concat = {
    .name = "concat",
    .summary = "tensors one after the other along an axis",
    .op_class = CLASS_VIEW,
    .arg_count = ANY_COUNT,
    .infer = infer_concat,
    .vjp = vjp_concat,
    .reference = reference_concat,
    .example_count = 4,
    .examples = {{{F32(2, 3), F32(2, 1), F32(2, 2)}, 3, {EXAMPLE_INT(1)}, -2, 2, 0},
                 {{F32(2, 3), F32(1, 3)}, 2, {EXAMPLE_INT(0)}, -2, 2, 0},
                 {{F32(2, 5, 3, 3), F32(2, 4, 3, 3)}, 2, {EXAMPLE_INT(1)}, -2, 2, 0},
                 {{I32(2), I32(3), I32(1), I32(1)}, 4, {EXAMPLE_INT(0)}, -9, 9, 0}},
};

// ---- flip

static bool infer_flip(Graph *graph, const Node *node, Type *out) {
    *out = arg_type(graph, node, 0);
    if (!needs_plain(graph, node, 0))
        return false;
    const Attr *axes = attr_of(node, ATTR_axes);
    for (uint32_t i = 0; i < axes->count; i++)
        if (axes->ints[i] < 0 || axes->ints[i] >= out->rank || (i > 0 && axes->ints[i] <= axes->ints[i - 1]))
            return graph_error(graph, node, "axes must be axes of %s, ascending", shown(graph, node->args[0]));
    return true;
}

static void vjp_flip(Graph *graph, Value out, Value grad, Value *grads) {
    const Node *node = graph_node(graph, out);
    grads[0] = build_flip(graph, grad, attr_of(node, ATTR_axes)->ints, attr_of(node, ATTR_axes)->count);
}

static void reference_flip(const Graph *graph, const Node *node, const Tensor *const *args, Tensor *out) {
    (void)graph;
    int64_t strides[MAX_RANK], base = 0;
    signed_strides(&out->type, strides);
    for (uint32_t i = 0; i < attr_of(node, ATTR_axes)->count; i++) {
        int64_t axis = attr_of(node, ATTR_axes)->ints[i];
        base += (out->type.dims[axis] - 1) * strides[axis];
        strides[axis] = -strides[axis];
    }
    copy_strided(args[0]->data, base, strides, &out->type, out->data);
}

const OpDef op_flip = {
    .name = "flip",
    .summary = "axes backwards",
    .op_class = CLASS_VIEW,
    .arg_count = 1,
    .infer = infer_flip,
    .vjp = vjp_flip,
    .reference = reference_flip,
    .example_count = 3,
    .examples = {{{F32(5)}, 1, {EXAMPLE_INTS(0)}, -2, 2, 0},
                 {{F32(2, 3, 4)}, 1, {EXAMPLE_INTS(0, 2)}, -2, 2, 0},
                 {{I32(2, 3)}, 1, {EXAMPLE_INTS(1)}, -9, 9, 0}},
};
