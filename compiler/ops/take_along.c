// Take along: elements along one axis, chosen by an integer tensor of the same axes.
#include "compiler/ops/ops.h"

static bool infer(Graph *graph, const Node *node, Type *out) {
    Type data = arg_type(graph, node, 0), index = arg_type(graph, node, 1);
    int64_t axis = attr_of(node, ATTR_axis)->integer, permutes = attr_of(node, ATTR_permutes)->integer;
    if (!needs_plain(graph, node, 0) || !needs_plain(graph, node, 1))
        return false;
    if (index.dtype != DTYPE_I32)
        return graph_error(graph, node, "the index must be i32, got %s", shown(graph, node->args[1]));
    if (axis < 0 || axis >= data.rank)
        return graph_error(graph, node, "there is no axis %lld in %s", (long long)axis, shown(graph, node->args[0]));
    *out = type_with_dtype(index, data.dtype);
    if (data.rank == index.rank && (!permutes || data.dims[axis] == index.dims[axis]))
        data.dims[axis] = index.dims[axis];
    if (permutes < 0 || permutes > 1 || !type_same_shape(&data, &index))
        return graph_error(graph, node, "%s does not choose from %s along axis %lld", shown(graph, node->args[1]), shown(graph, node->args[0]), (long long)axis);
    return true;
}

// As [outer, size, inner], where size is that of the axis.
static Value collapsed(Graph *graph, Value x, uint32_t axis) {
    Type type = graph_type(graph, x);
    uint32_t dims[3] = {1, type.dims[axis], 1};
    for (uint32_t i = 0; i < type.rank; i++)
        dims[i < axis ? 0 : 2] *= i == axis ? 1 : type.dims[i];
    return build_reshape(graph, x, 3, dims);
}

// The gradient of a permutation goes back by the inverse one. Else element r of the gradient sums what was taken from r, so that no two invocations
// write one element.
static void vjp(Graph *graph, Value out, Value grad, Value *grads) {
    Node node = *graph_node(graph, out);
    Type data = graph_type(graph, node.args[0]);
    uint32_t axis = (uint32_t)attr_of(&node, ATTR_axis)->integer;
    if (attr_of(&node, ATTR_permutes)->integer) {
        grads[0] = build_take_along(graph, grad, build_argsort(graph, node.args[1], axis, false), axis, true);
        return;
    }
    Value index = collapsed(graph, node.args[1], axis), pieces = collapsed(graph, grad, axis);
    Type type = graph_type(graph, index);
    uint32_t picks[4] = {type.dims[0], 1, type.dims[1], type.dims[2]}, size = data.dims[axis];
    index = build_number(graph, OP_minimum, build_number(graph, OP_maximum, index, 0), size - 1);
    Type places = type_make(DTYPE_I32, 3, (uint32_t[]){size, 1, 1});
    Value is_taken = build_binary(graph, OP_eq, build_reshape(graph, index, 4, picks), build_iota(graph, &places, 0));
    Value kept = build_select(graph, is_taken, build_reshape(graph, pieces, 4, picks), build_constant(graph, DTYPE_F32, 0));
    grads[0] = build_reshape(graph, build_reduce(graph, OP_reduce_sum, kept, (int64_t[]){2}, 1), data.rank, data.dims);
}

static void reference(const Graph *graph, const Node *node, const Tensor *const *args, Tensor *out) {
    (void)graph;
    const Type *data = &args[0]->type, *index = &args[1]->type;
    uint32_t axis = (uint32_t)attr_of(node, ATTR_axis)->integer, at[MAX_RANK] = {0};
    uint64_t strides[MAX_RANK], i = 0;
    double last = data->dims[axis] - 1;
    row_major_strides(data, strides);
    do {
        double place = args[1]->data[i];
        uint64_t from = 0;
        place = place < 0 ? 0 : place > last ? last : place;
        for (uint32_t k = 0; k < data->rank; k++)
            from += strides[k] * (k == axis ? (uint64_t)place : at[k]);
        out->data[i++] = args[0]->data[from];
    } while (next_index(index, at));
}

const OpDef op_take_along = {
    .name = "take_along",
    .summary = "elements along an axis, where an index of the same other axes says; one outside takes the nearest. `permutes`: each row of the index is a permutation",
    .op_class = CLASS_VIEW,
    .arg_count = 2,
    .infer = infer,
    .vjp = vjp,
    .reference = reference,
    .example_count = 5,
    .examples = {{{F32(3, 5), I32(3, 7)}, 2, {EXAMPLE_INT(1), EXAMPLE_INT(0)}, -2, 6, 0},
                 {{F32(4, 3, 2), I32(6, 3, 2)}, 2, {EXAMPLE_INT(0), EXAMPLE_INT(0)}, -2, 6, 0},
                 {{F32(2, 4, 5), I32(2, 2, 5)}, 2, {EXAMPLE_INT(1), EXAMPLE_INT(0)}, -2, 6, 0},
                 {{I32(6), I32(3)}, 2, {EXAMPLE_INT(0), EXAMPLE_INT(0)}, -1, 6, 0},
                 {{F32(2, 1, 2, 3, 6), I32(2, 1, 2, 3, 1)}, 2, {EXAMPLE_INT(4), EXAMPLE_INT(0)}, -2, 6, 0}},
};
