// Progress: the line that a training shows - rewritten in place on a terminal, a plain line now and then elsewhere.
#pragma once
#include "runtime/metrics.h"

typedef struct Progress Progress;

// log NULL: silent. step_records: what one step feeds, 0 where nothing is fed.
Progress *progress_create(Arena *arena, FILE *log, uint32_t first_step, uint32_t end_step, uint32_t steps, uint32_t step_records);
void progress_step(Progress *progress, uint32_t steps_done, const Metrics *metrics);
// A line of its own; the next progress line comes below it.
__attribute__((format(printf, 2, 3))) void progress_say(Progress *progress, const char *format, ...);
// Time that belongs to no step (previews, checkpoints, a lost device) does not count for the rate.
void progress_pause(Progress *progress);
void progress_resume(Progress *progress);
void progress_restart(Progress *progress, uint32_t step); // after a lost device
void progress_end(Progress *progress);
double progress_seconds(const Progress *progress); // since it was created
double progress_rate(const Progress *progress);    // steps a second, lately; 0: not known yet
