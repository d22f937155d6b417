// Chains: which kernels become links of one, and what that costs.
#include "compiler/compile.h"
#include "compiler/read/read.h"
#include "runtime/base/file.h"
#include "tests/support/folder.h"
#include <check.h>

static const Compiled *compile(const Module *module, TargetClass target, bool no_chain) {
    ck_assert_msg(module != NULL, "%s", diag_text(diag, arena));
    CompileOptions options = {.target = target_default(target), .no_chain = no_chain, .no_spirv = true};
    const Compiled *compiled = compile_module(arena, module, &options, NULL, diag);
    ck_assert_msg(compiled != NULL, "%s", diag_text(diag, arena));
    return compiled;
}

// What becomes of x.
static const struct {
    const char *name, *shape, *nodes;
    uint32_t kernels, links;
    uint64_t slices; // of the one chain; links 0: there is none
} cases[] = {
    {"a softmax", "[64, 8, 16]", "{\"expr\": \"softmax(x, 2)\"}, {\"emit\": \"y\", \"value\": \"$\", \"format\": \"tensor\"}", 1, 3, 64},
    {"a norm of planes", "[16, 8, 32, 32]", "{\"expr\": \"(x - reshape(mean(x, [2, 3]), [16, 8, 1, 1])) * 3\"}, {\"emit\": \"y\", \"value\": \"$\", \"format\": \"tensor\"}", 1, 2, 16},
    {"a norm of all images", "[64, 128, 128]", "{\"expr\": \"(x - mean(x, [0, 1])) * 3\"}, {\"emit\": \"y\", \"value\": \"$\", \"format\": \"tensor\"}", 0, 0, 0},
    {"what belongs to another slice, which is copied", "[64, 32, 64]",
     "{\"expr\": \"reshape(sum(x, 2), [64, 32, 1])\", \"as\": \"s\"}, {\"expr\": \"x * flip(s, 0)\"}, {\"emit\": \"y\", \"value\": \"$\", \"format\": \"tensor\"}", 2, 2, 64},
    {"what belongs to another slice", "[64, 128, 128]",
     "{\"expr\": \"exp(x)\", \"as\": \"z\"}, {\"expr\": \"z + flip(z, 0)\"}, {\"emit\": \"y\", \"value\": \"$\", \"format\": \"tensor\"}, {\"emit\": \"z\", \"value\": \"z\", \"format\": \"tensor\"}", 2, 0, 0},
    {"the same of few numbers", "[6, 5, 8]", "{\"expr\": \"reshape(sum(x, 2), [6, 5, 1])\", \"as\": \"s\"}, {\"expr\": \"x * flip(s, 0)\"}, {\"emit\": \"y\", \"value\": \"$\", \"format\": \"tensor\"}",
     1, 3, 1},
};

static const Compiled *compile_case(int number) {
    const char *path = file_join(arena, folder, "chain.json"),
               *text = arena_format(arena, "{\"gcc-graph\": 1, \"name\": \"chain\", \"programs\": {\"p\": {\"inputs\": {\"x\": %s}, \"phases\": [{\"name\": \"q\", \"nodes\": [%s]}]}}}",
                                    cases[number].shape, cases[number].nodes);
    ck_assert(file_write(path, text, strlen(text), diag));
    return compile(read_document(arena, &(ReadOptions){.path = path}, diag), TARGET_CPU, false);
}

START_TEST(links_need_their_own_slice_alone) {
    const KernelList *list = compile_case(_i)->phases[0][0].kernels;
    uint32_t links = 0;
    uint64_t slices = 0;
    for (uint32_t k = 0; k < list->kernels.count; k++)
        if (list->kernels.items[k].links.count)
            links += list->kernels.items[k].links.count, slices = list->kernels.items[k].slices;
    ck_assert_msg(!cases[_i].kernels || list->kernels.count == cases[_i].kernels, "%s: %u kernels", cases[_i].name, list->kernels.count);
    ck_assert_msg(links == cases[_i].links && slices == cases[_i].slices, "%s: %u links on %llu slices", cases[_i].name, links, (unsigned long long)slices);
}
END_TEST

static const struct {
    const char *path, *preset;
} graphs[] = {{"graphs/features.json", NULL}, {"graphs/ring_flow.json", NULL}, {"graphs/ddpm_mnist.json", NULL}, {"graphs/latent_diffusion.json", "check"}, {"graphs/stackgan_stage2.json", "check"}};

enum { GRAPH_COUNT = sizeof graphs / sizeof *graphs };

// Of every phase: fewer steps, and no more memory, but for what alignment, and waiting of givers (plan.c), which comes after it, make of it.
START_TEST(chains_take_steps_away_and_no_memory) {
    const char *path = file_join(arena, GG_SOURCE_DIR, graphs[_i / 3].path);
    TargetClass target = (TargetClass)(_i % 3);
    Module *module = read_document(arena, &(ReadOptions){.path = path, .preset = graphs[_i / 3].preset}, diag);
    const Program *chained = compile(module, target, false)->program, *plain = compile(module, target, true)->program;
    uint32_t steps[2] = {0}, chains = 0;
    for (uint32_t e = 0; e < plain->entries.count; e++)
        for (uint32_t p = 0; p < plain->entries.items[e].phases.count; p++) {
            const ProgramPhase *a = &chained->entries.items[e].phases.items[p], *b = &plain->entries.items[e].phases.items[p];
            steps[0] += a->steps.count, steps[1] += b->steps.count;
            ck_assert_msg((double)a->scratch_lower_bound <= 1.02 * (double)b->scratch_lower_bound, "%s: phase %s: %llu bytes of scratch, %llu without chains", path, a->name,
                          (unsigned long long)a->scratch_lower_bound, (unsigned long long)b->scratch_lower_bound);
        }
    for (uint32_t k = 0; k < chained->kernels.count; k++)
        chains += chained->kernels.items[k].kernel_class == KERNEL_CHAIN;
    for (uint32_t k = 0; k < plain->kernels.count; k++)
        ck_assert_int_ne(plain->kernels.items[k].kernel_class, KERNEL_CHAIN);
    ck_assert(chains > 0 || target != TARGET_CPU);
    ck_assert_msg(steps[0] + (chains > 0) <= steps[1], "%s: %u steps, %u without chains", path, steps[0], steps[1]);
}
END_TEST

static ElementType half(void *context, const Graph *graph, Value value) {
    (void)context, (void)graph, (void)value;
    return ELEMENT_F16;
}

// What a link reads of another is what was computed, not what was rounded to be stored.
START_TEST(links_hand_over_what_they_compute) {
    const char *path = file_join(arena, GG_SOURCE_DIR, "graphs/ddpm_mnist.json");
    Module *module = read_document(arena, &(ReadOptions){.path = path}, diag);
    CompileOptions options = {.target = target_default(TARGET_CPU), .stored_as = half, .no_spirv = true};
    const Compiled *compiled = compile_module(arena, module, &options, NULL, diag);
    ck_assert_msg(compiled != NULL, "%s", diag_text(diag, arena));
    const KernelList *list = compiled->phases[0][0].kernels;
    uint32_t handed = 0, halves = 0;
    for (uint32_t id = 1; id < list->graph->nodes.count; id++)
        halves += list->buffers[id].kind == BUFFER_SCRATCH && list->buffers[id].element == ELEMENT_F16;
    for (uint32_t k = 0; k < list->kernels.count; k++)
        for (uint32_t l = 0; l < list->kernels.items[k].links.count; l++) {
            const Kernel *chain = &list->kernels.items[k], *link = &chain->links.items[l];
            for (uint32_t i = 0; i < link->loads.count; i++) {
                Value value = buffer_root(list, link->loads.items[i]);
                if (!kernel_stores(chain, value))
                    continue;
                ck_assert_int_eq(list->buffers[value.id].element, dtype_element(graph_type(list->graph, value).dtype));
                handed++;
            }
        }
    ck_assert_uint_gt(handed, 10);
    ck_assert_uint_gt(halves, 10);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("kernel_chain");
    TCase *tests = tcase_create("chain");
    tcase_add_checked_fixture(tests, folder_set_up, folder_tear_down);
    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, links_need_their_own_slice_alone, 0, sizeof cases / sizeof *cases);
    tcase_add_loop_test(tests, chains_take_steps_away_and_no_memory, 0, 3 * GRAPH_COUNT);
    tcase_add_test(tests, links_hand_over_what_they_compute);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
