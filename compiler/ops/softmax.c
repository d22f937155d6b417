// Softmax.
#include "compiler/ops/softmax.h"
#include "compiler/ops/ops.h"

Value softmax_shifted(Graph *graph, Value x, uint32_t axis) {
    if (!x.id)
        return x;
    Type kept = graph_type(graph, x);
    kept.dims[axis] = 1;
    Value largest = build_reduce(graph, OP_reduce_max, x, (int64_t[]){axis}, 1);
    largest = graph_add(graph, OP_detach, &largest, 1, NULL, 0);
    return build_binary(graph, OP_sub, x, build_reshape(graph, largest, kept.rank, kept.dims));
}

Value softmax_sum_of_exp(Graph *graph, Value shifted, uint32_t axis) {
    if (!shifted.id)
        return shifted;
    Type kept = graph_type(graph, shifted);
    kept.dims[axis] = 1;
    return build_reshape(graph, build_reduce(graph, OP_reduce_sum, build_unary(graph, OP_exp, shifted), (int64_t[]){axis}, 1), kept.rank, kept.dims);
}

static bool infer(Graph *graph, const Node *node, Type *out) {
    int64_t axis = attr_of(node, ATTR_axis)->integer;
    if (!needs_f32(graph, node, 0))
        return false;
    *out = arg_type(graph, node, 0);
    return (axis >= 0 && axis < out->rank) || graph_error(graph, node, "there is no axis %lld in %s", (long long)axis, shown(graph, node->args[0]));
}

static Value expand(Graph *graph, const Node *node) {
    uint32_t axis = (uint32_t)attr_of(node, ATTR_axis)->integer;
    Value shifted = softmax_shifted(graph, node->args[0], axis);
    return build_binary(graph, OP_div, build_unary(graph, OP_exp, shifted), softmax_sum_of_exp(graph, shifted, axis));
}

const OpDef op_softmax = {
    .name = "softmax",
    .summary = "e^x / sum of e^x along an axis, for x of any size",
    .op_class = CLASS_COMPOSITE,
    .arg_count = 1,
    .infer = infer,
    .expand = expand,
    .example_count = 3,
    .examples = {{.args = {F32(3, 5)}, .arg_count = 1, .attrs = {EXAMPLE_INT(1)}, .low = -2, .high = 2},
                 {.args = {F32(2, 7, 3)}, .arg_count = 1, .attrs = {EXAMPLE_INT(1)}, .low = -2, .high = 2},
                 {.args = {F32(4, 2)}, .arg_count = 1, .attrs = {EXAMPLE_INT(0)}, .low = -30, .high = 30}},
};
