// Picture: files of any format that is read (PNG, JPEG, WebP), and a person's own one as the numbers that a network takes.
#pragma once
#include "runtime/show/image.h"

// What is asked of a decoder: 1 or 3 channels. One that can decode to a half, a quarter or an eighth for less (JPEG) may do so as long as
// height and width stay at least these; 0: as stored. Others give the picture as it is stored.
typedef struct {
    uint32_t channels;
    uint32_t height, width;
} PictureWanted;

// The picture, upright where its file says how the camera was held, with as many channels as wanted (colours to grey by Rec. 601's weights as
// Pillow has them), transparency laid on white. The format is told by the first bytes, not by a name; `path` is for messages. At most 16384
// pixels a side and 2^26 in all; more are refused before anything is unpacked. In the arena.
bool picture_decode(Arena *arena, const char *path, const void *bytes, size_t size, const PictureWanted *wanted, Image *out, Diag *diag);

typedef struct {
    uint32_t channels, height, width; // channels: 1 (grey) or 3
    double low, high;                 // what black and white become
} PictureShape;

typedef struct {
    uint32_t height, width; // of the file
} PictureSize;

// By its first bytes, not its name; an unreadable file is none.
bool picture_is(const char *path);
// The whole picture as of picture_decode, resized as resize.h does (so its proportions become the shape's); levels 0 … 255 become low … high as
// those of a data set do. `out`: channels x height x width numbers.
bool picture_read(const char *path, const PictureShape *shape, double *out, PictureSize *size, Diag *diag);
