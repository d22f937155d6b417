// Replay: see replay.h.
#include "runtime/train/replay.h"
#include "runtime/sample/feeding.h"
#include <math.h>

typedef struct {
    Session *session;
    const Program *program;
    const ReplayOptions *options;
    Loader *loader;
    Play play;
    ReplayBad *bad;
} Replay;

static bool write_feeds(Replay *replay, const ProgramPhase *phase, const void *const *feeds, Diag *diag) {
    bool ok = true;
    for (uint32_t i = 0; ok && i < phase->feeds.count; i++) {
        const ProgramTensor *tensor = &phase->feeds.items[i].tensor;
        if (!feeds[i])
            continue;
        Arena *arena = arena_create();
        Range range = {tensor->range.memory, tensor->range.offset, program_tensor_size(tensor)};
        void *bytes = arena_alloc(arena, range.size);
        layout_store(&tensor->layout, tensor->type, feeds[i], bytes);
        ok = session_write_range(replay->session, &range, bytes, diag);
        arena_destroy(&arena);
    }
    return ok;
}

static bool check_range(Replay *replay, const Range *range, ElementType type, bool *is_bad, Diag *diag) {
    Arena *arena = arena_create();
    void *numbers = arena_alloc(arena, range->size);
    uint64_t count = range->size / element_stored(type), i = 0;
    bool ok = session_read_range(replay->session, range, numbers, diag);
    while (ok && i < count && isfinite(element_number(type, numbers, i)))
        i++;
    *is_bad = ok && i < count;
    replay->bad->element = i;
    replay->bad->count = count;
    arena_destroy(&arena);
    return ok;
}

static bool check_dispatch(Replay *replay, const Step *dispatch, uint32_t step, Diag *diag) {
    uint32_t value = 0;
    for (uint32_t i = 0; i < dispatch->ranges.count && dispatch->value_types; i++) {
        if (!program_step_writes(replay->program, dispatch, i))
            continue;
        if (value == dispatch->value_count)
            break;
        bool is_bad = false;
        ElementType type = dispatch->value_types[value++];
        bool is_real = element_row(type)->word == ELEMENT_F32;
        if (is_real && !check_range(replay, &dispatch->ranges.items[i], type, &is_bad, diag))
            return false;
        if (!is_bad)
            continue;
        replay->bad->step = step;
        replay->bad->dispatch = dispatch;
        replay->bad->kernel = program_step_name(replay->program, dispatch);
        return true;
    }
    return true;
}

static bool feed(void *context, PlayTurn *turn, Diag *diag) {
    const Replay *replay = context;
    if (!*replay->options->interrupted)
        return feeding_next(replay->loader, turn, diag);
    diag_error(diag, NULL, "the replay was interrupted");
    return false;
}

// Dispatch by dispatch, each looked at.
static bool run_checked(void *context, const PlayTurn *turn, Diag *diag) {
    Replay *replay = context;
    const ProgramPhase *phase = &replay->options->entry->phases.items[turn->phase];
    if (!write_feeds(replay, phase, turn->feeds, diag))
        return false;
    for (uint32_t i = 0; i < phase->steps.count && !replay->bad->dispatch && !*replay->options->interrupted; i++)
        if (!session_run_dispatch(replay->session, phase, i, &turn->moment, 1, NULL, diag) ||
            !check_dispatch(replay, &phase->steps.items[i], turn->moment.step, diag))
            return false;
    replay->play.is_stopping = replay->bad->dispatch != NULL;
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
    Play *play = &replay.play;
    *play = (Play){.session = session, .entry = options->entry, .steps = options->steps, .feed = feed, .context = &replay};
    bool ok = session_play_finish(play, diag); // what the training left
    loading.steps = options->steps;
    loading.runs = ok ? session_play_past(session, options->entry, arena, diag) : NULL;
    ok = loading.runs != NULL;
    replay.loader = ok ? loader_create(arena, &loading, diag) : NULL;
    ok = replay.loader != NULL;
    if (ok)
        feeding_prepare(play, arena, replay.loader);
    play->epoch_steps = options->epoch_steps;
    ok = ok && session_play_begin(play, arena, options->first_step, diag);
    for (uint32_t step = options->first_step; ok && step <= options->step && !play->is_stopping && !session_play_is_stopped(play); step++) {
        play->run = step + 1 >= options->step ? run_checked : NULL;
        ok = session_play(play, step, diag);
    }
    loader_destroy(&replay.loader);
    arena_destroy(&arena);
    return ok;
}
