// Image: 8-bit pictures, PNG in and out, grids of generated images. image.c is the only user of libpng.
#pragma once
#include "runtime/base/file.h"

// Rows from the top, pixels interleaved: channels 1 (grey) or 3 (red, green, blue).
typedef struct {
    uint32_t width, height, channels;
    uint8_t *pixels;
} Image;

// A text chunk: what a picture says about its origin.
typedef struct {
    const char *key;  // 1 to 79 Latin-1 characters: "digest", "step", "seed"
    const char *text; // NULL: left out
} ImageText;

Image image_create(Arena *arena, uint32_t width, uint32_t height, uint32_t channels); // black
// A PNG in memory, in the arena; NULL: reported, as of `path`.
const char *image_encode(Arena *arena, const char *path, const Image *image, const ImageText *texts, uint32_t text_count, size_t *size,
                         Diag *diag);
// Atomic, as file_write.
bool image_write(const char *path, const Image *image, const ImageText *texts, uint32_t text_count, Diag *diag);
// Any PNG of at most 16384 x 16384 pixels; palettes, transparency (laid on grey of level `ground`) and 16 bits (rounded) are converted. `path` is
// for messages.
bool image_decode(Arena *arena, const char *path, const void *bytes, size_t size, uint8_t ground, Image *out, Diag *diag);
// The same of a file, on black. Texts are optional (NULL).
bool image_read(Arena *arena, const char *path, Image *out, ImageText **texts, uint32_t *text_count, Diag *diag);

// `count` pixels of `channels` and how opaque each is, to pixels of `channels`: on grey of level `ground`. `to` may be `from`.
void image_lay_on(uint32_t ground, const uint8_t *from, size_t count, uint32_t channels, uint8_t *to);

// How a grid is laid out: columns 0: a row up to 8 images, else nearly square; zoom 0: about 56 pixels an image or more.
typedef struct {
    uint32_t columns, zoom, gap; // gap: pixels of `background` between and around the images
    uint8_t background;
} ImageGrid;

// Tiles `count` images [channels, height, width], values in [-1, 1] (clipped; NaN is black), row by row.
Image image_grid(Arena *arena, const float *values, uint32_t count, uint32_t channels, uint32_t height, uint32_t width,
                 const ImageGrid *grid);
uint8_t image_level(float value); // -1 -> 0, 1 -> 255, rounded
