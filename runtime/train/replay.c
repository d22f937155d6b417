// Replay: see replay.h.
#include "runtime/train/replay.h"
#include "runtime/data/loader.h"
#include <math.h>

typedef struct {
    Session *session;
    const Program *program;
    const ReplayOptions *options;
    Loader *loader;
    ReplayBad *bad;
} Replay;

static bool drop_results(Session *session, bool wait, Diag *diag) {
    SessionResult result;
    for (bool got = true; got && session_in_flight(session) > 0;)
        if (!session_take(session, wait, &result, &got, diag))
            return false;
    return true;
}

static bool write_feeds(Replay *replay, const ProgramPhase *phase, const void *const *feeds, Diag *diag) {
    bool ok = true;
    for (uint32_t i = 0; ok && i < phase->feeds.count; i++) {
        const ProgramTensor *tensor = &phase->feeds.items[i].tensor;
        if (!feeds[i])
            continue;
        Arena *arena = arena_create();
        Range range = {tensor->range.memory, tensor->range.offset, layout_size(&tensor->layout)};
        void *bytes = arena_alloc(arena, range.size);
        layout_store(&tensor->layout, feeds[i], bytes);
        ok = session_write_range(replay->session, &range, bytes, diag);
        arena_destroy(&arena);
    }
    return ok;
}

static bool check_range(Replay *replay, const Range *range, bool *is_bad, Diag *diag) {
    Arena *arena = arena_create();
    float *values = arena_alloc(arena, range->size);
    uint64_t count = range->size / sizeof *values, i = 0;
    bool ok = session_read_range(replay->session, range, values, diag);
    while (ok && i < count && isfinite(values[i]))
        i++;
    *is_bad = ok && i < count;
    replay->bad->element = i;
    replay->bad->count = count;
    arena_destroy(&arena);
    return ok;
}

static bool check_dispatch(Replay *replay, const Dispatch *dispatch, uint32_t step, Diag *diag) {
    const ProgramKernel *kernel = &replay->program->kernels.items[dispatch->kernel];
    uint32_t value = 0;
    for (uint32_t i = 0; i < kernel->bindings.count && dispatch->value_types; i++) {
        if (kernel->bindings.items[i] != BINDING_WRITE)
            continue;
        if (value == dispatch->value_count)
            break;
        bool is_bad = false;
        if (dispatch->value_types[value++] == ELEMENT_F32 && !check_range(replay, &dispatch->ranges.items[i], &is_bad, diag))
            return false;
        if (!is_bad)
            continue;
        replay->bad->step = step;
        replay->bad->dispatch = dispatch;
        replay->bad->kernel = kernel->name;
        return true;
    }
    return true;
}

static bool run_checked(Replay *replay, const ProgramPhase *phase, const Moment *moment, const void *const *feeds, Diag *diag) {
    if (!write_feeds(replay, phase, feeds, diag))
        return false;
    for (uint32_t i = 0; i < phase->dispatches.count && !replay->bad->dispatch && !*replay->options->interrupted; i++)
        if (!session_run_dispatch(replay->session, phase, i, moment, 1, NULL, diag) ||
            !check_dispatch(replay, &phase->dispatches.items[i], moment->step, diag))
            return false;
    return true;
}

static bool run_step(Replay *replay, uint32_t step, Diag *diag) {
    const ReplayOptions *options = replay->options;
    uint32_t repetitions = 0;
    for (uint32_t p = 0; p < options->entry->phases.count; p++)
        repetitions += loader_repeats(replay->loader, p);
    for (uint32_t i = 0; i < repetitions && !replay->bad->dispatch; i++) {
        LoaderBatch batch;
        if (*options->interrupted) {
            diag_error(diag, NULL, "the replay was interrupted");
            return false;
        }
        if (!loader_next(replay->loader, &batch, diag))
            return false;
        const ProgramPhase *phase = &options->entry->phases.items[batch.phase];
        Moment moment = {step, options->steps, step / options->epoch_steps, options->epoch_steps, batch.repetition, batch.records};
        bool ok = step + 1 >= options->step
                      ? drop_results(replay->session, true, diag) && run_checked(replay, phase, &moment, batch.feeds, diag)
                      : session_submit(replay->session, options->entry, phase, &moment, batch.feeds, 0, diag) &&
                            drop_results(replay->session, false, diag);
        if (!ok)
            return false;
    }
    return true;
}

bool replay_find_bad(Session *session, const Program *program, const ReplayOptions *options, ReplayBad *bad, Diag *diag) {
    *bad = (ReplayBad){0};
    Arena *arena = arena_create();
    LoaderOptions loading = {.program = program,
                             .entry = options->entry,
                             .datasets = options->datasets,
                             .seed = options->seed,
                             .first_step = options->first_step,
                             .end_step = options->step + 1};
    Replay replay = {.session = session, .program = program, .options = options, .bad = bad};
    bool ok = drop_results(session, true, diag);
    replay.loader = ok ? loader_create(arena, &loading, diag) : NULL;
    ok = replay.loader != NULL;
    for (uint32_t step = options->first_step; ok && step <= options->step && !bad->dispatch; step++)
        ok = run_step(&replay, step, diag);
    loader_destroy(&replay.loader);
    arena_destroy(&arena);
    return ok;
}
