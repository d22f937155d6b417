// Target: the table of capabilities, and what is done with all of its rows alike.
#include "runtime/program/target.h"
#include <string.h>

static const CapabilityDef defs[CAPABILITY_COUNT] = {
#define PLACE(member) .offset = offsetof(Target, member), .size = sizeof(((Target *)0)->member)
#define LIMIT(type, member, came, kind, cpu, gpu, any, from, to, asked, of, what)                                                          \
    {.name = #member, .text = what, .rule = RULE_##kind, .unit = UNIT_##of, .since = came, PLACE(member), .least = from, .most = to},
#define FEATURE(member, came, used, cpu, gpu, any, needs, enabled, asked, what)                                                            \
    {.name = #member, .text = what, .rule = RULE_FEATURE, .use = USE_##used, .unit = UNIT_BOOL, .since = came, PLACE(member), .most = 1,    \
     .extension = needs},
#include "runtime/program/capabilities.def"
#undef PLACE
};

static const Target defaults[TARGET_CLASS_COUNT] = {
#define LIMIT(type, member, came, kind, cpu, ...) .member = cpu,
#define FEATURE(member, came, used, cpu, ...) .member = cpu,
    [TARGET_CPU] = {.target_class = TARGET_CPU,
#include "runtime/program/capabilities.def"
    },
#define LIMIT(type, member, came, kind, cpu, gpu, ...) .member = gpu,
#define FEATURE(member, came, used, cpu, gpu, ...) .member = gpu,
    [TARGET_GPU] = {.target_class = TARGET_GPU,
#include "runtime/program/capabilities.def"
    },
#define LIMIT(type, member, came, kind, cpu, gpu, any, ...) .member = any,
#define FEATURE(member, came, used, cpu, gpu, any, ...) .member = any,
    [TARGET_ANY] = {.target_class = TARGET_ANY,
#include "runtime/program/capabilities.def"
    }};

const CapabilityDef *capability_def(Capability capability) { return &defs[capability]; }

uint64_t target_value(const Target *target, Capability capability) {
    const CapabilityDef *def = &defs[capability];
    const char *at = (const char *)target + def->offset;
    uint64_t wide;
    uint32_t narrow;
    bool truth;
    if (def->unit == UNIT_BOOL) {
        memcpy(&truth, at, sizeof truth);
        return truth;
    }
    if (def->size == sizeof wide) {
        memcpy(&wide, at, sizeof wide);
        return wide;
    }
    memcpy(&narrow, at, sizeof narrow);
    return narrow;
}

void target_set(Target *target, Capability capability, uint64_t value) {
    const CapabilityDef *def = &defs[capability];
    char *at = (char *)target + def->offset;
    uint32_t narrow = value < UINT32_MAX ? (uint32_t)value : UINT32_MAX;
    bool truth = value != 0;
    if (def->unit == UNIT_BOOL)
        memcpy(at, &truth, sizeof truth);
    else if (def->size == sizeof value)
        memcpy(at, &value, sizeof value);
    else
        memcpy(at, &narrow, sizeof narrow);
}

uint32_t capabilities_format(void) {
    uint32_t newest = 1;
    for (Capability i = 0; i < CAPABILITY_COUNT; i++)
        newest = defs[i].since > newest ? defs[i].since : newest;
    return newest;
}

bool capability_suffices(Capability capability, const Target *own, const Target *wanted) {
    uint64_t has = target_value(own, capability), needs = target_value(wanted, capability);
    switch (defs[capability].rule) {
    case RULE_AT_MOST: return has >= needs;
    case RULE_MULTIPLE: return has > 0 && needs % has == 0;
    case RULE_SAME: return has == needs;
    case RULE_FEATURE: return has >= needs || defs[capability].use != USE_KERNELS;
    }
    return false;
}

Target target_default(TargetClass target_class) {
    Target target = defaults[target_class];
    target.model = model_default(target_class);
    return target;
}

Target target_clamp(const Target *stated) {
    Target target = *stated;
    for (Capability i = 0; i < CAPABILITY_COUNT; i++)
        if (target_value(&target, i) > defs[i].most)
            target_set(&target, i, defs[i].most);
    uint32_t lanes = 1; // lanes halve their number until one is left
    while (lanes <= target.workgroup_size_max / 2)
        lanes *= 2;
    target.workgroup_size_max = lanes;
    return target;
}

static const char *const class_names[TARGET_CLASS_COUNT] = {[TARGET_CPU] = "cpu", [TARGET_GPU] = "gpu", [TARGET_ANY] = "any"};

const char *target_text(Arena *arena, const Target *target) {
    const char *name = target_class_name(target->target_class);
    if (target->device)
        return arena_format(arena, "%s, a device of the class %s", target->device, name);
    return arena_format(arena, "the class %s", name);
}

const char *target_class_name(TargetClass target_class) { return class_names[target_class]; }

bool target_class_parse(const char *name, TargetClass *out) {
    for (TargetClass i = TARGET_CPU; i <= TARGET_ANY; i++) {
        if (strcmp(name, class_names[i]) == 0) {
            *out = i;
            return true;
        }
    }
    return false;
}
