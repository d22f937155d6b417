// Train: the training loop - steps, metrics, previews, checkpoints, resuming.
//   RUN/run.json  architecture.txt  fork.txt  metrics.jsonl  metrics.csv  loss.png  checkpoint-000120.safetensors  previews/  emits/
//   and, while it trains, lock
#pragma once
#include "runtime/data/dataset.h"
#include "runtime/run/run.h"
#include "runtime/session/session.h"

typedef struct {
    Run run; // what run.json keeps; entry NULL: "train"; steps and epochs 0: the program's own; keep 0: 3; save_every 0: about every five
             // minutes
    const char *out;  // RUN
    bool resume;      // go on where the newest whole checkpoint stands; where there is none yet, from the beginning. run.steps or
                      // run.epochs may give another total than the run had
    const char *fork; // RUN or FILE whose states a new run begins with, as far as they fit; its run.json gives the data too. NULL: none
    uint32_t stop_at; // end after this step, of the same total; 0: no
    bool profile;     // time every dispatch and print the most expensive at the end
    double curve_seconds; // from one drawing of loss.png to the next; 0: 30
    DeviceOptions device;
    const char *architecture; // for people: RUN/architecture.txt, written when the run begins; NULL: none
    FILE *log;                // progress and news; a line that rewrites itself where it is a terminal. NULL: silent
} TrainOptions;

typedef struct {
    uint32_t steps_done, steps;
    bool was_interrupted;   // Ctrl-C or SIGTERM; saved all the same
    const char *stopped;    // why the run is finished before its total, for people; NULL: it is not
    const char *checkpoint; // the last one written or read, or NULL; lives in the arena of train_run
} TrainResult;

// False after an error; what was saved before it stays, and the message names it. Handles SIGINT and SIGTERM while it runs: the first one
// finishes the step and saves, a second one kills as usual.
bool train_run(Arena *arena, const Program *program, const TrainOptions *options, TrainResult *result, Diag *diag);

// How many steps a new run would take, and about how many seconds one takes by the model. Opens the data, but no device.
bool train_estimate(Arena *arena, const Program *program, const TrainOptions *options, const DeviceModel *model, uint32_t *steps, double *seconds, Diag *diag);

// --dry-run: what training would take - memory needed and left, steps, epochs, estimated time. Opens the data and the device, trains
// nothing.
bool train_plan(Arena *arena, const Program *program, const TrainOptions *options, Text *out, Diag *diag);
