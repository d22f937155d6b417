// Peak: what the device can do at best, so that bench can say what share of it a kernel reaches.
#include "runtime/base/clock.h"
#include "runtime/vk/objects.h"

#include "shaders/peak_fma_float_16.h"
#include "shaders/peak_fma_float_32.h"
#include "shaders/peak_fma_float_4.h"
#include "shaders/peak_fma_float_8.h"
#include "shaders/peak_fma_vec4_16.h"
#include "shaders/peak_fma_vec4_32.h"
#include "shaders/peak_fma_vec4_4.h"
#include "shaders/peak_fma_vec4_8.h"
#include "shaders/peak_storage_0_1.h"
#include "shaders/peak_storage_0_8.h"
#include "shaders/peak_storage_1_1.h"
#include "shaders/peak_storage_1_8.h"
#include "shaders/peak_storage_2_1.h"
#include "shaders/peak_storage_2_8.h"
#include "shaders/peak_storage_3_1.h"
#include "shaders/peak_storage_3_64.h"
#include "shaders/peak_storage_3_8.h"
#include "shaders/peak_texel_1_1.h"
#include "shaders/peak_texel_1_8.h"
#include "shaders/peak_texel_2_1.h"
#include "shaders/peak_texel_2_8.h"
#include "shaders/peak_texel_3_1.h"
#include "shaders/peak_texel_3_64.h"
#include "shaders/peak_texel_3_8.h"
#include "shaders/peak_tile.h"
#include "shaders/peak_tile_broadcast.h"

enum { WORKGROUP = 64, TILE_WORKGROUP = 8, TILE_FLOPS = 512, FMA_STEPS = 1024, RUNS = 4, BUFFERS = 3 }; // flops: of a step of one invocation
enum { REPEATS_SMALL = 24, REPEATS = 12, REPEATS_LARGE = 2 }; // of a working set: small ones are over in a moment

static const double enough_seconds = 0.02; // a run as long as this is measured well; far below what drivers reset
static const uint64_t SMALL = 2 << 20, LARGE = 64 << 20; // bytes
static const BindingKind fma_bindings[] = {BINDING_WRITE};
static const BindingKind storage_bindings[] = {BINDING_READ, BINDING_READ, BINDING_WRITE};
static const BindingKind texel_bindings[] = {BINDING_TEXEL, BINDING_TEXEL, BINDING_WRITE};

#define FMA(type, count)                                                                                                                   \
    {                                                                                                                                      \
        .name = "peak_fma_" #type "_" #count, .spirv = peak_fma_##type##_##count, .spirv_size = sizeof peak_fma_##type##_##count,          \
        .bindings = fma_bindings, .binding_count = 1, .push_words = 1                                                                      \
    }
#define STREAM(kind, streams, each)                                                                                                        \
    {                                                                                                                                      \
        .name = "peak_" #kind "_" #streams "_" #each, .spirv = peak_##kind##_##streams##_##each,                                           \
        .spirv_size = sizeof peak_##kind##_##streams##_##each, .bindings = kind##_bindings, .binding_count = BUFFERS                       \
    }
#define TILE(kind)                                                                                                                         \
    {                                                                                                                                      \
        .name = #kind, .spirv = kind, .spirv_size = sizeof kind, .bindings = texel_bindings, .binding_count = BUFFERS, .push_words = 1     \
    }
static const PipelineSource sources[] = {
    FMA(float, 4),         FMA(float, 8),         FMA(float, 16),        FMA(float, 32),        FMA(vec4, 4),          FMA(vec4, 8),
    FMA(vec4, 16),         FMA(vec4, 32),         STREAM(storage, 0, 1), STREAM(storage, 0, 8), STREAM(storage, 1, 1), STREAM(storage, 1, 8),
    STREAM(storage, 2, 1), STREAM(storage, 2, 8), STREAM(storage, 3, 1), STREAM(storage, 3, 8), STREAM(texel, 1, 1),   STREAM(texel, 1, 8),
    STREAM(texel, 2, 1),   STREAM(texel, 2, 8),   STREAM(texel, 3, 1),   STREAM(texel, 3, 8),   STREAM(storage, 3, 64), STREAM(texel, 3, 64),
    TILE(peak_tile),       TILE(peak_tile_broadcast)};
enum { FMA_COUNT = 8, SOURCE_COUNT = sizeof sources / sizeof *sources, TILES = SOURCE_COUNT - 2, BROADCAST_TILES };
static const double fma_flops[FMA_COUNT] = {8, 16, 32, 64, 32, 64, 128, 256}; // of one step of one invocation

// By source - FMA_COUNT.
static const struct {
    PeakStream stream;
    uint32_t each;
} streams[TILES - FMA_COUNT] = {{PEAK_WRITE, 1}, {PEAK_WRITE, 8}, {PEAK_COPY, 1}, {PEAK_COPY, 8}, {PEAK_ADD, 1},
                                       {PEAK_ADD, 8},   {PEAK_READ, 1},  {PEAK_READ, 8}, {PEAK_COPY, 1}, {PEAK_COPY, 8},
                                       {PEAK_ADD, 1},   {PEAK_ADD, 8},   {PEAK_READ, 1}, {PEAK_READ, 8}, {PEAK_READ, 64}, {PEAK_READ, 64}}; // 64: as reductions read, far along one row

// What most devices reach most with comes first: a deadline cuts the rest off. By 8, since that many pipelines are made at once.
enum { AT_ONCE = 8 };
static const uint8_t order[SOURCE_COUNT] = {6, 11, 15, 21, 5, TILES, BROADCAST_TILES, 10, 7, 4, 9, 13, 17, 19, 3, 2, 1, 0, 8, 12, 14, 16, 18, 20, 22, 23};

enum { TIMES_MAX = REPEATS_SMALL > REPEATS ? REPEATS_SMALL : REPEATS };

typedef struct {
    Arena *arena;
    Device *device;
    const Deadline *deadline;
    Diag *diag;
    Buffer *buffers[BUFFERS], *readback;
    Bindings *bindings;
    Queue *queue;
    Commands commands;
    Stamps *stamps; // NULL: the device has none, the host's clock serves
    Pipeline *pipelines[SOURCE_COUNT];
    uint64_t size; // bytes of each of the buffers
} Bench;

static bool create(Bench *bench) {
    Arena *arena = bench->arena;
    Device *device = bench->device;
    Diag *diag = bench->diag;
    const Target *target = &device->info.target;
    // Some times what any cache holds, so that it is memory that is measured: those of CPUs are the smaller ones.
    uint64_t most = device->info.is_cpu ? UINT64_C(64) << 20 : UINT64_C(256) << 20, left = device_memory_left(device) / 8;
    most = most < target->storage_range_max ? most : target->storage_range_max;
    most = most < target->allocation_max ? most : target->allocation_max;
    most = most < left ? most : left;
    bench->size = most / (WORKGROUP * 16) * (WORKGROUP * 16);
    for (uint32_t i = 0; i < BUFFERS; i++) {
        bench->buffers[i] = buffer_create(arena, device, BUFFER_DEVICE, bench->size, "peak", diag);
        if (!bench->buffers[i])
            return false;
    }
    bench->readback = buffer_create(arena, device, BUFFER_READBACK, 16 * TIMES_MAX, "peak times", diag);
    uint32_t sets = SOURCE_COUNT * PEAK_SIZES;
    bench->bindings = bench->readback ? bindings_create(arena, device, sets, BUFFERS * sets, 2 * sets, diag) : NULL;
    bench->queue = bench->bindings ? queue_create(arena, device, diag) : NULL;
    if (!bench->queue || !commands_begin(device, bench->queue, false, "peak", &bench->commands, diag) ||
        !commands_end(device, bench->commands, diag))
        return false;
    bool has_stamps = stamps_are_available(device);
    bench->stamps = has_stamps ? stamps_create(arena, device, 2 * TIMES_MAX, diag) : NULL;
    return bench->stamps || !has_stamps;
}

static bool can_run(const Bench *bench, uint32_t source) {
    const Target *target = &bench->device->info.target;
    return source < TILES || (target->texel_elements_max && (source != BROADCAST_TILES || target->has_subgroup_ballot));
}

static bool create_pipelines(Bench *bench, uint32_t from) {
    PipelineSource wanted[AT_ONCE];
    Pipeline *made[AT_ONCE];
    uint32_t count = 0;
    for (uint32_t i = from; i < SOURCE_COUNT && i < from + AT_ONCE; i++)
        if (can_run(bench, order[i]))
            wanted[count++] = sources[order[i]];
    if (!pipelines_create(bench->arena, bench->device, wanted, count, NULL, NULL, made, bench->diag))
        return false;
    count = 0;
    for (uint32_t i = from; i < SOURCE_COUNT && i < from + AT_ONCE; i++)
        if (can_run(bench, order[i]))
            bench->pipelines[order[i]] = made[count++];
    return true;
}

static void destroy(Bench *bench) {
    Device *device = bench->device;
    queue_destroy(device, &bench->queue);
    stamps_destroy(device, &bench->stamps);
    bindings_destroy(device, &bench->bindings);
    for (uint32_t i = 0; i < SOURCE_COUNT; i++)
        pipeline_destroy(device, &bench->pipelines[i]);
    for (uint32_t i = 0; i < BUFFERS; i++)
        buffer_destroy(device, &bench->buffers[i]);
    buffer_destroy(device, &bench->readback);
}

// One submission: some dispatches, one after the other, each timed as a program's are when they are profiled.
static bool run(Bench *bench, const CommandDispatch *dispatches, uint32_t count, double *seconds) {
    Device *device = bench->device;
    Diag *diag = bench->diag;
    uint64_t ticket;
    if (!commands_restart(device, bench->commands, diag))
        return false;
    commands_barrier(device, bench->commands, BARRIER_START);
    if (bench->stamps)
        commands_reset_stamps(device, bench->commands, bench->stamps);
    for (uint32_t i = 0; i < count; i++) {
        commands_barrier(device, bench->commands, BARRIER_WAVE);
        if (bench->stamps)
            commands_stamp(device, bench->commands, bench->stamps, 2 * i);
        commands_dispatch(device, bench->commands, &dispatches[i]);
        if (bench->stamps)
            commands_stamp(device, bench->commands, bench->stamps, 2 * i + 1);
    }
    if (bench->stamps)
        commands_copy_stamps(device, bench->commands, bench->stamps, 2 * count, bench->readback, 0);
    commands_barrier(device, bench->commands, BARRIER_HOST);
    if (!commands_end(device, bench->commands, diag))
        return false;
    double start = clock_seconds();
    if (!queue_submit(device, bench->queue, &bench->commands, 1, &ticket, diag) || !queue_wait(device, bench->queue, ticket, diag))
        return false;
    seconds[0] = clock_seconds() - start;
    uint64_t stamps[2];
    for (uint32_t i = 0; bench->stamps && i < count; i++) {
        memcpy(stamps, (const char *)buffer_bytes(bench->readback) + 16 * i, sizeof stamps);
        seconds[i] = stamps_seconds(device, stamps[0], stamps[1]);
    }
    return true;
}

static bool fill(Bench *bench) {
    uint64_t ticket;
    if (!commands_restart(bench->device, bench->commands, bench->diag))
        return false;
    for (uint32_t i = 0; i < BUFFERS; i++)
        commands_fill(bench->device, bench->commands, bench->buffers[i], 0, bench->size, 0);
    return commands_end(bench->device, bench->commands, bench->diag) &&
           queue_submit(bench->device, bench->queue, &bench->commands, 1, &ticket, bench->diag) &&
           queue_wait(bench->device, bench->queue, ticket, bench->diag);
}

static bool bind(Bench *bench, uint32_t source, uint64_t size, CommandDispatch *dispatch) {
    Range ranges[BUFFERS] = {{0, 0, size}, {1, 0, size}, {2, 0, size}};
    dispatch->pipeline = bench->pipelines[source];
    return bindings_add(bench->arena, bench->device, bench->bindings, bench->pipelines[source], sources[source].bindings, ranges,
                        sources[source].binding_count, bench->buffers, &dispatch->set, bench->diag);
}

// Grows the work from a little until a run is long enough to be measured, then takes the best run.
static bool measure_fma(Bench *bench, uint32_t source, double *gflops) {
    uint32_t steps = source < TILES ? FMA_STEPS : FMA_STEPS / 8, lanes = source < TILES ? WORKGROUP : TILE_WORKGROUP, limit = bench->device->info.target.groups_max;
    uint64_t size = source < TILES ? bench->size : PEAK_SIZE_MIN;
    uint32_t most = (uint32_t)(size / (lanes * 16));
    double flops = source < TILES ? fma_flops[source] : TILE_FLOPS;
    most = most < limit ? most : limit;
    CommandDispatch dispatch = {.push = &steps, .push_words = 1, .groups = {most < 16 ? most : 16, 1, 1}};
    if (!bind(bench, source, size, &dispatch))
        return false;
    for (uint32_t measured = 0; measured < RUNS && !deadline_is_over(bench->deadline);) {
        double seconds;
        if (!run(bench, &dispatch, 1, &seconds))
            return false;
        double done = flops * steps * dispatch.groups[0] * lanes;
        bool is_long = seconds >= enough_seconds || (dispatch.groups[0] == most && steps >= FMA_STEPS * 16);
        if (is_long && seconds > 0 && done / seconds * 1e-9 > *gflops)
            *gflops = done / seconds * 1e-9;
        if (is_long)
            measured++;
        else if (dispatch.groups[0] < most)
            dispatch.groups[0] = dispatch.groups[0] < most / 2 ? dispatch.groups[0] * 2 : most;
        else
            steps *= 2;
    }
    return true;
}

// Bytes that a workgroup moves: read and written.
static uint64_t group_bytes(PeakStream stream, uint32_t each) {
    static const uint32_t vectors[PEAK_STREAM_COUNT] = {1, 2, 3, 1};
    return (uint64_t)WORKGROUP * 16 * (each * vectors[stream] + (stream == PEAK_READ ? 1 : 0));
}

static uint64_t size_of(uint32_t index) { return (uint64_t)PEAK_SIZE_MIN << (2 * index); }

static bool fits(const Bench *bench, uint32_t source, uint32_t size, uint64_t *groups, uint64_t *range) {
    uint32_t each = streams[source - FMA_COUNT].each;
    uint64_t bytes = group_bytes(streams[source - FMA_COUNT].stream, each);
    const Target *target = &bench->device->info.target;
    *groups = (size_of(size) + bytes - 1) / bytes;
    *range = *groups * WORKGROUP * 16 * each;
    return *range <= bench->size && *groups <= target->groups_max &&
           (sources[source].bindings != texel_bindings || *range / 16 <= target->texel_elements_max);
}

// A working set a few times in a row: the first run brings it into the caches.
static bool measure_size(Bench *bench, uint32_t source, uint32_t size, DevicePeaks *peaks) {
    PeakStream stream = streams[source - FMA_COUNT].stream;
    uint64_t groups, range;
    uint32_t repeats = size_of(size) < SMALL ? REPEATS_SMALL : size_of(size) < LARGE ? REPEATS : REPEATS_LARGE;
    if (!fits(bench, source, size, &groups, &range))
        return true;
    CommandDispatch dispatches[TIMES_MAX] = {{.groups = {(uint32_t)groups, 1, 1}}};
    double seconds[TIMES_MAX], *reads = sources[source].bindings == texel_bindings ? &peaks->texel_reads : &peaks->storage_reads;
    if (!bind(bench, source, range, &dispatches[0]))
        return false;
    for (uint32_t k = 1; k < repeats; k++)
        dispatches[k] = dispatches[0];
    if (bench->stamps && !run(bench, dispatches, repeats, seconds))
        return false;
    for (uint32_t k = 0; k < repeats; k++) {
        if (!bench->stamps && !run(bench, &dispatches[k], 1, &seconds[k]))
            return false;
        double *peak = &peaks->streams[stream][size];
        double bytes = (double)(group_bytes(stream, streams[source - FMA_COUNT].each) * groups);
        double rate = seconds[k] > 0 ? bytes / seconds[k] * 1e-9 : 0;
        *peak = rate > *peak ? rate : *peak;
        if (stream == PEAK_READ && rate > *reads)
            *reads = rate;
    }
    return true;
}

static bool measure_source(Bench *bench, uint32_t source, DevicePeaks *peaks) {
    bool good = true;
    if (source < FMA_COUNT)
        return measure_fma(bench, source, &peaks->gflops);
    if (source >= TILES)
        return measure_fma(bench, source, source == TILES ? &peaks->tile_gflops : &peaks->broadcast_gflops);
    for (uint32_t size = 0; good && size < PEAK_SIZES && !deadline_is_over(bench->deadline); size++)
        good = measure_size(bench, source, size, peaks);
    return good;
}

// Of a copy of the largest working set that the device takes; 0: that was not measured.
static double memory_gbps(const Bench *bench, const DevicePeaks *peaks) {
    uint32_t largest = 0;
    uint64_t groups, range;
    for (uint32_t source = FMA_COUNT; source < TILES; source++)
        for (uint32_t size = 0; streams[source - FMA_COUNT].stream == PEAK_COPY && size < PEAK_SIZES; size++)
            largest = size > largest && fits(bench, source, size, &groups, &range) ? size : largest;
    return peaks->streams[PEAK_COPY][largest];
}

bool device_measure_peaks(Device *device, const Deadline *deadline, DevicePeaks *peaks, Diag *diag) {
    Bench bench = {.arena = arena_create(), .device = device, .deadline = deadline, .diag = diag};
    bool good = create(&bench) && fill(&bench);
    for (uint32_t i = 0; good && i < SOURCE_COUNT && !deadline_is_over(deadline); i++)
        good = (i % AT_ONCE || create_pipelines(&bench, i)) && (!can_run(&bench, order[i]) || measure_source(&bench, order[i], peaks));
    if (good)
        peaks->gbps = memory_gbps(&bench, peaks);
    destroy(&bench);
    arena_destroy(&bench.arena);
    return good;
}

double device_peak_gbps(const DevicePeaks *peaks, double read, double written, PeakStream *stream) {
    double bytes = read + written, share = bytes > 0 ? read / bytes : 0, best = 0;
    PeakStream first = share < 0.5 ? PEAK_WRITE : share < 0.66 ? PEAK_COPY : PEAK_ADD;
    uint32_t size = 0;
    while (size + 1 < PEAK_SIZES && (double)size_of(size + 1) <= bytes)
        size++;
    while (size > 0 && peaks->streams[first][size] <= 0 && peaks->streams[first + 1][size] <= 0)
        size--; // larger than what could be measured
    *stream = first;
    for (uint32_t i = size; i < PEAK_SIZES; i++)
        for (PeakStream s = first; s <= first + 1; s++)
            if (peaks->streams[s][i] > best) {
                best = peaks->streams[s][i];
                *stream = s;
            }
    return best;
}

const char *device_stream_name(PeakStream stream) {
    static const char *const names[PEAK_STREAM_COUNT] = {"write", "copy", "add", "read"};
    return names[stream];
}
