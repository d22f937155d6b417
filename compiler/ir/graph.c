// Graph: append-only, interned nodes that are typed when they are made.
#include "compiler/ir/op.h"
#include "runtime/base/bug.h"
#include <stdlib.h>

enum { TABLE_SIZE_FIRST = 1024 };

Graph *graph_create(Arena *arena, const struct Module *module) {
    Graph *graph = ARENA_NEW(arena, Graph, 1);
    graph->arena = arena;
    graph->module = module;
    array_push(arena, &graph->nodes, ((Node){.op = OP_NONE}));
    graph->table_size = TABLE_SIZE_FIRST;
    graph->table = ARENA_NEW(arena, uint32_t, graph->table_size);
    return graph;
}

const Node *graph_node(const Graph *graph, Value value) {
    CHECK(value.id > 0 && value.id < graph->nodes.count);
    return &graph->nodes.items[value.id];
}

Type graph_type(const Graph *graph, Value value) { return graph_node(graph, value)->type; }

static uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t size) {
    const unsigned char *at = bytes;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ at[i]) * 0x100000001b3u;
    return hash;
}

static uint64_t hash_attr(uint64_t hash, const Attr *attr) {
    switch (attr->kind) {
    case ATTR_INT:
        return hash_bytes(hash, &attr->integer, sizeof attr->integer);
    case ATTR_NUMBER:
        return hash_bytes(hash, &attr->number, sizeof attr->number);
    case ATTR_INTS:
        return hash_bytes(hash, attr->ints, attr->count * sizeof *attr->ints);
    case ATTR_TEXT:
        return hash_bytes(hash, attr->text, strlen(attr->text));
    }
    return hash;
}

static uint32_t hash_node(const Node *node) {
    uint64_t hash = 0xcbf29ce484222325u;
    hash = hash_bytes(hash, &node->op, sizeof node->op);
    hash = hash_bytes(hash, node->args, node->arg_count * sizeof *node->args);
    for (uint32_t i = 0; i < node->attr_count; i++)
        hash = hash_attr(hash, &node->attrs[i]);
    return (uint32_t)(hash ^ hash >> 32);
}

static bool nodes_equal(const Node *a, const Node *b) {
    if (a->op != b->op || a->arg_count != b->arg_count || a->attr_count != b->attr_count)
        return false;
    for (uint32_t i = 0; i < a->arg_count; i++)
        if (a->args[i].id != b->args[i].id)
            return false;
    for (uint32_t i = 0; i < a->attr_count; i++)
        if (!attr_equal(&a->attrs[i], &b->attrs[i]))
            return false;
    return true;
}

// The table's slot of an equal node, or the empty slot where it would go.
static uint32_t *find_slot(const Graph *graph, const Node *node) {
    uint32_t mask = graph->table_size - 1;
    for (uint32_t at = hash_node(node) & mask;; at = (at + 1) & mask) {
        uint32_t id = graph->table[at];
        if (id == 0 || nodes_equal(&graph->nodes.items[id], node))
            return &graph->table[at];
    }
}

static void grow_table(Graph *graph) {
    graph->table_size *= 2;
    graph->table = ARENA_NEW(graph->arena, uint32_t, graph->table_size);
    for (uint32_t id = 1; id < graph->nodes.count; id++)
        *find_slot(graph, &graph->nodes.items[id]) = id;
}

static const Attr *copy_attrs(Arena *arena, const Attr *attrs, uint32_t count) {
    Attr *copy = ARENA_NEW(arena, Attr, count);
    for (uint32_t i = 0; i < count; i++) {
        copy[i] = attrs[i];
        if (attrs[i].kind == ATTR_INTS)
            copy[i].ints = (const int64_t *)(void *)arena_copy_bytes(arena, attrs[i].ints, attrs[i].count * sizeof *attrs[i].ints);
        if (attrs[i].kind == ATTR_TEXT)
            copy[i].text = arena_copy_text(arena, attrs[i].text);
    }
    return copy;
}

// What an infer function may rely on: as many arguments as the op takes, and attributes of its spec's kinds.
static bool check_form(Graph *graph, const Node *node, const OpDef *def) {
    if (def->arg_count == ANY_COUNT ? node->arg_count == 0 : node->arg_count != def->arg_count)
        return graph_error(graph, node, "takes %s%u argument%s, got %u", def->arg_count == ANY_COUNT ? "at least " : "",
                           def->arg_count == ANY_COUNT ? 1 : def->arg_count, def->arg_count == 1 || def->arg_count == ANY_COUNT ? "" : "s",
                           node->arg_count);
    if (node->attr_count != op_attr_count(node->op))
        return graph_error(graph, node, "takes %u attributes, got %u", op_attr_count(node->op), node->attr_count);
    for (uint32_t i = 0; i < node->attr_count; i++)
        if (node->attrs[i].kind != attr_kind(op_attr(node->op, i)))
            return graph_error(graph, node, "attribute %s is of the wrong kind", attr_name(op_attr(node->op, i)));
    return true;
}

// One node of what is left; where nothing is, that is said once, by who asks first.
static bool spend(Graph *graph, const Node *node) {
    if (*graph->budget > 1) {
        --*graph->budget;
        return true;
    }
    if (*graph->budget == 1)
        graph_error(graph, node, "this would be more than %s nodes, the most that a document may have",
                    text_thousands(graph->arena, GRAPH_NODES_MAX));
    *graph->budget = 0;
    graph->failed = true;
    return false;
}

Value graph_add(Graph *graph, Op op, const Value *args, uint32_t arg_count, const Attr *attrs, uint32_t attr_count) {
    for (uint32_t i = 0; i < arg_count; i++)
        if (args[i].id == 0)
            return (Value){0};
    if (arg_count > UINT16_MAX) {
        graph_error(graph, &(Node){.op = op}, "takes at most %s arguments, got %s", text_thousands(graph->arena, UINT16_MAX),
                    text_thousands(graph->arena, arg_count));
        graph->failed = true;
        return (Value){0};
    }
    Node node = {.op = op,
                 .arg_count = (uint16_t)arg_count,
                 .attr_count = (uint16_t)attr_count,
                 .args = args,
                 .attrs = attrs,
                 .origin = graph->origin};
    uint32_t *slot = find_slot(graph, &node);
    if (*slot)
        return (Value){*slot};
    if (graph->budget && !spend(graph, &node))
        return (Value){0};
    const OpDef *def = op_def(op);
    for (uint32_t i = 0; i < arg_count; i++)
        CHECK(args[i].id < graph->nodes.count);
    if (!check_form(graph, &node, def) || !def->infer(graph, &node, &node.type)) {
        graph->failed = true;
        return (Value){0};
    }
    node.args = (const Value *)(void *)arena_copy_bytes(graph->arena, args, arg_count * sizeof *args);
    node.attrs = copy_attrs(graph->arena, attrs, attr_count);
    Value value = {graph->nodes.count};
    *slot = value.id;
    array_push(graph->arena, &graph->nodes, node);
    if (graph->nodes.count > graph->table_size / 2)
        grow_table(graph);
    return value;
}

void graph_output(Graph *graph, Output output) { array_push(graph->arena, &graph->outputs, output); }

bool graph_error(Graph *graph, const Node *node, const char *format, ...) {
    va_list list;
    va_start(list, format);
    const char *message = arena_format_list(graph->arena, format, list);
    va_end(list);
    if (!graph->diag) {
        Text text = text_create(graph->arena);
        graph_print(&text, graph);
        bug("%s: %s, in\n%s", op_def(node->op)->name, message, text.data);
    }
    diag_error(graph->diag, &graph->place, "%s: %s", op_def(node->op)->name, message);
    return false;
}

bool *graph_reached(Arena *arena, const Graph *graph) {
    bool *reached = ARENA_NEW(arena, bool, graph->nodes.count);
    for (uint32_t i = 0; i < graph->outputs.count; i++) {
        reached[graph->outputs.items[i].value.id] = true;
        reached[graph->outputs.items[i].at.id] = true;
    }
    reached[0] = false;
    for (uint32_t id = graph->nodes.count - 1; id > 0; id--)
        if (reached[id])
            for (uint32_t i = 0; i < graph->nodes.items[id].arg_count; i++)
                reached[graph->nodes.items[id].args[i].id] = true;
    return reached;
}

Value graph_copy_node(Graph *graph, const Node *node, const Value *moved) {
    Value *args = ARENA_NEW(graph->arena, Value, node->arg_count + 1u);
    for (uint32_t i = 0; i < node->arg_count; i++)
        args[i] = moved[node->args[i].id];
    graph->origin = node->origin;
    return graph_add(graph, node->op, args, node->arg_count, node->attrs, node->attr_count);
}

void graph_copy_outputs(Graph *graph, const Graph *from, const Value *moved) {
    for (uint32_t i = 0; i < from->outputs.count; i++) {
        Output output = from->outputs.items[i];
        output.value = moved[output.value.id];
        output.at = moved[output.at.id];
        graph_output(graph, output);
    }
}

Graph *graph_copy(Arena *arena, const Graph *from, Value **moved) {
    Graph *graph = graph_create(arena, from->module);
    graph->diag = from->diag;
    bool *reached = graph_reached(arena, from);
    Value *map = ARENA_NEW(arena, Value, from->nodes.count);
    for (uint32_t id = 1; id < from->nodes.count; id++)
        if (reached[id])
            map[id] = graph_copy_node(graph, &from->nodes.items[id], map);
    graph_copy_outputs(graph, from, map);
    if (moved)
        *moved = map;
    return graph;
}
