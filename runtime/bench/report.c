// Bench report: see report.h.
#include "runtime/bench/report.h"
#include "runtime/base/json.h"

static double step_share(const Bench *bench) {
    return bench->step_seconds > 0 && bench->peaks.gflops > 0 ? bench->flops / bench->step_seconds / (1e9 * bench->peaks.gflops) : 0;
}

// "read, 1.0 MiB": the peak that a kernel is compared with.
static const char *peak_text(Arena *arena, const BenchKernel *kernel) {
    if (kernel->is_contraction)
        return "multiply-add";
    return arena_format(arena, "%s, %s", device_stream_name(kernel->stream), text_bytes(arena, (uint64_t)kernel->largest));
}

const char *bench_report_json(Arena *arena, const DeviceInfo *info, const Bench *bench) {
    JsonWriter *json = json_writer_create(arena);
    json_begin_object(json, NULL);
    json_write_text(json, "device", info->name);
    json_write_text(json, "driver", info->driver);
    if (bench->kernels.count > 0) {
        json_write_number(json, "peak_gflops", bench->peaks.gflops);
        json_write_number(json, "peak_gbps", bench->peaks.gbps);
    }
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
        if (kernel->registers >= 0)
            json_write_number(json, "registers", kernel->registers);
        if (kernel->spills >= 0)
            json_write_number(json, "spills", kernel->spills);
        json_end_object(json);
    }
    json_end_array(json);
    json_end_object(json);
    return json_writer_text(json);
}

// "; 84 registers, 2 spills"
static const char *machine_text(Arena *arena, const BenchKernel *kernel) {
    const char *registers = kernel->registers < 0 ? "" : arena_format(arena, "; %.0f registers", kernel->registers);
    return kernel->spills <= 0 ? registers : arena_format(arena, "%s%s%.0f spills", registers, registers[0] ? ", " : "; ", kernel->spills);
}

static void print_classes(Text *out, const Bench *bench) {
    bool done[WORK_CLASS_COUNT] = {false};
    text_format(out, "\n%-16s %8s %10s %10s\n", "class", "kernels", "dispatches", "ms");
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
        text_format(out, "%-16s %8u %10u %10.2f\n", work_class_names[work_class], kernels, dispatches, 1e3 * seconds);
    }
}

static void print_peaks(Text *out, const DevicePeaks *peaks) {
    text_format(out, "\n%-16s", "peaks, GB/s");
    for (uint32_t i = 0; i < PEAK_SIZES; i++)
        text_format(out, " %9s", text_bytes(out->arena, (uint64_t)PEAK_SIZE_MIN << (2 * i)));
    for (PeakStream stream = 0; stream < PEAK_STREAM_COUNT; stream++) {
        text_format(out, "\n%-16s", device_stream_name(stream));
        for (uint32_t i = 0; i < PEAK_SIZES; i++)
            text_format(out, " %9s", peaks->streams[stream][i] > 0 ? arena_format(out->arena, "%.2f", peaks->streams[stream][i]) : "-");
    }
    text_format(out, "\n");
}

// What the model makes of a step: how far it is from what was measured says how far to believe train --dry-run.
static double estimate_step(const ProgramEntry *entry, const Bench *bench) {
    double seconds = 0;
    for (uint32_t p = 0; p < entry->phases.count; p++) {
        const ProgramPhase *phase = &entry->phases.items[p];
        for (uint32_t d = 0; d < phase->steps.count; d++)
            seconds += program_dispatch_seconds(&phase->steps.items[d], &bench->model) * (phase->repeat ? phase->repeat : 1) *
                       program_phase_times(phase) / bench->every[p];
    }
    return seconds;
}

void bench_report(Text *out, const DeviceInfo *info, const ProgramEntry *entry, const Bench *bench) {
    bool has_kernels = bench->kernels.count > 0; // with peaks to compare them with
    text_format(out, "%s (%s)", info->name, info->driver);
    if (has_kernels)
        text_format(out, ": peak %.1f GFLOP/s, %.1f GB/s, measured just now", bench->peaks.gflops, bench->peaks.gbps);
    text_format(out, "\nprogram %s: a step takes %.2f ms", entry->name, 1e3 * bench->step_seconds);
    if (has_kernels)
        text_format(out, ", %.3f GFLOP in contractions, %.1f %% of the peak", 1e-9 * bench->flops, 100 * step_share(bench));
    if (bench->records > 0 && bench->step_seconds > 0)
        text_format(out, "; %.0f %s/s", bench->records / bench->step_seconds, bench->unit);
    if (has_kernels)
        text_format(out, "; estimated by what was measured: %.2f ms", 1e3 * estimate_step(entry, bench));
    for (uint32_t p = 0; p < entry->phases.count; p++)
        if (bench->every[p] > 1)
            text_format(out, "\nof it, phase %s runs each %u steps", entry->phases.items[p].name, bench->every[p]);
    if (!has_kernels) {
        text_append(out, "\n");
        return;
    }
    text_format(out, "\n\n%-44s %-14s %5s %9s %9s %9s %9s %7s  %s\n", "kernel", "class", "times", "ms", "GFLOP", "GFLOP/s",
                "GB/s", "share", "of");
    for (uint32_t i = 0; i < bench->kernels.count; i++) {
        const BenchKernel *kernel = &bench->kernels.items[i];
        double seconds = kernel->seconds > 0 ? kernel->seconds : 1;
        text_format(out, "%-44s %-14s %5u %9.3f %9.4f %9.1f %9.2f %6.1f%%  %s%s\n", kernel->name,
                    work_class_names[kernel->work_class], kernel->dispatches, 1e3 * kernel->seconds, 1e-9 * kernel->flops,
                    1e-9 * kernel->flops / seconds, 1e-9 * kernel->bytes / seconds, 100 * bench_share(kernel),
                    peak_text(out->arena, kernel), machine_text(out->arena, kernel));
    }
    print_classes(out, bench);
    print_peaks(out, &bench->peaks);
    text_append(out, "\nshare: of the peak GFLOP/s for contractions; for all else of the peak GB/s of a working set as large, with that mix of "
                     "reads\nand writes\n");
}
