// Every shipped graph, compiled for every profile of this folder: kernels and plans keep the limits of real devices that are not here, and the
// least that limits may be.
#include "compiler/compile.h"
#include "compiler/read/read.h"
#include "runtime/base/file.h"
#include "runtime/program/profile.h"
#include <check.h>
#include <stdlib.h>

static Arena *arena; // of the lists
static const char **profiles, **graphs;
static uint32_t profile_count, graph_count;

static const char **find_files(const char *folder, uint32_t *count) {
    uint32_t all, kept = 0;
    const char **names = file_list(arena, folder, &all, diag_create(arena)), **out = ARENA_NEW(arena, const char *, all + 1u);
    for (uint32_t i = 0; i < all; i++)
        if (text_ends_with(names[i], ".json") && strcmp(names[i], "schema.json") != 0)
            out[kept++] = file_join(arena, folder, names[i]);
    *count = kept;
    return out;
}

static uint32_t count_bindings(const ProgramKernel *kernel, bool is_texel) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < kernel->bindings.count; i++)
        count += (kernel->bindings.items[i] == BINDING_TEXEL) == is_texel;
    return count;
}

static void check_kernel(const Target *target, const ProgramKernel *kernel) {
    ck_assert_uint_le((uint64_t)kernel->workgroup[0] * kernel->workgroup[1] * kernel->workgroup[2], target->workgroup_size_max);
    ck_assert_uint_le(kernel->shared_bytes, target->shared_bytes_max);
    ck_assert_uint_le(kernel->push_words * 4u, target->push_bytes_max);
    ck_assert_uint_le(count_bindings(kernel, false), target->storage_bindings_max);
    ck_assert_uint_le(count_bindings(kernel, true), target->texel_bindings_max);
    ck_assert_uint_le(kernel->bindings.count, target->bindings_max);
    ck_assert(!kernel->needs_subgroup_ballot || target->has_subgroup_ballot);
}

static void check_phase(const Target *target, const Program *program, const ProgramPhase *phase) {
    for (uint32_t d = 0; d < phase->steps.count; d++) {
        const Step *step = &phase->steps.items[d];
        for (uint32_t i = 0; i < 3; i++)
            ck_assert_uint_le(step->groups[i], target->groups_max);
        for (uint32_t i = 0; i < step->ranges.count; i++) {
            const Range *range = &step->ranges.items[i];
            bool is_texel = step->kind == STEP_DISPATCH && program->kernels.items[step->kernel].bindings.items[i] == BINDING_TEXEL;
            ck_assert_uint_eq(range->offset % target->offset_alignment, 0);
            ck_assert_uint_le(is_texel ? range->size / 16 : range->size, is_texel ? target->texel_elements_max : target->storage_range_max);
        }
    }
}

static void check_program(const Target *target, const Program *program) {
    Text problems = text_create(arena);
    ck_assert_msg(program_verify(program, &problems), "%s", problems.data);
    for (uint32_t k = 0; k < program->kernels.count; k++)
        check_kernel(target, &program->kernels.items[k]);
    for (uint32_t m = 0; m < program->memories.count; m++)
        ck_assert_uint_le(program->memories.items[m].size, target->allocation_max);
    for (uint32_t e = 0; e < program->entries.count; e++)
        for (uint32_t p = 0; p < program->entries.items[e].phases.count; p++)
            check_phase(target, program, &program->entries.items[e].phases.items[p]);
}

// What is refused is refused for a limit of the device.
static bool compiles(const char *path, const char *preset, const Target *target) {
    Arena *own = arena_create();
    Diag *diag = diag_create(own);
    const Module *module = read_document(own, &(ReadOptions){.path = path, .preset = preset}, diag);
    ck_assert_msg(module != NULL, "%s: %s", path, diag_text(diag, own));
    const Compiled *compiled = compile_module(own, module, &(CompileOptions){.target = *target, .no_spirv = true}, NULL, diag);
    const char *told = diag_text(diag, own);
    ck_assert_msg(compiled || strstr(told, "the target allo") != NULL || strstr(told, "the target binds") != NULL, "%s for %s: %s", path, target->device, told);
    if (compiled)
        check_program(target, compiled->program);
    bool good = compiled != NULL;
    arena_destroy(&own);
    return good;
}

static bool has_preset(const char *path, const char *name) {
    Diag *diag = diag_create(arena);
    const Json *root = json_read(arena, path, diag);
    return json_get(json_get(root, "presets"), name) != NULL;
}

START_TEST(all_graphs_fit) {
    Diag *diag = diag_create(arena);
    const Profile *profile = profile_read(arena, profiles[_i], diag);
    ck_assert_msg(profile != NULL, "%s", diag_text(diag, arena));
    uint32_t whole = 0;
    for (uint32_t g = 0; g < graph_count; g++) {
        whole += compiles(graphs[g], NULL, &profile->target);
        ck_assert_msg(!has_preset(graphs[g], "check") || compiles(graphs[g], "check", &profile->target), "%s for %s", graphs[g], profile->target.device);
    }
    ck_assert_uint_ge(whole, graph_count - 2); // some are too large for 128 MiB in a binding
}
END_TEST

int main(void) {
    arena = arena_create();
    profiles = find_files(GG_SOURCE_DIR "/tests/profiles", &profile_count);
    graphs = find_files(GG_SOURCE_DIR "/graphs", &graph_count);
    if (profile_count < 8 || graph_count < 10)
        return EXIT_FAILURE;
    Suite *suite = suite_create("kernel_profiles");
    TCase *tests = tcase_create("profiles");
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, all_graphs_fit, 0, (int)profile_count);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    arena_destroy(&arena);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
