// Operand: counts of operands that are computed.
#include "compiler/kernel/operand.h"
#include "compiler/cost.h"

typedef struct {
    const KernelList *list;
    bool (*in_memory)(const void *context, Value value);
    const void *context;
    ARRAY(uint32_t) seen;
    Operand operand;
} Count;

static bool is_seen(Count *count, Value value) {
    for (uint32_t i = 0; i < count->seen.count; i++)
        if (count->seen.items[i] == value.id)
            return true;
    array_push(count->list->arena, &count->seen, value.id);
    return false;
}

static uint8_t innermost(const Layout *layout) { return layout->rank ? layout->order[layout->rank - 1] : 0; }

// Elements between neighbours of the innermost axis, in the order of the axes; where that is one element long, any number.
static uint64_t inner_stride(const Layout *layout) {
    uint64_t stride = 1;
    for (uint32_t axis = innermost(layout) + 1u; axis < layout->rank; axis++)
        stride *= layout->dims[axis];
    return stride;
}

static bool reshape_scatters(const Layout *from, const Layout *to) {
    if (from->rank == 0 || to->rank == 0 || to->dims[innermost(to)] == 1)
        return false;
    uint32_t a = from->dims[innermost(from)], b = to->dims[innermost(to)];
    return inner_stride(from) != inner_stride(to) || (a != b && (a % 4 || b % 4));
}

// Whether four neighbours of a view's result are no neighbours of its argument.
static bool scatters(const KernelList *list, const Node *node, Value value) {
    const Layout *from = &list->layouts[node->args[0].id], *to = &list->layouts[value.id];
    int64_t inner = innermost(to);
    switch ((int)node->op) {
    case OP_materialise: return innermost(from) != inner;
    case OP_transpose: return false; // layouts follow
    case OP_reshape: return reshape_scatters(from, to);
    case OP_slice: return attr_of(node, ATTR_steps)->ints[inner] != 1 || attr_of(node, ATTR_starts)->ints[inner] % 4;
    case OP_pad: return from->dims[inner] != to->dims[inner] && (attr_of(node, ATTR_interior)->ints[inner] || attr_of(node, ATTR_low)->ints[inner] % 4);
    case OP_flip: return true;
    }
    return op_chooses(node->op);
}

static bool spreads(const KernelList *list, const Node *node, Value value) {
    Type arg = graph_type(list->graph, node->args[0]);
    uint32_t inner = innermost(&list->layouts[value.id]), missing = node->type.rank - arg.rank;
    return node->op == OP_broadcast && (inner < missing || arg.dims[inner - missing] == 1);
}

bool operand_is_scattered(const KernelList *list, Value value) {
    bool apart = false;
    const Node *node = graph_node(list->graph, value);
    for (; op_def(node->op)->op_class == CLASS_VIEW && node->op != OP_unpack; value = node->args[0], node = graph_node(list->graph, value))
        apart |= node->op != OP_broadcast && scatters(list, node, value);
    return apart && node->op != OP_constant && node->type.rank > 0;
}

// lanes: loads for a vec4.
static void count_value(Count *count, Value value, uint32_t lanes) {
    const Node *node = graph_node(count->list->graph, value);
    if (count->operand.nodes >= OPERAND_NODES_MAX || is_seen(count, value))
        return;
    if (count->in_memory(count->context, value)) {
        count->operand.loads += lanes;
        return;
    }
    if (node->op == OP_constant)
        return;
    count->operand.nodes++;
    count->operand.adds += cost_of_node(node) * (double)lanes;
    if (op_def(node->op)->op_class == CLASS_VIEW)
        lanes = spreads(count->list, node, value) ? 1 : scatters(count->list, node, value) ? 4 : lanes;
    for (uint32_t i = 0; i < node->arg_count; i++)
        count_value(count, node->args[i], lanes);
}

Operand operand_count(const KernelList *list, Value value, bool (*in_memory)(const void *context, Value value), const void *context) {
    Count count = {.list = list, .in_memory = in_memory, .context = context};
    if (in_memory(context, value))
        return (Operand){0};
    count.operand.is_computed = true;
    count_value(&count, value, 1);
    return count.operand;
}

static bool has_buffer(const void *context, Value value) { return ((const KernelList *)context)->buffers[value.id].kind != BUFFER_NONE; }

bool kernel_computes(const KernelList *list, Value operand) { return !has_buffer(list, operand); }

Operand operand_of(const KernelList *list, Value value) { return operand_count(list, value, has_buffer, list); }
