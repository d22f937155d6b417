// Resize: pictures to another size, as Pillow's Image.resize(…, BILINEAR, box=…) does, byte for byte: where a picture gets smaller, the
// triangle of the filter covers all source pixels (Pillow, src/libImaging/Resample.c).
#pragma once
#include "runtime/base/arena.h"

// The part `left` … `right` - 1, `top` … `bottom` - 1 of an RGB picture of `width` pixels a row, which it lies in, to `wide` x `high`.
typedef struct {
    uint32_t left, top, right, bottom;
} ResizeBox;
void resize_bilinear(const uint8_t *rgb, uint32_t width, const ResizeBox *box, uint32_t wide, uint32_t high, uint8_t *out);
