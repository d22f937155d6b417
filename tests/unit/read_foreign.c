// Foreign words: each is unknown here, and what is said of it is known.
#include "compiler/layers/layer.h"
#include "compiler/layers/spec.h"
#include "compiler/read/foreign.h"
#include "compiler/read/functions.h"
#include <check.h>
#include <stdlib.h>

static bool is_word(const char *name) { return function_find(name) || layer_find(name); }

START_TEST(words_known) {
    const char *word, *here, *written;
    for (uint32_t i = 0; foreign_row(i, &word, &here, &written); i++) {
        ck_assert_msg(strcmp(word, here) != 0, "%s is %s", word, here);
        if (is_word(here))
            ck_assert_msg(!is_word(word), "\"%s\" is a word of the language", word);
        for (const char *at = written ? written : ""; (at = strchr(at, '(')); at++) {
            const char *begin = at;
            while (begin > written && (begin[-1] == '_' || (begin[-1] >= '0' && begin[-1] <= '9') || (begin[-1] >= 'a' && begin[-1] <= 'z')))
                begin--;
            char name[64];
            snprintf(name, sizeof name, "%.*s", (int)(at - begin), begin);
            ck_assert_msg(begin == at || is_word(name), "\"%s\" of \"%s\" is no word of the language", name, written);
        }
    }
}
END_TEST

// A word is looked up where the list holds what it is called here, and before one that is spelt alike.
START_TEST(word_of_list) {
    Arena *arena = arena_create();
    const char *functions[] = {"pop", "clip", "exp"}, *keys[] = {"pad", "kernel"}, *other[] = {"pads", "mode"};
    ck_assert_str_eq(foreign_suggestion(arena, "clamp", functions, 3), "; did you mean \"clip\"?");
    ck_assert_str_eq(foreign_suggestion(arena, "pow", functions, 3), "; here that is a^b");
    ck_assert_str_eq(foreign_suggestion(arena, "padding", keys, 2), "; did you mean \"pad\"?");
    ck_assert_str_eq(foreign_suggestion(arena, "padding", other, 2), "; did you mean \"pads\"?");
    ck_assert_ptr_null(foreign_suggestion(arena, "clamp", keys, 2));
    ck_assert_ptr_null(foreign_suggestion(arena, "clip", functions, 3));
    ck_assert_ptr_null(foreign_suggestion(arena, "clamp", functions, 0));
    arena_destroy(&arena);
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("words");
    tcase_add_test(tests, words_known);
    tcase_add_test(tests, word_of_list);
    Suite *suite = suite_create("read_foreign");
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
