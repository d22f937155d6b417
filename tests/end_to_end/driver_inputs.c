// Inputs of programs on the command line, given to `run` on a device, to `run` interpreted and to `sample`: what is given, what is missing,
// what nothing uses; which program is sampled, how much of it is kept, what is written and what is never overwritten.
#include "runtime/tensor/tensor_file.h"
#include "runtime/data/jpeg.h"
#include "runtime/show/image.h"
#include "tests/end_to_end/command.h"

// Nothing in it is trained. `digits` paints the label's grey; `enlarge` doubles photographs.
static const char GRAPH[] =
    "{ \"gcc-graph\": 1, \"name\": \"given\", \"let\": { \"count\": 6 },\n"
    "  \"data\": { \"points\": { \"batch\": 2, \"fields\": { \"point\": { \"shape\": [2] } } } },\n"
    "  \"networks\": { \"f\": { \"dims\": [\"n\"], \"inputs\": { \"x\": [\"n\", 2] }, \"nodes\": [ { \"op\": \"linear\", \"features\": 2 } ] } },\n"
    "  \"optimizers\": { \"opt\": { \"of\": \"f\", \"sgd\": { \"lr\": 0.1 } } },\n"
    "  \"programs\": {\n"
    "    \"train\": { \"mode\": \"train\", \"steps\": 2, \"inputs\": { \"rate\": { \"shape\": [], \"default\": 0.25 } }, \"phases\": [ { \"name\": "
    "\"fit\", \"feed\": { \"x\": \"points.point\" }, \"nodes\": [ { \"call\": \"f\", \"in\": \"x\" }, { \"expr\": \"mean(($ - x)^2)\", \"as\": \"loss\" },\n"
    "      { \"update\": \"opt\", \"minimize\": \"loss\" } ], \"report\": [\"loss\", \"rate\"] } ] },\n"
    "    \"digits\": { \"inputs\": { \"label\": { \"shape\": [\"count\"], \"dtype\": \"i32\", \"below\": 3, \"default\": \"range(3)\" } }, \"phases\": [ { "
    "\"name\": \"p\",\n"
    "      \"nodes\": [ { \"expr\": \"broadcast(f32(label)[:, None, None, None] - 1, [count, 1, 4, 4])\" }, { \"emit\": \"picture\", \"value\": \"$\", "
    "\"format\": \"image\" } ] } ] },\n"
    "    \"enlarge\": { \"inputs\": { \"low\": { \"shape\": [2, 3, 4, 4], \"range\": [-1, 1] } }, \"phases\": [ { \"name\": \"p\",\n"
    "      \"nodes\": [ { \"op\": \"upsample_nearest\", \"in\": \"low\", \"factor\": 2 }, { \"emit\": \"high\", \"value\": \"$\", \"format\": \"image\" },\n"
    "        { \"emit\": \"means\", \"value\": \"mean(low, [1, 2, 3])\", \"format\": \"tensor\" } ] } ] },\n"
    "    \"plain\": { \"inputs\": { \"y\": [4], \"spare\": [2] }, \"phases\": [ { \"name\": \"p\", \"nodes\": [ { \"emit\": \"out\", \"value\": \"y + 0\",\n"
    "      \"format\": \"tensor\" } ] } ] }\n"
    "  }\n"
    "}\n";

// Images of captions: each of its numbers is a level.
static const char TEXTS[] =
    "{ \"gcc-graph\": 1, \"name\": \"painted\", \"programs\": { \"paint\": { \"inputs\": { \"text\": [4, 1024] }, \"phases\": [ { \"name\": \"p\",\n"
    "  \"nodes\": [ { \"emit\": \"image\", \"value\": \"reshape(8*text[:, 0:192], [4, 3, 8, 8])\", \"format\": \"image\" } ] } ] } } }\n";

// What a program reads of texts, as it reads them.
static const char TOKENS[] =
    "{ \"gcc-graph\": 1, \"name\": \"read\", \"include\": [\"lists/data.json\"],\n"
    "  \"programs\": { \"read\": { \"inputs\": { \"text\": { \"shape\": [2, 8], \"dtype\": \"i32\", \"tokens\": { \"of\": \"lists/words.txt\" } } },\n"
    "    \"phases\": [ { \"name\": \"p\", \"nodes\": [ { \"emit\": \"ids\", \"value\": \"text\", \"format\": \"rows\" } ] } ] },\n"
    "    \"captions\": { \"phases\": [ { \"name\": \"p\", \"feed\": { \"ids\": \"birds.ids\", \"text\": \"birds.text\" }, \"nodes\": [\n"
    "      { \"emit\": \"ids\", \"value\": \"ids\", \"format\": \"rows\" }, { \"emit\": \"text\", \"value\": \"text\", \"format\": \"rows\" } ] } ] } } }\n";
// In another folder: its list lies beside it.
static const char TOKENS_DATA[] =
    "{ \"gcc-graph\": 1, \"data\": { \"birds\": { \"batch\": 4, \"fields\": {\n"
    "  \"ids\": { \"shape\": [8], \"dtype\": \"i32\", \"tokens\": { \"of\": \"../lists/./words.txt\" } },\n"
    "  \"text\": { \"shape\": [8], \"dtype\": \"i32\", \"tokens\": { \"of\": \"bytes\" } } } } } }\n";

static const char *bundle;

static void compile(const char *graph) {
    bundle = in_folder("given.ggb");
    write_text(in_folder("given.json"), graph);
    expect_code(0, "compile %s -o %s", in_folder("given.json"), bundle);
}

static HostTensor read_tensor(const char *path) {
    HostTensor tensor;
    ck_assert_msg(npy_read(arena, path, &tensor, diag), "%s", diag_text(diag, arena));
    return tensor;
}

static Image read_picture(const char *path) {
    Image image;
    ck_assert_msg(image_read(arena, path, &image, NULL, NULL, diag), "%s", diag_text(diag, arena));
    return image;
}

static void paint(const char *name, uint8_t level, bool is_jpeg) {
    Image image = image_create(arena, 12, 12, 3);
    memset(image.pixels, level, (size_t)12 * 12 * 3);
    ck_assert(is_jpeg ? jpeg_write(in_folder(name), image.pixels, 12, 12, 100, diag) : image_write(in_folder(name), &image, NULL, 0, diag));
}

// The three ways of running a program say the same of its inputs.
static void expect_all(int code, const char *program, const char *given, const char *piece) {
    expect_code(code, "run %s %s %s", bundle, program, given);
    if (piece)
        expect_err(piece);
    expect_code(code, "run %s %s %s --interpret", bundle, program, given);
    if (piece)
        expect_err(piece);
    expect_code(code, "sample %s --program %s %s --out %s --force", bundle, program, given, in_folder("all"));
    if (piece)
        expect_err(piece);
}

START_TEST(missing_and_unused) {
    compile(GRAPH);
    expect_err("/programs/plain/inputs/spare: input \"spare\" is never used");
    expect_code(0, "summary %s --no-plan", bundle);
    expect_out("program digits (evaluation): p; input label i32[6] below 3, default 0, 1, 2\n");
    expect_out("program enlarge (evaluation): p; input low f32[2,3,4,4] from -1 to 1\n");
    expect_all(1, "plain", "--set spare=0", "nothing is given for the input \"y\" of the program \"plain\": --set y=VALUE, where VALUE is a number");
    expect_all(1, "plain", "--set y=0", "nothing is given for the input \"spare\" of the program \"plain\"");
    expect_all(0, "plain", "--set plain.y=0 --set spare=1", "the input \"spare\" is given, but nothing in the program \"plain\" uses it");
    expect_all(1, "digits", "--set label=3", "--set label: element 0 is 3, but the graph declares it from 0 to 2");
    expect_all(1, "digits", "--set label=0,1.5", "element 1 is 1.5, but the graph declares whole numbers from 0 to 2");
    expect_all(1, "plain", "--set y=photo --set spare=0", "--set y=photo: there is no such file; a number, a list of numbers (0,1,2), FILE.npy");
    expect_code(1, "run %s plain --set y=1,2,3,4,5 --set spare=0", bundle);
    expect_err("5 records are given for the input \"y\", which takes 4");
    expect_code(1, "sample %s --program plain --set z=1 --out %s", bundle, in_folder("none"));
    expect_err("--set z: the program \"plain\" has no input of that name; known: y, spare");
}
END_TEST

START_TEST(given_values) {
    compile(GRAPH);
    for (int i = 0; i < 2; i++) {
        const char *way = i ? "--interpret" : "";
        expect_code(0, "run %s plain --set y=2,4 --set spare=0 --get out=%s %s", bundle, in_folder("out.npy"), way);
        HostTensor tensor = read_tensor(in_folder("out.npy"));
        ck_assert(tensor.rank == 1 && tensor.dims[0] == 4);
        ck_assert(host_number(&tensor, 0) == 2 && host_number(&tensor, 1) == 4 && host_number(&tensor, 3) == 4);
        expect_code(0, "run %s digits %s", bundle, way); // the default: 0 1 2 0 1 2
        expect_out("f32[6,1,4,4] mean 0 std 0.816497");
        expect_code(0, "run %s train --data ring %s", bundle, way);
        expect_out("train.fit.rate@0.0 0.25");
        expect_code(0, "run %s train --data ring --set rate=0.5 %s", bundle, way);
        expect_out("train.fit.rate@0.0 0.5");
        // What came out goes in again.
        expect_code(0, "run %s plain --set y=%s --set spare=0 --get out=%s %s", bundle, in_folder("out.npy"), in_folder("again.npy"), way);
        HostTensor again = read_tensor(in_folder("again.npy"));
        ck_assert(host_number(&again, 0) == 2 && host_number(&again, 1) == 4);
    }
    expect_code(0, "sample %s --program plain --set y=1,2,3,4,5 --set spare=0 --out %s", bundle, in_folder("more"));
    HostTensor more = read_tensor(in_folder("more/out.npy")); // two runs, one below the other
    ck_assert(more.rank == 1 && more.dims[0] == 8 && host_number(&more, 4) == 5 && host_number(&more, 5) == 1);
}
END_TEST

static void expect_ids(const char *name, uint32_t row, const int *wanted) {
    HostTensor tensor = read_tensor(in_folder(name));
    ck_assert(tensor.rank == 2 && tensor.dims[1] == 8 && tensor.dims[0] > row);
    for (uint32_t i = 0; i < 8; i++)
        ck_assert_msg(host_number(&tensor, row * 8 + i) == wanted[i], "%s: token %u of row %u is %g", name, i, row, host_number(&tensor, row * 8 + i));
}

// On a device, interpreted and sampled, from a bundle whose list is gone.
START_TEST(texts_as_tokens) {
    static const int red[] = {257, 260, 0, 0, 0, 0, 0, 0}, other[] = {196, 165, 260, 257, 98, 98, 98, 98};
    static const char list[] = "a red\r\nblue\r\n\r\n bird\r\n";
    ck_assert(file_make_folders(in_folder("lists"), diag) && file_write(in_folder("lists/words.txt"), list, sizeof list - 1, diag));
    write_text(in_folder("lists/data.json"), TOKENS_DATA);
    compile(TOKENS);
    ck_assert(file_remove_tree(in_folder("lists"), diag));
    expect_code(0, "summary %s --no-plan", bundle);
    expect_out("input text i32[2,8] below 261, tokens of \"lists/words.txt\"");
    expect_code(0, "compile %s/graph.json -o %s", bundle, in_folder("again.ggb"));
    for (int i = 0; i < 2; i++) {
        expect_code(0, "run %s read --set text='a red bird' --get ids=%s %s", bundle, in_folder("ids.npy"), i ? "--interpret" : "");
        expect_ids("ids.npy", 0, red);
        expect_ids("ids.npy", 1, red);
        expect_code(0, "run %s captions --data cub:%s/tests/unit/birds --seed 3 --get ids=%s --get text=%s %s", bundle, GG_SOURCE_DIR,
                    in_folder(i ? "ids1.npy" : "ids0.npy"), in_folder(i ? "text1.npy" : "text0.npy"), i ? "--interpret" : "");
    }
    HostTensor device = read_tensor(in_folder("ids0.npy")), judge = read_tensor(in_folder("ids1.npy")), bytes = read_tensor(in_folder("text0.npy"));
    ck_assert(device.size == judge.size && memcmp(device.data, judge.data, device.size) == 0);
    for (uint32_t i = 0; i < 32; i++) // the captions begin with letters, and each is longer than the field
        ck_assert(host_number(&bytes, i) > ' ' && host_number(&bytes, i) < 257);
    ck_assert(file_remove_tree(bundle, diag));
    bundle = in_folder("again.ggb");
    expect_code(0, "sample %s --program read --text 'a red bird' --text '\xc3\xa4 birda redaaaaa' --out %s", bundle, in_folder("said"));
    expect_err("is cut: the network reads 8 tokens of a text");
    expect_ids("said/ids.npy", 0, red);
    expect_ids("said/ids.npy", 1, other);
    expect_code(1, "sample %s --program read --text a --text b --interpolate 4 --out %s", bundle, in_folder("between"));
    expect_err("--interpolate goes from vector to vector, and the program \"read\" reads texts as 8 tokens of \"lists/words.txt\"");
    expect_code(1, "sample %s --program read --out %s", bundle, in_folder("none"));
    expect_err("give it --text \"...\"");
    expect_code(1, "run %s read", bundle);
    expect_err("--set text=VALUE, where VALUE is a text, or FILE.npy with its tokens");
    expect_code(0, "sample %s --program read --set text=%s --out %s --count 2", bundle, in_folder("said/ids.npy"), in_folder("back"));
    expect_ids("back/ids.npy", 1, other);
    expect_code(1, "run %s captions --data ring", bundle);
}
END_TEST

START_TEST(pictures) {
    compile(GRAPH);
    ck_assert(file_make_folders(in_folder("photos"), diag));
    paint("photos/2.png", 255, false);
    paint("photos/1.jpg", 0, true);
    paint("photos/3.PNG", 51, false);
    expect_code(0, "sample %s --program enlarge --set low=%s --out %s --singles --columns 3", bundle, in_folder("photos"), in_folder("large"));
    expect_out("large/high.png\n");
    expect_out("large/means.npy\n");
    HostTensor means = read_tensor(in_folder("large/means.npy"));
    ck_assert(means.rank == 1 && means.dims[0] == 3); // of two runs of two, what was asked for
    ck_assert_double_eq_tol(host_number(&means, 0), -1, 1e-6);
    ck_assert_double_eq_tol(host_number(&means, 1), 1, 1e-6);
    ck_assert_double_eq_tol(host_number(&means, 2), -0.6, 1e-6);
    ck_assert(file_exists(in_folder("large/high/0003.png")) && !file_exists(in_folder("large/high/0004.png")));
    Image single = read_picture(in_folder("large/high/0003.png"));
    ck_assert(single.width == 8 && single.height == 8 && single.channels == 3 && single.pixels[0] == 51);
    // One picture, and as many results as are asked for.
    expect_code(0, "sample %s --program enlarge --set low=%s --out %s", bundle, in_folder("photos/2.png"), in_folder("one"));
    ck_assert(read_tensor(in_folder("one/means.npy")).dims[0] == 1);
    expect_code(0, "sample %s --program enlarge --set low=%s --out %s --count 5", bundle, in_folder("photos"), in_folder("five"));
    means = read_tensor(in_folder("five/means.npy"));
    ck_assert(means.dims[0] == 5 && host_number(&means, 3) == host_number(&means, 0));
    for (int i = 0; i < 2; i++) {
        const char *way = i ? "--interpret" : "";
        expect_code(0, "run %s enlarge --set low=%s --get means=%s %s", bundle, in_folder("photos/3.PNG"), in_folder("m.npy"), way);
        means = read_tensor(in_folder("m.npy"));
        ck_assert_double_eq_tol(host_number(&means, 1), -0.6, 1e-6); // a single one fills both places
        expect_code(1, "run %s enlarge --set low=%s %s", bundle, in_folder("photos"), way);
        expect_err("3 records are given for the input \"low\", which takes 2");
    }
    expect_code(1, "sample %s --program digits --set label=%s --out %s", bundle, in_folder("photos"), in_folder("no"));
    expect_err("pictures are f32[count,1 or 3,height,width]");
    ck_assert(!file_exists(in_folder("no")));
}
END_TEST

START_TEST(which_program) {
    compile(GRAPH);
    expect_code(1, "sample %s --out %s", bundle, in_folder("a"));
    expect_err("given has no program \"sample\", and 2 that emit images or rows; say which: --program digits, --program enlarge");
    ck_assert(!file_exists(in_folder("a")));
    compile("{ \"gcc-graph\": 1, \"name\": \"one\", \"programs\": { \"measure\": { \"phases\": [ { \"name\": \"p\", \"nodes\": [ { \"emit\": \"t\", \"value\": "
            "\"fill(1, [2])\", \"format\": \"tensor\" } ] } ] },\n"
            "\"show\": { \"phases\": [ { \"name\": \"p\", \"nodes\": [ { \"random\": \"normal\", \"shape\": [5, 2], \"as\": \"e\" }, { \"emit\": \"r\", \"value\": \"e\", "
            "\"format\": \"rows\" } ] } ] } } }");
    expect_code(0, "sample %s --out %s --count 7", bundle, in_folder("b"));
    HostTensor rows = read_tensor(in_folder("b/r.npy"));
    ck_assert(rows.rank == 2 && rows.dims[0] == 7 && rows.dims[1] == 2);
    ck_assert(host_number(&rows, 0) != host_number(&rows, 10)); // the second run draws anew
    expect_code(0, "sample %s --out %s --program measure --count 3", bundle, in_folder("b"));
    ck_assert(read_tensor(in_folder("b/t.npy")).dims[0] == 3);
    compile("{ \"gcc-graph\": 1, \"name\": \"none\", \"programs\": { \"measure\": { \"phases\": [ { \"name\": \"p\", \"nodes\": [ { \"emit\": \"t\", \"value\": "
            "\"fill(1, [2])\", \"format\": \"tensor\" } ] } ] } } }");
    expect_code(1, "sample %s --out %s", bundle, in_folder("c"));
    expect_err("none has no program that emits images or rows; those that evaluate are --program measure");
    expect_code(2, "sample %s --out %s --count 0", bundle, in_folder("c"));
    expect_err("--count: at least 1 expected, not 0");
}
END_TEST

START_TEST(nothing_is_overwritten) {
    compile(GRAPH);
    expect_code(0, "sample %s --program digits --out %s", bundle, in_folder("x"));
    ck_assert_str_eq(out, arena_format(arena, "%s\n", in_folder("x/picture.png")));
    ck_assert_uint_eq(read_picture(in_folder("x/picture.png")).pixels[1780], 0); // of the first, whose label is 0
    write_text(in_folder("x/mine.txt"), "mine");
    expect_code(1, "sample %s --program digits --set label=2 --out %s", bundle, in_folder("x"));
    expect_err(arena_format(arena, "%s is there already: choose another --out, or --force", in_folder("x/picture.png")));
    ck_assert_uint_eq(read_picture(in_folder("x/picture.png")).pixels[1780], 0);
    write_text(in_folder("x/picture.npy"), "mine");
    expect_code(1, "sample %s --program digits --tensors --out %s", bundle, in_folder("x"));
    expect_err("and 1 other are there already");
    expect_code(0, "sample %s --program digits --set label=2 --out %s --force", bundle, in_folder("x"));
    ck_assert_uint_eq(read_picture(in_folder("x/picture.png")).pixels[1780], 255);
    ck_assert_str_eq(read_all(in_folder("x/mine.txt")), "mine");
    ck_assert_str_eq(read_all(in_folder("x/picture.npy")), "mine"); // is not written without --tensors
    expect_code(0, "sample %s --program enlarge --set low=0 --out %s", bundle, in_folder("x")); // other files
}
END_TEST

START_TEST(grids) {
    compile(GRAPH);
    expect_code(0, "sample %s --program digits --out %s --count 11", bundle, in_folder("turns")); // 0 1 2 0 …: three columns, four rows
    Image image = read_picture(in_folder("turns/picture.png"));
    uint32_t step = (image.width - 2) / 3;
    ck_assert_uint_eq(image.height, 4 * step + 2);
    for (uint32_t i = 0; i < 11; i++)
        ck_assert_uint_eq(image.pixels[(i / 3 * step + 10) * image.width + i % 3 * step + 10], i % 3 == 0 ? 0 : i % 3 == 1 ? 128 : 255);
    expect_code(0, "sample %s --program digits --out %s --set label=1 --count 12", bundle, in_folder("one")); // one class: nearly square
    image = read_picture(in_folder("one/picture.png"));
    ck_assert_uint_eq((image.width - 2) / step, 4);
    expect_code(0, "sample %s --program digits --out %s --count 12 --columns 6", bundle, in_folder("six"));
    image = read_picture(in_folder("six/picture.png"));
    ck_assert_uint_eq((image.width - 2) / step, 6);
    ck_assert_uint_eq((image.height - 2) / step, 2);
}
END_TEST

static uint32_t count_of(const char *text, const char *piece) {
    uint32_t count = 0;
    for (const char *at = text; (at = strstr(at, piece)); at += strlen(piece))
        count++;
    return count;
}

START_TEST(a_row_a_caption) {
    compile(TEXTS);
    expect_code(0, "sample %s --text 'a red bird' --text 'a blue bird with a very long tail & <wings>' --out %s --count 8", bundle, in_folder("two"));
    expect_out("two/figure.html");
    const char *html = read_all(in_folder("two/figure.html"));
    ck_assert_uint_eq(count_of(html, "<tr>\n"), 2);
    ck_assert_uint_eq(count_of(html, "<img"), 8);
    ck_assert_uint_eq(count_of(html, "a red bird"), 1);
    Image two = read_picture(in_folder("two/figure.png"));
    expect_code(0, "sample %s --text 'a red bird' --out %s", bundle, in_folder("alone"));
    Image alone = read_picture(in_folder("alone/figure.png"));
    ck_assert_uint_eq(count_of(read_all(in_folder("alone/figure.html")), "<tr>\n"), 1);
    ck_assert_uint_eq(two.height - alone.height, 138); // a row more
    ck_assert_uint_eq(two.width, alone.width);         // four pictures of each
    Text many = text_create(arena);
    for (int i = 0; i < 12; i++)
        text_format(&many, " --text 'bird %d'", i);
    expect_code(0, "sample %s %s --out %s", bundle, many.data, in_folder("many"));
    ck_assert_uint_eq(count_of(read_all(in_folder("many/figure.html")), "<tr>\n"), 12); // none is left out
    expect_code(1, "sample %s --out %s", bundle, in_folder("no"));
    expect_err("the program makes images of texts: give it --text");
    expect_code(1, "sample %s --out %s --set text=0 --text bird", bundle, in_folder("no"));
    expect_err("the input \"text\" is given twice");
    expect_code(0, "sample %s --out %s --set text=0", bundle, in_folder("set"));
}
END_TEST

START_TEST(training) {
    compile(GRAPH);
    expect_code(0, "train %s --data ring --out %s", bundle, in_folder("run")); // `digits` needs nothing but its defaults: the preview
    ck_assert_ptr_nonnull(strstr(read_all(in_folder("run/metrics.csv")), ",0.25\n"));
    ck_assert(file_exists(in_folder("run/previews/step-000002-picture.png")));
    expect_code(1, "train %s --data ring --out %s --sample-every 1 --sample-program plain", bundle, in_folder("other"));
    expect_err("nothing can be given for the input \"y\" of the program \"plain\" while training: declare a \"default\"");
    ck_assert(!file_exists(in_folder("other")));
}
END_TEST

// An emit called as the figure of texts and pictures is.
START_TEST(an_emitted_figure_stays) {
    static const float vectors[8] = {0, 0.25f, 0.5f, 0.75f, 1, 0, 1, 0};
    HostTensor tensor = {.dtype = ELEMENT_F32, .rank = 2, .dims = {2, 4}, .data = vectors, .size = sizeof vectors};
    ck_assert(npy_write(in_folder("vectors.npy"), &tensor, diag));
    compile("{ \"gcc-graph\": 1, \"name\": \"own\", \"programs\": { \"sample\": { \"inputs\": { \"text\": [2, 4] }, \"phases\": [ { \"name\": \"a\",\n"
            "  \"nodes\": [ { \"emit\": \"figure\", \"value\": \"reshape(text, [2, 1, 2, 2])\", \"format\": \"image\" } ] } ] } } }\n");
    expect_code(0, "sample %s --embedding %s --out %s", bundle, in_folder("vectors.npy"), in_folder("own"));
    expect_err("the program emits a \"figure\" of its own");
    Image image;
    ck_assert(image_read(arena, in_folder("own/figure.png"), &image, NULL, NULL, diag));
    ck_assert_msg(image.width < 200 && image.height < 100, "%u x %u pixels", image.width, image.height);
    ck_assert(!file_exists(in_folder("own/figure.html")));
}
END_TEST

int main(void) {
    if (!has_device())
        return 77;
    Suite *suite = suite_create("inputs");
    TCase *tests = tcase_create("inputs");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, missing_and_unused);
    tcase_add_test(tests, given_values);
    tcase_add_test(tests, texts_as_tokens);
    tcase_add_test(tests, pictures);
    tcase_add_test(tests, which_program);
    tcase_add_test(tests, nothing_is_overwritten);
    tcase_add_test(tests, grids);
    tcase_add_test(tests, a_row_a_caption);
    tcase_add_test(tests, an_emitted_figure_stays);
    tcase_add_test(tests, training);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
