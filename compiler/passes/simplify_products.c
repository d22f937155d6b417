// Coded rules on matrix products that have nothing to sum, or but one column: maps and sums, which fuse with what is around them.
#include "compiler/ir/module.h"
#include "compiler/passes/simplify_rules.h"

#define NO_VALUE ((Value){0})

// Exact graphs keep the order in which their products are added.
static bool is_free(const Graph *graph, const Node *node) { return node->type.dtype == DTYPE_F32 && !graph->module->is_exact; }

// [..., m, 1] [..., 1, n]: each result is one product, and no kernel need store it.
Value rule_outer_product(Graph *graph, Value value) {
    Node node = *graph_node(graph, value);
    Type a = graph_type(graph, node.args[0]);
    if (a.dims[a.rank - 1] != 1 || !is_free(graph, &node))
        return NO_VALUE;
    return build_binary(graph, OP_mul, build_broadcast(graph, node.args[0], &node.type), build_broadcast(graph, node.args[1], &node.type));
}

// [..., m, k] [..., k, 1]: a tile of columns would compute four and keep one. A vector that lies in memory as a column may stay one: so may its
// result then, and what follows it in its kernel.
Value rule_matrix_by_vector(Graph *graph, Value value) {
    Node node = *graph_node(graph, value);
    Type a = graph_type(graph, node.args[0]), vector = graph_type(graph, node.args[1]);
    bool is_column = op_def(graph_node(graph, node.args[1])->op)->op_class != CLASS_VIEW;
    if (node.type.dims[node.type.rank - 1] != 1 || is_column || !is_free(graph, &node))
        return NO_VALUE;
    vector.dims[vector.rank - 1] = vector.dims[vector.rank - 2], vector.dims[vector.rank - 2] = 1;
    Value row = build_broadcast(graph, build_reshape(graph, node.args[1], vector.rank, vector.dims), &a);
    Value sum = build_reduce(graph, OP_reduce_sum, build_binary(graph, OP_mul, node.args[0], row), (int64_t[]){a.rank - 1}, 1);
    return build_reshape(graph, sum, node.type.rank, node.type.dims);
}
