// Sum and maximum over axes.
#include "compiler/ops/fold.h"
#include <math.h>

static bool infer_reduce(Graph *graph, const Node *node, Type *out) {
    DType dtype = arg_type(graph, node, 0).dtype;
    if (dtype != DTYPE_F32 && dtype != DTYPE_I32 && dtype != DTYPE_U32)
        return graph_error(graph, node, "takes f32, i32 or u32, got %s", shown(graph, node->args[0]));
    return fold_infer(graph, node, out);
}

static void vjp_reduce_sum(Graph *graph, Value out, Value grad, Value *grads) {
    const Node *node = graph_node(graph, out);
    Type from = graph_type(graph, node->args[0]);
    grads[0] = fold_spread(graph, grad, &from, attr_of(node, ATTR_axes));
}

static void reference_reduce_sum(const Graph *graph, const Node *node, const Tensor *const *args, Tensor *out) {
    (void)graph;
    const double *data = args[0]->data;
    Fold fold = fold_start(&args[0]->type, attr_of(node, ATTR_axes));
    do {
        for (uint32_t i = 0; i < fold.row; i++)
            out->data[fold.target + i * fold.step] += data[i];
        data += fold.row;
    } while (fold_next(&fold));
}

#define REDUCE_EXAMPLES                                                                                                                    \
    {{F32(2, 3, 4)}, 1, {EXAMPLE_INTS(1)}, -2, 2, 0.01}, {{F32(2, 3, 4)}, 1, {EXAMPLE_INTS(0, 2)}, -2, 2, 0.01},                           \
        {{F32(5)}, 1, {EXAMPLE_INTS(0)}, -2, 2, 0.01}, {{F32(2, 1, 3)}, 1, {EXAMPLE_INTS(1)}, -2, 2, 0.01}, {                              \
        {F32(2, 3, 3, 2)}, 1, {EXAMPLE_INTS(0, 2, 3)}, -2, 2, 0.01                                                                         \
    }

static const Reduction reduce_sum_reduction = {
    .adds_zeros = true,
    .result_count = 1,
    .start = "$T $a = $T(0); // sum: %$id",
    .neutral = "$T(0)",
    .step = "$a += $x;",
    .combines = {{.name = "$a", .type = "$T", .expression = "$mine + $theirs", .after = {true}}},
    .combine_count = 1,
    .results = {{"$sum_a", NULL}},
};

const OpDef op_reduce_sum = {
    .name = "reduce_sum",
    .summary = "sum over axes",
    .op_class = CLASS_REDUCE,
    .reduction = &reduce_sum_reduction,
    .arg_count = 1,
    .infer = infer_reduce,
    .vjp = vjp_reduce_sum,
    .reference = reference_reduce_sum,
    .example_count = 7,
    .examples = {REDUCE_EXAMPLES,
                 {{I32(3, 4)}, 1, {EXAMPLE_INTS(0)}, -9, 9, 0},
                 {{{DTYPE_F32, 1, 1, {14}}}, 1, {EXAMPLE_INTS(0)}, -2, 2, 0}},
};

// Equals share the gradient. Of a NaN there are none: 0 / 0.
static void vjp_reduce_max(Graph *graph, Value out, Value grad, Value *grads) {
    Node node = *graph_node(graph, out);
    const Attr *axes = attr_of(&node, ATTR_axes);
    Type from = graph_type(graph, node.args[0]);
    Value zero = build_constant(graph, DTYPE_F32, 0), is_largest = build_binary(graph, OP_eq, node.args[0], fold_spread(graph, out, &from, axes));
    Value one = build_select(graph, is_largest, build_constant(graph, DTYPE_F32, 1), zero);
    Value count = graph_add(graph, OP_reduce_sum, &one, 1, axes, 1);
    Value taken = build_select(graph, is_largest, fold_spread(graph, grad, &from, axes), zero);
    grads[0] = build_binary(graph, OP_div, taken, fold_spread(graph, count, &from, axes));
}

static void reference_reduce_max(const Graph *graph, const Node *node, const Tensor *const *args, Tensor *out) {
    (void)graph;
    uint64_t count = type_count(&out->type);
    for (uint64_t i = 0; i < count; i++)
        out->data[i] = -INFINITY;
    const double *data = args[0]->data;
    Fold fold = fold_start(&args[0]->type, attr_of(node, ATTR_axes));
    do {
        for (uint32_t i = 0; i < fold.row; i++) {
            double *largest = &out->data[fold.target + i * fold.step];
            *largest = data[i] > *largest || isnan(data[i]) ? data[i] : *largest;
        }
        data += fold.row;
    } while (fold_next(&fold));
}

static const Reduction reduce_max_reduction = {
    .result_count = 1,
    .start = "$T $a = $lowest; // max: %$id",
    .neutral = "$lowest",
    .step = "$a = map_maximum($x, $a);",
    .helper = "map_extreme.glsl",
    .combines = {{.name = "$a", .type = "$T", .expression = "map_maximum($theirs, $mine)", .helper = "map_extreme.glsl", .after = {true}}},
    .combine_count = 1,
    .results = {{"$max_a", NULL}},
};

const OpDef op_reduce_max = {
    .name = "reduce_max",
    .summary = "maximum over axes, NaN if one is; equals share the gradient",
    .op_class = CLASS_REDUCE,
    .reduction = &reduce_max_reduction,
    .arg_count = 1,
    .infer = infer_reduce,
    .vjp = vjp_reduce_max,
    .reference = reference_reduce_max,
    .example_count = 6,
    .examples = {REDUCE_EXAMPLES, {{I32(3, 4)}, 1, {EXAMPLE_INTS(0)}, -9, 9, 0}},
};
