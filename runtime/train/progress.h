// Progress: the line that a training shows, and what it does beside its steps.
#pragma once
#include "runtime/base/activity.h"
#include "runtime/run/metrics.h"
#include "runtime/train/pace.h"

typedef struct Progress Progress;

typedef struct {
    uint32_t first_step, end_step, steps;
    uint32_t step_records; // what one step feeds, 0 where nothing is fed
    const char *unit;      // what they are: "images", "records"
} ProgressPlan;

// log NULL: silent. Clock and rate begin with progress_plan.
Progress *progress_create(Arena *arena, FILE *log);
void progress_destroy(Progress **progress);
void progress_plan(Progress *progress, const ProgressPlan *plan);
// How often a kind of pause comes: each so many steps, or so many seconds.
void progress_every(Progress *progress, PaceKind kind, uint32_t steps, double seconds);
void progress_step(Progress *progress, uint32_t steps_done, const Metrics *metrics);
// A line of its own; the next progress line comes below it.
__attribute__((format(printf, 2, 3))) void progress_say(Progress *progress, const char *format, ...);
// "WHAT: FOLDER/NAME": a path that can be pasted, of the first file that begins with the prefix, and how many more there are.
void progress_say_files(Progress *progress, const char *what, const char *folder, const char *prefix);
// What is done that is no step, "saving a checkpoint": said where it takes long.
void progress_doing(Progress *progress, const char *what);
void progress_count(void *progress, uint32_t done, uint32_t total); // of shaders that are compiled
// Time that belongs to no step (previews, checkpoints, a lost device) does not count for the rate.
void progress_pause(Progress *progress, PaceKind kind);
// A result came. The time since the last one, or since the last pause, is its phase's.
void progress_result(Progress *progress);
// Of a phase that runs in some steps only; whether the phase began with it.
void progress_phase(Progress *progress, PaceKind kind, bool begins);
void progress_resume(Progress *progress);
void progress_restart(Progress *progress, uint32_t step); // after a lost device
void progress_end(Progress *progress);                    // nothing goes on any more
double progress_seconds(const Progress *progress);        // since progress_plan
