// Data sets: IDX files whole and broken, specs, points.
#include "runtime/data/dataset.h"
#include "tests/support/folder.h"
#include <check.h>
#include <stdlib.h>
#include <zlib.h>


enum { IMAGES = 20, TEST_IMAGES = 7, HEIGHT = 4, WIDTH = 3, LABELS_BELOW = 10 };

typedef struct {
    uint8_t bytes[4096];
    size_t size;
} Bytes;

static void put(Bytes *bytes, uint32_t value, uint32_t count) {
    for (uint32_t i = count; i-- > 0;)
        bytes->bytes[bytes->size++] = (uint8_t)(value >> (8 * i));
}

static Bytes make_images(uint32_t count) {
    Bytes bytes = {.size = 0};
    put(&bytes, 0x00000803, 4);
    put(&bytes, count, 4);
    put(&bytes, HEIGHT, 4);
    put(&bytes, WIDTH, 4);
    for (uint32_t i = 0; i < count * HEIGHT * WIDTH; i++)
        put(&bytes, i % 256, 1);
    return bytes;
}

static Bytes make_labels(uint32_t count) {
    Bytes bytes = {.size = 0};
    put(&bytes, 0x00000801, 4);
    put(&bytes, count, 4);
    for (uint32_t i = 0; i < count; i++)
        put(&bytes, i % LABELS_BELOW, 1);
    return bytes;
}

static Bytes pack(const Bytes *plain) {
    Bytes packed;
    z_stream stream = {.next_in = (Bytef *)(uintptr_t)plain->bytes,
                       .avail_in = (uInt)plain->size,
                       .next_out = packed.bytes,
                       .avail_out = sizeof packed.bytes};
    ck_assert_int_eq(deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    ck_assert_int_eq(deflate(&stream, Z_FINISH), Z_STREAM_END);
    packed.size = stream.total_out;
    deflateEnd(&stream);
    return packed;
}

static void save(const char *name, const Bytes *bytes) {
    ck_assert(file_write(file_join(arena, folder, name), bytes->bytes, bytes->size, diag));
}

static void save_all(bool is_packed) {
    const char *names[] = {"train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"};
    for (uint32_t i = 0; i < 4; i++) {
        uint32_t count = i < 2 ? IMAGES : TEST_IMAGES;
        Bytes bytes = i % 2 ? make_labels(count) : make_images(count);
        Bytes packed = pack(&bytes);
        save(is_packed ? arena_format(arena, "%s.gz", names[i]) : names[i], is_packed ? &packed : &bytes);
    }
}

// image f32[1,4,3] in [-1, 1] and label i32[].
static ProgramData *declare(void) {
    ProgramData *data = ARENA_NEW(arena, ProgramData, 1);
    data->name = "images";
    data->batch = 3;
    data->field_count = 2;
    data->fields = arena_alloc(arena, 2 * sizeof *data->fields);
    data->fields[0].name = "image";
    data->fields[0].rank = 3;
    data->fields[0].dims[0] = 1;
    data->fields[0].dims[1] = HEIGHT;
    data->fields[0].dims[2] = WIDTH;
    data->fields[0].has_range = true;
    data->fields[0].low = -1;
    data->fields[0].high = 1;
    data->fields[1].name = "label";
    data->fields[1].type = ELEMENT_I32;
    data->fields[1].below = LABELS_BELOW;
    return data;
}

static Dataset *open_folder(Diag *to) { return dataset_open(arena, arena_format(arena, "idx:%s", folder), declare(), to); }

static void ck_refused(const char *because) {
    Diag *inner = diag_create(arena);
    ck_assert_ptr_null(open_folder(inner));
    ck_assert_uint_eq(diag_error_count(inner), 1);
    ck_assert_msg(strstr(diag_text(inner, arena), because) != NULL, "\"%s\" expected in: %s", because, diag_text(inner, arena));
}

START_TEST(plain_and_gzip) {
    save_all(_i == 1);
    Dataset *dataset = open_folder(diag);
    ck_assert_msg(dataset != NULL, "%s", diag_text(diag, arena));
    ck_assert_uint_eq(dataset->split_count, 2);
    ck_assert_uint_eq(dataset->splits[0].count, IMAGES);
    ck_assert_uint_eq(dataset->splits[1].count, TEST_IMAGES);
    float image[HEIGHT * WIDTH];
    int32_t label;
    ck_assert(dataset->fetch(dataset, 0, 13, 0, 0, image, diag));
    for (uint32_t i = 0; i < HEIGHT * WIDTH; i++)
        ck_assert_float_eq_tol(image[i], -1 + (float)(13 * HEIGHT * WIDTH + i) * 2 / 255, 1e-6f);
    ck_assert(dataset->fetch(dataset, 1, 6, 1, 0, &label, diag));
    ck_assert_int_eq(label, 6);
    Text text = text_create(arena);
    dataset_describe(&text, dataset, 64);
    ck_assert_ptr_nonnull(strstr(text.data, "image f32[1,4,3] in [-1, 1]"));
    const char *path = file_join(arena, folder, "p.png");
    ck_assert(dataset_preview(dataset, "test", 100, path, diag));
    ck_assert(file_exists(path));
}
END_TEST

// A plain or packed file that ends anywhere too early, or goes on, is refused.
START_TEST(every_truncation) {
    save_all(false);
    Bytes images = make_images(IMAGES), labels = make_labels(IMAGES);
    for (int packed = 0; packed < 2; packed++)
        for (int what = 0; what < 2; what++) {
            Bytes *plain = what ? &labels : &images, whole = *plain;
            if (packed)
                whole = pack(plain);
            for (size_t size = 0; size < whole.size; size++) {
                Bytes cut = whole;
                cut.size = size;
                save(what ? "train-labels-idx1-ubyte" : "train-images-idx3-ubyte", &cut);
                Diag *inner = diag_create(arena);
                ck_assert_ptr_null(open_folder(inner));
                ck_assert_uint_eq(diag_error_count(inner), 1);
            }
            save(what ? "train-labels-idx1-ubyte" : "train-images-idx3-ubyte", &whole);
            ck_assert_ptr_nonnull(open_folder(diag));
        }
    put(&images, 0, 1);
    save("train-images-idx3-ubyte", &images);
    ck_refused("too long");
    images = pack(&images);
    save("train-images-idx3-ubyte", &images);
    ck_refused("more data");
}
END_TEST

START_TEST(damaged_gzip) {
    save_all(false);
    Bytes plain = make_images(IMAGES), whole = pack(&plain);
    uint32_t refused = 0;
    for (size_t at = 0; at < whole.size; at++) {
        Bytes damaged = whole;
        damaged.bytes[at] ^= 0xff;
        save("train-images-idx3-ubyte", &damaged);
        Diag *inner = diag_create(arena);
        bool is_open = open_folder(inner) != NULL;
        ck_assert_uint_eq(diag_error_count(inner), is_open ? 0 : 1);
        refused += !is_open;
    }
    ck_assert_uint_ge(refused, (uint32_t)whole.size - 8); // the gzip header's time and system are nobody's business
}
END_TEST

START_TEST(wrong_contents) {
    save_all(false);
    Bytes bytes = make_images(IMAGES);
    bytes.bytes[0] = 0x89;
    save("train-images-idx3-ubyte", &bytes);
    ck_refused("no IDX file");
    bytes = make_images(IMAGES);
    bytes.bytes[2] = 0x0f;
    save("train-images-idx3-ubyte", &bytes);
    ck_refused("elements of IDX type 0x0f");
    bytes = make_images(IMAGES);
    bytes.bytes[3] = 200;
    save("train-images-idx3-ubyte", &bytes);
    ck_refused("no IDX file");
    bytes = make_images(IMAGES);
    memset(bytes.bytes + 4, 0xff, 12);
    save("train-images-idx3-ubyte", &bytes);
    ck_refused("more elements");
    bytes = make_images(0);
    save("train-images-idx3-ubyte", &bytes);
    ck_refused("no records");
    bytes = make_images(IMAGES - 1);
    save("train-images-idx3-ubyte", &bytes);
    ck_refused("20 records of \"label\", but 19 of \"image\"");
    bytes = make_images(IMAGES);
    bytes.bytes[11] = 5;
    put(&bytes, 0, IMAGES * WIDTH > 4 ? 4 : 0);
    bytes.size = 16 + IMAGES * 5 * WIDTH;
    save("train-images-idx3-ubyte", &bytes);
    ck_refused("its \"image\" is u8[5,3] a record, but the graph declares images.image f32[1,4,3]");
    bytes = make_images(IMAGES);
    save("train-images-idx3-ubyte", &bytes);
    bytes = make_labels(IMAGES);
    bytes.bytes[8 + 4] = LABELS_BELOW;
    save("train-labels-idx1-ubyte", &bytes);
    ck_refused("record 4 of \"train\" has label 10");
    ck_assert(file_remove_tree(file_join(arena, folder, "train-labels-idx1-ubyte"), diag));
    ck_refused("the graph declares images.label, but \"train\" has no array of that name; known: image");
    ck_assert(file_remove_tree(file_join(arena, folder, "train-images-idx3-ubyte"), diag));
    Dataset *dataset = open_folder(diag); // for programs that want no training
    ck_assert_uint_eq(dataset->split_count, 1);
    ck_assert_str_eq(dataset->splits[0].name, "test");
    ck_assert_ptr_null(dataset_open(arena, "idx:/nowhere/at/all", declare(), diag));
    ck_assert_uint_eq(diag_error_count(diag), 1);
}
END_TEST

START_TEST(field_forms) {
    save_all(false);
    ProgramData *data = declare();
    const char *spec = arena_format(arena, "idx:%s", folder);
    data->fields[0].rank = 1;
    data->fields[0].dims[0] = HEIGHT * WIDTH;
    ck_assert_ptr_nonnull(dataset_open(arena, spec, data, diag));
    data->fields[0].rank = 2;
    data->fields[0].dims[0] = HEIGHT;
    data->fields[0].dims[1] = WIDTH;
    ck_assert_ptr_nonnull(dataset_open(arena, spec, data, diag));
    data->fields[0].dims[0] = WIDTH;
    data->fields[0].dims[1] = HEIGHT;
    ck_assert_ptr_null(dataset_open(arena, spec, data, diag));
    data = declare();
    data->fields[0].name = "picture";
    ck_assert_ptr_null(dataset_open(arena, spec, data, diag));
    ck_assert_uint_eq(diag_error_count(diag), 2);
    data = declare();
    data->fields[0].has_range = false;
    Dataset *dataset = dataset_open(arena, spec, data, diag);
    float image[HEIGHT * WIDTH];
    ck_assert(dataset->fetch(dataset, 0, 1, 0, 0, image, diag));
    ck_assert_float_eq(image[0], 12);
    const ProgramData *natural = dataset_natural_fields(arena, spec, diag);
    ck_assert_uint_eq(natural->field_count, 2);
    ck_assert_ptr_nonnull(dataset_open(arena, spec, natural, diag));
}
END_TEST

START_TEST(specs) {
    const char *wrong[] = {"mnits", "idx", "idx:", "ring:8", "random:0", "random:-1", "random:x", "random:99999999999", ""};
    for (uint32_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        Diag *inner = diag_create(arena);
        ck_assert_ptr_null(dataset_open(arena, wrong[i], declare(), inner));
        ck_assert_uint_eq(diag_error_count(inner), 1);
        if (i == 0)
            ck_assert_ptr_nonnull(strstr(diag_text(inner, arena), "did you mean \"mnist\"?"));
    }
    Dataset *dataset = dataset_open(arena, "images=random:11", declare(), diag);
    ck_assert_uint_eq(dataset->splits[0].count, 11);
    ck_assert_uint_eq(dataset_open(arena, "random", declare(), diag)->splits[0].count, 7);
    float a[HEIGHT * WIDTH], b[HEIGHT * WIDTH];
    uint32_t label;
    for (uint32_t i = 0; i < 11; i++) {
        ck_assert(dataset->fetch(dataset, 0, i, 0, 0, a, diag) && dataset->fetch(dataset, 0, i, 0, 0, b, diag));
        ck_assert_mem_eq(a, b, sizeof a);
        for (uint32_t k = 0; k < HEIGHT * WIDTH; k++)
            ck_assert(a[k] >= -1 && a[k] <= 1);
        ck_assert(dataset->fetch(dataset, 0, i, 1, 0, &label, diag));
        ck_assert_uint_lt(label, LABELS_BELOW);
    }
}
END_TEST

START_TEST(rings) {
    for (int is_grid = 0; is_grid < 2; is_grid++) {
        const char *spec = is_grid ? "grid" : "ring";
        const ProgramData *declared = dataset_natural_fields(arena, spec, diag);
        Dataset *dataset = dataset_open(arena, spec, declared, diag);
        uint32_t counts[25] = {0}, modes = is_grid ? 25 : 8;
        for (uint32_t i = 0; i < 5000; i++) {
            float point[2];
            uint32_t mode;
            ck_assert(dataset->fetch(dataset, 0, i, 0, 0, point, diag) && dataset->fetch(dataset, 0, i, 1, 0, &mode, diag));
            ck_assert_uint_lt(mode, modes);
            counts[mode]++;
            double radius = (double)(point[0] * point[0] + point[1] * point[1]);
            if (!is_grid)
                ck_assert_double_eq_tol(radius, 4, 0.6);
        }
        for (uint32_t i = 0; i < modes; i++)
            ck_assert_uint_gt(counts[i], 5000 / modes * 3 / 5);
        ck_assert(dataset_preview(dataset, "train", 2000, file_join(arena, folder, "p.png"), diag));
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("data");
    TCase *tests = tcase_create("data");
    tcase_add_checked_fixture(tests, folder_set_up, folder_tear_down);
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, plain_and_gzip, 0, 2);
    tcase_add_test(tests, every_truncation);
    tcase_add_test(tests, damaged_gzip);
    tcase_add_test(tests, wrong_contents);
    tcase_add_test(tests, field_forms);
    tcase_add_test(tests, specs);
    tcase_add_test(tests, rings);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
