// Fold: what reductions share.
#include "compiler/ops/fold.h"

bool fold_infer(Graph *graph, const Node *node, Type *out) {
    Type from = arg_type(graph, node, 0);
    const Attr *axes = attr_of(node, ATTR_axes);
    if (axes->count == 0)
        return graph_error(graph, node, "no axes are named");
    *out = type_scalar(from.dtype);
    for (uint32_t i = 0; i < axes->count; i++)
        if (axes->ints[i] < 0 || axes->ints[i] >= from.rank || (i > 0 && axes->ints[i] <= axes->ints[i - 1]))
            return graph_error(graph, node, "axes must be axes of %s, ascending", shown(graph, node->args[0]));
    for (uint32_t axis = 0, next = 0; axis < from.rank; axis++) {
        if (next < axes->count && axes->ints[next] == axis)
            next++;
        else
            out->dims[out->rank++] = from.dims[axis];
    }
    return true;
}

Value fold_spread(Graph *graph, Value value, const Type *from, const Attr *axes) {
    if (from->set)
        return build_broadcast(graph, value, from);
    Type kept = *from;
    for (uint32_t i = 0; i < axes->count; i++)
        kept.dims[axes->ints[i]] = 1;
    return build_broadcast(graph, build_reshape(graph, value, kept.rank, kept.dims), from);
}

Fold fold_start(const Type *from, const Attr *axes) {
    Fold fold = {.outer = *from, .row = 1};
    bool folded[MAX_RANK] = {0};
    for (uint32_t i = 0; i < axes->count; i++)
        folded[axes->ints[i]] = true;
    uint64_t stride = 1;
    for (uint32_t i = from->rank; i-- > 0;) {
        fold.strides[i] = folded[i] ? 0 : stride;
        stride *= folded[i] ? 1 : from->dims[i];
    }
    if (from->rank > 0) {
        fold.outer.rank--;
        fold.row = from->dims[fold.outer.rank];
        fold.step = fold.strides[fold.outer.rank];
    }
    return fold;
}

bool fold_next(Fold *fold) {
    bool more = next_index(&fold->outer, fold->index);
    fold->target = 0;
    for (uint32_t i = 0; i < fold->outer.rank; i++)
        fold->target += fold->index[i] * fold->strides[i];
    return more;
}
