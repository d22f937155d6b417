// The pass `expand`.
// Needs: a graph without `gradient`. Gives: no composite ops but those that are claimed. Keeps: meaning, order of outputs, origins.
#include "compiler/passes/expand.h"
#include "compiler/ir/expansion.h"

static bool is_expanded(const Graph *graph, const Node *node, ExpandClaimed claimed, const void *context) {
    return op_def(node->op)->expand && !(claimed && claimed(context, graph, node));
}

static bool has_composites(const Graph *graph, const bool *reached, ExpandClaimed claimed, const void *context) {
    for (uint32_t id = 1; id < graph->nodes.count; id++)
        if (reached[id] && is_expanded(graph, &graph->nodes.items[id], claimed, context))
            return true;
    return false;
}

static Graph *expand_once(Arena *arena, const Graph *from, const bool *reached, ExpandClaimed claimed, const void *context) {
    Graph *graph = graph_create(arena, from->module);
    graph->diag = from->diag;
    Value *moved = ARENA_NEW(arena, Value, from->nodes.count);
    for (uint32_t id = 1; id < from->nodes.count; id++) {
        if (!reached[id])
            continue;
        Node node = from->nodes.items[id];
        if (!is_expanded(from, &node, claimed, context)) {
            moved[id] = graph_copy_node(graph, &node, moved);
            continue;
        }
        Value *args = ARENA_NEW(arena, Value, node.arg_count);
        for (uint32_t i = 0; i < node.arg_count; i++)
            args[i] = moved[node.args[i].id];
        node.args = args;
        graph->origin = node.origin;
        moved[id] = expansion_build(graph, &node);
    }
    graph_copy_outputs(graph, from, moved);
    return graph;
}

Graph *expand_graph(Arena *arena, const Graph *from, ExpandClaimed claimed, const void *context) {
    const bool *reached = graph_reached(arena, from);
    if (!has_composites(from, reached, claimed, context))
        return graph_copy(arena, from, NULL);
    Graph *graph = expand_once(arena, from, reached, claimed, context);
    for (;;) { // an expansion may have composites
        reached = graph_reached(arena, graph);
        if (!has_composites(graph, reached, claimed, context))
            return graph;
        graph = expand_once(arena, graph, reached, claimed, context);
    }
}
