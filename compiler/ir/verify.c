// What every graph fulfils; checked after each pass, also in release builds.
#include "compiler/ir/module.h"
#include "compiler/ir/op.h"

static void report_node(Text *problems, const Graph *graph, uint32_t id, const char *problem) {
    const Node *node = &graph->nodes.items[id];
    text_format(problems, "%%%u %s: %s\n", id, node->op > OP_NONE && node->op < OP_COUNT ? op_def(node->op)->name : "?", problem);
}

// Infers the type again in a scratch copy of the graph's head, so that an error is a text and nothing is changed.
static void check_type(Text *problems, const Graph *graph, uint32_t id) {
    const Node *node = &graph->nodes.items[id];
    Graph probe = *graph;
    probe.arena = problems->arena;
    probe.diag = diag_create(problems->arena);
    probe.place = (Place){0};
    Type type = {0};
    if (!op_def(node->op)->infer(&probe, node, &type))
        report_node(problems, graph, id, diag_text(probe.diag, problems->arena));
    else if (!type_equal(&type, &node->type))
        report_node(problems, graph, id, arena_format(problems->arena, "type should be %s", type_text(problems->arena, &type)));
}

static bool check_node(Text *problems, const Graph *graph, uint32_t id) {
    const Node *node = &graph->nodes.items[id];
    if (node->op <= OP_NONE || node->op >= OP_COUNT) {
        report_node(problems, graph, id, "no such op");
        return false;
    }
    const OpDef *def = op_def(node->op);
    for (uint32_t i = 0; i < node->arg_count; i++)
        if (node->args[i].id == 0 || node->args[i].id >= id) {
            report_node(problems, graph, id, "an argument does not come before it");
            return false;
        }
    if ((def->arg_count == ANY_COUNT ? node->arg_count == 0 : node->arg_count != def->arg_count) || node->attr_count != op_attr_count(node->op)) {
        report_node(problems, graph, id, "wrong number of arguments or attributes");
        return false;
    }
    for (uint32_t i = 0; i < node->type.rank; i++)
        if (node->type.dims[i] == 0)
            report_node(problems, graph, id, "an axis of no elements");
    check_type(problems, graph, id);
    return true;
}

// An equal node added to a copy must come back as the same id: nothing is there twice.
static void check_interning(Text *problems, const Graph *graph) {
    Graph probe = *graph;
    for (uint32_t id = 1; id < graph->nodes.count; id++) {
        const Node *node = &graph->nodes.items[id];
        Value again = graph_add(&probe, node->op, node->args, node->arg_count, node->attrs, node->attr_count);
        if (again.id != id)
            report_node(problems, graph, id, arena_format(problems->arena, "is the same as %%%u", again.id));
        if (probe.nodes.count != graph->nodes.count)
            return;
    }
}

static void check_output(Text *problems, const Graph *graph, const Output *output) {
    uint32_t count = graph->nodes.count;
    if (output->value.id == 0 || output->value.id >= count || output->at.id >= count) {
        text_format(problems, "output \"%s\" is no value\n", output->name);
        return;
    }
    Type type = graph_type(graph, output->value);
    const State *state = output->kind == OUTPUT_STATE && graph->module ? module_state(graph->module, output->name) : NULL;
    if (output->kind == OUTPUT_STATE && graph->module && !state)
        text_format(problems, "output \"%s\": no such state\n", output->name);
    if (state && !type_equal(&state->type, &type))
        text_format(problems, "output \"%s\": the state is %s, the value %s\n", output->name, type_text(problems->arena, &state->type),
                    type_text(problems->arena, &type));
    if (output->kind == OUTPUT_REPORT && type.rank != 0)
        text_format(problems, "report \"%s\" is no scalar\n", output->name);
    if (output->kind == OUTPUT_EMIT && output->format == RESULT_REPORT)
        text_format(problems, "emit \"%s\" has no format\n", output->name);
    if (output->at.id) {
        Type at = graph_type(graph, output->at);
        if (at.rank != 0 || at.dtype != DTYPE_BOOL)
            text_format(problems, "output \"%s\": its condition is no bool scalar\n", output->name);
    }
}

bool graph_verify(const Graph *graph, Text *problems) {
    size_t before = problems->length;
    bool well_formed = true;
    for (uint32_t id = 1; id < graph->nodes.count; id++)
        well_formed = check_node(problems, graph, id) && well_formed;
    if (well_formed)
        check_interning(problems, graph);
    for (uint32_t i = 0; i < graph->outputs.count; i++)
        check_output(problems, graph, &graph->outputs.items[i]);
    return problems->length == before;
}
