// Layout: what is copied so that contractions can be computed by tiles.
#include "compiler/compile.h"
#include "compiler/read/read.h"
#include "compiler/schedules/families.h"
#include "tests/support/folder.h"
#include <check.h>

static const TargetClass classes[] = {TARGET_CPU, TARGET_GPU, TARGET_ANY};

static const Compiled *compile(const char *path, const char *preset, TargetClass target_class) {
    Module *module = read_document(arena, &(ReadOptions){.path = file_join(arena, GG_SOURCE_DIR, path), .preset = preset}, diag);
    ck_assert_msg(module != NULL, "%s", diag_text(diag, arena));
    CompileOptions options = {.target = target_default(target_class), .no_spirv = true};
    const Compiled *compiled = compile_module(arena, module, &options, NULL, diag);
    ck_assert_msg(compiled != NULL, "%s", diag_text(diag, arena));
    return compiled;
}

// The heads of an attention are an axis of the batch that lies within the rows: no tile could read them there, and the reference takes ten times as long.
START_TEST(matrices_of_heads_are_computed_by_tiles) {
    for (int size = 0; size < 2; size++) {
        const Compiled *compiled = compile("tests/bench/transformer.json", size ? NULL : "check", classes[_i]);
        const KernelList *list = compiled->phases[0][0].kernels;
        uint32_t products = 0;
        for (uint32_t k = 0; k < list->kernels.count; k++) {
            const Kernel *kernel = &list->kernels.items[k];
            products += kernel->kernel_class == KERNEL_CONTRACT && graph_type(list->graph, kernel->root).rank == 4;
            ck_assert_msg(kernel->kernel_class != KERNEL_CONTRACT || strcmp(kernel->schedule.family->name, "reference") != 0, "%%%u is computed by the reference", kernel->root.id);
        }
        ck_assert_uint_ge(products, size ? 12 : 6); // two forward, four backward in each layer, of which some are one kernel
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("kernel_layout");
    TCase *tests = tcase_create("layout");
    tcase_add_checked_fixture(tests, folder_set_up, folder_tear_down);
    tcase_add_loop_test(tests, matrices_of_heads_are_computed_by_tiles, 0, sizeof classes / sizeof *classes);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
