// Fork: a new run of a changed graph that begins with another run's states - weights, running statistics, moments, averages, counts -
// wherever name, shape and dtype are the same. Where an optimizer keeps other moments than it did there (its rule is another), all of them
// and its count begin anew; its count also where none of its moments fits.
#pragma once
#include "runtime/run/run.h"
#include "runtime/session/session.h"

// Which checkpoint `run_or_file` stands for, noted so that a resume can take the same one; its whole path.
bool fork_find(Arena *arena, const char *run_or_file, RunFork *out, Diag *diag);

typedef struct {
    const char *summary; // lines for the console: how many were taken, the first names of what was not
    const char *list;    // every state, for RUN/fork.txt
} ForkReport;

// Writes the checkpoint's tensors into the session's states. What an optimizer averages and is not there starts as a copy of what was
// taken. An error: nothing fits, or something in `needed` (networks that must be trained before) is not there with all parameters and
// running statistics; `encoder` as for weights_init_named.
bool fork_take(Session *session, const Program *program, const RunFork *fork, const char *encoder, const char *const *needed,
               uint32_t needed_count, Arena *arena, ForkReport *report, Diag *diag);
