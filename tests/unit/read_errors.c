// Mistakes: each tests/golden/mistake_*.json is read at preset `check`; what is said must be its .err. GG_UPDATE_GOLDEN=1 rewrites them.
#include "compiler/read/read.h"
#include "runtime/base/file.h"
#include "tests/support/inputs.h"
#include <check.h>
#include <stdlib.h>

START_TEST(every_mistake_is_told) {
    Arena *arena = arena_create();
    Diag *files = diag_create(arena);
    const char *folder = "tests/golden";
    uint32_t count, mistakes = 0, wrong = 0;
    const char **names = file_list(arena, folder, &count, files);
    ck_assert_ptr_nonnull(names);
    for (uint32_t i = 0; i < count; i++) {
        if (!text_starts_with(names[i], "mistake_") || !text_ends_with(names[i], ".json"))
            continue;
        const char *path = file_join(arena, folder, names[i]);
        const char *golden = arena_format(arena, "%.*s.err", (int)strlen(path) - 5, path);
        Diag *diag = diag_create(arena);
        ReadOptions options = {.path = path, .preset = "check"};
        const Module *module = read_document(arena, &options, diag);
        const char *text = diag_text(diag, arena), *wanted = file_exists(golden) ? file_read(arena, golden, &(size_t){0}, files) : "";
        mistakes++;
        ck_assert_msg((module == NULL) == (diag_error_count(diag) > 0), "%s", names[i]);
        if (getenv("GG_UPDATE_GOLDEN"))
            ck_assert(file_write(golden, text, strlen(text), files));
        else if (module || strcmp(text, wanted)) {
            fprintf(stderr, "%s says:\n%sexpected:\n%s", names[i], text, wanted);
            wrong++;
        }
    }
    ck_assert_uint_ge(mistakes, 40);
    ck_assert_uint_eq(wrong, 0);
    arena_destroy(&arena);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("read_errors");
    TCase *all = tcase_create("mistakes");
    tcase_set_timeout(all, 120);
    tcase_add_test(all, every_mistake_is_told);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
