// Curve: RUN/loss.png, which follows a training. It is drawn in a thread of its own, from a copy of the points: no device waits for it.
#pragma once
#include "runtime/run/metrics.h"

typedef struct Curve Curve;

// `path`: of the PNG; `every`: seconds from one drawing to the next.
Curve *curve_create(Arena *arena, const char *path, double every);
// To be called often; `seconds` is a clock. Begins to draw where it is time and the last drawing is done, and returns at once. What goes
// wrong there is silent: curve_draw meets it again.
void curve_follow(Curve *curve, const Metrics *metrics, const char *title, const char *subtitle, double seconds);
bool curve_is_due(const Curve *curve, double seconds); // would curve_follow begin to draw?
bool curve_draw(Curve *curve, const Metrics *metrics, const char *title, const char *subtitle, Diag *diag); // now, by the caller
void curve_destroy(Curve **curve);                                                                          // waits for the thread
