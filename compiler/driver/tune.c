// `tune`: finds schedules by measuring, for the device at hand.
#include "compiler/driver/schedules.h"
#include "compiler/tune/record.h"
#include "runtime/base/file.h"
#include "runtime/base/machine.h"
#include "runtime/train/interrupt.h"

static const Option options[] = {
    {"program", 0, OPTION_TEXT, false, "NAME", "the program (default: the first that trains)"},
    {"minutes", 0, OPTION_COUNT, false, "N", "about how long to search (default 2)"},
    {"show", 0, OPTION_FLAG, false, NULL, "prints what was found before, and searches nothing"},
    {"output", 'o', OPTION_TEXT, false, "FILE", "also writes the winners there, for --schedule FILE of train, sample, bench and verify"},
    COMMON_DEVICE_OPTIONS,
    COMMON_SEED_OPTION,
};

enum { MINUTES = 2 };

static bool write_file(Arguments *arguments, const Program *program, const ProgramEntry *entry, const Winners *winners) {
    const char *path = arguments_text(arguments, "output");
    if (!path)
        return true;
    const char *text = arena_format(arguments->arena, "# schedules of %s, program %s\n%s", program->name, entry->name, winners_text(arguments->arena, winners));
    return file_write(path, text, strlen(text), arguments->diag);
}

// The kernels of the winners, and what they are computed by in place of what.
static void print_winners(Arguments *arguments, const Compiled *plain, uint32_t index, const Winners *winners) {
    for (uint32_t w = 0; w < winners->count; w++) {
        SchedulesUse use = schedules_use(plain, index, winners->items[w].work);
        if (use.step)
            printf("  %-32s %s\n  %-32s   instead of %s%s\n", program_step_name(plain->program, use.step), winners->items[w].schedule, "",
                   use.step->schedule ? use.step->schedule : "?", use.count > 1 ? arena_format(arguments->arena, ", in %u dispatches", use.count) : "");
    }
}

static void print_found(Arguments *arguments, const Compiled *plain, uint32_t index, const Winners *winners, double before, double after) {
    const ProgramEntry *entry = &plain->program->entries.items[index];
    if (winners->count)
        printf("%s: a step takes %.4g ms instead of %.4g ms: %u kinds of kernels are computed otherwise\n", entry->name, after * 1e3, before * 1e3, winners->count);
    else
        printf("%s: nothing makes a step of %.4g ms faster\n", entry->name, before * 1e3);
    print_winners(arguments, plain, index, winners);
}

static int show(Arguments *arguments, const DeviceInfo *info, const Program *program, const Compiled *plain) {
    const Record *record = record_read(arguments->arena, info, arguments->diag);
    const char *only = arguments_text(arguments, "program");
    printf("%s on %s (%s)\nkept in %s\n", program->name, info->name, info->driver, record_path(arguments->arena, info));
    for (uint32_t i = 0; i < plain->program->entries.count; i++) {
        const ProgramEntry *entry = &plain->program->entries.items[i];
        const char *key = tune_key(arguments->arena, plain, i), *when;
        Winners winners;
        double before, after;
        if (only && strcmp(only, entry->name) != 0)
            continue;
        if (!record_program(record, key, &winners)) {
            printf("%s: was not tuned\n", entry->name);
            continue;
        }
        record_told(record, key, &before, &after, &when);
        print_found(arguments, plain, i, &winners, before, after);
        if (only && !write_file(arguments, program, entry, &winners))
            return 1;
    }
    return 0;
}

static int search(Arguments *arguments, const DeviceInfo *info, const Program *program, const ProgramEntry *entry, const Compiled *plain) {
    Arena *arena = arguments->arena;
    InterruptHandlers handlers;
    TuneResult result;
    TuneOptions tune = {.entry = entry->name,
                        .seconds = 60.0 * arguments_count(arguments, "minutes", MINUTES),
                        .seed = arguments_seed(arguments, "seed", 0),
                        .known = record_works(record_read(arena, info, arguments->diag)),
                        .device = schedules_device(arguments, entry),
                        .interrupted = interrupt_flag(),
                        .activity = arguments->activity};
    Module *module = common_read_module(arguments, arguments->operands.items[0], false, entry->name);
    if (!module)
        return 1;
    arguments_flush(arguments);
    interrupt_catch(&handlers);
    bool good = tune_program(arena, module, &program->target, &tune, &result, arguments->diag);
    interrupt_restore(&handlers);
    if (!good)
        return 1;
    record_keep(arena, info, program->name, entry->name, &result, arguments->diag);
    printf("%s on %s (%s): %u schedules of %u kinds of kernels tried in %.0f s", program->name, info->name, info->driver, result.tried, result.works, result.seconds);
    if (result.failed || result.wrong)
        printf("; %u did not compile or run, %u computed wrong numbers", result.failed, result.wrong);
    printf("\n");
    print_found(arguments, plain, (uint32_t)(entry - program->entries.items), &result.winners, result.before, result.after);
    return write_file(arguments, program, entry, &result.winners) ? 0 : 1;
}

static int run(Arguments *arguments) {
    const char *bundle = arguments->operands.items[0];
    if (arguments_has(arguments, "show") && arguments_has(arguments, "output") && !arguments_has(arguments, "program"))
        return arguments_wrong(arguments, "--show -o FILE: --program says of which program");
    activity_begin(arguments->activity, "reading the bundle");
    Program *program = common_read_bundle(arguments, bundle);
    const ProgramEntry *entry = program ? common_entry(arguments, program, arguments_text(arguments, "program"), true) : NULL;
    Device *device = entry ? common_device(arguments, entry) : NULL;
    if (!device)
        return 1;
    const DeviceInfo info = *device_info(device);
    common_check_class(arguments, program, device);
    common_check_validation(arguments, device);
    device_destroy(&device);
    const Compiled *plain = schedules_plain(arguments, program);
    activity_end(arguments->activity);
    if (!plain) {
        if (diag_error_count(arguments->diag) == 0)
            diag_error(arguments->diag, &(Place){.file = bundle}, "%s",
                       program->is_exact ? "is \"exact\": its schedules are a part of what it computes, so there is nothing to choose"
                                         : "holds other kernels than its graph gives without options: edited ones, or such of --schedule; `gcc-graph "
                                           "compile` makes it anew, and that can be tuned");
        return 1;
    }
    return arguments_has(arguments, "show") ? show(arguments, &info, program, plain) : search(arguments, &info, program, entry, plain);
}

const Command tune_command = {
    .usage = "BUNDLE [--program NAME] [--minutes N] [--device D] [-o FILE]\nBUNDLE --show [--program NAME [-o FILE]] [--device D]",
    .description =
        "Searches the schedules of a program's kernels for those that this device and driver compute fastest: of each kind of kernel that\n"
        "takes a share of the step, candidates that its families can be asked for, in the order in which the model of the device likes them\n"
        "and around the best one. Each is measured in turns with what the kernel has; what leads is judged against the double-precision\n"
        "reference, on the program's numbers and with edge values among them, and kept where the whole step becomes faster beyond noise.\n"
        "What is found lies in the cache, by device, driver and by what kernels compute: train, sample, bench and verify take it from there\n"
        "(--schedule default does not), the bundle stays as it is. Ctrl-C ends the search, and what was found by then is judged and kept.",
    .examples = "tune build/ddpm.ggb\ntune build/ddpm.ggb --program sample --minutes 5\ntune build/ddpm.ggb --show",
    .options = options,
    .option_count = OPTION_COUNT_OF(options),
    .operands_min = 1,
    .operands_max = 1,
    .run = run,
};
