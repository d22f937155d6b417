// Picture: see picture.h.
#include "runtime/data/picture.h"
#include "runtime/data/jpeg.h"
#include "runtime/data/resize.h"
#include "runtime/show/image.h"

enum { CHANNELS = 3, LEVELS = 256 };

static const unsigned char PNG_START[] = {0x89, 'P', 'N', 'G'}, JPEG_START[] = {0xff, 0xd8, 0xff};

static bool starts_with(const char *path, const unsigned char *start, size_t size) {
    unsigned char bytes[4];
    FILE *file = file_is_folder(path) ? NULL : fopen(path, "rb");
    bool is_same = file && fread(bytes, 1, size, file) == size && memcmp(bytes, start, size) == 0;
    if (file)
        fclose(file);
    return is_same;
}

bool picture_is(const char *path) {
    return starts_with(path, PNG_START, sizeof PNG_START) || starts_with(path, JPEG_START, sizeof JPEG_START);
}

static bool decode(Arena *arena, const char *path, JpegImage *out, Diag *diag) {
    Image image;
    if (!starts_with(path, PNG_START, sizeof PNG_START))
        return jpeg_read(arena, path, out, diag);
    if (!image_read(arena, path, &image, NULL, NULL, diag))
        return false;
    *out = (JpegImage){image.width, image.height, image.pixels, 1};
    if (image.channels == CHANNELS)
        return true;
    size_t count = (size_t)image.width * image.height;
    out->pixels = ARENA_NEW(arena, uint8_t, count * CHANNELS);
    for (size_t i = 0; i < count * CHANNELS; i++)
        out->pixels[i] = image.pixels[i / CHANNELS];
    return true;
}

// As Exif numbers the ways to hold a camera: from 5 on rows and columns change places, and each kind may be mirrored along x and y.
static void turn_upright(Arena *arena, JpegImage *picture) {
    static const struct {
        bool swaps, mirrors_x, mirrors_y; // mirrors: of the stored picture
    } ways[] = {[2] = {false, true, false}, [3] = {false, true, true}, [4] = {false, false, true}, [5] = {true, false, false},
                [6] = {true, false, true},  [7] = {true, true, true},  [8] = {true, true, false}};
    if (picture->orientation == 1)
        return;
    JpegImage out = {.width = picture->width, .height = picture->height, .orientation = 1};
    if (ways[picture->orientation].swaps) {
        out.width = picture->height;
        out.height = picture->width;
    }
    out.pixels = ARENA_NEW(arena, uint8_t, (size_t)out.width * out.height * CHANNELS);
    for (uint32_t y = 0; y < out.height; y++)
        for (uint32_t x = 0; x < out.width; x++) {
            uint32_t from_x = ways[picture->orientation].swaps ? y : x, from_y = ways[picture->orientation].swaps ? x : y;
            from_x = ways[picture->orientation].mirrors_x ? picture->width - 1 - from_x : from_x;
            from_y = ways[picture->orientation].mirrors_y ? picture->height - 1 - from_y : from_y;
            memcpy(out.pixels + ((size_t)y * out.width + x) * CHANNELS, picture->pixels + ((size_t)from_y * picture->width + from_x) * CHANNELS,
                   CHANNELS);
        }
    *picture = out;
}

// Pillow's convert("L").
static uint8_t grey(const uint8_t *rgb) { return (uint8_t)((rgb[0] * 19595u + rgb[1] * 38470u + rgb[2] * 7471u + 0x8000u) >> 16); }

bool picture_read(const char *path, const PictureShape *shape, double *out, PictureSize *size, Diag *diag) {
    Arena *arena = arena_create();
    JpegImage picture;
    bool ok = decode(arena, path, &picture, diag);
    size_t count = (size_t)shape->height * shape->width;
    if (ok) {
        turn_upright(arena, &picture);
        uint8_t *pixels = ARENA_NEW(arena, uint8_t, count * CHANNELS);
        ResizeBox whole = {0, 0, picture.width, picture.height};
        resize_bilinear(picture.pixels, picture.width, &whole, shape->width, shape->height, pixels);
        float low = (float)shape->low, scale = (float)((shape->high - shape->low) / (LEVELS - 1)); // as idx.c does it
        for (uint32_t c = 0; c < shape->channels; c++)
            for (size_t i = 0; i < count; i++) {
                uint8_t level = shape->channels == 1 ? grey(pixels + i * CHANNELS) : pixels[i * CHANNELS + c];
                out[c * count + i] = (double)(low + (float)level * scale);
            }
        *size = (PictureSize){picture.height, picture.width};
    }
    arena_destroy(&arena);
    return ok;
}
