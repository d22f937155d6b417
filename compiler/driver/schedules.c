// Schedules: see schedules.h.
#include "compiler/driver/schedules.h"
#include "compiler/tune/record.h"
#include "runtime/base/file.h"
#include "runtime/base/machine.h"
#include <stdlib.h>

static const Winners no_winners;

DeviceOptions schedules_device(Arguments *arguments, const ProgramEntry *entry) {
    return (DeviceOptions){.choice = arguments_text(arguments, "device"),
                           .validation = arguments_has(arguments, "validation"),
                           .trace = arguments_has(arguments, "trace"),
                           .one_thread = entry && program_suits_one_thread(entry, machine_cores())};
}

static bool stores(const Kernel *kernel, const Step *step) {
    for (uint32_t i = 0; i < kernel->stores.count && step->value_count > 0; i++)
        if (kernel->stores.items[i].id == step->values[0])
            return true;
    return false;
}

SchedulesUse schedules_use(const Compiled *compiled, uint32_t index, const char *work) {
    const ProgramEntry *entry = &compiled->program->entries.items[index];
    SchedulesUse use = {0};
    for (uint32_t i = 0; i < entry->phases.count; i++) {
        const KernelList *list = compiled->phases[index][i].kernels;
        for (uint32_t k = 0; k < list->kernels.count; k++) {
            if (!list->kernels.items[k].work || strcmp(list->kernels.items[k].work, work) != 0)
                continue;
            for (uint32_t d = 0; d < entry->phases.items[i].steps.count; d++)
                if (entry->phases.items[i].steps.items[d].kind == STEP_DISPATCH && stores(&list->kernels.items[k], &entry->phases.items[i].steps.items[d])) {
                    use.step = use.step ? use.step : &entry->phases.items[i].steps.items[d];
                    use.count++;
                }
        }
    }
    return use;
}

static bool has_same_kernels(const Program *a, const Program *b) {
    bool same = a->kernels.count == b->kernels.count;
    for (uint32_t i = 0; i < a->kernels.count && same; i++)
        same = !strcmp(a->kernels.items[i].digest, b->kernels.items[i].digest);
    return same;
}

const Compiled *schedules_plain(Arguments *arguments, const Program *bundle) {
    if (!tune_may(bundle))
        return NULL;
    Module *module = common_read_preset(arguments, arguments->operands.items[0], NULL);
    CompileOptions compile = {.target = bundle->target, .no_spirv = true, .winners = &no_winners};
    Compiled *plain = module ? compile_module(arguments->arena, module, &compile, NULL, arguments->diag) : NULL;
    return plain && has_same_kernels(plain->program, bundle) ? plain : NULL;
}

bool schedules_build(Arguments *arguments, const Program *bundle, const Winners *winners, Schedules *out) {
    Module *module = common_read_preset(arguments, arguments->operands.items[0], NULL);
    CompileOptions compile = {.target = bundle->target, .winners = winners, .progress = activity_progress, .progress_context = arguments->activity};
    if (!module || !built_make(arguments->arena, module, &compile, &out->built, arguments->diag))
        return false;
    Winners used = {0};
    for (uint32_t w = 0; w < winners->count; w++)
        for (uint32_t i = 0; i < out->built.program->entries.count; i++)
            if (schedules_use(out->built.compiled, i, winners->items[w].work).step)
                winners_set(arguments->arena, &used, winners->items[w].work, winners->items[w].schedule);
    out->text = used.count ? winners_text(arguments->arena, &used) : NULL;
    return true;
}

static bool open_reference(Arguments *arguments, const Program *bundle, Schedules *out) {
    Module *module = common_read_preset(arguments, arguments->operands.items[0], NULL);
    CompileOptions compile = {.target = bundle->target, .reference_schedule = true, .progress = activity_progress, .progress_context = arguments->activity};
    out->text = "reference";
    return module && built_make(arguments->arena, module, &compile, &out->built, arguments->diag);
}

// ---- what was tuned

// The device that will run it; false: there is none, which whoever runs it reports.
static bool find_device(Arguments *arguments, const ProgramEntry *entry, DeviceInfo *out) {
    DeviceOptions options = schedules_device(arguments, entry);
    options.trace = false;
    Device *device = device_create(arguments->arena, &options, diag_create(arguments->arena));
    if (device)
        *out = *device_info(device);
    bool found = device != NULL;
    device_destroy(&device);
    return found;
}

// What other programs of the bundle were tuned with holds too, but the one that runs comes first; of what was not tuned, what its works won with elsewhere.
static Winners winners_for(Arguments *arguments, const Record *record, const Compiled *plain, uint32_t own, bool *is_tuned) {
    Arena *arena = arguments->arena;
    Winners all = {0};
    const Program *program = plain->program;
    for (uint32_t i = 0; i <= program->entries.count; i++) {
        uint32_t index = i < program->entries.count ? i : own; // in the end once more the one that runs
        Winners one;
        bool has = record_program(record, tune_key(arena, plain, index), &one);
        if (index == own)
            *is_tuned = has;
        for (uint32_t w = 0; w < one.count; w++)
            winners_set(arena, &all, one.items[w].work, one.items[w].schedule);
        const Winners *works = record_works(record);
        for (uint32_t w = 0; w < works->count && !has; w++)
            if (!winners_find(&all, works->items[w].work) && schedules_use(plain, index, works->items[w].work).step)
                winners_set(arena, &all, works->items[w].work, works->items[w].schedule);
    }
    return all;
}

static bool open_tuned(Arguments *arguments, const Program *bundle, const char *name, Schedules *out) {
    DeviceInfo info;
    const ProgramEntry *entry = name ? program_entry(bundle, name) : NULL;
    for (uint32_t i = 0; !entry && i < bundle->entries.count; i++)
        entry = bundle->entries.items[i].training ? &bundle->entries.items[i] : NULL;
    entry = entry ? entry : bundle->entries.items;
    if (!tune_may(bundle) || !bundle->entries.count || !find_device(arguments, entry, &info) || info.target.target_class != bundle->target.target_class)
        return true;
    const Record *record = record_read(arguments->arena, &info, arguments->diag);
    out->device = info;
    out->may_tune = !record;
    if (!record)
        return true;
    const Compiled *plain = schedules_plain(arguments, bundle);
    if (!plain)
        return diag_error_count(arguments->diag) == 0;
    bool is_tuned = false;
    uint32_t own = (uint32_t)(entry - bundle->entries.items);
    Winners winners = winners_for(arguments, record, plain, own, &is_tuned);
    out->may_tune = !is_tuned;
    return !winners.count || schedules_build(arguments, bundle, &winners, out);
}

static bool open_text(Arguments *arguments, const Program *bundle, const char *file, const char *text, Schedules *out) {
    Winners winners = {0};
    if (!winners_parse(arguments->arena, file, text, &winners, arguments->diag) || !schedules_build(arguments, bundle, &winners, out))
        return false;
    if (out->text)
        return true;
    diag_error(arguments->diag, &(Place){.file = file}, "none of its schedules is for a kernel of %s", bundle->name);
    return false;
}

static bool open_file(Arguments *arguments, const Program *bundle, const char *path, Schedules *out) {
    size_t size;
    if (!file_exists(path)) {
        diag_error(arguments->diag, NULL, "--schedule: \"%s\" is neither default, tuned, reference nor a file", path);
        return false;
    }
    const char *text = file_read(arguments->arena, path, &size, arguments->diag);
    return text && open_text(arguments, bundle, path, text, out);
}

static bool open_word(Arguments *arguments, const Program *bundle, const char *word, const char *entry, Schedules *out) {
    if (!strcmp(word, "default"))
        return true;
    if (!strcmp(word, "reference"))
        return open_reference(arguments, bundle, out);
    if (!strcmp(word, "tuned"))
        return open_tuned(arguments, bundle, entry, out);
    return open_file(arguments, bundle, word, out);
}

bool schedules_open(Arguments *arguments, const Program *bundle, const char *entry, const char *stored, Schedules *out) {
    const char *given = arguments_text(arguments, "schedule"), *usual = getenv("GG_SCHEDULE");
    *out = (Schedules){.built = {.program = bundle}};
    if (!stored)
        return open_word(arguments, bundle, given ? given : usual && *usual ? usual : "tuned", entry, out);
    if (given && strcmp(given, "tuned") != 0) {
        Schedules wanted = *out;
        if (!open_word(arguments, bundle, given, entry, &wanted))
            return false;
        if (strcmp(wanted.text ? wanted.text : "", stored) != 0) {
            diag_error(arguments->diag, NULL, "--schedule %s: the run was started with %s schedules; a resumed run goes on as it began", given,
                       !*stored ? "the bundle's own" : !strcmp(stored, "reference") ? "the simplest" : "other");
            return false;
        }
        *out = wanted;
        return true;
    }
    if (!*stored)
        return true;
    return !strcmp(stored, "reference") ? open_reference(arguments, bundle, out) : open_text(arguments, bundle, "the run's schedules", stored, out);
}
