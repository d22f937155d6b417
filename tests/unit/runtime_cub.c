// Birds: JPEG, resizing as Pillow does it, fields and captions that fit together, draws, broken pictures, wrong folders.
#include "runtime/base/random.h"
#include "runtime/tensor/tensor_file.h"
#include "runtime/data/encoder.h"
#include "runtime/data/jpeg.h"
#include "runtime/data/loader.h"
#include "runtime/data/resize.h"
#include "tests/support/folder.h"
#include <check.h>
#include <stdlib.h>

#define BIRDS GG_SOURCE_DIR "/tests/unit/birds"


// ---- a folder of our own: records of one colour, texts [2, 3] that say record and text

enum { SIDE = 24, TEXTS = 2, NUMBERS = 3 };

static const char *name_of(uint32_t record) { return arena_format(arena, "%03u.Class/Bird_%04u", record % 3, record); }

static uint8_t grey_of(uint32_t record) { return (uint8_t)(40 + record % 200); }

static void save(const char *name, const Text *text) {
    const char *path = arena_format(arena, "%s/%s", folder, name);
    ck_assert(file_make_folders(file_folder(arena, path), diag) && file_write(path, text->data, text->length, diag));
}

static void save_text(const char *name, const char *content) {
    Text text = text_create(arena);
    text_append(&text, content);
    save(name, &text);
}

static void save_embeddings(const char *name, uint32_t count, uint32_t numbers) {
    Text text = text_create(arena);
    static const char dtype[] = "cnumpy\ndtype\n(S'f4'\nI00\nI01\ntR(I3\nS'<'\nNNNI-1\nI-1\nI0\ntb";
    text_format(&text, "cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR(I1\n(I%u\nI%u\nI%u\nt%sI00\nT", count, TEXTS,
                numbers, dtype);
    uint32_t size = count * TEXTS * numbers * 4;
    text_append_bytes(&text, (const char *)&size, sizeof size);
    for (uint32_t i = 0; i < count * TEXTS; i++)
        for (uint32_t k = 0; k < numbers; k++) {
            float value = (float)(i * numbers + k);
            text_append_bytes(&text, (const char *)&value, sizeof value);
        }
    text_append(&text, "tb.");
    save(name, &text);
}

static void save_list(const char *name, uint32_t count, bool is_names) {
    Text text = text_create(arena);
    text_append(&text, "(l");
    for (uint32_t i = 0; i < count; i++)
        if (is_names)
            text_format(&text, "S'%s'\na", name_of(i));
        else
            text_format(&text, "I%u\na", i);
    text_append(&text, ".");
    save(name, &text);
}

static const char *picture_path(uint32_t record) { return arena_format(arena, "%s/CUB_200_2011/images/%s.jpg", folder, name_of(record)); }

static void make_birds(uint32_t count) {
    Text names = text_create(arena), boxes = text_create(arena);
    uint8_t pixels[SIDE * SIDE * 3];
    for (uint32_t i = 0; i < count; i++) {
        text_format(&names, "%u %s.jpg\n", i + 1, name_of(i));
        text_format(&boxes, "%u 4.0 6.0 12.0 8.0\n", i + 1);
        memset(pixels, grey_of(i), sizeof pixels);
        ck_assert(file_make_folders(file_folder(arena, picture_path(i)), diag));
        ck_assert(jpeg_write(picture_path(i), pixels, SIDE, SIDE, 100, diag));
        save_text(arena_format(arena, "text/%s.txt", name_of(i)), arena_format(arena, "bird %u text 0\n\nbird %u text 1\n", i, i));
    }
    save("CUB_200_2011/images.txt", &names);
    save("CUB_200_2011/bounding_boxes.txt", &boxes);
    save_list("train/filenames.pickle", count, true);
    save_list("train/class_info.pickle", count, false);
    save_embeddings("train/char-CNN-RNN-embeddings.pickle", count, NUMBERS);
}

// image f32[3,side,side] in [0, 255], text f32[numbers], label i32[].
static ProgramData *declare(uint32_t side, uint32_t numbers) {
    ProgramData *data = ARENA_NEW(arena, ProgramData, 1);
    data->name = "birds";
    data->batch = 5;
    data->field_count = 3;
    data->fields = arena_alloc(arena, 3 * sizeof *data->fields);
    data->fields[0].name = "image";
    data->fields[0].rank = 3;
    data->fields[0].dims[0] = 3;
    data->fields[0].dims[1] = data->fields[0].dims[2] = side;
    data->fields[1].name = "text";
    data->fields[1].rank = 1;
    data->fields[1].dims[0] = numbers;
    data->fields[2].name = "label";
    data->fields[2].type = ELEMENT_I32;
    return data;
}

static Dataset *open_at(const char *where, const ProgramData *declared) {
    Dataset *dataset = dataset_open(arena, arena_format(arena, "cub:%s", where), declared, diag);
    ck_assert_msg(dataset != NULL, "%s", diag_text(diag, arena));
    return dataset;
}

static void ck_refused(const ProgramData *declared, const char *because) {
    Diag *inner = diag_create(arena);
    ck_assert_ptr_null(dataset_open(arena, arena_format(arena, "cub:%s", folder), declared, inner));
    ck_assert_uint_eq(diag_error_count(inner), 1);
    ck_assert_msg(strstr(diag_text(inner, arena), because) != NULL, "\"%s\" expected in: %s", because, diag_text(inner, arena));
}

START_TEST(jpeg_both_ways) {
    enum { WIDTH = 37, HEIGHT = 21 };
    uint8_t pixels[WIDTH * HEIGHT * 3];
    for (uint32_t i = 0; i < WIDTH * HEIGHT; i++)
        for (uint32_t c = 0; c < 3; c++)
            pixels[3 * i + c] = (uint8_t)(i % WIDTH * 3 + i / WIDTH * 2 + 40 * c);
    const char *path = file_join(arena, folder, "a.jpg"), *cut = file_join(arena, folder, "b.jpg");
    ck_assert(jpeg_write(path, pixels, WIDTH, HEIGHT, 95, diag));
    JpegImage image;
    ck_assert(jpeg_read(arena, path, &image, diag));
    ck_assert_uint_eq(image.width, WIDTH);
    ck_assert_uint_eq(image.height, HEIGHT);
    for (uint32_t i = 0; i < sizeof pixels; i++)
        ck_assert_int_le(abs(image.pixels[i] - pixels[i]), 12);
    size_t size;
    const char *bytes = file_read(arena, path, &size, diag);
    for (size_t i = 0; i < size - 2; i += 7) {
        Diag *inner = diag_create(arena);
        ck_assert(file_write(cut, bytes, i, diag));
        ck_assert(!jpeg_read(arena, cut, &image, inner));
        ck_assert_uint_eq(diag_error_count(inner), 1);
    }
    Diag *inner = diag_create(arena);
    ck_assert(!jpeg_write(path, pixels, 70000, 1, 95, inner));
    ck_assert(!jpeg_write(file_join(arena, folder, "no/such/folder.jpg"), pixels, WIDTH, HEIGHT, 95, inner));
    ck_assert_uint_eq(diag_error_count(inner), 2);
}
END_TEST

// Expected: Pillow 13.0, Image.crop(box).resize((n, n), Image.BILINEAR).
START_TEST(resized_as_by_pillow) {
    enum { WIDTH = 7, HEIGHT = 5 };
    static const uint8_t all[] = {59,  130, 177, 141, 133, 144, 151, 84,  123, 145, 161, 138, 126, 120,
                                  147, 145, 129, 127, 137, 108, 110, 126, 123, 134, 141, 112, 159};
    static const uint8_t part[] = {119, 190, 165, 186, 87,  72,  170, 71,  142, 67,  138, 209, 162, 173, 108, 132,
                                   86,  125, 126, 133, 151, 139, 110, 121, 177, 128, 99,  98,  116, 177, 137, 175,
                                   140, 165, 100, 111, 159, 70,  141, 97,  168, 211, 199, 184, 113, 137, 112, 183};
    uint8_t pixels[WIDTH * HEIGHT * 3], out[sizeof part];
    for (uint32_t y = 0; y < HEIGHT; y++)
        for (uint32_t x = 0; x < WIDTH; x++)
            for (uint32_t c = 0; c < 3; c++)
                pixels[(y * WIDTH + x) * 3 + c] = (uint8_t)(x * 37 + y * 53 + c * 71 + x * y * 11);
    resize_bilinear(pixels, WIDTH, &(ResizeBox){0, 0, WIDTH, HEIGHT}, 3, 3, out);
    ck_assert_mem_eq(out, all, sizeof all);
    resize_bilinear(pixels, WIDTH, &(ResizeBox){1, 1, 7, 4}, 4, 4, out);
    ck_assert_mem_eq(out, part, sizeof part);
}
END_TEST

START_TEST(folder_of_birds) {
    const ProgramData *natural = dataset_natural_fields(arena, "cub:" BIRDS, diag);
    ck_assert_msg(natural != NULL, "%s", diag_text(diag, arena));
    ck_assert_uint_eq(natural->field_count, 3);
    ck_assert_uint_eq(natural->fields[1].dims[0], 1024);
    Dataset *dataset = open_at(BIRDS, natural);
    ck_assert_uint_eq(dataset->split_count, 2);
    ck_assert_uint_eq(dataset->splits[0].count, 4);
    ck_assert_uint_eq(dataset->splits[1].count, 2);
    ck_assert_str_eq(dataset->encoder, ENCODER_UNNAMED);
    int32_t label;
    ck_assert(dataset->fetch(dataset, 1, 1, 2, 0, &label, diag));
    ck_assert_int_eq(label, 3);
    // The fourth picture is grey, the first one orange in its middle.
    float *image = ARENA_NEW(arena, float, 3 * 64 * 64);
    ck_assert(dataset->fetch(dataset, 0, 3, 0, 7, image, diag));
    ck_assert_mem_eq(image, image + 64 * 64, 64 * 64 * sizeof(float));
    ck_assert(dataset->fetch(dataset, 0, 0, 0, 7, image, diag));
    ck_assert_float_gt(image[32 * 64 + 32], image[2 * 64 * 64 + 32 * 64 + 32] + 0.5f);
    Text text = text_create(arena);
    dataset_describe(&text, dataset, 64);
    ck_assert_ptr_nonnull(strstr(text.data, "image f32[3,64,64] in [-1, 1]"));
    ck_assert_ptr_nonnull(strstr(text.data, "char-CNN-RNN, with captions"));
    ck_assert(dataset_preview(dataset, "train", 64, file_join(arena, folder, "p.png"), diag));
    dataset_report_broken(dataset, diag);
    ck_assert_str_eq(diag_text(diag, arena), "");
}
END_TEST

START_TEST(texts_and_captions_fit) {
    Dataset *dataset = open_at(BIRDS, dataset_natural_fields(arena, "cub:" BIRDS, diag));
    for (uint32_t split = 0; split < 2; split++) {
        HostTensor expected;
        const char *name = arena_format(arena, BIRDS "/%s/expected_embeddings.npy", dataset->splits[split].name);
        ck_assert(npy_read(arena, name, &expected, diag));
        uint32_t seen = 0;
        for (uint64_t draw = 0; draw < 60; draw++)
            for (uint32_t record = 0; record < dataset->splits[split].count; record++) {
                float text[1024];
                ck_assert(dataset->fetch(dataset, split, record, 1, draw, text, diag));
                uint32_t row = 0;
                while (row < 10 && memcmp(text, (const float *)expected.data + ((size_t)record * 10 + row) * 1024, sizeof text) != 0)
                    row++;
                ck_assert_uint_lt(row, 10);
                ck_assert(draw > 0 || row == 0);
                seen |= 1u << row;
                const char *caption = dataset->caption(dataset, arena, split, record, draw, diag);
                ck_assert_ptr_nonnull(strstr(caption, arena_format(arena, "bird number %u of", row)));
            }
        ck_assert_uint_eq(seen, 1023);
    }
}
END_TEST

START_TEST(draws) {
    Dataset *dataset = open_at(BIRDS, declare(32, 1024)), *again = open_at(BIRDS, declare(32, 1024));
    enum { COUNT = 3 * 32 * 32, DRAWS = 40 };
    float *images = ARENA_NEW(arena, float, DRAWS *COUNT), *other = ARENA_NEW(arena, float, COUNT);
    for (uint64_t draw = 0; draw < DRAWS; draw++) {
        ck_assert(dataset->fetch(dataset, 0, 1, 0, draw, images + draw * COUNT, diag));
        ck_assert(again->fetch(again, 0, 1, 0, draw, other, diag));
        ck_assert_mem_eq(images + draw * COUNT, other, COUNT * sizeof(float));
    }
    uint32_t same = 0;
    for (uint64_t a = 0; a < DRAWS; a++)
        for (uint64_t b = 0; b < a; b++)
            same += memcmp(images + a * COUNT, images + b * COUNT, COUNT * sizeof(float)) == 0;
    ck_assert_uint_lt(same, DRAWS / 2); // of 7 x 7 places and 2 directions
}
END_TEST

START_TEST(named_encoder) {
    make_birds(3);
    ck_assert(file_remove_tree(file_join(arena, folder, "text"), diag));
    save_text("encoder.json", "{\"encoder\": \"ngrams-2\"}");
    Dataset *dataset = open_at(folder, declare(16, NUMBERS));
    ck_assert_str_eq(dataset->encoder, "ngrams-2");
    ck_assert_ptr_null(dataset->caption);
    ck_assert_uint_eq(dataset->split_count, 1);
    save_text("encoder.json", "{\"encoder\": 1}");
    ck_refused(declare(16, NUMBERS), "a string");
}
END_TEST

// In all fields together the next good record takes the place of a broken one.
START_TEST(broken_pictures) {
    enum { COUNT = 200 };
    make_birds(COUNT);
    save_text(arena_format(arena, "CUB_200_2011/images/%s.jpg", name_of(7)), "");
    save_text(arena_format(arena, "CUB_200_2011/images/%s.jpg", name_of(COUNT - 1)), "\xff\xd8 no picture");
    const uint32_t broken[] = {7, COUNT - 1}, instead[] = {8, 0};
    for (uint32_t order = 0; order < 3; order++) { // whichever field comes first
        Dataset *dataset = open_at(folder, declare(16, NUMBERS));
        Diag *inner = diag_create(arena);
        for (uint32_t i = 0; i < 2; i++)
            for (uint32_t k = 0; k < 3; k++) {
                float image[3 * 16 * 16], text[NUMBERS];
                int32_t label;
                switch ((k + order) % 3) {
                case 0:
                    ck_assert(dataset->fetch(dataset, 0, broken[i], 0, 3, image, inner));
                    ck_assert_float_eq_tol(image[0], grey_of(instead[i]), 2);
                    break;
                case 1:
                    ck_assert(dataset->fetch(dataset, 0, broken[i], 1, 0, text, inner));
                    ck_assert_float_eq(text[0], (float)(instead[i] * TEXTS * NUMBERS));
                    break;
                default:
                    ck_assert(dataset->fetch(dataset, 0, broken[i], 2, 3, &label, inner));
                    ck_assert_int_eq(label, (int32_t)instead[i]);
                }
            }
        ck_assert_str_eq(dataset->caption(dataset, arena, 0, 7, 0, diag), "bird 8 text 0");
        ck_assert_uint_eq(dataset->broken(dataset, 0), 2);
        dataset_report_broken(dataset, inner);
        const char *said = diag_text(inner, arena);
        ck_assert_uint_eq(diag_error_count(inner), 0);
        ck_assert_ptr_nonnull(strstr(said, "Bird_0007.jpg"));
        ck_assert_ptr_nonnull(strstr(said, "Bird_0199.jpg"));
        ck_assert_ptr_nonnull(strstr(said, "2 of the 200 records of \"train\" are broken"));
        ck_assert_ptr_null(strstr(strstr(said, "Bird_0007.jpg") + 1, "Bird_0007.jpg")); // named once
    }
    save_text(arena_format(arena, "CUB_200_2011/images/%s.jpg", name_of(100)), "");
    Dataset *dataset = open_at(folder, declare(16, NUMBERS));
    Diag *inner = diag_create(arena);
    float image[3 * 16 * 16];
    ck_assert(dataset->fetch(dataset, 0, 7, 0, 0, image, inner) && dataset->fetch(dataset, 0, 199, 0, 0, image, inner));
    ck_assert(!dataset->fetch(dataset, 0, 100, 0, 0, image, inner));
    ck_assert_uint_eq(diag_error_count(inner), 1);
    ck_assert_ptr_nonnull(strstr(diag_text(inner, arena), "3 of the 200 records"));
}
END_TEST

START_TEST(wrong_folders) {
    enum { COUNT = 4 };
    const ProgramData *good = declare(16, NUMBERS);
    ck_refused(good, "images.txt");
    make_birds(COUNT);
    open_at(folder, good);
    ck_refused(declare(16, 1024), "vectors of 3 numbers");
    ProgramData *other = declare(16, NUMBERS);
    other->fields[2].below = 3;
    ck_refused(other, "record 3 of \"train\" has label 3");
    other = declare(16, NUMBERS);
    other->fields[0].dims[2] = 8;
    ck_refused(other, "image f32[3,S,S]");
    save_embeddings("train/char-CNN-RNN-embeddings.pickle", COUNT - 1, NUMBERS);
    ck_refused(good, "texts of 3 images for the 4 names");
    save_embeddings("train/char-CNN-RNN-embeddings.pickle", COUNT, NUMBERS);
    save_list("train/class_info.pickle", COUNT + 1, false);
    ck_refused(good, "5 classes for the 4 names");
    save_list("train/class_info.pickle", COUNT, false);
    const char *const names[] = {"../x", "/etc/passwd", "a/../b", "a//b", "a/.", "", "a\\\\b", "a/b\\n"};
    for (uint32_t i = 0; i < sizeof names / sizeof *names; i++) {
        save_text("train/filenames.pickle", arena_format(arena, "(S'%s'\nl.", names[i]));
        ck_refused(good, "inside the folder");
    }
    save_text("train/filenames.pickle", "(S'no/Such'\nl.");
    ck_refused(good, "no/Such.jpg is not in");
    save_text("train/filenames.pickle", "(l.");
    ck_refused(good, "a list of names");
    save_list("train/filenames.pickle", COUNT, true);
    save_text("CUB_200_2011/bounding_boxes.txt", "1 0 0 5 5\n2 0 0 5 x\n");
    ck_refused(good, "bounding_boxes.txt:2");
    save_text("CUB_200_2011/bounding_boxes.txt", "1 0 0 5 5\n3 0 0 5 5\n");
    ck_refused(good, "not those of images.txt");
    save_text("CUB_200_2011/bounding_boxes.txt", "1 0 0 5 5\n2 0 0 5 5\r\n3 0 0 5 5\n4 500 0 5 5\n\n");
    Dataset *dataset = open_at(folder, good);
    Diag *inner = diag_create(arena);
    float image[3 * 16 * 16];
    ck_assert(dataset->fetch(dataset, 0, 0, 0, 0, image, inner));
    ck_assert(!dataset->fetch(dataset, 0, 3, 0, 0, image, inner));
    ck_assert_ptr_nonnull(strstr(diag_text(inner, arena), "lies outside"));
    ck_assert(file_remove_tree(picture_path(1), diag));
    ck_refused(good, "no such file");
}
END_TEST

// The same batches whatever the number of threads and the first step; images, texts, labels and captions of a row belong together.
START_TEST(batches) {
    enum { COUNT = 23, BATCH = 5, STEPS = 14, IMAGE = 3 * 16 * 16 };
    make_birds(COUNT);
    Program *program = ARENA_NEW(arena, Program, 1);
    array_push(arena, &program->data, *declare(16, NUMBERS));
    ProgramEntry entry = {.name = "train"};
    ProgramPhase phase = {.name = "fit", .repeat = 1};
    const char *const fields[] = {"image", "text", "label"};
    for (uint32_t i = 0; i < 3; i++)
        array_push(
            arena, &phase.feeds,
            ((ProgramFeed){
                .name = fields[i], .data = "birds", .field = fields[i], .split = "train", .shuffled = true, .pad = true, .batch = BATCH}));
    array_push(arena, &entry.phases, phase);
    float *images = ARENA_NEW(arena, float, STEPS *BATCH *IMAGE), *texts = ARENA_NEW(arena, float, STEPS *BATCH *NUMBERS);
    const struct { uint32_t threads, first; } cases[] = {{1, 0}, {1, 3}, {2, 0}, {4, 7}, {8, 0}, {0, 0}};
    for (uint32_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        Dataset *dataset = open_at(folder, program->data.items);
        LoaderOptions options = {.program = program,
                                 .entry = &entry,
                                 .datasets = &dataset,
                                 .seed = 3,
                                 .first_step = cases[c].first,
                                 .end_step = STEPS,
                                 .threads = cases[c].threads};
        Loader *loader = loader_create(arena, &options, diag);
        for (uint32_t step = cases[c].first; step < STEPS; step++) {
            LoaderBatch batch;
            ck_assert(loader_next(loader, 0, &batch, diag));
            float *image = images + step * BATCH * IMAGE, *text = texts + step * BATCH * NUMBERS;
            if (c == 0) {
                memcpy(image, batch.feeds[0], BATCH * IMAGE * sizeof(float));
                memcpy(text, batch.feeds[1], BATCH * NUMBERS * sizeof(float));
            }
            ck_assert_mem_eq(image, batch.feeds[0], BATCH * IMAGE * sizeof(float));
            ck_assert_mem_eq(text, batch.feeds[1], BATCH * NUMBERS * sizeof(float));
            for (uint32_t row = 0; row < BATCH; row++) {
                uint32_t record = batch.origins[0].records[row], number = (uint32_t)text[row * NUMBERS] / NUMBERS;
                ck_assert_uint_eq(record, (uint32_t)((const int32_t *)batch.feeds[2])[row]);
                ck_assert_uint_eq(record, number / TEXTS);
                ck_assert_float_eq_tol(image[row * IMAGE], grey_of(record), 2);
                const char *caption = dataset->caption(dataset, arena, 0, record, batch.origins[1].draw, diag);
                ck_assert_str_eq(caption, arena_format(arena, "bird %u text %u", record, number % TEXTS));
            }
        }
        loader_destroy(&loader);
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("cub");
    TCase *tests = tcase_create("cub");
    tcase_add_checked_fixture(tests, folder_set_up, folder_tear_down);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, jpeg_both_ways);
    tcase_add_test(tests, resized_as_by_pillow);
    tcase_add_test(tests, folder_of_birds);
    tcase_add_test(tests, texts_and_captions_fit);
    tcase_add_test(tests, draws);
    tcase_add_test(tests, named_encoder);
    tcase_add_test(tests, broken_pictures);
    tcase_add_test(tests, wrong_folders);
    tcase_add_test(tests, batches);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
