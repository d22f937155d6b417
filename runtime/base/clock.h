// Clock: seconds that only go forward, for how long things take.
#pragma once

double clock_seconds(void);
