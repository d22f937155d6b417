// Pictures of one's own: a painted folder, and the README's commands about such a folder as they stand there (at the sizes of the preset
// "check"), to samples by the name of a class in a grid with names; captions as tokens and as vectors, from training to `--text`. `paint DIR COUNT` paints such a folder for a training by hand.
#include "runtime/tensor/tensor_file.h"
#include "tests/end_to_end/command.h"
#include "tests/end_to_end/painted.h"

enum { PICTURES = 200 };

static const char *replaced(const char *text, const char *from, const char *to) {
    Text made = text_create(arena);
    for (const char *at; (at = strstr(text, from)); text = at + strlen(from)) {
        text_append_bytes(&made, text, (size_t)(at - text));
        text_append(&made, to);
    }
    text_append(&made, text);
    return made.data;
}

// The README's lines of commands below the words, without comments; the first is "    gcc-graph …".
static const char **commands_below(const char *words, uint32_t *count) {
    char *text = strstr(read_all(GG_SOURCE_DIR "/README.md"), words);
    ARRAY(const char *) lines = {0};
    ck_assert_msg(text != NULL, "the README does not say \"%s\"", words);
    char *at = strstr(text, "\n    gcc-graph ");
    for (char *line = at ? at + 1 : NULL, *end; line && text_starts_with(line, "    gcc-graph "); line = end + 1) {
        end = strchr(line, '\n');
        *end = 0;
        char *comment = strstr(line, " #");
        if (comment)
            *comment = 0;
        array_push(arena, &lines, line + strlen("    gcc-graph "));
    }
    *count = lines.count;
    return lines.items;
}

static void expect_picture(const char *path, uint32_t width_above) {
    Image image;
    ck_assert_msg(image_read(arena, path, &image, NULL, NULL, diag), "%s", diag_text(diag, arena));
    ck_assert_msg(image.width > width_above, "%s: %u x %u", path, image.width, image.height);
}

START_TEST(the_readme_from_pictures_to_pictures) {
    uint32_t count;
    const char **commands = commands_below("Pictures of your own", &count);
    ck_assert_uint_ge(count, 4);
    ck_assert_msg(paint_folder(in_folder("photos"), PICTURES, diag), "%s", diag_text(diag, arena));
    for (uint32_t i = 0; i < count; i++) {
        const char *line = replaced(replaced(commands[i], "images:photos", arena_format(arena, "images:%s", in_folder("photos"))), "small", "check");
        line = replaced(replaced(line, "build/", arena_format(arena, "%s/", folder)), "runs/", arena_format(arena, "%s/runs-", folder));
        expect_code(0, "%s", replaced(line, "--out samples", arena_format(arena, "--out %s/samples", folder)));
        if (text_starts_with(commands[i], "data describe"))
            expect_out("train");
    }
    // What the commands left: pictures of a class, and a grid of both with their names (wider than the pictures).
    expect_picture(in_folder("samples/samples.png"), 16);
    expect_picture(in_folder("runs-mine/previews/step-000020-samples.png"), 16);
    const char *bundle = in_folder("mine.ggb"), *from = in_folder("runs-mine");
    ck_assert_ptr_nonnull(strstr(read_all(in_folder("runs-mine/run.json")), "\"images\": [\"boats\", \"trees\"]"));
    expect_code(0, "sample %s --from %s --out %s --set label=trees,boats --tensors", bundle, from, in_folder("named"));
    expect_code(0, "sample %s --from %s --out %s --set label=1,0 --tensors", bundle, from, in_folder("numbered"));
    size_t size, other;
    const char *named = file_read(arena, in_folder("named/samples.npy"), &size, diag), *numbered = file_read(arena, in_folder("numbered/samples.npy"), &other, diag);
    ck_assert(size > 0 && size == other && memcmp(named, numbered, size) == 0);
    expect_picture(in_folder("named/samples.png"), 2 * 24);
    expect_code(1, "sample %s --from %s --out %s --set label=tree", bundle, from, in_folder("none"));
    expect_err("--set label: there is no class \"tree\"; did you mean \"trees\"?");
    expect_code(0, "run %s sample --from %s --set label=trees --set guidance=1", bundle, from);
    expect_code(0, "run %s sample --from %s --set label=trees --interpret", bundle, from);
    // Elsewhere since, and with fewer pictures.
    ck_assert(rename(in_folder("photos"), in_folder("moved")) == 0);
    expect_code(1, "train %s --out %s --resume --steps 21", bundle, from);
    expect_err("/photos, where nothing is any more: --data images:… says where it lies now");
    const char **names = file_list(arena, in_folder("moved/trees"), &count, diag);
    for (uint32_t i = 0; i < count && i < 5; i++)
        ck_assert(file_remove_tree(file_join(arena, in_folder("moved/trees"), names[i]), diag));
    expect_code(0, "train %s --out %s --resume --steps 21 --data images:%s", bundle, from, in_folder("moved"));
    expect_err("it goes on with images:");
    expect_err("the records are not those that the run began with, so it does not go on as it would have: images: ");
    // A label must mean tomorrow what it meant today.
    ck_assert(rename(in_folder("moved/boats"), in_folder("moved/vessels")) == 0);
    expect_code(1, "train %s --out %s --resume --steps 22", bundle, from);
    expect_err("the run began with \"boats\" as class 0 of the data set \"images\"; now that is \"trees\"");
}
END_TEST

// The bytes of a caption, each a vector, together a picture: too little to paint, enough to learn that boats are at sea and trees in a meadow.
static const char READER[] =
    "{ \"gcc-graph\": 1, \"name\": \"reader\", \"let\": { \"n\": 40 },\n"
    "  \"data\": { \"photos\": { \"batch\": 16, \"augment\": { \"resize\": 8, \"crop\": 8, \"flip\": true }, \"fields\": {\n"
    "    \"image\": { \"shape\": [3, 8, 8], \"range\": [-1, 1] }, \"vector\": { \"shape\": [1024] },\n"
    "    \"text\": { \"shape\": [\"n\"], \"dtype\": \"i32\", \"tokens\": { \"of\": \"bytes\" } } } } },\n"
    "  \"networks\": { \"G\": { \"dims\": [\"n\"], \"inputs\": { \"text\": { \"shape\": [\"n\", 40], \"dtype\": \"i32\" } }, \"nodes\": [\n"
    "      { \"op\": \"embedding\", \"count\": 257, \"features\": 16 }, { \"expr\": \"mean($*f32(text > 0)[:, :, None], [1])\" },\n"
    "      { \"op\": \"linear\", \"features\": 192 }, { \"op\": \"tanh\" }, { \"expr\": \"reshape($, [n, 3, 8, 8])\" } ] } },\n"
    "  \"optimizers\": { \"opt\": { \"of\": \"G\", \"adam\": { \"lr\": 0.02 } } },\n"
    "  \"programs\": { \"train\": { \"mode\": \"train\", \"steps\": 150, \"phases\": [ { \"name\": \"fit\",\n"
    "      \"feed\": { \"x\": \"photos.image\", \"text\": \"photos.text\", \"vector\": \"photos.vector\" },\n"
    "      \"nodes\": [ { \"call\": \"G\", \"in\": \"text\" }, { \"expr\": \"mean(($ - x)^2)\", \"as\": \"loss\" },\n"
    "        { \"expr\": \"mean(sum(vector^2, [1]))\", \"as\": \"length\" }, { \"update\": \"opt\", \"minimize\": \"loss\" } ],\n"
    "      \"report\": [\"loss\", \"length\"] } ] },\n"
    "    \"sample\": { \"inputs\": { \"text\": { \"shape\": [4, \"n\"], \"dtype\": \"i32\", \"tokens\": { \"of\": \"bytes\" } } }, \"phases\": [ {\n"
    "      \"name\": \"p\", \"nodes\": [ { \"call\": \"G\", \"in\": \"text\" }, { \"emit\": \"samples\", \"value\": \"$\", \"format\": \"image\" } ] } ] } } }\n";

// Of the lowest row of picture `row`: green less blue.
static double ground_of(const char *path, uint32_t row) {
    HostTensor tensor;
    ck_assert_msg(npy_read(arena, path, &tensor, diag), "%s", diag_text(diag, arena));
    double sum = 0;
    for (uint32_t x = 0; x < 8; x++)
        sum += host_number(&tensor, row * 192 + 64 + 56 + x) - host_number(&tensor, row * 192 + 128 + 56 + x);
    return sum / 8;
}

START_TEST(captions_reach_a_network) {
    write_text(in_folder("reader.json"), READER);
    ck_assert_msg(paint_folder(in_folder("photos"), 60, diag), "%s", diag_text(diag, arena));
    expect_code(0, "compile %s -o %s", in_folder("reader.json"), in_folder("reader.ggb"));
    expect_code(0, "train %s --data images:%s --out %s", in_folder("reader.ggb"), in_folder("photos"), in_folder("run"));
    expect_err("length 4096"); // 64 squared: vectors of the built-in encoder
    expect_picture(in_folder("run/previews/step-000150-figure.png"), 16); // captions of the test split beside what was made of them
    expect_code(0, "sample %s --from %s --out %s --tensors --text 'a boat with a red sail' --text 'a tree with green leaves'", in_folder("reader.ggb"),
                in_folder("run"), in_folder("said"));
    expect_picture(in_folder("said/figure.png"), 16);
    ck_assert_double_lt(ground_of(in_folder("said/samples.npy"), 0), -0.1); // the sea
    ck_assert_double_gt(ground_of(in_folder("said/samples.npy"), 1), 0.1);
    ck_assert(file_remove_tree(in_folder("photos/boats"), diag));
    for (uint32_t i = 1; i < 60; i += 2)
        ck_assert(file_remove_tree(in_folder(arena_format(arena, "photos/trees/no %03u.txt", i)), diag));
    expect_code(1, "train %s --data images:%s --out %s", in_folder("reader.ggb"), in_folder("photos"), in_folder("mute"));
    expect_err("has no texts, but the graph declares photos.");
}
END_TEST

int main(int argc, char **argv) {
    if (argc == 4 && strcmp(argv[1], "paint") == 0) {
        arena = arena_create();
        diag = diag_create(arena);
        bool ok = paint_folder(argv[2], (uint32_t)strtoul(argv[3], NULL, 10), diag);
        diag_print(diag, stderr);
        arena_destroy(&arena);
        return !ok;
    }
    Suite *suite = suite_create("pictures");
    TCase *tests = tcase_create("all");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 300);
    tcase_add_test(tests, the_readme_from_pictures_to_pictures);
    tcase_add_test(tests, captions_reach_a_network);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
