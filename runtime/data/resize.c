// Resize: rows first, then columns, in fixed point. Sums of integers are the same in any order, so that eight at once are as good as one.
#include "runtime/data/resize.h"

// PAIR: two pixels of colours are loaded as eight bytes.
enum { COLOURS = 3, BITS = 32 - 8 - 2, HALF = 1 << (BITS - 1), LOW_BITS = 15, PAIR = 8 };

// Of one output pixel: source pixels first … first + count - 1 and their weights, which add up to 1 << BITS but for rounding. pairs: of
// weights 2 i and 2 i + 1 (0 where there is none) the low LOW_BITS bits in two halves of a word, and the rest in two halves of the next.
typedef struct {
    uint32_t first, count;
    const int32_t *weights;
    const uint32_t *pairs;
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
        uint32_t *pairs = ARENA_NEW(arena, uint32_t, taps[i].count + 1);
        for (uint32_t k = 0; k < taps[i].count; k++) {
            pairs[k / 2 * 2] |= ((uint32_t)weights[k] & ((1u << LOW_BITS) - 1)) << (k % 2 * 16);
            pairs[k / 2 * 2 + 1] |= (uint32_t)(weights[k] >> LOW_BITS) << (k % 2 * 16);
        }
        taps[i].pairs = pairs;
    }
    return taps;
}

static uint8_t clip(int32_t sum) {
    int32_t level = sum >> BITS;
    return (uint8_t)(level > 255 ? 255 : level);
}

// One output pixel of one channel from bytes that are `stride` apart.
static uint8_t blend(const uint8_t *from, size_t stride, const Taps *taps) {
    int32_t sum = HALF;
    from += taps->first * stride;
    for (uint32_t k = 0; k < taps->count; k++)
        sum += from[k * stride] * taps->weights[k];
    return clip(sum);
}

static void narrow_row(const uint8_t *from, uint32_t channels, const Taps *taps, uint32_t wide, uint8_t *out) {
    for (uint32_t x = 0; x < wide; x++)
        for (uint32_t c = 0; c < channels; c++)
            out[x * channels + c] = blend(from + c, channels, &taps[x]);
}

// One output row, from byte `x` on, of rows of `size` bytes.
static void blend_rows(const uint8_t *from, size_t size, const Taps *taps, size_t x, uint8_t *out) {
    for (; x < size; x++)
        out[x] = blend(from + x, size, taps);
}

// ---- by eight: with AVX2 where the processor has it

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define BY_EIGHT __attribute__((target("avx2")))
enum { LANES = 8 };
typedef int32_t Sums __attribute__((vector_size(LANES * sizeof(int32_t))));
typedef int16_t Halves __attribute__((vector_size(LANES * sizeof(int32_t))));
typedef uint64_t Words __attribute__((vector_size(LANES * sizeof(int32_t))));
typedef uint8_t Bytes __attribute__((vector_size(LANES * sizeof(int32_t))));
// Places in the two halves of a vector, each of 16 bytes of which the last one is 0: four bytes or more from `at` on, one a lane; of a pair
// of pixels each channel's two; the lowest byte of each lane. A half takes from itself, which is one instruction.
#define LANE(at, zero) (at), (zero), (zero), (zero)
#define FOUR(at, zero) LANE(at, zero), LANE((at) + 1, zero), LANE((at) + 2, zero), LANE((at) + 3, zero)
#define CHANNEL(at, zero) (at), (zero), (at) + COLOURS, (zero)
#define PAIR_AT(at, zero) CHANNEL(at, zero), CHANNEL((at) + 1, zero), CHANNEL((at) + 2, zero), (zero), (zero), (zero), (zero)
#define LOWEST(at, zero) (at), (at) + 4, (at) + 8, (at) + 12, LANE(zero, zero), LANE(zero, zero), LANE(zero, zero)
static const Bytes EIGHT = {FOUR(0, 15), FOUR(20, 31)}, PAIRS = {PAIR_AT(0, 15), PAIR_AT(16, 31)},
                   LOW_BYTES = {LOWEST(0, 15), LOWEST(16, 31)};
static const Sums HALVES = {HALF, HALF, HALF, HALF, HALF, HALF, HALF, HALF};

static bool can_by_eight(void) { return __builtin_cpu_supports("avx2"); }

// Two rows of colours. `a` and `b` can be read eight bytes from each pixel on.
BY_EIGHT static void narrow_two(const uint8_t *a, const uint8_t *b, const Taps *taps, uint32_t wide, uint8_t *out_a, uint8_t *out_b) {
    for (uint32_t x = 0; x < wide; x++) {
        Sums low = HALVES, high = {0};
        const uint8_t *at_a = a + taps[x].first * COLOURS, *at_b = b + taps[x].first * COLOURS;
        const uint32_t *pairs = taps[x].pairs;
        for (uint32_t k = 0; k < taps[x].count; k += 2, at_a += 2 * COLOURS, at_b += 2 * COLOURS, pairs += 2) {
            uint64_t word_a, word_b;
            memcpy(&word_a, at_a, PAIR);
            memcpy(&word_b, at_b, PAIR);
            Halves both = (Halves)__builtin_shuffle((Bytes)(Words){word_a, 0, word_b, 0}, PAIRS);
            low += (Sums)__builtin_ia32_pmaddwd256(both, (Halves)((Sums){0} + (int32_t)pairs[0]));
            high += (Sums)__builtin_ia32_pmaddwd256(both, (Halves)((Sums){0} + (int32_t)pairs[1]));
        }
        Sums levels = (low + (high << LOW_BITS)) >> BITS;
        levels = (Sums)__builtin_ia32_pminsd256(levels, (Sums){0} + 255);
        Words packed = (Words)__builtin_shuffle((Bytes)levels, LOW_BYTES);
        uint64_t word_a = packed[0], word_b = packed[2];
        memcpy(out_a + x * COLOURS, &word_a, COLOURS);
        memcpy(out_b + x * COLOURS, &word_b, COLOURS);
    }
}

// Gives the first byte that is left.
BY_EIGHT static size_t blend_eights(const uint8_t *from, size_t size, const Taps *taps, uint8_t *out) {
    size_t x = 0;
    from += taps->first * size;
    for (; x + LANES <= size; x += LANES) {
        Sums sums = HALVES;
        for (uint32_t k = 0; k < taps->count; k++) {
            uint64_t word;
            memcpy(&word, from + k * size + x, sizeof word);
            sums += (Sums)__builtin_shuffle((Bytes)(Words){word, 0, word, 0}, EIGHT) * taps->weights[k];
        }
        Sums levels = sums >> BITS;
        levels = (Sums)__builtin_ia32_pminsd256(levels, (Sums){0} + 255);
        Words packed = (Words)__builtin_shuffle((Bytes)levels, LOW_BYTES);
        uint64_t word_out = packed[0] | packed[2] << 32;
        memcpy(out + x, &word_out, sizeof word_out);
    }
    return x;
}
#else
static bool can_by_eight(void) { return false; }
static void narrow_two(const uint8_t *a, const uint8_t *b, const Taps *taps, uint32_t wide, uint8_t *out_a, uint8_t *out_b) {
    narrow_row(a, COLOURS, taps, wide, out_a);
    narrow_row(b, COLOURS, taps, wide, out_b);
}
static size_t blend_eights(const uint8_t *from, size_t size, const Taps *taps, uint8_t *out) {
    (void)from, (void)size, (void)taps, (void)out;
    return 0;
}
#endif

void resize_picture(const Image *from, const ResizeBox *box, Image *out) {
    Arena *arena = arena_create();
    uint32_t rows = box->bottom - box->top, wide = out->width, high = out->height, channels = from->channels;
    const Taps *across = make_taps(arena, box->right - box->left, wide), *down = make_taps(arena, rows, high);
    size_t stride = (size_t)from->width * channels, size = (size_t)wide * channels;
    const uint8_t *source = from->pixels + ((size_t)box->top * from->width + box->left) * channels;
    uint8_t *narrow = ARENA_NEW(arena, uint8_t, rows * size);
    bool is_by_eight = can_by_eight();
    uint32_t y = 0;
    for (; is_by_eight && channels == COLOURS && stride >= PAIR && y + 2 < rows; y += 2) // after the last row there may be nothing to read
        narrow_two(source + y * stride, source + (y + 1) * stride, across, wide, narrow + y * size, narrow + (y + 1) * size);
    for (; y < rows; y++)
        narrow_row(source + y * stride, channels, across, wide, narrow + y * size);
    for (y = 0; y < high; y++) {
        size_t done = is_by_eight ? blend_eights(narrow, size, &down[y], out->pixels + y * size) : 0;
        blend_rows(narrow, size, &down[y], done, out->pixels + y * size);
    }
    arena_destroy(&arena);
}

void resize_bilinear(const uint8_t *rgb, uint32_t width, const ResizeBox *box, uint32_t wide, uint32_t high, uint8_t *out) {
    Image from = {.width = width, .channels = COLOURS, .pixels = (uint8_t *)(uintptr_t)rgb};
    resize_picture(&from, box, &(Image){.width = wide, .height = high, .channels = COLOURS, .pixels = out});
}
