// Picture: see picture.h.
#include "runtime/data/picture.h"
#include "runtime/data/jpeg.h"
#include "runtime/data/resize.h"
#include "runtime/image.h"

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
    *out = (JpegImage){image.width, image.height, image.pixels};
    if (image.channels == CHANNELS)
        return true;
    size_t count = (size_t)image.width * image.height;
    out->pixels = ARENA_NEW(arena, uint8_t, count * CHANNELS);
    for (size_t i = 0; i < count * CHANNELS; i++)
        out->pixels[i] = image.pixels[i / CHANNELS];
    return true;
}

// Pillow's convert("L").
static uint8_t grey(const uint8_t *rgb) { return (uint8_t)((rgb[0] * 19595u + rgb[1] * 38470u + rgb[2] * 7471u + 0x8000u) >> 16); }

bool picture_read(const char *path, const PictureShape *shape, double *out, PictureSize *size, Diag *diag) {
    Arena *arena = arena_create();
    JpegImage picture;
    bool ok = decode(arena, path, &picture, diag);
    size_t count = (size_t)shape->height * shape->width;
    if (ok) {
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
