// Contract: what a contraction is, seen through the layouts of its operands.
#include "compiler/kernel/contract.h"
#include "compiler/ops/winograd.h"

static const Node *node_of(const KernelList *list, Value value) { return graph_node(list->graph, value); }

static void conv_attrs(Contract *c, const Node *node) {
    for (int i = 0; i < 2; i++) {
        c->stride[i] = attr_of(node, ATTR_stride)->ints[i];
        c->pad[i] = attr_of(node, ATTR_pad)->ints[i];
        c->dilation[i] = attr_of(node, ATTR_dilation)->ints[i];
    }
    c->groups = (uint32_t)attr_of(node, ATTR_groups)->integer;
}

static void image_strides(const Layout *layout, uint32_t *image, uint32_t *row, uint32_t *column) {
    uint32_t strides[LAYOUT_RANK_MAX];
    layout_strides(layout, strides);
    *image = strides[0], *row = strides[2], *column = strides[3];
}

static void contract_conv(Contract *c, const KernelList *list, const Node *node) {
    const Layout *x = &list->layouts[c->x.id], *w = &list->layouts[c->w.id];
    conv_attrs(c, node);
    c->kind = node->op == OP_conv2d_input ? ROWS_INPUT : ROWS_FORWARD;
    image_strides(x, &c->x_image, &c->x_row, &c->x_column);
    c->x_height = x->dims[2], c->x_width = x->dims[3], c->images = x->dims[0];
    if (node->op == OP_conv2d_weight) {
        c->is_outer = true;
        c->slices = (uint32_t)attr_of(node, ATTR_slices)->integer;
        c->taps_y = (uint32_t)attr_of(node, ATTR_kernel)->ints[0], c->taps_x = (uint32_t)attr_of(node, ATTR_kernel)->ints[1];
        image_strides(w, &c->g_image, &c->g_row, &c->g_column);
        c->height = w->dims[2], c->width = w->dims[3];
        c->channels = x->dims[1] / c->groups, c->columns = w->dims[1] / c->groups;
        return;
    }
    uint32_t strides[LAYOUT_RANK_MAX];
    layout_strides(w, strides);
    c->taps_y = w->dims[2], c->taps_x = w->dims[3];
    c->w_tap_y = strides[2], c->w_tap_x = strides[3];
    c->height = node->type.dims[2], c->width = node->type.dims[3];
    c->columns = node->type.dims[1] / c->groups, c->channels = x->dims[1] / c->groups;
    c->w_channel = strides[node->op == OP_conv2d ? 1 : 0];
}

static void contract_matmul(Contract *c, const KernelList *list, const Node *node) {
    const Layout *x = &list->layouts[c->x.id], *w = &list->layouts[c->w.id];
    uint32_t rank = node->type.rank, xs[LAYOUT_RANK_MAX], ws[LAYOUT_RANK_MAX];
    layout_strides(x, xs);
    layout_strides(w, ws);
    c->kind = ROWS_PLAIN;
    c->is_outer = x->order[rank - 1] == rank - 2; // the rows of a lie innermost
    for (uint32_t axis = 0; axis + 2 < rank; axis++)
        c->batch *= node->type.dims[axis];
    c->images = c->is_outer ? x->dims[rank - 1] : x->dims[rank - 2];
    c->channels = c->is_outer ? x->dims[rank - 2] : x->dims[rank - 1];
    c->columns = w->dims[rank - 1];
    c->x_image = xs[c->is_outer ? rank - 1 : rank - 2];
    c->w_channel = c->g_image = ws[rank - 2];
    c->x_batch = rank > 2 ? xs[rank - 3] : 0;
    c->w_batch = rank > 2 ? ws[rank - 3] : 0;
}

Contract contract_of(const KernelList *list, Value value) {
    const Node *node = node_of(list, value);
    Contract c = {.out = value, .x = node->args[0], .w = node->args[node->arg_count - 1], .batch = 1, .groups = 1, .images = 1, .height = 1, .width = 1, .x_height = 1,
                  .x_width = 1, .taps_y = 1, .taps_x = 1, .slices = 1, .stride = {1, 1}, .dilation = {1, 1}};
    if (winograd_is(node->op))
        c.channels = c.columns = 1; // of constants
    else if (node->op == OP_matmul)
        contract_matmul(&c, list, node);
    else
        contract_conv(&c, list, node);
    return c;
}

uint32_t contract_unroll(uint64_t outer, uint32_t extent) {
    for (uint32_t steps = 1; steps < extent; steps++)
        if (extent % steps == 0 && outer * (extent / steps + 1) <= LOOP_TURNS_MAX)
            return steps;
    return outer * (extent + 1u) <= LOOP_TURNS_MAX ? 1 : extent;
}

uint32_t contract_ceil_div(uint32_t a, uint32_t b) { return (a + b - 1) / b; }

static uint8_t innermost(const Layout *layout) { return layout->order[layout->rank - 1]; }

bool contract_has_even_batch(const Layout *layout) {
    uint32_t strides[LAYOUT_RANK_MAX];
    layout_strides(layout, strides);
    for (uint32_t axis = 0; axis + 3 < layout->rank; axis++)
        if (layout->dims[axis] > 1 && strides[axis] != strides[axis + 1] * layout->dims[axis + 1])
            return false;
    return true;
}

bool contract_is_tileable(const KernelList *list, Value value) {
    const Node *node = node_of(list, value);
    if (winograd_is(node->op))
        return false;
    const Layout *x = &list->layouts[node->args[0].id], *w = &list->layouts[node->args[1].id], *out = &list->layouts[value.id];
    if (node->type.dtype != DTYPE_F32)
        return false;
    uint32_t rank = node->type.rank;
    if (node->op == OP_matmul) {
        if (!contract_has_even_batch(x) || !contract_has_even_batch(w) || !contract_has_even_batch(out))
            return false;
        return innermost(w) == rank - 1 && innermost(out) == rank - 1 && (innermost(x) == rank - 1 || innermost(x) == rank - 2);
    }
    Contract c = contract_of(list, value);
    if (c.groups > 1 && (c.channels % 4 || c.columns % 4))
        return false;
    if (innermost(x) != 1)
        return false;
    if (node->op == OP_conv2d_weight)
        return innermost(w) == 1 && innermost(out) == rank - 4;
    return innermost(out) == 1 && innermost(w) == (node->op == OP_conv2d ? 0 : 1);
}

bool contract_has_own_kernels(const Type *w, int64_t groups) { return groups > 1 && w->dims[0] == groups && w->dims[1] == 1; }

bool contract_is_depthwise(const KernelList *list, Value value) {
    const Node *node = node_of(list, value);
    if ((node->op != OP_conv2d && node->op != OP_conv2d_input) || node->type.dtype != DTYPE_F32)
        return false;
    Type w = graph_type(list->graph, node->args[1]);
    return contract_has_own_kernels(&w, attr_of(node, ATTR_groups)->integer) && innermost(&list->layouts[node->args[0].id]) == 1 &&
           innermost(&list->layouts[node->args[1].id]) == 0 && innermost(&list->layouts[value.id]) == 1;
}

double contract_terms(const Contract *c) {
    bool strided = c->kind == ROWS_INPUT;
    double taps_y = contract_ceil_div(c->taps_y, strided ? (uint32_t)c->stride[0] : 1), taps_x = contract_ceil_div(c->taps_x, strided ? (uint32_t)c->stride[1] : 1);
    return c->is_outer ? (double)c->images / c->slices * c->height * c->width : taps_y * taps_x * c->channels;
}

// What the convolution would take directly, less the matmul's share: the three kernels together count as the convolution.
static double winograd_flops(const Graph *graph, const Node *node) {
    const Node *products = graph_node(graph, node->args[0]);
    if ((node->op != OP_winograd_result && node->op != OP_winograd_taps) || products->op != OP_matmul)
        return 0;
    Type x = graph_type(graph, products->args[0]);
    double taps = WINOGRAD_TAPS * WINOGRAD_TAPS, channels = x.dims[2], own = contract_flops(graph, node->args[0]);
    double direct = node->op == OP_winograd_result ? 2 * taps * channels * (double)type_count(&node->type) : 0;
    if (node->op == OP_winograd_taps) {
        const Node *g = graph_node(graph, products->args[1]); // of the image's gradient
        Type image = g->op == OP_winograd_gradient ? graph_type(graph, g->args[0]) : type_make(DTYPE_F32, 0, NULL);
        direct = 2 * taps * node->type.dims[1] * (double)type_count(&image);
    }
    return direct > own ? direct - own : 0;
}

double contract_flops(const Graph *graph, Value value) {
    const Node *node = graph_node(graph, value);
    if (winograd_is(node->op))
        return winograd_flops(graph, node);
    Type a = graph_type(graph, node->args[0]), b = graph_type(graph, node->args[1]);
    if (node->op == OP_matmul)
        return 2.0 * (double)type_count(&node->type) * a.dims[a.rank - 1];
    // Taps x channels x output elements of the forward convolution, whichever member of the family it is.
    if (node->op == OP_conv2d)
        return 2.0 * (double)type_count(&node->type) * b.dims[1] * b.dims[2] * b.dims[3];
    if (node->op == OP_conv2d_input)
        return 2.0 * (double)type_count(&a) * b.dims[1] * b.dims[2] * b.dims[3];
    return 2.0 * (double)type_count(&b) * (a.dims[1] / (double)attr_of(node, ATTR_groups)->integer) * (double)(attr_of(node, ATTR_kernel)->ints[0] * attr_of(node, ATTR_kernel)->ints[1]);
}

WorkClass contract_class(const Graph *graph, Value value) {
    switch ((int)graph_node(graph, value)->op) {
    case OP_conv2d: return WORK_CONV2D;
    case OP_conv2d_input: return WORK_CONV2D_INPUT;
    case OP_conv2d_weight: return WORK_CONV2D_WEIGHT;
    case OP_matmul: return WORK_MATMUL;
    case OP_winograd_image:
    case OP_winograd_weight:
    case OP_winograd_result: return WORK_CONV2D;
    case OP_winograd_gradient:
    case OP_winograd_taps: return WORK_CONV2D_WEIGHT;
    }
    graph_bug(graph, value, "no contraction");
}
