// Frames: sizes, crops, flips and colours of pictures of any reader, what takes the place of broken ones, and the cache behind them. The
// reader is the test's own: record r of field f is a picture in a file whose one number says how it looks.
#include "runtime/data/frames.h"
#include "runtime/data/augment.h"
#include "runtime/data/cache_folder.h"
#include "runtime/data/resize.h"
#include "tests/support/folder.h"
#include <check.h>
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static atomic_uint decoded;

static void set_up(void) {
    folder_set_up();
    setenv("XDG_CACHE_HOME", folder, 1);
    atomic_store(&decoded, 0);
}

// ---- the reader

enum { HEIGHT = 30, WIDTH = 40 };

// Field 0 and 1: pictures (1 is twice as large), 2: the record's number, 3: an array [1, 6, 8] of numbers.
static const char *path_of(uint32_t split, uint32_t record) { return arena_format(arena, "%s/%u-%u", folder, split, record); }

// Red says the column, green the row, blue the record.
static uint8_t level_of(uint32_t record, uint32_t x, uint32_t y, uint32_t c) {
    return (uint8_t)(c == 0 ? x * 5 + record % 50 : c == 1 ? y * 8 + record % 16 : record);
}

static bool picture(const Dataset *dataset, Arena *out_arena, uint32_t split, uint32_t record, uint32_t field, const PictureWanted *wanted,
                    Image *out, Diag *out_diag) {
    (void)dataset, (void)wanted;
    Arena *scratch = arena_create();
    size_t size;
    const char *path = arena_format(scratch, "%s/%u-%u", folder, split, record);
    const char *text = file_read(scratch, path, &size, out_diag);
    bool ok = text != NULL;
    if (ok && text[0] == 'x') {
        diag_error(out_diag, &(Place){.file = path}, "no picture");
        ok = false;
    }
    if (ok) {
        uint32_t number = (uint32_t)atoi(text), zoom = field + 1;
        *out = image_create(out_arena, WIDTH * zoom, HEIGHT * zoom, 3);
        for (uint32_t i = 0; i < out->width * out->height * 3; i++)
            out->pixels[i] = level_of(number, i / 3 % out->width / zoom, i / 3 / out->width / zoom, i % 3);
        atomic_fetch_add(&decoded, 1);
    }
    arena_destroy(&scratch);
    return ok;
}

static bool picture_key(const Dataset *dataset, Arena *out_arena, uint32_t split, uint32_t record, uint32_t field, PictureKey *out,
                        Diag *out_diag) {
    (void)dataset;
    struct stat status;
    *out = (PictureKey){.path = arena_format(out_arena, "%s/%u-%u", folder, split, record), .part = field};
    if (stat(out->path, &status) != 0) {
        diag_error(out_diag, &(Place){.file = out->path}, "it is not there");
        return false;
    }
    out->size = (uint64_t)status.st_size, out->seconds = status.st_mtim.tv_sec, out->nanoseconds = (uint32_t)status.st_mtim.tv_nsec;
    return true;
}

static bool fetch(const Dataset *dataset, uint32_t split, uint32_t record, uint32_t field, uint64_t draw, void *out, Diag *out_diag) {
    (void)dataset, (void)split, (void)draw, (void)out_diag;
    if (field == 2)
        memcpy(out, &record, sizeof record);
    for (uint32_t i = 0; i < 48 && field == 3; i++)
        ((float *)out)[i] = (float)(record * 100 + i);
    return true;
}

static const char *caption(const Dataset *dataset, Arena *out_arena, uint32_t split, uint32_t record, uint64_t draw, Diag *out_diag) {
    (void)dataset, (void)split, (void)draw, (void)out_diag;
    return arena_format(out_arena, "caption %u", record);
}

static void write_record(uint32_t record, const char *text) {
    ck_assert(file_write_unsynced(path_of(0, record), text, strlen(text), diag));
}

static void write_records(uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        write_record(i, arena_format(arena, "%u", i));
}

// Its pictures are [3, height, width] in [0, 255].
static ProgramData *declare(uint32_t height, uint32_t width, const ProgramAugment *augment) {
    ProgramData *data = ARENA_NEW(arena, ProgramData, 1);
    data->name = "images";
    data->batch = 4;
    data->field_count = height == 4 ? 4 : 3; // what is done is done to all pictures
    data->fields = arena_alloc(arena, 4 * sizeof *data->fields);
    const char *names[] = {"a", "b", "number", "array"};
    const uint32_t dims[][3] = {{3, height, width}, {3, height, width}, {0}, {1, 4, 4}}, ranks[] = {3, 3, 0, 3};
    for (uint32_t i = 0; i < 4; i++) {
        data->fields[i].name = names[i];
        data->fields[i].type = i == 2 ? ELEMENT_I32 : ELEMENT_F32;
        data->fields[i].rank = ranks[i];
        memcpy(data->fields[i].dims, dims[i], sizeof dims[i]);
    }
    if (augment) {
        data->has_augment = true;
        data->augment = *augment;
    }
    return data;
}

static const bool is_picture[] = {true, true, false, false};
static const uint32_t stored[4][2] = {[3] = {6, 8}};

static Dataset *make(const ProgramData *declared, uint32_t count) {
    Dataset *dataset = ARENA_NEW(arena, Dataset, 1);
    *dataset = (Dataset){.name = "images", .spec = arena_format(arena, "test:%s", folder), .declared = declared, .split_count = 1,
                         .fetch = fetch, .caption = caption, .is_picture = is_picture, .picture = picture, .picture_key = picture_key,
                         .stored = stored};
    dataset->splits[0].name = "train";
    dataset->splits[0].count = count;
    return dataset;
}

static Dataset *attach(const ProgramData *declared, uint32_t count) {
    Dataset *dataset = make(declared, count);
    ck_assert_msg(frames_attach(arena, dataset, diag), "%s", diag_text(diag, arena));
    return dataset;
}

// ---- sizes

// Sizes by torchvision's Resize (an int: the shorter side; the longer one is int(size * long / short)), or made large enough.
START_TEST(sizes) {
    static const struct {
        uint32_t field[2];
        ProgramAugment augment;
        uint32_t stored[2], expected[2];
    } cases[] = {
        {{64, 64}, {.resize = {72, 0}, .crop = {64, 64}}, {375, 500}, {72, 96}},
        {{64, 64}, {.resize = {72, 0}, .crop = {64, 64}}, {500, 333}, {108, 72}},
        {{64, 64}, {.resize = {72, 0}, .crop = {64, 64}}, {10, 10}, {72, 72}},
        {{64, 64}, {.resize = {72, 80}, .crop = {64, 64}}, {375, 500}, {72, 80}},
        {{64, 64}, {.crop = {64, 64}}, {375, 500}, {375, 500}},
        {{64, 64}, {.crop = {64, 64}}, {50, 500}, {64, 640}},
        {{64, 64}, {.crop = {64, 64}}, {500, 63}, {507, 64}},
        {{64, 128}, {.resize = {64, 0}, .crop = {64, 128}}, {100, 100}, {128, 128}},
        {{64, 64}, {.flip = true}, {375, 500}, {64, 85}},
        {{64, 64}, {.flip = true}, {64, 64}, {64, 64}},
        {{64, 128}, {.flip = false}, {100, 150}, {85, 128}},
        {{64, 128}, {.flip = false}, {100, 300}, {64, 192}},
        {{28, 28}, {.flip = false}, {1, 1}, {28, 28}},
    };
    for (uint32_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ProgramData *declared = declare(cases[i].field[0], cases[i].field[1], NULL);
        Augment augment;
        ck_assert(augment_create(declared, 0, &cases[i].augment, NULL, &augment));
        uint32_t height, width;
        augment_size(&augment, cases[i].stored[0], cases[i].stored[1], &height, &width);
        ck_assert_msg(height == cases[i].expected[0] && width == cases[i].expected[1], "%u: %u x %u", i, height, width);
        uint32_t least[2];
        augment_least(&augment, &least[0], &least[1]);
        bool is_stored = augment.augment.resize[0] == 0 && augment.augment.crop[0] > 0;
        ck_assert(is_stored ? least[0] == 0 && least[1] == 0 : least[0] <= height && least[1] <= width && least[0] >= augment.height);
    }
}
END_TEST

// Pillow's triangle filter and its fixed point, pixel by pixel.
static void resize_plainly(const uint8_t *from, uint32_t stride, uint32_t count, uint32_t to, uint8_t *out, uint32_t out_stride) {
    double scale = (double)count / to, support = scale < 1 ? 1 : scale;
    for (uint32_t i = 0; i < to; i++) {
        double centre = (i + 0.5) * scale, sum = 0;
        int64_t first = (int64_t)fmax(0, trunc(centre - support + 0.5)), end = (int64_t)fmin(count, trunc(centre + support + 0.5));
        int64_t total = 1 << 21;
        for (int64_t k = first; k < end; k++)
            sum += fmax(0, 1 - fabs(((double)k - centre + 0.5) * (1 / support)));
        for (int64_t k = first; k < end; k++)
            total += from[k * stride] * (int64_t)(0.5 + fmax(0, 1 - fabs(((double)k - centre + 0.5) * (1 / support))) / sum * (1 << 22));
        out[i * out_stride] = (uint8_t)(total >> 22);
    }
}

// However many pixels are computed at once: sizes that no number of lanes divides, parts of pictures, grey and colours.
START_TEST(resized) {
    static const uint32_t sizes_of[][4] = {{40, 30, 20, 15}, {41, 33, 7, 9}, {5, 7, 19, 23}, {2, 9, 5, 4}, {3, 3, 3, 3}, {1, 1, 4, 4},
                                           {200, 3, 9, 3}, {3, 150, 3, 7}, {64, 64, 63, 65}, {17, 16, 1, 1}, {2, 2, 1, 1}};
    for (uint32_t i = 0; i < 2 * sizeof sizes_of / sizeof *sizes_of; i++) {
        uint32_t channels = i % 2 ? 3 : 1, wide = sizes_of[i / 2][2], high = sizes_of[i / 2][3];
        Image from = image_create(arena, sizes_of[i / 2][0] + i % 5, sizes_of[i / 2][1] + i % 3, channels);
        Image out = image_create(arena, wide, high, channels);
        ResizeBox box = {i % 5, i % 3, from.width, from.height};
        for (uint32_t k = 0; k < from.width * from.height * channels; k++)
            from.pixels[k] = (uint8_t)(k * k * 31 + k * 7 + k / 11);
        // A copy that ends where its memory does: nothing may be read behind it.
        from.pixels = memcpy(malloc(from.width * from.height * channels), from.pixels, from.width * from.height * channels);
        resize_picture(&from, &box, &out);
        uint32_t rows = box.bottom - box.top, stride = wide * channels;
        uint8_t *narrow = ARENA_NEW(arena, uint8_t, rows * stride), *expected = ARENA_NEW(arena, uint8_t, high * stride);
        for (uint32_t c = 0; c < channels; c++) {
            for (uint32_t y = 0; y < rows; y++)
                resize_plainly(from.pixels + ((y + box.top) * from.width + box.left) * channels + c, channels, box.right - box.left, wide,
                               narrow + y * stride + c, channels);
            for (uint32_t x = 0; x < wide; x++)
                resize_plainly(narrow + x * channels + c, stride, rows, high, expected + x * channels + c, stride);
        }
        ck_assert_mem_eq(out.pixels, expected, high * stride);
        free(from.pixels);
    }
}
END_TEST

static float at(const float *image, uint32_t c, uint32_t y, uint32_t x, uint32_t high, uint32_t wide) {
    return image[(c * high + y) * wide + x];
}

// A picture that is not resized: its middle, pixel by pixel; what the field's range makes of a level; grey.
START_TEST(middles) {
    write_records(3);
    ProgramData *declared = declare(20, 20, &(ProgramAugment){.crop = {20, 20}});
    declared->fields[0].has_range = true, declared->fields[0].low = -1, declared->fields[0].high = 1;
    Dataset *dataset = attach(declared, 3);
    float image[3 * 400], number = 0;
    for (uint32_t record = 0; record < 3; record++) {
        ck_assert(dataset->fetch(dataset, 0, record, 0, 0, image, diag));
        for (uint32_t i = 0; i < 1200; i++)
            ck_assert_float_eq_tol(image[i], (float)level_of(record, i % 20 + 10, i / 20 % 20 + 5, i / 400) * (2 / 255.f) - 1, 1e-6f);
        ck_assert(dataset->fetch(dataset, 0, record, 2, 0, &number, diag));
        ck_assert_mem_eq(&number, &record, sizeof record);
    }
    declared = declare(20, 20, &(ProgramAugment){.crop = {20, 20}});
    declared->fields[0].dims[0] = 1;
    dataset = attach(declared, 3);
    ck_assert(dataset->fetch(dataset, 0, 1, 0, 0, image, diag));
    const double red = level_of(1, 10, 5, 0), green = level_of(1, 10, 5, 1), blue = level_of(1, 10, 5, 2);
    ck_assert_float_eq_tol(image[0], (float)(0.299 * red + 0.587 * green + 0.114 * blue), 0.6f);
}
END_TEST

// Covered: 30 x 40 to 15 x 15 is 15 x 20, whose middle begins at column 2.
START_TEST(covered) {
    write_records(1);
    Dataset *dataset = attach(declare(15, 15, NULL), 1);
    float image[3 * 225];
    ck_assert(dataset->fetch(dataset, 0, 0, 0, 9, image, diag)); // nothing is drawn, at any draw
    uint8_t all[15 * 20 * 3], whole[HEIGHT * WIDTH * 3];
    for (uint32_t i = 0; i < sizeof whole; i++)
        whole[i] = level_of(0, i / 3 % WIDTH, i / 3 / WIDTH, i % 3);
    resize_bilinear(whole, WIDTH, &(ResizeBox){0, 0, WIDTH, HEIGHT}, 20, 15, all);
    for (uint32_t i = 0; i < 675; i++)
        ck_assert_float_eq(image[i], all[(i / 15 % 15 * 20 + i % 15 + 2) * 3 + i / 225]);
}
END_TEST

// ---- draws

// Where a crop of record 0 lies, and whether it is mirrored. A picture `zoom` times as large has each pixel so often.
static void find_crop(const float *image, uint32_t zoom, uint32_t *x, uint32_t *y, bool *is_mirrored) {
    *is_mirrored = at(image, 0, 0, 19, 20, 20) < at(image, 0, 0, 0, 20, 20);
    *x = (uint32_t)at(image, 0, 0, *is_mirrored ? 19 : 0, 20, 20) / 5 * zoom;
    *y = (uint32_t)at(image, 1, 0, 0, 20, 20) / 8 * zoom;
    for (uint32_t i = 0; i < 400; i++) {
        uint32_t column = *is_mirrored ? 19 - i % 20 : i % 20, row = i / 20;
        for (uint32_t c = 0; c < 3 && zoom == 1; c++)
            ck_assert_float_eq(image[c * 400 + i], level_of(0, *x + column, *y + row, c));
    }
}

START_TEST(draws) {
    write_records(1);
    ProgramAugment augment = {.crop = {20, 20}, .flip = true};
    Dataset *dataset = attach(declare(20, 20, &augment), 1), *again = attach(declare(20, 20, &augment), 1);
    enum { DRAWS = 2000 };
    uint32_t mirrored = 0, columns[WIDTH - 20 + 1] = {0}, rows[HEIGHT - 20 + 1] = {0};
    float image[1200], other[1200];
    for (uint64_t draw = 1; draw <= DRAWS; draw++) {
        uint32_t x, y, x2, y2;
        bool is_mirrored, is_mirrored2;
        ck_assert(dataset->fetch(dataset, 0, 0, 0, draw, image, diag) && again->fetch(again, 0, 0, 0, draw, other, diag));
        ck_assert_mem_eq(image, other, sizeof image);
        find_crop(image, 1, &x, &y, &is_mirrored);
        mirrored += is_mirrored;
        columns[x]++;
        rows[y]++;
        if (draw % 50)
            continue;
        ck_assert(dataset->fetch(dataset, 0, 0, 1, draw, other, diag)); // the other picture: the same draw, in proportion
        find_crop(other, 2, &x2, &y2, &is_mirrored2);
        ck_assert_int_eq(is_mirrored, is_mirrored2);
        ck_assert_double_eq_tol(x / 20., x2 / 60., 0.06);
        ck_assert_double_eq_tol(y / 10., y2 / 40., 0.12);
    }
    ck_assert_uint_gt(mirrored, DRAWS / 2 - 100);
    ck_assert_uint_lt(mirrored, DRAWS / 2 + 100);
    for (uint32_t i = 0; i <= WIDTH - 20; i++)
        ck_assert(columns[i] > 50 && columns[i] < 150); // 95 of 2000
    for (uint32_t i = 0; i <= HEIGHT - 20; i++)
        ck_assert(rows[i] > 120 && rows[i] < 250); // 182
}
END_TEST

// A field of a quarter of the size: the same part of the picture, resized.
START_TEST(small_and_large) {
    write_records(1);
    ProgramData *declared = declare(20, 20, &(ProgramAugment){.crop = {20, 20}, .flip = true});
    declared->fields[1].dims[1] = declared->fields[1].dims[2] = 5;
    Dataset *dataset = attach(declared, 1);
    for (uint64_t draw = 0; draw < 20; draw++) {
        float large[1200], small[75], wide[1200];
        ck_assert(dataset->fetch(dataset, 0, 0, 0, draw, large, diag) && dataset->fetch(dataset, 0, 0, 1, draw, small, diag));
        declared = declare(20, 20, &(ProgramAugment){.crop = {20, 20}, .flip = true});
        Dataset *other = attach(declared, 1);
        ck_assert(other->fetch(other, 0, 0, 1, draw, wide, diag)); // of the same picture, not resized
        uint8_t pixels[1200], expected[75];
        for (uint32_t i = 0; i < 1200; i++)
            pixels[i % 400 * 3 + i / 400] = (uint8_t)wide[i];
        resize_bilinear(pixels, 20, &(ResizeBox){0, 0, 20, 20}, 5, 5, expected);
        for (uint32_t i = 0; i < 75; i++) // rounding may differ where it is mirrored first
            ck_assert_float_eq_tol(small[i], expected[i % 25 * 3 + i / 25], 1);
    }
}
END_TEST

// The factors lie in 1 - c … 1 + c, and what they make of a picture is the formula, computed here in double.
START_TEST(colours_of_pictures) {
    ProgramAugment wanted = {.crop = {2, 2}, .colour = 0.4};
    Augment augment;
    ck_assert(augment_create(declare(2, 2, NULL), 0, &wanted, NULL, &augment));
    // Grey pictures: brightness and contrast alone; g: 100, 50 become k(b g) + (1 - k) mean, so that two levels give b and k.
    uint8_t grey[12] = {100, 100, 100, 50, 50, 50, 100, 100, 100, 50, 50, 50};
    uint8_t colours[12] = {120, 60, 30, 90, 90, 90, 40, 80, 100, 60, 70, 80};
    Image one = {.width = 2, .height = 2, .channels = 3, .pixels = grey}, two = {.width = 2, .height = 2, .channels = 3, .pixels = colours};
    double least = 2, most = 0;
    for (uint64_t draw = 1; draw < 300; draw++) {
        float out[12], coloured[12];
        augment_cut(&augment, &one, 5, draw, out);
        augment_cut(&augment, &two, 5, draw, coloured);
        double mean = ((double)out[0] + (double)out[1]) / 2, b = mean / 75, k = ((double)out[0] - (double)out[1]) / (50 * b);
        ck_assert(b > 0.6 - 1e-6 && b < 1.4 + 1e-6 && k > 0.6 - 1e-5 && k < 1.4 + 1e-5);
        least = fmin(least, b), most = fmax(most, b);
        double levels[4][3], average = 0, s = 0;
        for (uint32_t i = 0; i < 12; i++)
            levels[i / 3][i % 3] = colours[i] * b;
        for (uint32_t i = 0; i < 4; i++)
            average += (0.299 * levels[i][0] + 0.587 * levels[i][1] + 0.114 * levels[i][2]) / 4;
        for (uint32_t i = 0; i < 4; i++) {
            for (uint32_t c = 0; c < 3; c++)
                levels[i][c] = fmin(255, fmax(0, k * levels[i][c] + (1 - k) * average));
            double own = 0.299 * levels[i][0] + 0.587 * levels[i][1] + 0.114 * levels[i][2];
            if (i == 0)
                s = ((double)coloured[0] - own) / (levels[0][0] - own);
            for (uint32_t c = 0; c < 3; c++)
                ck_assert_double_eq_tol((double)coloured[c * 4 + i], fmin(255, fmax(0, s * levels[i][c] + (1 - s) * own)), 2e-3);
        }
        ck_assert(s > 0.6 - 1e-4 && s < 1.4 + 1e-4);
    }
    ck_assert(least < 0.63 && most > 1.37);
    float plain[12];
    augment_cut(&augment, &two, 5, 0, plain); // nothing is drawn
    ck_assert_float_eq(plain[0], 120);
    ck_assert_float_eq(plain[4], 60);
}
END_TEST

// An array's numbers: [1, 6, 8] cut to [1, 4, 4], the same numbers mirrored or not.
START_TEST(numbers) {
    write_records(2);
    ProgramData *declared = declare(4, 4, &(ProgramAugment){.crop = {4, 4}, .flip = true});
    Dataset *dataset = attach(declared, 2);
    float out[16];
    ck_assert(dataset->fetch(dataset, 0, 1, 3, 0, out, diag));
    for (uint32_t i = 0; i < 16; i++)
        ck_assert_float_eq(out[i], (float)(100 + (i / 4 + 1) * 8 + i % 4 + 2));
    uint32_t seen = 0;
    for (uint64_t draw = 1; draw < 400; draw++) {
        ck_assert(dataset->fetch(dataset, 0, 1, 3, draw, out, diag));
        bool is_mirrored = out[3] < out[0];
        uint32_t first = (uint32_t)fmin(out[0], out[3]) - 100;
        ck_assert(first % 8 <= 4 && first / 8 <= 2);
        for (uint32_t i = 0; i < 16; i++)
            ck_assert_float_eq(out[i], (float)(100 + first + i / 4 * 8 + (is_mirrored ? 3 - i % 4 : i % 4)));
        seen |= 1u << (first / 8 * 5 + first % 8) | (is_mirrored ? 1u << 30 : 1u << 31);
    }
    ck_assert_uint_eq(seen, 0x7fff | 3u << 30);
    Diag *inner = diag_create(arena);
    ck_assert(!frames_attach(arena, make(declare(4, 4, &(ProgramAugment){.resize = {4, 4}}), 2), inner));
    ck_assert_ptr_nonnull(strstr(diag_text(inner, arena), "not resized: images.array f32[1,4,4] is stored as 6 x 8"));
}
END_TEST

START_TEST(wrong_fields) {
    Diag *inner = diag_create(arena);
    ProgramData *declared = declare(20, 20, NULL);
    declared->fields[1].dims[0] = 2;
    ck_assert(!frames_attach(arena, make(declared, 1), inner));
    ck_assert_ptr_nonnull(strstr(diag_text(inner, arena), "the graph declares images.b f32[2,20,20]"));
    ck_assert(!frames_attach(arena, make(declare(20, 20, &(ProgramAugment){.crop = {16, 16}}), 1), inner));
    ck_assert_ptr_nonnull(strstr(diag_text(inner, arena), "cut to 16 x 16, but the graph declares images.a f32[3,20,20]"));
    ck_assert_uint_eq(diag_error_count(inner), 2);
}
END_TEST

// ---- broken pictures

static uint32_t number_at(const Dataset *dataset, uint32_t record, Diag *out) {
    uint32_t number = UINT32_MAX;
    float image[1200];
    ck_assert(dataset->fetch(dataset, 0, record, 0, 0, image, out) && dataset->fetch(dataset, 0, record, 2, 0, &number, out));
    ck_assert_float_eq(image[0], level_of(number, 10, 5, 0));
    ck_assert_str_eq(dataset->caption(dataset, arena, 0, record, 0, out), arena_format(arena, "caption %u", number));
    return number;
}

// A broken picture, one that vanishes while in use and one that changes: the next good record, told once. In other fields and captions too.
START_TEST(broken_pictures) {
    enum { COUNT = 300 };
    write_records(COUNT);
    write_record(7, "x");
    Dataset *dataset = attach(declare(20, 20, &(ProgramAugment){.crop = {20, 20}}), COUNT);
    Diag *inner = diag_create(arena);
    ck_assert_uint_eq(number_at(dataset, 7, inner), 8);
    ck_assert_uint_eq(number_at(dataset, 8, inner), 8);
    ck_assert_uint_eq(number_at(dataset, COUNT - 1, inner), COUNT - 1);
    ck_assert_int_eq(unlink(path_of(0, COUNT - 1)), 0);
    ck_assert_uint_eq(number_at(dataset, COUNT - 1, inner), 0);
    write_record(8, "88 now");
    ck_assert_uint_eq(number_at(dataset, 7, inner), 9);
    ck_assert_uint_eq(dataset->broken(dataset, 0), 3);
    const char *said = diag_text(inner, arena);
    ck_assert_uint_eq(diag_error_count(inner), 0);
    ck_assert_ptr_nonnull(strstr(said, "0-7: no picture; left out"));
    ck_assert_ptr_nonnull(strstr(said, "0-8: changed while"));
    ck_assert_ptr_nonnull(strstr(said, "0-299: it is not there; left out"));
    write_record(20, "x"); // the fourth of 300
    float image[1200];
    ck_assert(!dataset->fetch(dataset, 0, 20, 0, 0, image, inner));
    ck_assert_ptr_nonnull(strstr(diag_text(inner, arena), "at least 4 of the 300 records of \"train\" are broken"));
    ck_assert(!dataset->fetch(dataset, 0, 1, 0, 0, image, inner)); // from now on
}
END_TEST

// Where nobody but a caption has looked at a record.
START_TEST(broken_picture_of_a_caption) {
    write_records(100);
    write_record(7, "x");
    Dataset *dataset = attach(declare(20, 20, NULL), 100);
    Diag *inner = diag_create(arena);
    ck_assert_str_eq(dataset->caption(dataset, arena, 0, 7, 0, inner), "caption 8");
    ck_assert_ptr_nonnull(strstr(diag_text(inner, arena), "0-7: no picture; left out"));
    write_record(9, "x");
    ck_assert_ptr_null(dataset->caption(dataset, arena, 0, 9, 0, inner));
    ck_assert_uint_eq(diag_error_count(inner), 1);
}
END_TEST

// ---- the cache

// The second opening decodes nothing; another size does, and so does a file that was changed in between. What comes out is the same.
START_TEST(kept) {
    enum { COUNT = 1000 };
    write_records(COUNT);
    ProgramAugment augment = {.resize = {22, 0}, .crop = {20, 20}, .flip = true};
    float *first = ARENA_NEW(arena, float, COUNT * 1200), *second = ARENA_NEW(arena, float, COUNT * 1200);
    Dataset *dataset = attach(declare(20, 20, &augment), COUNT);
    for (uint32_t i = 0; i < COUNT; i++)
        ck_assert(dataset->fetch(dataset, 0, i, 0, 3, first + i * 1200, diag));
    ck_assert_uint_eq(atomic_load(&decoded), 2 * COUNT); // two pictures a record
    write_record(5, "5 ");
    dataset = attach(declare(20, 20, &augment), COUNT);
    for (uint32_t i = 0; i < COUNT; i++)
        ck_assert(dataset->fetch(dataset, 0, i, 0, 3, second + i * 1200, diag));
    ck_assert_uint_eq(atomic_load(&decoded), 2 * COUNT + 2);
    ck_assert_mem_eq(first, second, COUNT * 1200 * sizeof(float));
    augment.resize[0] = 24;
    dataset = attach(declare(20, 20, &augment), COUNT);
    ck_assert(dataset->fetch(dataset, 0, 1, 0, 3, second, diag));
    ck_assert_uint_eq(atomic_load(&decoded), 2 * COUNT + 4);
    ck_assert_uint_eq(cache_folder_state(arena, diag).count, 2);
    ck_assert(cache_folder_set_budget(0, diag)); // in memory alone
    dataset = attach(declare(20, 20, &augment), COUNT);
    for (uint32_t i = 0; i < 2; i++)
        ck_assert(dataset->fetch(dataset, 0, 2, 0, 3, second, diag));
    ck_assert_uint_eq(atomic_load(&decoded), 2 * COUNT + 6);
    ck_assert_str_eq(diag_text(diag, arena), "");
}
END_TEST

int main(void) {
    Suite *suite = suite_create("frames");
    TCase *tests = tcase_create("frames");
    tcase_add_checked_fixture(tests, set_up, folder_tear_down);
    tcase_add_test(tests, sizes);
    tcase_add_test(tests, resized);
    tcase_add_test(tests, middles);
    tcase_add_test(tests, covered);
    tcase_add_test(tests, draws);
    tcase_add_test(tests, small_and_large);
    tcase_add_test(tests, colours_of_pictures);
    tcase_add_test(tests, numbers);
    tcase_add_test(tests, wrong_fields);
    tcase_add_test(tests, broken_pictures);
    tcase_add_test(tests, broken_picture_of_a_caption);
    tcase_add_test(tests, kept);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
