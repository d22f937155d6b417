// Coded rules on views and parameter sets: what changes nothing goes, what follows a view of its kind becomes one with it.
#include "compiler/ir/module.h"
#include "compiler/passes/simplify_rules.h"

#define NO_VALUE ((Value){0})

Value rule_detach(Graph *graph, Value value) { return graph_node(graph, value)->args[0]; }

Value rule_view_of_constant(Graph *graph, Value value) {
    Node node = *graph_node(graph, value);
    double number, other;
    if (node.op == OP_materialise || !is_constant(graph, node.args[0], &number))
        return NO_VALUE;
    if (node.op == OP_broadcast && graph_node(graph, node.args[0])->op == OP_constant)
        return NO_VALUE;
    if (node.op == OP_pad && number != 0)
        return NO_VALUE;
    for (uint32_t i = 1; i < node.arg_count && node.op == OP_concat; i++)
        if (!is_constant(graph, node.args[i], &other) || memcmp(&other, &number, sizeof number) != 0)
            return NO_VALUE;
    return build_full(graph, &node.type, number);
}

static bool moves_nothing(const Node *node) {
    bool still = true;
    for (uint32_t i = 0; node->op == OP_transpose && i < attr_of(node, ATTR_order)->count; i++)
        still = still && attr_of(node, ATTR_order)->ints[i] == i;
    for (uint32_t i = 0; node->op == OP_flip && i < attr_of(node, ATTR_axes)->count; i++)
        still = still && node->type.dims[attr_of(node, ATTR_axes)->ints[i]] == 1;
    return still;
}

Value rule_view_identity(Graph *graph, Value value) {
    const Node *node = graph_node(graph, value);
    if (node->op == OP_materialise || op_chooses(node->op))
        return NO_VALUE;
    Type from = graph_type(graph, node->args[0]);
    return type_equal(&from, &node->type) && moves_nothing(node) ? node->args[0] : NO_VALUE;
}

// The node that argument 0 is, when it is of this op.
static bool argument_is(const Graph *graph, const Node *node, Op op, Node *out) {
    *out = *graph_node(graph, node->args[0]);
    return out->op == op;
}

Value rule_reshape_reshape(Graph *graph, Value value) {
    Node node = *graph_node(graph, value), inner;
    return argument_is(graph, &node, OP_reshape, &inner) ? build_reshape(graph, inner.args[0], node.type.rank, node.type.dims) : NO_VALUE;
}

Value rule_transpose_transpose(Graph *graph, Value value) {
    Node node = *graph_node(graph, value), inner;
    uint32_t order[MAX_RANK];
    if (!argument_is(graph, &node, OP_transpose, &inner))
        return NO_VALUE;
    for (uint32_t i = 0; i < node.type.rank; i++)
        order[i] = (uint32_t)attr_of(&inner, ATTR_order)->ints[attr_of(&node, ATTR_order)->ints[i]];
    return build_transpose(graph, inner.args[0], order);
}

Value rule_transpose_reshape(Graph *graph, Value value) {
    Node node = *graph_node(graph, value);
    int64_t last = -1;
    for (uint32_t i = 0; i < node.type.rank; i++) {
        int64_t axis = attr_of(&node, ATTR_order)->ints[i];
        if (node.type.dims[i] == 1)
            continue;
        if (axis < last)
            return NO_VALUE;
        last = axis;
    }
    return build_reshape(graph, node.args[0], node.type.rank, node.type.dims);
}

Value rule_broadcast_reshape(Graph *graph, Value value) {
    Node node = *graph_node(graph, value);
    Type from = graph_type(graph, node.args[0]);
    double number;
    if (node.type.set || type_count(&from) != type_count(&node.type) || is_constant(graph, value, &number))
        return NO_VALUE;
    return build_reshape(graph, node.args[0], node.type.rank, node.type.dims);
}

// Do they differ by axes of 1 in front only?
static bool same_but_leading_ones(const Type *a, const Type *b) {
    const Type *longer = a->rank >= b->rank ? a : b, *shorter = a->rank >= b->rank ? b : a;
    uint32_t extra = (uint32_t)(longer->rank - shorter->rank);
    for (uint32_t i = 0; i < longer->rank; i++)
        if (longer->dims[i] != (i < extra ? 1 : shorter->dims[i - extra]))
            return false;
    return true;
}

Value rule_broadcast_broadcast(Graph *graph, Value value) {
    Node node = *graph_node(graph, value), inner;
    if (argument_is(graph, &node, OP_broadcast, &inner))
        return build_broadcast(graph, inner.args[0], &node.type);
    if (inner.op != OP_reshape)
        return NO_VALUE;
    Type from = graph_type(graph, inner.args[0]);
    if (from.rank > node.type.rank || (node.type.set && from.rank) || !same_but_leading_ones(&from, &inner.type))
        return NO_VALUE;
    return build_broadcast(graph, inner.args[0], &node.type);
}

Value rule_flip_flip(Graph *graph, Value value) {
    Node node = *graph_node(graph, value), inner;
    int64_t axes[MAX_RANK];
    uint32_t count = 0, flips = 0;
    if (!argument_is(graph, &node, OP_flip, &inner))
        return NO_VALUE;
    for (uint32_t i = 0; i < attr_of(&node, ATTR_axes)->count; i++)
        flips ^= 1u << attr_of(&node, ATTR_axes)->ints[i];
    for (uint32_t i = 0; i < attr_of(&inner, ATTR_axes)->count; i++)
        flips ^= 1u << attr_of(&inner, ATTR_axes)->ints[i];
    for (uint32_t axis = 0; axis < node.type.rank; axis++)
        if (flips >> axis & 1)
            axes[count++] = axis;
    return build_flip(graph, inner.args[0], axes, count);
}

// ---- slices and pads

typedef struct {
    int64_t start, step, count;
} Range;

static Range range_of(const Node *slice, uint32_t axis) {
    return (Range){attr_of(slice, ATTR_starts)->ints[axis], attr_of(slice, ATTR_steps)->ints[axis], slice->type.dims[axis]};
}

static int64_t range_last(Range range) { return range.start + (range.count - 1) * range.step; }

static Value slice_by(Graph *graph, Value x, const Range *ranges) {
    uint32_t rank = graph_type(graph, x).rank;
    int64_t starts[MAX_RANK], stops[MAX_RANK], steps[MAX_RANK];
    for (uint32_t i = 0; i < rank; i++) {
        starts[i] = ranges[i].start;
        stops[i] = range_last(ranges[i]) + 1;
        steps[i] = ranges[i].count > 1 ? ranges[i].step : 1;
    }
    return graph_add(graph, OP_slice, &x, 1, (Attr[]){attr_ints(starts, rank), attr_ints(stops, rank), attr_ints(steps, rank)}, 3);
}

Value rule_slice_slice(Graph *graph, Value value) {
    Node node = *graph_node(graph, value), inner;
    Range ranges[MAX_RANK];
    if (!argument_is(graph, &node, OP_slice, &inner))
        return NO_VALUE;
    for (uint32_t i = 0; i < node.type.rank; i++) {
        Range outer = range_of(&node, i), from = range_of(&inner, i);
        ranges[i] = (Range){from.start + outer.start * from.step, outer.step * from.step, outer.count};
    }
    return slice_by(graph, inner.args[0], ranges);
}

Value rule_slice_concat(Graph *graph, Value value) {
    Node node = *graph_node(graph, value), inner;
    Range ranges[MAX_RANK];
    if (!argument_is(graph, &node, OP_concat, &inner))
        return NO_VALUE;
    uint32_t axis = (uint32_t)attr_of(&inner, ATTR_axis)->integer;
    int64_t part_start = 0;
    for (uint32_t i = 0; i < node.type.rank; i++)
        ranges[i] = range_of(&node, i);
    for (uint32_t i = 0; i < inner.arg_count; i++) {
        int64_t part_end = part_start + graph_type(graph, inner.args[i]).dims[axis];
        if (ranges[axis].start >= part_start && range_last(ranges[axis]) < part_end) {
            ranges[axis].start -= part_start;
            return slice_by(graph, inner.args[i], ranges);
        }
        part_start = part_end;
    }
    return NO_VALUE;
}

Value rule_slice_pad(Graph *graph, Value value) {
    Node node = *graph_node(graph, value), inner;
    Range ranges[MAX_RANK];
    if (!argument_is(graph, &node, OP_pad, &inner))
        return NO_VALUE;
    Type from = graph_type(graph, inner.args[0]);
    for (uint32_t i = 0; i < node.type.rank; i++) {
        Range range = range_of(&node, i);
        int64_t low = attr_of(&inner, ATTR_low)->ints[i], end = low + (int64_t)(from.dims[i] - 1) * (attr_of(&inner, ATTR_interior)->ints[i] + 1);
        if (range_last(range) < low || range.start > end)
            return build_full(graph, &node.type, 0);
    }
    for (uint32_t i = 0; i < node.type.rank; i++) {
        Range range = range_of(&node, i);
        int64_t spacing = attr_of(&inner, ATTR_interior)->ints[i] + 1, low = attr_of(&inner, ATTR_low)->ints[i];
        bool fits = range.start >= low && (range.start - low) % spacing == 0 && (range.count == 1 || range.step % spacing == 0) &&
                    range_last(range) <= low + (int64_t)(from.dims[i] - 1) * spacing;
        if (!fits)
            return NO_VALUE;
        ranges[i] = (Range){(range.start - low) / spacing, range.count == 1 ? 1 : range.step / spacing, range.count};
    }
    return slice_by(graph, inner.args[0], ranges);
}

Value rule_slice_broadcast(Graph *graph, Value value) {
    Node node = *graph_node(graph, value), inner;
    Range ranges[MAX_RANK];
    if (!argument_is(graph, &node, OP_broadcast, &inner))
        return NO_VALUE;
    Type from = graph_type(graph, inner.args[0]);
    uint32_t missing = (uint32_t)(node.type.rank - from.rank);
    for (uint32_t i = 0; i < from.rank; i++)
        ranges[i] = from.dims[i] == 1 ? (Range){0, 1, 1} : range_of(&node, missing + i);
    Value sliced = from.rank ? slice_by(graph, inner.args[0], ranges) : inner.args[0];
    return build_broadcast(graph, sliced, &node.type);
}

Value rule_pad_pad(Graph *graph, Value value) {
    Node node = *graph_node(graph, value), inner;
    int64_t low[MAX_RANK], high[MAX_RANK];
    if (!argument_is(graph, &node, OP_pad, &inner))
        return NO_VALUE;
    for (uint32_t i = 0; i < node.type.rank; i++) {
        if (attr_of(&node, ATTR_interior)->ints[i])
            return NO_VALUE;
        low[i] = attr_of(&node, ATTR_low)->ints[i] + attr_of(&inner, ATTR_low)->ints[i];
        high[i] = attr_of(&node, ATTR_high)->ints[i] + attr_of(&inner, ATTR_high)->ints[i];
    }
    return build_pad(graph, inner.args[0], low, high, attr_of(&inner, ATTR_interior)->ints);
}

// ---- concat

Value rule_concat_concat(Graph *graph, Value value) {
    Node node = *graph_node(graph, value);
    ARRAY(Value) parts = {0};
    bool found = false;
    for (uint32_t i = 0; i < node.arg_count; i++) {
        Node arg = *graph_node(graph, node.args[i]);
        bool nested = arg.op == OP_concat && attr_of(&arg, ATTR_axis)->integer == attr_of(&node, ATTR_axis)->integer;
        found = found || nested;
        for (uint32_t j = 0; j < (nested ? arg.arg_count : 1u); j++)
            array_push(graph->arena, &parts, nested ? arg.args[j] : node.args[i]);
    }
    return found ? build_concat(graph, parts.items, parts.count, (uint32_t)attr_of(&node, ATTR_axis)->integer) : NO_VALUE;
}

// Two slices of one value of which the second begins where the first ends; gives the slice of both, else {0}.
static Value join_slices(Graph *graph, Value first, Value second, uint32_t axis) {
    Node a = *graph_node(graph, first), b = *graph_node(graph, second);
    Range ranges[MAX_RANK];
    if (a.op != OP_slice || b.op != OP_slice || a.args[0].id != b.args[0].id)
        return NO_VALUE;
    for (uint32_t i = 0; i < a.type.rank; i++) {
        Range range = range_of(&a, i), other = range_of(&b, i);
        ranges[i] = range;
        if (i != axis && (range.start != other.start || range.step != other.step || range.count != other.count))
            return NO_VALUE;
    }
    Range next = range_of(&b, axis);
    if ((ranges[axis].count > 1 && ranges[axis].step != 1) || (next.count > 1 && next.step != 1) ||
        next.start != range_last(ranges[axis]) + 1)
        return NO_VALUE;
    ranges[axis].step = 1;
    ranges[axis].count += next.count;
    return slice_by(graph, a.args[0], ranges);
}

Value rule_concat_slices(Graph *graph, Value value) {
    Node node = *graph_node(graph, value);
    uint32_t axis = (uint32_t)attr_of(&node, ATTR_axis)->integer;
    ARRAY(Value) parts = {0};
    array_push(graph->arena, &parts, node.args[0]);
    for (uint32_t i = 1; i < node.arg_count; i++) {
        Value joined = join_slices(graph, parts.items[parts.count - 1], node.args[i], axis);
        if (joined.id)
            parts.items[parts.count - 1] = joined;
        else
            array_push(graph->arena, &parts, node.args[i]);
    }
    return parts.count < node.arg_count ? build_concat(graph, parts.items, parts.count, axis) : NO_VALUE;
}

// ---- parameter sets

Value rule_unpack_pack(Graph *graph, Value value) {
    const Node *node = graph_node(graph, value);
    return build_unpack(graph, node->args[0], (uint32_t)attr_of(node, ATTR_part)->integer);
}

Value rule_unpack_constant(Graph *graph, Value value) {
    Node node = *graph_node(graph, value);
    double number;
    return is_constant(graph, node.args[0], &number) ? build_full(graph, &node.type, number) : NO_VALUE;
}

Value rule_pack_unpacked(Graph *graph, Value value) {
    Node node = *graph_node(graph, value), first;
    if (!argument_is(graph, &node, OP_unpack, &first) || graph_type(graph, first.args[0]).set != node.type.set)
        return NO_VALUE;
    for (uint32_t i = 0; i < node.arg_count; i++) {
        const Node *part = graph_node(graph, node.args[i]);
        if (part->op != OP_unpack || part->args[0].id != first.args[0].id || attr_of(part, ATTR_part)->integer != i)
            return NO_VALUE;
    }
    return first.args[0];
}
