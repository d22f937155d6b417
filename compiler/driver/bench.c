// `bench`: what a program's step and its kernels cost on a device.
#include "compiler/driver/schedules.h"
#include "runtime/bench/report.h"

static const Option options[] = {
    {"program", 0, OPTION_TEXT, false, "NAME", "the program (default: the first that trains)"},
    SCHEDULES_OPTION,
    COMMON_DEVICE_OPTIONS,
    {"seconds", 0, OPTION_COUNT, false, "N", "how long to measure, twice (default 3)"},
    {"step", 0, OPTION_FLAG, false, NULL, "measures only the step: no peaks, no kernels"},
    COMMON_SEED_OPTION,
    {"json", 0, OPTION_FLAG, false, NULL, "prints JSON"},
};

static int run(Arguments *arguments) {
    const Program *program = common_read_bundle(arguments, arguments->operands.items[0]);
    const char *name = arguments_text(arguments, "program");
    const ProgramEntry *entry = program ? common_entry(arguments, program, name, true) : NULL;
    Schedules schedules;
    if (!entry || !schedules_open(arguments, program, entry->name, NULL, &schedules))
        return 1;
    program = schedules.built.program;
    entry = program_entry(program, entry->name);
    Device *device = entry ? common_device(arguments, entry) : NULL;
    Bench bench = {0};
    bool good = device != NULL;
    if (good) {
        common_check_class(arguments, program, device);
        good = (arguments_has(arguments, "step") ? bench_step : bench_run)(
            arguments->arena, device, program, entry, arguments_seed(arguments, "seed", 0), arguments_count(arguments, "seconds", 3),
            arguments->activity, &bench, arguments->diag);
    }
    Text text = text_create(arguments->arena);
    if (good && arguments_has(arguments, "json"))
        text_append(&text, bench_report_json(arguments->arena, device_info(device), &bench));
    else if (good)
        bench_report(&text, device_info(device), entry, &bench);
    fputs(text.data, stdout);
    common_check_validation(arguments, device);
    device_destroy(&device);
    return good ? 0 : 1;
}

const Command bench_command = {
    .usage = "BUNDLE [--program NAME] [--step] [--device D] [--json]",
    .description =
        "Measures the device's peak arithmetic and bandwidth, the time of one step of a program on random data, and the time of each\n"
        "kernel in it. A kernel's time is that of all its dispatches in one step; a phase that repeats itself counts as often.\n"
        "Peaks are measured in turns with them, the best counts: multiply-adds, and bytes that are written, copied, added or read,\n"
        "in working sets from 16 KiB on, since what lies in a cache is faster. A kernel's share is of the peak that it is like, the\n"
        "last column says of which. They are kept for estimates, as those of `devices --measure` are.",
    .examples = "bench build/ddpm.ggb\nbench build/ddpm.ggb --program sample --json\n"
        "bench build/ddpm.ggb --step --schedule default",
    .options = options,
    .option_count = OPTION_COUNT_OF(options),
    .operands_min = 1,
    .operands_max = 1,
    .run = run,
};
