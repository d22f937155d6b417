// Argmax: where the largest element is.
#include "compiler/ops/ops.h"
#include <math.h>

static bool infer_argmax(Graph *graph, const Node *node, Type *out) {
    Type from = arg_type(graph, node, 0);
    int64_t axis = attr_of(node, ATTR_axis)->integer;
    if (!needs_plain(graph, node, 0))
        return false;
    if (from.dtype != DTYPE_F32 && from.dtype != DTYPE_I32)
        return graph_error(graph, node, "takes f32 or i32, got %s", shown(graph, node->args[0]));
    if (axis < 0 || axis >= from.rank)
        return graph_error(graph, node, "no axis %lld in %s", (long long)axis, shown(graph, node->args[0]));
    *out = type_scalar(DTYPE_I32);
    for (uint32_t i = 0; i < from.rank; i++)
        if (i != axis)
            out->dims[out->rank++] = from.dims[i];
    return true;
}

static void reference_argmax(const Graph *graph, const Node *node, const Tensor *const *args, Tensor *out) {
    (void)graph;
    const Type *from = &args[0]->type;
    uint32_t axis = (uint32_t)attr_of(node, ATTR_axis)->integer, extent = from->dims[axis];
    uint64_t outer = 1, inner = 1;
    for (uint32_t i = 0; i < from->rank; i++)
        *(i < axis ? &outer : &inner) *= i == axis ? 1 : from->dims[i];
    for (uint64_t o = 0; o < outer; o++)
        for (uint64_t i = 0; i < inner; i++) {
            const double *data = args[0]->data + o * extent * inner + i;
            uint32_t best = 0;
            for (uint32_t k = 1; k < extent; k++)
                best = data[k * inner] > data[best * inner] || (isnan(data[k * inner]) && !isnan(data[best * inner])) ? k : best;
            out->data[o * inner + i] = best;
        }
}

static const Reduction argmax_reduction = {
    .result_count = 1,
    .start = "$T $a = $lowest; // largest: %$id\n"
             "ivec4 $b = ivec4(0); // its position",
    .neutral = "$lowest",
    .step = "bvec4 $better = $greater;\n"
            "$b = mix($b, $position, $better);\n"
            "$a = mix($a, $x, $better);",
    .combines = {{.name = "$a", .type = "$T", .helper = "map_extreme.glsl", .after = {true}}},
    .combine_count = 1,
    .finish = {NULL, "$E $best = $max_a;"},
    .results = {{"$b", "min(min(($a.x == $best$or_nan_x ? $b.x : 2147483647), ($a.y == $best$or_nan_y ? $b.y : 2147483647)), "
                       "min(($a.z == $best$or_nan_z ? $b.z : 2147483647), ($a.w == $best$or_nan_w ? $b.w : 2147483647)))"}},
};

const OpDef op_argmax = {
    .name = "argmax",
    .summary = "index of the largest element along an axis, the first of equals; NaN is largest",
    .op_class = CLASS_REDUCE,
    .reduction = &argmax_reduction,
    .arg_count = 1,
    .infer = infer_argmax,
    .reference = reference_argmax,
    .example_count = 4,
    .examples = {{{F32(4, 5)}, 1, {EXAMPLE_INT(1)}, -2, 2, 0},
                 {{F32(2, 3, 4)}, 1, {EXAMPLE_INT(1)}, -2, 2, 0},
                 {{F32(7)}, 1, {EXAMPLE_INT(0)}, -2, 2, 0},
                 {{I32(3, 6)}, 1, {EXAMPLE_INT(1)}, -2, 2, 0}},
};
