// Large graphs: what walks over them neither recurses too deep nor makes kernels without end.
#include "compiler/compile.h"
#include "compiler/passes/fuse_parts.h"
#include "compiler/read/read.h"
#include "runtime/base/file.h"
#include <check.h>
#include <stdlib.h>
#include <unistd.h>

static const struct {
    const char *name, *nodes;
} graphs[] = {
    {"a chain of maps", "{\"expr\": \"x\"}, {\"for\": \"i\", \"below\": 100, \"nodes\": [{\"for\": \"j\", \"below\": 150, \"nodes\": [{\"expr\": \"tanh($ + x)\"}]}]}"},
    {"maps that use what is before twice", "{\"expr\": \"x\"}, {\"for\": \"i\", \"below\": 5000, \"nodes\": [{\"expr\": \"$*sin($)\"}]}"},
    {"views", "{\"expr\": \"x\"}, {\"for\": \"i\", \"below\": 2000, \"nodes\": [{\"expr\": \"pad(flip($ + x, [0]), [[1, 0]])[:, :16]\"}]}"},
    {"a sum of many", "{\"expr\": \"0\", \"as\": \"t[0]\"}, {\"for\": \"i\", \"below\": 3000, \"nodes\": [{\"expr\": \"t[i] + sum(sin(x*(i + 2)))\", \"as\": \"t[i + 1]\"}]}, {\"expr\": \"t[3000]\"}"},
};

START_TEST(large_graphs_are_compiled) {
    Arena *arena = arena_create();
    Diag *diag = diag_create(arena);
    char path[] = "/tmp/gg_large_XXXXXX";
    int descriptor = mkstemp(path);
    ck_assert_int_ge(descriptor, 0);
    close(descriptor);
    const char *text = arena_format(arena,
                                    "{\"gcc-graph\": 1, \"name\": \"large\", \"programs\": {\"run\": {\"state\": {\"x\": {\"shape\": [4, 16]}}, "
                                    "\"phases\": [{\"name\": \"all\", \"nodes\": [%s, {\"expr\": \"sum($)\", \"as\": \"s\"}], \"report\": [\"s\"]}]}}}",
                                    graphs[_i].nodes);
    ck_assert(file_write(path, text, strlen(text), diag));
    Module *module = read_document(arena, &(ReadOptions){.path = path}, diag);
    unlink(path);
    ck_assert_msg(module != NULL, "%s: %s", graphs[_i].name, diag_text(diag, arena));
    CompileOptions options = {.target = target_default(TARGET_CPU), .stop_after = "emit"};
    ck_assert_ptr_null(compile_module(arena, module, &options, NULL, diag)); // SPIR-V of so much would take a while
    ck_assert_msg(diag_error_count(diag) == 0, "%s: %s", graphs[_i].name, diag_text(diag, arena));
    arena_destroy(&arena);
}
END_TEST

// Every line that a shader computes something in is a value, of which there are no more than a kernel may have.
START_TEST(no_kernel_is_too_large) {
    Arena *arena = arena_create();
    Diag *diag = diag_create(arena);
    Module *module = read_document(arena, &(ReadOptions){.path = GG_SOURCE_DIR "/tests/bench/long_chain.json"}, diag);
    ck_assert_msg(module != NULL, "%s", diag_text(diag, arena));
    Compiled *compiled = compile_module(arena, module, &(CompileOptions){.target = target_default((TargetClass)_i)}, NULL, diag);
    ck_assert_msg(compiled != NULL, "%s", diag_text(diag, arena));
    for (uint32_t k = 0; k < compiled->program->kernels.count; k++) {
        uint32_t lines = 0;
        for (const char *at = compiled->sources[k]; (at = strstr(at, "; // %")); at++)
            lines++;
        ck_assert_msg(lines <= KERNEL_VALUES_MAX, "%s has %u lines", compiled->program->kernels.items[k].name, lines);
    }
    arena_destroy(&arena);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("kernel_large");
    TCase *tests = tcase_create("large");
    tcase_set_timeout(tests, 300);
    tcase_add_loop_test(tests, large_graphs_are_compiled, 0, sizeof graphs / sizeof *graphs);
    tcase_add_loop_test(tests, no_kernel_is_too_large, TARGET_CPU, TARGET_ANY + 1);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
