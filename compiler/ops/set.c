// Parameter sets: a flat tensor made of the parameters of a network, and its parts.
#include "compiler/ops/ops.h"

static const Set *find_set(Graph *graph, const Node *node, int64_t set) {
    if (graph->module && set > 0 && set <= graph->module->sets.count)
        return &graph->module->sets.items[set - 1];
    graph_error(graph, node, "no parameter set %lld", (long long)set);
    return NULL;
}

// ---- pack

static bool infer_pack(Graph *graph, const Node *node, Type *out) {
    int64_t index = attr_of(node, ATTR_set)->integer;
    const Set *set = find_set(graph, node, index);
    if (!set)
        return false;
    if (node->arg_count != set->parts.count)
        return graph_error(graph, node, "set %lld has %u parts, got %u", (long long)index, set->parts.count, node->arg_count);
    for (uint32_t i = 0; i < node->arg_count; i++) {
        Type type = arg_type(graph, node, i);
        if (!type_equal(&type, &set->parts.items[i].type))
            return graph_error(graph, node, "%s is %s, got %s", set->parts.items[i].name,
                               type_text(graph->arena, &set->parts.items[i].type), shown(graph, node->args[i]));
    }
    *out = (Type){.dtype = DTYPE_F32, .rank = 1, .set = (uint16_t)index, .dims = {(uint32_t)set->count}};
    return true;
}

static void vjp_pack(Graph *graph, Value out, Value grad, Value *grads) {
    uint32_t count = graph_node(graph, out)->arg_count;
    for (uint32_t i = 0; i < count; i++)
        grads[i] = build_unpack(graph, grad, i);
}

static void reference_pack(const Graph *graph, const Node *node, const Tensor *const *args, Tensor *out) {
    const Set *set = &graph->module->sets.items[attr_of(node, ATTR_set)->integer - 1];
    for (uint32_t i = 0; i < node->arg_count; i++)
        memcpy(out->data + set->parts.items[i].offset, args[i]->data, type_count(&args[i]->type) * sizeof *out->data);
}

const OpDef op_pack = {
    .name = "pack",
    .summary = "a parameter set from its parts",
    .op_class = CLASS_SET,
    .arg_count = ANY_COUNT,
    .infer = infer_pack,
    .vjp = vjp_pack,
    .reference = reference_pack,
    .example_count = 1,
    .examples = {{{F32(2, 3), F32(4), F32(1, 2, 2)}, 3, {EXAMPLE_INT(1)}, -2, 2, 0}},
};

// ---- unpack

static bool infer_unpack(Graph *graph, const Node *node, Type *out) {
    Type type = arg_type(graph, node, 0);
    if (!type.set)
        return graph_error(graph, node, "takes a parameter set, got %s", shown(graph, node->args[0]));
    const Set *set = find_set(graph, node, type.set);
    int64_t part = attr_of(node, ATTR_part)->integer;
    if (!set)
        return false;
    if (part < 0 || part >= set->parts.count)
        return graph_error(graph, node, "set %u has %u parts, no part %lld", type.set, set->parts.count, (long long)part);
    *out = type_with_dtype(set->parts.items[part].type, type.dtype);
    return true;
}

// differentiate.c adds up the gradients of a set's parts by itself; this is for a single one.
static void vjp_unpack(Graph *graph, Value out, Value grad, Value *grads) {
    Node node = *graph_node(graph, out);
    uint32_t index = graph_type(graph, node.args[0]).set;
    const Set *set = &graph->module->sets.items[index - 1];
    Value *parts = ARENA_NEW(graph->arena, Value, set->parts.count);
    for (uint32_t i = 0; i < set->parts.count; i++)
        parts[i] = i == (uint32_t)attr_of(&node, ATTR_part)->integer ? grad : build_full(graph, &set->parts.items[i].type, 0);
    grads[0] = build_pack(graph, index, parts, set->parts.count);
}

static void reference_unpack(const Graph *graph, const Node *node, const Tensor *const *args, Tensor *out) {
    const Set *set = &graph->module->sets.items[args[0]->type.set - 1];
    memcpy(out->data, args[0]->data + set->parts.items[attr_of(node, ATTR_part)->integer].offset, type_count(&out->type) * sizeof *out->data);
}

const OpDef op_unpack = {
    .name = "unpack",
    .summary = "one part of a parameter set",
    .op_class = CLASS_SET,
    .arg_count = 1,
    .infer = infer_unpack,
    .vjp = vjp_unpack,
    .reference = reference_unpack,
    .example_count = 2,
    .examples = {{{{DTYPE_F32, 1, 1, {14}}}, 1, {EXAMPLE_INT(1)}, -2, 2, 0}, {{{DTYPE_F32, 1, 1, {14}}}, 1, {EXAMPLE_INT(2)}, -2, 2, 0}},
};
