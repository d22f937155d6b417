// Birds: the painter, the captions and the folder.
#include "runtime/base/json.h"
#include "runtime/tensor/pickle.h"
#include "runtime/data/birds.h"
#include "runtime/data/encoder.h"
#include "runtime/data/jpeg.h"
#include "tests/support/folder.h"
#include <check.h>
#include <stdlib.h>

static const char *birds;

static void set_up(void) {
    folder_set_up();
    birds = file_join(arena, folder, "birds");
}

START_TEST(painting_is_deterministic) {
    for (uint32_t i = 0; i < 12; i++) {
        Bird bird = bird_draw(7, i, 120), again = bird_draw(7, i, 120);
        Image first, second;
        BirdBox box, same;
        ck_assert(bird_paint(arena, &bird, &first, &box, diag) && bird_paint(arena, &again, &second, &same, diag));
        ck_assert(first.width == second.width && first.height == second.height && first.channels == 3);
        ck_assert_mem_eq(first.pixels, second.pixels, (size_t)first.width * first.height * 3);
        ck_assert(first.width >= 96 && first.width <= 136 && first.height >= 96 && first.height <= 136);
        ck_assert(box.x == same.x && box.y == same.y && box.width == same.width && box.height == same.height);
        ck_assert(box.x >= 0 && box.y >= 0 && box.x + box.width <= first.width && box.y + box.height <= first.height);
        ck_assert(box.width > first.width * 0.3 && box.height > first.height * 0.2);
    }
    Bird bird = bird_draw(7, 0, 120), other = bird_draw(8, 0, 120);
    ck_assert_mem_ne(&bird, &other, offsetof(Bird, seed));
}
END_TEST

static uint32_t distance(const uint8_t *a, const uint8_t *b) {
    uint32_t sum = 0;
    for (uint32_t i = 0; i < 3; i++)
        sum += (uint32_t)((a[i] - b[i]) * (a[i] - b[i]));
    return sum;
}

static uint32_t nearest(const uint8_t *pixel) {
    uint32_t best = 0;
    for (uint32_t i = 1; i < BIRD_COLOURS; i++)
        best = distance(pixel, bird_colours[i].rgb) < distance(pixel, bird_colours[best].rgb) ? i : best;
    return best;
}

// The middle of the box is at least half the body's colour, in the mean.
START_TEST(bodies_have_their_colour) {
    enum { BIRDS = 64 };
    uint32_t own = 0, all = 0, background = 0;
    for (uint32_t i = 0; i < BIRDS; i++) {
        Bird bird = bird_draw(3, i, 150);
        Image image;
        BirdBox box;
        ck_assert(bird_paint(arena, &bird, &image, &box, diag));
        for (double v = 0.35; v < 0.65; v += 0.02)
            for (double u = 0.35; u < 0.65; u += 0.02) {
                uint32_t x = (uint32_t)(box.x + u * box.width), y = (uint32_t)(box.y + v * box.height);
                own += nearest(image.pixels + ((size_t)y * image.width + x) * 3) == bird.body;
                all++;
            }
        const BirdBackground *kind = &bird_backgrounds[bird.background];
        background += distance(image.pixels, kind->top.rgb) < 4000;
    }
    ck_assert_double_gt((double)own / all, 0.5);
    ck_assert_uint_ge(background, BIRDS * 9 / 10);
}
END_TEST

START_TEST(pairs_are_held_out) {
    uint32_t bodies[BIRD_COLOURS] = {0}, wings[BIRD_COLOURS] = {0}, pairs[BIRD_COLOURS][BIRD_COLOURS] = {{0}};
    for (uint32_t body = 0; body < BIRD_COLOURS; body++)
        for (uint32_t wing = 0; wing < BIRD_COLOURS; wing++)
            if (bird_is_held_out(body, wing)) {
                ck_assert_uint_ne(body, wing);
                bodies[body]++;
                wings[wing]++;
            }
    for (uint32_t i = 0; i < BIRD_COLOURS; i++)
        ck_assert(bodies[i] == 1 && wings[i] == 1);
    for (uint32_t i = 0; i < 128; i++) {
        Bird bird = bird_draw(5, i, 100);
        pairs[bird.body][bird.wing]++;
    }
    for (uint32_t i = 0; i < BIRD_COLOURS * BIRD_COLOURS; i++)
        ck_assert_uint_eq(pairs[i / BIRD_COLOURS][i % BIRD_COLOURS], 2);
}
END_TEST

static bool names(const char *caption, const char *word) {
    const char *padded = arena_format(arena, " %s", caption), *at = strstr(padded, arena_format(arena, " %s", word));
    for (; at; at = strstr(at + 1, arena_format(arena, " %s", word)))
        if (strchr(" .,", at[1 + strlen(word)]))
            return true;
    return false;
}

START_TEST(captions_name_the_colours) {
    uint32_t wings = 0, bellies = 0, all = 0;
    for (uint32_t i = 0; i < 64; i++) {
        Bird bird = bird_draw(11, i, 100);
        const char *captions[BIRD_CAPTIONS];
        bird_captions(arena, &bird, captions);
        for (uint32_t k = 0; k < BIRD_CAPTIONS; k++) {
            for (uint32_t j = 0; j < k; j++)
                ck_assert_str_ne(captions[k], captions[j]);
            ck_assert_msg(names(captions[k], bird_colours[bird.body].name), "%s", captions[k]);
            ck_assert_ptr_null(strpbrk(captions[k], "{}"));
            ck_assert_ptr_null(strstr(captions[k], " a orange"));
            wings += names(captions[k], bird_colours[bird.wing].name);
            bellies += names(captions[k], bird_colours[bird.belly].name);
            all++;
            // no colour that the bird has not
            for (uint32_t c = 0; c < BIRD_COLOURS; c++) {
                const char *colour = bird_colours[c].name;
                bool has = c == bird.body || c == bird.wing || c == bird.belly || c == bird.crown ||
                           strcmp(colour, bird_beaks[bird.beak].name) == 0 || strcmp(colour, bird_eyes[bird.eye].name) == 0;
                ck_assert_msg(has || !names(captions[k], colour), "%s", captions[k]);
            }
        }
    }
    ck_assert(wings > all * 3 / 4 && bellies > all * 3 / 4);
}
END_TEST

enum { COUNT = 130 };

static void make(const char *path) {
    ck_assert_msg(birds_write(&(BirdsOptions){.folder = path, .count = COUNT, .size = 80, .seed = 4}, diag), "%s", diag_text(diag, arena));
}

static void check_split(const char *split, const char *other) {
    BirdAttributes attributes, others;
    ck_assert_msg(bird_attributes_read(arena, birds, split, &attributes, diag) && bird_attributes_read(arena, birds, other, &others, diag),
                  "%s", diag_text(diag, arena));
    ck_assert_uint_eq(attributes.colour_count, BIRD_COLOURS);
    ck_assert_uint_eq(attributes.background_count, BIRD_BACKGROUNDS);
    ck_assert_uint_eq(attributes.record_count + others.record_count, COUNT);
    const char *in = file_join(arena, birds, split);
    const PickleValue *files = pickle_read(arena, file_join(arena, in, "filenames.pickle"), diag);
    const PickleValue *classes = pickle_read(arena, file_join(arena, in, "class_info.pickle"), diag);
    const PickleValue *vectors = pickle_read(arena, file_join(arena, in, "char-CNN-RNN-embeddings.pickle"), diag);
    ck_assert(files && classes && vectors);
    ck_assert(files->count == attributes.record_count && classes->count == files->count && vectors->count == files->count);
    float wanted[1024], got[1024];
    for (uint32_t i = 0; i < files->count; i++) {
        const BirdRecord *record = &attributes.records[i];
        const char *name = pickle_text(arena, files->items[i]);
        ck_assert_str_eq(name, record->name);
        ck_assert_int_eq(classes->items[i]->integer, record->body * BIRD_COLOURS + record->wing + 1);
        ck_assert_int_eq(classes->items[i]->integer, atoi(name));
        ck_assert(bird_is_held_out(record->body, record->wing) == (strcmp(split, "test") == 0));
        ck_assert(memcmp(bird_colours[record->body].rgb, attributes.colours[record->body].rgb, 3) == 0);
        size_t size = 0;
        char *text = file_read(arena, arena_format(arena, "%s/text/%s.txt", birds, name), &size, diag);
        ck_assert_ptr_nonnull(text);
        text[strcspn(text, "\n")] = 0;
        encoder_default()->encode(text, wanted);
        const HostTensor *array = vectors->items[i]->array;
        ck_assert(array->rank == 2 && array->dims[0] == BIRD_CAPTIONS && array->dims[1] == 1024);
        pickle_floats(array, 0, 1024, got);
        ck_assert_mem_eq(got, wanted, sizeof got);
        JpegImage image;
        ck_assert(jpeg_read(arena, arena_format(arena, "%s/CUB_200_2011/images/%s.jpg", birds, name), &image, diag));
        for (uint32_t k = 0; k < others.record_count; k++)
            ck_assert(others.records[k].body != record->body || others.records[k].wing != record->wing);
    }
}

static uint32_t count_lines(const char *name) {
    size_t size = 0;
    const char *text = file_read(arena, file_join(arena, birds, name), &size, diag);
    uint32_t lines = 0;
    for (size_t i = 0; text && i < size; i++)
        lines += text[i] == '\n';
    return lines;
}

START_TEST(the_folder_is_complete) {
    make(birds);
    check_split("train", "test");
    check_split("test", "train");
    ck_assert_uint_eq(count_lines("CUB_200_2011/images.txt"), COUNT);
    ck_assert_uint_eq(count_lines("CUB_200_2011/bounding_boxes.txt"), COUNT);
    const Json *encoder = json_read(arena, file_join(arena, birds, "encoder.json"), diag);
    const char *name = NULL;
    ck_assert(encoder && json_text(encoder, "encoder", &name, diag));
    ck_assert_str_eq(name, encoder_default()->name);
    const char *again = file_join(arena, folder, "again");
    make(again);
    static const char *const files[] = {"attributes.json", "CUB_200_2011/bounding_boxes.txt", "test/char-CNN-RNN-embeddings.pickle"};
    for (uint32_t i = 0; i < 3; i++) {
        size_t size = 0, other = 0;
        const char *a = file_read(arena, file_join(arena, birds, files[i]), &size, diag);
        const char *b = file_read(arena, file_join(arena, again, files[i]), &other, diag);
        ck_assert(a && b && size == other);
        ck_assert_mem_eq(a, b, size);
    }
}
END_TEST

START_TEST(nothing_is_half_written) {
    uint32_t count = 0, failures = 0;
    for (uint32_t n = 1; n < 3000; n = n * 3 + 1) {
        file_fail_at(n);
        bool is_written = birds_write(&(BirdsOptions){.folder = birds, .count = COUNT, .size = 80, .seed = 4}, diag);
        file_fail_at(0);
        failures += !is_written;
        ck_assert(file_exists(birds) == is_written); // a folder that could not be synced is a warning
        ck_assert(file_remove_tree(birds, diag));
        ck_assert_ptr_nonnull(file_list(arena, folder, &count, diag));
        ck_assert_uint_eq(count, 0);
    }
    ck_assert_uint_gt(failures, 2);
    ck_assert(file_make_folders(birds, diag));
    ck_assert(!birds_write(&(BirdsOptions){.folder = birds, .count = COUNT, .size = 80}, diag));
    ck_assert(!birds_write(&(BirdsOptions){.folder = file_join(arena, folder, "few"), .count = 3, .size = 80}, diag));
    ck_assert(!birds_write(&(BirdsOptions){.folder = file_join(arena, folder, "tiny"), .count = COUNT, .size = 8}, diag));
    ck_assert_ptr_nonnull(file_list(arena, birds, &count, diag));
    ck_assert_uint_eq(count, 0);
}
END_TEST

START_TEST(wrong_attributes) {
    static const char *const texts[] = {
        "{}",
        "{\"colours\": {\"red\": [1, 2]}, \"backgrounds\": {}, \"test\": []}",
        "{\"colours\": {\"red\": [1, 2, 300]}, \"backgrounds\": {}, \"test\": []}",
        "{\"colours\": [[1, 2, 3]], \"backgrounds\": {}, \"test\": []}",
        "{\"colours\": {\"red\": [1, 2, 3]}, \"backgrounds\": {\"sky\": {\"top\": [1, 2, 3]}}, \"test\": []}",
        "{\"colours\": {\"red\": [1, 2, 3]}, \"backgrounds\": {\"sky\": {\"top\": [1, 2, 3], \"bottom\": [1, 2, 3]}}, \"test\": "
        "[{\"name\": "
        "\"a\", \"body\": \"blue\"}]}",
        "{\"colours\": {\"red\": [1, 2, 3]}, \"backgrounds\": {\"sky\": {\"top\": [1, 2, 3], \"bottom\": [1, 2, 3]}}, \"test\": [1]}",
    };
    BirdAttributes attributes;
    ck_assert(!bird_attributes_read(arena, folder, "test", &attributes, diag));
    ck_assert_ptr_nonnull(strstr(diag_text(diag, arena), "data make birds"));
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        ck_assert(file_write(file_join(arena, folder, "attributes.json"), texts[i], strlen(texts[i]), diag));
        uint32_t before = diag_error_count(diag);
        ck_assert_msg(!bird_attributes_read(arena, folder, "test", &attributes, diag), "%s", texts[i]);
        ck_assert_uint_gt(diag_error_count(diag), before);
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("birds");
    TCase *tests = tcase_create("birds");
    tcase_add_checked_fixture(tests, set_up, folder_tear_down);
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, painting_is_deterministic);
    tcase_add_test(tests, bodies_have_their_colour);
    tcase_add_test(tests, pairs_are_held_out);
    tcase_add_test(tests, captions_name_the_colours);
    tcase_add_test(tests, the_folder_is_complete);
    tcase_add_test(tests, nothing_is_half_written);
    tcase_add_test(tests, wrong_attributes);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
