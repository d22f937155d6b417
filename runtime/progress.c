// Progress: see progress.h.
#include "runtime/progress.h"
#include <math.h>
#include <stdarg.h>
#include <time.h>
#include <unistd.h>

enum { WINDOW = 32, RECENT_STEPS = 20 };
static const double TERMINAL_SECONDS = 0.1, PLAIN_SECONDS = 10;

struct Progress {
    FILE *log;
    bool is_terminal, has_line;
    uint32_t first_step, end_step, steps, step_records;
    double start, shown, paused_at, paused; // paused: seconds in all
    double times[WINDOW];                   // of the last steps, without pauses
    uint32_t time_count;
    uint32_t shown_step;
};

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

Progress *progress_create(Arena *arena, FILE *log, uint32_t first_step, uint32_t end_step, uint32_t steps, uint32_t step_records) {
    Progress *progress = ARENA_NEW(arena, Progress, 1);
    *progress = (Progress){.log = log,
                           .is_terminal = log && isatty(fileno(log)),
                           .first_step = first_step,
                           .end_step = end_step,
                           .steps = steps,
                           .step_records = step_records,
                           .start = now(),
                           .shown_step = UINT32_MAX};
    progress_restart(progress, first_step);
    return progress;
}

void progress_restart(Progress *progress, uint32_t step) {
    progress->first_step = step;
    progress->times[0] = now() - progress->paused;
    progress->time_count = 1;
}

double progress_seconds(const Progress *progress) { return now() - progress->start; }

double progress_rate(const Progress *progress) {
    uint32_t count = progress->time_count < WINDOW ? progress->time_count : WINDOW;
    if (count < 2)
        return 0;
    double last = progress->times[(progress->time_count - 1) % WINDOW], first = progress->times[(progress->time_count - count) % WINDOW];
    return last > first ? (count - 1) / (last - first) : 0;
}

static void append_duration(Text *text, double seconds) {
    unsigned long total = (unsigned long)lrint(fmin(seconds, 1e9));
    if (total < 60)
        text_format(text, "%lu s", total);
    else if (total < 3600)
        text_format(text, "%lu min %02lu s", total / 60, total % 60);
    else
        text_format(text, "%lu h %02lu min", total / 3600, total / 60 % 60);
}

static void show(Progress *progress, uint32_t done, const Metrics *metrics) {
    Arena *arena = arena_create();
    Text text = text_create(arena);
    text_format(&text, "step %u/%u", done, progress->steps);
    for (uint32_t i = 0; i < metrics_column_count(metrics) && i < 6; i++) {
        double recent = metrics_recent(metrics, i, RECENT_STEPS);
        text_format(&text, "  %s %.4g", metrics_column(metrics, i), isnan(recent) ? fabs(recent) : recent);
    }
    double rate = progress_rate(progress);
    if (rate > 0) {
        if (progress->step_records)
            text_format(&text, rate * progress->step_records < 10 ? "  %.2g images/s" : "  %.0f images/s", rate * progress->step_records);
        else
            text_format(&text, "  %.3g steps/s", rate);
        if (done < progress->end_step) {
            text_append(&text, "  ");
            append_duration(&text, (progress->end_step - done) / rate);
            text_append(&text, " left");
        }
    }
    fprintf(progress->log, progress->is_terminal ? "\r\033[K%s" : "%s\n", text.data);
    fflush(progress->log);
    progress->has_line = progress->is_terminal;
    progress->shown = now();
    progress->shown_step = done;
    arena_destroy(&arena);
}

void progress_step(Progress *progress, uint32_t steps_done, const Metrics *metrics) {
    progress->times[progress->time_count++ % WINDOW] = now() - progress->paused;
    double wait = progress->is_terminal ? TERMINAL_SECONDS : PLAIN_SECONDS;
    bool is_due = steps_done == progress->first_step + 1 || steps_done == progress->end_step || now() - progress->shown >= wait;
    if (progress->log && is_due && steps_done != progress->shown_step)
        show(progress, steps_done, metrics);
}

void progress_say(Progress *progress, const char *format, ...) {
    if (!progress->log)
        return;
    if (progress->has_line)
        fputs("\n", progress->log);
    progress->has_line = false;
    va_list list;
    va_start(list, format);
    vfprintf(progress->log, format, list);
    va_end(list);
    fputs("\n", progress->log);
    fflush(progress->log);
}

void progress_pause(Progress *progress) { progress->paused_at = now(); }
void progress_resume(Progress *progress) { progress->paused += now() - progress->paused_at; }

void progress_end(Progress *progress) {
    if (progress->log && progress->has_line)
        fputs("\n", progress->log);
    progress->has_line = false;
}
