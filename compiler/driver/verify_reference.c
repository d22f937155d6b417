// Verify reference: evaluates the nodes of one kernel, exactly or with the noise of single precision, and samples large contractions.
#include "compiler/driver/verify_reference.h"
#include "compiler/driver/verify_sample.h"
#include "compiler/emit/contract.h"
#include <assert.h>
#include <math.h>

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

// ---- the noise of single precision

static double largest(const Tensor *tensor) {
    double max = 0;
    for (uint64_t i = 0, count = type_count(&tensor->type); i < count; i++)
        max = fabs(tensor->data[i]) > max && isfinite(tensor->data[i]) ? fabs(tensor->data[i]) : max;
    return max;
}

// Terms that each element of a reduction or contraction sums.
static double terms_of(const Graph *graph, Value value) {
    Type type = graph_type(graph, value);
    double count = (double)type_count(&type);
    if (class_of(graph, value) == CLASS_CONTRACT)
        return contract_flops(graph, value) / 2 / count;
    const Node *node = graph_node(graph, value);
    Type argument = graph_type(graph, node->args[0]);
    double terms = (double)type_count(&argument) / count;
    return node->op == OP_moments ? 2 * terms : terms;
}

// Rounding errors of a running sum, in units of its result: they go like the root of the terms, but terms that are alike (edge values) are
// all rounded the same way.
static double running_sum(double terms) { return sqrt(terms) + terms / 16; }

// How far single precision may put one element away, apart from relative rounding.
static double absolute_noise(const Graph *graph, Value value, const Tensor *const *args) {
    const Node *node = graph_node(graph, value);
    const double unit = 0x1p-24;
    if (class_of(graph, value) == CLASS_CONTRACT)
        return unit * sqrt(terms_of(graph, value)) * largest(args[0]) * largest(args[1]);
    if (node->op == OP_reduce_sum)
        return unit * sqrt(terms_of(graph, value)) * largest(args[0]);
    if (node->op == OP_logsumexp)
        return 4 * unit * (1 + largest(args[0]));
    return 0;
}

static void add_moments_noise(const Graph *graph, Value value, const Tensor *argument, uint64_t seed, Tensor *out) {
    const double unit = 0x1p-24;
    uint64_t half = type_count(&out->type) / 2;
    double terms = terms_of(graph, value), max = largest(argument);
    for (uint64_t i = 0; i < half; i++) {
        out->data[i] += unit * max * verify_noise(seed, i);
        double spread = unit * running_sum(terms) * out->data[half + i] + terms * (unit * max) * (unit * max);
        out->data[half + i] += spread * verify_noise(seed + 1, i);
        out->data[half + i] = out->data[half + i] < 0 ? 0 : out->data[half + i];
    }
}

static void add_noise(const Graph *graph, Value value, const Tensor *const *args, uint64_t seed, Tensor *out) {
    const Node *node = graph_node(graph, value);
    const OpDef *def = op_def(node->op);
    if (out->type.dtype != DTYPE_F32 || def->op_class == CLASS_VIEW || def->op_class == CLASS_SET || node->op == OP_reduce_max)
        return;
    seed ^= (uint64_t)value.id << 20;
    if (node->op == OP_moments) {
        add_moments_noise(graph, value, args[0], seed, out);
        return;
    }
    double relative = 0x1p-24 * (def->cost > 1 ? def->cost : 1);
    if (node->op == OP_reduce_sum || def->op_class == CLASS_CONTRACT)
        relative = 0x1p-24 * running_sum(terms_of(graph, value));
    double absolute = absolute_noise(graph, value, args);
    if (node->op == OP_constant)
        relative = 0;
    for (uint64_t i = 0, count = type_count(&out->type); i < count; i++) {
        double noise = verify_noise(seed, i);
        out->data[i] = out->data[i] * (1 + relative * noise) + absolute * noise;
    }
}

// ---- evaluation

static Tensor copy_tensor(Arena *arena, const Tensor *tensor) {
    Tensor copy = tensor_create(arena, &tensor->type);
    memcpy(copy.data, tensor->data, sizeof *copy.data * type_count(&copy.type));
    return copy;
}

void verify_evaluate(Arena *arena, const Graph *graph, const Cone *cone, Tensor *values, Rounding rounding, uint64_t seed, double flops_max,
                     double fill) {
    for (uint32_t i = 0; i < cone->node_count; i++) {
        Value value = cone->nodes[i];
        const Node *node = graph_node(graph, value);
        const Tensor **args = ARENA_NEW(arena, const Tensor *, node->arg_count + 1);
        for (uint32_t k = 0; k < node->arg_count; k++) {
            args[k] = &values[node->args[k].id];
            assert(args[k]->data);
        }
        OpClass op_class = class_of(graph, value);
        if (op_class == CLASS_SOURCE) {
            assert(values[value.id].data);
            values[value.id] = copy_tensor(arena, &values[value.id]);
            verify_round(&values[value.id]);
        } else if (op_class == CLASS_CONTRACT && flops_max > 0 && contract_flops(graph, value) > flops_max) {
            values[value.id] = verify_sample_contract(arena, graph, node, args, seed, fill);
        } else {
            values[value.id] = interpret_node(arena, graph, node, args);
        }
        if (rounding == ROUNDING_NOISE)
            add_noise(graph, value, args, seed, &values[value.id]);
    }
}
