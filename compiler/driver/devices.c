// `devices`: the Vulkan devices of this machine.
#include "compiler/driver/common.h"
#include "runtime/base/json.h"
#include "runtime/program/profile.h"
#include "runtime/program/target_file.h"
#include "runtime/vk/measure.h"

static const Option options[] = {
    {"json", 0, OPTION_FLAG, false, NULL, "prints JSON"},
    {"profile", 0, OPTION_FLAG, false, NULL, "prints one device's profile, for compile --target FILE.json on another machine"},
    {"device", 0, OPTION_TEXT, false, "D", "the one to measure, or whose profile: index, UUID or part of the name (default: the one that would run a program)"},
    {"peaks", 0, OPTION_FLAG, false, NULL, "measures each device's peak arithmetic and bandwidth (seconds)"},
    {"measure", 0, OPTION_FLAG, false, NULL, "measures how fast a device is, in five seconds at most, keeps it for estimates and prints it"},
};

static const char *kind(const DeviceInfo *info) {
    return info->is_cpu ? "software" : info->is_discrete ? "discrete GPU" : "integrated GPU";
}

static bool peaks_of(Arguments *arguments, const DeviceInfo *info, DevicePeaks *peaks) {
    Device *device = device_create(arguments->arena, &(DeviceOptions){.choice = info->uuid}, arguments->diag);
    bool good = device && device_measure_peaks(device, NULL, peaks, arguments->diag);
    device_destroy(&device);
    return good;
}

static const char *value_text(Arena *arena, const Target *target, Capability capability) {
    uint64_t value = target_value(target, capability);
    switch (capability_def(capability)->unit) {
    case UNIT_BOOL: return value ? "yes" : "no";
    case UNIT_BYTES: return text_bytes(arena, value);
    case UNIT_COUNT: break;
    }
    return text_thousands(arena, value);
}

static void print_text(Arena *arena, const DeviceInfo *info, const DevicePeaks *peaks) {
    const Target *target = &info->target;
    printf("%u  %s\n", info->index, info->name);
    printf("   driver      %s; Vulkan %u.%u%s\n", info->driver, info->vulkan_major, info->vulkan_minor,
           info->usable ? "" : " - not usable: Vulkan 1.2 with a compute queue is needed");
    printf("   UUID        %s\n", info->uuid);
    printf("   class       %s (%s)\n", target_class_name(target->target_class), kind(info));
    printf("   memory      %s%s\n", text_bytes(arena, info->memory_total),
           info->memory_left ? arena_format(arena, ", %s left", text_bytes(arena, info->memory_left)) : "");
    for (Capability i = 0; i < CAPABILITY_COUNT; i++)
        printf("   %-25s %12s   %s\n", capability_def(i)->name, value_text(arena, target, i), capability_def(i)->text);
    if (peaks)
        printf("   peak        %.1f GFLOP/s, %.1f GB/s\n", peaks->gflops, peaks->gbps);
    if (info->warning)
        printf("   warning     %s\n", info->warning);
}

static void write_json(JsonWriter *json, const DeviceInfo *info, const DevicePeaks *peaks) {
    Target target = info->target;
    json_begin_object(json, NULL);
    json_write_uint(json, "index", info->index);
    json_write_text(json, "name", info->name);
    json_write_text(json, "driver", info->driver);
    json_write_text(json, "uuid", info->uuid);
    json_write_bool(json, "usable", info->usable);
    json_write_text(json, "kind", kind(info));
    json_write_uint(json, "memory_total", info->memory_total);
    json_write_uint(json, "memory_left", info->memory_left);
    target.device = NULL; // it is the name above
    target_write(json, &target, true);
    if (peaks) {
        json_write_number(json, "peak_gflops", peaks->gflops);
        json_write_number(json, "peak_gbps", peaks->gbps);
    }
    if (info->warning)
        json_write_text(json, "warning", info->warning);
    json_end_object(json);
}

static void print_model(const DeviceInfo *info, const DeviceModel *model) {
    for (ModelFigure i = 0; i < FIGURE_COUNT; i++)
        printf("   %-25s %12.4g   %s\n", figure_def(i)->name, model_figure(model, i), figure_def(i)->unit);
    if (!model->is_measured)
        printf("   (the figures of its class and driver; gcc-graph devices --measure --device %u measures it)\n", info->index);
}

// One device: its profile, or what is measured of it.
static int show_one(Arguments *arguments) {
    Arena *arena = arguments->arena;
    Device *device = device_create(arena, &(DeviceOptions){.choice = arguments_text(arguments, "device")}, arguments->diag);
    if (!device)
        return 1;
    const DeviceInfo *info = device_info(device);
    Target target = info->target;
    bool good = true;
    if (arguments_has(arguments, "measure"))
        good = measure_device(arena, device, NULL, &target.model, arguments->diag);
    else
        measure_kept(arena, info, &target.model, arguments->diag);
    if (good && arguments_has(arguments, "profile")) {
        Profile profile = {.driver = info->driver, .source = "asked of its driver by gcc-graph devices --profile", .target = target};
        fputs(profile_text(arena, &profile), stdout);
    } else if (good) {
        printf("%u  %s, kept in %s\n", info->index, info->name, measure_path(arena, info));
        print_model(info, &target.model);
    }
    device_destroy(&device);
    return good ? 0 : 1;
}

static int run(Arguments *arguments) {
    if (arguments_has(arguments, "profile") || arguments_has(arguments, "measure"))
        return show_one(arguments);
    if (arguments_has(arguments, "device"))
        return arguments_wrong(arguments, "--device says whose --profile is printed, or which to --measure");
    DeviceInfo *infos = NULL;
    uint32_t count = 0;
    if (!device_list(arguments->arena, &infos, &count, arguments->diag))
        return 1;
    JsonWriter *json = arguments_has(arguments, "json") ? json_writer_create(arguments->arena) : NULL;
    if (json)
        json_begin_array(json, NULL);
    bool good = true;
    for (uint32_t i = 0; i < count; i++) {
        DevicePeaks peaks = {0};
        bool measured = arguments_has(arguments, "peaks") && infos[i].usable;
        if (measured && !peaks_of(arguments, &infos[i], &peaks))
            measured = good = false;
        if (json)
            write_json(json, &infos[i], measured ? &peaks : NULL);
        else
            print_text(arguments->arena, &infos[i], measured ? &peaks : NULL);
    }
    if (json) {
        json_end_array(json);
        fputs(json_writer_text(json), stdout);
    }
    return good ? 0 : 1;
}

const Command devices_command = {
    .usage = "[--json] [--peaks]\n--measure [--device D]\n--profile [--measure] [--device D] > FILE.json",
    .description =
        "Lists the Vulkan devices with what they can do: the limits that compiled kernels respect. The --device of other commands takes the\n"
        "index, the UUID or a part of the name. A profile is the same of one device in a file, from which a machine without that device\n"
        "compiles for it. What is measured is kept in the cache, once for each device and driver: compile --target for that device then\n"
        "goes by it where it is far from what its class is known for, and train --dry-run estimates by it.",
    .examples = "devices\ndevices --peaks\ndevices --profile > rx6800.json",
    .options = options,
    .option_count = OPTION_COUNT_OF(options),
    .operands_min = 0,
    .operands_max = 0,
    .run = run,
};
