// Webp: WebP pictures. webp.c is the only user of libwebp, which may be absent.
#pragma once
#include "runtime/base/diag.h"

// Rows from the top, 4 bytes a pixel (red, green, blue, how opaque); in the arena. `orientation` as in jpeg.h; the pixels are as stored.
typedef struct {
    uint32_t width, height, orientation;
    uint8_t *pixels;
} WebpImage;

// Lossy or lossless, of at most `pixels_max` pixels; an animation is refused. `path` is for messages. Without libwebp: an error that names
// the package.
bool webp_decode(Arena *arena, const char *path, const uint8_t *bytes, size_t size, uint64_t pixels_max, WebpImage *out, Diag *diag);
