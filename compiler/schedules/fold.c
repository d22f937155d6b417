// Fold: one invocation folds one result, or four neighbouring ones.
#include "compiler/schedules/fold.h"
#include "compiler/emit/glsl.h"
#include "compiler/schedules/links.h"
#include "compiler/schedules/rounding.h"

static const Layout *space_of(const KernelView *view) { return &view->list->layouts[graph_node(view->list->graph, view->value)->args[0].id]; }

static bool folds(const KernelView *view, uint32_t place) {
    return op_folds(graph_node(view->list->graph, view->value), space_of(view)->order[place]);
}

double fold_turns(const KernelView *view) {
    const Layout *layout = space_of(view);
    double turns = 1;
    for (uint32_t place = 0; place < layout->rank; place++) {
        uint32_t extent = layout->dims[layout->order[place]];
        if (folds(view, place))
            turns *= place + 1 == layout->rank ? contract_ceil_div(extent, 4) : extent;
    }
    return turns;
}

double fold_parts(const KernelView *view) {
    const Layout *layout = space_of(view);
    return layout->rank && folds(view, layout->rank - 1u) ? 3 : 1;
}

Work fold_work(const KernelView *view, const Schedule *schedule, uint32_t shared_by) {
    const Layout *layout = &view->list->layouts[view->value.id];
    double results = (double)layout_count(layout) / 4, elements = (double)layout_count(space_of(view)) / 4;
    double loads = view->kernel->loads.count;
    return (Work){
        .chain = elements / results,
        .shared_by = shared_by,
        .at_once = results,
        .texel_loads = schedule->values[PARAM_TEXEL] ? loads : 0,
        .storage_loads = schedule->values[PARAM_TEXEL] ? 0 : loads,
    };
}

static Work work(const KernelView *view, const Schedule *schedule) { return fold_work(view, schedule, 1); }

static bool fits(const KernelView *view, const Schedule *schedule, const Target *target, const char **why) {
    (void)schedule, (void)target;
    double turns = fold_turns(view);
    for (uint32_t i = 0; i < view->kernel->roots.count; i++) { // of joined ones the longest
        KernelView other = *view;
        other.value = view->kernel->roots.items[i];
        turns = fold_turns(&other) > turns ? fold_turns(&other) : turns;
    }
    if (2 * turns > LOOP_TURNS_MAX) // loops in loops turn more often than their bodies, and there may be two passes
        *why = arena_format(view->list->arena, "an invocation would fold %.0f vec4s, and drivers end loops after some turns: %u are allowed", turns, LOOP_TURNS_MAX / 2);
    return 2 * turns <= LOOP_TURNS_MAX;
}

static uint64_t emit(Emitter *emitter) {
    uint32_t lanes = schedule_lanes(&emitter->kernel->schedule);
    return (emit_reduce_kernel(emitter, false) + lanes - 1) / lanes;
}

double fold_error(const KernelView *view, const Schedule *schedule) {
    (void)schedule;
    return rounding_of_sum(fold_turns(view), fold_parts(view), false);
}

// clang-format off
//                lanes  texel
static const Candidate candidates[] = {
    {TARGET_CPU, {0,  1}},
    {TARGET_GPU, {64, 0}},
    {TARGET_ANY, {0,  0}},
};
// clang-format on

const Family fold_family = {
    .name = "fold",
    .summary = "one invocation folds one result, or four neighbouring ones",
    .kernel_class = KERNEL_REDUCE,
    .params = {FAMILY_LANES, FAMILY_TEXEL},
    .param_count = PARAM_OWN,
    .candidates = candidates,
    .candidate_count = sizeof candidates / sizeof *candidates,
    .fits = fits,
    .work = work,
    .emit = emit,
    .error = fold_error,
    .template_name = "reduce.comp",
};
