// Materialise: the same value, in memory of its own. The layout pass puts it where an operand, a part or an output needs another layout.
#include "compiler/ops/ops.h"

static bool infer_materialise(Graph *graph, const Node *node, Type *out) {
    *out = arg_type(graph, node, 0);
    const Attr *order = attr_of(node, ATTR_order);
    uint32_t seen = 0;
    for (uint32_t i = 0; i < order->count; i++)
        seen |= order->ints[i] >= 0 && order->ints[i] < out->rank ? 1u << order->ints[i] : 0;
    if (order->count != out->rank || seen != (1u << out->rank) - 1)
        return graph_error(graph, node, "the order has to name every axis of %s once", shown(graph, node->args[0]));
    return attr_of(node, ATTR_copy)->integer >= 0 || graph_error(graph, node, "copy must not be negative");
}

static void vjp_materialise(Graph *graph, Value out, Value grad, Value *grads) {
    (void)graph, (void)out;
    grads[0] = grad;
}

static void reference_materialise(const Graph *graph, const Node *node, const Tensor *const *args, Tensor *out) {
    (void)graph, (void)node;
    memcpy(out->data, args[0]->data, type_count(&out->type) * sizeof *out->data);
}

const OpDef op_materialise = {
    .name = "materialise",
    .summary = "the same value, put into memory with its axes in another physical order",
    .op_class = CLASS_VIEW,
    .arg_count = 1,
    .infer = infer_materialise,
    .vjp = vjp_materialise,
    .reference = reference_materialise,
    .example_count = 3,
    .examples = {{{F32(2, 3)}, 1, {EXAMPLE_INTS(1, 0), EXAMPLE_INT(0)}, -2, 2, 0},
                 {{F32(2, 5, 4, 3)}, 1, {EXAMPLE_INTS(2, 3, 1, 0), EXAMPLE_INT(1)}, -2, 2, 0},
                 {{I32(7)}, 1, {EXAMPLE_INTS(0), EXAMPLE_INT(0)}, -9, 9, 0}},
};
