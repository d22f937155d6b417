// Spread: how far a network's rows lie from 0 in the mean.
#include "runtime/eval/measure.h"
#include "runtime/session/play.h"
#include <math.h>

typedef struct {
    uint64_t count;
    double sum;
} Spread;

static const char *mistake(const MeasureOptions *options) { return options->from ? NULL : "--from RUN is missing: the weights"; }

static bool prepare(Measuring *measuring) {
    measuring->own = ARENA_NEW(measuring->arena, Spread, 1);
    return true;
}

static bool take(void *context, const SessionResult *result, Diag *diag) {
    (void)diag;
    Spread *spread = context;
    for (uint32_t i = 0; i < result->phase->results.count; i++) {
        uint64_t count = layout_logical_count(&result->phase->results.items[i].tensor.layout);
        for (uint64_t k = 0; k < count; k++)
            spread->sum += fabs((double)((const float *)result->values[i])[k]);
        spread->count += count;
    }
    return true;
}

static bool run(Measuring *measuring) {
    Play play = {.session = measuring->session, .entry = measuring->entry, .steps = 1, .take = take, .context = measuring->own};
    return session_play_anew(&play, measuring->diag) && session_play(&play, 0, measuring->diag) &&
           session_play_finish(&play, measuring->diag);
}

static double mean(const Measuring *measuring) {
    const Spread *spread = measuring->own;
    return spread->count ? spread->sum / (double)spread->count : 0;
}

static void print(const Measuring *measuring, Text *out) { text_format(out, "spread: %g\n", mean(measuring)); }

static void write(const Measuring *measuring, JsonWriter *json) { json_write_number(json, "spread", mean(measuring)); }

const Measure spread_measure = {
    .name = "spread", .mistake = mistake, .prepare = prepare, .run = run, .print = print, .write = write};
