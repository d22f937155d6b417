// Diag: form, limit, merging.
#include "runtime/base/diag.h"
#include <check.h>
#include <stdlib.h>

static Arena *arena;
static Diag *diag;

static void set_up(void) {
    arena = arena_create();
    diag = diag_create(arena);
}

static void tear_down(void) { arena_destroy(&arena); }

START_TEST(forms) {
    diag_error(diag, &(Place){"graphs/unet.json", 41, 18, "/networks/unet"}, "no %s", "x");
    diag_error(diag, &(Place){.file = "a.npy"}, "short");
    diag_error(diag, &(Place){.pointer = "/a"}, "pointer only");
    diag_error(diag, &(Place){.file = "a\nb.png"}, "a name of two lines");
    diag_error(diag, &(Place){.file = "a", .line = 3}, "line only");
    diag_error(diag, &(Place){.line = 3, .column = 4}, "no file");
    diag_warning(diag, NULL, "alone");
    ck_assert_str_eq(diag_text(diag, arena), "error: graphs/unet.json:41:18: /networks/unet: no x\n"
                                             "error: a.npy: short\n"
                                             "error: /a: pointer only\n"
                                             "error: a\\x0ab.png: a name of two lines\n"
                                             "error: a:3: line only\n"
                                             "error: line 3:4: no file\n"
                                             "warning: alone\n");
    ck_assert_uint_eq(diag_error_count(diag), 6);
    ck_assert(!diag_is_full(diag));
}
END_TEST

START_TEST(limit) {
    for (int i = 0; i < DIAG_ERRORS_SHOWN; i++)
        diag_error(diag, NULL, "number %d", i);
    ck_assert(diag_is_full(diag));
    diag_error(diag, NULL, "dropped");
    ck_assert_uint_eq(diag_error_count(diag), 21);
    const char *text = diag_text(diag, arena);
    ck_assert_ptr_nonnull(strstr(text, "number 19\n… and 1 more error\n"));
    ck_assert_ptr_null(strstr(text, "dropped"));
}
END_TEST

START_TEST(merges) {
    Arena *other_arena = arena_create();
    Diag *other = diag_create(other_arena);
    for (int i = 0; i < 25; i++)
        diag_error(other, &(Place){.file = "f"}, "from worker %d", i);
    diag_warning(other, NULL, "careful");
    diag_error(diag, NULL, "own");
    diag_merge(diag, other);
    arena_destroy(&other_arena);
    ck_assert_uint_eq(diag_error_count(diag), 26);
    const char *text = diag_text(diag, arena);
    ck_assert_ptr_nonnull(strstr(text, "error: own\nerror: f: from worker 0\n"));
    ck_assert_ptr_nonnull(strstr(text, "warning: careful\n"));
    ck_assert_ptr_nonnull(strstr(text, "… and 6 more errors\n"));
}
END_TEST

START_TEST(prints) {
    char buffer[100] = {0};
    FILE *stream = fmemopen(buffer, sizeof buffer, "w");
    diag_error(diag, NULL, "100%%");
    diag_print(diag, stream);
    fclose(stream);
    ck_assert_str_eq(buffer, "error: 100%\n");
}
END_TEST

int main(void) {
    Suite *suite = suite_create("diag");
    TCase *cases = tcase_create("diag");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, forms);
    tcase_add_test(cases, limit);
    tcase_add_test(cases, merges);
    tcase_add_test(cases, prints);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
