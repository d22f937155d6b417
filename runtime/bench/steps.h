// Steps: a program's steps on made feeds, phase by phase, and how long they take.
#pragma once
#include "runtime/session/play.h"

enum { STEPS_TOTAL = 1000 }; // that the program is told of

typedef struct {
    Session *session;
    const ProgramEntry *entry;
    Play play;
    const void *const **feeds; // by phase
    double *seconds;           // by phase: one repetition, of those that ran last
} Steps;

// `session` is the caller's, with its states initialised; its inputs get random numbers.
bool steps_begin(Arena *arena, Session *session, const Program *program, const ProgramEntry *entry, uint64_t seed, Steps *out, Diag *diag);
bool steps_run(Steps *steps, uint32_t phase, uint32_t step, Diag *diag);
uint32_t steps_repeats(const ProgramPhase *phase); // in a step; of an epoch one batch
