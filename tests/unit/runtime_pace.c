// Pace and Activity: rates and times left by a clock of the test's own; who speaks when the work is silent.
#include "runtime/base/activity.h"
#include "runtime/train/pace.h"
#include "runtime/base/file.h"
#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

// A training: the first step takes long, the others the same; a preview each so many steps, a save each so many seconds of work.
typedef struct {
    double first, step, preview, save, save_every;
    uint32_t steps, preview_every;
    double phase;        // of a phase that runs in some steps, and takes so long
    uint32_t phase_every;
    bool is_open;        // the pace is not told how often
} Run;

// The clock when `done` steps are done, and their pauses over. With a pace it is told all that happens.
static double walk(const Run *run, uint32_t from, uint32_t to, double now, Pace *pace, double *saved, double until) {
    for (uint32_t i = from; i < to && now < until; i++) {
        for (uint32_t part = 0; run->phase_every && i % run->phase_every == 0 && part < 2; part++) {
            now += run->phase / 2;
            if (pace)
                pace_phase(pace, PACE_PHASE, run->phase / 2, part == 0);
        }
        now += i == 0 ? run->first : run->step;
        if (pace)
            pace_step(pace, i + 1, now);
        if (run->save_every > 0 && now - *saved >= run->save_every) {
            if (pace)
                pace_pause(pace, PACE_SAVE, now);
            now += run->save;
            *saved = now;
            if (pace)
                pace_resume(pace, now);
        }
        if (run->preview_every && (i + 1) % run->preview_every == 0 && i + 1 < to) {
            if (pace)
                pace_pause(pace, PACE_PREVIEW, now);
            now += run->preview;
            if (pace)
                pace_resume(pace, now);
        }
    }
    return now;
}

static const Run runs[] = {
    {.first = 60, .step = 0.05, .steps = 20000},                                             // a driver that compiles in the first step
    {.first = 0.001, .step = 0.001, .steps = 500000},                                        // steps far shorter than a sample
    {.first = 90, .step = 7, .steps = 100},                                                  // slow ones
    {.first = 100, .step = 100, .steps = 12},                                                // each longer than the window
    {.first = 5, .step = 0.1, .steps = 9000, .preview_every = 100, .preview = 12},           // previews take more than half of the time
    {.first = 5, .step = 0.1, .steps = 20000, .save_every = 30, .save = 4, .preview = 1},    // and saves
    {.first = 5, .step = 0.1, .steps = 9000, .phase_every = 300, .phase = 20},                  // validation takes two fifths of the time
    {.first = 5, .step = 0.1, .steps = 9000, .phase_every = 30, .phase = 2, .is_open = true},
    {.first = 20, .step = 0.25, .steps = 8000, .preview_every = 60, .preview = 9, .save_every = 20, .save = 3},
};

// After a minute of steps (or two of them), at any time until the end.
START_TEST(time_left_is_right_within_a_tenth) {
    const Run *run = &runs[_i];
    uint32_t checked = 0;
    double begin = 1000, saved = begin, total_saved = begin;
    double end = walk(run, 0, run->steps, begin, NULL, &total_saved, 1e30);
    for (uint32_t part = 1; part < 20; part++) {
        Pace pace = {0};
        pace_begin(&pace, 0);
        pace_every(&pace, PACE_PREVIEW, run->preview_every, 0);
        pace_every(&pace, PACE_SAVE, 0, run->save_every);
        pace_every(&pace, PACE_PHASE, run->is_open ? 0 : run->phase_every, 0);
        saved = begin;
        double until = begin + run->first + (run->step * 2 > 60 ? run->step * 2 : 61) + (end - begin - run->first) * part / 24;
        double now = walk(run, 0, run->steps, begin, &pace, &saved, until), left = pace_left(&pace, run->steps);
        if (pace.steps >= run->steps)
            break;
        double truth = end - now;
        double slack = run->preview + run->save + run->phase + run->step; // one pause more or less, and the step at hand
        ck_assert_msg(left > truth * 0.9 - slack && left < truth * 1.1 + slack, "run %d after %g s: %g s left, not %g", _i, now - begin, left, truth);
        ck_assert_msg(pace_rate(&pace) > 0.95 / run->step && pace_rate(&pace) < 1.05 / run->step, "rate %g", pace_rate(&pace));
        checked++;
    }
    ck_assert_uint_ge(checked, 3);
}
END_TEST

START_TEST(the_rate_is_of_the_last_minute) {
    Pace pace = {0};
    pace_begin(&pace, 0);
    double now = 0;
    uint32_t steps = 0;
    ck_assert(pace_rate(&pace) == 0 && pace_left(&pace, 10) < 0);
    pace_step(&pace, ++steps, now += 300); // says nothing of those that follow
    ck_assert(pace_rate(&pace) == 0 && pace_left(&pace, 10) < 0);
    for (; steps < 1000;)
        pace_step(&pace, ++steps, now += 0.1);
    ck_assert_double_eq_tol(pace_rate(&pace), 10, 0.01);
    for (uint32_t i = 0; i < 31; i++) // half a minute of slower ones
        pace_step(&pace, ++steps, now += 1);
    ck_assert(pace_rate(&pace) > 3 && pace_rate(&pace) < 7);
    for (uint32_t i = 0; i < 61; i++) // and the minute is over
        pace_step(&pace, ++steps, now += 1);
    ck_assert_double_eq_tol(pace_rate(&pace), 1, 0.05);
    pace_begin(&pace, steps); // after a lost device
    ck_assert(pace_rate(&pace) == 0);
}
END_TEST

// ---- who speaks

static void wait_for(double seconds) { nanosleep(&(struct timespec){(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)}, NULL); }

START_TEST(silent_work_is_spoken_for) {
    Arena *arena = arena_create();
    FILE *log = tmpfile();
    char text[2048] = "";
    Activity *activity = activity_create(arena, log, 0.2);
    ck_assert(!activity_is_terminal(activity));
    activity_begin(activity, "loading %s", "the data");
    wait_for(1);
    activity_count(activity, "compiling shaders", 12, 246);
    wait_for(0.5);
    activity_count(activity, "compiling shaders", 0, 9); // another lot: nobody knows how long it takes
    wait_for(0.5);
    activity_end(activity);
    activity_say(activity, "begun");
    activity_show(activity, "step 1");
    wait_for(0.5); // nothing goes on
    activity_destroy(&activity);
    ck_assert_ptr_null(activity);
    rewind(log);
    text[fread(text, 1, sizeof text - 1, log)] = 0;
    fclose(log);
    ck_assert_msg(strncmp(text, "loading the data, ", 18) == 0, "%s", text);
    ck_assert_msg(strstr(text, "compiling shaders 12/246, ") != NULL, "%s", text);
    const char *counted = strstr(text, "compiling shaders 12/246, "), *other = strstr(text, "compiling shaders 0/9, ");
    ck_assert_msg(counted && other && strstr(counted, " s left\n") && strstr(counted, " s left\n") < other && !strstr(other, " left"), "%s", text);
    const char *end = strstr(text, "begun\nstep 1\n");
    ck_assert_msg(end && end[13] == 0, "%s", text);
    arena_destroy(&arena);
}
END_TEST

// On a terminal the line stays one, and what takes long stands beside what was shown.
START_TEST(a_terminal_has_one_line) {
    Arena *arena = arena_create();
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    FILE *log = master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0 ? fopen(ptsname(master), "w") : NULL;
    if (!log) { // a bare system in a folder has none
        printf("a_terminal_has_one_line is left out: no pseudo-terminal can be opened (is /dev/pts mounted?)\n");
        close(master);
        arena_destroy(&arena);
        return;
    }
    Activity *activity = activity_create(arena, log, 0.2);
    ck_assert(activity_is_terminal(activity));
    activity_show(activity, "step 1/9  loss 1");
    activity_begin(activity, "step 2/9");
    wait_for(0.6);
    activity_say(activity, "done");
    activity_destroy(&activity);
    char text[4096] = "";
    fcntl(master, F_SETFL, O_NONBLOCK);
    for (ssize_t size = 0, got; (got = read(master, text + size, sizeof text - 1 - (size_t)size)) > 0; size += got)
        ;
    fclose(log);
    close(master);
    ck_assert_msg(strstr(text, "\r\033[K\033[?7lstep 1/9  loss 1\033[?7h\r\033[K\033[?7lstep 1/9  loss 1  step 2/9, ") != NULL, "%s", text);
    ck_assert_msg(strstr(text, "\n\r\033[Kdone\r\n") != NULL, "%s", text);
    arena_destroy(&arena);
}
END_TEST

// Nothing is said where nobody asked.
START_TEST(no_log_is_silent) {
    Arena *arena = arena_create();
    Activity *activity = activity_create(arena, NULL, 0.01);
    activity_begin(activity, "working");
    activity_show(activity, "a line");
    activity_say(activity, "another");
    activity_end(activity);
    activity_destroy(&activity);
    activity_begin(NULL, "working"); // a command's own helpers may have none
    activity_end(NULL);
    arena_destroy(&arena);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("pace");
    TCase *tests = tcase_create("pace");
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, time_left_is_right_within_a_tenth, 0, sizeof runs / sizeof *runs);
    tcase_add_test(tests, the_rate_is_of_the_last_minute);
    tcase_add_test(tests, silent_work_is_spoken_for);
    tcase_add_test(tests, a_terminal_has_one_line);
    tcase_add_test(tests, no_log_is_silent);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
