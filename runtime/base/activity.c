// Activity: see activity.h.
#include "runtime/base/activity.h"
#include "runtime/base/clock.h"
#include "runtime/base/pool.h"
#include <unistd.h>

static const double TERMINAL_SECONDS = 1, PLAIN_SECONDS = 8, LOOK_SECONDS = 0.1;
enum { WHAT_SIZE = 160, LINE_SIZE = 512 };

struct Activity {
    FILE *log;
    bool is_terminal;
    double after;
    PoolThread thread; // where none is to be had, the work alone speaks
    pthread_mutex_t lock;
    pthread_cond_t stopped;
    // Guarded by the lock:
    bool is_stopping, has_line;
    char what[WHAT_SIZE], line[LINE_SIZE]; // "": nothing goes on; the last line shown, which stays beside what goes on
    uint32_t done, total;                  // total 0: not counted
    double begun, spoke;
};

// A line that will be replaced must not wrap: only its last row could be erased. The terminal cuts it off where it is too long.
static void put(Activity *activity, const char *line, bool stays) {
    if (activity->is_terminal)
        fprintf(activity->log, stays ? "\r\033[K%s\n" : "\r\033[K\033[?7l%s\033[?7h", line);
    else
        fprintf(activity->log, "%s\n", line);
    fflush(activity->log);
    activity->has_line = activity->is_terminal && !stays;
    activity->spoke = clock_seconds();
}

static void speak(Activity *activity) {
    char count[40] = "", left[40] = "", line[LINE_SIZE + WHAT_SIZE + 120];
    double seconds = clock_seconds() - activity->begun;
    if (activity->total)
        snprintf(count, sizeof count, " %u/%u", activity->done, activity->total);
    if (activity->done && activity->done < activity->total)
        snprintf(left, sizeof left, ", about %.0f s left", seconds * (activity->total - activity->done) / activity->done);
    bool has_line = activity->is_terminal && activity->line[0];
    snprintf(line, sizeof line, "%s%s%s%s, %.0f s%s", has_line ? activity->line : "", has_line ? "  " : "", activity->what, count, seconds, left);
    put(activity, line, false);
}

static void *watch(void *context) {
    Activity *activity = context;
    pthread_mutex_lock(&activity->lock);
    while (!activity->is_stopping) {
        if (activity->what[0] && clock_seconds() - activity->spoke >= activity->after)
            speak(activity);
        struct timespec until = clock_after(LOOK_SECONDS);
        pthread_cond_timedwait(&activity->stopped, &activity->lock, &until);
    }
    pthread_mutex_unlock(&activity->lock);
    return NULL;
}

Activity *activity_create(Arena *arena, FILE *log, double after) {
    Activity *activity = ARENA_NEW(arena, Activity, 1);
    activity->log = log;
    activity->is_terminal = log && isatty(fileno(log));
    activity->after = after > 0 ? after : activity->is_terminal ? TERMINAL_SECONDS : PLAIN_SECONDS;
    activity->spoke = clock_seconds();
    pthread_mutex_init(&activity->lock, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&activity->stopped, &attributes);
    pthread_condattr_destroy(&attributes);
    if (log)
        pool_thread_start(&activity->thread, watch, activity);
    return activity;
}

static void clear(Activity *activity) {
    if (activity->has_line)
        fputs(activity->line[0] ? "\n" : "\r\033[K", activity->log);
    if (activity->has_line)
        fflush(activity->log);
    activity->has_line = false;
}

void activity_destroy(Activity **pointer) {
    Activity *activity = *pointer;
    *pointer = NULL;
    if (!activity)
        return;
    pthread_mutex_lock(&activity->lock);
    activity->is_stopping = true;
    pthread_cond_signal(&activity->stopped);
    pthread_mutex_unlock(&activity->lock);
    pool_thread_join(&activity->thread);
    if (activity->log)
        clear(activity);
    pthread_cond_destroy(&activity->stopped);
    pthread_mutex_destroy(&activity->lock);
}

bool activity_is_terminal(const Activity *activity) { return activity->is_terminal; }

void activity_begin(Activity *activity, const char *format, ...) {
    char what[WHAT_SIZE];
    va_list list;
    va_start(list, format);
    vsnprintf(what, sizeof what, format, list);
    va_end(list);
    activity_count(activity, what, 0, 0);
}

void activity_count(Activity *activity, const char *what, uint32_t done, uint32_t total) {
    if (!activity || !activity->log)
        return;
    pthread_mutex_lock(&activity->lock);
    bool is_another = strncmp(activity->what, what, WHAT_SIZE - 1) != 0 || (done <= 1 && done < activity->done) || total != activity->total;
    if (is_another) {
        snprintf(activity->what, sizeof activity->what, "%s", what);
        activity->begun = clock_seconds();
    }
    activity->done = done;
    activity->total = total;
    pthread_mutex_unlock(&activity->lock);
}

void activity_end(Activity *activity) {
    if (!activity || !activity->log)
        return;
    pthread_mutex_lock(&activity->lock);
    activity->what[0] = 0;
    activity->total = 0;
    if (!activity->line[0])
        clear(activity);
    pthread_mutex_unlock(&activity->lock);
}

void activity_show(Activity *activity, const char *line) {
    if (!activity->log)
        return;
    pthread_mutex_lock(&activity->lock);
    snprintf(activity->line, sizeof activity->line, "%s", line);
    put(activity, line, false);
    pthread_mutex_unlock(&activity->lock);
}

void activity_say(Activity *activity, const char *line) {
    if (!activity->log)
        return;
    pthread_mutex_lock(&activity->lock);
    if (activity->has_line && activity->line[0])
        fputs("\n", activity->log); // the last line of progress stays above
    activity->line[0] = 0;
    put(activity, line, true);
    pthread_mutex_unlock(&activity->lock);
}

void activity_progress(void *activity, const char *what, uint32_t done, uint32_t total) {
    if (done < total)
        activity_count(activity, what, done, total);
    else
        activity_end(activity);
}

void activity_pipelines(void *activity, uint32_t done, uint32_t total) { activity_progress(activity, "compiling shaders", done, total); }
