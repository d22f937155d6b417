// Painted birds to the end: data made, a network trained on it, and its colours measured. The network is one linear map from captions to
// pixels: it cannot paint birds, but learns in seconds which colour lies in the middle and which around it.
#include "tests/end_to_end/command.h"

static const char GRAPH[] =
    "{\n"
    "  \"gcc-graph\": 1, \"name\": \"painter\",\n"
    "  \"data\": { \"birds\": { \"batch\": 32, \"fields\": { \"image\": { \"shape\": [3, 16, 16], \"range\": [-1, 1] },\n"
    "                                                   \"text\": { \"shape\": [1024] } } } },\n"
    "  \"networks\": { \"G\": { \"dims\": [\"n\"], \"inputs\": { \"text\": [\"n\", 1024] },\n"
    "    \"nodes\": [ { \"op\": \"linear\", \"features\": 768, \"init\": \"zeros\" }, { \"expr\": \"tanh(reshape($, [n, 3, 16, 16]))\" } ] "
    "} },\n"
    "  \"optimizers\": { \"g\": { \"of\": \"G\", \"adam\": { \"lr\": 5e-4 } } },\n"
    "  \"programs\": {\n"
    "    \"train\": { \"mode\": \"train\", \"steps\": 300, \"phases\": [ { \"name\": \"fit\",\n"
    "      \"feed\": { \"real\": \"birds.image\", \"text\": \"birds.text\" },\n"
    "      \"nodes\": [ { \"call\": \"G\", \"in\": \"text\" }, { \"expr\": \"mean(($ - real)^2)\", \"as\": \"loss\" },\n"
    "                 { \"update\": \"g\", \"minimize\": \"loss\" } ], \"report\": [\"loss\"] } ] },\n"
    "    \"sample\": { \"mode\": \"eval\", \"let\": { \"count\": 64 }, \"inputs\": { \"text\": [\"count\", 1024] }, \"phases\": [ { "
    "\"name\": \"draw\",\n"
    "      \"nodes\": [ { \"call\": \"G\", \"in\": \"text\" }, { \"emit\": \"samples\", \"value\": \"$\", \"format\": \"image\" } ] } ] "
    "},\n"
    "    \"blind\": { \"mode\": \"eval\", \"phases\": [ { \"name\": \"draw\",\n"
    "      \"nodes\": [ { \"random\": \"normal\", \"shape\": [4, 3, 16, 16], \"as\": \"z\" }, { \"emit\": \"samples\", \"value\": \"z\", "
    "\"format\": \"image\" } ] } ] }\n"
    "  }\n"
    "}\n";

static double number_after(const char *text, const char *first, const char *key) {
    const char *at = strstr(text, first);
    ck_assert_ptr_nonnull(at);
    at = strstr(at, key);
    ck_assert_ptr_nonnull(at);
    return strtod(at + strlen(key), NULL);
}

static void make_all(void) {
    write_text(in_folder("painter.json"), GRAPH);
    expect_code(0, "data make birds --out %s --count 900 --size 64 --seed 3", in_folder("birds"));
    expect_code(0, "compile %s -o %s", in_folder("painter.json"), in_folder("painter.ggb"));
    expect_code(0, "train %s --data cub:%s --out %s", in_folder("painter.ggb"), in_folder("birds"), in_folder("run"));
}

START_TEST(colours_are_measured) {
    make_all();
    const char *bundle = in_folder("painter.ggb"), *run = in_folder("run"), *birds = in_folder("birds");
    expect_code(0, "eval colour %s --from %s --data cub:%s --count 200 --program sample --out %s --json", bundle, run, birds,
                in_folder("colours"));
    ck_assert_uint_eq((unsigned)number_after(out, "\"samples\": {", "\"count\": "), 200);
    double body = number_after(out, "\"samples\": {", "\"body\": "), shuffled = number_after(out, "\"samples\": {", "\"body_shuffled\": ");
    ck_assert_msg(body > 0.5 && shuffled < 0.25, "body %g, shuffled %g", body, shuffled);
    double real = number_after(out, "\"real\": {", "\"body\": "), background = number_after(out, "\"real\": {", "\"background\": ");
    ck_assert_msg(real > 0.9 && background > 0.97, "real: body %g, background %g", real, background);
    ck_assert(file_exists(in_folder("colours/samples.png")) && file_exists(in_folder("colours/captions.txt")));
    char *first = arena_copy_text(arena, out);
    expect_code(0, "eval colour %s --from %s --data cub:%s --count 200 --program sample --json", bundle, run, birds);
    ck_assert_str_eq(out, first);
    expect_code(0, "eval colour %s --from %s --data cub:%s --count 70 --program sample", bundle, run, birds);
    expect_out("chance            0.125");

    expect_code(2, "eval colour %s --from %s --program sample", bundle, run);
    expect_err("one --data cub:DIR is needed");
    expect_code(2, "eval colour %s --data cub:%s --program sample", bundle, birds);
    expect_err("--from RUN is missing");
    expect_code(2, "eval colour %s --from %s --data cub:%s --count 0", bundle, run, birds);
    expect_code(1, "eval colour %s --from %s --data ring --program sample", bundle, run);
    expect_err("only painted birds have known colours");
    expect_code(1, "eval colour %s --from %s --data cub:%s --program blind", bundle, run, birds);
    expect_err("takes no captions");
    ck_assert(remove(in_folder("birds/attributes.json")) == 0);
    expect_code(1, "eval colour %s --from %s --data cub:%s --program sample", bundle, run, birds);
    expect_err("attributes.json");
}
END_TEST

int main(void) {
    if (!has_device())
        return 77;
    Suite *suite = suite_create("colour");
    TCase *tests = tcase_create("colour");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 300);
    tcase_add_test(tests, colours_are_measured);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
