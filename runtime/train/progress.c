// Progress: see progress.h.
#include "runtime/train/progress.h"
#include "runtime/base/clock.h"
#include "runtime/base/file.h"
#include <math.h>
#include <stdarg.h>

enum { RECENT_STEPS = 20 };
static const double TERMINAL_SECONDS = 0.1, PLAIN_SECONDS = 7;

struct Progress {
    Activity *activity;
    ProgressPlan plan;
    Pace pace;
    double start, shown, stepped; // stepped: when the last step ended
    double result;                // when the last result came, or a pause ended
    uint32_t done, shown_step;
};

Progress *progress_create(Arena *arena, FILE *log) {
    Progress *progress = ARENA_NEW(arena, Progress, 1);
    progress->activity = activity_create(arena, log, 0);
    progress->start = clock_seconds();
    return progress;
}

void progress_destroy(Progress **progress) {
    if (*progress)
        activity_destroy(&(*progress)->activity);
    *progress = NULL;
}

static void begin_step(Progress *progress) {
    bool is_first = progress->done == progress->plan.first_step;
    activity_begin(progress->activity, is_first ? "step %u/%u, the first, in which some drivers compile" : "step %u/%u", progress->done + 1,
                   progress->plan.steps);
}

void progress_plan(Progress *progress, const ProgressPlan *plan) {
    progress->plan = *plan;
    progress->shown_step = UINT32_MAX;
    progress->start = progress->shown = clock_seconds();
    progress_restart(progress, plan->first_step);
}

void progress_every(Progress *progress, PaceKind kind, uint32_t steps, double seconds) {
    pace_every(&progress->pace, kind, steps, seconds);
}

void progress_restart(Progress *progress, uint32_t step) {
    progress->plan.first_step = progress->done = step;
    progress->stepped = progress->result = clock_seconds();
    pace_begin(&progress->pace, step);
    begin_step(progress);
}

double progress_seconds(const Progress *progress) { return clock_seconds() - progress->start; }

static void append_duration(Text *text, double seconds) {
    unsigned long total = (unsigned long)lrint(fmin(seconds, 1e9));
    if (total < 60)
        text_format(text, "%lu s", total);
    else if (total < 3600)
        text_format(text, "%lu min %02lu s", total / 60, total % 60);
    else
        text_format(text, "%lu h %02lu min", total / 3600, total / 60 % 60);
}

static void append_rate(Text *text, const Progress *progress, double rate) {
    double records = rate * progress->plan.step_records;
    if (progress->plan.step_records)
        text_format(text, records < 10 ? "  %.2g %s/s" : "  %.0f %s/s", records, progress->plan.unit);
    else
        text_format(text, "  %.3g steps/s", rate);
}

static void show(Progress *progress, const Metrics *metrics) {
    Arena *arena = arena_create();
    Text text = text_create(arena);
    text_format(&text, "step %u/%u", progress->done, progress->plan.steps);
    for (uint32_t i = 0; i < metrics_column_count(metrics) && i < 6; i++)
        text_format(&text, "  %s %.4g", metrics_column(metrics, i), metrics_recent(metrics, i, RECENT_STEPS));
    double rate = pace_rate(&progress->pace), left = pace_left(&progress->pace, progress->plan.end_step);
    if (rate > 0)
        append_rate(&text, progress, rate);
    if (rate > 0 && left > 0 && progress->done < progress->plan.end_step) {
        text_append(&text, "  ");
        append_duration(&text, left);
        text_append(&text, " left");
    }
    activity_show(progress->activity, text.data);
    progress->shown = clock_seconds();
    progress->shown_step = progress->done;
    arena_destroy(&arena);
}

void progress_step(Progress *progress, uint32_t steps_done, const Metrics *metrics) {
    double time = clock_seconds(), step_seconds = time - progress->stepped;
    progress->done = steps_done;
    progress->stepped = time;
    pace_step(&progress->pace, steps_done, time);
    // Elsewhere than on a terminal no later than the next step would be.
    bool is_late = activity_is_terminal(progress->activity) ? time - progress->shown >= TERMINAL_SECONDS
                                                            : time - progress->shown + step_seconds >= PLAIN_SECONDS;
    bool is_due = is_late || steps_done == progress->plan.first_step + 1 || steps_done == progress->plan.end_step;
    if (is_due && steps_done != progress->shown_step)
        show(progress, metrics);
    begin_step(progress);
}

void progress_say(Progress *progress, const char *format, ...) {
    Arena *arena = arena_create();
    va_list list;
    va_start(list, format);
    activity_say(progress->activity, arena_format_list(arena, format, list));
    va_end(list);
    arena_destroy(&arena);
}

void progress_say_files(Progress *progress, const char *what, const char *folder, const char *prefix) {
    Arena *arena = arena_create();
    uint32_t count = 0, more = 0;
    const char *first = NULL, **names = file_list(arena, folder, &count, diag_create(arena));
    for (uint32_t i = 0; names && i < count; i++)
        if (text_starts_with(names[i], prefix)) {
            more += first != NULL;
            first = first ? first : names[i];
        }
    if (first)
        progress_say(progress, more ? "%s: %s (and %u beside it)" : "%s: %s", what, file_join(arena, folder, first), more);
    arena_destroy(&arena);
}

void progress_doing(Progress *progress, const char *what) { activity_begin(progress->activity, "%s", what); }

void progress_count(void *progress, uint32_t done, uint32_t total) {
    activity_count(((Progress *)progress)->activity, "compiling shaders", done, total);
}

void progress_pause(Progress *progress, PaceKind kind) { pace_pause(&progress->pace, kind, clock_seconds()); }

void progress_phase(Progress *progress, PaceKind kind, bool begins) {
    double now = clock_seconds();
    pace_phase(&progress->pace, kind, now - progress->result, begins);
    progress->result = now;
}

void progress_result(Progress *progress) { progress->result = clock_seconds(); }

void progress_resume(Progress *progress) {
    double time = clock_seconds();
    pace_resume(&progress->pace, time);
    progress->stepped = progress->result = time;
    begin_step(progress);
}

void progress_end(Progress *progress) { activity_end(progress->activity); }
