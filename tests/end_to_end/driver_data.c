// Data that are no multiple of a batch: what fills the last one up, how many records are real, and what is said of them.
#include "runtime/tensor/tensor_file.h"
#include "tests/end_to_end/command.h"

enum { RECORDS = 10 };

// Pictures of 2x2 whose pixels are their number: IDX files.
static void write_pictures(const char *name) {
    unsigned char bytes[16 + RECORDS * 4] = {0, 0, 8, 3, 0, 0, 0, RECORDS, 0, 0, 0, 2, 0, 0, 0, 2};
    for (uint32_t i = 0; i < RECORDS * 4; i++)
        bytes[16 + i] = (unsigned char)(i / 4);
    ck_assert(file_make_folders(in_folder(name), diag));
    const char *const files[] = {"train-images-idx3-ubyte", "t10k-images-idx3-ubyte"};
    for (uint32_t i = 0; i < 2; i++)
        ck_assert(file_write(file_join(arena, in_folder(name), files[i]), bytes, sizeof bytes, diag));
}

// The mean of the numbers, over the records alone; a network learns it.
static const char GRAPH[] =
    "{ \"gcc-graph\": 1, \"name\": \"counted\", \"let\": { \"batch\": 4 },\n"
    "  \"data\": { \"images\": { \"batch\": \"batch\", \"fields\": { \"image\": { \"shape\": [1, 2, 2], \"range\": [0, 255] } } } },\n"
    "  \"networks\": { \"f\": { \"dims\": [\"n\"], \"inputs\": { \"x\": [\"n\", 1] }, \"nodes\": [ { \"op\": \"linear\", \"features\": 1 } ] } },\n"
    "  \"optimizers\": { \"opt\": { \"of\": \"f\", \"sgd\": { \"lr\": 1e-3 } } },\n"
    "  \"programs\": {\n"
    "    \"train\": { \"mode\": \"train\", \"steps\": 3, \"phases\": [ { \"name\": \"fit\",\n"
    "      \"feed\": { \"x\": { \"from\": \"images.image\", \"order\": \"sequential\", \"last\": \"pad\" } },\n"
    "      \"nodes\": [ { \"expr\": \"x[:, 0, 0, 0]\", \"as\": \"number\" },\n"
    "                 { \"expr\": \"f32(range(len(number)) < records)\", \"as\": \"real\" },\n"
    "                 { \"expr\": \"sum(number*real) / f32(records)\", \"as\": \"mean\" },\n"
    "                 { \"expr\": \"f32(records)\", \"as\": \"count\" },\n"
    "                 { \"call\": \"f\", \"in\": \"number[:, None]\", \"as\": \"y\" },\n"
    "                 { \"expr\": \"sum(real*(y[:, 0] - number)^2) / f32(records)\", \"as\": \"loss\" },\n"
    "                 { \"update\": \"opt\", \"minimize\": \"loss\" } ],\n"
    "      \"report\": [\"mean\", \"count\"] } ] },\n"
    "    \"look\": { \"phases\": [ { \"name\": \"all\", \"repeat\": \"epoch\",\n"
    "      \"feed\": { \"x\": { \"from\": \"images.image\", \"order\": \"sequential\", \"last\": \"pad\" } },\n"
    "      \"nodes\": [ { \"expr\": \"x[:, 0, 0, 0]\", \"as\": \"number\" },\n"
    "                 { \"expr\": \"sum(number*f32(range(len(number)) < records)) / f32(records)\", \"as\": \"mean\" },\n"
    "                 { \"emit\": \"numbers\", \"value\": \"number\", \"format\": \"rows\" } ],\n"
    "      \"report\": [\"mean\"] } ] },\n"
    "    \"whole\": { \"phases\": [ { \"name\": \"all\", \"feed\": { \"x\": \"images.image\" },\n"
    "      \"nodes\": [ { \"expr\": \"sum(x[:, 0, 0, 0]) / f32(records)\", \"as\": \"mean\" } ], \"report\": [\"mean\"] } ] }\n"
    "  } }\n";

static const char *bundle, *data;

static void make(void) {
    write_pictures("pictures");
    write_text(in_folder("counted.json"), GRAPH);
    bundle = in_folder("counted.ggb");
    data = arena_format(arena, "idx:%s", in_folder("pictures"));
    expect_code(0, "compile %s -o %s", in_folder("counted.json"), bundle);
}

static void expect_means(void) {
    expect_out("look.all.mean@0.0 1.5\n");
    expect_out("look.all.mean@0.1 5.5\n");
    expect_out("look.all.mean@0.2 8.5\n"); // of two records: those that fill the batch up do not count
}

START_TEST(records_are_counted_on_the_device) {
    make();
    expect_code(0, "run %s look --data %s", bundle, data);
    expect_means();
    expect_code(0, "run %s look --data %s --interpret", bundle, data);
    expect_means();
    expect_code(0, "sample %s --program look --data %s --out %s", bundle, data, in_folder("rows"));
    HostTensor rows;
    ck_assert(npy_read(arena, in_folder("rows/numbers.npy"), &rows, diag));
    ck_assert_uint_eq(rows.dims[0], RECORDS); // and they are not emitted
    for (uint32_t i = 0; i < RECORDS; i++)
        ck_assert_float_eq(((const float *)rows.data)[i], (float)i);
}
END_TEST

// A batch that a person gives is all records.
START_TEST(a_given_batch_is_whole) {
    make();
    float numbers[16];
    for (uint32_t i = 0; i < 16; i++)
        numbers[i] = (float)(i / 4);
    HostTensor tensor = {.dtype = ELEMENT_F32, .rank = 4, .dims = {4, 1, 2, 2}, .data = numbers, .size = sizeof numbers};
    ck_assert(npy_write(in_folder("x.npy"), &tensor, diag));
    for (uint32_t i = 0; i < 2; i++) {
        expect_code(0, "run %s look --set look.all.x=%s%s", bundle, in_folder("x.npy"), i ? " --interpret" : "");
        expect_out("look.all.mean@0.0 1.5\n");
    }
}
END_TEST

START_TEST(a_training_counts_records) {
    make();
    expect_code(0, "train %s --data %s --out %s", bundle, data, in_folder("run"));
    expect_err("images.train: 10 records in batches of 4: 3 steps an epoch, the last batch with 2 records, filled up with copies of its last one\n");
    const char *csv = read_all(in_folder("run/metrics.csv"));
    ck_assert_msg(strstr(csv, "1.5,4") && strstr(csv, "5.5,4") && strstr(csv, "8.5,2"), "%s", csv);
    expect_code(0, "train %s --data %s --out %s --dry-run", bundle, data, in_folder("none"));
    expect_out("epoch    images.train: 10 records in batches of 4: 3 steps an epoch, the last batch with 2 records");
    expect_code(0, "verify %s", bundle);
    expect_out("agree with the reference");
}
END_TEST

START_TEST(fewer_records_than_a_batch) {
    make();
    expect_code(0, "compile %s -o %s -D batch=64", in_folder("counted.json"), bundle);
    expect_code(1, "run %s whole --data %s", bundle, data);
    expect_err("feed \"x\": the split \"train\" of idx:");
    expect_err("has 10 records, fewer than a batch of 64, and the last batch is dropped: nothing would be left. Compile the graph with a batch of 10 "
               "or less, or write \"last\": \"pad\" in the feed");
    expect_code(0, "run %s look --data %s", bundle, data);
    expect_out("look.all.mean@0.0 4.5\n");
    expect_code(0, "data describe %s", data);
    expect_out("train  10 records in batches of 64: not one batch, unless the last is filled up");
    expect_code(0, "data describe %s --batch 4", data);
    expect_out("train  10 records in batches of 4: 2 steps an epoch, 2 left out of each\n");
}
END_TEST

// Pictures of 6 x 6, level 10 y + x: cut and mirrored in training, the middle where nothing is drawn. A resumed training draws what it would have.
static const char CUT[] =
    "{ \"gcc-graph\": 1, \"name\": \"cut\", \"let\": { \"side\": 4 },\n"
    "  \"data\": { \"images\": { \"batch\": 4, \"fields\": { \"image\": { \"shape\": [1, \"side\", \"side\"], \"range\": [0, 255] } },\n"
    "                          \"augment\": { \"crop\": \"side\", \"flip\": true } } },\n"
    "  \"programs\": {\n"
    "    \"train\": { \"mode\": \"train\", \"steps\": 24, \"phases\": [ { \"name\": \"fit\", \"feed\": { \"x\": \"images.image\" },\n"
    "      \"nodes\": [ { \"expr\": \"x[0, 0, 0, 0]\", \"as\": \"first\" }, { \"expr\": \"x[0, 0, 0, 3]\", \"as\": \"last\" } ],\n"
    "      \"report\": [\"first\", \"last\"] } ] },\n"
    "    \"look\": { \"phases\": [ { \"name\": \"all\", \"feed\": { \"x\": { \"from\": \"images.image\", \"order\": \"sequential\" } },\n"
    "      \"nodes\": [ { \"expr\": \"x[0, 0, 0, 0]\", \"as\": \"first\" } ], \"report\": [\"first\"] } ] }\n"
    "  } }\n";

static void write_squares(const char *name) {
    enum { SIDE = 6 };
    unsigned char bytes[16 + RECORDS * SIDE * SIDE] = {0, 0, 8, 3, 0, 0, 0, RECORDS, 0, 0, 0, SIDE, 0, 0, 0, SIDE};
    for (uint32_t i = 0; i < RECORDS * SIDE * SIDE; i++)
        bytes[16 + i] = (unsigned char)(i / SIDE % SIDE * 10 + i % SIDE);
    ck_assert(file_make_folders(in_folder(name), diag));
    ck_assert(file_write(file_join(arena, in_folder(name), "train-images-idx3-ubyte"), bytes, sizeof bytes, diag));
}

START_TEST(pictures_as_the_graph_wants_them) {
    write_squares("squares");
    write_text(in_folder("cut.json"), CUT);
    bundle = in_folder("cut.ggb");
    data = arena_format(arena, "idx:%s", in_folder("squares"));
    expect_code(0, "compile %s -o %s", in_folder("cut.json"), bundle);
    expect_code(0, "run %s look --data %s", bundle, data);
    expect_out("look.all.first@0.0 11\n");
    expect_code(0, "train %s --data %s --out %s --seed 3", bundle, data, in_folder("whole"));
    const char *whole = read_all(in_folder("whole/metrics.csv"));
    uint32_t corners = 0, ways = 0, lines = 0;
    for (const char *line = strchr(whole, '\n'); line && line[1]; line = strchr(line + 1, '\n'), lines++) {
        double first, last;
        ck_assert_msg(sscanf(line + 1, "%*u,%*u,%*[^,],%*u,%lf,%lf", &first, &last) == 2, "%s", line);
        uint32_t least = (uint32_t)(first < last ? first : last);
        ck_assert(first - last == 3 || last - first == 3);
        ck_assert(least / 10 <= 2 && least % 10 <= 2);
        corners |= 1u << (least / 10 * 3 + least % 10);
        ways |= first < last ? 1 : 2;
    }
    ck_assert_uint_eq(lines, 24);
    ck_assert_uint_eq(ways, 3);
    ck_assert_int_ge(__builtin_popcount(corners), 6); // of 9
    expect_code(0, "train %s --data %s --out %s --seed 3 --steps 7", bundle, data, in_folder("parts"));
    expect_code(0, "train %s --data %s --out %s --resume --steps 24", bundle, data, in_folder("parts"));
    const char *parts = read_all(in_folder("parts/metrics.csv"));
    for (uint32_t step = 0; step < 24; step++) { // without the times
        const char *row = arena_format(arena, "\n%u,", step), *a = strstr(whole, row), *b = strstr(parts, row);
        ck_assert(a && b && strcspn(a + 1, "\n") == strcspn(b + 1, "\n") && strncmp(a, b, strcspn(a + 1, "\n") + 1) == 0);
    }
    expect_code(0, "data preview %s --for %s --draws 4 --count 3 -o %s", data, bundle, in_folder("cut.png"));
    expect_code(0, "data describe %s --for %s --speed", data, bundle);
    expect_out("image f32[1,4,4] in [0, 255]");
    expect_out("read by");
    expect_code(1, "train %s --data ring --out %s", bundle, in_folder("ring"));
}
END_TEST

int main(void) {
    if (!has_device())
        return 77;
    Suite *suite = suite_create("data");
    TCase *tests = tcase_create("data");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 300);
    tcase_add_test(tests, records_are_counted_on_the_device);
    tcase_add_test(tests, a_given_batch_is_whole);
    tcase_add_test(tests, a_training_counts_records);
    tcase_add_test(tests, fewer_records_than_a_batch);
    tcase_add_test(tests, pictures_as_the_graph_wants_them);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
