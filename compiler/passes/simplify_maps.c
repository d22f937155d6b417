// Coded rules on elementwise ops: constants, broadcasts, casts, packs, pads.
#include "compiler/ir/interpret.h"
#include "compiler/passes/simplify_rules.h"
#include <float.h>
#include <math.h>

#define NO_VALUE ((Value){0})
enum { FINITE_DEPTH = 6 };

Value rule_fold_constants(Graph *graph, Value value) {
    const Node *node = graph_node(graph, value);
    double numbers[3], result = 0;
    Tensor tensors[3], out = {.type = type_scalar(node->type.dtype), .data = &result};
    const Tensor *args[3];
    for (uint32_t i = 0; i < node->arg_count; i++) {
        if (!is_constant(graph, node->args[i], &numbers[i]))
            return NO_VALUE;
        tensors[i] = (Tensor){type_scalar(graph_type(graph, node->args[i]).dtype), &numbers[i]};
        args[i] = &tensors[i];
    }
    op_def(node->op)->reference(graph, node, args, &out);
    Type type = node->type;
    return build_full(graph, &type, result);
}

// Right-aligned, the larger extent of both; where shapes fit the same result they fit each other.
static Type wider(const Type *a, const Type *b) {
    Type out = a->rank >= b->rank ? *a : *b;
    const Type *other = a->rank >= b->rank ? b : a;
    for (uint32_t i = 0; i < other->rank; i++) {
        uint32_t at = (uint32_t)(out.rank - other->rank) + i;
        out.dims[at] = out.dims[at] > other->dims[i] ? out.dims[at] : other->dims[i];
    }
    return out;
}

Value rule_sink_broadcasts(Graph *graph, Value value) {
    Node node = *graph_node(graph, value);
    Value sources[3];
    Type common = type_scalar(node.type.dtype), type = node.type;
    for (uint32_t i = 0; i < node.arg_count; i++) {
        const Node *arg = graph_node(graph, node.args[i]);
        if (arg->op != OP_broadcast)
            return NO_VALUE;
        sources[i] = arg->args[0];
        Type source = graph_type(graph, sources[i]);
        common = wider(&common, &source);
    }
    if (type_count(&common) >= type_count(&type))
        return NO_VALUE;
    for (uint32_t i = 0; i < node.arg_count; i++)
        sources[i] = build_broadcast(graph, sources[i], &common);
    return build_broadcast(graph, graph_add(graph, node.op, sources, node.arg_count, NULL, 0), &type);
}

Value rule_constant_last(Graph *graph, Value value) {
    Node node = *graph_node(graph, value);
    double number;
    if (!op_def(node.op)->commutes || !is_constant(graph, node.args[0], &number) || is_constant(graph, node.args[1], &number))
        return NO_VALUE;
    return build_binary(graph, node.op, node.args[1], node.args[0]);
}

// Known to be finite: integers, draws and what is made of constants; not states and feeds, which may hold anything, nor what may overflow.
// `depth`: how many nodes are looked through, as a long chain is not worth it.
static bool is_finite(const Graph *graph, Value value, uint32_t depth) {
    const Node *node = graph_node(graph, value);
    if (node->type.dtype != DTYPE_F32)
        return true;
    if (depth == 0)
        return false;
    switch ((int)node->op) {
    case OP_constant:
        return isfinite(attr_of(node, ATTR_value)->number);
    case OP_random_normal:
    case OP_random_uniform:
    case OP_to_f32:
    case OP_sign:
        return true;
    case OP_broadcast:
    case OP_reshape:
    case OP_transpose:
    case OP_neg:
        return is_finite(graph, node->args[0], depth - 1);
    case OP_select:
        return is_finite(graph, node->args[1], depth - 1) && is_finite(graph, node->args[2], depth - 1);
    }
    return false;
}

Value rule_multiply_by_zero(Graph *graph, Value value) {
    Node node = *graph_node(graph, value);
    double number;
    if (!is_constant(graph, node.args[1], &number) || number != 0 || !is_finite(graph, node.args[0], FINITE_DEPTH))
        return NO_VALUE;
    return build_full(graph, &node.type, 0);
}

Value rule_multiply_by_choice(Graph *graph, Value value) {
    Node node = *graph_node(graph, value);
    for (uint32_t i = 0; i < 2; i++) {
        Node choice = *graph_node(graph, node.args[i]);
        double yes, no;
        if (choice.op != OP_select || !is_constant(graph, choice.args[1], &yes) || !is_constant(graph, choice.args[2], &no) || yes != 1 || no != 0)
            continue;
        if (is_finite(graph, node.args[!i], FINITE_DEPTH))
            return build_select(graph, choice.args[0], node.args[!i], choice.args[2]);
    }
    return NO_VALUE;
}

// A number of at least 0 times x, or 0.
static bool is_slope_of(const Graph *graph, Value value, Value x) {
    const Node *node = graph_node(graph, value);
    double number;
    if (is_constant(graph, value, &number))
        return number == 0;
    return node->op == OP_mul && node->args[0].id == x.id && is_constant(graph, node->args[1], &number) && number >= 0;
}

enum { CHOICE_NODES = 16 }; // behind a condition, among which what an activation chooses by it stands

// relu(x) or leaky_relu(x), if it exists: x where it is greater than 0, else no more than 0 or NaN.
static Value chosen_by(const Graph *graph, Value condition) {
    const Node *compared = graph_node(graph, condition);
    Value x = compared->args[0];
    uint32_t kept = compared->op == OP_gt ? 1 : 2; // the argument of select that is x
    for (uint32_t id = condition.id + 1; id < graph->nodes.count && id <= condition.id + CHOICE_NODES; id++) {
        const Node *node = &graph->nodes.items[id];
        if (node->op == OP_select && node->args[0].id == condition.id && node->args[kept].id == x.id && is_slope_of(graph, node->args[3 - kept], x))
            return (Value){id};
    }
    return (Value){0};
}

Value rule_condition_of_result(Graph *graph, Value value) {
    Node node = *graph_node(graph, value), condition = *graph_node(graph, node.args[0]);
    double number;
    if ((condition.op != OP_le && condition.op != OP_gt) || !is_constant(graph, condition.args[1], &number) || number != 0)
        return NO_VALUE;
    Value x = condition.args[0], result = chosen_by(graph, node.args[0]);
    if (!result.id || result.id >= value.id || node.args[1].id == x.id || node.args[2].id == x.id)
        return NO_VALUE;
    return build_select(graph, build_number(graph, condition.op, result, 0), node.args[1], node.args[2]);
}

Value rule_divide_by_constant(Graph *graph, Value value) {
    Node node = *graph_node(graph, value);
    double number;
    if (!is_constant(graph, node.args[1], &number) || isnan(number))
        return NO_VALUE;
    if (number != 0 && !isinf(number) && (fabs(number) < 1e-30 || fabs(number) > 1e30))
        return NO_VALUE;
    return build_number(graph, OP_mul, node.args[0], 1 / number); // also by 0, which drivers fold: what is times infinity is the same
}

// value = x op constant
static bool split_constant(const Graph *graph, Value value, Op op, Value *x, double *number) {
    const Node *node = graph_node(graph, value);
    if (node->op != op || node->type.dtype != DTYPE_F32 || !is_constant(graph, node->args[1], number))
        return false;
    *x = node->args[0];
    return true;
}

// Of a product or sum of constants: an f32 of full precision, not one that x would not have met on the way.
static bool is_normal(double number) { return fabs(number) >= FLT_MIN && fabs(number) <= FLT_MAX; }

Value rule_scale_scaled(Graph *graph, Value value) {
    Value inner, x;
    double a, b;
    if (!split_constant(graph, value, OP_mul, &inner, &b) || !split_constant(graph, inner, OP_mul, &x, &a))
        return NO_VALUE;
    return is_normal(a) && is_normal(b) && is_normal(a * b) ? build_number(graph, OP_mul, x, a * b) : NO_VALUE;
}

Value rule_shift_shifted(Graph *graph, Value value) {
    Value inner, x;
    double a, b;
    if (!split_constant(graph, value, OP_add, &inner, &b) || !split_constant(graph, inner, OP_add, &x, &a))
        return NO_VALUE;
    return fabs(a) <= FLT_MAX && fabs(b) <= FLT_MAX && fabs(a + b) <= FLT_MAX ? build_number(graph, OP_add, x, a + b) : NO_VALUE;
}

Value rule_scale_negated(Graph *graph, Value value) {
    Value x;
    double a;
    return split_constant(graph, graph_node(graph, value)->args[0], OP_mul, &x, &a) ? build_number(graph, OP_mul, x, -a) : NO_VALUE;
}

static bool is_cast(Op op) { return op == OP_to_f32 || op == OP_to_i32 || op == OP_to_u32; }

Value rule_cast_same(Graph *graph, Value value) {
    Node node = *graph_node(graph, value);
    const Node *arg = graph_node(graph, node.args[0]);
    if (arg->type.dtype == node.type.dtype)
        return node.args[0];
    DType inner = is_cast(arg->op) ? graph_type(graph, arg->args[0]).dtype : DTYPE_F32;
    return inner == DTYPE_BOOL || inner == DTYPE_U8 ? build_unary(graph, node.op, arg->args[0]) : NO_VALUE;
}

Value rule_add_packs(Graph *graph, Value value) {
    Node node = *graph_node(graph, value), a = *graph_node(graph, node.args[0]), b = *graph_node(graph, node.args[1]);
    if (a.op != OP_pack || b.op != OP_pack)
        return NO_VALUE;
    Value *parts = ARENA_NEW(graph->arena, Value, a.arg_count);
    for (uint32_t i = 0; i < a.arg_count; i++)
        parts[i] = build_binary(graph, OP_add, a.args[i], b.args[i]);
    return build_pack(graph, node.type.set, parts, a.arg_count);
}

// The only axis in which two paddings without interior differ, or -1.
static int32_t differing_axis(const Node *a, const Node *b, const Type *a_type, const Type *b_type) {
    int32_t axis = -1;
    for (uint32_t i = 0; i < a->type.rank; i++) {
        if (attr_of(a, ATTR_interior)->ints[i] || attr_of(b, ATTR_interior)->ints[i])
            return -1;
        if (attr_of(a, ATTR_low)->ints[i] == attr_of(b, ATTR_low)->ints[i] && a_type->dims[i] == b_type->dims[i])
            continue;
        if (axis >= 0)
            return -1;
        axis = (int32_t)i;
    }
    return axis;
}

Value rule_join_pads(Graph *graph, Value value) {
    Node node = *graph_node(graph, value), a = *graph_node(graph, node.args[0]), b = *graph_node(graph, node.args[1]);
    if (a.op != OP_pad || b.op != OP_pad)
        return NO_VALUE;
    Type a_type = graph_type(graph, a.args[0]), b_type = graph_type(graph, b.args[0]);
    int32_t axis = differing_axis(&a, &b, &a_type, &b_type);
    if (axis < 0)
        return NO_VALUE;
    if (attr_of(&a, ATTR_low)->ints[axis] > attr_of(&b, ATTR_low)->ints[axis]) {
        Node other = a;
        a = b;
        b = other;
        a_type = b_type;
    }
    if (attr_of(&a, ATTR_low)->ints[axis] + a_type.dims[axis] != attr_of(&b, ATTR_low)->ints[axis])
        return NO_VALUE;
    int64_t high[MAX_RANK];
    memcpy(high, attr_of(&a, ATTR_high)->ints, node.type.rank * sizeof *high);
    high[axis] = attr_of(&b, ATTR_high)->ints[axis];
    Value both = build_concat(graph, (Value[]){a.args[0], b.args[0]}, 2, (uint32_t)axis);
    return build_pad(graph, both, attr_of(&a, ATTR_low)->ints, high, NULL);
}
