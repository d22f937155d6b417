// Peak: what the device can do at best, so that bench can say what share of it a kernel reaches.
#include "runtime/vk/objects.h"
#include <time.h>

#include "shaders/peak_copy_storage.h"
#include "shaders/peak_copy_texel.h"
#include "shaders/peak_fma_float_16.h"
#include "shaders/peak_fma_float_32.h"
#include "shaders/peak_fma_float_4.h"
#include "shaders/peak_fma_float_8.h"
#include "shaders/peak_fma_vec4_16.h"
#include "shaders/peak_fma_vec4_32.h"
#include "shaders/peak_fma_vec4_4.h"
#include "shaders/peak_fma_vec4_8.h"

enum { WORKGROUP = 64, FMA_STEPS = 1024, RUNS = 4, COPY_RUNS = 8 };

static const double enough_seconds = 0.02; // a run as long as this is measured well; far below what drivers reset
static const BindingKind fma_bindings[] = {BINDING_WRITE};
static const BindingKind storage_bindings[] = {BINDING_READ, BINDING_WRITE};
static const BindingKind texel_bindings[] = {BINDING_TEXEL, BINDING_WRITE};

#define FMA(type, count)                                                                                                                   \
    {                                                                                                                                      \
        .name = "peak_fma_" #type "_" #count, .spirv = peak_fma_##type##_##count, .spirv_size = sizeof peak_fma_##type##_##count,          \
        .bindings = fma_bindings, .binding_count = 1, .push_words = 1                                                                      \
    }
#define COPY(kind)                                                                                                                         \
    {                                                                                                                                      \
        .name = "peak_copy_" #kind, .spirv = peak_copy_##kind, .spirv_size = sizeof peak_copy_##kind, .bindings = kind##_bindings,         \
        .binding_count = 2                                                                                                                 \
    }
static const PipelineSource sources[] = {FMA(float, 4), FMA(float, 8), FMA(float, 16), FMA(float, 32), FMA(vec4, 4),
                                         FMA(vec4, 8),  FMA(vec4, 16), FMA(vec4, 32),  COPY(storage),  COPY(texel)};
enum { FMA_COUNT = 8, SOURCE_COUNT = FMA_COUNT + 2, COPY_STORAGE = FMA_COUNT, COPY_TEXEL };
static const double fma_flops[FMA_COUNT] = {8, 16, 32, 64, 32, 64, 128, 256}; // of one step of one invocation

typedef struct {
    Arena *arena;
    Device *device;
    Diag *diag;
    Buffer *buffers[2], *readback;
    Bindings *bindings;
    Queue *queue;
    Commands commands;
    Stamps *stamps;
    Pipeline *pipelines[SOURCE_COUNT];
    uint64_t size; // bytes of each of the two buffers
} Bench;

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static bool create(Bench *bench) {
    Arena *arena = bench->arena;
    Device *device = bench->device;
    Diag *diag = bench->diag;
    const Target *target = &device->info.target;
    uint64_t most = device->info.is_cpu ? UINT64_C(64) << 20 : UINT64_C(256) << 20, left = device_memory_left(device) / 8;
    most = most < target->storage_range_max ? most : target->storage_range_max;
    most = most < target->allocation_max ? most : target->allocation_max;
    most = most < left ? most : left;
    uint64_t group_bytes = WORKGROUP * 16, groups = most / group_bytes;
    bench->size = (groups < target->groups_max ? groups : target->groups_max) * group_bytes;
    for (uint32_t i = 0; i < 2; i++) {
        bench->buffers[i] = buffer_create(arena, device, BUFFER_DEVICE, bench->size, "peak", diag);
        if (!bench->buffers[i])
            return false;
    }
    bench->readback = buffer_create(arena, device, BUFFER_READBACK, 64, "peak times", diag);
    bench->bindings = bench->readback ? bindings_create(arena, device, SOURCE_COUNT, 2 * SOURCE_COUNT, 1, diag) : NULL;
    bench->queue = bench->bindings ? queue_create(arena, device, diag) : NULL;
    if (!bench->queue || !commands_begin(device, bench->queue, false, "peak", &bench->commands, diag) ||
        !commands_end(device, bench->commands, diag))
        return false;
    bool has_stamps = !device->info.is_cpu && stamps_are_available(device);
    bench->stamps = has_stamps ? stamps_create(arena, device, 2, diag) : NULL;
    return (bench->stamps || !has_stamps) && pipelines_create(arena, device, sources, SOURCE_COUNT, NULL, NULL, bench->pipelines, diag);
}

static void destroy(Bench *bench) {
    Device *device = bench->device;
    queue_destroy(device, &bench->queue);
    stamps_destroy(device, &bench->stamps);
    bindings_destroy(device, &bench->bindings);
    for (uint32_t i = 0; i < SOURCE_COUNT; i++)
        pipeline_destroy(device, &bench->pipelines[i]);
    buffer_destroy(device, &bench->buffers[0]);
    buffer_destroy(device, &bench->buffers[1]);
    buffer_destroy(device, &bench->readback);
}

static bool run(Bench *bench, const CommandDispatch *dispatch, double *seconds) {
    Device *device = bench->device;
    Diag *diag = bench->diag;
    uint64_t ticket, stamps[2];
    if (!commands_restart(device, bench->commands, diag))
        return false;
    commands_barrier(device, bench->commands, BARRIER_START);
    if (bench->stamps) {
        commands_reset_stamps(device, bench->commands, bench->stamps);
        commands_stamp(device, bench->commands, bench->stamps, 0);
    }
    if (dispatch)
        commands_dispatch(device, bench->commands, dispatch);
    else
        commands_fill(device, bench->commands, bench->buffers[0], 0, bench->size, 0);
    if (bench->stamps) {
        commands_stamp(device, bench->commands, bench->stamps, 1);
        commands_copy_stamps(device, bench->commands, bench->stamps, 2, bench->readback, 0);
    }
    commands_barrier(device, bench->commands, BARRIER_HOST);
    if (!commands_end(device, bench->commands, diag))
        return false;
    double start = now();
    if (!queue_submit(device, bench->queue, &bench->commands, 1, &ticket, diag) || !queue_wait(device, bench->queue, ticket, diag))
        return false;
    *seconds = now() - start;
    memcpy(stamps, buffer_bytes(bench->readback), sizeof stamps);
    if (bench->stamps)
        *seconds = stamps_seconds(device, stamps[0], stamps[1]);
    return true;
}

static bool bind(Bench *bench, uint32_t source, CommandDispatch *dispatch) {
    Range ranges[2] = {{0, 0, bench->size}, {1, 0, bench->size}};
    dispatch->pipeline = bench->pipelines[source];
    return bindings_add(bench->arena, bench->device, bench->bindings, bench->pipelines[source], sources[source].bindings, ranges,
                        sources[source].binding_count, bench->buffers, &dispatch->set, bench->diag);
}

// Grows the work from a little until a run is long enough to be measured, then takes the best run.
static bool measure_fma(Bench *bench, uint32_t source, double *gflops) {
    uint32_t steps = FMA_STEPS, most = (uint32_t)(bench->size / (WORKGROUP * 16));
    CommandDispatch dispatch = {.push = &steps, .push_words = 1, .groups = {most < 16 ? most : 16, 1, 1}};
    if (!bind(bench, source, &dispatch))
        return false;
    for (uint32_t measured = 0; measured < RUNS;) {
        double seconds;
        if (!run(bench, &dispatch, &seconds))
            return false;
        double done = fma_flops[source] * steps * dispatch.groups[0] * WORKGROUP;
        *gflops = seconds > 0 && done / seconds * 1e-9 > *gflops ? done / seconds * 1e-9 : *gflops;
        if (seconds >= enough_seconds || (dispatch.groups[0] == most && steps >= FMA_STEPS * 16))
            measured++;
        else if (dispatch.groups[0] < most)
            dispatch.groups[0] = dispatch.groups[0] < most / 2 ? dispatch.groups[0] * 2 : most;
        else
            steps *= 2;
    }
    return true;
}

static bool measure_copy(Bench *bench, uint32_t source, double *gbps) {
    CommandDispatch dispatch = {.groups = {(uint32_t)(bench->size / (WORKGROUP * 16)), 1, 1}};
    if (!bind(bench, source, &dispatch))
        return false;
    for (uint32_t i = 0; i < COPY_RUNS; i++) {
        double seconds;
        if (!run(bench, &dispatch, &seconds))
            return false;
        double rate = seconds > 0 ? 2 * (double)bench->size / seconds * 1e-9 : 0;
        *gbps = rate > *gbps ? rate : *gbps;
    }
    return true;
}

bool device_measure_peaks(Device *device, DevicePeaks *out, Diag *diag) {
    Bench bench = {.arena = arena_create(), .device = device, .diag = diag};
    double ignored;
    *out = (DevicePeaks){0};
    bool good = create(&bench) && run(&bench, NULL, &ignored);
    for (uint32_t i = 0; good && i < FMA_COUNT; i++)
        good = measure_fma(&bench, i, &out->gflops);
    good = good && measure_copy(&bench, COPY_STORAGE, &out->gbps);
    if (good && bench.size / 16 <= device->info.target.texel_elements_max)
        good = measure_copy(&bench, COPY_TEXEL, &out->gbps);
    destroy(&bench);
    arena_destroy(&bench.arena);
    return good;
}
