// Resize: pictures to another size, as Pillow's Image.resize(…, BILINEAR, box=…) does, byte for byte: where a picture gets smaller, the
// triangle of the filter covers all source pixels (Pillow, src/libImaging/Resample.c).
#pragma once
#include "runtime/show/image.h"

// The part `left` … `right` - 1, `top` … `bottom` - 1 of a picture, which it lies in.
typedef struct {
    uint32_t left, top, right, bottom;
} ResizeBox;
// Of an RGB picture of `width` pixels a row, to `wide` x `high`.
void resize_bilinear(const uint8_t *rgb, uint32_t width, const ResizeBox *box, uint32_t wide, uint32_t high, uint8_t *out);
// The same of a picture of 1 or 3 channels, to the size and into the pixels of `out`, which has as many.
void resize_picture(const Image *from, const ResizeBox *box, Image *out);
