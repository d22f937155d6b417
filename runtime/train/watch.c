// Watch: see watch.h.
#include "runtime/train/watch.h"
#include <math.h>

enum { SKIPS_MAX = 20 }; // in a row

static Skips *skips_of(Watch *watch, const ProgramResult *report) {
    for (uint32_t i = 0; i < watch->skips.count; i++)
        if (watch->skips.items[i].report == report)
            return &watch->skips.items[i];
    array_push(watch->arena, &watch->skips, (Skips){.report = report});
    return &watch->skips.items[watch->skips.count - 1];
}

// Says so at the first, second, fourth, eighth … time.
static bool count_skips(Watch *watch, uint32_t step, const ProgramResult *report, double value, Progress *progress) {
    Skips *skips = skips_of(watch, report);
    skips->in_a_row = value > 0 ? skips->in_a_row + 1 : 0;
    skips->total += value > 0;
    if (skips->in_a_row >= SKIPS_MAX) {
        watch->step = step;
        watch->what = arena_format(watch->arena, "step %u: %s is above 0 for the %uth time in a row: no gradient is finite any more", step,
                                   report->name, skips->in_a_row);
        return false;
    }
    if (value > 0 && (skips->total & (skips->total - 1)) == 0)
        progress_say(progress, "step %u: gradients that are not finite, the update changes nothing (%s, %u in all)", step, report->name,
                     skips->total);
    return true;
}

bool watch_reports(Watch *watch, const SessionResult *result, Progress *progress) {
    for (uint32_t i = 0; i < result->phase->results.count; i++) {
        const ProgramResult *report = &result->phase->results.items[i];
        if (report->format != RESULT_REPORT || !result->values[i])
            continue;
        double value = metrics_value(result, i);
        if (report->counts_skips && !count_skips(watch, result->moment.step, report, value, progress))
            return false;
        if (isfinite(value) || result->entry->skips)
            continue;
        watch->step = result->moment.step;
        watch->what = arena_format(watch->arena, "step %u: %s of phase %s is %g", result->moment.step, report->name,
                                   program_phase_title(result->phase), value);
        return false;
    }
    return true;
}
