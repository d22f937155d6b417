// Bench run: steps with and without timestamps around each kernel.
#include "runtime/bench/bench.h"
#include "runtime/base/clock.h"
#include "runtime/bench/machine.h"
#include "runtime/bench/steps.h"
#include "runtime/vk/measure.h"
#include <stdlib.h>

enum { SLICES = 3 };           // of the kernels' time, with the peaks measured in between

// Runs steps for about so long; the fastest repetition of each phase goes to `best`.
static bool run_steps(Steps *steps, double seconds, double *best, uint32_t *count, Diag *diag) {
    uint32_t phases = steps->entry->phases.count;
    double start = clock_seconds();
    for (*count = 0; *count < 3 || clock_seconds() - start < seconds; ++*count)
        for (uint32_t i = 0; i < phases; i++) {
            if (!steps_run(steps, i, *count, diag))
                return false;
            if (*count > 0 && (best[i] == 0 || steps->seconds[i] < best[i])) // the first step warms up
                best[i] = steps->seconds[i];
        }
    return true;
}

static bool start_session(Arena *arena, Device *device, const Program *program, const ProgramEntry *entry, uint64_t seed, bool profile,
                          Steps *out, Diag *diag) {
    SessionOptions options = {.seed = seed, .only_entry = entry->name, .profile = profile};
    *out = (Steps){.session = session_create(arena, device, program, &options, diag)};
    return out->session && session_initialise(out->session, diag) && steps_begin(arena, out->session, program, entry, seed, out, diag);
}

// Of the bytes that a dispatch moves, those that it reads: by its ranges.
static double share_read(const Program *program, const Step *dispatch) {
    double read = 0, written = 0;
    for (uint32_t i = 0; i < dispatch->ranges.count; i++)
        *(program_step_writes(program, dispatch, i) ? &written : &read) += (double)dispatch->ranges.items[i].size;
    return read + written > 0 ? read / (read + written) : 0;
}

static void add_ideal(const Bench *bench, const Program *program, const Step *dispatch, double repeats, BenchKernel *found) {
    double read = dispatch->bytes * share_read(program, dispatch);
    PeakStream stream;
    double gbps = device_peak_gbps(&bench->peaks, read, dispatch->bytes - read, &stream);
    double amount = found->is_contraction ? dispatch->flops : dispatch->bytes, peak = found->is_contraction ? bench->peaks.gflops : gbps;
    found->ideal += peak > 0 ? repeats * amount / (1e9 * peak) : 0;
    if (dispatch->bytes >= found->largest) {
        found->largest = dispatch->bytes;
        found->stream = stream;
    }
}

// A repetition of the step in the mean: `times` of a step in which its phase runs, each `every` steps.
static void add_kernel(Arena *arena, Bench *bench, const Program *program, const Step *dispatch, uint32_t times, uint32_t every, double seconds) {
    double repeats = (double)times / every;
    const char *name = program_step_name(program, dispatch);
    bool is_contraction = dispatch->kind == STEP_DISPATCH && program->kernels.items[dispatch->kernel].kernel_class == KERNEL_CONTRACT;
    BenchKernel *found = NULL;
    for (uint32_t i = 0; i < bench->kernels.count && !found; i++)
        if (strcmp(bench->kernels.items[i].name, name) == 0)
            found = &bench->kernels.items[i];
    if (!found) {
        BenchKernel fresh = {
            .name = name, .work_class = dispatch->work_class, .is_contraction = is_contraction, .registers = -1, .spills = -1};
        array_push(arena, &bench->kernels, fresh);
        found = &bench->kernels.items[bench->kernels.count - 1];
    }
    found->dispatches += times;
    found->seconds += seconds * repeats;
    found->flops += dispatch->flops * repeats;
    found->bytes += dispatch->bytes * repeats;
    add_ideal(bench, program, dispatch, repeats, found);
    bench->flops += dispatch->flops * repeats;
    bench->bytes += dispatch->bytes * repeats;
}

static int by_seconds(const void *a, const void *b) {
    const BenchKernel *x = a, *y = b;
    return x->seconds != y->seconds ? (x->seconds > y->seconds ? -1 : 1) : strcmp(x->name, y->name);
}

static void add_profile(Arena *arena, const Steps *steps, const Program *program, Bench *bench) {
    for (uint32_t i = 0; i < steps->entry->phases.count; i++) {
        const ProgramPhase *phase = &steps->entry->phases.items[i];
        uint32_t runs = 0;
        const double *seconds = session_profile(steps->session, phase, &runs);
        for (uint32_t k = 0; k < phase->steps.count; k++)
            add_kernel(arena, bench, program, &phase->steps.items[k], steps_repeats(phase) * program_phase_times(phase), bench->every[i],
                       seconds && runs > 0 ? seconds[k] / (double)runs : 0);
    }
    qsort(bench->kernels.items, bench->kernels.count, sizeof *bench->kernels.items, by_seconds);
}

// Where the driver tells. What cannot be told of one is no failure.
static void add_machine(Arena *arena, Device *device, const Program *program, Bench *bench) {
    Diag *unheard = diag_create(arena);
    for (uint32_t i = 0; i < bench->kernels.count && device_info(device)->target.has_executables; i++)
        for (uint32_t k = 0; k < program->kernels.count; k++) {
            MachineKernel machine;
            if (strcmp(program->kernels.items[k].name, bench->kernels.items[i].name) != 0 || !machine_look(arena, device, program, k, &machine, unheard))
                continue;
            bench->kernels.items[i].registers = machine.executable.figures[EXECUTABLE_REGISTERS];
            bench->kernels.items[i].spills = machine.executable.figures[EXECUTABLE_SPILLS];
        }
}

static bool time_steps(Arena *arena, Device *device, const Program *program, const ProgramEntry *entry, uint64_t seed, double seconds,
                       Bench *out, Diag *diag) {
    Steps steps;
    double *best = ARENA_NEW(arena, double, entry->phases.count);
    uint32_t count = 0;
    bool good = start_session(arena, device, program, entry, seed, false, &steps, diag) && run_steps(&steps, seconds, best, &count, diag);
    for (uint32_t i = 0; good && i < entry->phases.count; i++) {
        const ProgramPhase *phase = &entry->phases.items[i];
        out->step_seconds += best[i] * steps_repeats(phase) / out->every[i];
        if (!phase->every.terms.count && !phase->when)
            out->records += (double)program_batch(phase) * program_phase_times(phase) * steps_repeats(phase);
    }
    session_destroy(&steps.session);
    return good;
}

bool bench_step(Arena *arena, Device *device, const Program *program, const ProgramEntry *entry, uint64_t seed, double seconds,
                Activity *activity, Bench *out, Diag *diag) {
    uint32_t *every = ARENA_NEW(arena, uint32_t, entry->phases.count);
    *out = (Bench){.unit = program_record_word(program, entry), .every = every};
    if (!program_every(entry, entry->steps ? entry->steps : STEPS_TOTAL, STEPS_TOTAL, every, diag))
        return false;
    activity_begin(activity, "measuring a step");
    bool good = time_steps(arena, device, program, entry, seed, seconds, out, diag);
    activity_end(activity);
    return good;
}

bool bench_run(Arena *arena, Device *device, const Program *program, const ProgramEntry *entry, uint64_t seed, double seconds,
               Activity *activity, Bench *out, Diag *diag) {
    DevicePeaks before = {0};
    activity_begin(activity, "measuring the device");
    if (!device_measure_peaks(device, NULL, &before, diag) || !bench_step(arena, device, program, entry, seed, seconds, activity, out, diag))
        return false;
    out->peaks = before;
    Steps steps = {0};
    double *best = ARENA_NEW(arena, double, entry->phases.count);
    uint32_t count = 0;
    activity_begin(activity, "measuring the kernels");
    bool good = device_measure_peaks(device, NULL, &out->peaks, diag) && start_session(arena, device, program, entry, seed, true, &steps, diag);
    for (uint32_t i = 0; i < SLICES && good; i++)
        good = run_steps(&steps, seconds / SLICES, best, &count, diag) && device_measure_peaks(device, NULL, &out->peaks, diag);
    good = good && measure_keep(arena, device, &out->peaks, &out->model, diag);
    if (good) {
        add_profile(arena, &steps, program, out);
        add_machine(arena, device, program, out);
    }
    session_destroy(&steps.session);
    activity_end(activity);
    return good;
}

double bench_share(const BenchKernel *kernel) { return kernel->seconds > 0 ? kernel->ideal / kernel->seconds : 0; }
