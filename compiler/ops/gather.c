// Gather: rows of a tensor chosen by an integer tensor.
#include "compiler/ops/ops.h"

static bool infer_gather(Graph *graph, const Node *node, Type *out) {
    Type data = arg_type(graph, node, 0), index = arg_type(graph, node, 1);
    if (!needs_plain(graph, node, 0) || !needs_plain(graph, node, 1))
        return false;
    if (index.dtype != DTYPE_I32)
        return graph_error(graph, node, "the index must be i32, got %s", shown(graph, node->args[1]));
    if (data.rank == 0)
        return graph_error(graph, node, "a scalar has no axis to choose from");
    int64_t dims[2 * MAX_RANK];
    uint32_t rank = 0;
    for (uint32_t i = 0; i < index.rank; i++)
        dims[rank++] = index.dims[i];
    for (uint32_t i = 1; i < data.rank; i++)
        dims[rank++] = data.dims[i];
    return shape_from_ints(graph, node, data.dtype, &(Attr){.kind = ATTR_INTS, .ints = dims, .count = rank}, out);
}

// A predicated reduction, so that no two invocations write one element: row r of the gradient sums the rows of grad whose index is r.
static void vjp_gather(Graph *graph, Value out, Value grad, Value *grads) {
    Node node = *graph_node(graph, out);
    Type data = graph_type(graph, node.args[0]), index = graph_type(graph, node.args[1]);
    uint32_t rows = data.dims[0], picks = (uint32_t)type_count(&index), width = (uint32_t)(type_count(&data) / rows);
    Value chosen = build_reshape(graph, node.args[1], 2, (uint32_t[]){1, picks});
    chosen = build_number(graph, OP_minimum, build_number(graph, OP_maximum, chosen, 0), rows - 1);
    Type table = type_make(DTYPE_I32, 2, (uint32_t[]){rows, picks});
    Value is_chosen = build_binary(graph, OP_eq, build_iota(graph, &table, 0), chosen);
    is_chosen = build_reshape(graph, is_chosen, 3, (uint32_t[]){rows, picks, 1});
    Value pieces = build_reshape(graph, grad, 3, (uint32_t[]){1, picks, width});
    Value kept = build_select(graph, is_chosen, pieces, build_constant(graph, DTYPE_F32, 0));
    Value sum = build_reduce(graph, OP_reduce_sum, kept, (int64_t[]){1}, 1);
    grads[0] = build_reshape(graph, sum, data.rank, data.dims);
}

static void reference_gather(const Graph *graph, const Node *node, const Tensor *const *args, Tensor *out) {
    (void)graph, (void)node;
    double last = args[0]->type.dims[0] - 1;
    uint64_t width = type_count(&args[0]->type) / args[0]->type.dims[0], picks = type_count(&args[1]->type);
    for (uint64_t i = 0; i < picks; i++) {
        double row = args[1]->data[i];
        row = row < 0 ? 0 : row > last ? last : row;
        memcpy(out->data + i * width, args[0]->data + (uint64_t)row * width, width * sizeof *out->data);
    }
}

const OpDef op_gather = {
    .name = "gather",
    .summary = "data[index] along the first axis; an index outside takes the nearest row",
    .op_class = CLASS_VIEW,
    .arg_count = 2,
    .infer = infer_gather,
    .vjp = vjp_gather,
    .reference = reference_gather,
    .example_count = 4,
    .examples = {{{F32(5), I32(7)}, 2, {{0}}, -2, 6, 0},
                 {{F32(4, 3), I32(2, 3)}, 2, {{0}}, -2, 6, 0},
                 {{F32(3, 2, 2), {DTYPE_I32, 0, 0, {0}}}, 2, {{0}}, 0, 2, 0},
                 {{I32(4, 2), I32(5)}, 2, {{0}}, -1, 5, 0}},
};
