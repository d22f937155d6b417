// Chain: small maps and reductions that follow each other on slices of their own, in one dispatch. A workgroup computes one slice of each, the
// next link when all its lanes are through with the one before.
#include "compiler/emit/glsl.h"
#include "compiler/schedules/fold.h"
#include "compiler/schedules/links.h"
#include "runtime/base/bug.h"
#include <math.h>

Kernel chain_link(const Kernel *chain, uint32_t link) {
    Kernel one = chain->links.items[link];
    one.schedule = (Schedule){.family = one.kernel_class == KERNEL_MAP ? &elements_family : &fold_family};
    memcpy(one.schedule.values, chain->schedule.values, sizeof one.schedule.values);
    return one;
}

uint64_t chain_invocations(const KernelList *list, const Kernel *link) {
    if (link->kernel_class == KERNEL_REDUCE)
        return emit_reduce_invocations(list, link);
    return layout_count(&list->layouts[link->stores.items[0].id]) / 4;
}

// Links in one loop: a reduction, or maps.
static void emit_together(Emitter *emitter, const uint32_t *numbers, uint32_t count) {
    const Kernel *whole = emitter->kernel;
    Kernel first = chain_link(whole, numbers[0]);
    emitter->kernel = &first;
    if (first.kernel_class == KERNEL_REDUCE) {
        emit_reduce_link(emitter);
    } else {
        Index vector;
        EmitScope scope = emit_open_link(emitter, chain_invocations(emitter->list, &first), &vector);
        for (uint32_t i = 0; i < count; i++) {
            Kernel link = chain_link(whole, numbers[i]);
            emitter->kernel = &link;
            elements_emit_link(emitter, vector);
        }
        emit_close(emitter, scope, true);
    }
    emitter->kernel = whole;
}

static bool needs(const KernelList *list, const Kernel *link, const Kernel *earlier) {
    for (uint32_t i = 0; i < link->loads.count; i++)
        if (kernel_stores(earlier, buffer_base(list, link->loads.items[i])))
            return true;
    return false;
}

// Maps of as many vec4s, none of which needs another: one loop for all.
static bool shares_loop(const Emitter *emitter, const Kernel *a, const Kernel *b) {
    return a->kernel_class == KERNEL_MAP && b->kernel_class == KERNEL_MAP && chain_invocations(emitter->list, a) == chain_invocations(emitter->list, b);
}

// By rounds: what needs nothing of each other is in one, and the lanes wait for each other only between rounds.
static void emit_links(Emitter *emitter) {
    const Kernel *whole = emitter->kernel;
    uint32_t count = whole->links.count, rounds = 0, *round = ARENA_NEW(emitter->arena, uint32_t, count + 1);
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t k = 0; k < i; k++)
            if (round[k] >= round[i] && needs(emitter->list, &whole->links.items[i], &whole->links.items[k]))
                round[i] = round[k] + 1;
        rounds = round[i] + 1 > rounds ? round[i] + 1 : rounds;
    }
    bool *done = ARENA_NEW(emitter->arena, bool, count + 1);
    for (uint32_t r = 0; r < rounds; r++) {
        if (r > 0) {
            emit_line(emitter, "memoryBarrierBuffer();");
            emit_line(emitter, "barrier();");
        }
        for (uint32_t i = 0; i < count; i++) {
            if (round[i] != r || done[i])
                continue;
            uint32_t together = 0, *which = ARENA_NEW(emitter->arena, uint32_t, count);
            for (uint32_t k = i; k < count; k++)
                if (round[k] == r && !done[k] && (k == i || shares_loop(emitter, &whole->links.items[i], &whole->links.items[k]))) {
                    which[together++] = k;
                    done[k] = true;
                }
            emit_together(emitter, which, together);
        }
    }
}

static Index slice_of(Emitter *emitter) {
    return index_variable(emitter->pool, "slice", 0, (int64_t)emitter->kernel->slices - 1);
}

static uint64_t emit(Emitter *emitter) {
    const Kernel *whole = emitter->kernel;
    EmitChain chain = {.kernel = whole, .slice = slice_of(emitter)};
    emitter->chain = &chain;
    emit_constant(emitter, "LANES", schedule_lanes(&whole->schedule));
    if (whole->slices > emitter->target->groups_max) {
        emit_line(emitter, "if (slice >= %llu)", (unsigned long long)whole->slices);
        emit_line(emitter, "    return;");
    }
    emit_links(emitter);
    CHECK(!chain.strays);
    emitter->chain = NULL;
    return whole->slices;
}

bool chain_is_local(Arena *arena, EmitTables *tables, const KernelList *list, const Kernel *kernel, const Target *target) {
    Emitter emitter;
    emitter_create(&emitter, arena, tables, list, kernel, target);
    EmitChain chain = {.kernel = kernel, .slice = slice_of(&emitter)};
    emitter.chain = &chain;
    for (uint32_t i = kernel->links.count == 2 ? 0 : kernel->links.count - 1; i < kernel->links.count; i++)
        emit_together(&emitter, &i, 1);
    emitter_finish(&emitter);
    return !chain.strays;
}

// All that an invocation turns in its loops.
static double turns_of(const KernelView *view, const Schedule *schedule) {
    double turns = 0;
    for (uint32_t i = 0; i < view->kernel->links.count; i++) {
        const Kernel *link = &view->kernel->links.items[i];
        KernelView one = schedule_view(view->list, link, link->root);
        double folded = link->kernel_class == KERNEL_REDUCE ? 2 * fold_turns(&one) : 0;
        turns += ceil((double)chain_invocations(view->list, link) / (double)view->kernel->slices / schedule_lanes(schedule)) * (1 + folded);
    }
    return turns;
}

static bool fits(const KernelView *view, const Schedule *schedule, const Target *target, const char **why) {
    (void)target;
    double turns = turns_of(view, schedule);
    if (turns > LOOP_TURNS_MAX)
        *why = arena_format(view->list->arena, "an invocation would turn %.0f times, and drivers end loops after some turns: %u are allowed", turns, LOOP_TURNS_MAX);
    return turns <= LOOP_TURNS_MAX;
}

static Work work(const KernelView *view, const Schedule *schedule) {
    return (Work){.groups = (double)view->kernel->slices, .lanes = schedule_lanes(schedule), .turns = turns_of(view, schedule)};
}

// clang-format off
//                lanes  texel
static const Candidate candidates[] = {
    {TARGET_CPU, {0,   1}},
    {TARGET_GPU, {256, 0}},
    {TARGET_ANY, {64,  0}},
};
// clang-format on

const Family chain_family = {
    .name = "chain",
    .summary = "a workgroup computes a slice, one link after the other",
    .kernel_class = KERNEL_CHAIN,
    .params = {FAMILY_LANES, FAMILY_TEXEL},
    .param_count = PARAM_OWN,
    .candidates = candidates,
    .candidate_count = sizeof candidates / sizeof *candidates,
    .fits = fits,
    .work = work,
    .emit = emit,
    .error = fold_error,
    .template_name = "chain.comp",
};
