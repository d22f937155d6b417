// Expansion: composite ops in other ops.
#include "compiler/ir/expansion.h"
#include "compiler/ir/graph.h"

Value expansion_build(Graph *graph, const Node *node) {
    Value value = op_def(node->op)->expand(graph, node);
    Type type = graph_type(graph, value);
    if (!type_equal(&type, &node->type))
        graph_bug(graph, value, "%s expands to %s", op_def(node->op)->name, type_text(graph->arena, &type));
    return value;
}

Graph *expansion_graph(Arena *arena, const Graph *from, const Node *node, Value *result) {
    Graph *graph = graph_create(arena, from->module);
    Value *args = ARENA_NEW(arena, Value, node->arg_count);
    for (uint32_t i = 0; i < node->arg_count; i++) {
        Type type = graph_type(from, node->args[i]);
        int64_t dims[MAX_RANK];
        for (uint32_t axis = 0; axis < type.rank; axis++)
            dims[axis] = type.dims[axis];
        Attr attrs[] = {attr_text(arena_format(arena, "%u", i)), attr_text(dtype_name(type.dtype)), attr_ints(dims, type.rank)};
        args[i] = graph_add(graph, OP_feed, NULL, 0, attrs, 3);
    }
    Node copy = *node;
    copy.args = args;
    *result = expansion_build(graph, &copy);
    return graph;
}
