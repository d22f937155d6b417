// The pass `prepare`.
// Needs: a verified graph. Gives: convolutions that read what a nearest upsampling repeats, instead of the upsampling.
// Keeps: meaning up to rounding, order of outputs, `gradient` nodes.
//
// A convolution of an upsampling by f meets each original pixel up to f times along an axis, so the taps that fall on it can be added
// before they are multiplied:  out[o] = sum over k of w[k] x[(o + k - p) / f]  becomes a transposed convolution with stride f,
// out[o] = sum over j of v[o - f j + P] x[j]  with  v[m] = w[K - 1 - m] + … + w[K - 1 - m + f - 1]  (taps outside of w are 0),
// P = K - 1 - p, and K + f - 1 taps. A result then takes (K + f - 1) / f taps an axis instead of K: 4 of 9 for 3 x 3 and f = 2. What follows
// from it by differentiation saves as much, and no gradient has to be summed over repeated pixels.
#include "compiler/passes/prepare.h"

typedef struct {
    Value image;        // what is repeated
    uint32_t factor[2]; // along y and x
} Upsampling;

// [n, c, h, w] -> [n, c, h, 1, w, 1] -> [n, c, h, f, w, f] -> [n, c, h f, w f]. No node between may be a target of a gradient.
static bool is_upsampling(const Graph *graph, Value value, const bool *is_target, Upsampling *out) {
    const Node *merged = graph_node(graph, value);
    if (merged->op != OP_reshape || merged->type.rank != 4)
        return false;
    const Node *wide = graph_node(graph, merged->args[0]);
    if (wide->op != OP_broadcast || wide->type.rank != 6)
        return false;
    const Node *split = graph_node(graph, wide->args[0]);
    if (split->op != OP_reshape || is_target[value.id] || is_target[merged->args[0].id] || is_target[wide->args[0].id])
        return false;
    const Node *image = graph_node(graph, split->args[0]);
    const uint32_t *from = image->type.dims, *narrow = split->type.dims, *spread = wide->type.dims;
    *out = (Upsampling){split->args[0], {spread[3], spread[5]}};
    bool splits = image->type.rank == 4 && split->type.rank == 6 && narrow[0] == from[0] && narrow[1] == from[1] && narrow[2] == from[2] && narrow[3] == 1 &&
                  narrow[4] == from[3] && narrow[5] == 1;
    bool repeats = splits && spread[0] == from[0] && spread[1] == from[1] && spread[2] == from[2] && spread[4] == from[3];
    return repeats && merged->type.dims[0] == from[0] && merged->type.dims[1] == from[1] && merged->type.dims[2] == from[2] * spread[3];
}

// v of above along one axis of flipped weights: the sum of `factor` copies, each one place further.
static Value widen(Graph *graph, Value flipped, uint32_t axis, uint32_t factor) {
    Value sum = {0};
    for (uint32_t i = 0; i < factor; i++) {
        int64_t low[MAX_RANK] = {0}, high[MAX_RANK] = {0};
        low[axis] = i, high[axis] = factor - 1 - i;
        Value copy = build_pad(graph, flipped, low, high, NULL);
        sum = i ? build_binary(graph, OP_add, sum, copy) : copy;
    }
    return sum;
}

// The convolution `node` of an upsampling, rewritten; {0} where that does not save multiplications. image and weight are values of `graph`.
static Value convolve_repeated(Graph *graph, const Node *node, const Upsampling *up, Value image, Value weight) {
    Type w = graph_type(graph, weight);
    int64_t pad[2], stride[2] = {up->factor[0], up->factor[1]};
    double before = 1, after = 1;
    for (uint32_t axis = 0; axis < 2; axis++) {
        uint32_t taps = w.dims[2 + axis];
        pad[axis] = (int64_t)taps - 1 - attr_of(node, ATTR_pad)->ints[axis];
        if (attr_of(node, ATTR_stride)->ints[axis] != 1 || attr_of(node, ATTR_dilation)->ints[axis] != 1 || pad[axis] < 0)
            return (Value){0};
        before *= taps;
        after *= (double)(taps + up->factor[axis] - 1) / up->factor[axis];
    }
    if (attr_of(node, ATTR_groups)->integer != 1 || after >= before)
        return (Value){0};
    Value v = build_flip(graph, build_transpose(graph, weight, (uint32_t[]){1, 0, 2, 3}), (int64_t[]){2, 3}, 2);
    for (uint32_t axis = 0; axis < 2; axis++)
        v = widen(graph, v, 2 + axis, up->factor[axis]);
    Attr attrs[] = {attr_ints(stride, 2), attr_ints(pad, 2), attr_ints((int64_t[]){1, 1}, 2), attr_int(1),
                    attr_ints((int64_t[]){node->type.dims[2], node->type.dims[3]}, 2)};
    return graph_add(graph, OP_conv2d_input, (Value[]){image, v}, 2, attrs, 5);
}

static const bool *find_targets(Arena *arena, const Graph *graph) {
    bool *is_target = ARENA_NEW(arena, bool, graph->nodes.count);
    for (uint32_t id = 1; id < graph->nodes.count; id++)
        if (graph->nodes.items[id].op == OP_gradient)
            is_target[graph->nodes.items[id].args[1].id] = true;
    return is_target;
}

Graph *prepare_graph(Arena *arena, const Graph *from) {
    Graph *graph = graph_create(arena, from->module);
    graph->diag = from->diag;
    const bool *reached = graph_reached(arena, from), *is_target = find_targets(arena, from);
    Value *moved = ARENA_NEW(arena, Value, from->nodes.count);
    for (uint32_t id = 1; id < from->nodes.count; id++) {
        const Node *node = &from->nodes.items[id];
        Upsampling up;
        if (!reached[id])
            continue;
        if (node->op == OP_conv2d && is_upsampling(from, node->args[0], is_target, &up)) {
            graph->origin = (Origin){node->origin.pointer, "prepare"};
            moved[id] = convolve_repeated(graph, node, &up, moved[up.image.id], moved[node->args[1].id]);
            if (moved[id].id)
                continue;
        }
        moved[id] = graph_copy_node(graph, node, moved);
    }
    graph_copy_outputs(graph, from, moved);
    return graph_copy(arena, graph, NULL);
}
