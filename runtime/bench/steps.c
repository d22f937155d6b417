// Steps: see steps.h.
#include "runtime/bench/steps.h"
#include "runtime/base/clock.h"
#include "runtime/bench/made_feeds.h"

enum { REPETITIONS_MAX = 16 }; // of one phase in a measured step; the time of the others follows from theirs

uint32_t steps_repeats(const ProgramPhase *phase) { return phase->repeat ? phase->repeat : 1; }

static bool feed(void *context, PlayTurn *turn, Diag *diag) {
    (void)diag;
    turn->feeds = ((const Steps *)context)->feeds[turn->phase];
    return true;
}

bool steps_begin(Arena *arena, Session *session, const Program *program, const ProgramEntry *entry, uint64_t seed, Steps *out, Diag *diag) {
    *out = (Steps){.session = session,
                   .entry = entry,
                   .feeds = ARENA_NEW(arena, const void *const *, entry->phases.count),
                   .seconds = ARENA_NEW(arena, double, entry->phases.count)};
    uint32_t *repeats = ARENA_NEW(arena, uint32_t, entry->phases.count + 1u);
    for (uint32_t i = 0; i < entry->phases.count; i++) {
        uint32_t all = steps_repeats(&entry->phases.items[i]);
        repeats[i] = all < REPETITIONS_MAX ? all : REPETITIONS_MAX;
        out->feeds[i] = made_feeds(arena, program, &entry->phases.items[i], seed);
    }
    out->play = (Play){.session = session,
                       .entry = entry,
                       .repeats = repeats,
                       .steps = STEPS_TOTAL,
                       .epoch_steps = STEPS_TOTAL,
                       .feed = feed,
                       .context = out};
    return made_inputs(arena, session, program, entry, seed, diag);
}

bool steps_run(Steps *steps, uint32_t phase, uint32_t step, Diag *diag) {
    double start = clock_seconds();
    if (!session_play_phase(&steps->play, step, phase, diag) || !session_play_finish(&steps->play, diag))
        return false;
    steps->seconds[phase] = (clock_seconds() - start) / session_play_repeats(&steps->play, phase);
    return true;
}
