// Contractions as register tiles (rows, outer) and as plain loops (reference).
#include "compiler/emit/contract.h"
#include "compiler/emit/glsl.h"

static const Node *node_of(const KernelList *list, Value value) { return graph_node(list->graph, value); }

static void conv_attrs(Contract *c, const Node *node) {
    for (int i = 0; i < 2; i++) {
        c->stride[i] = node->attrs[0].ints[i];
        c->pad[i] = node->attrs[1].ints[i];
        c->dilation[i] = node->attrs[2].ints[i];
    }
    c->groups = (uint32_t)node->attrs[3].integer;
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
        c->slices = (uint32_t)node->attrs[5].integer;
        c->taps_y = (uint32_t)node->attrs[4].ints[0], c->taps_x = (uint32_t)node->attrs[4].ints[1];
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
    Contract c = {.out = value, .x = node->args[0], .w = node->args[1], .batch = 1, .groups = 1, .images = 1, .height = 1, .width = 1, .x_height = 1,
                  .x_width = 1, .taps_y = 1, .taps_x = 1, .slices = 1, .stride = {1, 1}, .dilation = {1, 1}};
    if (node->op == OP_matmul)
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

const char *contract_times(Arena *arena, const char *name, int64_t factor) {
    return factor == 1 ? name : arena_format(arena, "%s * %lld", name, (long long)factor);
}

const char *contract_plus(Arena *arena, int64_t number) {
    return number == 0 ? "" : arena_format(arena, number < 0 ? " - %lld" : " + %lld", (long long)(number < 0 ? -number : number));
}

uint32_t contract_ceil_div(uint32_t a, uint32_t b) { return (a + b - 1) / b; }

const char *contract_load(Emitter *emitter, Value value, const char *format, ...) {
    va_list list;
    va_start(list, format);
    const char *offset = arena_format_list(emitter->arena, format, list);
    va_end(list);
    return emit_vector_load(emitter, value, offset);
}

void contract_unravel_matrix(Emitter *emitter, const Type *type, uint32_t batch, Index *index) {
    Index matrix = index_opaque(emitter->pool, "matrix", 0, (int64_t)batch - 1);
    for (uint32_t axis = type->rank - 2; axis-- > 0;) {
        index[axis] = axis ? index_modulo(emitter->pool, matrix, type->dims[axis]) : matrix;
        matrix = index_divide(emitter->pool, matrix, type->dims[axis]);
    }
}

void contract_row_index(Emitter *emitter, const Contract *c, const Type *type, uint32_t p, uint32_t row_count, Index *index) {
    if (c->kind == ROWS_PLAIN) {
        contract_unravel_matrix(emitter, type, c->batch, index);
        index[type->rank - 2] = index_opaque(emitter->pool, arena_format(emitter->arena, "row%u", p), 0, (int64_t)row_count - 1);
        return;
    }
    index[0] = index_opaque(emitter->pool, arena_format(emitter->arena, "n%u", p), 0, (int64_t)c->images - 1);
    index[2] = index_opaque(emitter->pool, arena_format(emitter->arena, "y%u", p), 0, (int64_t)c->height - 1);
    index[3] = index_opaque(emitter->pool, arena_format(emitter->arena, "x%u", p), 0, (int64_t)c->width - 1);
}

void contract_store(Emitter *emitter, const Index *index, const char *accumulator) {
    const Kernel *kernel = emitter->kernel;
    emit_remember(emitter, kernel->root, index, (Code){accumulator, DTYPE_F32, true});
    for (uint32_t i = 0; i < kernel->stores.count; i++)
        emit_value(emitter, kernel->stores.items[i], index); // all are computed before any is stored: a store may be over what another reads
    for (uint32_t i = 0; i < kernel->stores.count; i++)
        emit_store_vector(emitter, kernel->stores.items[i], index, emit_value(emitter, kernel->stores.items[i], index));
}

static uint8_t innermost(const Layout *layout) { return layout->order[layout->rank - 1]; }

bool contract_is_tileable(const KernelList *list, Value value) {
    const Node *node = node_of(list, value);
    const Layout *x = &list->layouts[node->args[0].id], *w = &list->layouts[node->args[1].id], *out = &list->layouts[value.id];
    if (node->type.dtype != DTYPE_F32)
        return false;
    uint32_t rank = node->type.rank;
    if (node->op == OP_matmul) {
        // Batch axes advance with one stride each only where they are one axis, or lie densely in row-major order.
        if (rank > 3)
            for (uint32_t axis = 0; axis + 3 < rank; axis++) {
                uint32_t xs[LAYOUT_RANK_MAX], ws[LAYOUT_RANK_MAX], os[LAYOUT_RANK_MAX];
                layout_strides(x, xs), layout_strides(w, ws), layout_strides(out, os);
                if (xs[axis] != xs[axis + 1] * x->dims[axis + 1] || ws[axis] != ws[axis + 1] * w->dims[axis + 1])
                    return false;
            }
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

double contract_flops(const Graph *graph, Value value) {
    const Node *node = graph_node(graph, value);
    Type a = graph_type(graph, node->args[0]), b = graph_type(graph, node->args[1]);
    if (node->op == OP_matmul)
        return 2.0 * (double)type_count(&node->type) * a.dims[a.rank - 1];
    // Taps x channels x output elements of the forward convolution, whichever member of the family it is.
    if (node->op == OP_conv2d)
        return 2.0 * (double)type_count(&node->type) * b.dims[1] * b.dims[2] * b.dims[3];
    if (node->op == OP_conv2d_input)
        return 2.0 * (double)type_count(&a) * b.dims[1] * b.dims[2] * b.dims[3];
    return 2.0 * (double)type_count(&b) * (a.dims[1] / (double)node->attrs[3].integer) * (double)(node->attrs[4].ints[0] * node->attrs[4].ints[1]);
}

const char *contract_class(const Graph *graph, Value value) { return op_def(graph_node(graph, value)->op)->name; }

// ---- reference: one invocation makes one vec4 of results, operands are read wherever they are

static EmitScope loop(Emitter *emitter, uint32_t extent, Index *variable) {
    const char *name = emit_name(emitter, "k");
    *variable = index_variable(emitter->pool, name, 0, (int64_t)extent - 1);
    return emit_open(emitter, arena_format(emitter->arena, "for (int %s = 0; %s < %u; %s++) {", name, name, extent, name));
}

static void add_product(Emitter *emitter, const Contract *c, const char *condition, const Index *x, const Index *w) {
    Code a = emit_vector(emitter, emit_value(emitter, c->x, x)), b = emit_vector(emitter, emit_value(emitter, c->w, w));
    if (condition)
        emit_line(emitter, "sum += %s ? %s * %s : vec4(0.0);", condition, a.text, b.text);
    else
        emit_line(emitter, "sum += %s * %s;", a.text, b.text);
}

// position / stride where that is whole and inside [0, extent), as an opaque index; the condition is appended.
static Index border(Emitter *emitter, Text *condition, Index position, int64_t divisor, uint32_t extent) {
    const char *at = emit_name(emitter, "i");
    emit_line(emitter, "int %s = %s;", at, emit_index(emitter, position));
    text_format(condition, "%s%s >= 0 && %s < %lld", condition->length ? " && " : "", at, at, (long long)extent * divisor);
    if (divisor > 1)
        text_format(condition, " && %s %% %lld == 0", at, (long long)divisor);
    return emit_opaque_index(emitter, arena_format(emitter->arena, "clamp(%s / %lld, 0, %u)", at, (long long)divisor, extent - 1), 0, (int64_t)extent - 1);
}

static Index turn(Emitter *emitter, Index variable, uint32_t steps, uint32_t step) {
    return index_add_constant(emitter->pool, index_scale(emitter->pool, variable, steps), step);
}

static void reference_matmul(Emitter *emitter, const Contract *c, const Index *out, uint32_t rank) {
    Index x[MAX_RANK], w[MAX_RANK], k;
    uint32_t depth = graph_type(emitter->graph, c->x).dims[rank - 1], steps = contract_unroll(1, depth);
    EmitScope scope = loop(emitter, depth / steps, &k);
    for (uint32_t axis = 0; axis + 2 < rank; axis++)
        x[axis] = w[axis] = out[axis];
    x[rank - 2] = out[rank - 2], w[rank - 1] = out[rank - 1];
    for (uint32_t step = 0; step < steps; step++) {
        x[rank - 1] = w[rank - 2] = turn(emitter, k, steps, step);
        add_product(emitter, c, NULL, x, w);
    }
    emit_close(emitter, scope, true);
}

// conv2d and conv2d_input: loops over taps and the summed channel.
static void reference_conv(Emitter *emitter, const Contract *c, const Index *out) {
    IndexPool *pool = emitter->pool;
    bool input = c->kind == ROWS_INPUT;
    Index tap[2], channel, at[2];
    Text condition = text_create(emitter->arena);
    EmitScope outer = loop(emitter, c->taps_y, &tap[0]), inner = loop(emitter, c->taps_x, &tap[1]);
    for (int i = 0; i < 2; i++) {
        Index position = input ? index_add(pool, index_add_constant(pool, out[2 + i], c->pad[i]), index_scale(pool, tap[i], -c->dilation[i]))
                               : index_add(pool, index_add_constant(pool, index_scale(pool, out[2 + i], c->stride[i]), -c->pad[i]), index_scale(pool, tap[i], c->dilation[i]));
        at[i] = border(emitter, &condition, position, input ? c->stride[i] : 1, i ? c->x_width : c->x_height);
    }
    uint32_t steps = contract_unroll((uint64_t)c->taps_y * c->taps_x, c->channels);
    EmitScope scope = loop(emitter, c->channels / steps, &channel);
    Index group = c->groups > 1 ? index_divide(pool, out[1], c->columns) : index_constant(0);
    Index column = c->groups > 1 ? index_modulo(pool, out[1], c->columns) : out[1];
    for (uint32_t step = 0; step < steps; step++) {
        Index one = turn(emitter, channel, steps, step);
        Index x[4] = {out[0], index_add(pool, index_scale(pool, group, c->channels), one), at[0], at[1]};
        Index w[4] = {out[1], one, tap[0], tap[1]};
        if (input)
            w[0] = x[1], w[1] = column;
        add_product(emitter, c, condition.data, x, w);
    }
    emit_close(emitter, scope, true);
    emit_close(emitter, inner, true);
    emit_close(emitter, outer, true);
}

static void reference_weight(Emitter *emitter, const Contract *c, const Index *out, uint32_t rank) {
    IndexPool *pool = emitter->pool;
    const Index *w = out + (rank - 4);
    uint32_t each = c->images / c->slices;
    Index image, y, x;
    uint32_t steps = contract_unroll((uint64_t)each * c->height, c->width);
    EmitScope first = loop(emitter, each, &image), second = loop(emitter, c->height, &y), third = loop(emitter, c->width / steps, &x);
    if (rank > 4)
        image = index_add(pool, image, index_scale(pool, out[0], each));
    Index group = c->groups > 1 ? index_divide(pool, w[0], c->columns) : index_constant(0);
    for (uint32_t step = 0; step < steps; step++) {
        Index at[2], rows[2] = {y, turn(emitter, x, steps, step)};
        Text condition = text_create(emitter->arena);
        for (int i = 0; i < 2; i++)
            at[i] = border(emitter, &condition,
                           index_add(pool, index_add_constant(pool, index_scale(pool, rows[i], c->stride[i]), -c->pad[i]), index_scale(pool, w[2 + i], c->dilation[i])),
                           1, i ? c->x_width : c->x_height);
        Index xi[4] = {image, index_add(pool, index_scale(pool, group, c->channels), w[1]), at[0], at[1]};
        Index gi[4] = {image, w[0], y, rows[1]};
        add_product(emitter, c, condition.data, xi, gi);
    }
    emit_close(emitter, third, true);
    emit_close(emitter, second, true);
    emit_close(emitter, first, true);
}

uint64_t emit_reference_contraction(Emitter *emitter) {
    Value root = emitter->kernel->root;
    const Node *node = graph_node(emitter->graph, root);
    const Layout *layout = &emitter->list->layouts[root.id];
    Contract c = contract_of(emitter->list, root);
    uint64_t vectors = layout_count(layout) / 4;
    Index index[MAX_RANK];
    emit_line(emitter, "if (gid >= %llu)", (unsigned long long)vectors);
    emit_line(emitter, "    return;");
    emit_unravel(emitter, layout, index_variable(emitter->pool, "gid", 0, (int64_t)vectors - 1), index);
    emit_line(emitter, "vec4 sum = vec4(0.0);");
    if (node->op == OP_matmul)
        reference_matmul(emitter, &c, index, node->type.rank);
    else if (node->op == OP_conv2d_weight)
        reference_weight(emitter, &c, index, node->type.rank);
    else
        reference_conv(emitter, &c, index);
    contract_store(emitter, index, "sum");
    return vectors;
}
