// Webp: see webp.h. GG_WEBP: the build found libwebp.
#include "runtime/data/webp.h"
#ifdef GG_WEBP
#include "runtime/data/exif.h"
#include <webp/decode.h>

// The chunk "EXIF" of the RIFF container, where there is one.
static uint32_t find_orientation(const uint8_t *bytes, size_t size) {
    enum { FRONT = 12, HEAD = 8 };
    for (size_t at = FRONT; at <= size && size - at >= HEAD;) {
        const uint8_t *chunk = bytes + at;
        size_t length = (size_t)chunk[4] | (size_t)chunk[5] << 8 | (size_t)chunk[6] << 16 | (size_t)chunk[7] << 24;
        if (length > size - at - HEAD)
            return 1;
        if (memcmp(chunk, "EXIF", 4) == 0) {
            bool has_name = length >= 6 && memcmp(chunk + HEAD, "Exif\0", 6) == 0;
            return exif_orientation(chunk + HEAD + (has_name ? 6 : 0), length - (has_name ? 6 : 0));
        }
        at += HEAD + length + (length & 1);
    }
    return 1;
}

bool webp_decode(Arena *arena, const char *path, const uint8_t *bytes, size_t size, uint64_t pixels_max, WebpImage *out, Diag *diag) {
    const Place place = {.file = path};
    WebPBitstreamFeatures features;
    if (WebPGetFeatures(bytes, size, &features) != VP8_STATUS_OK) {
        diag_error(diag, &place, "no readable WebP");
        return false;
    }
    if (features.has_animation) {
        diag_error(diag, &place, "an animated WebP; pictures that stand still are supported");
        return false;
    }
    uint64_t pixels = (uint64_t)features.width * (uint64_t)features.height;
    if (pixels > pixels_max) {
        diag_error(diag, &place, "%d x %d pixels are too many; at most %llu are supported", features.width, features.height,
                   (unsigned long long)pixels_max);
        return false;
    }
    *out = (WebpImage){(uint32_t)features.width, (uint32_t)features.height, find_orientation(bytes, size), NULL};
    out->pixels = ARENA_NEW(arena, uint8_t, pixels * 4);
    if (!WebPDecodeRGBAInto(bytes, size, out->pixels, (size_t)pixels * 4, features.width * 4)) {
        diag_error(diag, &place, "no readable WebP: damaged or truncated");
        return false;
    }
    return true;
}
#else
bool webp_decode(Arena *arena, const char *path, const uint8_t *bytes, size_t size, uint64_t pixels_max, WebpImage *out, Diag *diag) {
    (void)arena, (void)bytes, (void)size, (void)pixels_max, (void)out;
    diag_error(
        diag, &(Place){.file = path},
        "a WebP picture; this gcc-graph was built without libwebp: install libwebp-dev and build it anew, or convert the picture to PNG");
    return false;
}
#endif
