// Picture: see picture.h.
#include "runtime/data/picture.h"
#include "runtime/data/jpeg.h"
#include "runtime/data/resize.h"
#include "runtime/data/webp.h"

enum { CHANNELS = 3, LEVELS = 256, GROUND = 255, PIXELS_MAX = 1 << 26 };

typedef enum { FORMAT_NONE, FORMAT_PNG, FORMAT_JPEG, FORMAT_WEBP } Format;
enum { START_SIZE = 24 }; // bytes that tell the format, and of a PNG the size of the picture

static Format format_of(const uint8_t *start, size_t size) {
    if (size >= 4 && memcmp(start, "\x89PNG", 4) == 0)
        return FORMAT_PNG;
    if (size >= 3 && memcmp(start, "\xff\xd8\xff", 3) == 0)
        return FORMAT_JPEG;
    return size >= 12 && memcmp(start, "RIFF", 4) == 0 && memcmp(start + 8, "WEBP", 4) == 0 ? FORMAT_WEBP : FORMAT_NONE;
}

bool picture_is(const char *path) {
    uint8_t bytes[START_SIZE];
    FILE *file = file_is_folder(path) ? NULL : fopen(path, "rb");
    bool is_one = file && format_of(bytes, fread(bytes, 1, sizeof bytes, file)) != FORMAT_NONE;
    if (file)
        fclose(file);
    return is_one;
}

static uint32_t big_endian(const uint8_t *bytes) {
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

// Before anything is unpacked: a few bytes can claim any size.
static bool is_bounded(const char *path, const uint8_t *bytes, size_t size, Diag *diag) {
    uint32_t width = size >= START_SIZE ? big_endian(bytes + 16) : 0, height = size >= START_SIZE ? big_endian(bytes + 20) : 0;
    if ((uint64_t)width * height <= PIXELS_MAX)
        return true;
    diag_error(diag, &(Place){.file = path}, "%u x %u pixels are too many; at most %d are supported", width, height, PIXELS_MAX);
    return false;
}

// Pillow's convert("L").
static uint8_t grey(const uint8_t *rgb) { return (uint8_t)((rgb[0] * 19595u + rgb[1] * 38470u + rgb[2] * 7471u + 0x8000u) >> 16); }

static Image with_channels(Arena *arena, const Image *image, uint32_t channels) {
    if (image->channels == channels)
        return *image;
    Image out = image_create(arena, image->width, image->height, channels);
    size_t count = (size_t)image->width * image->height;
    for (size_t i = 0; i < count; i++)
        if (channels == 1)
            out.pixels[i] = grey(image->pixels + i * CHANNELS);
        else
            memset(out.pixels + i * CHANNELS, image->pixels[i], CHANNELS);
    return out;
}

// As Exif numbers the ways to hold a camera: from 5 on rows and columns change places, and each kind may be mirrored along x and y.
static void turn_upright(Arena *arena, uint32_t orientation, Image *picture) {
    static const struct {
        bool swaps, mirrors_x, mirrors_y; // mirrors: of the stored picture
    } ways[] = {[2] = {false, true, false}, [3] = {false, true, true}, [4] = {false, false, true}, [5] = {true, false, false},
                [6] = {true, false, true},  [7] = {true, true, true},  [8] = {true, true, false}};
    if (orientation == 1)
        return;
    bool swaps = ways[orientation].swaps;
    Image out = image_create(arena, swaps ? picture->height : picture->width, swaps ? picture->width : picture->height, CHANNELS);
    for (uint32_t y = 0; y < out.height; y++)
        for (uint32_t x = 0; x < out.width; x++) {
            uint32_t from_x = swaps ? y : x, from_y = swaps ? x : y;
            from_x = ways[orientation].mirrors_x ? picture->width - 1 - from_x : from_x;
            from_y = ways[orientation].mirrors_y ? picture->height - 1 - from_y : from_y;
            memcpy(out.pixels + ((size_t)y * out.width + x) * CHANNELS, picture->pixels + ((size_t)from_y * picture->width + from_x) * CHANNELS,
                   CHANNELS);
        }
    *picture = out;
}

bool picture_decode(Arena *arena, const char *path, const void *bytes, size_t size, const PictureWanted *wanted, Image *out, Diag *diag) {
    Arena *scratch = arena_create();
    Image image = {0};
    JpegImage jpeg;
    WebpImage webp;
    bool ok = false;
    switch (format_of(bytes, size)) {
    case FORMAT_PNG:
        ok = is_bounded(path, bytes, size, diag) && image_decode(scratch, path, bytes, size, GROUND, &image, diag);
        break;
    case FORMAT_JPEG:
        ok = jpeg_decode(scratch, path, bytes, size, &(JpegLeast){wanted->height, wanted->width}, &jpeg, diag);
        if (ok) {
            image = (Image){jpeg.width, jpeg.height, CHANNELS, jpeg.pixels};
            turn_upright(scratch, jpeg.orientation, &image);
        }
        break;
    case FORMAT_WEBP:
        ok = webp_decode(scratch, path, bytes, size, PIXELS_MAX, &webp, diag);
        if (ok) {
            image = (Image){webp.width, webp.height, CHANNELS, webp.pixels};
            image_lay_on(GROUND, webp.pixels, (size_t)webp.width * webp.height, CHANNELS, webp.pixels);
            turn_upright(scratch, webp.orientation, &image);
        }
        break;
    case FORMAT_NONE:
        diag_error(diag, &(Place){.file = path}, size ? "neither PNG nor JPEG nor WebP" : "is empty");
        break;
    }
    if (ok) {
        image = with_channels(scratch, &image, wanted->channels);
        *out = image;
        out->pixels = (uint8_t *)arena_copy_bytes(arena, image.pixels, (size_t)image.width * image.height * wanted->channels);
    }
    arena_destroy(&scratch);
    return ok;
}

bool picture_read(const char *path, const PictureShape *shape, double *out, PictureSize *size, Diag *diag) {
    Arena *arena = arena_create();
    Image picture;
    size_t bytes_size, count = (size_t)shape->height * shape->width;
    const char *bytes = file_read(arena, path, &bytes_size, diag);
    bool ok = bytes && picture_decode(arena, path, bytes, bytes_size, &(PictureWanted){.channels = CHANNELS}, &picture, diag);
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
