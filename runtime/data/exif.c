// Exif: see exif.h.
#include "runtime/data/exif.h"
#include <stdbool.h>

static uint32_t number(const uint8_t *at, uint32_t size, bool is_little) {
    uint32_t out = 0;
    for (uint32_t i = 0; i < size; i++)
        out |= (uint32_t)at[i] << 8 * (is_little ? i : size - 1 - i);
    return out;
}

uint32_t exif_orientation(const uint8_t *tiff, size_t size) {
    enum { HEAD = 8, ENTRY = 12, ORIENTATION = 274, SHORT = 3 };
    if (size < HEAD)
        return 1;
    bool is_little = tiff[0] == 'I';
    size_t at = number(tiff + 4, 4, is_little);
    if (at > size - 2)
        return 1;
    uint32_t count = number(tiff + at, 2, is_little);
    at += 2;
    for (uint32_t i = 0; i < count && size - at >= ENTRY; i++, at += ENTRY) {
        uint32_t value = number(tiff + at + 8, 2, is_little);
        if (number(tiff + at, 2, is_little) == ORIENTATION && number(tiff + at + 2, 2, is_little) == SHORT)
            return value >= 1 && value <= 8 ? value : 1;
    }
    return 1;
}
