// Names: what may become the name of a file.
#include "runtime/base/name.h"
#include "runtime/base/arena.h"
#include <check.h>
#include <stdlib.h>

static const struct {
    const char *name, *mistake; // NULL: none
} names[] = {
    {"samples", NULL},
    {"s1.G", NULL},
    {"opt.ema.unet.conv2d_1.weight", NULL},
    {"a name with blanks", NULL},
    {"größe", NULL},
    {"画像", NULL},
    {"x[0]", NULL},
    {"%2F", NULL},
    {"end.", NULL},
    {"", "empty"},
    {".", "begin with a dot"},
    {"..", "begin with a dot"},
    {".hidden", "begin with a dot"},
    {"../../evil", "begin with a dot"},
    {"a/../b", "two dots"},
    {"a..b", "two dots"},
    {"a/b", "hold '/'"},
    {"/etc/passwd", "hold '/'"},
    {"a\\b", "hold '\\'"},
    {"a\nb", "control"},
    {"a\x7f", "control"},
    {"a\xc2\x85", "control"},
    {"a\xff", "UTF-8"},
    {"a\xc0\xaf", "UTF-8"}, // '/' in a form that is too long
};

START_TEST(names_stay_in_their_folder) {
    const char *mistake = name_mistake(names[_i].name);
    ck_assert_msg((mistake == NULL) == (names[_i].mistake == NULL), "\"%s\": %s", names[_i].name, mistake ? mistake : "accepted");
    ck_assert_msg(!mistake || strstr(mistake, names[_i].mistake), "\"%s\": %s", names[_i].name, mistake);
}
END_TEST

START_TEST(names_have_a_length) {
    char name[NAME_LENGTH_MAX + 2];
    memset(name, 'x', sizeof name);
    name[NAME_LENGTH_MAX] = 0;
    ck_assert_ptr_null(name_mistake(name));
    name[NAME_LENGTH_MAX] = 'x';
    name[NAME_LENGTH_MAX + 1] = 0;
    ck_assert_ptr_nonnull(name_mistake(name));
}
END_TEST

int main(void) {
    Suite *suite = suite_create("name");
    TCase *tests = tcase_create("name");
    tcase_add_loop_test(tests, names_stay_in_their_folder, 0, sizeof names / sizeof *names);
    tcase_add_test(tests, names_have_a_length);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
