// Tree: a workgroup folds one result, or four neighbouring ones; its lanes share the elements and combine what they have in shared memory.
#include "compiler/schedules/fold.h"
#include "compiler/emit/glsl.h"
#include "compiler/schedules/rounding.h"
#include <math.h>

static double logarithm(uint32_t lanes) {
    double levels = 0;
    for (; lanes > 1; lanes /= 2)
        levels++;
    return levels;
}

static bool fits(const KernelView *view, const Schedule *schedule, const Target *target, const char **why) {
    uint32_t lanes = schedule_lanes(schedule), bytes = lanes * TREE_LANE_BYTES_MAX;
    double turns = fold_turns(view) / lanes;
    if (view->kernel->parts.count)
        *why = "it shares a dispatch with other reductions, each of which a lane folds alone";
    else if (bytes > target->shared_bytes_max)
        *why = arena_format(view->list->arena, "its lanes may take %u bytes of shared memory, the target has %u", bytes, target->shared_bytes_max);
    else if (2 * turns > LOOP_TURNS_MAX)
        *why = arena_format(view->list->arena, "a lane would fold %.0f vec4s, and drivers end loops after some turns: %u are allowed", turns, LOOP_TURNS_MAX / 2);
    else
        return true;
    return false;
}

static Work work(const KernelView *view, const Schedule *schedule) { return fold_work(view, schedule, schedule_lanes(schedule)); }

static uint64_t emit(Emitter *emitter) { return emit_reduce_kernel(emitter, true); }

static double error(const KernelView *view, const Schedule *schedule) {
    uint32_t lanes = schedule_lanes(schedule);
    return rounding_of_sum(ceil(fold_turns(view) / lanes), fold_parts(view) + logarithm(lanes), false);
}

// Of the many lanes of software drivers few work at a time: more are for what fewer could not fold without too many turns each.
// clang-format off
//                lanes   texel
static const Candidate candidates[] = {
    {TARGET_CPU, {0,    1}},
    {TARGET_CPU, {32,   1}},
    {TARGET_CPU, {128,  1}},
    {TARGET_CPU, {512,  1}},
    {TARGET_CPU, {1024, 1}},
    {TARGET_GPU, {64,   0}},
    {TARGET_GPU, {256,  0}},
    {TARGET_GPU, {1024, 0}},
    {TARGET_ANY, {0,    0}},
    {TARGET_ANY, {32,   0}},
    {TARGET_ANY, {128,  0}},
    {TARGET_ANY, {512,  0}},
};
// clang-format on

const Family tree_family = {
    .name = "tree",
    .summary = "a workgroup folds one result, or four neighbouring ones, combining its lanes in shared memory",
    .kernel_class = KERNEL_REDUCE,
    .params = {FAMILY_LANES_FROM_2, FAMILY_TEXEL},
    .param_count = PARAM_OWN,
    .candidates = candidates,
    .candidate_count = sizeof candidates / sizeof *candidates,
    .fits = fits,
    .work = work,
    .emit = emit,
    .error = error,
    .template_name = "reduce_tree.comp",
};
