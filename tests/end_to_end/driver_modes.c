// eval modes on a device: exact figures for points that are known, its files, and its refusals.
#include "tests/end_to_end/command.h"

// Trains for a step; `sample` emits 12 known points, shifted by a let: the centres of the ring, (9, 9), (2.05, 0), (0, 0), and one whose x
// is infinite.
static const char GRAPH[] =
    "{\n"
    "  \"gcc-graph\": 1,\n"
    "  \"name\": \"known\",\n"
    "  \"let\": { \"shift\": 0, \"i\": \"range(12)\", \"angle\": \"0.78539816339*i\" },\n"
    "  \"data\": { \"ring\": { \"batch\": 4, \"fields\": { \"point\": { \"shape\": [2] } } } },\n"
    "  \"tables\": { \"x\": \"select(i < 8, 2*cos(angle), select(i == 8, 9, select(i == 9, 2.05, 0*angle)))\",\n"
    "              \"y\": \"select(i < 8, 2*sin(angle), select(i == 8, 9, 0*angle))\", \"wild\": \"1000*f32(i == 11)\" },\n"
    "  \"networks\": { \"f\": { \"dims\": [\"n\"], \"inputs\": { \"x\": [\"n\", 2] }, \"nodes\": [ { \"op\": \"linear\", \"features\": 2 } "
    "] } "
    "},\n"
    "  \"optimizers\": { \"opt\": { \"of\": \"f\", \"sgd\": { \"lr\": 0.1 } } },\n"
    "  \"programs\": {\n"
    "    \"train\": { \"mode\": \"train\", \"steps\": 1, \"phases\": [ { \"name\": \"fit\", \"feed\": { \"x\": \"ring.point\" }, "
    "\"nodes\": [\n"
    "      { \"call\": \"f\", \"in\": \"x\" }, { \"expr\": \"mean($^2)\", \"as\": \"loss\" }, { \"update\": \"opt\", \"minimize\": "
    "\"loss\" } ],\n"
    "      \"report\": [\"loss\"] } ] },\n"
    "    \"sample\": { \"phases\": [ { \"name\": \"known\", \"nodes\": [\n"
    "      { \"expr\": \"x + shift + exp(wild) - 1\", \"as\": \"a\" },\n"
    "      { \"expr\": \"concat([a[:, None], y[:, None]], 1)\" }, { \"emit\": \"points\", \"value\": \"$\", \"format\": \"rows\" } ] } ] "
    "},\n"
    "    \"wide\": { \"phases\": [ { \"name\": \"known\", \"nodes\": [\n"
    "      { \"expr\": \"concat([x[:, None], y[:, None], y[:, None]], 1)\" }, { \"emit\": \"points\", \"value\": \"$\", \"format\": "
    "\"rows\" } ] } ] "
    "},\n"
    "    \"twice\": { \"phases\": [ { \"name\": \"known\", \"nodes\": [\n"
    "      { \"expr\": \"concat([x[:, None], y[:, None]], 1)\" }, { \"emit\": \"a\", \"value\": \"$\", \"format\": \"rows\" },\n"
    "      { \"emit\": \"b\", \"value\": \"2*$\", \"format\": \"rows\" } ] } ] },\n"
    "    \"fed\": { \"phases\": [ { \"name\": \"known\", \"feed\": { \"p\": \"ring.point\" }, \"nodes\": [ { \"emit\": \"p\", \"value\": "
    "\"p\", "
    "\"format\": \"rows\" } ] } ] }\n"
    "  }\n"
    "}\n";

static const char *bundle, *trained;

static void train(const char *more) {
    bundle = in_folder("known.ggb");
    trained = in_folder("run");
    write_text(in_folder("known.json"), GRAPH);
    expect_code(0, "compile %s -o %s %s", in_folder("known.json"), bundle, more);
    expect_code(0, "train %s --data ring --out %s", bundle, trained);
}

START_TEST(known_points) {
    train("");
    expect_code(0, "eval modes %s --from %s --count 12 --out %s", bundle, trained, in_folder("eval"));
    ck_assert_str_eq(out, "modes hit: 8 of 8\n"
                          "good samples: 9 of 12 (75.00 %), within 3 standard deviations (0.06) of a mode\n"
                          "good samples at a mode: least 1, median 1, most 2\n"
                          "not finite: 1 samples\n");
    ck_assert(file_exists(in_folder("eval/modes.png")));
    char *json = read_all(in_folder("eval/modes.json"));
    expect_code(0, "eval modes %s --from %s --count 12 --data ring --json", bundle, trained);
    ck_assert_str_eq(out, json);
    expect_out("\"per_mode\": [2, 1, 1, 1, 1, 1, 1, 1]");
    expect_out("\"good_share\": 0.75");
    expect_code(0, "eval modes %s --from %s --count 27", bundle, trained); // two runs, and three points of a third
    expect_out("good samples: 21 of 27");
    expect_code(0, "eval modes %s --from %s --count 12 --data grid", bundle, trained); // (±2, 0), (0, ±2), (0, 0), and one at (2.05, 0)
    expect_out("modes hit: 5 of 25");
    expect_out("good samples: 6 of 12");
}
END_TEST

START_TEST(no_sample_is_good) {
    train("-D shift=50");
    expect_code(0, "eval modes %s --from %s --count 11 --out %s", bundle, trained, in_folder("eval"));
    expect_out("modes hit: 0 of 8\ngood samples: 0 of 11 (0.00 %)");
    expect_out("least 0, median 0, most 0\n");
    ck_assert(file_exists(in_folder("eval/modes.png")));
}
END_TEST

START_TEST(refusals) {
    train("");
    static const struct {
        const char *words, *message;
        int code;
    } cases[] = {
        {"--program wide", "the program \"wide\" of known emits no points: it needs one emit of rows [n, 2]", 1},
        {"--program twice", "the program \"twice\" of known emits points more than once: it needs one emit of rows [n, 2]", 1},
        {"--program fed", "the program \"fed\" of known feeds records; only programs that draw their samples alone can be measured", 1},
        {"--data random:8", "--data random:8: it does not say where its modes are; ring and grid do", 1},
        {"--count 0", "--count: at least 1 expected, not 0", 2},
        {"--data ring --data grid", "--data is given twice", 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        expect_code(cases[i].code, "eval modes %s --from %s %s", bundle, trained, cases[i].words);
        expect_err(cases[i].message);
        ck_assert_str_eq(out, "");
    }
    expect_code(2, "eval modes %s", bundle);
    expect_err("--from RUN is missing");
    expect_code(2, "eval mods %s", bundle);
    expect_err("there is no measure \"mods\"; did you mean \"modes\"?");
}
END_TEST

// Every graph of points, with each of its presets, at small sizes: trains to finite numbers, and eval modes takes its samples.
START_TEST(graphs_of_points) {
    static const struct {
        const char *graph, *defines;
    } cases[] = {
        {"ring_gan", ""},
        {"ring_gan", "-D saturating=1"},
        {"ring_minibatch", ""},
        {"ring_unrolled", "-D K=0"},
        {"ring_unrolled", "-D K=3"},
        {"ring_unrolled", "-D sgd_lr=0.1"},
        {"ring_mgan", ""},
        {"ring_spectral_norm", ""},
        {"ring_wgan", ""},
        {"ring_wgan_gp", ""},
        {"ring_feature_matching", ""},
        {"ring_balance", ""},
        {"ring_flow", ""},
        {"ring_balance", "-D threshold=0.1"}, // rests always, but for the worst guesses
    };
    const char *small = in_folder("small.ggb"), *run = in_folder("run");
    expect_code(0, "compile graphs/%s.json --preset check %s -o %s", cases[_i].graph, cases[_i].defines, small);
    expect_code(0, "train %s --data %s --out %s --steps 50", small, _i % 2 ? "grid" : "ring", run);
    expect_out("step 50 of 50");
    ck_assert(file_exists(in_folder("run/loss.png")));
    ck_assert_ptr_null(strstr(read_all(in_folder("run/metrics.csv")), "nan"));
    expect_code(0, "eval modes %s --from %s --count 12", small, run);
    expect_out(_i % 2 ? " of 25\n" : " of 8\n"); // the run's own data set
    expect_out(" of 12 (");
    ck_assert_ptr_null(strstr(out, "not finite"));
}
END_TEST

int main(void) {
    if (!has_device())
        return 77;
    Suite *suite = suite_create("modes");
    TCase *tests = tcase_create("modes");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, known_points);
    tcase_add_test(tests, no_sample_is_good);
    tcase_add_test(tests, refusals);
    tcase_add_loop_test(tests, graphs_of_points, 0, 14);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
