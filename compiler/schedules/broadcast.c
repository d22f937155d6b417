// Broadcast: register tiles, as wide.c has them, of one subgroup whose lanes all lie beside each other along columns: they have the same rows
// (pixels), which each fetches some of and gives to all.
#include "compiler/schedules/rounding.h"
#include "compiler/schedules/rows.h"

enum { ROWS = PARAM_OWN, COLUMNS, UNROLL };

static Rows tile_of(Emitter *emitter, const Contract *contract, const Schedule *schedule) {
    const uint32_t *values = schedule->values;
    Rows t = rows_of(emitter, contract, values[PARAM_LANES], values[ROWS], values[COLUMNS], values[PARAM_LANES]);
    t.broadcasts = true, t.unroll = values[UNROLL];
    return t;
}

static uint64_t emit(Emitter *emitter) {
    Contract c = contract_of(emitter->list, emitter->kernel->root);
    Rows t = tile_of(emitter, &c, &emitter->kernel->schedule);
    emitter->uses_broadcast = true;
    return rows_emit(&t);
}

static Work work(const KernelView *view, const Schedule *schedule) {
    Rows t = tile_of(NULL, &view->contract, schedule);
    return rows_work(view, schedule, &t, t.rows / (double)t.lanes);
}

// What a turn of the loop adds up is text, too: each step of it once more.
static const char *misfit_of(const KernelView *view, const Schedule *schedule) {
    const uint32_t *values = schedule->values;
    uint32_t rows = values[ROWS], columns = values[COLUMNS], unroll = values[UNROLL];
    return tile_misfit(view, rows * columns, rows / values[PARAM_LANES] * unroll, 4 * columns * unroll);
}

static bool fits(const KernelView *view, const Schedule *schedule, const Target *target, const char **why) {
    (void)target;
    uint32_t lanes = schedule->values[PARAM_LANES], rows = schedule->values[ROWS];
    if (view->contract.is_outer)
        *why = "it sums over rows";
    else if (rows % lanes)
        *why = arena_format(view->list->arena, "%u rows cannot be fetched by %u lanes, each as many", rows, lanes);
    else
        *why = misfit_of(view, schedule);
    return !*why;
}

// clang-format off
//           lanes  texel  rows  columns  unroll
static const Candidate candidates[] = {
    {TARGET_CPU, {0,  1, 32, 1, 2}},
    {TARGET_CPU, {0,  1, 16, 1, 2}},
    {TARGET_CPU, {0,  1, 8,  1, 2}},
};
// clang-format on

const Family broadcast_family = {
    .name = "broadcast",
    .summary = "a subgroup's lanes have vec4s of output channels (columns) of their own and the same rows (pixels), which they fetch for each other",
    .kernel_class = KERNEL_CONTRACT,
    .params = {FAMILY_SUBGROUP,
               FAMILY_TEXEL,
               {"rows", "of a workgroup", {8, 16, 32}, 3},
               {"columns", "vec4s of output channels of a lane", {1, 2, 3, 4}, 4},
               {"unroll", "steps of four channels in one turn of the loop, where as many divide them", {1, 2, 4}, 3}},
    .param_count = 5,
    .candidates = candidates,
    .candidate_count = sizeof candidates / sizeof *candidates,
    .is_subgroup = true,
    .fits = fits,
    .work = work,
    .emit = emit,
    .error = rounding_of_contraction,
    .template_name = "contract.comp",
};
