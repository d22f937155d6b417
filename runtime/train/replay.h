// Replay: runs a stopped training's last steps once more and names the first kernel whose output is not finite.
#pragma once
#include "runtime/data/dataset.h"
#include "runtime/session/session.h"
#include <signal.h>

typedef struct {
    const ProgramEntry *entry;
    Dataset *const *datasets; // of dataset_open_all; no other loader may read them meanwhile
    uint64_t seed;
    uint32_t first_step; // where the session's states stand
    uint32_t step;       // whose report was not finite
    uint32_t steps, epoch_steps;
    const volatile sig_atomic_t *interrupted; // ends the replay
} ReplayOptions;

typedef struct {
    uint32_t step;
    const Step *dispatch; // NULL: all that it stored was finite
    const char *kernel;
    uint64_t element, count; // of the range that it wrote, as it lies in memory
} ReplayBad;

// Runs the steps from first_step on, the last two dispatch by dispatch (an update's NaN shows in the next step's report only), and looks at
// every f32 that they store. The states are changed. False after an error (reported): the replay itself failed or was interrupted.
bool replay_find_bad(Session *session, const Program *program, const ReplayOptions *options, ReplayBad *bad, Diag *diag);
