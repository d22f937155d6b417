// Plain: one invocation makes one vec4 of a matrix product, a product a turn.
#include "compiler/schedules/families.h"
#include "compiler/emit/glsl.h"
#include "compiler/schedules/rounding.h"
#include "compiler/schedules/tile.h"

enum { DEPTH_MAX = 256 };

static uint64_t emit(Emitter *emitter) {
    Value root = emitter->kernel->root;
    uint32_t rank = graph_type(emitter->graph, root).rank, lanes = schedule_lanes(&emitter->kernel->schedule);
    const Layout *layout = &emitter->list->layouts[root.id];
    Contract c = contract_of(emitter->list, root);
    uint64_t vectors = layout_count(layout) / 4;
    uint32_t depth = graph_type(emitter->graph, c.x).dims[rank - 1];
    Index out[MAX_RANK], x[MAX_RANK], w[MAX_RANK];
    emit_line(emitter, "if (gid >= %llu)", (unsigned long long)vectors);
    emit_line(emitter, "    return;");
    emit_unravel(emitter, layout, index_variable(emitter->pool, "gid", 0, (int64_t)vectors - 1), out);
    emit_line(emitter, "vec4 sum = vec4(0.0);");
    EmitScope scope = emit_open(emitter, arena_format(emitter->arena, "for (int k = 0; k < %u; k++) {", depth));
    memcpy(x, out, sizeof x);
    memcpy(w, out, sizeof w);
    x[rank - 1] = w[rank - 2] = index_variable(emitter->pool, "k", 0, (int64_t)depth - 1);
    Code a = emit_vector(emitter, emit_value(emitter, c.x, x)), b = emit_vector(emitter, emit_value(emitter, c.w, w));
    emit_line(emitter, "sum += %s * %s;", a.text, b.text);
    emit_close(emitter, scope, true);
    tile_store(emitter, out, "sum");
    return (vectors + lanes - 1) / lanes;
}

static bool fits(const KernelView *view, const Schedule *schedule, const Target *target, const char **why) {
    (void)schedule, (void)target;
    const Node *node = graph_node(view->list->graph, view->value);
    *why = "it is no short matrix product";
    return node->op == OP_matmul && graph_type(view->list->graph, view->contract.x).dims[node->type.rank - 1] <= DEPTH_MAX;
}

// Next to nothing, so that it is taken wherever it fits.
static Work work(const KernelView *view, const Schedule *schedule) {
    (void)view;
    return (Work){.groups = 1, .lanes = schedule_lanes(schedule)};
}

static double error(const KernelView *view, const Schedule *schedule) {
    (void)schedule;
    return rounding_of_sum(contract_terms(&view->contract), 1, true);
}

static const Candidate candidates[] = {{TARGET_CPU, {0, 0}}, {TARGET_GPU, {0, 0}}, {TARGET_ANY, {0, 0}}};

const Family plain_family = {
    .name = "plain",
    .summary = "one invocation makes one vec4 of a matrix product, a product a turn",
    .kernel_class = KERNEL_CONTRACT,
    .params = {FAMILY_LANES, FAMILY_TEXEL},
    .param_count = PARAM_OWN,
    .candidates = candidates,
    .candidate_count = sizeof candidates / sizeof *candidates,
    .fits = fits,
    .work = work,
    .emit = emit,
    .error = error,
    .template_name = "map.comp",
};
