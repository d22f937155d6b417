// Pictures of every format: what their pixels become, which way is up, and what is refused before it is unpacked.
#include "runtime/base/text.h"
#include "runtime/data/picture.h"
#include "runtime/data/webp.h"
#include <check.h>
#include <jpeglib.h>
#include <png.h>
#include <stdlib.h>
#include <sys/resource.h>

static Arena *arena;
static Diag *diag;

static void set_up(void) {
    arena = arena_create();
    diag = diag_create(arena);
}

static void tear_down(void) { arena_destroy(&arena); }

static void put(png_structp png, png_bytep bytes, size_t size) { text_append_bytes(png_get_io_ptr(png), (char *)bytes, size); }
static void flush(png_structp png) { (void)png; }

typedef struct {
    int type, depth;
    const uint8_t *rows; // two rows
    size_t row_size;
    bool has_palette, has_clear; // clear: palette entry 1 is half opaque, or grey 0 transparent
    bool is_interlaced;
} Png;

// Of 2 x 2 pixels.
static Text make_png(const Png *made) {
    Text text = text_create(arena);
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    png_set_write_fn(png, &text, put, flush);
    png_set_IHDR(png, info, 2, 2, made->depth, made->type, made->is_interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_color palette[4] = {{255, 0, 0}, {0, 255, 0}, {0, 0, 255}, {10, 20, 30}};
    png_byte clear[2] = {255, 128};
    png_color_16 transparent = {.gray = 0};
    if (made->has_palette)
        png_set_PLTE(png, info, palette, 4);
    if (made->has_clear)
        png_set_tRNS(png, info, clear, made->has_palette ? 2 : 0, made->has_palette ? NULL : &transparent);
    png_write_info(png, info);
    int passes = png_set_interlace_handling(png);
    for (int pass = 0; pass < passes; pass++)
        for (uint32_t y = 0; y < 2; y++)
            png_write_row(png, made->rows + y * made->row_size);
    png_write_end(png, info);
    png_destroy_write_struct(&png, &info);
    return text;
}

static void ck_pixels(const void *bytes, size_t size, uint32_t width, uint32_t height, uint32_t channels, const uint8_t *wanted) {
    Image image;
    ck_assert_msg(picture_decode(arena, "p", bytes, size, &(PictureWanted){.channels = channels}, &image, diag), "%s",
                  diag_text(diag, arena));
    ck_assert_uint_eq(image.width, width);
    ck_assert_uint_eq(image.height, height);
    ck_assert_uint_eq(image.channels, channels);
    for (uint32_t i = 0; i < width * height * channels; i++)
        ck_assert_msg(image.pixels[i] == wanted[i], "number %u: %u, expected %u", i, image.pixels[i], wanted[i]);
}

static void ck_refused(const void *bytes, size_t size, const char *because) {
    Image image;
    Diag *inner = diag_create(arena);
    ck_assert(!picture_decode(arena, "p", bytes, size, &(PictureWanted){.channels = 3}, &image, inner));
    ck_assert_uint_eq(diag_error_count(inner), 1);
    ck_assert_msg(strstr(diag_text(inner, arena), because) != NULL, "\"%s\" expected in: %s", because, diag_text(inner, arena));
}

// Grey, palettes, 16 bits, transparency on white: (value*alpha + 255*(255 - alpha))/255, rounded.
START_TEST(png) {
    static const uint8_t grey[] = {0, 50, 100, 255}, grey_16[] = {0, 0, 0x7f, 0xff, 0x80, 0x80, 0xff, 0xff}, bits[] = {0x40, 0x80},
                         palette[] = {0x10, 0xb0}, grey_alpha[] = {0, 255, 100, 0, 100, 51, 255, 128},
                         rgba_16[] = {0xff, 0xff, 0, 0, 0, 0, 0x80, 0x80, 0, 0,    0xff, 0xff, 0, 0,    0xff, 0xff, //
                                      1,    0,    2, 0, 3, 0, 0,    0,    1, 0x80, 2,    0x7f, 3, 0x84, 0xff, 0xff},
                         rgb[] = {255, 0, 0, 0, 255, 0, 0, 0, 255, 10, 20, 30};
    const struct {
        Png png;
        uint32_t channels;
        uint8_t wanted[12];
    } made[] = {
        {{PNG_COLOR_TYPE_GRAY, 8, grey, 2, false, false, false}, 1, {0, 50, 100, 255}},
        {{PNG_COLOR_TYPE_GRAY, 8, grey, 2, false, false, true}, 3, {0, 0, 0, 50, 50, 50, 100, 100, 100, 255, 255, 255}},
        {{PNG_COLOR_TYPE_GRAY, 8, grey, 2, false, true, false}, 1, {255, 50, 100, 255}},
        {{PNG_COLOR_TYPE_GRAY, 16, grey_16, 4, false, false, false}, 1, {0, 127, 128, 255}},
        {{PNG_COLOR_TYPE_GRAY, 1, bits, 1, false, false, false}, 1, {0, 255, 255, 0}},
        {{PNG_COLOR_TYPE_PALETTE, 2, palette, 1, true, false, false}, 3, {255, 0, 0, 0, 255, 0, 0, 0, 255, 10, 20, 30}},
        {{PNG_COLOR_TYPE_PALETTE, 2, palette, 1, true, true, true}, 3, {255, 0, 0, 127, 255, 127, 0, 0, 255, 10, 20, 30}},
        {{PNG_COLOR_TYPE_GRAY_ALPHA, 8, grey_alpha, 4, false, false, false}, 1, {0, 255, 224, 255}},
        {{PNG_COLOR_TYPE_RGB_ALPHA, 16, rgba_16, 16, false, false, false}, 3, {255, 127, 127, 0, 255, 0, 255, 255, 255, 1, 2, 4}},
        {{PNG_COLOR_TYPE_RGB, 8, rgb, 6, false, false, true}, 1, {76, 150, 29, 18}}, // round(0.299 R + 0.587 G + 0.114 B)
    };
    for (uint32_t i = 0; i < sizeof made / sizeof *made; i++) {
        Text text = make_png(&made[i].png);
        ck_pixels(text.data, text.length, 2, 2, made[i].channels, made[i].wanted);
        for (size_t size = 0; size < text.length; size++)
            ck_refused(text.data, size, size < 4 ? size ? "neither PNG nor JPEG nor WebP" : "is empty" : "no valid PNG");
    }
}
END_TEST

// A header of 16384 x 16384 pixels, or of a size that 60 bytes cannot hold, is refused at once.
START_TEST(bombs) {
    static const uint8_t grey[] = {0, 50, 100, 255};
    Text text = make_png(&(Png){.type = PNG_COLOR_TYPE_GRAY, .depth = 8, .rows = grey, .row_size = 2});
    const struct {
        uint32_t width, height;
        const char *because;
    } sizes[] = {{16384, 16384, "16384 x 16384 pixels are too many; at most 67108864 are supported"},
                 {0x7fffffff, 0x7fffffff, "2147483647 x 2147483647 pixels are too many"},
                 {20000, 2, "no valid PNG"},
                 {8192, 8192, "no valid PNG: the file ends too early"}};
    for (uint32_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        uint8_t *bytes = (uint8_t *)arena_copy_bytes(arena, text.data, text.length);
        for (uint32_t k = 0; k < 4; k++) {
            bytes[16 + k] = (uint8_t)(sizes[i].width >> (24 - 8 * k));
            bytes[20 + k] = (uint8_t)(sizes[i].height >> (24 - 8 * k));
        }
        uint32_t sum = UINT32_MAX; // of the chunk IHDR
        for (uint32_t k = 12; k < 29; k++) {
            sum ^= bytes[k];
            for (uint32_t bit = 0; bit < 8; bit++)
                sum = sum >> 1 ^ (sum & 1 ? 0xEDB88320u : 0);
        }
        for (uint32_t k = 0; k < 4; k++)
            bytes[29 + k] = (uint8_t)(~sum >> (24 - 8 * k));
        ck_refused(bytes, text.length, sizes[i].because);
    }
}
END_TEST

// A chunk that claims two gigabytes is refused before memory is asked for.
START_TEST(large_chunk) {
    static const uint8_t grey[] = {0, 50, 100, 255};
    Text text = make_png(&(Png){.type = PNG_COLOR_TYPE_GRAY, .depth = 8, .rows = grey, .row_size = 2}), longer = text_create(arena);
    text_append_bytes(&longer, text.data, 33);
    text_append_bytes(&longer, "\x74\x52\x4e\x53sPLTname", 12);
    text_append_bytes(&longer, text.data + 33, text.length - 33);
    ck_refused(longer.data, longer.length, "no valid PNG: the file ends too early");
    struct rusage used;
    ck_assert_int_eq(getrusage(RUSAGE_SELF, &used), 0);
    ck_assert_int_lt(used.ru_maxrss, 1000 * 1024); // KiB
}
END_TEST

// 16 x 16 pixels of one colour, or of one mixture of inks.
static Text make_jpeg(J_COLOR_SPACE in, J_COLOR_SPACE stored, bool has_adobe, const uint8_t *pixel) {
    struct jpeg_compress_struct info;
    struct jpeg_error_mgr errors;
    unsigned char *bytes = NULL;
    unsigned long size = 0;
    uint8_t row[16 * 4];
    int channels = in == JCS_CMYK ? 4 : in == JCS_GRAYSCALE ? 1 : 3;
    for (int i = 0; i < 16 * channels; i++)
        row[i] = pixel[i % channels];
    info.err = jpeg_std_error(&errors);
    jpeg_create_compress(&info);
    jpeg_mem_dest(&info, &bytes, &size);
    info.image_width = info.image_height = 16;
    info.input_components = channels;
    info.in_color_space = in;
    jpeg_set_defaults(&info);
    jpeg_set_colorspace(&info, stored);
    jpeg_set_quality(&info, 100, TRUE);
    info.write_Adobe_marker = has_adobe;
    jpeg_start_compress(&info, TRUE);
    for (int y = 0; y < 16; y++)
        jpeg_write_scanlines(&info, (JSAMPROW[]){row}, 1);
    jpeg_finish_compress(&info);
    jpeg_destroy_compress(&info);
    Text text = text_create(arena);
    text_append_bytes(&text, (char *)bytes, size);
    free(bytes);
    return text;
}

// At least as large as wanted, in both directions, or as it is stored.
START_TEST(jpeg_smaller) {
    static const uint8_t rgb[] = {200, 100, 50};
    static const uint32_t wanted[][4] = {{16, 16, 16, 16}, {9, 2, 16, 16}, {8, 8, 8, 8},  {5, 3, 8, 8},
                                         {3, 3, 4, 4},     {1, 1, 2, 2},   {0, 0, 16, 16}};
    Text text = make_jpeg(JCS_RGB, JCS_YCbCr, false, rgb);
    for (uint32_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        Image image;
        ck_assert(picture_decode(arena, "p", text.data, text.length, &(PictureWanted){3, wanted[i][0], wanted[i][1]}, &image, diag));
        ck_assert_uint_eq(image.height, wanted[i][2]);
        ck_assert_uint_eq(image.width, wanted[i][3]);
        for (uint32_t k = 0; k < image.height * image.width * 3; k++)
            ck_assert_int_le(abs(image.pixels[k] - rgb[k % 3]), 2);
    }
}
END_TEST

// Inks: with Adobe's marker as Adobe stores them, 255 for none of one. Red is light*black/255 of each.
START_TEST(jpeg) {
    static const uint8_t rgb[] = {200, 100, 50}, inks[] = {200, 100, 50, 204}, grey[] = {77};
    const struct {
        J_COLOR_SPACE in, stored;
        bool has_adobe;
        const uint8_t *pixel;
        uint8_t wanted[3];
    } made[] = {
        {JCS_RGB, JCS_YCbCr, false, rgb, {200, 100, 50}}, {JCS_GRAYSCALE, JCS_GRAYSCALE, false, grey, {77, 77, 77}},
        {JCS_CMYK, JCS_CMYK, true, inks, {160, 80, 40}},  {JCS_CMYK, JCS_YCCK, true, inks, {160, 80, 40}},
        {JCS_CMYK, JCS_CMYK, false, inks, {11, 31, 41}},
    };
    for (uint32_t i = 0; i < sizeof made / sizeof *made; i++) {
        Text text = make_jpeg(made[i].in, made[i].stored, made[i].has_adobe, made[i].pixel);
        Image image;
        ck_assert_msg(picture_decode(arena, "p", text.data, text.length, &(PictureWanted){.channels = 3}, &image, diag), "%s",
                      diag_text(diag, arena));
        ck_assert_uint_eq(image.width * image.height, 256);
        for (uint32_t k = 0; k < 3 * 256; k++)
            ck_assert_int_le(abs(image.pixels[k] - made[i].wanted[k % 3]), 2);
        for (size_t size = 3; size + 2 < text.length; size += 7)
            ck_refused(text.data, size, "no readable JPEG");
    }
}
END_TEST

// Written by libwebp 1.2.4: 3 x 2 pixels without loss, one half opaque, one not at all; and 16 x 16 of (200, 100, 50) with loss.
static const char LOSSLESS[] =
    "\x52\x49\x46\x46\x46\x00\x00\x00\x57\x45\x42\x50\x56\x50\x38\x4c\x39\x00\x00\x00\x2f\x02\x40\x00\x10\x2f\x40\x90\x6d\x53\x89"
    "\x79\xdd\x5f\xe6\x1a\x64\xd2\x36\xed\x5b\xff\x7a\x66\x6d\x62\x1a\x62\x3a\xb8\xf5\x6f\x89\x40\xd2\xc6\xe6\xe3\xc9\x1f\x98"
    "\xf3\x33\xb2\xaa\x4d\x10\x90\x90\x29\x79\xe4\x8b\x88\xfe\x47\x2c\x00";
static const char LOSSY[] =
    "\x52\x49\x46\x46\x38\x00\x00\x00\x57\x45\x42\x50\x56\x50\x38\x20\x2c\x00\x00\x00\xf0\x01\x00\x9d\x01\x2a\x10\x00\x10\x00\x02"
    "\x00\x34\x25\xa0\x02\x74\xba\x01\xf8\x00\x04\xc8\x00\x00\xfe\x97\x17\xff\x20\xb9\x61\x75\xc8\xd7\xfe\x71\x2a\x20\x93\x79\x80\x00\x00";

static bool has_webp(void) {
    WebpImage image;
    Diag *inner = diag_create(arena);
    if (webp_decode(arena, "p", (const uint8_t *)LOSSLESS, sizeof LOSSLESS - 1, 6, &image, inner))
        return true;
    ck_assert_ptr_nonnull(strstr(diag_text(inner, arena), "install libwebp-dev"));
    return false;
}

// As the lossless one, held as Exif's 6: the left column is at the bottom.
static Text turned_webp(void) {
    static const char front[] = "RIFF\x86\0\0\0WEBPVP8X\x0a\0\0\0\x18\0\0\0\x02\0\0\x01\0\0";
    static const char exif[] = "EXIF\x1a\0\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0";
    Text text = text_create(arena);
    text_append_bytes(&text, front, sizeof front - 1);
    text_append_bytes(&text, LOSSLESS + 12, sizeof LOSSLESS - 1 - 12);
    text_append_bytes(&text, exif, sizeof exif - 1);
    text.data[4] = (char)(text.length - 8);
    return text;
}

START_TEST(webp) {
    static const uint8_t upright[] = {255, 0, 0, 127, 255, 127, 255, 255, 255, 10, 20, 30, 200, 100, 50, 255, 255, 255},
                         turned[] = {10, 20, 30, 255, 0, 0, 200, 100, 50, 127, 255, 127, 255, 255, 255, 255, 255, 255};
    if (!has_webp())
        return;
    ck_pixels(LOSSLESS, sizeof LOSSLESS - 1, 3, 2, 3, upright);
    Text text = turned_webp();
    ck_pixels(text.data, text.length, 2, 3, 3, turned);
    Image image;
    ck_assert(picture_decode(arena, "p", LOSSY, sizeof LOSSY - 1, &(PictureWanted){.channels = 3}, &image, diag));
    ck_assert_uint_eq(image.width, 16);
    for (uint32_t i = 0; i < 16 * 16 * 3; i++)
        ck_assert_int_le(abs(image.pixels[i] - (int[]){200, 100, 50}[i % 3]), 6);
    for (size_t size = 12; size + 1 < sizeof LOSSLESS - 1; size++)
        ck_refused(LOSSLESS, size, "no readable WebP");
    WebpImage unused;
    ck_assert(!webp_decode(arena, "p", (const uint8_t *)LOSSY, sizeof LOSSY - 1, 255, &unused, diag));
    ck_assert_ptr_nonnull(strstr(diag_text(diag, arena), "16 x 16 pixels are too many; at most 255 are supported"));
}
END_TEST

START_TEST(other_formats) {
    ck_refused("GIF89a", 6, "neither PNG nor JPEG nor WebP");
    ck_refused("RIFF....WAVE", 12, "neither PNG nor JPEG nor WebP");
}
END_TEST

int main(void) {
    Suite *suite = suite_create("picture");
    TCase *tests = tcase_create("picture");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, png);
    tcase_add_test(tests, bombs);
    tcase_add_test(tests, large_chunk);
    tcase_add_test(tests, jpeg);
    tcase_add_test(tests, jpeg_smaller);
    tcase_add_test(tests, webp);
    tcase_add_test(tests, other_formats);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
