// Clock: seconds that only go forward, for how long things take. The one file that asks the system for them.
#pragma once
#include <stdbool.h>
#include <time.h>

double clock_seconds(void); // signal handlers may ask, too

// When work that can be left undone ends, by a clock: `now` is clock_seconds, or a test's.
typedef struct {
    double (*now)(void);
    double end;
} Deadline;
bool deadline_is_over(const Deadline *deadline); // NULL: there is none

// The moment so many seconds from now, for waits that end by themselves (on CLOCK_MONOTONIC).
struct timespec clock_after(double seconds);
