// Needs: kernels. Gives: each kernel's schedule - of the families' candidates that fit, the one with the least estimated cost, and the next
// best beside it.
#include "compiler/emit/glsl.h"
#include "compiler/passes/passes.h"
#include "compiler/schedules/families.h"
#include "runtime/base/bug.h"

// To what a workgroup can have, and to a power of two, which is what families take.
static void limit_lanes(Schedule *schedule, const Target *target) {
    uint32_t lanes = 1;
    while (lanes * 2 <= schedule_lanes(schedule) && lanes * 2 <= target->workgroup_size_max)
        lanes *= 2;
    schedule->values[PARAM_LANES] = lanes;
}

bool schedule_settle(const KernelView *view, const Target *target, const Family *family, const Candidate *candidate, Schedule *out) {
    if (candidate->target_class != target->target_class)
        return false;
    *out = (Schedule){.family = family};
    memcpy(out->values, candidate->values, sizeof out->values);
    if (!schedule_lanes(out))
        out->values[PARAM_LANES] = target->subgroup_size;
    limit_lanes(out, target);
    if (!target->texel_elements_max)
        out->values[PARAM_TEXEL] = 0;
    const char *why;
    return (!family->settle || family->settle(view, out)) && schedule_fits(view, out, target, &why);
}

static bool loads_texels(const Target *target) { return target->target_class == TARGET_CPU && target->texel_elements_max > 0; }

// What computes any kernel of the class that a device can compute at all.
static const Family *last_resort_of(KernelClass kernel_class) {
    switch (kernel_class) {
    case KERNEL_MAP: return &elements_family;
    case KERNEL_REDUCE: return &fold_family;
    case KERNEL_CONTRACT: return &reference_family;
    case KERNEL_CHAIN: return &chain_family;
    }
    bug("no kernel class %d", (int)kernel_class);
}

// The candidates of least cost, `out` and `next`, of one family or (NULL) of all that compute the kernel and are no last resort; false: none fits.
static bool choose(const KernelView *view, const Target *target, const Family *only, Schedule *out, Schedule *next) {
    uint32_t count;
    const Family *const *families = families_all(&count);
    double best = 0, second = 0;
    out->family = next->family = NULL;
    for (uint32_t f = 0; f < count; f++)
        for (uint32_t i = 0; i < families[f]->candidate_count; i++) {
            Schedule one;
            bool is_asked = only ? only == families[f] : !families[f]->is_last_resort;
            if (!is_asked || families[f]->kernel_class != view->kernel->kernel_class ||
                !schedule_settle(view, target, families[f], &families[f]->candidates[i], &one))
                continue;
            Work work = families[f]->work(view, &one);
            double cost = model_seconds(&work, &target->model);
            if (!out->family || cost < best) {
                *next = *out, second = best;
                *out = one, best = cost;
            } else if (!schedule_equal(&one, out) && (!next->family || cost < second)) {
                *next = one, second = cost;
            }
        }
    return out->family != NULL;
}

bool schedule_choose(const KernelView *view, const Target *target, Schedule *out) {
    Schedule next;
    return choose(view, target, NULL, out, &next);
}

bool schedule_estimate(const KernelList *list, Value contraction, const Operand operands[2], const PassContext *context, Work *out) {
    Kernel kernel = {.kernel_class = KERNEL_CONTRACT, .root = contraction};
    KernelView view = {.list = list, .kernel = &kernel, .value = contraction, .contract = contract_of(list, contraction), .x = operands[0], .w = operands[1]};
    Schedule best, next;
    if (!choose(&view, context->target, NULL, &best, &next))
        return false;
    *out = best.family->work(&view, &best);
    return true;
}

// What a family would be given for the kernel, were it taken.
static Schedule start_of(const KernelView *view, const Target *target, const Family *family) {
    Schedule out = {0}, next;
    if (choose(view, target, family, &out, &next))
        return out;
    out = (Schedule){.family = family};
    memcpy(out.values, family->candidates[0].values, sizeof out.values);
    if (!schedule_lanes(&out))
        out.values[PARAM_LANES] = target->subgroup_size;
    out.values[PARAM_TEXEL] = loads_texels(target);
    limit_lanes(&out, target);
    return out;
}

static void choose_for(const KernelList *list, Kernel *kernel, const PassContext *context) {
    KernelView view = schedule_view(list, kernel, kernel->root);
    const Family *plain = last_resort_of(kernel->kernel_class);
    Schedule none;
    if (context->reference_schedule && choose(&view, context->target, plain, &kernel->schedule, &none))
        return;
    if (!choose(&view, context->target, NULL, &kernel->schedule, &kernel->runner_up))
        kernel->schedule = start_of(&view, context->target, plain);
}

// What was measured to be the fastest, where it still fits.
static void take_winner(const KernelList *list, Kernel *kernel, const PassContext *context) {
    if (!context->winners)
        return;
    kernel->work = winners_digest(list, kernel, context->target);
    const char *text = winners_find(context->winners, kernel->work), *why;
    const Family *family = text ? families_parse(list->arena, text, kernel->kernel_class, &why) : NULL;
    if (!family)
        return;
    KernelView view = schedule_view(list, kernel, kernel->root);
    Schedule winner = start_of(&view, context->target, family);
    if (!families_parse_params(list->arena, text, &winner, &why) || !schedule_fits(&view, &winner, context->target, &why))
        return;
    kernel->runner_up = schedule_equal(&winner, &kernel->schedule) ? kernel->runner_up : kernel->schedule;
    kernel->schedule = winner;
}

bool schedule_is_chain(const GivenSchedule *given) {
    size_t length = strcspn(given->text, ":");
    return strlen(chain_family.name) == length && !strncmp(given->text, chain_family.name, length);
}

bool schedule_give(const KernelList *list, Kernel *kernel, const PassContext *context, const char *where, Diag *diag) {
    const GivenSchedule *given = NULL;
    for (uint32_t i = 0; i < context->given_count; i++)
        given = context->given[i].root == kernel->root.id ? &context->given[i] : given;
    if (!given || (schedule_is_chain(given) && kernel->kernel_class != KERNEL_CHAIN)) // the first link of what will be a chain
        return true;
    KernelView view = schedule_view(list, kernel, kernel->root);
    const char *why = NULL, *pointer = graph_node(list->graph, kernel->root)->origin.pointer;
    const Family *family = families_parse(list->arena, given->text, kernel->kernel_class, &why);
    Schedule wanted = {0};
    if (family)
        wanted = start_of(&view, context->target, family);
    if (family && families_parse_params(list->arena, given->text, &wanted, &why) && schedule_fits(&view, &wanted, context->target, &why)) {
        kernel->runner_up = schedule_equal(&wanted, &kernel->schedule) ? kernel->runner_up : kernel->schedule;
        kernel->schedule = wanted;
        kernel->is_given = true;
        return true;
    }
    if (given->option)
        diag_error(diag, NULL, "--schedule %s: %s: %%%u %s: %s", given->option, where, kernel->root.id, pointer ? pointer : op_def(graph_node(list->graph, kernel->root)->op)->name, why);
    return given->option == NULL;
}

bool schedule_kernels(KernelList *list, const PassContext *context, const char *where, Diag *diag) {
    const Target *target = context->target;
    bool good = true;
    for (uint32_t k = 0; k < list->kernels.count; k++) {
        Kernel *kernel = &list->kernels.items[k];
        choose_for(list, kernel, context);
        take_winner(list, kernel, context);
        if (!schedule_give(list, kernel, context, where, diag)) {
            good = false;
            continue;
        }
        KernelView view = schedule_view(list, kernel, kernel->root);
        const char *why = NULL, *pointer = graph_node(list->graph, kernel->root)->origin.pointer;
        if (schedule_fits(&view, &kernel->schedule, target, &why))
            continue;
        diag_error(diag, NULL, "%s: %s: no schedule fits the target: of %s, %s", where, pointer ? pointer : "an op", schedule_text(list->arena, &kernel->schedule), why);
        good = false;
    }
    return good;
}
