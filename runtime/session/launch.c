// Launch: see launch.h. What this machine has launched is kept in file_cache_folder()/launched: of each device and driver, the digests of SPIR-V.
#include "runtime/session/launch.h"
#include "runtime/base/file.h"
#include "runtime/base/pool.h"
#include "runtime/session/parts.h"

enum {
    LANES_MAX = 16,           // devices; each holds a part of the driver's own threads
    LAUNCH_BYTES = 256 << 10, // SPIR-V that takes a driver less than about a second is not worth devices and threads
    KNOWN_MAX = 1 << 16,      // digests that are kept: then the list begins anew
    MEMORY_ODD = 16,          // beside a binding's bytes: see lane_open
};

typedef ARRAY(uint64_t) Digests;

// One thread's device, and what launches need there.
typedef struct {
    Arena *arena;
    Device *device;
    Queue *queue;
    Commands commands;
    Buffer *memory; // stands for all of the program's
    bool is_taken;
} Lane;

typedef struct {
    Session *session;
    uint64_t memory_size;
    ARRAY(uint32_t) kernels; // to be launched, by Program.kernels
    uint64_t *digests;       // by Program.kernels
    pthread_mutex_t lock;
    Lane lanes[LANES_MAX]; // guarded by the lock
} Launch;

// ---- what was launched before

// LLVM's version, which the name tells, is not part of the driver's.
static const char *list_path(Arena *arena, const DeviceInfo *info) {
    const char *name = arena_format(arena, "%s %s", info->name, info->driver);
    return arena_format(arena, "%s/launched/%s-%08x-%08x.bin", file_cache_folder(arena), info->uuid, info->driver_version,
                        (uint32_t)digest_hash(name, strlen(name)));
}

static Digests read_list(Arena *arena, const char *path) {
    Digests digests = {0};
    size_t size = 0;
    const char *bytes = file_exists(path) ? file_read(arena, path, &size, diag_create(arena)) : NULL;
    for (size_t i = 0; bytes && i < size / sizeof(uint64_t) && i < KNOWN_MAX; i++) {
        uint64_t digest;
        memcpy(&digest, bytes + i * sizeof digest, sizeof digest);
        array_push(arena, &digests, digest);
    }
    return digests;
}

static bool is_listed(const Digests *digests, uint64_t digest) {
    for (uint32_t i = 0; i < digests->count; i++)
        if (digests->items[i] == digest)
            return true;
    return false;
}

// Over what others have written meanwhile: what is lost is launched once more.
static void add_to_list(Arena *arena, const char *path, const Launch *launch) {
    Digests digests = read_list(arena, path);
    if (digests.count + launch->kernels.count > KNOWN_MAX)
        digests.count = 0;
    for (uint32_t i = 0; i < launch->kernels.count; i++)
        array_push(arena, &digests, launch->digests[launch->kernels.items[i]]);
    Diag *unheard = diag_create(arena);
    if (file_make_folders(file_folder(arena, path), unheard))
        file_write_unsynced(path, digests.items, digests.count * sizeof *digests.items, unheard);
}

// ---- lanes

static void lane_close(Lane *lane) {
    if (lane->device) {
        queue_destroy(lane->device, &lane->queue);
        buffer_destroy(lane->device, &lane->memory);
        device_destroy(&lane->device);
    }
    arena_destroy(&lane->arena);
}

// Its memory is never touched, so it costs addresses only. Drivers make a variant of a kernel for buffers whose size is a power of two, which a
// program's memories hardly are.
static bool lane_open(Lane *lane, const Launch *launch, Diag *diag) {
    lane->arena = arena_create();
    lane->device = device_create_twin(lane->arena, launch->session->device, diag);
    lane->memory = lane->device ? buffer_create(lane->arena, lane->device, BUFFER_DEVICE, launch->memory_size, "launch", diag) : NULL;
    lane->queue = lane->memory ? queue_create(lane->arena, lane->device, diag) : NULL;
    return lane->queue && commands_begin(lane->device, lane->queue, false, "launch", &lane->commands, diag) &&
           commands_end(lane->device, lane->commands, diag);
}

// One that is free, or not opened yet; there are as many as threads.
static Lane *take_lane(Launch *launch) {
    Lane *lane = NULL;
    pthread_mutex_lock(&launch->lock);
    for (uint32_t i = 0; i < LANES_MAX && !lane; i++)
        lane = launch->lanes[i].is_taken ? NULL : &launch->lanes[i];
    if (lane)
        lane->is_taken = true;
    pthread_mutex_unlock(&launch->lock);
    return lane;
}

static void give_lane(Launch *launch, Lane *lane) {
    pthread_mutex_lock(&launch->lock);
    lane->is_taken = false;
    pthread_mutex_unlock(&launch->lock);
}

// ---- one kernel

// Every dispatch of it that the session's programs have: drivers may compile anew for other sizes of bindings and other push constants.
static bool record_dispatches(const Launch *launch, const Lane *lane, uint32_t index, Pipeline *pipeline, Bindings *bindings, Arena *scratch,
                              Diag *diag) {
    const Session *session = launch->session;
    const ProgramKernel *kernel = &session->program->kernels.items[index];
    if (!commands_restart(lane->device, lane->commands, diag))
        return false;
    for (uint32_t p = 0; p < session->phases.count; p++) {
        const PhaseState *state = &session->phases.items[p];
        for (uint32_t k = 0; state->is_used && k < state->phase->steps.count; k++) {
            const Step *step = &state->phase->steps.items[k];
            Range ranges[TARGET_BINDINGS_MAX];
            if (step->kind != STEP_DISPATCH || step->kernel != index)
                continue;
            for (uint32_t i = 0; i < step->ranges.count; i++)
                ranges[i] = (Range){0, 0, step->ranges.items[i].size};
            CommandDispatch dispatch = {.pipeline = pipeline, .push = step->push.items, .push_words = step->push.count};
            dispatch.is_cut = session->kernels_cut[index];
            if (!bindings_add(scratch, lane->device, bindings, pipeline, kernel->bindings.items, ranges, step->ranges.count, &lane->memory,
                              &dispatch.set, diag))
                return false;
            commands_barrier(lane->device, lane->commands, BARRIER_WAVE); // nothing is written, which who watches the bindings cannot know
            commands_dispatch(lane->device, lane->commands, &dispatch);
        }
    }
    return commands_end(lane->device, lane->commands, diag);
}

static void count_bindings(const Session *session, uint32_t index, uint32_t *sets, uint32_t *each) {
    *sets = 0;
    *each = session->program->kernels.items[index].bindings.count;
    for (uint32_t p = 0; p < session->phases.count; p++) {
        const PhaseState *state = &session->phases.items[p];
        for (uint32_t k = 0; state->is_used && k < state->phase->steps.count; k++)
            *sets += state->phase->steps.items[k].kind == STEP_DISPATCH && state->phase->steps.items[k].kernel == index;
    }
}

static bool launch_kernel(Launch *launch, Lane *lane, uint32_t index, Arena *scratch, Diag *diag) {
    PipelineSource source = session_pipeline_source(launch->session, index);
    uint32_t sets, each;
    uint64_t ticket;
    count_bindings(launch->session, index, &sets, &each);
    Pipeline *pipeline = pipeline_create(scratch, lane->device, &source, diag);
    Bindings *bindings = pipeline ? bindings_create(scratch, lane->device, sets, sets * each, sets * each, diag) : NULL;
    bool good = bindings && record_dispatches(launch, lane, index, pipeline, bindings, scratch, diag) &&
                queue_submit(lane->device, lane->queue, &lane->commands, 1, &ticket, diag) && queue_wait(lane->device, lane->queue, ticket, diag);
    bindings_destroy(lane->device, &bindings);
    pipeline_destroy(lane->device, &pipeline);
    return good;
}

// After a failure no further kernel is launched.
static bool work_item(void *context, uint32_t item, Arena *scratch, Diag *diag) {
    Launch *launch = context;
    Lane *lane = take_lane(launch);
    if (!lane)
        return true;
    bool good = (lane->device || lane_open(lane, launch, diag)) && launch_kernel(launch, lane, launch->kernels.items[item], scratch, diag);
    give_lane(launch, lane);
    return good;
}

// ---- all of them

static void choose_kernels(Launch *launch, Arena *arena, const Digests *known, uint64_t *bytes) {
    const Session *session = launch->session;
    launch->digests = ARENA_NEW(arena, uint64_t, session->program->kernels.count);
    launch->memory_size = MEMORY_ODD;
    for (uint32_t p = 0; p < session->phases.count; p++) {
        const PhaseState *state = &session->phases.items[p];
        for (uint32_t k = 0; state->is_used && k < state->phase->steps.count; k++) {
            const Step *step = &state->phase->steps.items[k];
            if (step->kind != STEP_DISPATCH)
                continue;
            for (uint32_t i = 0; i < step->ranges.count; i++)
                if (step->ranges.items[i].size + MEMORY_ODD > launch->memory_size)
                    launch->memory_size = (step->ranges.items[i].size + MEMORY_ODD - 1) / MEMORY_ODD * MEMORY_ODD + MEMORY_ODD;
            const ProgramKernel *kernel = &session->program->kernels.items[step->kernel];
            if (launch->digests[step->kernel] || !kernel->spirv)
                continue;
            launch->digests[step->kernel] = digest_hash(kernel->spirv, kernel->spirv_size);
            if (is_listed(known, launch->digests[step->kernel]))
                continue;
            array_push(arena, &launch->kernels, step->kernel);
            *bytes += kernel->spirv_size;
        }
    }
}

void session_launch_kernels(Session *session) {
    const DeviceInfo *info = device_info(session->device);
    if (!info->compiles_at_launch || pool_workers(POOL_COMPUTES) < 2)
        return;
    Arena *arena = arena_create();
    Launch launch = {.session = session};
    const char *path = list_path(arena, info);
    Digests known = read_list(arena, path);
    uint64_t bytes = 0;
    choose_kernels(&launch, arena, &known, &bytes);
    if (launch.kernels.count && bytes >= (session->options.launch_bytes ? session->options.launch_bytes : LAUNCH_BYTES)) {
        // In the order of the program, where small kernels lie among large ones: so what is told of the time left is true from the beginning.
        PoolWork work = {.count = launch.kernels.count, .work = work_item, .context = &launch, .progress = session->options.progress,
                         .progress_context = session->options.progress_context};
        pthread_mutex_init(&launch.lock, NULL);
        bool good = pool_run_once(POOL_COMPUTES, &work, diag_create(arena));
        pthread_mutex_destroy(&launch.lock);
        for (uint32_t i = 0; i < LANES_MAX; i++)
            lane_close(&launch.lanes[i]);
        if (good)
            add_to_list(arena, path, &launch);
    }
    arena_destroy(&arena);
}
