// Reference: one invocation makes one vec4 of results by plain loops; operands are read wherever they are.
#include "compiler/schedules/families.h"
#include "compiler/emit/glsl.h"
#include "compiler/ops/winograd.h"
#include "compiler/schedules/rounding.h"
#include "compiler/schedules/tile.h"
#include <math.h>

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

static uint64_t emit(Emitter *emitter) {
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
    tile_store(emitter, index, "sum");
    uint32_t lanes = schedule_lanes(&emitter->kernel->schedule);
    return (vectors + lanes - 1) / lanes;
}

static Work work(const KernelView *view, const Schedule *schedule) {
    const Layout *layout = &view->list->layouts[view->value.id];
    double vectors = (double)layout_count(layout) / 4, lanes = schedule_lanes(schedule), terms = contract_terms(&view->contract);
    Work work = {
        .groups = ceil(vectors / lanes),
        .lanes = lanes,
        .multiply_adds = terms,
        .places = 2 * terms,
        .turns = terms,
        .sums = 1,
        .stores = 1,
    };
    tile_count_loads(&work, view, schedule, terms, terms);
    return work;
}

static bool fits(const KernelView *view, const Schedule *schedule, const Target *target, const char **why) {
    (void)schedule, (void)target;
    *why = winograd_is(graph_node(view->list->graph, view->value)->op) ? "it transforms tiles" : NULL;
    return !*why; // long loops are unrolled
}

// clang-format off
//                lanes  texel
static const Candidate candidates[] = {
    {TARGET_CPU, {8,  1}},
    {TARGET_GPU, {64, 0}},
    {TARGET_ANY, {64, 0}},
};
// clang-format on

const Family reference_family = {
    .name = "reference",
    .summary = "one invocation makes one vec4 of results by plain loops, wherever the operands lie",
    .kernel_class = KERNEL_CONTRACT,
    .params = {FAMILY_LANES, FAMILY_TEXEL},
    .param_count = PARAM_OWN,
    .is_last_resort = true,
    .candidates = candidates,
    .candidate_count = sizeof candidates / sizeof *candidates,
    .fits = fits,
    .work = work,
    .emit = emit,
    .error = rounding_of_contraction,
    .template_name = "map.comp",
};
