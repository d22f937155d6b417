// Play: the one loop over a program's phases, their repetitions and their results.
#pragma once
#include "runtime/program/turns.h"
#include "runtime/session/session.h"

// One repetition of a phase; of one that accumulates, one run of a part (see accumulate.h).
typedef struct {
    uint32_t phase;           // its index
    uint32_t run;             // how often the phase ran before this step: of one that runs in each, the step
    Moment moment;            // as step, steps and repetition and index make it
    const void *const *feeds; // by index in the phase's feeds, as session_submit takes them
} PlayTurn;

typedef struct {
    Session *session;
    const ProgramEntry *entry;
    const uint32_t *repeats;     // of each phase in a step; NULL: as the program says, an epoch once
    uint32_t steps, epoch_steps; // of the moments; an epoch is step / epoch_steps. epoch_steps 0: 1
    uint32_t in_flight;          // submitted and not taken, at most; 0: 3. 1: a result is taken before the next repetition is fed
    uint64_t tag;                // of the results that follow; the caller sets it between steps
    // Before each repetition, and each batch of one that accumulates, but not before its other parts, which take none: gives turn->feeds, which
    // stay until it is called again, and turn->moment.records where a batch is not full. NULL: nothing is fed.
    bool (*feed)(void *context, PlayTurn *turn, Diag *diag);
    // In place of submitting the repetition, with nothing in flight. NULL: it is submitted.
    bool (*run)(void *context, const PlayTurn *turn, Diag *diag);
    // Each result, in the order of the repetitions. NULL: they are dropped.
    bool (*take)(void *context, const SessionResult *result, Diag *diag);
    void *context;
    bool is_stopping; // set by one of the three: what began is done, and no further repetition begins
    Turns *turns;     // of a training: made by session_play_begin. NULL: all phases run in each step
} Play;

// How often the phases that have a `when` ran, by phase, as the session's states say. NULL: reported.
const uint32_t *session_play_past(Session *session, const ProgramEntry *entry, Arena *arena, Diag *diag);
// Before the first step of a training is played: the turns of its phases, from where the session's states stand. Needs steps and epoch_steps.
// From then on steps are played in order. False: reported.
bool session_play_begin(Play *play, Arena *arena, uint32_t first_step, Diag *diag);
bool session_play_is_stopped(const Play *play); // the program's "stop" holds: there is no further step
// Whether this is the last result that `take` is given of its step.
bool session_play_is_last(const Play *play, const SessionResult *result);

// One step: all phases whose turn it is, each as often as it repeats. What is still in flight at its end stays so; the next step goes on
// behind it, except in a program with conditions: they say what comes next. False: the session, or one of the caller's functions, failed
// (reported).
bool session_play(Play *play, uint32_t step, Diag *diag);
// Of a step, only this phase: of one that accumulates the batch, with all of its parts. Those by themselves do nothing.
bool session_play_phase(Play *play, uint32_t step, uint32_t phase, Diag *diag);
bool session_play_finish(Play *play, Diag *diag);                              // takes all that is in flight
// A run of its own begins: takes all that is in flight, and the program's own states are initial again.
bool session_play_anew(Play *play, Diag *diag);
uint32_t session_play_repeats(const Play *play, uint32_t phase);
