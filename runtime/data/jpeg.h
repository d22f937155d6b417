// Jpeg: JPEG pictures in and out. jpeg.c is the only user of libjpeg.
#pragma once
#include "runtime/base/file.h"

// Rows from the top, 3 bytes a pixel (red, green, blue); in the arena.
typedef struct {
    uint32_t width, height;
    uint8_t *pixels;
    uint32_t orientation; // how a camera was held (Exif 2.3, tag 274): 1 upright … 8; 1 where it does not say. The pixels are as stored
} JpegImage;

// A picture may be decoded to a half, a quarter or an eighth, which is faster, as long as it is at least so large when held upright. 0: as
// stored.
typedef struct {
    uint32_t height, width;
} JpegLeast;

// Any grey, colour or four-ink (CMYK, YCCK) JPEG of at most 16384 x 16384 and 2^26 pixels; grey ones become red = green = blue. Truncated
// ones are refused. `path` is for messages.
bool jpeg_decode(Arena *arena, const char *path, const void *bytes, size_t size, const JpegLeast *least, JpegImage *out, Diag *diag);
// A file's, as it is stored.
bool jpeg_read(Arena *arena, const char *path, JpegImage *out, Diag *diag);
// Baseline, 1 to 65500 pixels a side; quality 1 to 100. Atomic, as file_write; the same pixels give the same bytes.
bool jpeg_write(const char *path, const uint8_t *rgb, uint32_t width, uint32_t height, uint32_t quality, Diag *diag);
