// Logsumexp: log of a sum of exponentials, without overflow.
#include "compiler/ops/fold.h"
#include <math.h>
#include <stdlib.h>

static bool infer_logsumexp(Graph *graph, const Node *node, Type *out) { return needs_f32(graph, node, 0) && fold_infer(graph, node, out); }

// The softmax, of what is less than the largest by how much: the result itself is rounded to its own size. An infinite largest is no shift.
static void vjp_logsumexp(Graph *graph, Value out, Value grad, Value *grads) {
    Node node = *graph_node(graph, out);
    Type from = graph_type(graph, node.args[0]);
    const Attr *axes = attr_of(&node, ATTR_axes);
    Value largest = graph_add(graph, OP_reduce_max, node.args, 1, axes, 1);
    Value is_infinite = build_number(graph, OP_eq, build_unary(graph, OP_abs, largest), INFINITY);
    Value shift = build_select(graph, is_infinite, build_constant(graph, DTYPE_F32, 0), largest);
    shift = graph_add(graph, OP_detach, &shift, 1, NULL, 0);
    Value part = build_unary(graph, OP_exp, build_binary(graph, OP_sub, node.args[0], fold_spread(graph, shift, &from, axes)));
    Value whole = graph_add(graph, OP_reduce_sum, &part, 1, axes, 1);
    grads[0] = build_binary(graph, OP_mul, fold_spread(graph, build_binary(graph, OP_div, grad, whole), &from, axes), part);
}

static void reference_logsumexp(const Graph *graph, const Node *node, const Tensor *const *args, Tensor *out) {
    (void)graph;
    uint64_t count = type_count(&out->type);
    double *largest = malloc(count * sizeof *largest);
    if (!largest)
        abort();
    for (uint64_t i = 0; i < count; i++)
        largest[i] = -INFINITY;
    const double *data = args[0]->data;
    Fold fold = fold_start(&args[0]->type, attr_of(node, ATTR_axes));
    do {
        for (uint32_t i = 0; i < fold.row; i++)
            largest[fold.target + i * fold.step] = fmax(largest[fold.target + i * fold.step], data[i]);
        data += fold.row;
    } while (fold_next(&fold));
    for (uint64_t i = 0; i < count; i++)
        largest[i] = isinf(largest[i]) ? 0 : largest[i];
    data = args[0]->data;
    fold = fold_start(&args[0]->type, attr_of(node, ATTR_axes));
    do {
        for (uint32_t i = 0; i < fold.row; i++)
            out->data[fold.target + i * fold.step] += exp(data[i] - largest[fold.target + i * fold.step]);
        data += fold.row;
    } while (fold_next(&fold));
    for (uint64_t i = 0; i < count; i++)
        out->data[i] = log(out->data[i]) + largest[i];
    free(largest);
}

// First the largest, then exponentials of what is less than it by how much.
static const Reduction logsumexp_reduction = {
    .result_count = 1,
    .start = "vec4 $a = $lowest; // largest: %$id\n"
             "vec4 $b = vec4(0.0); // sum of exponentials",
    .neutral = "$lowest",
    .step = "$a = max($a, $x);",
    .step_again = "$b += map_exp($x - $a);",
    .helper = "map_exp.glsl",
    .combines = {{.name = "$a", .type = "vec4", .expression = "map_maximum($theirs, $mine)", .helper = "map_extreme.glsl", .after = {true}},
                 {.name = "$b", .type = "vec4", .expression = "$mine + $theirs", .after = {false, true}}},
    .combine_count = 2,
    .again = AGAIN_ALWAYS,
    .before = {"$a = mix($a, vec4(0.0), isinf($a)); // inf - inf is no number",
               "$a = vec4(max(max($a.x, $a.y), max($a.z, $a.w)));\n"
               "$a = mix($a, vec4(0.0), isinf($a)); // inf - inf is no number"},
    .results = {{"$a + vec4(map_log($b.x), map_log($b.y), map_log($b.z), map_log($b.w))", "$a.x + map_log($sum_b)"}},
    .finish_helper = "map_log.glsl",
};

const OpDef op_logsumexp = {
    .name = "logsumexp",
    .summary = "log of the sum of e^x over axes",
    .op_class = CLASS_REDUCE,
    .reduction = &logsumexp_reduction,
    .arg_count = 1,
    .infer = infer_logsumexp,
    .vjp = vjp_logsumexp,
    .reference = reference_logsumexp,
    .example_count = 5,
    .examples = {{{F32(4, 5)}, 1, {EXAMPLE_INTS(1)}, -3, 3, 0},
                 {{F32(2, 3, 4)}, 1, {EXAMPLE_INTS(1)}, -3, 3, 0},
                 {{F32(2, 3, 4)}, 1, {EXAMPLE_INTS(0, 2)}, -3, 3, 0},
                 {{F32(3, 1)}, 1, {EXAMPLE_INTS(1)}, -3, 3, 0},
                 {{F32(6)}, 1, {EXAMPLE_INTS(0)}, 80, 100, 0}},
};
