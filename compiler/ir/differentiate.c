// Differentiate: reverse accumulation from a scalar to targets.
//
// Parameter sets are summed by parts: a network's forward unpacks a set once per parameter, and n packs full of zeros added up would be
// quadratic in n. So contributions to a set go to its parts, and become one pack when the set itself is reached.
#include "compiler/ir/differentiate.h"
#include "compiler/ir/expansion.h"
#include "compiler/ir/module.h"

static bool carries(const Graph *graph, uint32_t id) { return graph->nodes.items[id].type.dtype == DTYPE_F32; }

// Its first arguments, to which gradients flow.
static uint32_t flow_count(const Node *node) {
    const OpDef *def = op_def(node->op);
    return node->op == OP_gradient ? 1 : def->vjp || def->expand ? node->arg_count : 0;
}

// flows[id]: a path along which gradients flow leads from a target to node id; for ids up to `last`.
static bool *find_flows(Arena *arena, const Graph *graph, uint32_t last, const Value *targets, uint32_t target_count) {
    bool *flows = ARENA_NEW(arena, bool, last + 1);
    for (uint32_t i = 0; i < target_count; i++)
        if (targets[i].id <= last && carries(graph, targets[i].id))
            flows[targets[i].id] = true;
    for (uint32_t id = 1; id <= last; id++) {
        const Node *node = &graph->nodes.items[id];
        for (uint32_t i = 0; i < flow_count(node) && carries(graph, id) && !flows[id]; i++)
            flows[id] = flows[node->args[i].id];
    }
    return flows;
}

bool *dependences(Arena *arena, const Graph *graph, Value value) {
    bool *depends = ARENA_NEW(arena, bool, value.id + 1);
    depends[value.id] = carries(graph, value.id);
    for (uint32_t id = value.id; id > 0; id--) {
        const Node *node = &graph->nodes.items[id];
        for (uint32_t i = 0; depends[id] && i < flow_count(node); i++)
            depends[node->args[i].id] |= carries(graph, node->args[i].id);
    }
    return depends;
}

bool depends_on(const Graph *graph, Value value, Value target) {
    if (!value.id || !target.id || target.id > value.id)
        return false;
    Arena *scratch = arena_create();
    bool depends = dependences(scratch, graph, value)[target.id];
    arena_destroy(&scratch);
    return depends;
}

typedef struct {
    Graph *graph;
    Arena *scratch;
    const bool *flows;
    Value *sums;   // by node: of the contributions so far
    Value **parts; // by node, of parameter sets: the same by part, or NULL
} Sweep;

static bool is_zero(const Graph *graph, Value value) {
    double number;
    return is_constant(graph, value, &number) && number == 0;
}

static void accumulate(Graph *graph, Value *sum, Value piece) {
    if (piece.id == 0 || is_zero(graph, piece))
        return;
    *sum = sum->id ? build_binary(graph, OP_add, *sum, piece) : piece;
}

static Value *parts_of(Sweep *sweep, uint32_t id) {
    Graph *graph = sweep->graph;
    uint32_t set = graph->nodes.items[id].type.set;
    if (!sweep->parts[id])
        sweep->parts[id] = ARENA_NEW(sweep->scratch, Value, graph->module->sets.items[set - 1].parts.count);
    return sweep->parts[id];
}

static void contribute(Sweep *sweep, uint32_t id, Value piece) {
    Graph *graph = sweep->graph;
    if (piece.id == 0)
        return;
    Type type = graph_type(graph, piece);
    if (!type_equal(&type, &graph->nodes.items[id].type))
        graph_bug(graph, (Value){id}, "its gradient is %s", type_text(graph->arena, &type));
    const Node *node = graph_node(graph, piece);
    if (node->op != OP_pack) {
        accumulate(graph, &sweep->sums[id], piece);
        return;
    }
    Value *parts = parts_of(sweep, id);
    Node pack = *node;
    for (uint32_t i = 0; i < pack.arg_count; i++)
        accumulate(graph, &parts[i], pack.args[i]);
}

// The gradient by node `id`, once everything that uses it has been visited; {0} where it is zero.
static Value collect(Sweep *sweep, uint32_t id) {
    Graph *graph = sweep->graph;
    Value *parts = sweep->parts[id];
    if (parts) {
        uint32_t index = graph->nodes.items[id].type.set;
        const Set *set = &graph->module->sets.items[index - 1];
        bool any = false;
        for (uint32_t i = 0; i < set->parts.count; i++)
            any = any || parts[i].id;
        for (uint32_t i = 0; any && i < set->parts.count; i++)
            if (parts[i].id == 0)
                parts[i] = build_full(graph, &set->parts.items[i].type, 0);
        if (any)
            accumulate(graph, &sweep->sums[id], build_pack(graph, index, parts, set->parts.count));
        sweep->parts[id] = NULL;
    }
    return sweep->sums[id];
}

static Sweep sweep_create(Graph *graph, Arena *scratch, Value root, const Value *targets, uint32_t target_count) {
    return (Sweep){.graph = graph,
                   .scratch = scratch,
                   .flows = find_flows(scratch, graph, root.id, targets, target_count),
                   .sums = ARENA_NEW(scratch, Value, root.id + 1),
                   .parts = ARENA_NEW(scratch, Value *, root.id + 1)};
}

static uint32_t lowest_id(Value root, const Value *values, uint32_t count) {
    uint32_t lowest = root.id;
    for (uint32_t i = 0; i < count; i++)
        lowest = values[i].id < lowest ? values[i].id : lowest;
    return lowest;
}

static void visit(Sweep *sweep, uint32_t id);

// The gradient of a composite is that of its expansion. It ends at the arguments: what leads from one of them to another is the outer sweep's.
static void expand_gradient(Sweep *outer, const Node *node, Value grad, Value *grads) {
    Graph *graph = outer->graph;
    Value root = expansion_build(graph, node);
    Sweep sweep = sweep_create(graph, outer->scratch, root, node->args, node->arg_count);
    bool *is_argument = ARENA_NEW(outer->scratch, bool, root.id + 1);
    for (uint32_t i = 0; i < node->arg_count; i++)
        is_argument[node->args[i].id] = true;
    if (sweep.flows[root.id])
        sweep.sums[root.id] = grad;
    for (uint32_t id = root.id; id >= lowest_id(root, node->args, node->arg_count); id--)
        if (sweep.flows[id] && !is_argument[id])
            visit(&sweep, id);
    for (uint32_t i = 0; i < node->arg_count; i++) {
        grads[i] = sweep.sums[node->args[i].id];
        sweep.sums[node->args[i].id] = (Value){0}; // once, where two arguments are the same
    }
}

static void visit(Sweep *sweep, uint32_t id) {
    Graph *graph = sweep->graph;
    Node node = graph->nodes.items[id];
    Value grad = collect(sweep, id);
    bool any_flows = false;
    for (uint32_t i = 0; i < node.arg_count; i++)
        any_flows = any_flows || sweep->flows[node.args[i].id];
    if (grad.id == 0 || !any_flows)
        return;
    if (node.op == OP_gradient)
        graph_bug(graph, (Value){id}, "gradients inside a scalar are replaced first");
    if (!op_def(node.op)->vjp && !op_def(node.op)->expand)
        return;
    graph->origin = (Origin){node.origin.pointer, "differentiate"};
    if (node.op == OP_unpack) {
        accumulate(graph, &parts_of(sweep, node.args[0].id)[attr_of(&node, ATTR_part)->integer], grad);
        return;
    }
    Value *grads = ARENA_NEW(sweep->scratch, Value, node.arg_count);
    if (op_def(node.op)->expand)
        expand_gradient(sweep, &node, grad, grads);
    else
        op_def(node.op)->vjp(graph, (Value){id}, grad, grads);
    for (uint32_t i = 0; i < node.arg_count; i++)
        if (sweep->flows[node.args[i].id])
            contribute(sweep, node.args[i].id, grads[i]);
}

void differentiate(Graph *graph, Value scalar, const Value *targets, uint32_t target_count, Value *gradients) {
    Origin origin = graph->origin;
    if (graph_type(graph, scalar).rank != 0 || !carries(graph, scalar.id))
        graph_bug(graph, scalar, "no scalar that carries a gradient");
    uint32_t first = lowest_id(scalar, targets, target_count);
    Arena *scratch = arena_create();
    Sweep sweep = sweep_create(graph, scratch, scalar, targets, target_count);
    graph->origin = (Origin){graph->nodes.items[scalar.id].origin.pointer, "differentiate"};
    if (sweep.flows[scalar.id])
        sweep.sums[scalar.id] = build_constant(graph, DTYPE_F32, 1);
    for (uint32_t id = scalar.id; id >= first && graph->nodes.count <= GRAPH_NODES_MAX; id--)
        if (sweep.flows[id])
            visit(&sweep, id);
    for (uint32_t i = 0; i < target_count; i++) {
        Type type = graph_type(graph, targets[i]);
        Value gradient = targets[i].id <= scalar.id ? sweep.sums[targets[i].id] : (Value){0};
        gradients[i] = gradient.id ? gradient : build_full(graph, &type, 0);
    }
    graph->origin = origin;
    arena_destroy(&scratch);
}

// ---- the pass

// All gradients of the scalar of node `id` whose targets are there already are made in one sweep.
static void replace_gradients(Graph *graph, const Graph *from, uint32_t id, const bool *reached, Value *moved) {
    Arena *scratch = arena_create();
    uint32_t scalar = from->nodes.items[id].args[0].id;
    ARRAY(Value) targets = {0};
    ARRAY(uint32_t) ids = {0};
    for (uint32_t other = id; other < from->nodes.count; other++) {
        const Node *node = &from->nodes.items[other];
        if (!reached[other] || node->op != OP_gradient || node->args[0].id != scalar || node->args[1].id >= id)
            continue;
        array_push(scratch, &targets, moved[node->args[1].id]);
        array_push(scratch, &ids, other);
    }
    Value *gradients = ARENA_NEW(scratch, Value, ids.count);
    differentiate(graph, moved[scalar], targets.items, targets.count, gradients);
    for (uint32_t i = 0; i < ids.count; i++)
        moved[ids.items[i]] = gradients[i];
    arena_destroy(&scratch);
}

Graph *differentiate_graph(Arena *arena, const Graph *from) {
    Graph *graph = graph_create(arena, from->module);
    graph->diag = from->diag;
    bool *reached = graph_reached(arena, from);
    Value *moved = ARENA_NEW(arena, Value, from->nodes.count);
    for (uint32_t id = 1; id < from->nodes.count; id++) {
        const Node *node = &from->nodes.items[id];
        if (!reached[id] || moved[id].id)
            continue;
        if (graph->nodes.count > GRAPH_NODES_MAX)
            return graph;
        if (node->op == OP_gradient) {
            replace_gradients(graph, from, id, reached, moved);
            continue;
        }
        moved[id] = graph_copy_node(graph, node, moved);
    }
    graph_copy_outputs(graph, from, moved);
    return graph;
}

Graph *differentiate_phase(Arena *arena, const Graph *from, const char *phase, Diag *diag) {
    Graph *graph = differentiate_graph(arena, from);
    if (graph->nodes.count <= GRAPH_NODES_MAX)
        return graph;
    const char *pointer = graph->nodes.items[GRAPH_NODES_MAX].origin.pointer;
    diag_error(diag, NULL, "phase %s: %s: with its gradients it has more than %s nodes, the most that a phase may have", phase, pointer ? pointer : "?",
               text_thousands(arena, GRAPH_NODES_MAX));
    return NULL;
}
