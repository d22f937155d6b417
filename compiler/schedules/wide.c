// Wide: register tiles, as rows.c has them, but some or all lanes of a workgroup lie beside each other along columns: few rows keep all lanes busy,
// and share what they read of w.
#include "compiler/schedules/rounding.h"
#include "compiler/schedules/rows.h"

enum { ROWS = PARAM_OWN, COLUMNS, ACROSS };

static Rows tile_of(Emitter *emitter, const Contract *contract, const Schedule *schedule) {
    const uint32_t *values = schedule->values;
    return rows_of(emitter, contract, values[PARAM_LANES], values[ROWS], values[COLUMNS], values[ACROSS]);
}

static uint64_t emit(Emitter *emitter) {
    Contract c = contract_of(emitter->list, emitter->kernel->root);
    Rows t = tile_of(emitter, &c, &emitter->kernel->schedule);
    return rows_emit(&t);
}

static Work work(const KernelView *view, const Schedule *schedule) {
    Rows t = tile_of(NULL, &view->contract, schedule);
    return rows_work(view, schedule, &t, t.rows);
}

// As many workgroups, but as few rows of the last one as can be beyond all.
static bool settle(const KernelView *view, Schedule *schedule) {
    uint32_t *values = schedule->values;
    if (values[ACROSS] > values[PARAM_LANES])
        values[ACROSS] = values[PARAM_LANES];
    Rows t = tile_of(NULL, &view->contract, schedule);
    uint32_t rows = contract_ceil_div(contract_ceil_div(t.row_count, t.down), t.row_blocks);
    const Param *legal = &schedule->family->params[ROWS];
    for (uint32_t i = legal->count; i-- > 0 && legal->values[i] >= rows;)
        values[ROWS] = legal->values[i];
    return values[ACROSS] > 1;
}

static bool fits(const KernelView *view, const Schedule *schedule, const Target *target, const char **why) {
    (void)target;
    const uint32_t *values = schedule->values;
    if (view->contract.is_outer)
        *why = "it sums over rows";
    else if (values[PARAM_LANES] % values[ACROSS])
        *why = arena_format(view->list->arena, "across (%u) must divide lanes (%u)", values[ACROSS], values[PARAM_LANES]);
    else
        *why = tile_misfit(view, values[ROWS] * values[COLUMNS], values[ROWS], 4 * values[COLUMNS]);
    return !*why;
}

// clang-format off
//           lanes  texel  rows  columns  across
static const Candidate candidates[] = {
    {TARGET_CPU, {0,  1, 8,  3, 8}},
    {TARGET_CPU, {0,  1, 8,  2, 8}},
    {TARGET_CPU, {0,  1, 16, 2, 8}},
    {TARGET_CPU, {0,  1, 16, 1, 8}},
    {TARGET_CPU, {0,  1, 8,  1, 8}},
    {TARGET_CPU, {0,  1, 4,  4, 8}},
    {TARGET_CPU, {0,  1, 4,  2, 8}},
    {TARGET_CPU, {0,  1, 2,  4, 8}},
    {TARGET_CPU, {0,  1, 2,  2, 8}},
    {TARGET_CPU, {0,  1, 1,  2, 8}},
    {TARGET_CPU, {0,  1, 8,  3, 4}},
    {TARGET_CPU, {0,  1, 8,  2, 4}},
    {TARGET_CPU, {0,  1, 8,  1, 4}},
    {TARGET_CPU, {0,  1, 8,  3, 2}},
    {TARGET_CPU, {0,  1, 8,  2, 2}},
    {TARGET_CPU, {0,  1, 8,  1, 2}},
    {TARGET_GPU, {64, 0, 4,  1, 16}},
    {TARGET_GPU, {64, 0, 1,  1, 16}},
    {TARGET_ANY, {8,  0, 4,  2, 8}},
    {TARGET_ANY, {8,  0, 1,  2, 8}},
};
// clang-format on

const Family wide_family = {
    .name = "wide",
    .summary = "as rows, but lanes lie beside each other along columns, so that few rows keep them busy",
    .kernel_class = KERNEL_CONTRACT,
    .params = {FAMILY_LANES_FROM_2,
               FAMILY_TEXEL,
               {"rows", "of a lane", {1, 2, 3, 4, 5, 6, 7, 8, 16}, 9},
               {"columns", "vec4s of output channels of a lane", {1, 2, 3, 4}, 4},
               {"across", "lanes beside each other along columns", {2, 4, 8, 16}, 4}},
    .param_count = 5,
    .candidates = candidates,
    .candidate_count = sizeof candidates / sizeof *candidates,
    .fits = fits,
    .settle = settle,
    .work = work,
    .emit = emit,
    .error = rounding_of_contraction,
    .template_name = "contract.comp",
};
