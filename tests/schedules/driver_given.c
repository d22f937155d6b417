// Given schedules: what --schedule says is what is computed, recorded and shown, and mistakes are told with what would be right. Needs no device.
#include "tests/end_to_end/command.h"

// %1: an image, of which a convolution with 6 columns of 5; and a product of matrices.
static const char *const document =
    "{\"gcc-graph\": 1, \"name\": \"small\", \"networks\": {\"n\": {\"inputs\": {\"x\": [2, 3, 6, 5]}, \"nodes\": [{\"op\": \"conv2d\", \"channels\": 8, \"kernel\": 3, \"pad\": 1}]}},\n"
    " \"programs\": {\"run\": {\"phases\": [{\"name\": \"all\", \"nodes\": [{\"random\": \"normal\", \"shape\": [2, 3, 6, 5], \"as\": \"x\"}, {\"call\": \"n\", \"in\": \"x\", \"as\": \"y\"},\n"
    "  {\"expr\": \"sum(y)\", \"as\": \"total\"}, {\"emit\": \"total\", \"value\": \"total\", \"format\": \"tensor\"}]}]}}}\n";

static const char *compiled(const char *options) {
    write_text(in_folder("small.json"), document);
    return arena_format(arena, "compile %s --target any -o %s %s", in_folder("small.json"), in_folder("small.ggb"), options);
}

// The name of the convolution's kernel as the estimate has it: "001_conv2d…".
static const char *conv_name(void) {
    expect_code(0, "%s", compiled(""));
    expect_code(0, "inspect %s", in_folder("small.ggb"));
    const char *at = strstr(out, "_conv2d");
    ck_assert_msg(at != NULL, "%s", out);
    return arena_format(arena, "%.*s", (int)strcspn(at - 3, " "), at - 3);
}

START_TEST(mistakes_say_what_is_right) {
    static const struct {
        const char *schedule, *message; // KERNEL goes before "="
    } cases[] = {
        {"=row", "there is no family \"row\"; did you mean \"rows\"?"},
        {"=fold", "fold computes no kernel of the class contract; what does: reference, tiled, rows"},
        {"=rows:row=4", "rows has no parameter \"row\"; did you mean \"rows\"?"},
        {"=rows:rows=3", "rows is 1, 2, 4, 8 or 16, not \"3\""},
        {"=rows:rows=-4", "rows is 1, 2, 4, 8 or 16, not \"-4\""},
        {"=rows:rows", "rows is 1, 2, 4, 8 or 16, not \"\""},
        {"=rows:rows=4,lanes=1024", "a workgroup of the target has at most 128 lanes, not 1024"},
        {"=rows:texel=1", "the target loads no texels"},
        {"=broadcast:rows=8", "the target has no subgroupBroadcast"},
        {"=rows:rows=4,rows=8", "rows is given twice"},
        {"=rows:rows=16,columns=6,", "rows has no parameter \"\""},
        {"=strip:pixels=4", "lines of 5 pixels do not divide into strips of 4"},
        {"=outer", "it does not sum over rows"},
        {"=tiled:lanes=128,rows=8,across=4", "across (4) must divide lanes (128) and be a multiple of rows (8)"},
        {"=tiled:lanes=128,rows=8,across=32,depth=32,columns=1", "its tiles take 20480 bytes of shared memory, the target has 16384"},
    };
    const char *name = conv_name();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        expect_code(1, "%s", compiled(arena_format(arena, "--schedule '%s%s'", name, cases[i].schedule)));
        expect_err(arena_format(arena, "--schedule %s%s: small: program run, phase all: %%", name, cases[i].schedule));
        expect_err(cases[i].message);
    }
    expect_code(1, "%s", compiled("--schedule conv=rows"));
    expect_err("--schedule conv=rows: there is no kernel \"conv\"");
    expect_code(1, "%s", compiled("--schedule '%99=rows'"));
    expect_err("there is no kernel \"%99\"");
    expect_code(1, "%s", compiled("--schedule fast"));
    expect_err("--schedule fast: is neither \"reference\" nor KERNEL=FAMILY[:PARAM=VALUE,...]");
}
END_TEST

START_TEST(a_given_schedule_is_taken_recorded_and_shown) {
    const char *name = conv_name(), *ways[] = {name, arena_format(arena, "%.3s", name), "*conv2d*"};
    for (int i = 0; i < 3; i++) {
        expect_code(0, "%s", compiled(arena_format(arena, "--schedule '%s=tiled' --schedule '%s=strip:pixels=5,columns=2'", ways[i], ways[i])));
        const char *program = read_all(in_folder("small.ggb/program.json")), *wanted = "strip:lanes=8,texel=0,pixels=5,columns=2";
        ck_assert_msg(strstr(program, arena_format(arena, "\"schedule\":\"%s\"", wanted)) || strstr(program, arena_format(arena, "\"schedule\": \"%s\"", wanted)), "%s", program);
        ck_assert_ptr_nonnull(strstr(read_all(in_folder("small.ggb/plan.txt")), wanted));
        expect_code(0, "inspect %s", in_folder("small.ggb"));
        expect_out(arena_format(arena, "computed as %s; runner-up rows:", wanted));
        expect_code(0, "inspect %s %.3s", in_folder("small.ggb"), name);
        expect_out(arena_format(arena, "contract, schedule %s; runner-up rows:", wanted));
        expect_out("first pixel of the strip");
    }
}
END_TEST

// Small reductions of one wave become one kernel, which a lane folds alone; not one for which another schedule is asked.
START_TEST(a_reduction_of_a_given_schedule_is_not_joined) {
    static const char *const options[] = {"", "--schedule '%5=tree:lanes=8'"};
    for (int i = 0; i < 2; i++) {
        expect_code(0, "compile %s/tests/golden/small_reductions.json --target cpu -o %s %s", GG_SOURCE_DIR, in_folder("joined.ggb"), options[i]);
        expect_out(i == 0 ? "2 kernels" : "3 kernels");
        expect_code(0, "inspect %s 000", in_folder("joined.ggb"));
        ck_assert_msg((strstr(out, "is small too, and of the same wave") != NULL) == (i == 0), "%s", out);
    }
    expect_code(0, "compile %s/graphs/ring_wgan.json --target cpu -o %s", GG_SOURCE_DIR, in_folder("joined.ggb")); // has some that wait, and then stand alone
    expect_code(0, "inspect %s", in_folder("joined.ggb"));
}
END_TEST

// A map, its maximum and what follows are one chain, of the lanes that are asked for; not with a map that is to be something else.
START_TEST(a_chain_is_what_is_asked_of_it) {
    static const struct {
        const char *option, *said;
    } cases[] = {{"", "3 kernels follow each other on 1 slice"},
                 {"--schedule '*maximum*=chain:lanes=32'", "computed as chain:lanes=32,texel=1; runner-up chain:lanes=8,texel=1"},
                 {"--schedule '%9=elements:lanes=32'", "2 kernels follow each other on 1 slice"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        expect_code(0, "compile %s/tests/golden/small_reductions.json --target cpu -o %s %s", GG_SOURCE_DIR, in_folder("chain.ggb"), cases[i].option);
        expect_code(0, "inspect %s", in_folder("chain.ggb")); // built again by its record
        expect_out(cases[i].said);
    }
    expect_code(1, "compile %s/tests/golden/small_reductions.json --target cpu -o %s --schedule '%%5=chain:lanes=8'", GG_SOURCE_DIR, in_folder("chain.ggb"));
    expect_err("--schedule %5=chain:lanes=8: small_reductions: program p, phase q: %5 begins no chain");
    expect_code(1, "compile %s/tests/golden/small_reductions.json --target cpu -o %s --schedule '%%9=chain:lanes=3'", GG_SOURCE_DIR, in_folder("chain.ggb"));
    expect_err("lanes is 1, 2, 4, 8, 16, 32, 64, 128, 256, 512 or 1024, not \"3\"");
}
END_TEST

// Rows whole pages apart lie on each other in a CPU's first cache: lanes beside each other along columns read fewer of them. Not so of other rows.
START_TEST(rows_that_lie_on_each_other_are_few) {
    static const struct {
        const char *inner, *family;
    } cases[] = {{"1024", "wide"}, {"1000", "rows"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        expect_code(0, "compile %s/tests/bench/product.json --target cpu -D inner=%s -o %s", GG_SOURCE_DIR, cases[i].inner, in_folder("product.ggb"));
        expect_code(0, "inspect %s", in_folder("product.ggb"));
        expect_out(arena_format(arena, "computed as %s:lanes=8,", cases[i].family));
    }
}
END_TEST

START_TEST(a_pattern_of_values_and_reference_go_together) {
    conv_name();
    expect_code(0, "%s", compiled("--schedule reference --schedule '*conv2d*=tiled:lanes=32,rows=2,across=8,depth=8,columns=1'"));
    expect_code(0, "inspect %s", in_folder("small.ggb"));
    expect_out("computed as tiled:lanes=32,texel=0,rows=2,across=8,depth=8,columns=1; runner-up rows:");
}
END_TEST

// The convolution's image is random: computed by its kernel, or stored for it. Who looks into the bundle finds it as it was compiled.
START_TEST(operands_are_computed_or_stored_as_asked) {
    static const char *const choices[] = {"always", "never"};
    for (int i = 0; i < 2; i++) {
        expect_code(0, "%s", compiled(arena_format(arena, "--fuse-operands %s", choices[i])));
        expect_code(0, "inspect %s", in_folder("small.ggb"));
        const char *at = strstr(out, "_conv2d");
        ck_assert_msg(at != NULL, "%s", out);
        expect_code(0, "inspect %s %s", in_folder("small.ggb"), arena_format(arena, "%.3s", at - 3));
        ck_assert_msg((strstr(out, "random_normal") != NULL) == (i == 0), "%s: %s", choices[i], out);
    }
    expect_code(0, "%s", compiled("--fuse-operands auto"));
    expect_code(0, "inspect %s --decisions", in_folder("small.ggb"));
    expect_out(", an operand, is ");
}
END_TEST

// As bundles of 0.2.0 are.
START_TEST(a_bundle_without_schedules_is_read) {
    expect_code(0, "%s", compiled(""));
    ck_assert_int_eq(system(arena_format(arena, "sed -i 's/\"schedule\": *\"[^\"]*\", *//' %s", in_folder("small.ggb/program.json"))), 0);
    ck_assert_ptr_null(strstr(read_all(in_folder("small.ggb/program.json")), "\"schedule\""));
    expect_code(0, "inspect %s", in_folder("small.ggb"));
    expect_out("_conv2d");
}
END_TEST

// A record that this compiler cannot follow, as of a family that it does not know, is left aside.
START_TEST(a_foreign_record_is_left_aside) {
    expect_code(0, "%s", compiled(""));
    ck_assert_int_eq(system(arena_format(arena, "sed -i 's/\"rows:lanes/\"winograd:lanes/' %s", in_folder("small.ggb/program.json"))), 0);
    expect_code(0, "inspect %s", in_folder("small.ggb"));
    expect_out(" winograd ");
}
END_TEST

int main(void) {
    Suite *suite = suite_create("given");
    TCase *tests = tcase_create("given");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, mistakes_say_what_is_right);
    tcase_add_test(tests, a_given_schedule_is_taken_recorded_and_shown);
    tcase_add_test(tests, a_reduction_of_a_given_schedule_is_not_joined);
    tcase_add_test(tests, a_chain_is_what_is_asked_of_it);
    tcase_add_test(tests, rows_that_lie_on_each_other_are_few);
    tcase_add_test(tests, a_pattern_of_values_and_reference_go_together);
    tcase_add_test(tests, operands_are_computed_or_stored_as_asked);
    tcase_add_test(tests, a_bundle_without_schedules_is_read);
    tcase_add_test(tests, a_foreign_record_is_left_aside);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
