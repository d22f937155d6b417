// Common: helpers of the commands.
#include "compiler/driver/common.h"
#include "runtime/base/file.h"
#include "runtime/base/machine.h"
#include "runtime/vk/measure.h"

bool common_is_bundle(const char *path) { return file_is_folder(path); }

static bool has_option(const Arguments *arguments, const char *name) {
    for (uint32_t i = 0; i < arguments->command->option_count; i++)
        if (strcmp(arguments->command->options[i].name, name) == 0)
            return true;
    return false;
}

static const char *graph_path(Arguments *arguments, const char *path) {
    if (!common_is_bundle(path))
        return path;
    const char *graph = file_join(arguments->arena, path, "graph.json");
    if (file_exists(graph))
        return graph;
    diag_error(arguments->diag, &(Place){.file = path}, "is a folder, but no bundle: it holds no graph.json");
    return NULL;
}

static Module *read_module(Arguments *arguments, const char *path, const char *preset, bool keep_values, const char *program) {
    path = graph_path(arguments, path);
    if (!path)
        return NULL;
    ReadOptions options = {.path = path, .preset = preset, .keep_values = keep_values};
    if (has_option(arguments, "define"))
        options.defines = arguments_all(arguments, "define", &options.define_count);
    if (program) {
        options.programs = &program;
        options.program_count = 1;
    }
    return read_document(arguments->arena, &options, arguments->diag);
}

Module *common_read_module(Arguments *arguments, const char *path, bool keep_values, const char *program) {
    const char *preset = has_option(arguments, "preset") ? arguments_text(arguments, "preset") : NULL;
    return read_module(arguments, path, preset, keep_values, program);
}

Module *common_read_preset(Arguments *arguments, const char *path, const char *preset) {
    return read_module(arguments, path, preset, false, NULL);
}

Program *common_read_bundle(Arguments *arguments, const char *path) {
    if (file_exists(path) && !file_is_folder(path)) {
        diag_error(arguments->diag, &(Place){.file = path}, "is a file; a bundle is a folder that `gcc-graph compile %s -o BUNDLE` makes",
                   path);
        return NULL;
    }
    return program_read(arguments->arena, path, arguments->diag);
}

const ProgramEntry *common_entry(Arguments *arguments, const Program *program, const char *name, bool training) {
    const char **known = ARENA_NEW(arguments->arena, const char *, program->entries.count + 1);
    const ProgramEntry *first = NULL;
    for (uint32_t i = 0; i < program->entries.count; i++) {
        const ProgramEntry *entry = &program->entries.items[i];
        known[i] = entry->name;
        if (name ? strcmp(entry->name, name) == 0 : !first && entry->training == training)
            first = entry;
    }
    if (!first && name)
        diag_error(arguments->diag, NULL, "%s has no program \"%s\"%s", program->name, name,
                   text_suggestion(arguments->arena, name, known, program->entries.count));
    else if (!first)
        diag_error(arguments->diag, NULL, "%s has no program that %s", program->name,
                   training ? "trains (one with \"mode\": \"train\")" : "only evaluates");
    return first;
}

// ---- devices

Device *common_device(Arguments *arguments, const ProgramEntry *entry) {
    DeviceOptions options = {.choice = arguments_text(arguments, "device"),
                             .validation = arguments_has(arguments, "validation"),
                             .trace = arguments_has(arguments, "trace"),
                             .one_thread = entry && program_suits_one_thread(entry, machine_cores())};
    Device *device = device_create(arguments->arena, &options, arguments->diag);
    if (device && device_info(device)->warning)
        diag_warning(arguments->diag, NULL, "%s: %s", device_info(device)->name, device_info(device)->warning);
    return device;
}

void common_check_validation(Arguments *arguments, const Device *device) {
    uint32_t count = device ? device_validation_messages(device) : 0;
    if (count > 0)
        diag_error(arguments->diag, NULL, "the validation layer reported %u messages; the first:\n%s", count,
                   device_validation_text(device));
}

void common_check_class(Arguments *arguments, const Program *program, const Device *device) {
    TargetClass made_for = program->target.target_class, found = device_info(device)->target.target_class;
    if (made_for != TARGET_ANY && made_for != found)
        diag_warning(
            arguments->diag, NULL,
            "the bundle was compiled for the class %s, and %s is of the class %s: it may run slowly; `gcc-graph compile … --target %s` "
            "makes one for it",
            target_class_name(made_for), device_info(device)->name, target_class_name(found), target_class_name(found));
}

bool common_target(Arguments *arguments, const char *wanted, Target *out) {
    TargetClass target_class;
    if (wanted && target_class_parse(wanted, &target_class)) {
        *out = target_default(target_class);
        return true;
    }
    if (wanted && text_ends_with(wanted, ".json")) {
        const Profile *profile = profile_read(arguments->arena, wanted, arguments->diag);
        *out = profile ? profile->target : target_default(TARGET_ANY);
        return profile != NULL;
    }
    Diag *trial = diag_create(arguments->arena);
    Device *device = device_create(arguments->arena, &(DeviceOptions){.choice = wanted}, wanted ? arguments->diag : trial);
    if (device) {
        *out = device_info(device)->target;
        measure_kept(arguments->arena, device_info(device), &out->model, arguments->diag);
        device_destroy(&device);
        return true;
    }
    if (wanted) {
        diag_error(arguments->diag, NULL, "--target %s is neither cpu, gpu or any, nor a device of this machine, nor a profile (FILE.json)", wanted);
        return false;
    }
    diag_warning(arguments->diag, NULL,
                 "no Vulkan device is found here, so the bundle is compiled for any: slower than --target cpu or gpu");
    *out = target_default(TARGET_ANY);
    return true;
}
