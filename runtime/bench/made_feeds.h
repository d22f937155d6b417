// Made feeds: batches of random numbers within the declared ranges, where no data set is given (bench).
#pragma once
#include "runtime/session/session.h"

// feeds[i] for session_submit, for each feed of the phase.
const void *const *made_feeds(Arena *arena, const Program *program, const ProgramPhase *phase, uint64_t seed);
// Gives the entry's inputs random numbers.
bool made_inputs(Arena *arena, Session *session, const Program *program, const ProgramEntry *entry, uint64_t seed, Diag *diag);
