// Curve: see curve.h.
#include "runtime/train/curve.h"
#include "runtime/base/pool.h"
#include <stdatomic.h>

struct Curve {
    const char *path;
    double every, began; // seconds; began: when the last drawing did
    atomic_bool is_done; // the thread has nothing left to do
    PoolThread thread;
    // The thread's own, from its start to its end:
    Arena *arena;
    const Metrics *metrics;
    const char *title, *subtitle;
};

Curve *curve_create(Arena *arena, const char *path, double every) {
    Curve *curve = ARENA_NEW(arena, Curve, 1);
    curve->path = path;
    curve->every = every;
    return curve;
}

static void *draw(void *context) {
    Curve *curve = context;
    // Nobody hears its errors: the next drawing tries again, the last one tells.
    bool is_drawn = metrics_draw(curve->metrics, curve->title, curve->subtitle, curve->path, diag_create(curve->arena));
    (void)is_drawn;
    atomic_store(&curve->is_done, true);
    return NULL;
}

static void finish(Curve *curve) {
    pool_thread_join(&curve->thread);
    arena_destroy(&curve->arena);
}

bool curve_is_due(const Curve *curve, double seconds) {
    return seconds - curve->began >= curve->every && (!curve->thread.is_running || atomic_load(&curve->is_done));
}

void curve_follow(Curve *curve, const Metrics *metrics, const char *title, const char *subtitle, double seconds) {
    if (!curve_is_due(curve, seconds) || metrics_column_count(metrics) == 0)
        return;
    finish(curve);
    curve->began = seconds;
    curve->arena = arena_create();
    curve->metrics = metrics_copy(curve->arena, metrics);
    curve->title = arena_copy_text(curve->arena, title);
    curve->subtitle = arena_copy_text(curve->arena, subtitle);
    atomic_store(&curve->is_done, false);
    if (pool_thread_start(&curve->thread, draw, curve) != 0)
        arena_destroy(&curve->arena);
}

bool curve_draw(Curve *curve, const Metrics *metrics, const char *title, const char *subtitle, Diag *diag) {
    finish(curve);
    return metrics_column_count(metrics) == 0 || metrics_draw(metrics, title, subtitle, curve->path, diag);
}

void curve_destroy(Curve **curve) {
    if (*curve)
        finish(*curve);
    *curve = NULL;
}
