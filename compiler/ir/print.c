// The text form of graphs: for dumps, golden tests and the message of a bug.
#include "compiler/ir/op.h"
#include "runtime/base/bug.h"

enum { COMMENT_COLUMN = 44 };

static const char *const output_words[] = {
    [OUTPUT_STATE] = "state", [OUTPUT_REPORT] = "report", [OUTPUT_EMIT] = "emit", [OUTPUT_VALUE] = "value"};

static void print_origin(Text *text, size_t line_start, const Origin *origin) {
    if (!origin->pointer && !origin->maker)
        return;
    for (size_t column = text->length - line_start; column < COMMENT_COLUMN; column++)
        text_append(text, " ");
    text_append(text, " ;");
    if (origin->pointer)
        text_format(text, " %s", origin->pointer);
    if (origin->maker)
        text_format(text, " (%s)", origin->maker);
}

static void print_node(Text *text, const Graph *graph, uint32_t id) {
    const Node *node = &graph->nodes.items[id];
    const OpDef *def = op_def(node->op);
    size_t start = text->length;
    text_format(text, "%%%u", id);
    while (text->length - start < 5)
        text_append(text, " ");
    text_format(text, " = %s", def->name);
    for (uint32_t i = 0; i < node->arg_count; i++)
        text_format(text, " %%%u", node->args[i].id);
    for (uint32_t i = 0; i < node->attr_count; i++) {
        text_format(text, " %s=", attr_name(op_attr(node->op, i)));
        attr_print(text, &node->attrs[i]);
    }
    text_format(text, " : %s", type_text(graph->arena, &node->type));
    print_origin(text, start, &node->origin);
    text_append(text, "\n");
}

void graph_bug_at(const char *file, int line, const Graph *graph, Value value, const char *format, ...) {
    Text text = text_create(graph->arena);
    va_list list;
    va_start(list, format);
    const char *message = arena_format_list(graph->arena, format, list);
    va_end(list);
    if (value.id > 0 && value.id < graph->nodes.count)
        print_node(&text, graph, value.id);
    bug_at(file, line, "%s\n  %s", message, text.length ? text.data : "(no node)\n");
}

void graph_print(Text *text, const Graph *graph) {
    for (uint32_t id = 1; id < graph->nodes.count; id++)
        print_node(text, graph, id);
    for (uint32_t i = 0; i < graph->outputs.count; i++) {
        const Output *output = &graph->outputs.items[i];
        size_t start = text->length;
        text_format(text, "%s \"%s\" = %%%u", output_words[output->kind], output->name, output->value.id);
        if (output->format)
            text_format(text, " as %s", result_format_names[output->format]);
        if (output->at.id)
            text_format(text, " at %%%u", output->at.id);
        print_origin(text, start, &output->origin);
        text_append(text, "\n");
    }
}
