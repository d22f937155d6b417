// Survey and preview: classes by name, sizes, speed, and figures of a folder of pictures.
#include "runtime/data/survey.h"
#include "runtime/data/preview.h"
#include "tests/support/folder.h"
#include <check.h>
#include <stdlib.h>


static void set_up(void) {
    folder_set_up();
    setenv("XDG_CACHE_HOME", folder, 1);
}

static void write_picture(const char *name, uint32_t number, uint32_t width, uint32_t height) {
    Image image = image_create(arena, width, height, 3);
    memset(image.pixels, (int)(number * 9), (size_t)width * height * 3);
    const char *path = arena_format(arena, "%s/pictures/%s/%u.png", folder, name, number);
    ck_assert(file_make_folders(file_folder(arena, path), diag) && image_write(path, &image, NULL, 0, diag));
}

static Dataset *open_pictures(void) {
    for (uint32_t i = 0; i < 6; i++)
        write_picture("train/cat", i, 20 + i, 30);
    for (uint32_t i = 0; i < 4; i++)
        write_picture("train/tree frog", i, 70, 40 + i);
    write_picture("test/cat", 9, 20, 20);
    const char *spec = arena_format(arena, "images:%s/pictures", folder);
    const ProgramData *fields = dataset_natural_fields(arena, spec, diag);
    Dataset *dataset = fields ? dataset_open(arena, spec, fields, diag) : NULL;
    ck_assert_msg(dataset != NULL, "%s", diag_text(diag, arena));
    return dataset;
}

START_TEST(surveyed) {
    Dataset *dataset = open_pictures();
    Text text = text_create(arena);
    survey_pictures(&text, dataset, 1000, diag);
    ck_assert_str_eq(text.data, "  pictures of 20 x 20 to 70 x 43 pixels (width x height)\n  11 of 11 records looked at: none broken\n");
    text = text_create(arena);
    ck_assert(survey_classes(&text, dataset, diag));
    ck_assert_str_eq(text.data, "  train  2 classes: cat (6), tree frog (4)\n  test   1 class: cat (1)\n");
    text = text_create(arena);
    ck_assert(survey_speed(&text, dataset, 0, 1, diag));
    ck_assert_ptr_nonnull(strstr(text.data, "  10 records of \"train\" read by "));
    ck_assert_ptr_nonnull(strstr(text.data, "decoding their pictures alone (of \"image\"): "));
    ck_assert_str_eq(diag_text(diag, arena), "");
    ck_assert(file_write(arena_format(arena, "%s/pictures/train/cat/3.png", folder), "\x89PNG none", 9, diag));
    survey_pictures(&text, dataset, 1000, diag);
    ck_assert_ptr_nonnull(strstr(text.data, "  11 of 11 records looked at: 1 broken\n"));
    ck_assert_uint_eq(diag_error_count(diag), 0);
    ck_assert_ptr_nonnull(strstr(diag_text(diag, arena), "warning: "));
    ck_assert_ptr_null(strstr(diag_text(diag, arena), "error: "));
}
END_TEST

// Whether somewhere in a row there are many pixels of that grey.
static bool shows(const Image *image, uint32_t grey) {
    uint32_t run = 0;
    for (size_t i = 0; i < (size_t)image->width * image->height * image->channels && run < 60; i++)
        run = image->pixels[i] == grey ? run + 1 : 0;
    return run == 60;
}

START_TEST(previewed) {
    Dataset *dataset = open_pictures();
    ck_assert(preview_has_names(dataset));
    const char *few = file_join(arena, folder, "few.png"), *many = file_join(arena, folder, "many.png");
    ck_assert(preview_write(dataset, "train", 2, 1, few, diag) && preview_write(dataset, "train", 100, 4, many, diag));
    Image small, large;
    ck_assert(image_read(arena, few, &small, NULL, NULL, diag) && image_read(arena, many, &large, NULL, NULL, diag));
    ck_assert_uint_gt(large.width, small.width + 250); // three draws more; names are as wide as the fonts of the system have them
    ck_assert(shows(&small, 0) && shows(&small, 5 * 9) && !shows(&small, 1 * 9)); // records 0 and 5 of 10
    ck_assert_uint_gt(large.height, small.height + 700);
    ck_assert_str_eq(diag_text(diag, arena), "");
    ck_assert(file_write(arena_format(arena, "%s/pictures/train/cat/0.png", folder), "none", 4, diag));
    Diag *inner = diag_create(arena);
    ck_assert(!preview_write(dataset, "train", 2, 1, few, inner));
    ck_assert_uint_eq(diag_error_count(inner), 1);
    inner = diag_create(arena);
    ck_assert_ptr_null(dataset_natural_fields(arena, folder, inner));
    ck_assert_ptr_nonnull(strstr(diag_text(inner, arena), arena_format(arena, "a folder of pictures is images:%s", folder)));
    ck_assert(!preview_write(dataset, "valid", 2, 1, few, diag));
    ck_assert_ptr_nonnull(strstr(diag_text(diag, arena), "has no split \"valid\"; known: train, test"));
}
END_TEST

int main(void) {
    Suite *suite = suite_create("survey");
    TCase *tests = tcase_create("survey");
    tcase_add_checked_fixture(tests, set_up, folder_tear_down);
    tcase_add_test(tests, surveyed);
    tcase_add_test(tests, previewed);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
