// Accumulation: the numbers of PyTorch, on the device and interpreted; as one large batch; what is done once after the last batch, and with
// what values; the memory that it takes; that 1 is as none.
#include "runtime/tensor/tensor_file.h"
#include "tests/end_to_end/command.h"
#include <math.h>

static const char GRAPH[] =
    "{\n"
    "  \"gcc-graph\": 1,\n"
    "  \"name\": \"accumulated\",\n"
    "  \"let\": { \"batch\": 6, \"K\": 3 },\n"
    "  \"data\": { \"points\": { \"batch\": \"batch\", \"fields\": { \"point\": { \"shape\": [2] } } } },\n"
    "  \"networks\": { \"net\": { \"dims\": [\"n\"], \"inputs\": { \"x\": [\"n\", 2] }, \"nodes\": [\n"
    "    { \"op\": \"linear\", \"features\": 5, \"bias\": false }, { \"op\": \"NORM\" }, { \"op\": \"tanh\" }, { \"op\": \"linear\", "
    "\"features\": 2 } ] } },\n"
    "  \"optimizers\": { \"opt\": { \"of\": \"net\", \"adam\": { \"lr\": 0.05 }, \"clip_norm\": 0.5, \"ema\": 0.9 } },\n"
    "  \"programs\": { \"train\": { \"mode\": \"train\", \"steps\": 2, \"phases\": [\n"
    "    { \"name\": \"fit\", \"repeat\": 2, \"accumulate\": \"K\", \"feed\": { \"x\": \"points.point\" }, \"nodes\": [\n"
    "      { \"call\": \"net\", \"in\": \"x\", \"as\": \"y\" },\n"
    "      { \"expr\": \"mean((y - x^2)^2)\", \"as\": \"loss\" },\n"
    "      { \"update\": \"opt\", \"minimize\": \"loss\" } ],\n"
    "      \"report\": [\"loss\", \"opt.norm\"] } ] } }\n"
    "}\n";

// Writes the graph with one piece of it replaced, where there is such a piece.
static const char *write_graph(const char *name, const char *text, const char *piece, const char *other) {
    const char *path = in_folder(name), *at = piece ? strstr(text, piece) : NULL;
    ck_assert(!piece || at);
    write_text(path, at ? arena_format(arena, "%.*s%s%s", (int)(at - text), text, other, at + strlen(piece)) : text);
    return path;
}

// Element i of a tensor that `run --get` wrote.
static double element(const char *run, const char *name, uint64_t i) {
    HostTensor tensor;
    const char *path = arena_format(arena, "%s/%s.npy", in_folder(run), name);
    ck_assert_msg(npy_read(arena, path, &tensor, diag), "%s", diag_text(diag, arena));
    ck_assert_uint_lt(i, host_count(&tensor));
    return host_number(&tensor, i);
}

typedef struct {
    const char *name;
    uint32_t count;
    double values[5];
} Known;

// From torch 1.13 in float64, with the same data and initial weights: K backward passes of loss/K, clip_grad_norm_, Adam, an average by
// hand.
static const Known PYTORCH[2][12] = {
    {{"report/train.fit.loss@0.0", 1, {5.745069107}},
     {"report/train.fit.loss@1.1", 1, {4.002566142}},
     {"report/train.fit.opt.norm@0.0", 1, {2.978480196}},
     {"report/train.fit.opt.norm@1.1", 1, {2.828251122}},
     {"after/net.batch_norm.mean", 5, {-0.19497620873874805, -0.0210737532442315, -0.1302451143987175, 0.11150774820229165, -0.18252238326533465}},
     {"after/net.batch_norm.variance", 5, {1.1416374742883448, 0.6716752333404016, 0.7099542881480202, 0.5367376599599534, 0.9285014121877606}},
     {"after/net.linear.weight", 5, {0.8308628298355875, 0.23670464909804356, 0.16939618109586554, 0.427669039767243, 0.5349586366790615}},
     {"after/net.linear_1.bias", 2, {0.5368752351493211, 0.22182622055509976}},
     {"after/opt.ema.net.linear.weight", 4, {0.7233250720041484, 0.34465394372523944, 0.06796997933900054, 0.5106377475121913}},
     {"after/opt.m.net.linear.weight", 4, {-0.0024966061606895274, 0.006137681479474037, -0.004838700851581936, 0.0008548904966334369}},
     {"after/opt.v.net.linear.weight", 4, {4.128650366847443e-07, 2.388206524882604e-06, 1.9061269634122185e-06, 6.006803889421643e-08}},
     {"after/opt.count", 1, {4}}},
    {{"report/train.fit.loss@0.0", 1, {5.487960184}},
     {"report/train.fit.loss@1.1", 1, {5.009110657}},
     {"report/train.fit.opt.norm@0.0", 1, {2.855373436}},
     {"report/train.fit.opt.norm@1.1", 1, {2.875407995}},
     {"after/net.batch_norm.mean", 5, {0.035565288912516826, 0.02437725383945733, 0.018953765146478306, -0.00967213595254041, 0.01731174858226476}},
     {"after/net.batch_norm.variance", 5, {1.0990732917753054, 0.5464742160704783, 0.6185734391696373, 0.4370941529395722, 0.8572140312295107}},
     {"after/net.linear.weight", 5, {0.8181743865545232, 0.25707955519179915, 0.16919742721484682, 0.4233524419444118, 0.52141703986485}},
     {"after/net.linear_1.bias", 2, {0.537310123408373, 0.2203775787194589}},
     {"after/opt.ema.net.linear.weight", 4, {0.7221862287034247, 0.34690346919955717, 0.0708588349446905, 0.5037545038444904}},
     {"after/opt.m.net.linear.weight", 4, {-0.0014722901864269418, 0.002725204489393608, -0.0021072497090699614, -0.00021697783029989167}},
     {"after/opt.v.net.linear.weight", 4, {6.149966773844773e-07, 3.6553965383659704e-06, 2.3394861044834493e-06, 1.1970691725258143e-07}},
     {"after/opt.count", 1, {4}}}};

static void run_graph(const char *bundle, const char *more, const char *to) {
    expect_code(0, "run %s train --data ring --seed 3 --steps 2 --get %s %s", bundle, in_folder(to), more);
}

START_TEST(it_is_what_pytorch_does) {
    const char *bundle = in_folder("a.ggb");
    expect_code(0, "compile %s -D K=%d -o %s", write_graph("a.json", GRAPH, "NORM", "batch_norm"), 3 + _i, bundle);
    run_graph(bundle, "--interpret", "judge");
    run_graph(bundle, "", "device");
    for (uint32_t k = 0; k < 12; k++)
        for (uint32_t i = 0; i < PYTORCH[_i][k].count; i++) {
            const Known *known = &PYTORCH[_i][k];
            double size = known->count > 1 && fabs(known->values[i]) < 0.1 ? 0.1 : fabs(known->values[i]);
            double judge = element("judge", known->name, i), device = element("device", known->name, i);
            ck_assert_msg(fabs(judge - known->values[i]) < 1e-9 * size, "%s[%u]: %.12g, not %.12g", known->name, i, judge, known->values[i]);
            ck_assert_msg(fabs(device - known->values[i]) < 2e-5 * size, "%s[%u]: %.9g, not %.9g", known->name, i, device, known->values[i]);
        }
}
END_TEST

// Every number of batches, and the tree that it makes: the device and the judge.
START_TEST(every_number_agrees) {
    const char *path = write_graph("a.json", GRAPH, "NORM", "batch_norm"), *bundle = in_folder("a.ggb");
    static const char *const names[] = {"after/net.linear.weight", "after/net.batch_norm.variance", "after/opt.v.net.linear_1.weight",
                                        "report/train.fit.loss@1.1"};
    expect_code(0, "compile %s -D K=%d -o %s", path, _i, bundle);
    run_graph(bundle, "--interpret", "judge");
    run_graph(bundle, "", "device");
    for (uint32_t k = 0; k < 4; k++)
        for (uint32_t i = 0; i < (k == 3 ? 1 : 5); i++)
            ck_assert_double_eq_tol(element("device", names[k], i), element("judge", names[k], i), 1e-5);
    ck_assert_double_eq(element("device", "after/opt.count", 0), 4);
}
END_TEST

START_TEST(one_is_as_none) {
    const char *with = write_graph("with.json", GRAPH, "NORM", "batch_norm"), *text = read_all(with);
    const char *without = write_graph("without.json", text, "\"accumulate\": \"K\", ", "");
    expect_code(0, "compile %s -D K=1 -o %s", with, in_folder("with.ggb"));
    expect_code(0, "compile %s -o %s", without, in_folder("without.ggb"));
    const char *a = in_folder("with.ggb"), *b = in_folder("without.ggb");
    ck_assert_int_eq(system(arena_format(arena, "diff -r %s/kernels %s/kernels && diff %s/plan.txt %s/plan.txt", a, b, a, b)), 0);
}
END_TEST

// Four batches of 16 are one of 64: the same records, the same update, up to rounding. (Not with batch normalisation.)
START_TEST(four_batches_are_one) {
    const char *path = write_graph("a.json", GRAPH, "\"NORM\"", "\"silu\"");
    const char *small = in_folder("small.ggb"), *large = in_folder("large.ggb");
    static const Known all[] = {{"after/net.linear.weight", 10, {0}},
                                {"after/net.linear_1.bias", 2, {0}},
                                {"after/opt.ema.net.linear_1.weight", 10, {0}},
                                {"report/train.fit.loss@1.1", 1, {0}},
                                {"report/train.fit.opt.norm@1.1", 1, {0}}};
    expect_code(0, "compile %s -D K=4 -D batch=16 -o %s", path, small);
    expect_code(0, "compile %s -D K=1 -D batch=64 -o %s", path, large);
    run_graph(small, "", "small");
    run_graph(large, "", "large");
    for (uint32_t k = 0; k < 5; k++)
        for (uint32_t i = 0; i < all[k].count; i++)
            ck_assert_double_eq_tol(element("small", all[k].name, i), element("large", all[k].name, i), 2e-6);
    ck_assert_double_gt(fabs(element("small", "after/net.linear.weight", 0) - element("small", "before/net.linear.weight", 0)), 1e-2);
}
END_TEST

// w begins at 0, and batch number n has the gradient n: what the update takes, and when, can be told from w.
static const char COUNTED[] =
    "{\n"
    "  \"gcc-graph\": 1,\n"
    "  \"state\": { \"n\": { \"shape\": [] } },\n"
    "  \"networks\": { \"net\": { \"inputs\": {}, \"nodes\": [ { \"parameter\": \"w\", \"shape\": [1], \"init\": \"zeros\" } ] },\n"
    "    \"other\": { \"inputs\": {}, \"nodes\": [ { \"parameter\": \"w\", \"shape\": [1], \"init\": { \"constant\": 5 } } ] } },\n"
    "  \"optimizers\": { \"opt\": { \"of\": \"net\", \"sgd\": { \"lr\": 1 } } },\n"
    "  \"programs\": { \"train\": { \"mode\": \"train\", \"not_finite\": \"skip\", \"steps\": 1, \"phases\": [\n"
    "    { \"name\": \"fit\", \"repeat\": 3, \"accumulate\": 3, \"index\": \"i\", \"nodes\": [\n"
    "      { \"expr\": \"n\", \"as\": \"g\" },\n"
    "      { \"set\": \"n\", \"to\": \"n + 1\" },\n"
    "      { \"call\": \"net\", \"in\": {}, \"as\": \"w\" },\n"
    "      { \"emit\": \"each\", \"value\": \"100*f32(i) + g + w\", \"format\": \"rows\" },\n"
    "      { \"expr\": \"sum(w)*g\", \"as\": \"loss\" },\n"
    "      { \"update\": \"opt\", \"minimize\": \"loss\" } ],\n"
    "      \"report\": [\"g\", \"n\", \"i\", \"opt.norm\", \"g*g\", \"opt.norm*g + f32(i)\", \"norm(net)\", \"sum(w)\"] } ] } }\n"
    "}\n";

static void expect_reports(const char *path, const char *const *lines, uint32_t count) {
    const char *bundle = in_folder("a.ggb");
    expect_code(0, "compile %s -o %s", path, bundle);
    for (uint32_t way = 0; way < 2; way++) {
        expect_code(0, "run %s train %s --get %s", bundle, way ? "--interpret" : "", in_folder(way ? "judge" : "device"));
        for (uint32_t i = 0; i < count; i++)
            expect_out(lines[i]);
    }
}

START_TEST(what_is_done_after_the_last) {
    // Gradients 0, 1, 2; then 3, 4, 5; then 6, 7, 8.
    static const char *const lines[] = {
        "train.fit.g@0.0 1\n",          "train.fit.g@0.1 4\n",          "train.fit.g@0.2 7\n", "train.fit.n@0.0 2\n", "train.fit.i@0.2 2\n",
        "train.fit.opt.norm@0.1 4\n",   "train.fit.g*g@0.0 1.666666",  "train.fit.opt.norm*g + f32(i)@0.1 17\n",
        "train.fit.norm(net)@0.0 1\n",  "train.fit.norm(net)@0.2 12\n", "train.fit.sum(w)@0.1 -1\n"};
    expect_reports(write_graph("a.json", COUNTED, NULL, NULL), lines, 11);
    static const double each[] = {0, 1, 2, 102, 103, 104, 201, 202, 203}; // + w, which is 0, -1, -5
    for (uint32_t i = 0; i < 9; i++)
        ck_assert_double_eq(element("device", arena_format(arena, "emits/each@0.%u", i), 0), each[i]);
    ck_assert_double_eq(element("device", "after/net.w", 0), -12);
}
END_TEST

// The norm of w after each repetition, where the update is `update`.
static void expect_norms(const char *update, double first, double second, double third) {
    const double wanted[] = {first, second, third};
    const char *lines[3];
    for (uint32_t i = 0; i < 3; i++)
        lines[i] = arena_format(arena, "train.fit.norm(net)@0.%u %g\n", i, wanted[i]);
    expect_reports(write_graph("a.json", COUNTED, "{ \"update\": \"opt\", \"minimize\": \"loss\" }", update), lines, 3);
}

START_TEST(conditions_see_means) {
    // By the mean of g; by the index; by the state as the last batch left it.
    expect_norms("{ \"update\": \"opt\", \"minimize\": \"loss\", \"when\": \"g > 3.9 and g < 4.1\" }", 0, 4, 4);
    expect_norms("{ \"update\": \"opt\", \"minimize\": \"loss\", \"when\": \"i != 1 and step == 0\" }", 1, 1, 8);
    expect_norms("{ \"update\": \"opt\", \"minimize\": \"loss\", \"when\": \"n == 9\" }", 0, 0, 7);
}
END_TEST

// What an earlier phase reported is the same in all batches: an integer is no mistake then.
START_TEST(earlier_reports_are_known) {
    static const char UPDATE[] = "{ \"update\": \"opt\", \"minimize\": \"loss\" }", PHASES[] = "\"phases\": [\n";
    const char *when = "{ \"update\": \"opt\", \"minimize\": \"loss\", \"when\": \"first.m == 3 and first.is_even\" }";
    const char *first = arena_format(arena,
                                     "%s{ \"name\": \"first\", \"nodes\": [ { \"expr\": \"step + 3\", \"as\": \"m\" }, { \"expr\": "
                                     "\"step %% 2 == 0\", \"as\": \"is_even\" } ], \"report\": [\"m\", \"is_even\"] },\n",
                                     PHASES);
    const char *path = write_graph("a.json", COUNTED, UPDATE, when), *bundle = in_folder("b.ggb");
    path = write_graph("b.json", read_all(path), PHASES, first);
    expect_code(0, "compile %s -o %s", path, bundle);
    for (uint32_t way = 0; way < 2; way++) {
        expect_code(0, "run %s train --steps 2 %s", bundle, way ? "--interpret" : "");
        expect_out("train.fit.norm(net)@0.2 12\n");
        expect_out("train.fit.norm(net)@1.2 12\n");
    }
}
END_TEST

// Weights after their update, and a state that takes a measure of it.
START_TEST(what_follows_is_set_after_it) {
    static const char UPDATE[] = "{ \"update\": \"opt\", \"minimize\": \"loss\" }";
    expect_norms(arena_format(arena, "%s, { \"set\": \"net\", \"to\": \"clip(net, -2, 2)\" }", UPDATE), 1, 2, 2);
    const char *set = arena_format(arena, "%s, { \"set\": \"last\", \"to\": \"opt.norm + g\" }", UPDATE);
    const char *path = write_graph("a.json", COUNTED, UPDATE, set);
    path = write_graph("b.json", read_all(path), "\"state\": { ", "\"state\": { \"last\": { \"shape\": [] }, ");
    path = write_graph("c.json", read_all(path), "\"sum(w)\"]", "\"sum(w)\", \"last\"]");
    expect_reports(path, (const char *const[]){"train.fit.last@0.0 2\n", "train.fit.last@0.1 8\n", "train.fit.last@0.2 14\n"}, 3);
    // What was changed so is set anew behind it, whatever the value is, and not in each batch before it.
    expect_norms(arena_format(arena, "%s, { \"set\": \"net\", \"to\": \"other\" }", UPDATE), 5, 5, 5);
    path = write_graph("a.json", read_all(path), "\"to\": \"opt.norm + g\" }", "\"to\": \"opt.norm + g\" }, { \"set\": \"last\", \"to\": \"g + 1\" }");
    expect_reports(path, (const char *const[]){"train.fit.last@0.0 2\n", "train.fit.last@0.1 5\n", "train.fit.last@0.2 8\n"}, 3);
}
END_TEST

// What lists, records and families of names hold is crossed as what it is: 3, 12 and 21 is what the batches add up to.
START_TEST(values_in_values_are_means_too) {
    static const char *const made[] = {"{ \"expr\": \"[3*g, 7]\", \"as\": \"c\" }", "{ \"expr\": \"3*g\", \"push\": \"c\" }", "{ \"expr\": \"3*g\", \"as\": \"c[0]\" }"};
    static const char *const named[] = {"c[0]", "pop(c)", "c[0]"};
    for (uint32_t i = 0; i < 3; i++) {
        const char *when = arena_format(arena, "%s, { \"update\": \"opt\", \"minimize\": \"loss\", \"when\": \"abs(%s - 12) < 0.1\" }", made[i], named[i]);
        expect_norms(when, 0, 4, 4);
        const char *set = arena_format(arena, "%s, { \"update\": \"opt\", \"minimize\": \"loss\" }, { \"set\": \"net\", \"to\": \"net*0 + %s + 0*opt.norm\" }", made[i], named[i]);
        expect_norms(set, 3, 12, 21);
    }
    // Records and lists that the end makes itself are its own.
    expect_norms("{ \"update\": \"opt\", \"minimize\": \"loss\" }, { \"set\": \"net\", \"to\": \"net*0 + topk(stack([opt.norm, g - 9], 0), 1).values[0] + split(stack([g, g], 0), 1, 0)[1][0]\" }", 2, 8,
                 14);
}
END_TEST

// A phase's own "when" goes by what it reported: the mean of the batches, over the repetitions (4 in step 0, 13 in step 1).
START_TEST(phases_go_by_reports) {
    const char *bundle = in_folder("a.ggb"), *name = "\"name\": \"fit\"";
    const char *path = write_graph("a.json", COUNTED, name, "\"name\": \"fit\", \"when\": \"fit.g < 5\"");
    path = write_graph("b.json", read_all(path), "\"steps\": 1,", "\"steps\": 9, \"stop\": \"fit.g > 12 and step == 3\",");
    expect_code(0, "compile %s -o %s", path, bundle);
    for (uint32_t way = 0; way < 2; way++) {
        expect_code(0, "run %s train --steps 9 %s", bundle, way ? "--interpret" : "");
        expect_out("train.fit.g@1.2 16\n");
        expect_out("stopped after step 4");
        ck_assert_ptr_null(strstr(out, "train.fit.g@2"));
    }
}
END_TEST

// What a phase before reported, of whatever type, is the same in each batch: the update goes by it as it is.
START_TEST(updates_go_by_reports) {
    static const char LOOK[] = "{ \"name\": \"look\", \"nodes\": [ { \"expr\": \"step != 1\", \"as\": \"good\" }, { \"expr\": \"step + 7\", \"as\": \"number\" } ], "
                               "\"report\": [\"good\", \"number\"] }";
    const char *path = write_graph("a.json", COUNTED, "\"phases\": [", arena_format(arena, "\"phases\": [ %s,", LOOK));
    path = write_graph("b.json", read_all(path), "\"minimize\": \"loss\" }", "\"minimize\": \"loss\", \"when\": \"look.good and look.number == 7\" }");
    const char *bundle = in_folder("a.ggb");
    expect_code(0, "compile %s -o %s", path, bundle);
    for (uint32_t way = 0; way < 2; way++) {
        expect_code(0, "run %s train --steps 3 %s", bundle, way ? "--interpret" : "");
        expect_out("train.fit.norm(net)@0.2 12\n");
        expect_out("train.fit.norm(net)@1.2 12\n");
        expect_out("train.fit.norm(net)@2.2 12\n");
    }
}
END_TEST

// A gradient that is not finite in one batch of a repetition: its update is skipped, as a whole.
START_TEST(wild_batches_are_skipped) {
    const char *path = write_graph("a.json", COUNTED, "sum(w)*g", "sum(w)*g*exp(select(n == 5, 1000.0, 0.0))");
    static const char *const lines[] = {"train.fit.norm(net)@0.0 1\n", "train.fit.norm(net)@0.1 1\n", "train.fit.norm(net)@0.2 8\n",
                                        "train.fit.opt.skipped@0.0 0\n", "train.fit.opt.skipped@0.1 1\n", "train.fit.opt.norm@0.1 inf\n"};
    expect_reports(path, lines, 6);
}
END_TEST

static uint64_t planned(const char *key) {
    const char *memory = strstr(out, "\"memory\""), *at = memory ? strstr(memory, arena_format(arena, "\"%s\": ", key)) : NULL;
    ck_assert_msg(at != NULL, "%s", out);
    return strtoull(at + strlen(key) + 4, NULL, 10);
}

// ceil(log2 K) + 1 sets of gradients, and as many of the two scalars that are reported; of scratch what one batch takes.
START_TEST(memory_grows_with_the_logarithm) {
    static const uint32_t counts[][2] = {{2, 2}, {3, 3}, {4, 3}, {5, 4}, {8, 4}, {9, 5}, {1000, 11}};
    const char *path = write_graph("a.json", GRAPH, "NORM", "batch_norm");
    expect_code(0, "summary %s -D K=1 --target cpu --json", path);
    uint64_t plain = planned("state"), scratch = planned("scratch"), one = 0;
    for (uint32_t i = 0; i < 7; i++) {
        expect_code(0, "summary %s -D K=%u --target cpu --json", path, counts[i][0]);
        one = one ? one : (planned("state") - plain) / 2;
        ck_assert_uint_ge(one, 4 * (10 + 5 + 5 + 10 + 2));
        ck_assert_uint_eq(planned("state") - plain, counts[i][1] * one);
        ck_assert_uint_le(planned("scratch"), scratch);
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("accumulation");
    TCase *tests = tcase_create("accumulation");
    tcase_set_timeout(tests, 120);
    tcase_add_checked_fixture(tests, setup, teardown);
    if (!has_device())
        return EXIT_SUCCESS;
    tcase_add_loop_test(tests, it_is_what_pytorch_does, 0, 2);
    tcase_add_loop_test(tests, every_number_agrees, 1, 9);
    tcase_add_test(tests, one_is_as_none);
    tcase_add_test(tests, four_batches_are_one);
    tcase_add_test(tests, what_is_done_after_the_last);
    tcase_add_test(tests, conditions_see_means);
    tcase_add_test(tests, earlier_reports_are_known);
    tcase_add_test(tests, what_follows_is_set_after_it);
    tcase_add_test(tests, values_in_values_are_means_too);
    tcase_add_test(tests, phases_go_by_reports);
    tcase_add_test(tests, updates_go_by_reports);
    tcase_add_test(tests, wild_batches_are_skipped);
    tcase_add_test(tests, memory_grows_with_the_logarithm);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
