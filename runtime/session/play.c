// Play: see play.h.
#include "runtime/session/play.h"

enum { IN_FLIGHT = 3 };

uint32_t session_play_repeats(const Play *play, uint32_t phase) {
    uint32_t repeats = play->repeats ? play->repeats[phase] : play->entry->phases.items[phase].repeat;
    return repeats ? repeats : 1;
}

static bool take_one(Play *play, bool wait, bool *got, Diag *diag) {
    SessionResult result;
    return session_take(play->session, wait, &result, got, diag) &&
           (!*got || !play->take || play->take(play->context, &result, diag));
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
    if (play->feed && !play->feed(play->context, turn, diag))
        return false;
    if (play->run)
        return session_play_finish(play, diag) && play->run(play->context, turn, diag);
    if (!take_until(play, most, diag))
        return false;
    const ProgramPhase *phase = &play->entry->phases.items[turn->phase];
    return session_submit(play->session, play->entry, phase, &turn->moment, turn->feeds, play->tag, diag) &&
           (most > 1 || session_play_finish(play, diag));
}

bool session_play_phase(Play *play, uint32_t step, uint32_t phase, Diag *diag) {
    uint32_t repeats = session_play_repeats(play, phase), epoch_steps = play->epoch_steps ? play->epoch_steps : 1;
    for (uint32_t i = 0; i < repeats && !play->is_stopping; i++) {
        PlayTurn turn = {.phase = phase,
                         .moment = {.step = step,
                                    .steps = play->steps,
                                    .epoch = step / epoch_steps,
                                    .epoch_steps = epoch_steps,
                                    .repetition = i}};
        if (!play_turn(play, &turn, diag))
            return false;
    }
    return true;
}

bool session_play(Play *play, uint32_t step, Diag *diag) {
    for (uint32_t i = 0; i < play->entry->phases.count && !play->is_stopping; i++)
        if (!session_play_phase(play, step, i, diag))
            return false;
    return true;
}
