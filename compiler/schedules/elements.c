// Elements: one invocation computes one vec4 of every value of one shape and layout that it stores. Values of another shape, which plan
// joined to these to save a dispatch, have workgroups of their own behind them.
#include "compiler/emit/emitter.h"
#include "compiler/schedules/links.h"
#include <math.h>

static void store_all(Emitter *emitter, uint32_t begin, uint32_t end, Index vector) {
    const Kernel *kernel = emitter->kernel;
    Index index[MAX_RANK];
    emit_unravel(emitter, &emitter->list->layouts[kernel->stores.items[begin].id], vector, index);
    for (uint32_t i = begin; i < end; i++)
        emit_value(emitter, kernel->stores.items[i], index); // all are computed before any is stored: a store may be over what another reads
    for (uint32_t i = begin; i < end; i++)
        emit_store_vector(emitter, kernel->stores.items[i], index, emit_value(emitter, kernel->stores.items[i], index));
}

// The end of the stores that have the shape and layout of the one at `begin`.
static uint32_t same_layout_end(const Emitter *emitter, uint32_t begin) {
    const Kernel *kernel = emitter->kernel;
    const Layout *layouts = emitter->list->layouts;
    uint32_t end = begin + 1;
    while (end < kernel->stores.count && layout_equal(&layouts[kernel->stores.items[begin].id], &layouts[kernel->stores.items[end].id]))
        end++;
    return end;
}

static uint64_t vectors_of(const Emitter *emitter, uint32_t store) { return layout_count(&emitter->list->layouts[emitter->kernel->stores.items[store].id]) / 4; }

static uint64_t emit_invocations(Emitter *emitter) {
    uint32_t count = emitter->kernel->stores.count, end = same_layout_end(emitter, 0), lanes = schedule_lanes(&emitter->kernel->schedule);
    EmitWindow window = emitter->window;
    uint64_t vectors = window.count ? window.count : vectors_of(emitter, 0), first = 0;
    if (end == count) {
        emit_line(emitter, "if (gid >= %llu)", (unsigned long long)vectors);
        emit_line(emitter, "    return;");
        if (window.first)
            emit_line(emitter, "int vector = gid + %llu; // of the whole set; a binding holds no more than a window of it", (unsigned long long)window.first);
        store_all(emitter, 0, count, index_variable(emitter->pool, window.first ? "vector" : "gid", (int64_t)window.first, (int64_t)(window.first + vectors) - 1));
        return vectors;
    }
    emit_parts_note(emitter);
    for (uint32_t begin = 0; begin < count; begin = end) {
        end = same_layout_end(emitter, begin);
        vectors = vectors_of(emitter, begin);
        EmitScope part = emit_open_part(emitter, first, vectors);
        const char *vector = first ? emit_name(emitter, "vector") : "gid";
        if (first)
            emit_line(emitter, "int %s = gid - %llu;", vector, (unsigned long long)first);
        store_all(emitter, begin, end, index_variable(emitter->pool, vector, 0, (int64_t)vectors - 1));
        emit_close(emitter, part, true);
        if (end < count)
            first += (vectors + lanes - 1) / lanes * lanes;
    }
    return first + vectors;
}

void elements_emit_link(Emitter *emitter, Index vector) { store_all(emitter, 0, emitter->kernel->stores.count, vector); }

static uint64_t emit(Emitter *emitter) {
    uint32_t lanes = schedule_lanes(&emitter->kernel->schedule);
    return (emit_invocations(emitter) + lanes - 1) / lanes;
}

static Work work(const KernelView *view, const Schedule *schedule) {
    const Kernel *kernel = view->kernel;
    const Layout *layout = &view->list->layouts[kernel->stores.items[0].id];
    double vectors = (double)layout_count(layout) / 4, lanes = schedule_lanes(schedule);
    return (Work){
        .groups = ceil(vectors / lanes),
        .lanes = lanes,
        .texel_loads = schedule->values[PARAM_TEXEL] ? kernel->loads.count : 0,
        .storage_loads = schedule->values[PARAM_TEXEL] ? 0 : kernel->loads.count,
        .stores = kernel->stores.count,
    };
}

static bool fits(const KernelView *view, const Schedule *schedule, const Target *target, const char **why) {
    (void)view, (void)schedule, (void)target, (void)why;
    return true;
}

// clang-format off
//                lanes  texel
static const Candidate candidates[] = {
    {TARGET_CPU, {64,  1}},
    {TARGET_GPU, {256, 0}},
    {TARGET_ANY, {64,  0}},
};
// clang-format on

const Family elements_family = {
    .name = "elements",
    .summary = "one invocation computes one vec4 of every value",
    .kernel_class = KERNEL_MAP,
    .params = {FAMILY_LANES, FAMILY_TEXEL},
    .param_count = PARAM_OWN,
    .candidates = candidates,
    .candidate_count = sizeof candidates / sizeof *candidates,
    .fits = fits,
    .work = work,
    .emit = emit,
    .template_name = "map.comp",
};
