// Image and draw: PNG out and in, broken PNGs, grids, curves.
#include "runtime/show/draw.h"
#include "tests/support/folder.h"
#include <check.h>
#include <math.h>
#include <stdlib.h>

static const char *keep_folder; // argument: where to leave the pictures, to look at them

static void tear_down(void) {
    file_fail_at(0);
    folder_tear_down();
}

static const char *in_folder(const char *name) { return file_join(arena, folder, name); }

static Image noise(uint32_t width, uint32_t height, uint32_t channels) {
    Image image = image_create(arena, width, height, channels);
    for (uint32_t i = 0; i < width * height * channels; i++)
        image.pixels[i] = (uint8_t)(i * 2654435761u >> 24);
    return image;
}

START_TEST(round_trip) {
    for (uint32_t channels = 1; channels <= 3; channels += 2) {
        Image image = noise(37, 11, channels), read;
        const ImageText texts[] = {{"digest", "abc"}, {"step", NULL}, {"seed", "7"}};
        ck_assert(image_write(in_folder("a.png"), &image, texts, 3, diag));
        ImageText *found;
        uint32_t count;
        ck_assert(image_read(arena, in_folder("a.png"), &read, &found, &count, diag));
        ck_assert_uint_eq(read.width, 37);
        ck_assert_uint_eq(read.height, 11);
        ck_assert_uint_eq(read.channels, channels);
        ck_assert_mem_eq(read.pixels, image.pixels, 37 * 11 * channels);
        ck_assert_uint_eq(count, 2);
        ck_assert_str_eq(found[0].key, "digest");
        ck_assert_str_eq(found[0].text, "abc");
        ck_assert_str_eq(found[1].text, "7");
    }
    ck_assert_uint_eq(diag_error_count(diag), 0);
}
END_TEST

// Every truncation of a PNG, and every damaged byte of its head, is an error or a picture, never a crash.
START_TEST(broken_files) {
    Image image = noise(9, 7, 3), read;
    ck_assert(image_write(in_folder("a.png"), &image, NULL, 0, diag));
    size_t size;
    char *bytes = file_read(arena, in_folder("a.png"), &size, diag);
    for (size_t cut = 0; cut < size; cut++) {
        Diag *inner = diag_create(arena);
        ck_assert(file_write(in_folder("b.png"), bytes, cut, diag));
        ck_assert(!image_read(arena, in_folder("b.png"), &read, NULL, NULL, inner));
        ck_assert_uint_eq(diag_error_count(inner), 1);
    }
    for (size_t at = 0; at < size; at++) {
        Diag *inner = diag_create(arena);
        bytes[at] ^= 0x55;
        ck_assert(file_write(in_folder("b.png"), bytes, size, diag));
        bool ok = image_read(arena, in_folder("b.png"), &read, NULL, NULL, inner);
        ck_assert_uint_eq(diag_error_count(inner), ok ? 0 : 1);
        bytes[at] ^= 0x55;
    }
    ck_assert(!image_read(arena, in_folder("none.png"), &read, NULL, NULL, diag));
    ck_assert_uint_eq(diag_error_count(diag), 1);
}
END_TEST

START_TEST(full_disk_keeps_the_old_file) {
    Image first = noise(5, 5, 1), second = noise(6, 6, 1), read;
    ck_assert(image_write(in_folder("a.png"), &first, NULL, 0, diag));
    for (uint32_t n = 1;; n++) {
        Diag *inner = diag_create(arena);
        file_fail_at(n);
        bool ok = image_write(in_folder("a.png"), &second, NULL, 0, inner);
        file_fail_at(0);
        ck_assert(image_read(arena, in_folder("a.png"), &read, NULL, NULL, diag));
        ck_assert_uint_eq(read.width, ok ? 6 : 5);
        ck_assert(ok == (diag_error_count(inner) == 0));
        if (ok)
            break;
    }
}
END_TEST

START_TEST(levels) {
    ck_assert_uint_eq(image_level(-1), 0);
    ck_assert_uint_eq(image_level(1), 255);
    ck_assert_uint_eq(image_level(-3), 0);
    ck_assert_uint_eq(image_level(INFINITY), 255);
    ck_assert_uint_eq(image_level(NAN), 0);
    for (uint32_t level = 0; level < 256; level++) // bytes mapped to [-1, 1] come back
        ck_assert_uint_eq(image_level(-1 + (float)level * (2.0f / 255)), level);
}
END_TEST

START_TEST(grid) {
    float values[5 * 2 * 3]; // 5 grey images of 2 x 3
    for (uint32_t i = 0; i < 30; i++)
        values[i] = (float)(i / 6) / 4 * 2 - 1;
    Image image = image_grid(arena, values, 5, 1, 2, 3, &(ImageGrid){.columns = 2, .zoom = 1, .gap = 1, .background = 9});
    ck_assert_uint_eq(image.width, 2 * 4 + 1);
    ck_assert_uint_eq(image.height, 3 * 3 + 1);
    ck_assert_uint_eq(image.pixels[0], 9);
    ck_assert_uint_eq(image.pixels[1 * 9 + 1], 0);
    ck_assert_uint_eq(image.pixels[1 * 9 + 4], 9);
    ck_assert_uint_eq(image.pixels[1 * 9 + 5], 64);
    ck_assert_uint_eq(image.pixels[7 * 9 + 1], 255);
    ck_assert_uint_eq(image.pixels[7 * 9 + 5], 9);
    image = image_grid(arena, values, 5, 1, 2, 3, &(ImageGrid){.zoom = 2});
    ck_assert_uint_eq(image.width, 5 * 6);
    ck_assert_uint_eq(image.height, 4);
    float colour[3] = {-1, 0, 1};
    image = image_grid(arena, colour, 1, 3, 1, 1, &(ImageGrid){.zoom = 1});
    ck_assert_uint_eq(image.pixels[0], 0);
    ck_assert_uint_eq(image.pixels[1], 128);
    ck_assert_uint_eq(image.pixels[2], 255);
    image = image_grid(arena, NULL, 0, 1, 2, 2, &(ImageGrid){0});
    ck_assert_uint_gt(image.width, 0);
}
END_TEST

enum { POINTS = 1200 };

static DrawSeries decay(const char *name, double from, double to, double jitter) {
    double *x = ARENA_NEW(arena, double, POINTS), *y = ARENA_NEW(arena, double, POINTS);
    for (uint32_t i = 0; i < POINTS; i++) {
        x[i] = i;
        y[i] = (to + (from - to) * exp(-(double)i / 70)) * exp(jitter * sin(i * 12.9898 + i * (double)i * 0.37));
    }
    return (DrawSeries){.name = name, .x = x, .y = y, .count = POINTS};
}

static bool has_ink(const Image *image) {
    for (uint32_t i = 0; i < image->width * image->height * image->channels; i++)
        if (image->pixels[i] < 100)
            return true;
    return false;
}

START_TEST(curves) {
    DrawSeries series[3] = {decay("loss", 1.05, 0.04, 0.25), decay("loss_g", 2, 0.9, 0.1), decay("accuracy", 0.5, 0.8, 0.05)};
    DrawPlot plot = {.title = "ddpm_mnist",
                     .subtitle = "train, seed 0, 1,200 steps, 64 images a step",
                     .x_label = "step",
                     .y_label = "loss",
                     .series = series,
                     .series_count = 1};
    Image image;
    ck_assert(draw_plot(arena, &plot, &image, diag));
    ck_assert_uint_eq(image.width, 1200);
    ck_assert(has_ink(&image));
    ck_assert(image_write(in_folder("log.png"), &image, NULL, 0, diag));
    plot.series = series + 1;
    plot.series_count = 2;
    ck_assert(draw_plot(arena, &plot, &image, diag));
    ck_assert(image_write(in_folder("linear.png"), &image, NULL, 0, diag));
    if (keep_folder)
        ck_assert_int_eq(system(arena_format(arena, "cp %s/*.png %s", folder, keep_folder)), 0);
}
END_TEST

// Nothing, one point, equal values, values that are not finite: a picture all the same.
START_TEST(awkward_curves) {
    double x[] = {0, 1, 2, 3, NAN}, flat[] = {2, 2, 2, 2, 2}, holes[] = {1, NAN, INFINITY, 3, -INFINITY}, zero[] = {0, 0, 0, 0, 0};
    const DrawSeries all[] = {{"none", x, flat, 0, 0, 0},   {"one", x, flat, 1, 0, 0},  {"flat", x, flat, 4, 9, 0},
                              {"holes", x, holes, 5, 1, 0}, {"zero", x, zero, 5, 0, 0}, {"swapped", flat, x, 4, 0, 9}};
    Image image;
    for (uint32_t i = 0; i < 6; i++)
        for (int scatter = 0; scatter < 2; scatter++) {
            DrawPlot plot = {.series = &all[i], .series_count = 1, .is_scatter = scatter, .title = "t", .x_label = "x", .y_label = "y"};
            ck_assert(draw_plot(arena, &plot, &image, diag));
        }
    ck_assert(draw_plot(arena, &(DrawPlot){.series = all, .series_count = 6, .smoothing = 3}, &image, diag));
    ck_assert(draw_plot(arena, &(DrawPlot){.series_count = 0}, &image, diag));
    ck_assert(!draw_plot(arena, &(DrawPlot){.series_count = 0, .width = 100000}, &image, diag));
    ck_assert_uint_eq(diag_error_count(diag), 1);
}
END_TEST

START_TEST(strips) {
    enum { ROWS = 2, COLUMNS = 11, SIDE = 28 };
    float *values = ARENA_NEW(arena, float, ROWS *COLUMNS *SIDE *SIDE);
    const char *captions[COLUMNS], *rows[ROWS] = {"a small grey bird", "b"};
    for (uint32_t i = 0; i < ROWS * COLUMNS * SIDE * SIDE; i++)
        values[i] = (float)sin(i * 0.37);
    for (uint32_t i = 0; i < COLUMNS; i++)
        captions[i] = arena_format(arena, "t = %u", i * 100);
    DrawStrip strip = {.title = "forward process",
                       .values = values,
                       .rows = ROWS,
                       .columns = COLUMNS,
                       .channels = 1,
                       .height = SIDE,
                       .width = SIDE,
                       .column_captions = captions,
                       .row_captions = rows};
    Image image;
    ck_assert(draw_strip(arena, &strip, &image, diag));
    ck_assert(has_ink(&image));
    ck_assert(image_write(in_folder("strip.png"), &image, NULL, 0, diag));
    if (keep_folder)
        ck_assert_int_eq(system(arena_format(arena, "cp %s/strip.png %s", folder, keep_folder)), 0);
    strip.title = NULL;
    strip.column_captions = strip.row_captions = NULL;
    ck_assert(draw_strip(arena, &strip, &image, diag));
    ck_assert_uint_eq(image.width, 11 * (28 * 3 + 4) + 4 + 24);
}
END_TEST

int main(int argc, char **argv) {
    keep_folder = argc > 1 ? argv[1] : NULL;
    Suite *suite = suite_create("image");
    TCase *tests = tcase_create("image");
    tcase_add_checked_fixture(tests, folder_set_up, tear_down);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, round_trip);
    tcase_add_test(tests, broken_files);
    tcase_add_test(tests, full_disk_keeps_the_old_file);
    tcase_add_test(tests, levels);
    tcase_add_test(tests, grid);
    tcase_add_test(tests, curves);
    tcase_add_test(tests, awkward_curves);
    tcase_add_test(tests, strips);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
