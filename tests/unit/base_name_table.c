// Name tables: many names, each found again, none that is not there.
#include "runtime/base/name_table.h"
#include <check.h>
#include <stdlib.h>

START_TEST(names_are_found_again) {
    enum { COUNT = 5000 };
    Arena *arena = arena_create();
    NameTable *table = name_table_create(arena);
    ck_assert_uint_eq(name_table_find(table, ""), UINT32_MAX);
    for (uint32_t i = 0; i < COUNT; i++)
        ck_assert(name_table_add(table, arena_format(arena, "name.%u", i), 3 * i));
    for (uint32_t i = 0; i < COUNT; i++) {
        ck_assert_uint_eq(name_table_find(table, arena_format(arena, "name.%u", i)), 3 * i);
        ck_assert_uint_eq(name_table_find(table, arena_format(arena, "name.%u.", i)), UINT32_MAX);
    }
    arena_destroy(&arena);
}
END_TEST

START_TEST(the_first_of_equal_names_stays) {
    Arena *arena = arena_create();
    NameTable *table = name_table_create(arena);
    ck_assert(name_table_add(table, "", 1));
    ck_assert(!name_table_add(table, arena_copy_text(arena, ""), 2));
    ck_assert_uint_eq(name_table_find(table, ""), 1);
    arena_destroy(&arena);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("base_name_table");
    TCase *tests = tcase_create("name_table");
    tcase_add_test(tests, names_are_found_again);
    tcase_add_test(tests, the_first_of_equal_names_stays);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
