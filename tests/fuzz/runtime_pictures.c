// Damaged PNG, JPEG and WebP pictures: refused with one error, or a picture of the size and channels that were asked for.
#include "runtime/data/inflate.h"
#include "runtime/data/jpeg.h"
#include "runtime/data/picture.h"
#include "tests/fuzz/mutate.h"
#include <png.h>

enum { SIDE = 24, CHUNK = 12 };

static uint32_t big_endian(const uint8_t *at) { return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3]; }

// Chunks get right checksums, which damage would not get past.
static void mend(uint8_t *bytes, size_t size) {
    for (size_t at = 8; at <= size && size - at >= CHUNK;) {
        uint32_t length = big_endian(bytes + at);
        if (length > size - at - CHUNK)
            return;
        uint32_t sum = inflate_checksum(bytes + at + 4, length + 4);
        for (uint32_t i = 0; i < 4; i++)
            bytes[at + 8 + length + i] = (uint8_t)(sum >> (24 - 8 * i));
        at += CHUNK + length;
    }
}

static bool taste(Fuzzer *fuzzer, Arena *arena, Diag *diag, const char *bytes, size_t size) {
    uint8_t *mended = (uint8_t *)arena_copy_bytes(arena, bytes, size);
    if (fuzz_draw(fuzzer, 8) && size > 4 && mended[0] == 0x89)
        mend(mended, size);
    // Of exactly this size, so that a read beyond its end is seen.
    uint8_t *exact = malloc(size ? size : 1);
    memcpy(exact, mended, size);
    const PictureWanted wanted = {
        .channels = fuzz_draw(fuzzer, 2) ? 3 : 1, .height = fuzz_draw(fuzzer, SIDE), .width = fuzz_draw(fuzzer, SIDE)};
    Image image = {0};
    bool ok = picture_decode(arena, fuzzer->path, exact, size, &wanted, &image, diag);
    free(exact);
    if (!ok)
        return false;
    if (image.channels != wanted.channels || image.width == 0 || image.height == 0 || (uint64_t)image.width * image.height > 1 << 26)
        fuzz_fail(fuzzer, "%u x %u pixels of %u channels", image.width, image.height, image.channels);
    size_t count = (size_t)image.width * image.height * image.channels;
    volatile uint8_t sum = 0;
    for (size_t i = 0; i < count; i += 1 + count / 997)
        sum = (uint8_t)(sum + image.pixels[i]);
    sum = (uint8_t)(sum + image.pixels[count - 1]);
    return true;
}

static void put(png_structp png, png_bytep bytes, size_t size) { text_append_bytes(png_get_io_ptr(png), (char *)bytes, size); }
static void flush(png_structp png) { (void)png; }

static void add_png(Fuzzer *fuzzer, int type, int depth, bool is_interlaced, bool is_packed) {
    Text text = text_create(fuzzer->arena);
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    png_color palette[4] = {{255, 0, 0}, {0, 255, 0}, {0, 0, 255}, {10, 20, 30}};
    png_byte clear[2] = {0, 128}, row[SIDE * 8];
    png_set_write_fn(png, &text, put, flush);
    png_set_compression_level(png, is_packed ? 9 : 0);
    png_set_IHDR(png, info, SIDE, SIDE, depth, type, is_interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    if (type == PNG_COLOR_TYPE_PALETTE) {
        png_set_PLTE(png, info, palette, 4);
        png_set_tRNS(png, info, clear, 2, NULL);
    }
    png_write_info(png, info);
    for (int pass = 0, passes = png_set_interlace_handling(png); pass < passes; pass++)
        for (uint32_t y = 0; y < SIDE; y++) {
            for (uint32_t i = 0; i < sizeof row; i++)
                row[i] = (png_byte)(type == PNG_COLOR_TYPE_PALETTE ? 0xe4 : i * 7 + y * y);
            png_write_row(png, row);
        }
    png_write_end(png, info);
    png_destroy_write_struct(&png, &info);
    fuzzer_add(fuzzer, "p.png", text.data, text.length);
}

static void fuzz_png(FuzzTime time) {
    static const char *const words[] = {"IHDR", "IDAT", "IEND", "PLTE", "tRNS", "gAMA",
                                        "iCCP", "zTXt", "iTXt", "eXIf", "sPLT", "\x89PNG\r\n\x1a\n"};
    Fuzzer *fuzzer = fuzzer_create("png", words, sizeof words / sizeof *words);
    for (int packed = 0; packed < 2; packed++) {
        add_png(fuzzer, PNG_COLOR_TYPE_GRAY, 8, packed, packed);
        add_png(fuzzer, PNG_COLOR_TYPE_GRAY, 1, !packed, packed);
        add_png(fuzzer, PNG_COLOR_TYPE_PALETTE, 2, packed, packed);
        add_png(fuzzer, PNG_COLOR_TYPE_GRAY_ALPHA, 16, !packed, packed);
        add_png(fuzzer, PNG_COLOR_TYPE_RGB_ALPHA, 8, packed, packed);
        add_png(fuzzer, PNG_COLOR_TYPE_RGB, 16, !packed, packed);
    }
    fuzzer_run(&fuzzer, taste, time.seconds * 0.4, time.first, time.count);
}

static void fuzz_jpeg(FuzzTime time) {
    static const char *const words[] = {"\xff\xd8", "\xff\xd9", "\xff\xda", "\xff\xc0", "\xff\xc2", "\xff\xc4",
                                        "\xff\xdb", "\xff\xdd", "\xff\xe1", "\xff\xee", "Exif",     "Adobe"};
    Fuzzer *fuzzer = fuzzer_create("jpeg", words, sizeof words / sizeof *words);
    uint8_t pixels[SIDE * SIDE * 3];
    for (uint32_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (uint8_t)(i * i / 7);
    const char *path = file_join(fuzzer->arena, fuzzer->folder, "sample.jpg");
    if (!jpeg_write(path, pixels, SIDE, SIDE, 60, fuzzer->diag))
        exit(EXIT_FAILURE);
    fuzzer_add_file(fuzzer, path);
    fuzzer_add_file(fuzzer,
                    GG_SOURCE_DIR "/tests/unit/birds/CUB_200_2011/images/003.Painted_Bird_C/Painted_0004_700573.jpg"); // progressive
    fuzzer_run(&fuzzer, taste, time.seconds * 0.3, time.first, time.count);
}

// Lossless with transparency, and lossy: written by libwebp.
static const char LOSSLESS[] =
    "\x52\x49\x46\x46\x46\x00\x00\x00\x57\x45\x42\x50\x56\x50\x38\x4c\x39\x00\x00\x00\x2f\x02\x40\x00\x10\x2f\x40\x90\x6d\x53\x89"
    "\x79\xdd\x5f\xe6\x1a\x64\xd2\x36\xed\x5b\xff\x7a\x66\x6d\x62\x1a\x62\x3a\xb8\xf5\x6f\x89\x40\xd2\xc6\xe6\xe3\xc9\x1f\x98"
    "\xf3\x33\xb2\xaa\x4d\x10\x90\x90\x29\x79\xe4\x8b\x88\xfe\x47\x2c\x00";
static const char LOSSY[] =
    "\x52\x49\x46\x46\x38\x00\x00\x00\x57\x45\x42\x50\x56\x50\x38\x20\x2c\x00\x00\x00\xf0\x01\x00\x9d\x01\x2a\x10\x00\x10\x00\x02"
    "\x00\x34\x25\xa0\x02\x74\xba\x01\xf8\x00\x04\xc8\x00\x00\xfe\x97\x17\xff\x20\xb9\x61\x75\xc8\xd7\xfe\x71\x2a\x20\x93\x79\x80\x00\x00";
// The lossless one with a chunk that says how the camera was held.
static const char FRONT[] = "RIFF\x86\0\0\0WEBPVP8X\x0a\0\0\0\x18\0\0\0\x02\0\0\x01\0\0",
                  EXIF[] = "EXIF\x1a\0\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0";

static void fuzz_webp(FuzzTime time) {
    static const char *const words[] = {"RIFF", "WEBP", "VP8 ", "VP8L", "VP8X", "ALPH", "ANIM", "ANMF", "EXIF", "XMP ", "ICCP"};
    Fuzzer *fuzzer = fuzzer_create("webp", words, sizeof words / sizeof *words);
    Image image;
    const PictureWanted wanted = {.channels = 3};
    if (!picture_decode(fuzzer->arena, "p.webp", LOSSY, sizeof LOSSY - 1, &wanted, &image, fuzzer->diag)) {
        puts("webp: built without libwebp");
        file_remove_tree(fuzzer->folder, fuzzer->diag);
        return;
    }
    Text turned = text_create(fuzzer->arena);
    text_append_bytes(&turned, FRONT, sizeof FRONT - 1);
    text_append_bytes(&turned, LOSSLESS + 12, sizeof LOSSLESS - 1 - 12);
    text_append_bytes(&turned, EXIF, sizeof EXIF - 1);
    turned.data[4] = (char)(turned.length - 8);
    fuzzer_add(fuzzer, "p.webp", LOSSLESS, sizeof LOSSLESS - 1);
    fuzzer_add(fuzzer, "p.webp", LOSSY, sizeof LOSSY - 1);
    fuzzer_add(fuzzer, "p.webp", turned.data, turned.length);
    fuzzer_run(&fuzzer, taste, time.seconds * 0.3, time.first, time.count);
}

int main(int count, char **arguments) {
    FuzzTime time = fuzz_arguments(count, arguments, 4);
    fuzz_png(time);
    fuzz_jpeg(time);
    fuzz_webp(time);
    return EXIT_SUCCESS;
}
