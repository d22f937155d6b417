// Plan: in which waves kernels run.
#include "compiler/compile.h"
#include "compiler/read/read.h"
#include "tests/support/folder.h"
#include <check.h>

static const KernelList *compile(const char *path, const char *preset, WinogradChoice winograd) {
    Module *module = read_document(arena, &(ReadOptions){.path = file_join(arena, GG_SOURCE_DIR, path), .preset = preset}, diag);
    ck_assert_msg(module != NULL, "%s", diag_text(diag, arena));
    CompileOptions options = {.target = target_default(TARGET_CPU), .winograd = winograd, .no_spirv = true};
    const Compiled *compiled = compile_module(arena, module, &options, NULL, diag);
    ck_assert_msg(compiled != NULL, "%s", diag_text(diag, arena));
    return compiled->phases[0][0].kernels;
}

static bool is_scratch(const KernelList *list, Value value) { return list->buffers[buffer_root(list, value).id].kind == BUFFER_SCRATCH; }

static bool loads_scratch(const KernelList *list, const Kernel *kernel) {
    for (uint32_t i = 0; i < kernel->loads.count; i++)
        if (is_scratch(list, kernel->loads.items[i]))
            return true;
    return false;
}

static uint32_t first_reader(const KernelList *list, Value value) {
    uint32_t wave = UINT32_MAX;
    for (uint32_t k = 0; k < list->kernels.count; k++)
        for (uint32_t i = 0; i < list->kernels.items[k].loads.count; i++)
            if (buffer_root(list, list->kernels.items[k].loads.items[i]).id == buffer_root(list, value).id && list->kernels.items[k].wave < wave)
                wave = list->kernels.items[k].wave;
    return wave;
}

// Weights transformed could all be made in the first wave: then they were all in memory at once.
START_TEST(what_gives_more_than_it_takes_runs_late) {
    const KernelList *list = compile("graphs/ddpm_images.json", NULL, WINOGRAD_TILE_4);
    uint32_t count = 0;
    for (uint32_t k = 0; k < list->kernels.count; k++) {
        const Kernel *kernel = &list->kernels.items[k];
        if (graph_node(list->graph, kernel->root)->op != OP_winograd_weight || loads_scratch(list, kernel))
            continue;
        uint32_t reader = first_reader(list, kernel->root);
        ck_assert_msg(kernel->wave + 1 == reader, "%%%u is made in wave %u and read in wave %u", kernel->root.id, kernel->wave, reader);
        count++;
    }
    ck_assert_uint_gt(count, 20);
}
END_TEST

// A wave's kernels neither read nor write what others of it write.
START_TEST(kernels_of_a_wave_are_apart) {
    const KernelList *list = compile(_i ? "graphs/latent_diffusion.json" : "graphs/ddpm_mnist.json", NULL, WINOGRAD_AUTO);
    uint32_t *wave = ARENA_NEW(arena, uint32_t, list->graph->nodes.count);
    for (uint32_t k = 0; k < list->kernels.count; k++)
        for (uint32_t i = 0; i < list->kernels.items[k].stores.count; i++)
            wave[list->kernels.items[k].stores.items[i].id] = list->kernels.items[k].wave + 1;
    for (uint32_t k = 0; k < list->kernels.count; k++)
        for (uint32_t i = 0; i < list->kernels.items[k].loads.count; i++) {
            Value load = list->kernels.items[k].loads.items[i];
            bool is_own = false; // a chain's links read what it stores
            for (uint32_t j = 0; j < list->kernels.items[k].stores.count; j++)
                is_own |= list->kernels.items[k].stores.items[j].id == load.id;
            ck_assert_msg(is_own || wave[load.id] <= list->kernels.items[k].wave, "%%%u is read before it is there", load.id);
        }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("kernel_plan");
    TCase *tests = tcase_create("plan");
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, folder_set_up, folder_tear_down);
    tcase_add_test(tests, what_gives_more_than_it_takes_runs_late);
    tcase_add_loop_test(tests, kernels_of_a_wave_are_apart, 0, 2);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
