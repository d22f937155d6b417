// Pool: every item once, whatever the number of threads; what is reported, and in which order; progress; one thread in the background.
#include "runtime/base/clock.h"
#include "runtime/base/pool.h"
#include <check.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { ITEMS = 500, FAILING = 120, LATER = 121, HELPERS_MAX = 9 };

static Arena *arena;
static Diag *diag;

static void set_up(void) {
    arena = arena_create();
    diag = diag_create(arena);
}

static void tear_down(void) { arena_destroy(&arena); }

typedef struct {
    _Atomic uint32_t done[ITEMS];
    bool fails, warns;
    uint32_t told, calls;
    pthread_t caller;
} Count;

static bool count_item(void *context, uint32_t item, Arena *scratch, Diag *to) {
    Count *count = context;
    atomic_fetch_add(&count->done[item], 1);
    memset(arena_alloc(scratch, 100), 7, 100);
    if (count->warns && item % 100 == 0)
        diag_warning(to, NULL, "item %u", item);
    if (!count->fails || (item != FAILING && item != LATER))
        return true;
    diag_error(to, NULL, "item %u is broken", item);
    return false;
}

static void tell(void *context, uint32_t done, uint32_t total) {
    Count *count = context;
    ck_assert(pthread_equal(count->caller, pthread_self()));
    ck_assert_uint_gt(done, count->told);
    ck_assert_uint_eq(total, ITEMS);
    count->told = done;
    count->calls++;
}

START_TEST(every_item_is_done_once) {
    for (uint32_t helpers = 0; helpers <= HELPERS_MAX; helpers++) {
        Pool *pool = pool_create(arena, helpers);
        for (uint32_t round = 0; round < 20; round++) {
            Count count = {.caller = pthread_self()};
            PoolWork work = {.count = ITEMS, .work = count_item, .context = &count, .progress_context = &count};
            work.progress = round % 2 ? tell : NULL;
            ck_assert(pool_run(pool, &work, diag));
            for (uint32_t i = 0; i < ITEMS; i++)
                ck_assert_uint_eq(count.done[i], 1);
            ck_assert_uint_eq(count.told, round % 2 ? ITEMS : 0);
        }
        pool_destroy(&pool);
    }
    ck_assert_str_eq(diag_text(diag, arena), "");
    Count none = {0};
    ck_assert(pool_run_once(POOL_COMPUTES, &(PoolWork){.work = count_item, .context = &none}, diag));
}
END_TEST

START_TEST(reports_come_in_order) {
    uint32_t backwards[ITEMS];
    for (uint32_t i = 0; i < ITEMS; i++)
        backwards[i] = ITEMS - 1 - i;
    for (uint32_t round = 0; round < 40; round++) {
        Count count = {.warns = true};
        PoolWork work = {.count = ITEMS, .order = round % 2 ? backwards : NULL, .work = count_item, .context = &count};
        Diag *said = diag_create(arena);
        ck_assert(pool_run_once(POOL_WAITS, &work, said));
        ck_assert_str_eq(diag_text(said, arena),
                         round % 2 ? "warning: item 400\nwarning: item 300\nwarning: item 200\nwarning: item 100\nwarning: item 0\n"
                                   : "warning: item 0\nwarning: item 100\nwarning: item 200\nwarning: item 300\nwarning: item 400\n");
    }
}
END_TEST

// Whichever of two fails faster, the first one is reported; and what is left is not begun.
START_TEST(the_first_failure_is_reported) {
    for (uint32_t round = 0; round < 100; round++) {
        Count count = {.fails = true, .warns = true};
        Diag *said = diag_create(arena);
        ck_assert(!pool_run_once(POOL_WAITS, &(PoolWork){.count = ITEMS, .work = count_item, .context = &count}, said));
        ck_assert_str_eq(diag_text(said, arena), "error: item 120 is broken\n");
    }
    Count alone = {.fails = true};
    Pool *pool = pool_create(arena, 0);
    ck_assert(!pool_run(pool, &(PoolWork){.count = ITEMS, .work = count_item, .context = &alone}, diag));
    ck_assert(alone.done[FAILING] == 1 && alone.done[FAILING + 1] == 0);
    alone = (Count){0};
    ck_assert(pool_run(pool, &(PoolWork){.count = ITEMS, .work = count_item, .context = &alone}, diag)); // all is forgotten
    ck_assert_uint_eq(alone.done[ITEMS - 1], 1);
    pool_destroy(&pool);
}
END_TEST

static void *hold(void *context) {
    sigset_t blocked;
    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    *(bool *)context = sigismember(&blocked, SIGINT) == 1;
    return NULL;
}

START_TEST(a_thread_is_joined_and_hears_no_signal) {
    PoolThread thread = {0};
    bool is_deaf = false;
    pool_thread_join(&thread); // none runs
    ck_assert_int_eq(pool_thread_start(&thread, hold, &is_deaf), 0);
    pool_thread_join(&thread);
    ck_assert(is_deaf && !thread.is_running);
    sigset_t blocked;
    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    ck_assert(!sigismember(&blocked, SIGINT));
}
END_TEST

START_TEST(a_moment_lies_ahead) {
    double before = clock_seconds();
    struct timespec until = clock_after(2.75);
    double at = (double)until.tv_sec + 1e-9 * (double)until.tv_nsec, after = clock_seconds();
    ck_assert_double_ge(at, before + 2.75 - 1e-6);
    ck_assert_double_le(at, after + 2.75 + 1e-6);
    ck_assert(until.tv_nsec >= 0 && until.tv_nsec < 1000000000);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("pool");
    TCase *tests = tcase_create("pool");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, every_item_is_done_once);
    tcase_add_test(tests, reports_come_in_order);
    tcase_add_test(tests, the_first_failure_is_reported);
    tcase_add_test(tests, a_thread_is_joined_and_hears_no_signal);
    tcase_add_test(tests, a_moment_lies_ahead);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
