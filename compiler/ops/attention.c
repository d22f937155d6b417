// Attention (Vaswani et al. 2017): softmax(q k^T / sqrt(d) + mask) v, as PyTorch's scaled_dot_product_attention has it, but for rows that may
// attend to nothing: their result is 0 (and so are their gradients), as PyTorch has it since 2.5.
#include "compiler/ops/ops.h"
#include <float.h>
#include <math.h>

// q [batch…, n, d], k [batch…, m, d], v [batch…, m, e]: of the scores [batch…, n, m].
static Type scores_type(const Type *q, const Type *k) {
    Type scores = *q;
    scores.dims[scores.rank - 1] = k->dims[k->rank - 2];
    return scores;
}

static bool mask_fits(Graph *graph, const Node *node, const Type *scores) {
    Type mask = arg_type(graph, node, 3);
    if (!needs_plain(graph, node, 3))
        return false;
    if (mask.dtype != DTYPE_BOOL && mask.dtype != DTYPE_F32)
        return graph_error(graph, node, "the mask must be bool (true: may be attended) or f32 (added to the scores), got %s", shown(graph, node->args[3]));
    bool fits = mask.rank <= scores->rank;
    for (uint32_t i = 0; fits && i < mask.rank; i++)
        fits = mask.dims[mask.rank - 1 - i] == 1 || mask.dims[mask.rank - 1 - i] == scores->dims[scores->rank - 1 - i];
    return fits || graph_error(graph, node, "the mask %s does not broadcast to the scores %s", shown(graph, node->args[3]), type_text(graph->arena, scores));
}

static bool infer(Graph *graph, const Node *node, Type *out) {
    if (node->arg_count < 3 || node->arg_count > 4)
        return graph_error(graph, node, "takes q, k, v and perhaps a mask, got %u arguments", node->arg_count);
    for (uint32_t i = 0; i < 3; i++)
        if (!needs_f32(graph, node, i))
            return false;
    Type q = arg_type(graph, node, 0), k = arg_type(graph, node, 1), v = arg_type(graph, node, 2);
    bool fits = q.rank >= 2 && k.rank == q.rank && v.rank == q.rank;
    for (uint32_t i = 0; fits && i + 2 < q.rank; i++)
        fits = k.dims[i] == q.dims[i] && v.dims[i] == q.dims[i];
    if (!fits || q.dims[q.rank - 1] != k.dims[q.rank - 1] || k.dims[q.rank - 2] != v.dims[q.rank - 2])
        return graph_error(graph, node, "q [batch…, n, d], k [batch…, m, d] and v [batch…, m, e] expected, got %s, %s and %s", shown(graph, node->args[0]),
                           shown(graph, node->args[1]), shown(graph, node->args[2]));
    int64_t causal = attr_of(node, ATTR_causal)->integer;
    if (causal != 0 && causal != 1)
        return graph_error(graph, node, "causal is 0 or 1, got %lld", (long long)causal);
    *out = q;
    out->dims[q.rank - 1] = v.dims[q.rank - 1];
    Type scores = scores_type(&q, &k);
    if (type_count(&scores) > ELEMENTS_MAX)
        return graph_error(graph, node, "the scores %s are more than %s elements", type_text(graph->arena, &scores), text_thousands(graph->arena, ELEMENTS_MAX));
    return node->arg_count < 4 || mask_fits(graph, node, &scores);
}

// Where a query may attend to a key, as a bool that broadcasts to the scores; {0}: everywhere.
static Value allowed(Graph *graph, const Node *node, const Type *scores, Value mask) {
    Value result = {0};
    if (mask.id && graph_type(graph, mask).dtype == DTYPE_BOOL)
        result = mask;
    else if (mask.id)
        result = build_number(graph, OP_ne, mask, -INFINITY);
    if (!attr_of(node, ATTR_causal)->integer)
        return result;
    Type square = type_make(DTYPE_I32, 2, &scores->dims[scores->rank - 2]);
    Value seen = build_binary(graph, OP_ge, build_iota(graph, &square, 0), build_iota(graph, &square, 1)); // keys up to the query's own number
    return result.id ? build_binary(graph, OP_logical_and, result, seen) : seen;
}

static Value expand(Graph *graph, const Node *node) {
    Value mask = node->arg_count > 3 ? node->args[3] : (Value){0};
    Type q = graph_type(graph, node->args[0]), k = graph_type(graph, node->args[1]), type = scores_type(&q, &k);
    uint32_t order[MAX_RANK], last = q.rank - 1;
    for (uint32_t i = 0; i < q.rank; i++)
        order[i] = i + 2 < q.rank ? i : i + 1 == q.rank ? i - 1 : i + 1;
    Value scores = build_matmul(graph, node->args[0], build_transpose(graph, node->args[1], order));
    scores = build_number(graph, OP_mul, scores, 1 / sqrt(q.dims[last]));
    if (mask.id && graph_type(graph, mask).dtype == DTYPE_F32)
        scores = build_binary(graph, OP_add, scores, build_broadcast(graph, mask, &type));
    Value is_allowed = allowed(graph, node, &type, mask);
    if (is_allowed.id) // a number, so that a row of nothing else has a softmax
        scores = build_select(graph, is_allowed, scores, build_constant(graph, DTYPE_F32, -FLT_MAX));
    Value weights = build_softmax(graph, scores, last);
    if (is_allowed.id)
        weights = build_select(graph, is_allowed, weights, build_constant(graph, DTYPE_F32, 0));
    return build_matmul(graph, weights, node->args[2]);
}

#define BOOLS(...)                                                                                                                         \
    { DTYPE_BOOL, sizeof((uint32_t[]){__VA_ARGS__}) / 4, 0, { __VA_ARGS__ } }

const OpDef op_attention = {
    .name = "attention",
    .summary = "softmax(q k^T / sqrt(d) + mask) v; a row that may attend to nothing is 0",
    .op_class = CLASS_COMPOSITE,
    .arg_count = ANY_COUNT,
    .infer = infer,
    .expand = expand,
    .example_count = 6,
    .examples = {{.args = {F32(2, 3, 4), F32(2, 5, 4), F32(2, 5, 6)}, .arg_count = 3, .attrs = {EXAMPLE_INT(0)}, .low = -2, .high = 2},
                 {.args = {F32(2, 1, 4, 3), F32(2, 1, 6, 3), F32(2, 1, 6, 3)}, .arg_count = 3, .attrs = {EXAMPLE_INT(1)}, .low = -2, .high = 2},
                 {.args = {F32(6, 2), F32(3, 2), F32(3, 4)}, .arg_count = 3, .attrs = {EXAMPLE_INT(1)}, .low = -2, .high = 2},
                 {.args = {F32(2, 3, 4), F32(2, 5, 4), F32(2, 5, 6), BOOLS(3, 5)}, .arg_count = 4, .attrs = {EXAMPLE_INT(0)}, .low = -2, .high = 2},
                 {.args = {F32(2, 3, 4), F32(2, 5, 4), F32(2, 5, 2), BOOLS(2, 1, 5)}, .arg_count = 4, .attrs = {EXAMPLE_INT(1)}, .low = -2, .high = 2},
                 {.args = {F32(2, 3, 4), F32(2, 5, 4), F32(2, 5, 6), F32(2, 3, 5)}, .arg_count = 4, .attrs = {EXAMPLE_INT(1)}, .low = -2, .high = 2}},
};
