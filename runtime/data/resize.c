// Resize: rows first, then columns, in fixed point.
#include "runtime/data/resize.h"

enum { COLOURS = 3, BITS = 32 - 8 - 2, HALF = 1 << (BITS - 1) };

// Of one output pixel: source pixels first … first + count - 1 and their weights, which add up to 1 << BITS but for rounding.
typedef struct {
    uint32_t first, count;
    const int32_t *weights;
} Taps;

static Taps *make_taps(Arena *arena, uint32_t from, uint32_t to) {
    double scale = (double)from / to, support = scale < 1 ? 1 : scale;
    Taps *taps = ARENA_NEW(arena, Taps, to);
    uint32_t most = 2 * (uint32_t)support + 3;
    double *reals = ARENA_NEW(arena, double, most);
    for (uint32_t i = 0; i < to; i++) {
        double centre = (i + 0.5) * scale, sum = 0;
        int64_t first = (int64_t)(centre - support + 0.5), end = (int64_t)(centre + support + 0.5);
        first = first < 0 ? 0 : first;
        end = end > from ? from : end;
        taps[i].first = (uint32_t)first;
        taps[i].count = (uint32_t)(end - first);
        for (uint32_t k = 0; k < taps[i].count; k++) {
            double distance = ((double)(k + taps[i].first) - centre + 0.5) * (1 / support);
            distance = distance < 0 ? -distance : distance;
            sum += reals[k] = distance < 1 ? 1 - distance : 0;
        }
        int32_t *weights = ARENA_NEW(arena, int32_t, taps[i].count);
        for (uint32_t k = 0; k < taps[i].count; k++)
            weights[k] = (int32_t)(0.5 + (sum != 0 ? reals[k] / sum : reals[k]) * (1 << BITS));
        taps[i].weights = weights;
    }
    return taps;
}

// One output pixel from source pixels that are `stride` bytes apart.
static void blend(const uint8_t *from, size_t stride, uint32_t channels, const Taps *taps, uint8_t *out) {
    from += taps->first * stride;
    for (uint32_t c = 0; c < channels; c++) {
        int32_t sum = HALF;
        for (uint32_t k = 0; k < taps->count; k++)
            sum += from[k * stride + c] * taps->weights[k];
        int32_t level = sum >> BITS;
        out[c] = (uint8_t)(level > 255 ? 255 : level);
    }
}

void resize_picture(const Image *from, const ResizeBox *box, Image *out) {
    Arena *arena = arena_create();
    uint32_t rows = box->bottom - box->top, wide = out->width, high = out->height, channels = from->channels;
    const Taps *across = make_taps(arena, box->right - box->left, wide), *down = make_taps(arena, rows, high);
    uint8_t *narrow = ARENA_NEW(arena, uint8_t, (size_t)rows * wide * channels);
    for (uint32_t y = 0; y < rows; y++)
        for (uint32_t x = 0; x < wide; x++)
            blend(from->pixels + ((size_t)(y + box->top) * from->width + box->left) * channels, channels, channels, &across[x],
                  narrow + ((size_t)y * wide + x) * channels);
    for (uint32_t y = 0; y < high; y++)
        for (uint32_t x = 0; x < wide; x++)
            blend(narrow + (size_t)x * channels, (size_t)wide * channels, channels, &down[y],
                  out->pixels + ((size_t)y * wide + x) * channels);
    arena_destroy(&arena);
}

void resize_bilinear(const uint8_t *rgb, uint32_t width, const ResizeBox *box, uint32_t wide, uint32_t high, uint8_t *out) {
    Image from = {.width = width, .channels = COLOURS, .pixels = (uint8_t *)(uintptr_t)rgb};
    resize_picture(&from, box, &(Image){.width = wide, .height = high, .channels = COLOURS, .pixels = out});
}
