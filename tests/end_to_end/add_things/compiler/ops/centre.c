// Centre: x less its mean along an axis.
#include "compiler/ops/ops.h"

static bool infer(Graph *graph, const Node *node, Type *out) {
    int64_t axis = attr_of(node, ATTR_axis)->integer;
    if (!needs_f32(graph, node, 0))
        return false;
    *out = arg_type(graph, node, 0);
    return (axis >= 0 && axis < out->rank) || graph_error(graph, node, "there is no axis %lld in %s", (long long)axis, shown(graph, node->args[0]));
}

static Value expand(Graph *graph, const Node *node) {
    int64_t axis = attr_of(node, ATTR_axis)->integer;
    Type kept = graph_type(graph, node->args[0]);
    double extent = kept.dims[axis];
    kept.dims[axis] = 1;
    Value sum = build_reshape(graph, build_reduce(graph, OP_reduce_sum, node->args[0], &axis, 1), kept.rank, kept.dims);
    return build_binary(graph, OP_sub, node->args[0], build_number(graph, OP_div, sum, extent));
}

const OpDef op_centre = {
    .name = "centre",
    .summary = "x less its mean along an axis",
    .op_class = CLASS_COMPOSITE,
    .arg_count = 1,
    .infer = infer,
    .expand = expand,
    .example_count = 2,
    .examples = {{.args = {F32(3, 5)}, .arg_count = 1, .attrs = {EXAMPLE_INT(1)}, .low = -2, .high = 2},
                 {.args = {F32(4, 3, 2)}, .arg_count = 1, .attrs = {EXAMPLE_INT(0)}, .low = -2, .high = 2}},
};
