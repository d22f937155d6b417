// Bugs: the message, and that the program ends, in a build in which assertions are absent.
#ifndef NDEBUG
#define NDEBUG
#endif
#include "runtime/base/bug.h"
#include "runtime/base/text.h"
#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void announce(void) { bug("%d of %s", 7, "nine"); }

static void check(void) { CHECK(1 + 1 == 3); }

// What a child that meets the bug prints before it ends by SIGABRT.
static void expect_abort(void (*meet)(void), const char *words) {
    int ends[2], status = 0;
    char text[400] = "";
    ck_assert_int_eq(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        meet();
        _exit(0);
    }
    close(ends[1]);
    ssize_t size, length = 0;
    while ((size = read(ends[0], text + length, sizeof text - 1 - (size_t)length)) > 0)
        length += size;
    close(ends[0]);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT, "it went on, or ended otherwise: status %d", status);
    ck_assert_msg(text_starts_with(text, "gcc-graph: bug: tests/unit/base_bug.c:"), "%s", text);
    ck_assert_msg(text_ends_with(text, words), "%s", text);
}

START_TEST(a_bug_prints_and_aborts) { expect_abort(announce, ": 7 of nine\n"); }
END_TEST

START_TEST(a_check_that_fails_says_which) { expect_abort(check, ": it does not hold that 1 + 1 == 3\n"); }
END_TEST

START_TEST(a_check_that_holds_is_evaluated_once) {
    int times = 0;
    CHECK(++times == 1);
    ck_assert_int_eq(times, 1);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("bug");
    TCase *tests = tcase_create("bug");
    tcase_add_test(tests, a_bug_prints_and_aborts);
    tcase_add_test(tests, a_check_that_fails_says_which);
    tcase_add_test(tests, a_check_that_holds_is_evaluated_once);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
