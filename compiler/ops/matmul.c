// Matmul: products of matrices, batch by batch.
#include "compiler/ops/ops.h"
#pragma GCC optimize("O3") // the judge's loops must be quick in debug builds too

static bool infer_matmul(Graph *graph, const Node *node, Type *out) {
    Type a = arg_type(graph, node, 0), b = arg_type(graph, node, 1);
    if (!needs_f32(graph, node, 0) || !needs_f32(graph, node, 1))
        return false;
    bool fits = a.rank >= 2 && a.rank == b.rank && a.dims[a.rank - 1] == b.dims[b.rank - 2];
    for (uint32_t i = 0; fits && i + 2 < a.rank; i++)
        fits = a.dims[i] == b.dims[i];
    if (!fits)
        return graph_error(graph, node, "%s and %s: wants [..., m, k] and [..., k, n]", shown(graph, node->args[0]),
                           shown(graph, node->args[1]));
    *out = a;
    out->dims[a.rank - 1] = b.dims[b.rank - 1];
    return true;
}

static Value swap_last(Graph *graph, Value x) {
    uint32_t rank = graph_type(graph, x).rank, order[MAX_RANK];
    for (uint32_t i = 0; i < rank; i++)
        order[i] = i;
    order[rank - 2] = rank - 1;
    order[rank - 1] = rank - 2;
    return build_transpose(graph, x, order);
}

static void vjp_matmul(Graph *graph, Value out, Value grad, Value *grads) {
    Node node = *graph_node(graph, out);
    grads[0] = build_matmul(graph, grad, swap_last(graph, node.args[1]));
    grads[1] = build_matmul(graph, swap_last(graph, node.args[0]), grad);
}

static void reference_matmul(const Graph *graph, const Node *node, const Tensor *const *args, Tensor *out) {
    (void)graph, (void)node;
    const Type *type = &args[0]->type;
    uint64_t m = type->dims[type->rank - 2], k = type->dims[type->rank - 1], n = out->type.dims[type->rank - 1];
    uint64_t batch = type_count(type) / (m * k);
    for (uint64_t i = 0; i < batch * m; i++) {
        const double *a = args[0]->data + i * k, *b = args[1]->data + i / m * k * n;
        double *restrict row = out->data + i * n;
        for (uint64_t p = 0; p < k; p++, b += n)
            for (uint64_t j = 0; j < n; j++)
                row[j] += a[p] * b[j];
    }
}

const OpDef op_matmul = {
    .name = "matmul",
    .summary = "[..., m, k] times [..., k, n], batch axes equal",
    .op_class = CLASS_CONTRACT,
    .arg_count = 2,
    .infer = infer_matmul,
    .vjp = vjp_matmul,
    .reference = reference_matmul,
    .example_count = 5,
    .examples = {{{F32(3, 4), F32(4, 2)}, 2, {{0}}, -1, 1, 0},
                 {{F32(1, 5), F32(5, 1)}, 2, {{0}}, -1, 1, 0},
                 {{F32(2, 3, 4), F32(2, 4, 5)}, 2, {{0}}, -1, 1, 0},
                 {{F32(2, 2, 3, 2), F32(2, 2, 2, 3)}, 2, {{0}}, -1, 1, 0},
                 {{F32(9, 7), F32(7, 13)}, 2, {{0}}, -1, 1, 0}},
};
