// Machine: see machine.h.
#include "runtime/bench/machine.h"
#include <string.h>

static const char *schedule_of(const Program *program, uint32_t kernel) {
    for (uint32_t e = 0; e < program->entries.count; e++)
        for (uint32_t p = 0; p < program->entries.items[e].phases.count; p++) {
            const ProgramPhase *phase = &program->entries.items[e].phases.items[p];
            for (uint32_t i = 0; i < phase->steps.count; i++)
                if (phase->steps.items[i].kind == STEP_DISPATCH && phase->steps.items[i].kernel == kernel)
                    return phase->steps.items[i].schedule;
        }
    return NULL;
}

bool machine_look(Arena *arena, Device *device, const Program *program, uint32_t kernel, MachineKernel *out, Diag *diag) {
    PipelineSource source = pipeline_source(&program->kernels.items[kernel]);
    *out = (MachineKernel){.kernel = &program->kernels.items[kernel], .schedule = schedule_of(program, kernel)};
    if (!executable_get(arena, device, &source, &out->executable, diag))
        return false;
    const Executable *executable = &out->executable;
    for (uint32_t i = 0; i < executable->texts.count && !out->has_mix; i++)
        out->has_mix = mix_of_loop(arena, executable->texts.items[i].name, executable->texts.items[i].text, &out->mix);
    if (executable->figures[EXECUTABLE_SHARED] < 0) // the driver does not say, but the kernel does
        out->executable.figures[EXECUTABLE_SHARED] = out->kernel->shared_bytes;
    return true;
}

static const char *figure_text(Arena *arena, const MachineKernel *kernel, ExecutableFigure figure) {
    double number = kernel->executable.figures[figure];
    return number < 0 ? "-" : arena_format(arena, "%.0f", number);
}

static const char *share_text(Arena *arena, const MachineKernel *kernel) {
    return kernel->has_mix ? arena_format(arena, "%.0f %%", 100 * mix_share(&kernel->mix)) : "-";
}

static uint32_t vector_count(const Mix *mix) {
    uint32_t count = 0;
    for (MixClass i = 0; i < MIX_CLASS_COUNT; i++)
        count += i == MIX_SCALAR ? 0 : mix->counts[i];
    return count;
}

void machine_report(Text *out, const DeviceInfo *info, const MachineKernel *kernels, uint32_t count) {
    Arena *arena = out->arena;
    uint32_t spilling = 0, silent = 0;
    double spills = 0;
    text_format(out, "%s (%s)\n\n%-44s %-14s", info->name, info->driver, "kernel", "schedule");
    for (ExecutableFigure i = 0; i < EXECUTABLE_FIGURE_COUNT; i++)
        text_format(out, " %12s", executable_figure_name(i));
    text_format(out, " %9s %12s\n", "loop", "multiply-add");
    for (uint32_t k = 0; k < count; k++) {
        const MachineKernel *kernel = &kernels[k];
        text_format(out, "%-44s %-14s", kernel->kernel->name, kernel->schedule ? arena_format(arena, "%.*s", (int)strcspn(kernel->schedule, ":"), kernel->schedule) : "");
        for (ExecutableFigure i = 0; i < EXECUTABLE_FIGURE_COUNT; i++)
            text_format(out, " %12s", figure_text(arena, kernel, i));
        text_format(out, " %9s %12s\n", kernel->has_mix ? arena_format(arena, "%u", vector_count(&kernel->mix)) : "-", share_text(arena, kernel));
        double own = kernel->executable.figures[EXECUTABLE_SPILLS];
        spilling += own > 0;
        silent += own < 0;
        spills += own > 0 ? own : 0;
    }
    text_append(out, "\n");
    for (ExecutableFigure i = 0; i < EXECUTABLE_FIGURE_COUNT; i++)
        text_format(out, "%s: %s\n", executable_figure_name(i), executable_figure_text(i));
    text_append(out, "loop: vector instructions of the loop that does the work, loops within counted once; multiply-add: their share of those\n\n");
    text_format(out, "%u kernels: ", count);
    if (silent == count)
        text_append(out, "the driver does not say what spills\n");
    else
        text_format(out, "%.0f spills in %u of them\n", spills, spilling);
}

void machine_report_kernel(Text *out, const DeviceInfo *info, const MachineKernel *kernel) {
    const Executable *executable = &kernel->executable;
    text_format(out, "%s on %s (%s), subgroups of %u\n\n", kernel->kernel->name, info->name, info->driver, executable->subgroup_size);
    for (uint32_t i = 0; i < executable->statistics.count; i++)
        text_format(out, "%-36s %s\n", executable->statistics.items[i].name, executable->statistics.items[i].text);
    uint32_t texts = executable->texts.count;
    if (kernel->has_mix) {
        text_format(out, "\nlines %u to %u of the machine code, the loop that does the work:", kernel->mix.first, kernel->mix.last);
        for (MixClass i = 0; i < MIX_CLASS_COUNT; i++)
            text_format(out, " %u %s%s", kernel->mix.counts[i], mix_class_names[i], i + 1 < MIX_CLASS_COUNT ? "," : "");
        text_format(out, "; of all but scalar ones %.0f %% multiply and add\n", 100 * mix_share(&kernel->mix));
    }
    if (texts > 0)
        text_format(out, "\n%s\n%s\n", executable->texts.items[texts - 1].name, executable->texts.items[texts - 1].text);
}
