// Schedule: legality, text and rounding of a kernel's schedule, by its family.
#include "compiler/kernel/schedule.h"
#include "compiler/ir/op.h"

KernelView schedule_view(const KernelList *list, const Kernel *kernel, Value value) {
    KernelView view = {.list = list, .kernel = kernel, .value = value};
    if (kernel->kernel_class == KERNEL_CONTRACT) {
        view.contract = contract_of(list, value);
        view.x = operand_of(list, view.contract.x), view.w = operand_of(list, view.contract.w);
    }
    return view;
}

static bool is_legal(const Param *param, uint32_t number) {
    for (uint32_t i = 0; i < param->count; i++)
        if (param->values[i] == number)
            return true;
    return false;
}

bool schedule_fits(const KernelView *view, const Schedule *schedule, const Target *target, const char **why) {
    const Family *family = schedule->family;
    Arena *arena = view->list->arena;
    if (family->kernel_class != view->kernel->kernel_class) {
        *why = arena_format(arena, "%s computes no %s", family->name, kernel_class_names[view->kernel->kernel_class]);
        return false;
    }
    for (uint32_t i = 0; i < family->param_count; i++) {
        const Param *param = &family->params[i];
        if (is_legal(param, schedule->values[i]))
            continue;
        *why = arena_format(arena, "%s is %s, not %u", param->name, schedule_numbers(arena, param), schedule->values[i]);
        return false;
    }
    if (schedule_lanes(schedule) > target->workgroup_size_max) {
        *why = arena_format(arena, "a workgroup of the target has at most %u lanes, not %u", target->workgroup_size_max, schedule_lanes(schedule));
        return false;
    }
    if (schedule->values[PARAM_TEXEL] && !target->texel_elements_max) {
        *why = "the target loads no texels";
        return false;
    }
    if (family->is_subgroup && !target->has_subgroup_ballot) {
        *why = "the target has no subgroupBroadcast";
        return false;
    }
    if (family->is_subgroup && schedule_lanes(schedule) != target->subgroup_size) {
        *why = arena_format(arena, "a workgroup is a subgroup, of %u lanes, not %u", target->subgroup_size, schedule_lanes(schedule));
        return false;
    }
    return family->fits(view, schedule, target, why);
}

double schedule_error(const KernelList *list, const Kernel *kernel, Value value) {
    KernelView view = schedule_view(list, kernel, value);
    return kernel->schedule.family->error(&view, &kernel->schedule);
}

const char *schedule_text(Arena *arena, const Schedule *schedule) {
    Text text = text_create(arena);
    text_append(&text, schedule->family->name);
    for (uint32_t i = 0; i < schedule->family->param_count; i++)
        text_format(&text, "%s%s=%u", i ? "," : ":", schedule->family->params[i].name, schedule->values[i]);
    return text.data;
}

bool schedule_equal(const Schedule *a, const Schedule *b) {
    return a->family == b->family && !memcmp(a->values, b->values, sizeof a->values);
}

const char *schedule_numbers(Arena *arena, const Param *param) {
    Text text = text_create(arena);
    for (uint32_t i = 0; i < param->count; i++)
        text_format(&text, "%s%u", !i ? "" : i + 1 < param->count ? ", " : " or ", param->values[i]);
    return text.data;
}
