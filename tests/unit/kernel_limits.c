// Devices and bundles may state limits beyond what the runtime can take: no kernel of a shipped graph relies on them.
#include "compiler/compile.h"
#include "compiler/read/read.h"
#include "runtime/base/file.h"
#include <check.h>
#include <stdlib.h>

static const char **find_graphs(Arena *arena, uint32_t *count) {
    uint32_t all;
    const char **names = file_list(arena, GG_SOURCE_DIR "/graphs", &all, diag_create(arena));
    *count = 0;
    for (uint32_t i = 0; names && i < all; i++)
        if (text_ends_with(names[i], ".json") && strcmp(names[i], "schema.json") != 0)
            names[(*count)++] = names[i];
    return names;
}

// As a device that knows no bounds would be: some drivers state a million bindings, and workgroups of other sizes than powers of two.
static Target boundless(TargetClass target_class) {
    Target target = target_default(target_class);
    target.storage_range_max = target.allocation_max = target.texel_elements_max = UINT64_MAX;
    target.storage_bindings_max = target.texel_bindings_max = 1000000;
    target.push_bytes_max = target.groups_max = target.shared_bytes_max = UINT32_MAX;
    target.workgroup_size_max = 1000;
    target.offset_alignment = 16;
    return target;
}

START_TEST(kernels_keep_within_the_runtime) {
    Arena *arena = arena_create();
    Diag *diag = diag_create(arena);
    uint32_t count;
    const char *name = find_graphs(arena, &count)[_i];
    Module *module =
        read_document(arena, &(ReadOptions){.path = file_join(arena, GG_SOURCE_DIR "/graphs", name), .preset = "check"}, diag);
    ck_assert_msg(module != NULL, "%s", diag_text(diag, arena));
    for (TargetClass target_class = TARGET_CPU; target_class <= TARGET_ANY; target_class++) {
        Compiled *compiled = compile_module(arena, module, &(CompileOptions){.target = boundless(target_class)}, NULL, diag);
        ck_assert_msg(compiled != NULL, "%s", diag_text(diag, arena));
        for (uint32_t k = 0; k < compiled->program->kernels.count; k++) {
            const ProgramKernel *kernel = &compiled->program->kernels.items[k];
            uint32_t bound = kernel->bindings.count;
            ck_assert_msg(bound <= TARGET_BINDINGS_MAX, "%s: kernel %s has %u bindings", name, kernel->name, bound);
            ck_assert_uint_le(kernel->workgroup[0], 512);
        }
    }
    arena_destroy(&arena);
}
END_TEST

static Compiled *compile_text(Arena *arena, const char *text, const Target *target) {
    Diag *diag = diag_create(arena);
    char folder[] = "/tmp/gcc-graph-limits-XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(folder));
    const char *path = file_join(arena, folder, "graph.json");
    ck_assert(file_write(path, text, strlen(text), diag));
    Module *module = read_document(arena, &(ReadOptions){.path = path}, diag);
    ck_assert_msg(module != NULL, "%s", diag_text(diag, arena));
    Compiled *compiled = compile_module(arena, module, &(CompileOptions){.target = *target}, NULL, diag);
    ck_assert_msg(compiled != NULL, "%s", diag_text(diag, arena));
    ck_assert(file_remove_tree(folder, diag));
    return compiled;
}

// So long that lanes double until something ends it: workgroups, or what they share (a vec4 and positions for each lane).
START_TEST(lanes_that_combine_have_room) {
    Arena *arena = arena_create();
    Target target = boundless(TARGET_GPU);
    target.workgroup_size_max = 1024;
    target.shared_bytes_max = 16384;
    static const char text[] = "{\"gcc-graph\": 1, \"name\": \"long\",\n"
                               " \"data\": {\"d\": {\"batch\": 1, \"fields\": {\"x\": {\"shape\": [268435456]}}}},\n"
                               " \"programs\": {\"p\": {\"phases\": [{\"name\": \"one\", \"feed\": {\"x\": \"d.x\"}, \"nodes\": [\n"
                               "   {\"emit\": \"m\", \"value\": \"argmax(x, 1)\", \"format\": \"tensor\"}]}]}}}\n";
    for (uint32_t turn = 0; turn < 2; turn++, target.shared_bytes_max = UINT32_MAX) {
        const Program *program = compile_text(arena, text, &target)->program;
        bool shares = false;
        for (uint32_t k = 0; k < program->kernels.count; k++) {
            const ProgramKernel *kernel = &program->kernels.items[k];
            shares |= kernel->shared_bytes > 0;
            ck_assert_uint_le(kernel->shared_bytes, target.shared_bytes_max);
            ck_assert_uint_eq(kernel->workgroup[0] & (kernel->workgroup[0] - 1), 0);
        }
        ck_assert(shares);
    }
    arena_destroy(&arena);
}
END_TEST

int main(void) {
    Arena *arena = arena_create();
    uint32_t count;
    find_graphs(arena, &count);
    Suite *suite = suite_create("limits");
    TCase *all = tcase_create("limits");
    tcase_set_timeout(all, 0);
    tcase_add_loop_test(all, kernels_keep_within_the_runtime, 0, (int)count);
    tcase_add_test(all, lanes_that_combine_have_room);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    arena_destroy(&arena);
    return failed || count == 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
