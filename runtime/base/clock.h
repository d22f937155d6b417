// Clock: seconds that only go forward, for how long things take. The one file that asks the system for them.
#pragma once
#include <time.h>

double clock_seconds(void); // signal handlers may ask, too
// The moment so many seconds from now, for waits that end by themselves (on CLOCK_MONOTONIC).
struct timespec clock_after(double seconds);
