// Measure: peaks and what dispatches cost as figures of the model, and the file that keeps them.
#include "runtime/vk/measure.h"
#include "runtime/base/clock.h"
#include "runtime/base/file.h"
#include "runtime/base/json.h"
#include "runtime/base/machine.h"
#include "runtime/vk/objects.h"
#include <stdlib.h>
#include <time.h>

#include "shaders/measure_dispatch.h"

enum { MEASUREMENT_FORMAT = 2, DISPATCHES = 128, RUNS = 8, VECTOR = 4, VECTOR_BYTES = 16 };

// ---- what a dispatch costs

typedef struct {
    Arena *arena;
    Device *device;
    const Deadline *deadline;
    Diag *diag;
    Buffer *buffer;
    Bindings *bindings;
    Queue *queue;
    Pipeline *pipeline;
    BindingSet set;
} Tiny;

static bool tiny_create(Tiny *tiny) {
    static const BindingKind kind = BINDING_WRITE;
    const Range range = {0, 0, 64 * VECTOR_BYTES};
    const PipelineSource source = {.name = "measure_dispatch", .spirv = measure_dispatch, .spirv_size = sizeof measure_dispatch,
                                   .bindings = &kind, .binding_count = 1, .push_words = 1};
    tiny->buffer = buffer_create(tiny->arena, tiny->device, BUFFER_DEVICE, range.size, "measure", tiny->diag);
    tiny->bindings = tiny->buffer ? bindings_create(tiny->arena, tiny->device, 1, 1, 0, tiny->diag) : NULL;
    tiny->queue = tiny->bindings ? queue_create(tiny->arena, tiny->device, tiny->diag) : NULL;
    return tiny->queue && pipelines_create(tiny->arena, tiny->device, &source, 1, NULL, NULL, &tiny->pipeline, tiny->diag) &&
           bindings_add(tiny->arena, tiny->device, tiny->bindings, tiny->pipeline, &kind, &range, 1, &tiny->buffer, &tiny->set, tiny->diag);
}

static void tiny_destroy(Tiny *tiny) {
    queue_destroy(tiny->device, &tiny->queue);
    bindings_destroy(tiny->device, &tiny->bindings);
    pipeline_destroy(tiny->device, &tiny->pipeline);
    buffer_destroy(tiny->device, &tiny->buffer);
}

// Seconds of one of many dispatches of one workgroup that does nothing: the best of some runs.
static bool time_dispatch(Tiny *tiny, bool waits, double *best) {
    const uint32_t steps = 0;
    const CommandDispatch dispatch = {.pipeline = tiny->pipeline, .set = tiny->set, .push = &steps, .push_words = 1, .groups = {1, 1, 1}};
    Commands commands;
    if (!commands_begin(tiny->device, tiny->queue, false, "measure", &commands, tiny->diag))
        return false;
    commands_barrier(tiny->device, commands, BARRIER_START);
    for (uint32_t i = 0; i < DISPATCHES; i++) {
        if (waits)
            commands_barrier(tiny->device, commands, BARRIER_WAVE);
        commands_dispatch(tiny->device, commands, &dispatch);
    }
    if (!commands_end(tiny->device, commands, tiny->diag))
        return false;
    for (uint32_t i = 0; i < RUNS && !deadline_is_over(tiny->deadline); i++) {
        uint64_t ticket;
        double start = clock_seconds();
        if (!queue_submit(tiny->device, tiny->queue, &commands, 1, &ticket, tiny->diag) ||
            !queue_wait(tiny->device, tiny->queue, ticket, tiny->diag))
            return false;
        double one = (clock_seconds() - start) / DISPATCHES;
        *best = i == 0 || one < *best ? one : *best;
    }
    return true;
}

static bool measure_dispatches(Device *device, const Deadline *deadline, DeviceModel *out, Diag *diag) {
    Tiny tiny = {.arena = arena_create(), .device = device, .deadline = deadline, .diag = diag};
    double free = 0, waiting = 0;
    bool good = tiny_create(&tiny) && time_dispatch(&tiny, false, &free) && time_dispatch(&tiny, true, &waiting);
    out->dispatch_seconds = free;
    out->wave_seconds = waiting > free ? waiting - free : 0; // 0 of what was not measured, too: it is next to nothing
    tiny_destroy(&tiny);
    arena_destroy(&tiny.arena);
    return good;
}

// ---- figures

static double vector_load(const DevicePeaks *peaks, double gbps) {
    double loads = gbps * 1e9 / VECTOR_BYTES, multiply_adds = peaks->gflops * 1e9 / 2 / VECTOR; // vec4s a second
    return loads > 0 ? multiply_adds / loads : 0;
}

// In vec4 multiply-adds, from a tile's step (shaders/peak_tile.comp), which has so many of each. No load is less than one: its sum has to wait for
// it. What lanes give to each other is then what a step takes that has it, beside one that has not: so the two are in the order that was measured,
// also where a core makes multiply-adds so slowly that all else hides behind them.
static void take_tiles(const DevicePeaks *peaks, DeviceModel *out) {
    enum { MULTIPLY_ADDS = 64, LOADS = 16, BROADCAST_LOADS = 6, BROADCASTS = 16, LOAD_MAX = 12 };
    static const double SMALL_RATIO = 0.5, CLEAR_RATIO = 1.4;
    if (peaks->tile_gflops <= 0)
        return;
    double load = MULTIPLY_ADDS * (peaks->gflops / peaks->tile_gflops - 1) / LOADS;
    double ratio = peaks->broadcast_gflops > 0 ? peaks->tile_gflops / peaks->broadcast_gflops : 1;
    if (ratio < 1) { // loads take at least what there are fewer of
        double least = ratio > SMALL_RATIO ? MULTIPLY_ADDS * (1 - ratio) / (LOADS * ratio - BROADCAST_LOADS) : LOAD_MAX;
        load = load > least ? load : least;
    }
    out->tile_load = load < 1 ? 1 : load > LOAD_MAX ? LOAD_MAX : load;
    if (peaks->broadcast_gflops <= 0 || (ratio > 1 / CLEAR_RATIO && ratio < CLEAR_RATIO))
        return; // the difference of two that are about the same is noise
    double left = (MULTIPLY_ADDS + LOADS * out->tile_load) * ratio - MULTIPLY_ADDS - BROADCAST_LOADS * out->tile_load;
    out->broadcast = (left > 1 ? left : 1) / BROADCASTS; // as good as nothing: 0 would be what was not measured
}

static void take_peaks(const DeviceInfo *info, const DevicePeaks *peaks, DeviceModel *out) {
    out->multiply_adds = peaks->gflops * 1e9 / 2;
    out->memory_bytes = peaks->gbps * 1e9;
    for (uint32_t i = 0; i < PEAK_SIZES; i++)
        out->cache_bytes = peaks->streams[PEAK_COPY][i] * 1e9 > out->cache_bytes ? peaks->streams[PEAK_COPY][i] * 1e9 : out->cache_bytes;
    out->storage_load = vector_load(peaks, peaks->storage_reads);
    out->texel_load = vector_load(peaks, peaks->texel_reads);
    out->tile_load = out->texel_load;
    if (info->is_cpu)
        take_tiles(peaks, out);
    out->cores = info->is_cpu ? machine_cores() : 0; // Vulkan does not say how many a GPU has
}

// ---- on disk

const char *measure_path(Arena *arena, const DeviceInfo *info) {
    const char *threads = info->is_cpu ? getenv("LP_NUM_THREADS") : NULL;
    return arena_format(arena, "%s/devices/%s-%08x%s.json", file_cache_folder(arena), info->uuid, info->driver_version,
                        threads ? arena_format(arena, "-%ld", strtol(threads, NULL, 10)) : "");
}

static bool is_kept(ModelFigure figure) { return figure_def(figure)->taken != TAKEN_GIVEN; }

static bool is_text(const Json *root, const char *key, const char *text) {
    const Json *json = json_get(root, key);
    return json && json->kind == JSON_STRING && strcmp(json->string, text) == 0;
}

// What is wrong with a kept file; NULL: nothing.
static const char *read_kept(Arena *arena, const DeviceInfo *info, const char *path, DeviceModel *measured) {
    const Json *root = json_read(arena, path, diag_create(arena));
    const Json *format = json_get(root, "gcc-graph measurement");
    if (!root)
        return "it is damaged";
    if (!format || format->kind != JSON_NUMBER || format->number != MEASUREMENT_FORMAT)
        return "it is of another format";
    if (!is_text(root, "device", info->name) || !is_text(root, "driver", info->driver))
        return "it is of another device or driver";
    for (ModelFigure i = 0; i < FIGURE_COUNT; i++) {
        const Json *json = json_get(root, figure_def(i)->name);
        if (!is_kept(i))
            continue;
        if (!json || json->kind != JSON_NUMBER || !(json->number >= 0 && json->number <= 1e18))
            return "figures are missing or wrong";
        model_set(measured, i, json->number);
    }
    return NULL;
}

bool measure_kept(Arena *arena, const DeviceInfo *info, DeviceModel *out, Diag *diag) {
    const char *path = measure_path(arena, info);
    DeviceModel measured = {0};
    if (!file_exists(path))
        return false;
    const char *wrong = read_kept(arena, info, path, &measured);
    if (wrong)
        diag_warning(diag, &(Place){.file = path}, "%s: this measurement of a device is not used", wrong);
    else
        *out = model_measured(&info->target.model, &measured);
    return !wrong;
}

static const char *time_text(Arena *arena) {
    time_t now = time(NULL);
    struct tm utc;
    char text[32];
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
    return arena_copy_text(arena, text);
}

// The file with the figures of `fresh` that are above 0, and with those that are there of the others: they replace it in one step, so that of
// two who measure at once the last is kept. `all`: what is in it then.
static void keep(Arena *arena, const DeviceInfo *info, const DeviceModel *fresh, DeviceModel *all, Diag *diag) {
    const char *path = measure_path(arena, info), *now = time_text(arena);
    DeviceModel before = {0};
    bool had = file_exists(path) && !read_kept(arena, info, path, &before);
    const Json *times = had ? json_get(json_read(arena, path, diag_create(arena)), "measured") : NULL;
    JsonWriter *json = json_writer_create(arena);
    json_begin_object(json, NULL);
    json_write_uint(json, "gcc-graph measurement", MEASUREMENT_FORMAT);
    json_write_text(json, "version", GG_VERSION);
    json_write_text(json, "device", info->name);
    json_write_text(json, "driver", info->driver);
    for (ModelFigure i = 0; i < FIGURE_COUNT; i++) {
        double figure = model_figure(fresh, i) > 0 || !had ? model_figure(fresh, i) : model_figure(&before, i);
        model_set(all, i, figure);
        if (is_kept(i))
            json_write_number(json, figure_def(i)->name, figure);
    }
    json_begin_object(json, "measured"); // when
    for (ModelFigure i = 0; i < FIGURE_COUNT; i++) {
        const Json *time = json_get(times, figure_def(i)->name);
        const char *text = model_figure(fresh, i) > 0 ? now : time && time->kind == JSON_STRING ? time->string : NULL;
        if (is_kept(i) && text)
            json_write_text(json, figure_def(i)->name, text);
    }
    json_end_object(json);
    json_end_object(json);
    const char *text = json_writer_text(json);
    Diag *trial = diag_create(arena);
    if (!file_make_folders(file_folder(arena, path), trial) || !file_write(path, text, strlen(text), trial))
        diag_warning(diag, NULL, "what was measured of %s is not kept: %s", info->name, diag_text(trial, arena));
}

static void say_cut_off(Arena *arena, const DeviceInfo *info, const DeviceModel *fresh, Diag *diag) {
    Text names = text_create(arena);
    for (ModelFigure i = 0; i < FIGURE_COUNT; i++)
        if (is_kept(i) && i != FIGURE_wave_seconds && (info->is_cpu || (i != FIGURE_cores && i != FIGURE_broadcast)) && model_figure(fresh, i) <= 0)
            text_format(&names, "%s%s", names.length ? ", " : "; not measured, and therefore as before or as its class has it: ", figure_def(i)->name);
    diag_warning(diag, NULL, "the time for measuring %s was over before all was measured: the machine is busy, or the device slow%s", info->name,
                 names.length ? names.data : "");
}

static void take_and_keep(Arena *arena, Device *device, const DevicePeaks *peaks, DeviceModel *fresh, DeviceModel *out, Diag *diag) {
    DeviceModel all = {0};
    take_peaks(&device->info, peaks, fresh);
    keep(arena, &device->info, fresh, &all, diag);
    *out = model_measured(&device->info.target.model, &all);
}

bool measure_keep(Arena *arena, Device *device, const DevicePeaks *peaks, DeviceModel *out, Diag *diag) {
    DeviceModel fresh = {0};
    if (!measure_dispatches(device, NULL, &fresh, diag))
        return false;
    take_and_keep(arena, device, peaks, &fresh, out, diag);
    return true;
}

bool measure_device(Arena *arena, Device *device, const Deadline *deadline, DeviceModel *out, Diag *diag) {
    DevicePeaks peaks = {0};
    DeviceModel fresh = {0};
    Deadline usual = {clock_seconds, clock_seconds() + MEASURE_SECONDS};
    deadline = deadline ? deadline : &usual;
    if (!measure_dispatches(device, deadline, &fresh, diag) || !device_measure_peaks(device, deadline, &peaks, diag))
        return false;
    bool is_cut_off = deadline_is_over(deadline);
    take_and_keep(arena, device, &peaks, &fresh, out, diag);
    if (is_cut_off)
        say_cut_off(arena, &device->info, &fresh, diag);
    return true;
}
