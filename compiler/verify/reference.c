// Verify reference: evaluates the nodes of one kernel, and samples large contractions.
#include "compiler/verify/reference.h"
#include "compiler/verify/sample.h"
#include "compiler/kernel/contract.h"
#include "compiler/ops/winograd.h"

static bool is_load(const Kernel *kernel, Value value) {
    for (uint32_t i = 0; i < kernel->loads.count; i++)
        if (kernel->loads.items[i].id == value.id)
            return true;
    return false;
}

static OpClass class_of(const Graph *graph, Value value) { return op_def(graph_node(graph, value)->op)->op_class; }

Cone verify_cone(Arena *arena, const KernelList *list, const Kernel *kernel) {
    const Graph *graph = list->graph;
    bool *inside = ARENA_NEW(arena, bool, graph->nodes.count);
    uint32_t top = 0, count = 0;
    for (uint32_t i = 0; i < kernel->stores.count; i++) {
        inside[kernel->stores.items[i].id] = true;
        top = kernel->stores.items[i].id > top ? kernel->stores.items[i].id : top;
    }
    for (uint32_t id = top; id > 0; id--) {
        const Node *node = &graph->nodes.items[id];
        if (!inside[id])
            continue;
        count++;
        for (uint32_t i = 0; i < node->arg_count; i++)
            if (!is_load(kernel, node->args[i]))
                inside[node->args[i].id] = true;
    }
    Cone cone = {.kernel = kernel, .nodes = ARENA_NEW(arena, Value, count + 1)};
    for (uint32_t id = 1; id <= top; id++) {
        if (!inside[id])
            continue;
        Value value = {id};
        Type type = graph_type(graph, value);
        uint64_t elements = type_count(&type);
        cone.nodes[cone.node_count++] = value;
        cone.elements_max = elements > cone.elements_max ? elements : cone.elements_max;
        cone.flops += class_of(graph, value) == CLASS_CONTRACT ? contract_flops(graph, value) : 0;
    }
    return cone;
}

void verify_mark(const KernelList *list, const Cone *cone, bool *needed) {
    for (uint32_t i = 0; i < cone->kernel->loads.count; i++)
        needed[cone->kernel->loads.items[i].id] = true;
    for (uint32_t i = 0; i < cone->node_count; i++)
        if (class_of(list->graph, cone->nodes[i]) == CLASS_SOURCE)
            needed[cone->nodes[i].id] = true;
}

// ---- evaluation

static Tensor copy_tensor(Arena *arena, const Tensor *tensor) {
    Tensor copy = tensor_create(arena, &tensor->type);
    memcpy(copy.data, tensor->data, sizeof *copy.data * type_count(&copy.type));
    return copy;
}

Tensor verify_evaluate_node(Arena *arena, const Graph *graph, Value value, const Tensor *const *args, const VerifySampling *sampling) {
    const Node *node = graph_node(graph, value);
    if (class_of(graph, value) == CLASS_CONTRACT && !winograd_is(node->op) && sampling->flops_max > 0 && contract_flops(graph, value) > sampling->flops_max)
        return verify_sample_contract(arena, graph, node, args, sampling->seed, sampling->fill);
    return interpret_node(arena, graph, node, args);
}

void verify_evaluate(Arena *arena, const Graph *graph, const Cone *cone, Tensor *values, const VerifySampling *sampling) {
    for (uint32_t i = 0; i < cone->node_count; i++) {
        Value value = cone->nodes[i];
        const Node *node = graph_node(graph, value);
        const Tensor **args = ARENA_NEW(arena, const Tensor *, node->arg_count + 1);
        for (uint32_t k = 0; k < node->arg_count; k++) {
            args[k] = &values[node->args[k].id];
            if (!args[k]->data)
                graph_bug(graph, node->args[k], "not evaluated");
        }
        if (class_of(graph, value) == CLASS_SOURCE) {
            if (!values[value.id].data)
                graph_bug(graph, value, "not interpreted");
            values[value.id] = copy_tensor(arena, &values[value.id]);
            verify_round(&values[value.id]);
        } else {
            values[value.id] = verify_evaluate_node(arena, graph, value, args, sampling);
        }
    }
}
