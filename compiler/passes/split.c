// The pass `split`.
// Needs: a simplified graph (simplify would put the stages together again). Gives: no sum or maximum that folds more than SPLIT_MAX elements
// into one, or a parameter set that is larger than a binding. Keeps: meaning but for the order of additions, order of outputs, origins.
//
// Also: a sum over some axes of a large tensor and one over more of them read it once. The second is taken from the first, which is part of it; where the
// module is exact, every sum stays as it was written.
//
// One workgroup folds one result, in loops that drivers end after some turns, while the rest of a device waits. Of more elements than SPLIT_MAX
// pieces are folded first, by as many workgroups, and then these.
#include "compiler/passes/split.h"
#include "compiler/ir/module.h"
#include "compiler/ir/op.h"

enum { SPLIT_MAX = 1 << 22, PIECE = 1 << 18, TRIES = 4 };

// Of results of the op, which gives the same of them as of what they were made of. OP_NONE: there is none.
static Op combining(Op op) {
    return op == OP_reduce_sum ? OP_add : op == OP_reduce_max ? OP_maximum : OP_NONE;
}

// That one result is made of.
static uint64_t folded_count(const Type *type, const int64_t *axes, uint32_t axis_count) {
    uint64_t count = 1;
    for (uint32_t i = 0; i < axis_count; i++)
        count *= type->dims[axes[i]];
    return count;
}

static bool is_too_much(const PassContext *context, const Type *type, const int64_t *axes, uint32_t axis_count) {
    return folded_count(type, axes, axis_count) > SPLIT_MAX || (type->set && context->sets[type->set - 1].size > context->target->storage_range_max);
}

static bool is_split(const PassContext *context, const Graph *graph, const Node *node) {
    const Attr *axes = combining(node->op) != OP_NONE ? attr_of(node, ATTR_axes) : NULL;
    return axes && is_too_much(context, &graph_node(graph, node->args[0])->type, axes->ints, axes->count);
}

static Value fold(const PassContext *context, Graph *graph, Op op, Value x, const int64_t *axes, uint32_t axis_count);

// A long axis as rows of about PIECE elements, and what is left over.
static Value fold_axis(Graph *graph, Op op, Value x, uint32_t axis) {
    Type type = graph_type(graph, x);
    uint32_t extent = type.dims[axis], rows = extent / PIECE, even = rows;
    while (even < TRIES * rows && extent % even)
        even++;
    if (extent % even == 0)
        rows = even;
    uint32_t whole = extent - extent % rows, dims[MAX_RANK];
    for (uint32_t i = 0; i < type.rank; i++)
        dims[i + (i > axis)] = type.dims[i];
    dims[axis] = rows, dims[axis + 1] = whole / rows;
    Value most = whole < extent ? build_slice(graph, x, axis, 0, whole, 1) : x;
    most = build_reduce(graph, op, build_reshape(graph, most, type.rank + 1u, dims), (int64_t[]){axis + 1}, 1);
    most = build_reduce(graph, op, most, (int64_t[]){axis}, 1);
    if (whole == extent)
        return most;
    Value rest = build_reduce(graph, op, build_slice(graph, x, axis, whole, extent, 1), (int64_t[]){axis}, 1);
    return build_binary(graph, combining(op), most, rest);
}

// A part of a parameter set, of which maps are made again of parts.
static Value part_of(Graph *graph, Value x, uint32_t part, const Type *type) {
    const Node *node = graph_node(graph, x);
    if (node->op == OP_broadcast && graph_node(graph, node->args[0])->type.rank == 0)
        return build_broadcast(graph, node->args[0], type);
    if (op_def(node->op)->op_class != CLASS_MAP)
        return build_unpack(graph, x, part);
    Node copy = *node;
    Value *args = ARENA_NEW(graph->arena, Value, copy.arg_count);
    for (uint32_t i = 0; i < copy.arg_count; i++)
        args[i] = graph_node(graph, copy.args[i])->type.set ? part_of(graph, copy.args[i], part, type) : copy.args[i];
    return graph_add(graph, copy.op, args, copy.arg_count, copy.attrs, copy.attr_count);
}

static Value fold_set(const PassContext *context, Graph *graph, Op op, Value x) {
    const Set *set = &graph->module->sets.items[graph_type(graph, x).set - 1];
    Value result = {0};
    for (uint32_t i = 0; i < set->parts.count; i++) {
        Value part = part_of(graph, x, i, &set->parts.items[i].type);
        int64_t axes[MAX_RANK];
        uint32_t rank = graph_type(graph, part).rank;
        for (uint32_t k = 0; k < rank; k++)
            axes[k] = k;
        part = rank ? fold(context, graph, op, part, axes, rank) : part;
        result = i ? build_binary(graph, combining(op), result, part) : part;
    }
    return result;
}

static Value fold(const PassContext *context, Graph *graph, Op op, Value x, const int64_t *axes, uint32_t axis_count) {
    Type type = graph_type(graph, x);
    if (!is_too_much(context, &type, axes, axis_count))
        return build_reduce(graph, op, x, axes, axis_count);
    if (type.set)
        return fold_set(context, graph, op, x);
    uint32_t last = axis_count - 1u;
    while (last > 0 && type.dims[axes[last]] == 1)
        last--;
    if (type.dims[axes[last]] > SPLIT_MAX)
        x = type.rank < MAX_RANK ? fold_axis(graph, op, x, (uint32_t)axes[last]) : build_reduce(graph, op, x, &axes[last], 1);
    else
        x = build_reduce(graph, op, x, &axes[last], 1);
    int64_t rest[MAX_RANK];
    for (uint32_t i = 0, count = 0; i < axis_count; i++)
        if (i != last)
            rest[count++] = axes[i] - (axes[i] > axes[last]);
    return axis_count > 1 ? fold(context, graph, op, x, rest, axis_count - 1u) : x;
}

// ---- sums of sums

// The reductions of one value, latest first: by value id the last of them, and by theirs the one before.
typedef struct {
    uint32_t *last, *before;
} Sums;

static bool has_axis(const Attr *axes, int64_t axis) {
    for (uint32_t i = 0; i < axes->count; i++)
        if (axes->ints[i] == axis)
            return true;
    return false;
}

static bool is_part_of(const Attr *some, const Attr *all) {
    for (uint32_t i = 0; i < some->count; i++)
        if (!has_axis(all, some->ints[i]))
            return false;
    return some->count < all->count;
}

static bool may_share(const PassContext *context, const Graph *graph, const Node *node) {
    const Type *type = node->op == OP_reduce_sum ? &graph_node(graph, node->args[0])->type : NULL;
    return type && !type->set && type->dtype == DTYPE_F32 && !graph->module->is_exact && (double)type_count(type) > context->target->model.small_elements;
}

// Of the sums before this one that are part of it the smallest; 0: there is none.
static uint32_t find_part(const Graph *graph, const Node *node, const Sums *sums) {
    uint32_t best = 0;
    for (uint32_t id = sums->last[node->args[0].id]; id; id = sums->before[id]) {
        const Node *sum = &graph->nodes.items[id];
        bool is_smaller = !best || type_count(&sum->type) < type_count(&graph->nodes.items[best].type);
        if (is_smaller && is_part_of(attr_of(sum, ATTR_axes), attr_of(node, ATTR_axes)))
            best = id;
    }
    return best;
}

// The axes that are left, as the partial sum counts them.
static Value fold_rest(Graph *graph, Value part, const Attr *folded, const Attr *all) {
    int64_t rest[MAX_RANK];
    uint32_t count = 0;
    for (uint32_t i = 0; i < all->count; i++) {
        int64_t axis = all->ints[i], place = axis;
        for (uint32_t k = 0; k < folded->count; k++)
            place -= folded->ints[k] < axis;
        if (!has_axis(folded, axis))
            rest[count++] = place;
    }
    return build_reduce(graph, OP_reduce_sum, part, rest, count);
}

static Sums make_sums(Arena *arena, const Graph *graph) {
    return (Sums){ARENA_NEW(arena, uint32_t, graph->nodes.count), ARENA_NEW(arena, uint32_t, graph->nodes.count)};
}

static void note_sum(Sums *sums, const Graph *graph, uint32_t id) {
    uint32_t arg = graph->nodes.items[id].args[0].id;
    sums->before[id] = sums->last[arg];
    sums->last[arg] = id;
}

static bool has_shared_sums(Arena *arena, const Graph *graph, const bool *reached, const PassContext *context) {
    Sums sums = make_sums(arena, graph);
    for (uint32_t id = 1; id < graph->nodes.count; id++) {
        const Node *node = &graph->nodes.items[id];
        if (!reached[id] || !may_share(context, graph, node))
            continue;
        if (find_part(graph, node, &sums))
            return true;
        note_sum(&sums, graph, id);
    }
    return false;
}

static Graph *split(Arena *arena, const Graph *from, const bool *reached, const PassContext *context) {
    Graph *graph = graph_create(arena, from->module);
    graph->diag = from->diag;
    Value *moved = ARENA_NEW(arena, Value, from->nodes.count);
    Sums sums = make_sums(arena, from);
    for (uint32_t id = 1; id < from->nodes.count; id++) {
        const Node *node = &from->nodes.items[id];
        if (!reached[id])
            continue;
        graph->origin = node->origin;
        const Attr *axes = is_split(context, from, node) ? attr_of(node, ATTR_axes) : NULL;
        bool may = may_share(context, from, node);
        uint32_t part = may ? find_part(from, node, &sums) : 0;
        if (may)
            note_sum(&sums, from, id);
        moved[id] = part   ? fold_rest(graph, moved[part], attr_of(&from->nodes.items[part], ATTR_axes), attr_of(node, ATTR_axes))
                    : axes ? fold(context, graph, node->op, moved[node->args[0].id], axes->ints, axes->count) : graph_copy_node(graph, node, moved);
    }
    graph_copy_outputs(graph, from, moved);
    return graph;
}

Graph *split_graph(Arena *arena, const Graph *from, const PassContext *context) {
    const bool *reached = graph_reached(arena, from);
    for (uint32_t id = 1; id < from->nodes.count; id++)
        if (reached[id] && is_split(context, from, &from->nodes.items[id]))
            return split(arena, from, reached, context);
    if (has_shared_sums(arena, from, reached, context))
        return split(arena, from, reached, context);
    return graph_copy(arena, from, NULL);
}
