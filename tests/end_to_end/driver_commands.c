// The command line's manners: help, version, exit codes, suggestions, errors on stderr. Needs no device.
#include "tests/end_to_end/command.h"

static const char *const commands[] = {"check",   "compile", "summary", "train",   "sample", "run",  "export",
                                       "inspect", "verify",  "bench",   "devices", "data",   "eval", "ops"};
enum { COMMANDS = sizeof commands / sizeof *commands };

START_TEST(version_and_help) {
    expect_code(0, "--version");
    ck_assert_str_eq(out, "gcc-graph 0.2.0\n");
    expect_code(0, "--help");
    for (int i = 0; i < COMMANDS; i++)
        expect_out(commands[i]);
    expect_code(2, "%s", "");
    ck_assert_str_eq(out, "");
    expect_err("usage: gcc-graph COMMAND");
}
END_TEST

START_TEST(every_command_has_help) {
    for (int i = 0; i < COMMANDS; i++) {
        expect_code(0, "%s --help", commands[i]);
        expect_out(arena_format(arena, "usage: gcc-graph %s ", commands[i]));
        expect_out("examples:\n  gcc-graph ");
        ck_assert_str_eq(err, "");
        char *first = out;
        expect_code(0, "help %s", commands[i]);
        ck_assert_str_eq(out, first);
    }
    expect_code(0, "compile --help");
    expect_out("differentiate");
}
END_TEST

START_TEST(wrong_usage) {
    static const struct {
        const char *words, *message;
    } cases[] = {
        {"trian x", "there is no command \"trian\"; did you mean \"train\"?"},
        {"check", "something is missing: gcc-graph check GRAPH.json"},
        {"check a.json b.json", "\"b.json\" is too much"},
        {"check a.json --prset check", "there is no option --prset; did you mean --preset?"},
        {"check a.json --preset", "--preset needs a value: NAME"},
        {"check a.json --preset a --preset=b", "--preset is given twice"},
        {"compile a.json", "-o BUNDLE is missing"},
        {"compile a.json -o x --no-fuse=yes", "--no-fuse takes no value"},
        {"compile a.json -o x --no-chain=yes", "--no-chain takes no value"},
        {"compile a.json -o x --fuse-operands maybe", "--fuse-operands is auto, always or never, not \"maybe\""},
        {"compile a.json -o x --winograd 3", "--winograd is auto, never, 2 or 4, not \"3\""},
        {"compile a.json --dump=fsue", "there is no pass \"fsue\"; did you mean \"fuse\"?"},
        {"bench b --seconds x", "\"x\" is no whole number"},
        {"bench b --seconds -1", "\"-1\" is no whole number"},
        {"bench b --seed 18446744073709551616", "is no whole number"},
        {"data ftech mnist", "there is no \"data ftech\"; did you mean \"fetch\"?"},
        {"verify b --target tpu", "known: cpu, gpu, any, all"},
        {"data preview ring", "-o FILE.png is missing"},
        {"data cache --budget 20", "--budget 20: a size expected, such as 500M or 20G, or 0"},
        {"data cache images:x", "\"images:x\" is too much"},
        {"data cache --budget 20X", "--budget 20X: a size expected"},
        {"data cache --budget -1G", "--budget -1G: a size expected"},
        {"tune b --minutes 0", "--minutes: at least 1 expected, not 0"},
        {"tune b --show -o x", "--show -o FILE: --program says of which program"},
        {"träin", "there is no command \"träin\"; did you mean \"train\"?"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        expect_code(2, "%s", cases[i].words);
        expect_err(cases[i].message);
        ck_assert_str_eq(out, "");
    }
}
END_TEST

START_TEST(updates_want_the_mode_train) {
    for (uint32_t i = 0; i < 3; i++) {
        static const char *const modes[] = {"", "\"mode\": \"eval\", ", "\"mode\": \"train\", "};
        write_text(in_folder("mode.json"),
                   arena_format(arena, "{\"gcc-graph\": 1, \"networks\": {\"n\": {\"dims\": [\"k\"], \"inputs\": {\"x\": [\"k\", 3]}, \"nodes\": [{\"op\": \"linear\", \"features\": 2}]}},\n"
                                       " \"optimizers\": {\"o\": {\"of\": \"n\", \"sgd\": {\"lr\": 1}}}, \"programs\": {\"learn\": {%s\"phases\": [{\"name\": \"all\", \"nodes\": [\n"
                                       " {\"random\": \"normal\", \"shape\": [2, 3]}, {\"call\": \"n\"},\n {\"update\": \"o\", \"minimize\": \"sum($)\"}]}]}}}\n",
                                modes[i]));
        expect_code(0, "check %s", in_folder("mode.json"));
        if (i < 2)
            expect_err("warning: ");
        ck_assert_msg((strstr(err, "program \"learn\" has an update (line 4), but its mode is not \"train\": write \"mode\": \"train\"") != NULL) == (i < 2), "%s", err);
    }
}
END_TEST

START_TEST(words_after_two_dashes_are_operands) {
    expect_code(1, "check -- --preset");
    expect_err("--preset");
}
END_TEST

START_TEST(missing_and_wrong_inputs) {
    expect_code(1, "check %s", in_folder("nothing.json"));
    expect_err("nothing.json");
    write_text(in_folder("broken.json"), "{\n  \"gcc-graph\": 1,\n  \"networks\": {,}\n}\n");
    expect_code(1, "check %s", in_folder("broken.json"));
    expect_err("broken.json:3:16:");
    expect_code(1, "inspect %s", in_folder("broken.json"));
    expect_err("is a file; a bundle is a folder that `gcc-graph compile");
    expect_code(1, "inspect %s", folder);
    expect_code(1, "summary %s", folder);
    expect_err("no bundle");
    expect_code(1, "data fetch imagenet");
    expect_err("nothing to fetch for \"imagenet\"");
    expect_code(1, "ops conv3d");
    expect_err("did you mean \"conv2d\"?");
}
END_TEST

START_TEST(compile_leaves_nothing_half_written) {
    write_text(in_folder("wrong.json"), "{ \"gcc-graph\": 1, \"name\": \"wrong\", \"programs\": { \"p\": { \"phases\": [ { \"name\": "
                                        "\"a\", \"nodes\": [ { \"op\": \"nothing\" } ] } ] } } }");
    expect_code(1, "compile %s -o %s --target any", in_folder("wrong.json"), in_folder("bundle"));
    expect_err("wrong.json:1:");
    ck_assert(!file_exists(in_folder("bundle")));
}
END_TEST

START_TEST(check_and_summary_of_shipped_graphs) {
    uint32_t count = 0;
    const char **names = file_list(arena, GG_SOURCE_DIR "/graphs", &count, diag);
    for (uint32_t i = 0; i < count; i++) {
        if (!text_ends_with(names[i], ".json") || strcmp(names[i], "schema.json") == 0)
            continue;
        expect_code(0, "check graphs/%s", names[i]);
        expect_out(": good: ");
        expect_code(0, "summary graphs/%s --no-plan --json", names[i]);
        expect_out("\"networks\"");
    }
}
END_TEST

START_TEST(parameter_counts) {
    expect_code(0, "summary graphs/ddpm_mnist.json --no-plan");
    expect_out("parameters: 368,428;");
    expect_out("optimizer opt: adam of unet; 368,428 parameters; EMA");
    expect_code(0, "summary graphs/ddpm_mnist.json --no-plan -D width=16 --json");
    expect_out("\"parameters\": 164852");
}
END_TEST

START_TEST(ops_reference) {
    expect_code(0, "ops");
    expect_out("contractions: sum products");
    expect_out("conv2d_weight");
    static const char *const once[] = {"conv2d", "sum", "sqrt", "reshape", "matmul", "softmax", "linear", "adam", "gather", "conv2d_input"};
    for (uint32_t i = 0; i < sizeof once / sizeof *once; i++) { // as the first word of a line
        const char *row = arena_format(arena, "\n  %s ", once[i]), *found = strstr(out, row);
        ck_assert_msg(found && !strstr(found + 1, row), "%s is listed %s", once[i], found ? "twice" : "never");
    }
    expect_code(0, "ops conv2d"); // a layer and an op
    expect_out("options      channels kernel stride");
    expect_out("stride: integers");
    expect_code(0, "ops batch_norm");
    expect_out("layer        { \"op\": \"batch_norm\", … }");
    expect_code(0, "ops warmup");
    expect_out("function     of expressions, warmup(step, count)");
    expect_code(0, "ops adamw");
    expect_out("options      lr! beta_1");
    expect_code(0, "ops snapshot");
    expect_out("a kind of node");
    expect_code(1, "ops batchnorm");
    expect_err("did you mean \"batch_norm\"?");
    expect_code(1, "ops nothing_like_it"); // each name once, though "state" is an op and a kind of node
    const char *state = strstr(err, " state,");
    ck_assert_msg(state && !strstr(state + 1, " state,"), "%s", err);
}
END_TEST

START_TEST(data_sets) {
    expect_code(0, "data");
    expect_out("fashion-mnist");
    setenv("XDG_CACHE_HOME", in_folder("cache"), 1);
    expect_code(0, "data cache");
    expect_out("0 B in 0 files of ");
    expect_out("/pictures; at most 8.0 GiB\n");
    expect_code(0, "data cache --budget 1.5g --clear");
    expect_code(0, "data cache");
    expect_out("at most 1.5 GiB\n");
    expect_code(0, "data cache --budget 0");
    expect_out("at most nothing: pictures are kept in memory alone, up to 1 GiB\n");
    unsetenv("XDG_CACHE_HOME");
    expect_code(0, "data describe ring --speed");
    expect_out("read by");
    expect_code(1, "data describe ring --for %s", in_folder("nothing"));
    expect_code(0, "data describe ring");
    expect_code(0, "data preview ring -o %s --count 100", in_folder("ring.png"));
    ck_assert(file_exists(in_folder("ring.png")));
    expect_code(0, "data make ring -o %s --count 100", in_folder("ring"));
    expect_out("ring/");
    expect_code(1, "data describe idx:%s", in_folder("nothing"));
}
END_TEST

int main(void) {
    Suite *suite = suite_create("commands");
    TCase *tests = tcase_create("commands");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, version_and_help);
    tcase_add_test(tests, every_command_has_help);
    tcase_add_test(tests, wrong_usage);
    tcase_add_test(tests, updates_want_the_mode_train);
    tcase_add_test(tests, words_after_two_dashes_are_operands);
    tcase_add_test(tests, missing_and_wrong_inputs);
    tcase_add_test(tests, compile_leaves_nothing_half_written);
    tcase_add_test(tests, check_and_summary_of_shipped_graphs);
    tcase_add_test(tests, parameter_counts);
    tcase_add_test(tests, ops_reference);
    tcase_add_test(tests, data_sets);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
