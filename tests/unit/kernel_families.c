// Families: schedules as text.
#include "compiler/schedules/families.h"
#include "tests/support/folder.h"
#include <check.h>

static Schedule parsed(const char *text) {
    const char *why = NULL;
    const Family *family = families_parse(arena, text, KERNEL_CONTRACT, &why);
    ck_assert_msg(family != NULL, "%s", why);
    Schedule schedule = {.family = family};
    for (uint32_t i = 0; i < family->param_count; i++)
        schedule.values[i] = family->params[i].values[family->params[i].count - 1];
    ck_assert_msg(families_parse_params(arena, text, &schedule, &why), "%s", why);
    return schedule;
}

// Bundles and winners that are older than a parameter mean what was computed then.
START_TEST(what_is_older_than_a_parameter_means_what_it_did) {
    Schedule old = parsed("tiled:lanes=64,texel=0,rows=4,across=8,depth=16");
    ck_assert_str_eq(schedule_text(arena, &old), "tiled:lanes=64,texel=0,rows=4,across=8,depth=16,columns=1");
}
END_TEST

START_TEST(what_gives_some_leaves_the_rest) {
    Schedule some = parsed("tiled:rows=4"), none = parsed("tiled");
    ck_assert_str_eq(schedule_text(arena, &some), "tiled:lanes=1024,texel=1,rows=4,across=32,depth=32,columns=4");
    ck_assert_str_eq(schedule_text(arena, &none), "tiled:lanes=1024,texel=1,rows=8,across=32,depth=32,columns=4");
}
END_TEST

int main(void) {
    Suite *suite = suite_create("kernel_families");
    TCase *tests = tcase_create("families");
    tcase_add_checked_fixture(tests, folder_set_up, folder_tear_down);
    tcase_add_test(tests, what_is_older_than_a_parameter_means_what_it_did);
    tcase_add_test(tests, what_gives_some_leaves_the_rest);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
