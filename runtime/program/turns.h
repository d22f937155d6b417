// Turns: in which steps the phases of a program run, and when a training ends by itself.
#pragma once
#include "runtime/program/program.h"

typedef struct {
    const ProgramEntry *entry;
    const ProgramPhase *conditions; // NULL: it has none
    const uint32_t *every;          // by phase: it runs in steps that this divides,
    bool *holds;                    // where this is true: as the conditions of the last step left it
    uint32_t *runs;                 // by phase: of those that have a `when`, how often they ran so far
    const uint32_t *when;           // by phase: which of the conditions' results is its `when`; UINT32_MAX: it has none
    uint32_t stop;                  // which of them ends a training; UINT32_MAX: none
    bool is_stopped;                // it said so
} Turns;

// As they are before the first step of a run of these lengths. runs: by phase, of those that have a `when`, how often they ran before; NULL:
// never. NULL (reported): a phase would run each 0 steps.
Turns *turns_create(Arena *arena, const ProgramEntry *entry, uint32_t steps, uint32_t epoch_steps, const uint32_t *runs, Diag *diag);
// Whether the phase runs in this step, the next one or one that is not done. turns NULL: all do, in each.
bool turns_has(const Turns *turns, uint32_t step, uint32_t phase);
// How often it ran before this step. A phase with a `when` is asked about the step that comes next.
uint32_t turns_before(const Turns *turns, uint32_t step, uint32_t phase);
// How often at most before that later step.
uint32_t turns_before_end(const Turns *turns, uint32_t step, uint32_t end_step, uint32_t phase);
// The phase ran in a step.
void turns_count(Turns *turns, uint32_t phase);
// What the conditions of a step gave: a word (see element.h) for each result of theirs.
void turns_take(Turns *turns, const void *const *values);
