// Moments: mean and variance (the mean of squared deviations, whose sum would leave the range of f32 first) in one pass over the data; the judge
// takes two passes.
#include "compiler/ops/fold.h"

static bool infer_moments(Graph *graph, const Node *node, Type *out) {
    Type rest;
    if (!needs_f32(graph, node, 0) || !fold_infer(graph, node, &rest))
        return false;
    *out = (Type){.dtype = DTYPE_F32, .rank = (uint8_t)(rest.rank + 1), .dims = {2}};
    for (uint32_t i = 0; i < rest.rank; i++)
        out->dims[i + 1] = rest.dims[i];
    return true;
}

static Value take(Graph *graph, Value packed, uint32_t which) {
    Type type = graph_type(graph, packed);
    return build_reshape(graph, build_slice(graph, packed, 0, which, which + 1, 1), type.rank - 1u, type.dims + 1);
}

// d mean / dx = 1 / n; d variance / dx = 2 (x - mean) / n, as the deviations sum to zero.
static void vjp_moments(Graph *graph, Value out, Value grad, Value *grads) {
    Node node = *graph_node(graph, out);
    Type from = graph_type(graph, node.args[0]);
    const Attr *axes = attr_of(&node, ATTR_axes);
    double count = 1;
    for (uint32_t i = 0; i < axes->count; i++)
        count *= from.dims[axes->ints[i]];
    Value by_mean = fold_spread(graph, build_number(graph, OP_mul, take(graph, grad, 0), 1 / count), &from, axes);
    Value by_squares = fold_spread(graph, build_number(graph, OP_mul, take(graph, grad, 1), 2 / count), &from, axes);
    Value deviation = build_binary(graph, OP_sub, node.args[0], fold_spread(graph, take(graph, out, 0), &from, axes));
    grads[0] = build_binary(graph, OP_add, by_mean, build_binary(graph, OP_mul, by_squares, deviation));
}

static void reference_moments(const Graph *graph, const Node *node, const Tensor *const *args, Tensor *out) {
    (void)graph;
    uint64_t count = type_count(&out->type) / 2;
    double *mean = out->data, *squares = out->data + count, folded = (double)(type_count(&args[0]->type) / count);
    const double *data = args[0]->data;
    Fold fold = fold_start(&args[0]->type, attr_of(node, ATTR_axes));
    do {
        for (uint32_t i = 0; i < fold.row; i++)
            mean[fold.target + i * fold.step] += data[i];
        data += fold.row;
    } while (fold_next(&fold));
    for (uint64_t i = 0; i < count; i++)
        mean[i] /= folded;
    data = args[0]->data;
    fold = fold_start(&args[0]->type, attr_of(node, ATTR_axes));
    do {
        for (uint32_t i = 0; i < fold.row; i++) {
            uint64_t at = fold.target + i * fold.step;
            squares[at] += (data[i] - mean[at]) * (data[i] - mean[at]) / folded;
        }
        data += fold.row;
    } while (fold_next(&fold));
}

#define DEVIATION "map_maximum(mix($squares * $unscale - $apart * $apart, $squares - abs($apart), isinf($squares)), $R(0.0))"

// Differences from the first element: no cancellation, and no division in the loop. They are scaled before they are squared, so that squares of large
// numbers stay in range. Where the first element lies far from the mean, the squares of differences cancel: then (and only then) they are taken again
// from the mean. Compared are roots, as the squares may leave the range; a mean that is not finite stays what it is.
static const Reduction moments_reduction = {
    .result_count = 2,
    .start = "vec4 $c = $first; // first element: %$id\n"
             "$c = mix($c, vec4(0.0), isinf($c));\n"
             "vec4 $a = vec4(0.0), $b = vec4(0.0); // mean difference from it, and the sum of squares of scaled ones",
    .neutral = "vec4(0.0)",
    .element = "$x - $c",
    .step = "vec4 $difference = $x;\n"
            "$a += $difference * $inverse_count;\n"
            "$difference *= $scale;\n"
            "$b += $difference * $difference;",
    .combines = {{.name = "$a", .type = "vec4", .expression = "$mine + $theirs", .after = {true, true}},
                 {.name = "$b", .type = "vec4", .expression = "$mine + $theirs", .after = {true, true}}},
    .combine_count = 2,
    .again = AGAIN_IF,
    .prelude = {NULL, "float whole_a$id = $sum_a, whole_b$id = $sum_b;"},
    .condition = {"any(greaterThan(abs($a), $limit * sqrt($b)))", "abs(whole_a$id) > $limit * sqrt(whole_b$id)"},
    .again_note = "the first element was far off: again from the mean",
    .before = {"$c += mix($a, vec4(0.0), isinf($a));\n"
               "$a = vec4(0.0); $b = vec4(0.0);",
               "$c += isinf(whole_a$id) ? 0.0 : whole_a$id;\n"
               "$a = vec4(0.0); $b = vec4(0.0);"},
    .finish = {"$R $apart = $sum_a, $squares = $sum_b;", NULL},
    .results = {{"$c + $apart", "$c.x + $apart"}, {DEVIATION, NULL}},
    .finish_helper = "map_extreme.glsl",
};

const OpDef op_moments = {
    .name = "moments",
    .summary = "mean and variance (over the count) along axes, stacked on a new first axis",
    .op_class = CLASS_REDUCE,
    .reduction = &moments_reduction,
    .arg_count = 1,
    .infer = infer_moments,
    .vjp = vjp_moments,
    .reference = reference_moments,
    .example_count = 5,
    .examples = {{{F32(2, 3, 4)}, 1, {EXAMPLE_INTS(2)}, -2, 2, 0},
                 {{F32(2, 3, 3, 2)}, 1, {EXAMPLE_INTS(0, 2, 3)}, -2, 2, 0},
                 {{F32(5)}, 1, {EXAMPLE_INTS(0)}, -2, 2, 0},
                 {{F32(3, 1)}, 1, {EXAMPLE_INTS(1)}, -2, 2, 0},
                 {{F32(4, 2, 6)}, 1, {EXAMPLE_INTS(0)}, -2, 2, 0}},
};
