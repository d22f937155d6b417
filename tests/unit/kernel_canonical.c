// Equal kernels are one kernel: texts that are equal up to a renaming, and graphs of many equal blocks.
#include "compiler/compile.h"
#include "compiler/emit/canonical.h"
#include "compiler/read/read.h"
#include "runtime/base/file.h"
#include <check.h>
#include <stdlib.h>
#include <unistd.h>

static Arena *arena;

static void set_up(void) { arena = arena_create(); }
static void tear_down(void) { arena_destroy(&arena); }

static bool same(const char *a, const char *b) { return strcmp(canonical_text(arena, a), canonical_text(arena, b)) == 0; }

static const struct {
    const char *a, *b;
    bool equal;
} texts[] = {
    {"float v1 = 2.0; v1 += v1;", "float v7 = 2.0; v7 += v7;", true},
    {"float v1 = 2.0; // %1", "float v1 = 2.0; // %2", true},
    {"vec4 whole_a12 = b12;", "vec4 whole_a7 = b7;", false}, // b is declared nowhere
    {"vec4 b12, whole_a12 = b12;", "vec4 b7, whole_a7 = b7;", true},
    {"int x0 = row0 % 3, y0 = row0 / 3;\n", "int x5 = row0 % 3, y5 = row0 / 3;\n", true},
    {"int a1 = f(2, 3), b1;", "int a2 = f(2, 3), b2;", true},
    {"float v1; float v2; v1 = v2;", "float v2; float v1; v2 = v1;", true},
    {"float v1; float v2; v1 = v2;", "float v1; float v2; v2 = v1;", false},
    {"float v1 = 2.0;", "float v1 = 3.0;", false},
    {"float v1 = x;", "int v1 = x;", false},
    {"vec2 v1;", "vec4 v1;", false},
    {"const vec2 v1 = p;", "const vec4 v1 = p;", false},
    {"float f1(vec2 a1, vec2 b1) { return exp2(a1); }", "float f1(vec2 a1, vec4 b1) { return exp2(a1); }", false},
    {"float f1(vec2 a1, vec2 b1) { return exp2(a1); }", "float f2(vec2 a2, vec2 b2) { return exp2(a2); }", true},
    {"float f1(vec2 a1) { return exp2(a1); }", "float f1(vec2 a1) { return log2(a1); }", false},
    {"float v1 = 0x1fu + 1e2;", "float v2 = 0x1fu + 1e2;", true},
    {"float v1 = 0x1fu;", "float v1 = 0x1eu;", false},
    {"#version 450\nint v1;", "#version 460\nint v1;", false},
    {"buffer Scalar1 { float in1s[]; };", "buffer Scalar2 { float in2s[]; };", true},
    {"layout(binding = 1) buffer Scalar1 { float in1s[]; };", "layout(binding = 2) buffer Scalar1 { float in1s[]; };", false},
    {"for (int k1 = 0; k1 < 4; k1++) s += in0[k1];", "for (int k9 = 0; k9 < 4; k9++) s += in0[k9];", true},
};

START_TEST(names_alone_do_not_count) {
    ck_assert_msg(same(texts[_i].a, texts[_i].b) == texts[_i].equal, "%s\n%s\n-> %s\n-> %s", texts[_i].a, texts[_i].b, canonical_text(arena, texts[_i].a),
                  canonical_text(arena, texts[_i].b));
}
END_TEST

static const struct {
    const char *name, *input, *nodes;
} blocks[] = {
    {"layer norms", "[\"n\", 12]", "{\"op\": \"layer_norm\"}"},
    {"layer norms over vec4s", "[\"n\", 5, 16]", "{\"op\": \"layer_norm\"}, {\"expr\": \"silu($)\"}"},
    {"group norms and attention", "[\"n\", 8, 4, 4]",
     "{\"as\": \"h[i]\", \"expr\": \"$\"}, {\"op\": \"group_norm\", \"groups\": 2}, {\"op\": \"conv2d\", \"channels\": 8, \"kernel\": 3, \"pad\": 1}, {\"op\": \"self_attention\", \"heads\": 2}, {\"expr\": \"$ + h[i]\"}"},
};

static uint32_t kernels_of(uint32_t block, uint32_t count, TargetClass target, bool no_chain) {
    char path[] = "/tmp/gg_canonical_XXXXXX";
    int descriptor = mkstemp(path);
    ck_assert_int_ge(descriptor, 0);
    close(descriptor);
    Diag *diag = diag_create(arena);
    const char *text = arena_format(
        arena,
        "{\"gcc-graph\": 1, \"name\": \"equal\", \"data\": {\"d\": {\"batch\": 3, \"fields\": {\"x\": {\"shape\": %s}}}},"
        "\"networks\": {\"f\": {\"dims\": [\"n\"], \"inputs\": {\"x\": %s}, \"nodes\": [{\"for\": \"i\", \"below\": %u, \"nodes\": [%s]}]}},"
        "\"programs\": {\"run\": {\"phases\": [{\"name\": \"all\", \"feed\": {\"x\": \"d.x\"}, \"nodes\": [{\"call\": \"f\", \"in\": \"x\"}, "
        "{\"expr\": \"mean($)\", \"as\": \"m\"}], \"report\": [\"m\"]}]}}}",
        arena_format(arena, "[%s", blocks[block].input + strlen("[\"n\", ")), blocks[block].input, count, blocks[block].nodes);
    ck_assert(file_write(path, text, strlen(text), diag));
    Module *module = read_document(arena, &(ReadOptions){.path = path}, diag);
    unlink(path);
    ck_assert_msg(module != NULL, "%s", diag_text(diag, arena));
    Compiled *compiled = compile_module(arena, module, &(CompileOptions){.target = target_default(target), .no_chain = no_chain}, NULL, diag);
    ck_assert_msg(compiled != NULL, "%s", diag_text(diag, arena));
    return compiled->program->kernels.count;
}

START_TEST(equal_blocks_share_their_kernels) {
    for (uint32_t block = 0; block < sizeof blocks / sizeof *blocks; block++) {
        for (int no_chain = 0; no_chain < 2; no_chain++) {
            uint32_t few = kernels_of(block, 4, (TargetClass)_i, no_chain), many = kernels_of(block, 24, (TargetClass)_i, no_chain);
            // Which of many small kernels one dispatch can hold is another matter: what comes of it may differ at the ends.
            ck_assert_msg(no_chain ? few == many : many <= few + 3, "%s for the class %s: 4 have %u kernels, 24 have %u", blocks[block].name, target_class_name((TargetClass)_i), few, many);
        }
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("kernel_canonical");
    TCase *tests = tcase_create("canonical");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, names_alone_do_not_count, 0, sizeof texts / sizeof *texts);
    tcase_add_loop_test(tests, equal_blocks_share_their_kernels, TARGET_CPU, TARGET_ANY + 1);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
