// `bench`: what a program's step and its kernels cost on a device.
#include "runtime/bench/bench.h"
#include "compiler/driver/common.h"
#include "runtime/base/json.h"

static const Option options[] = {
    {"program", 0, OPTION_TEXT, false, "NAME", "the program (default: the first that trains)"},
    COMMON_DEVICE_OPTIONS,
    {"seconds", 0, OPTION_COUNT, false, "N", "how long to measure, twice (default 3)"},
    COMMON_SEED_OPTION,
    {"json", 0, OPTION_FLAG, false, NULL, "prints JSON"},
};

static double step_share(const Bench *bench) {
    return bench->step_seconds > 0 && bench->peaks.gflops > 0 ? bench->flops / bench->step_seconds / (1e9 * bench->peaks.gflops) : 0;
}

// "read, 1.0 MiB": the peak that a kernel is compared with.
static const char *peak_text(Arena *arena, const BenchKernel *kernel) {
    if (kernel->is_contraction)
        return "multiply-add";
    return arena_format(arena, "%s, %s", device_stream_name(kernel->stream), text_bytes(arena, (uint64_t)kernel->largest));
}

static void print_json(Arena *arena, const DeviceInfo *info, const Bench *bench) {
    JsonWriter *json = json_writer_create(arena);
    json_begin_object(json, NULL);
    json_write_text(json, "device", info->name);
    json_write_text(json, "driver", info->driver);
    json_write_number(json, "peak_gflops", bench->peaks.gflops);
    json_write_number(json, "peak_gbps", bench->peaks.gbps);
    json_write_number(json, "step_ms", 1e3 * bench->step_seconds);
    json_begin_array(json, "kernels");
    for (uint32_t i = 0; i < bench->kernels.count; i++) {
        const BenchKernel *kernel = &bench->kernels.items[i];
        json_begin_object(json, NULL);
        json_write_text(json, "name", kernel->name);
        json_write_text(json, "class", work_class_names[kernel->work_class]);
        json_write_number(json, "ms", 1e3 * kernel->seconds);
        json_write_number(json, "gflop", 1e-9 * kernel->flops);
        json_write_number(json, "gb", 1e-9 * kernel->bytes);
        json_write_number(json, "share", bench_share(kernel));
        json_write_text(json, "peak", peak_text(arena, kernel));
        json_end_object(json);
    }
    json_end_array(json);
    json_end_object(json);
    fputs(json_writer_text(json), stdout);
}

static void print_classes(const Bench *bench) {
    bool done[WORK_CLASS_COUNT] = {false};
    printf("\n%-16s %8s %10s %10s\n", "class", "kernels", "dispatches", "ms");
    for (uint32_t i = 0; i < bench->kernels.count; i++) {
        WorkClass work_class = bench->kernels.items[i].work_class;
        if (done[work_class])
            continue;
        done[work_class] = true;
        uint32_t kernels = 0, dispatches = 0;
        double seconds = 0;
        for (uint32_t k = i; k < bench->kernels.count; k++)
            if (bench->kernels.items[k].work_class == work_class) {
                kernels++;
                dispatches += bench->kernels.items[k].dispatches;
                seconds += bench->kernels.items[k].seconds;
            }
        printf("%-16s %8u %10u %10.2f\n", work_class_names[work_class], kernels, dispatches, 1e3 * seconds);
    }
}

static void print_peaks(Arena *arena, const DevicePeaks *peaks) {
    printf("\n%-16s", "peaks, GB/s");
    for (uint32_t i = 0; i < PEAK_SIZES; i++)
        printf(" %9s", text_bytes(arena, (uint64_t)PEAK_SIZE_MIN << (2 * i)));
    for (PeakStream stream = 0; stream < PEAK_STREAM_COUNT; stream++) {
        printf("\n%-16s", device_stream_name(stream));
        for (uint32_t i = 0; i < PEAK_SIZES; i++)
            printf(" %9s", peaks->streams[stream][i] > 0 ? arena_format(arena, "%.2f", peaks->streams[stream][i]) : "-");
    }
    printf("\n");
}

static void print_text(Arena *arena, const DeviceInfo *info, const ProgramEntry *entry, const Bench *bench) {
    printf("%s (%s): peak %.1f GFLOP/s, %.1f GB/s, measured just now\n", info->name, info->driver, bench->peaks.gflops, bench->peaks.gbps);
    printf("program %s: a step takes %.2f ms, %.3f GFLOP in contractions, %.1f %% of the peak", entry->name, 1e3 * bench->step_seconds,
           1e-9 * bench->flops, 100 * step_share(bench));
    if (bench->records > 0 && bench->step_seconds > 0)
        printf("; %.0f %s/s", bench->records / bench->step_seconds, bench->unit);
    printf("\n\n%-44s %-14s %5s %9s %9s %9s %9s %7s  %s\n", "kernel", "class", "times", "ms", "GFLOP", "GFLOP/s", "GB/s", "share", "of");
    for (uint32_t i = 0; i < bench->kernels.count; i++) {
        const BenchKernel *kernel = &bench->kernels.items[i];
        double seconds = kernel->seconds > 0 ? kernel->seconds : 1;
        printf("%-44s %-14s %5u %9.3f %9.4f %9.1f %9.2f %6.1f%%  %s\n", kernel->name, work_class_names[kernel->work_class], kernel->dispatches,
               1e3 * kernel->seconds, 1e-9 * kernel->flops, 1e-9 * kernel->flops / seconds, 1e-9 * kernel->bytes / seconds,
               100 * bench_share(kernel), peak_text(arena, kernel));
    }
    print_classes(bench);
    print_peaks(arena, &bench->peaks);
    printf("\nshare: of the peak GFLOP/s for contractions; for all else of the peak GB/s of a working set as large, with that mix of reads\n"
           "and writes\n");
}

static int run(Arguments *arguments) {
    Program *program = common_read_bundle(arguments, arguments->operands.items[0]);
    const char *name = arguments_text(arguments, "program");
    const ProgramEntry *entry = program ? common_entry(arguments, program, name, true) : NULL;
    Device *device = entry ? common_device(arguments, entry) : NULL;
    Bench bench = {0};
    bool good = device != NULL;
    if (good) {
        common_check_class(arguments, program, device);
        good = bench_run(arguments->arena, device, program, entry, arguments_seed(arguments, "seed", 0),
                         arguments_count(arguments, "seconds", 3), arguments->activity, &bench, arguments->diag);
    }
    if (good && arguments_has(arguments, "json"))
        print_json(arguments->arena, device_info(device), &bench);
    else if (good)
        print_text(arguments->arena, device_info(device), entry, &bench);
    common_check_validation(arguments, device);
    device_destroy(&device);
    return good ? 0 : 1;
}

const Command bench_command = {
    .usage = "BUNDLE [--program NAME] [--device D] [--json]",
    .description =
        "Measures the device's peak arithmetic and bandwidth, the time of one step of a program on random data, and the time of each\n"
        "kernel in it. A kernel's time is that of all its dispatches in one step; a phase that repeats itself counts as often.\n"
        "Peaks are measured in turns with them, the best counts: multiply-adds, and bytes that are written, copied, added or read,\n"
        "in working sets from 16 KiB on, since what lies in a cache is faster. A kernel's share is of the peak that it is like, the\n"
        "last column says of which.",
    .examples = "bench build/ddpm.ggb\nbench build/ddpm.ggb --program sample --json",
    .options = options,
    .option_count = OPTION_COUNT_OF(options),
    .operands_min = 1,
    .operands_max = 1,
    .run = run,
};
