// Simplify: the pass.
#include "compiler/passes/simplify.h"

Graph *simplify_graph(Arena *arena, const Graph *from) {
    Graph *graph = graph_create(arena, from->module);
    bool *reached = graph_reached(arena, from);
    Value *moved = ARENA_NEW(arena, Value, from->nodes.count);
    for (uint32_t id = 1; id < from->nodes.count; id++) {
        const Node *node = &from->nodes.items[id];
        if (!reached[id])
            continue;
        Value *args = ARENA_NEW(arena, Value, node->arg_count + 1u);
        for (uint32_t i = 0; i < node->arg_count; i++)
            args[i] = moved[node->args[i].id];
        graph->origin = node->origin;
        moved[id] = node->op == OP_detach ? args[0] : graph_add(graph, node->op, args, node->arg_count, node->attrs, node->attr_count);
    }
    for (uint32_t i = 0; i < from->outputs.count; i++) {
        Output output = from->outputs.items[i];
        output.value = moved[output.value.id];
        output.at = moved[output.at.id];
        graph_output(graph, output);
    }
    return graph;
}
