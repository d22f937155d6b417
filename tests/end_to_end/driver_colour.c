// Painted birds to the end: data made, a network trained on it, its colours measured, and samples made of texts. The network is one linear
// map from captions to pixels: it cannot paint birds, but learns in seconds which colour lies in the middle and which around it.
#include "runtime/tensor/tensor_file.h"
#include "runtime/data/encoder.h"
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

static const char *bytes_of(const char *name, size_t *size) {
    const char *bytes = file_read(arena, in_folder(name), size, diag);
    ck_assert_msg(bytes != NULL, "%s", diag_text(diag, arena));
    return bytes;
}

static void write_vectors(const char *name, ElementType dtype, uint32_t rank, uint64_t rows, uint64_t size) {
    HostTensor tensor = {.name = name, .dtype = dtype, .rank = rank, .dims = {rank == 2 ? rows : size, size}};
    tensor.size = rows * size * element_bytes(dtype);
    tensor.data = ARENA_NEW(arena, char, tensor.size);
    ck_assert_msg(npy_write(in_folder(name), &tensor, diag), "%s", diag_text(diag, arena));
}

// An image's pixels in a folder's samples.npy.
static const float *pixels_of(const char *sample, uint32_t image) {
    HostTensor tensor;
    ck_assert_msg(npy_read(arena, in_folder(sample), &tensor, diag), "%s", diag_text(diag, arena));
    return (const float *)tensor.data + (size_t)image * 768;
}

static void expect_file(const char *name) { ck_assert_msg(file_exists(in_folder(name)), "%s is not there", name); }

START_TEST(samples_are_made_of_texts) {
    make_all();
    const char *bundle = in_folder("painter.ggb"), *run = in_folder("run"), *birds = in_folder("birds");
    size_t size = 0;
    ck_assert_ptr_nonnull(strstr(bytes_of("run/run.json", &size), encoder_default()->name));
    expect_file("run/previews/step-000300-figure.png"); // what a training leaves behind, unasked
    expect_file("run/previews/step-000300-samples.png");
    ck_assert_ptr_nonnull(strstr(bytes_of("run/architecture.txt", &size), "network G"));
    const char *common = arena_format(arena, "sample %s --from %s --program sample", bundle, run);

    expect_code(0, "%s --text 'a red bird' --text 'a blue <bird> & more' --tensors --out %s", common, in_folder("two"));
    ck_assert_str_eq(err, "");
    ck_assert_ptr_nonnull(strstr(bytes_of("two/figure.html", &size), "a blue &lt;bird&gt; &amp; more"));
    ck_assert_ptr_nonnull(strstr(bytes_of("two/figure.html", &size), "data:image/png;base64,"));
    expect_file("two/figure.png");
    ck_assert(memcmp(pixels_of("two/samples.npy", 0), pixels_of("two/samples.npy", 2), 768 * 4) == 0); // the texts take turns
    ck_assert(memcmp(pixels_of("two/samples.npy", 0), pixels_of("two/samples.npy", 1), 768 * 4) != 0);

    float vector[2][1024];
    encoder_default()->encode("a red bird", vector[0]);
    encoder_default()->encode("a blue <bird> & more", vector[1]);
    HostTensor tensor = {.dtype = ELEMENT_F32, .rank = 2, .dims = {2, 1024}, .data = vector, .size = sizeof vector};
    ck_assert(npy_write(in_folder("two.npy"), &tensor, diag));
    expect_code(0, "%s --embedding %s --encoder %s --tensors --out %s", common, in_folder("two.npy"), encoder_default()->name,
                in_folder("same"));
    ck_assert(memcmp(pixels_of("two/samples.npy", 0), pixels_of("same/samples.npy", 0), 64 * 768 * 4) == 0);

    expect_code(0, "%s --data cub:%s --count 3 --out %s", common, birds, in_folder("data"));
    expect_file("data/figure.html");
    expect_code(0, "%s --text 'a red bird' --text 'a blue bird' --interpolate 4 --count 3 --out %s", common, in_folder("between"));
    expect_file("between/interpolation-samples.png");
    ck_assert(!file_exists(in_folder("between/figure.png")));
}
END_TEST

START_TEST(wrong_texts_are_refused) {
    make_all();
    const char *bundle = in_folder("painter.ggb"), *run = in_folder("run"), *birds = in_folder("birds");
    const char *common = arena_format(arena, "sample %s --from %s --out %s --program", bundle, run, in_folder("out"));
    expect_code(1, "%s sample", common);
    expect_err("give it --text \"...\", --embedding FILE.npy or --data SPEC");
    expect_code(1, "%s sample --text a --data cub:%s", common, birds);
    expect_err("only one of --text");
    expect_code(1, "%s blind --text a", common);
    expect_err("the program \"blind\" takes no texts");
    expect_code(1, "%s sample --text a --text b --text c --interpolate 5", common);
    expect_err("texts there are 3");
    expect_code(1, "%s sample --text a --text b --interpolate 1", common);
    expect_err("N is 1");
    write_vectors("narrow.npy", ELEMENT_F32, 2, 3, 16);
    write_vectors("whole.npy", ELEMENT_I32, 1, 1, 1024);
    write_vectors("right.npy", ELEMENT_F32, 1, 1, 1024);
    expect_code(1, "%s sample --embedding %s", common, in_folder("narrow.npy"));
    expect_err("[count, 1024] or [1024]; here are f32 of the rank 2 with a last axis of 16");
    expect_code(1, "%s sample --embedding %s", common, in_folder("whole.npy"));
    expect_err("here are i32");
    expect_code(1, "%s sample --embedding %s", common, in_folder("absent.npy"));
    expect_err("absent.npy");
    expect_code(1, "%s sample --embedding %s", common, in_folder("right.npy"));
    expect_err(
        arena_format(arena, "was trained with texts of the encoder %s; these are of the encoder char-CNN-RNN", encoder_default()->name));

    // The same folder without its note of the encoder: char-CNN-RNN's.
    ck_assert(remove(in_folder("birds/encoder.json")) == 0);
    expect_code(1, "%s sample --data cub:%s", common, birds);
    expect_err("these are of the encoder char-CNN-RNN");
    expect_code(1, "eval colour %s --from %s --data cub:%s --program sample", bundle, run, birds);
    expect_err("these are of the encoder char-CNN-RNN");
    expect_code(1, "train %s --data cub:%s --out %s --init G=%s", bundle, birds, in_folder("next"), run);
    expect_err("was trained with texts of the encoder");
    expect_code(1, "train %s --out %s --resume", bundle, run);
    expect_err("the run began with texts of the encoder");
    expect_code(0, "train %s --data cub:%s --out %s --steps 2", bundle, birds, in_folder("other"));
    expect_code(1, "sample %s --from %s --program sample --out %s --text 'a red bird'", bundle, in_folder("other"), in_folder("out"));
    expect_err("the encoder char-CNN-RNN, which is not built in: give its vectors by --embedding");
    expect_code(0, "sample %s --from %s --program sample --out %s --embedding %s", bundle, in_folder("other"), in_folder("out"),
                in_folder("right.npy"));
}
END_TEST

// Crops, flips and captions are drawn in worker threads, and previews run in between: none of it may show in the numbers.
START_TEST(resume_is_bit_identical) {
    write_text(in_folder("painter.json"), GRAPH);
    expect_code(0, "data make birds --out %s --count 120 --size 64 --seed 3", in_folder("birds"));
    expect_code(0, "compile %s -o %s", in_folder("painter.json"), in_folder("painter.ggb"));
    const char *common = arena_format(arena, "train %s --data cub:%s --steps 14", in_folder("painter.ggb"), in_folder("birds"));
    expect_code(0, "%s --out %s", common, in_folder("whole"));
    expect_code(0, "%s --out %s --stop-at 5 --sample-every 2 --sample-program sample", common, in_folder("parts"));
    expect_file("parts/previews/step-000004-figure.html");
    expect_code(0, "train %s --out %s --resume", in_folder("painter.ggb"), in_folder("parts"));
    expect_file("parts/previews/step-000014-figure.png");
    size_t size, other_size;
    const char *bytes = bytes_of("whole/checkpoint-000014.safetensors", &size);
    const char *others = bytes_of("parts/checkpoint-000014.safetensors", &other_size);
    ck_assert_uint_eq(size, other_size);
    ck_assert(memcmp(bytes, others, size) == 0);
    bytes = bytes_of("whole/metrics.csv", &size);
    others = bytes_of("parts/metrics.csv", &other_size);
    ck_assert(size == other_size && memcmp(bytes, others, size) == 0);
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
    tcase_add_test(tests, samples_are_made_of_texts);
    tcase_add_test(tests, wrong_texts_are_refused);
    tcase_add_test(tests, resume_is_bit_identical);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
