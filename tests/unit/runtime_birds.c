// Painted birds and their captions: deterministic, complete, and the test split's pairs are held out of training.
#include "runtime/base/pickle.h"
#include "runtime/data/birds.h"
#include "runtime/data/encoder.h"
#include "runtime/data/jpeg.h"
#include <check.h>
#include <math.h>
#include <stdlib.h>

static Arena *arena;
static Diag *diag;
static const char *folder;

static void set_up(void) {
    arena = arena_create();
    diag = diag_create(arena);
    folder = mkdtemp(arena_copy_text(arena, "/tmp/gg_birds_XXXXXX"));
    ck_assert_ptr_nonnull(folder);
}

static void tear_down(void) {
    ck_assert(file_remove_tree(folder, diag));
    arena_destroy(&arena);
}

START_TEST(encoder_tells_captions_apart) {
    const TextEncoder *encoder = encoder_default();
    ck_assert(encoder_find(encoder->name) == encoder && !encoder_find(ENCODER_UNNAMED) && encoder->size == 1024);
    static const char *const captions[] = {"this bird is blue with a white belly", "This BIRD is: blue, with a white belly!",
                                           "this bird is white with a blue belly", ""};
    float vectors[4][1024];
    double products[4];
    for (uint32_t i = 0; i < 4; i++) {
        encoder->encode(captions[i], vectors[i]);
        products[i] = 0;
        for (uint32_t k = 0; k < 1024; k++)
            products[i] += (double)vectors[0][k] * vectors[i][k];
    }
    ck_assert(memcmp(vectors[0], vectors[1], sizeof vectors[0]) == 0);
    ck_assert(fabs(products[0] - 64 * 64) < 1e-2 && products[2] < 0.9 * products[0] && products[3] == 0);
}
END_TEST

START_TEST(captions_name_the_body) {
    for (uint32_t number = 0; number < 128; number++) {
        Bird bird = bird_draw(9, number, 100);
        const char *captions[BIRD_CAPTIONS];
        bird_captions(arena, &bird, captions);
        for (uint32_t i = 0; i < BIRD_CAPTIONS; i++)
            ck_assert_msg(strstr(captions[i], bird_colours[bird.body].name) != NULL, "bird %u: %s", number, captions[i]);
    }
}
END_TEST

static const PickleValue *read_pickle(const char *path) {
    const PickleValue *value = pickle_read(arena, file_join(arena, folder, path), diag);
    ck_assert_msg(value != NULL, "%s", diag_text(diag, arena));
    return value;
}

START_TEST(folder_is_complete_and_deterministic) {
    BirdsOptions options = {.folder = file_join(arena, folder, "a"), .count = 64, .size = 80, .seed = 4};
    ck_assert_msg(birds_write(&options, diag), "%s", diag_text(diag, arena));
    ck_assert(!birds_write(&options, diag)); // it is there already
    options.folder = file_join(arena, folder, "b");
    ck_assert(birds_write(&options, diag));
    ck_assert_int_eq(system(arena_format(arena, "diff -r %s/a %s/b", folder, folder)), 0);
    uint32_t counts[2] = {0}, held_out = 0;
    for (uint32_t s = 0; s < 2; s++) {
        const char *split = s ? "test" : "train";
        BirdAttributes attributes;
        ck_assert_msg(bird_attributes_read(arena, file_join(arena, folder, "a"), split, &attributes, diag), "%s", diag_text(diag, arena));
        const PickleValue *names = read_pickle(arena_format(arena, "a/%s/filenames.pickle", split));
        const PickleValue *vectors = read_pickle(arena_format(arena, "a/%s/char-CNN-RNN-embeddings.pickle", split));
        counts[s] = attributes.record_count;
        ck_assert(names->count == counts[s] && vectors->count == counts[s]);
        for (uint32_t i = 0; i < counts[s]; i++) {
            const BirdRecord *record = &attributes.records[i];
            held_out += bird_is_held_out(record->body, record->wing);
            ck_assert(bird_is_held_out(record->body, record->wing) == (s == 1));
            JpegImage image;
            const char *path = arena_format(arena, "%s/a/CUB_200_2011/images/%s.jpg", folder, record->name);
            ck_assert_msg(jpeg_read(arena, path, &image, diag), "%s", diag_text(diag, arena));
            ck_assert(image.width >= 40 && image.height >= 40);
        }
    }
    ck_assert_uint_eq(counts[0] + counts[1], 64);
    ck_assert_uint_eq(held_out, 8);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("birds");
    TCase *tests = tcase_create("birds");
    tcase_set_timeout(tests, 120);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, encoder_tells_captions_apart);
    tcase_add_test(tests, captions_name_the_body);
    tcase_add_test(tests, folder_is_complete_and_deterministic);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
