// Winners: as text, what is written is read, a line that is none is told with its number, later ones take the place of earlier ones; and which
// kernels are works.
#include "compiler/compile.h"
#include "compiler/kernel/winners.h"
#include "compiler/read/read.h"
#include "tests/support/folder.h"
#include <string.h>

static const char *const FIRST = "0123456789abcdef0123456789abcdef", *const SECOND = "fedcba9876543210fedcba9876543210";

START_TEST(what_is_written_is_read) {
    Winners winners = {0}, read = {0};
    winners_set(arena, &winners, FIRST, "rows:lanes=8,texel=1");
    winners_set(arena, &winners, SECOND, "fold:lanes=8");
    winners_set(arena, &winners, FIRST, "strip:lanes=8");
    const char *text = arena_format(arena, "# for people\n\n%s", winners_text(arena, &winners));
    ck_assert_msg(winners_parse(arena, "f", text, &read, diag), "%s", diag_text(diag, arena));
    ck_assert_uint_eq(read.count, 2);
    ck_assert_str_eq(winners_find(&read, FIRST), "strip:lanes=8");
    ck_assert_str_eq(winners_find(&read, SECOND), "fold:lanes=8");
    ck_assert_ptr_null(winners_find(&read, "0"));
}
END_TEST

START_TEST(other_lines_are_told) {
    static const char *const lines[] = {"rows", "0123 rows", "0123456789abcdef0123456789abcdef", "0123456789abcdef0123456789abcdef ", "0123456789abcdef0123456789abcdef0 rows"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        Winners read = {0};
        Diag *trial = diag_create(arena);
        ck_assert(!winners_parse(arena, "f", arena_format(arena, "# one\n%s\n", lines[i]), &read, trial));
        ck_assert_ptr_nonnull(strstr(diag_text(trial, arena), "f:2: is no winner: DIGEST FAMILY:PARAM=VALUE,..."));
    }
}
END_TEST

// What a kernel is tuned as is what it does by itself: those that do several things in one dispatch are tuned as none of them.
START_TEST(joined_kernels_are_no_work) {
    static const char *const documents[] = {"/tests/golden/small_reductions.json", "/tests/golden/state_swap.json", "/graphs/ring_gan.json"};
    uint32_t joined = 0, chained = 0, alone = 0;
    Winners none = {0};
    for (size_t d = 0; d < sizeof documents / sizeof *documents; d++) {
        Module *module = read_document(arena, &(ReadOptions){.path = file_join(arena, GG_SOURCE_DIR, documents[d] + 1)}, diag);
        ck_assert_msg(module != NULL, "%s", diag_text(diag, arena));
        Compiled *compiled = compile_module(arena, module, &(CompileOptions){.target = target_default(TARGET_CPU), .winners = &none, .no_spirv = true}, NULL, diag);
        ck_assert_msg(compiled != NULL, "%s", diag_text(diag, arena));
        const KernelList *list = compiled->phases[0][0].kernels;
        for (uint32_t k = 0; k < list->kernels.count; k++) {
            const Kernel *kernel = &list->kernels.items[k];
            bool is_several = kernel->parts.count > 0 || kernel->links.count > 0;
            ck_assert(!is_several || kernel->work == NULL);
            joined += kernel->parts.count > 0, chained += kernel->links.count > 0, alone += kernel->work != NULL;
        }
    }
    ck_assert_uint_gt(joined, 0);
    ck_assert_uint_gt(chained, 0);
    ck_assert_uint_gt(alone, 0);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("winners");
    TCase *test_case = tcase_create("winners");
    tcase_add_checked_fixture(test_case, folder_set_up, folder_tear_down);
    tcase_add_test(test_case, what_is_written_is_read);
    tcase_add_test(test_case, other_lines_are_told);
    tcase_add_test(test_case, joined_kernels_are_no_work);
    suite_add_tcase(suite, test_case);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
