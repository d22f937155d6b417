// Ops: what infer functions and gradients share.
#include "compiler/ops/ops.h"

Type arg_type(const Graph *graph, const Node *node, uint32_t arg) { return graph_type(graph, node->args[arg]); }

const char *shown(const Graph *graph, Value value) {
    Type type = graph_type(graph, value);
    return type_text(graph->arena, &type);
}

bool shape_from_ints(Graph *graph, const Node *node, DType dtype, const Attr *dims, Type *out) {
    double count = 1;
    if (dims->count > MAX_RANK)
        return graph_error(graph, node, "%u axes; at most %d are possible", dims->count, MAX_RANK);
    *out = (Type){.dtype = dtype, .rank = (uint8_t)dims->count};
    for (uint32_t i = 0; i < dims->count; i++) {
        if (dims->ints[i] < 1 || dims->ints[i] > ELEMENTS_MAX)
            return graph_error(graph, node, "axis %u would have %lld elements, %s expected", i, (long long)dims->ints[i],
                               text_bound(graph->arena, dims->ints[i], 1, ELEMENTS_MAX));
        out->dims[i] = (uint32_t)dims->ints[i];
        count *= out->dims[i];
    }
    if (count > ELEMENTS_MAX)
        return graph_error(graph, node, "%s has %s elements; a tensor has at most %s", type_text(graph->arena, out),
                           count < 1e15 ? text_thousands(graph->arena, (uint64_t)count) : arena_format(graph->arena, "%.3g", count),
                           text_thousands(graph->arena, ELEMENTS_MAX));
    return true;
}

bool needs_plain(Graph *graph, const Node *node, uint32_t arg) {
    if (arg_type(graph, node, arg).set)
        return graph_error(graph, node, "does not work on a parameter set (%s)", shown(graph, node->args[arg]));
    return true;
}

bool needs_f32(Graph *graph, const Node *node, uint32_t arg) {
    if (arg_type(graph, node, arg).dtype != DTYPE_F32)
        return graph_error(graph, node, "takes f32, got %s", shown(graph, node->args[arg]));
    return needs_plain(graph, node, arg);
}

void row_major_strides(const Type *type, uint64_t *strides) {
    uint64_t stride = 1;
    for (uint32_t i = type->rank; i-- > 0;) {
        strides[i] = stride;
        stride *= type->dims[i];
    }
}

bool next_index(const Type *type, uint32_t *index) {
    for (uint32_t i = type->rank; i-- > 0;) {
        if (++index[i] < type->dims[i])
            return true;
        index[i] = 0;
    }
    return false;
}
