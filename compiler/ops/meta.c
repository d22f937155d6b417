// Ops that are gone before fusion: gradient (differentiate.c replaces it) and detach (simplify.c removes it).
#include "compiler/ops/ops.h"

static bool infer_gradient(Graph *graph, const Node *node, Type *out) {
    Type scalar = arg_type(graph, node, 0);
    if (scalar.rank != 0 || scalar.dtype != DTYPE_F32)
        return graph_error(graph, node, "of a scalar of f32, got %s", shown(graph, node->args[0]));
    *out = arg_type(graph, node, 1);
    if (out->dtype != DTYPE_F32)
        return graph_error(graph, node, "by a value of f32, got %s", shown(graph, node->args[1]));
    return true;
}

const OpDef op_gradient = {
    .name = "gradient",
    .summary = "of a scalar by a value",
    .op_class = CLASS_META,
    .arg_count = 2,
    .infer = infer_gradient,
    .example_count = 2,
    .examples = {{{F32_SCALAR, F32(2, 3)}, 2, {{0}}, -2, 2, 0}, {{F32_SCALAR, {DTYPE_F32, 1, 1, {14}}}, 2, {{0}}, -2, 2, 0}},
};

static bool infer_detach(Graph *graph, const Node *node, Type *out) {
    *out = arg_type(graph, node, 0);
    return true;
}

static void reference_detach(const Graph *graph, const Node *node, const Tensor *const *args, Tensor *out) {
    (void)graph, (void)node;
    memcpy(out->data, args[0]->data, type_count(&out->type) * sizeof *out->data);
}

const OpDef op_detach = {
    .name = "detach",
    .summary = "the same value; no gradient passes",
    .op_class = CLASS_META,
    .arg_count = 1,
    .infer = infer_detach,
    .reference = reference_detach,
    .example_count = 2,
    .examples = {{{F32(2, 3)}, 1, {{0}}, -2, 2, 0}, {{I32(4)}, 1, {{0}}, -9, 9, 0}},
};
