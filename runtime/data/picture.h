// Picture: a person's own PNG or JPEG as the numbers that a network takes.
#pragma once
#include "runtime/base/file.h"

typedef struct {
    uint32_t channels, height, width; // channels: 1 (grey) or 3
    double low, high;                 // what black and white become
} PictureShape;

typedef struct {
    uint32_t height, width; // of the file
} PictureSize;

// By its first bytes, not its name; an unreadable file is none.
bool picture_is(const char *path);
// The whole picture, upright where a JPEG says how the camera was held, resized as resize.h does (so its proportions become the shape's), colours to grey by Rec. 601's weights as Pillow has
// them; levels 0 … 255 become low … high as those of a data set do. `out`: channels x height x width numbers.
bool picture_read(const char *path, const PictureShape *shape, double *out, PictureSize *size, Diag *diag);
