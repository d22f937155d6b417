// Play: see play.h.
#include "runtime/session/play.h"

enum { IN_FLIGHT = 3 };

uint32_t session_play_repeats(const Play *play, uint32_t phase) {
    uint32_t repeats = play->repeats ? play->repeats[phase] : play->entry->phases.items[phase].repeat;
    return repeats ? repeats : 1;
}

bool session_play_is_stopped(const Play *play) { return play->turns && play->turns->is_stopped; }

bool session_play_is_last(const Play *play, const SessionResult *result) {
    uint32_t phase = (uint32_t)(result->phase - play->entry->phases.items);
    for (uint32_t i = phase + 1; i < play->entry->phases.count; i++)
        if (turns_has(play->turns, result->moment.step, i))
            return false;
    return result->moment.repetition + 1 == session_play_repeats(play, phase);
}

static bool take_one(Play *play, bool wait, bool *got, Diag *diag) {
    SessionResult result;
    if (!session_take(play->session, wait, &result, got, diag))
        return false;
    if (*got && play->turns && result.phase->is_conditions)
        turns_take(play->turns, result.values);
    else if (*got && play->take)
        return play->take(play->context, &result, diag);
    return true;
}

// What is ready, and more until fewer than `most` are in flight.
static bool take_until(Play *play, uint32_t most, Diag *diag) {
    bool got = true;
    while (got && session_in_flight(play->session) > 0)
        if (!take_one(play, session_in_flight(play->session) >= most, &got, diag))
            return false;
    return true;
}

bool session_play_finish(Play *play, Diag *diag) { return take_until(play, 1, diag); }

bool session_play_anew(Play *play, Diag *diag) {
    return session_play_finish(play, diag) && session_reset_entry(play->session, play->entry->name, diag);
}

static bool play_turn(Play *play, PlayTurn *turn, Diag *diag) {
    uint32_t most = play->in_flight ? play->in_flight : IN_FLIGHT;
    const ProgramPhase *phase = &play->entry->phases.items[turn->phase];
    if (play->feed && !accumulate_is_led(phase->part) && !play->feed(play->context, turn, diag))
        return false;
    if (play->run)
        return session_play_finish(play, diag) && play->run(play->context, turn, diag);
    if (!take_until(play, most, diag))
        return false;
    return session_submit(play->session, play->entry, phase, &turn->moment, turn->feeds, play->tag, diag) &&
           (most > 1 || session_play_finish(play, diag));
}

static Moment moment_of(const Play *play, uint32_t step, uint32_t index, uint32_t repetition) {
    uint32_t epoch_steps = play->epoch_steps ? play->epoch_steps : 1;
    return (Moment){.step = step,
                    .steps = play->steps,
                    .epoch = step / epoch_steps,
                    .epoch_steps = epoch_steps,
                    .repetition = repetition,
                    .index = index};
}

// One repetition of an accumulating phase: its batches, and after each the parts that are due.
static bool play_batches(Play *play, PlayTurn *first, Diag *diag) {
    uint32_t step = first->moment.step, index = first->moment.index, count = play->entry->phases.items[first->phase].batches;
    for (uint32_t done = 1; done <= count && !play->is_stopping; done++) {
        PlayTurn batch = {.phase = first->phase, .run = first->run, .moment = moment_of(play, step, index, index * count + done - 1)};
        if (!play_turn(play, &batch, diag))
            return false;
        for (uint32_t i = first->phase + 1; i < play->entry->phases.count && accumulate_is_led(play->entry->phases.items[i].part); i++) {
            const ProgramPhase *part = &play->entry->phases.items[i];
            PlayTurn turn = {.phase = i, .run = first->run, .moment = moment_of(play, step, index, index)};
            bool is_due = !play->is_stopping && accumulate_runs(part->part, part->level, count, done);
            if (is_due && !play_turn(play, &turn, diag))
                return false;
        }
    }
    return true;
}

bool session_play_phase(Play *play, uint32_t step, uint32_t phase, Diag *diag) {
    uint32_t repeats = session_play_repeats(play, phase), run = turns_before(play->turns, step, phase);
    PhasePart part = play->entry->phases.items[phase].part;
    if (accumulate_is_led(part))
        return true;
    for (uint32_t i = 0; i < repeats && !play->is_stopping; i++) {
        PlayTurn turn = {.phase = phase, .run = run, .moment = moment_of(play, step, i, i)};
        if (!(part == PART_BATCH ? play_batches : play_turn)(play, &turn, diag))
            return false;
    }
    if (play->turns)
        turns_count(play->turns, phase);
    return true;
}

// The host waits for them.
static bool play_conditions(Play *play, uint32_t step, Diag *diag) {
    const ProgramPhase *conditions = play->turns ? play->turns->conditions : NULL;
    Moment moment = moment_of(play, step, 0, 0);
    return !conditions || (session_play_finish(play, diag) &&
                           session_submit(play->session, play->entry, conditions, &moment, NULL, play->tag, diag) &&
                           session_play_finish(play, diag));
}

bool session_play(Play *play, uint32_t step, Diag *diag) {
    for (uint32_t i = 0; i < play->entry->phases.count && !play->is_stopping; i++)
        if (turns_has(play->turns, step, i) && !session_play_phase(play, step, i, diag))
            return false;
    return play->is_stopping || play_conditions(play, step, diag);
}

// ---- a training begins

const uint32_t *session_play_past(Session *session, const ProgramEntry *entry, Arena *arena, Diag *diag) {
    uint32_t *runs = ARENA_NEW(arena, uint32_t, entry->phases.count);
    for (uint32_t i = 0; i < entry->phases.count; i++) {
        HostTensor tensor;
        if (!entry->phases.items[i].when)
            continue;
        if (!session_get(session, arena, program_runs_name(arena, entry, &entry->phases.items[i]), &tensor, diag))
            return NULL;
        runs[i] = (uint32_t)host_number(&tensor, 0);
    }
    return runs;
}

bool session_play_begin(Play *play, Arena *arena, uint32_t first_step, Diag *diag) {
    const uint32_t *runs = session_play_past(play->session, play->entry, arena, diag);
    uint32_t epoch_steps = play->epoch_steps ? play->epoch_steps : 1;
    play->turns = runs ? turns_create(arena, play->entry, play->steps, epoch_steps, runs, diag) : NULL;
    return play->turns && (first_step == 0 || play_conditions(play, first_step - 1, diag));
}
