// Depthwise: convolutions whose every channel has a kernel of its own. A lane has neighbouring pixels of a line, as strip.c has them, and one vec4 of
// channels; lanes beside each other have channels beside each other.
#include "compiler/schedules/rounding.h"
#include "compiler/schedules/strip.h"

enum { PIXELS = PARAM_OWN, ACROSS };

// Its groups are columns, each made of one channel.
static Rows tile_of(Emitter *emitter, const Contract *contract, const Schedule *schedule) {
    const uint32_t *values = schedule->values;
    Contract c = *contract;
    c.columns = c.groups, c.groups = 1, c.channels = 4;
    Rows t = rows_of(emitter, &c, values[PARAM_LANES], values[PIXELS], 1, values[ACROSS]);
    t.is_line = t.is_depthwise = true;
    return t;
}

static uint64_t emit(Emitter *emitter) {
    Contract c = contract_of(emitter->list, emitter->kernel->root);
    Rows t = tile_of(emitter, &c, &emitter->kernel->schedule);
    return strip_emit(&t);
}

static Work work(const KernelView *view, const Schedule *schedule) {
    Rows t = tile_of(NULL, &view->contract, schedule);
    double taps = t.c.taps_y * t.c.taps_x / (double)t.parities, reads = strip_reads_a_tap(&t);
    Work work = {
        .groups = (double)t.column_blocks * t.row_blocks * t.parities,
        .lanes = t.lanes,
        .multiply_adds = taps * t.rows,
        .places = taps * reads,
        .sums = t.rows,
        .stores = t.rows,
    };
    tile_count_loads(&work, view, schedule, taps * reads, taps);
    return work;
}

static bool settle(const KernelView *view, Schedule *schedule) {
    uint32_t *values = schedule->values;
    if (values[ACROSS] > values[PARAM_LANES])
        values[ACROSS] = values[PARAM_LANES];
    values[PIXELS] = strip_longest(&view->contract, values[PIXELS]);
    return true;
}

static bool fits(const KernelView *view, const Schedule *schedule, const Target *target, const char **why) {
    (void)target;
    const uint32_t *values = schedule->values;
    *why = strip_misfit(view, values[PIXELS]);
    if (!*why && !contract_is_depthwise(view->list, view->value))
        *why = "it is no convolution of each channel by itself, or its operands do not lie with channels innermost";
    if (!*why && values[PARAM_LANES] % values[ACROSS])
        *why = arena_format(view->list->arena, "across (%u) must divide lanes (%u)", values[ACROSS], values[PARAM_LANES]);
    if (*why)
        return false;
    Rows t = tile_of(NULL, &view->contract, schedule);
    uint32_t x, taps;
    strip_count_reads(&t, &x, &taps);
    *why = tile_text_misfit(view, t.rows, x, taps);
    return !*why;
}

// clang-format off
//           lanes  texel  pixels  across
static const Candidate candidates[] = {
    {TARGET_CPU, {0,  1, 16, 8}},
    {TARGET_CPU, {0,  1, 8,  8}},
    {TARGET_CPU, {0,  1, 16, 4}},
    {TARGET_CPU, {0,  1, 16, 2}},
    {TARGET_CPU, {0,  1, 16, 1}},
    {TARGET_CPU, {0,  1, 8,  1}},
    {TARGET_GPU, {64, 0, 4,  16}},
    {TARGET_GPU, {64, 0, 2,  16}},
    {TARGET_GPU, {64, 0, 1,  4}},
    {TARGET_ANY, {8,  0, 4,  8}},
    {TARGET_ANY, {8,  0, 4,  1}},
};
// clang-format on

const Family depthwise_family = {
    .name = "depthwise",
    .summary = "convolutions of each channel by itself; a lane has neighbouring pixels of a line and one vec4 of channels",
    .kernel_class = KERNEL_CONTRACT,
    .params = {FAMILY_LANES,
               FAMILY_TEXEL,
               {"pixels", "of a lane", {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}, 16},
               {"across", "lanes beside each other along channels", {1, 2, 4, 8, 16}, 5}},
    .param_count = 4,
    .candidates = candidates,
    .candidate_count = sizeof candidates / sizeof *candidates,
    .fits = fits,
    .settle = settle,
    .work = work,
    .emit = emit,
    .error = rounding_of_contraction,
    .template_name = "contract.comp",
};
