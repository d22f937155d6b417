// Target: the defaults of each device class, and the bounds of what others state.
#include "runtime/program/target.h"
#include <string.h>

Target target_default(TargetClass target_class) {
    // What Vulkan 1.2 guarantees, but 8 storage buffers instead of 4, which no known device falls short of.
    Target target = {
        .target_class = target_class,
        .subgroup_size = 8,
        .has_subgroup_ballot = false,
        .storage_range_max = UINT64_C(1) << 27,
        .allocation_max = UINT64_C(1) << 30,
        .texel_elements_max = 0,
        .offset_alignment = 256,
        .storage_bindings_max = 8,
        .texel_bindings_max = 16,
        .push_bytes_max = 128,
        .workgroup_size_max = 128,
        .groups_max = 65535,
        .shared_bytes_max = 16384,
    };
    switch (target_class) {
    case TARGET_CPU: // lavapipe's, the driver that texel loads are for
        target.allocation_max = UINT64_C(1) << 31;
        target.has_subgroup_ballot = true;
        target.texel_elements_max = UINT64_C(1) << 27;
        target.workgroup_size_max = 256;
        target.shared_bytes_max = 32768;
        break;
    case TARGET_GPU: // every desktop GPU of the last ten years
        target.storage_range_max = UINT64_C(1) << 30;
        target.allocation_max = UINT64_C(1) << 32;
        target.subgroup_size = 32;
        target.has_subgroup_ballot = true;
        target.texel_elements_max = 65536;
        target.workgroup_size_max = 256;
        target.shared_bytes_max = 32768;
        break;
    case TARGET_ANY:
        break;
    }
    return target;
}

Target target_clamp(const Target *stated) {
    Target target = *stated;
#define LIMIT(type, name, least, most) target.name = stated->name < (most) ? stated->name : (type)(most);
#include "runtime/program/target.def"
#undef LIMIT
    uint32_t lanes = 1; // lanes halve their number until one is left
    while (lanes <= target.workgroup_size_max / 2)
        lanes *= 2;
    target.workgroup_size_max = lanes;
    return target;
}

static const char *const class_names[] = {[TARGET_CPU] = "cpu", [TARGET_GPU] = "gpu", [TARGET_ANY] = "any"};

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
