// Outer strip: as outer.c, but a lane has all taps along a line, which share the pixels that they read.
#include "compiler/schedules/outer.h"

// Of the text: sums of all taps are variables, 4 for each vec4 of channels and vec4 of columns, and all that they read is unrolled.
enum { LINE_TAPS_MAX = 5 };

static uint64_t emit(Emitter *emitter) { return outer_emit(emitter, true); }

static Work work(const KernelView *view, const Schedule *schedule) { return outer_work(view, schedule, true); }

static bool fits(const KernelView *view, const Schedule *schedule, const Target *target, const char **why) {
    (void)target;
    uint32_t taps = view->contract.taps_x;
    *why = outer_misfit(view, schedule, taps);
    if (!*why && (taps < 2 || taps > LINE_TAPS_MAX))
        *why = arena_format(view->list->arena, "it has %u taps along a line, 2 to %d can share what they read", taps, LINE_TAPS_MAX);
    return !*why;
}

// clang-format off
//                lanes  texel  channels  columns  at_once
static const Candidate candidates[] = {
    {TARGET_CPU, {0, 1, 2, 2, 4}},
    {TARGET_CPU, {0, 1, 1, 2, 4}},
    {TARGET_CPU, {0, 1, 2, 1, 4}},
    {TARGET_CPU, {0, 1, 3, 1, 4}},
    {TARGET_CPU, {0, 1, 1, 1, 4}},
};
// clang-format on

const Family outer_strip_family = {
    .name = "outer_strip",
    .summary = "sums over rows; a lane has vec4s of channels for all taps along a line, which share what they read",
    .kernel_class = KERNEL_CONTRACT,
    .params = {FAMILY_LANES,
               FAMILY_TEXEL,
               OUTER_PARAMS},
    .param_count = 5,
    .candidates = candidates,
    .candidate_count = sizeof candidates / sizeof *candidates,
    .fits = fits,
    .work = work,
    .emit = emit,
    .error = outer_error,
    .template_name = "contract.comp",
};
