// Resize: weights and values of one axis, as PyTorch's interpolate has them with align_corners=False. Pixel i of `out` covers the place
// (i + 1/2) scale - 1/2 of `in`, scale being in / out, or 1 / factor where a factor was given.
#include "compiler/layers/build.h"
#include <math.h>

static const char *const words[] = {"nearest", "bilinear", "bicubic", "area"};

ResizeMode resize_find(const char *word) {
    uint32_t mode = 0;
    while (mode < sizeof words / sizeof *words && strcmp(words[mode], word))
        mode++;
    return (ResizeMode)mode;
}

static double triangle(double x) { return fabs(x) < 1 ? 1 - fabs(x) : 0; }

// Cubic convolution (Keys 1981) with the slope `a` at 1.
static double cubic(double x, double a) {
    x = fabs(x);
    if (x < 1)
        return ((a + 2) * x - (a + 3)) * x * x + 1;
    return x < 2 ? ((x - 5) * x + 8) * x * a - 4 * a : 0;
}

static int64_t within(int64_t at, uint32_t count) { return at < 0 ? 0 : at >= count ? count - 1 : at; }

// What a pixel whose center is at `center` takes of the pixels from `first` on, were the image without end. Antialiased: the filter is as
// wide as a pixel of `out`.
typedef struct {
    int64_t first;
    uint32_t count;
    double *weights;
} Taps;

static Taps taps_of(Arena *arena, double center, double scale, ResizeMode mode, bool antialias) {
    double stretch = antialias && scale > 1 ? scale : 1, reach = (mode == RESIZE_BICUBIC ? 2 : 1) * stretch;
    Taps taps = {.first = antialias ? (int64_t)floor(center - reach + 0.5) : (int64_t)floor(center - 0.5) - (mode == RESIZE_BICUBIC)};
    taps.count = antialias ? (uint32_t)((int64_t)floor(center + reach + 0.5) - taps.first) : mode == RESIZE_BICUBIC ? 4 : 2;
    taps.weights = ARENA_NEW(arena, double, taps.count);
    for (uint32_t k = 0; k < taps.count; k++) {
        double x = ((double)(taps.first + k) - center + 0.5) / stretch;
        taps.weights[k] = mode == RESIZE_BICUBIC ? cubic(x, antialias ? -0.5 : -0.75) : triangle(x);
    }
    return taps;
}

// At the edges an antialiased pixel is the mean of what it has inside; of others, taps outside are those at the edge.
static void fill_row(Taps taps, uint32_t in, bool antialias, double *row) {
    double sum = 0;
    for (uint32_t k = 0; k < taps.count; k++) {
        int64_t at = taps.first + k;
        if (antialias && at != within(at, in))
            continue;
        row[within(at, in)] += taps.weights[k];
        sum += taps.weights[k];
    }
    for (uint32_t i = 0; antialias && i < in; i++)
        row[i] /= sum;
}

// The mean of the pixels that it touches.
static Taps area_taps(Arena *arena, uint32_t in, uint32_t out, uint32_t i) {
    uint64_t first = (uint64_t)i * in / out, end = ((uint64_t)(i + 1) * in + out - 1) / out;
    Taps taps = {.first = (int64_t)first, .count = (uint32_t)(end - first), .weights = ARENA_NEW(arena, double, end - first)};
    for (uint32_t k = 0; k < taps.count; k++)
        taps.weights[k] = 1 / (double)taps.count;
    return taps;
}

uint32_t resize_source(uint32_t in, uint32_t out, double scale, uint32_t i) {
    bool is_plain = scale * out == in; // then without rounding
    return (uint32_t)within(is_plain ? (int64_t)((uint64_t)i * in / out) : (int64_t)floor(i * scale), in);
}

double *resize_norms(Arena *arena, uint32_t in, uint32_t out, double scale, ResizeMode mode) {
    double *norms = ARENA_NEW(arena, double, out);
    for (uint32_t i = 0; i < out; i++) {
        Taps taps = taps_of(arena, (i + 0.5) * scale, scale, mode, true);
        for (uint32_t k = 0; k < taps.count; k++)
            norms[i] += taps.first + k == within(taps.first + k, in) ? taps.weights[k] : 0;
        norms[i] = 1 / norms[i];
    }
    return norms;
}

double *resize_weights(Arena *arena, uint32_t in, uint32_t out, double scale, ResizeMode mode, bool antialias) {
    double *weights = ARENA_NEW(arena, double, (uint64_t)in *out);
    for (uint32_t i = 0; i < out; i++) {
        Taps taps = mode == RESIZE_AREA ? area_taps(arena, in, out, i) : taps_of(arena, (i + 0.5) * scale, scale, mode, antialias);
        fill_row(taps, in, antialias, weights + (uint64_t)i * in);
    }
    return weights;
}

Value resize_axis(Graph *graph, Value x, uint32_t axis, Value weights) {
    Type type = graph_type(graph, x), w = graph_type(graph, weights);
    uint32_t before = 1, in = type.dims[axis], after = 1, out = w.dims[0];
    for (uint32_t i = 0; i < type.rank; i++)
        *(i < axis ? &before : &after) *= i == axis ? 1 : type.dims[i];
    type.dims[axis] = out;
    Value y;
    if (after == 1) {
        y = build_matmul(graph, build_reshape(graph, x, 2, (uint32_t[]){before, in}), build_transpose(graph, weights, (uint32_t[]){1, 0}));
    } else {
        Value all = build_broadcast_dims(graph, weights, 3, (uint32_t[]){before, out, in});
        y = build_matmul(graph, all, build_reshape(graph, x, 3, (uint32_t[]){before, in, after}));
    }
    return build_reshape(graph, y, type.rank, type.dims);
}

// ---- by views: out / in = p / q in lowest terms, so that each p-th pixel takes its neighbours as the one p before it does, q pixels
// further on

enum { PHASES_MAX = 4, TAPS_MAX = 16 }; // of all phases together

static uint32_t divisor(uint32_t a, uint32_t b) { return b ? divisor(b, a % b) : a; }

// The taps of each phase; 0 where there are too many.
static uint32_t phases_of(Arena *arena, uint32_t in, uint32_t out, double scale, ResizeMode mode, bool antialias, Taps phases[PHASES_MAX]) {
    uint32_t p = out / divisor(in, out), all = 0;
    if (p > PHASES_MAX || fabs(scale * out - in) > 1e-9 * in)
        return 0;
    for (uint32_t i = 0; i < p; i++) {
        phases[i] = mode == RESIZE_AREA ? area_taps(arena, in, out, i) : taps_of(arena, (i + 0.5) * scale, scale, mode, antialias);
        all += phases[i].count;
    }
    return all <= TAPS_MAX ? p : 0;
}

bool resize_is_periodic(Arena *arena, uint32_t in, uint32_t out, double scale, ResizeMode mode, bool antialias) {
    Taps phases[PHASES_MAX];
    return phases_of(arena, in, out, scale, mode, antialias, phases) != 0;
}

static Value sum_of_taps(Graph *graph, Value x, uint32_t axis, Taps taps, int64_t low, uint32_t count, uint32_t step) {
    Value sum = {0};
    for (uint32_t k = 0; k < taps.count; k++) {
        int64_t start = low + taps.first + k;
        if (fabs(taps.weights[k]) < 1e-12) // what an edge of the filter is rounded to
            continue;
        Value tap =
            build_number(graph, OP_mul, build_slice(graph, x, axis, start, start + (int64_t)(count - 1) * step + 1, step), taps.weights[k]);
        sum = sum.id ? build_binary(graph, OP_add, sum, tap) : tap;
    }
    return sum;
}

Value resize_periodic(Graph *graph, Value x, uint32_t axis, uint32_t out, double scale, ResizeMode mode, bool antialias) {
    Type type = graph_type(graph, x);
    uint32_t in = type.dims[axis], count = divisor(in, out), step = in / count;
    Taps phases[PHASES_MAX];
    uint32_t p = phases_of(graph->arena, in, out, scale, mode, antialias, phases);
    int64_t low = 0, high = 0;
    for (uint32_t i = 0; i < p; i++) {
        int64_t last = phases[i].first + phases[i].count - 1 + (int64_t)(count - 1) * step;
        low = -phases[i].first > low ? -phases[i].first : low;
        high = last - (in - 1) > high ? last - (in - 1) : high;
    }
    x = border_pad(graph, x, axis, low, high, antialias ? BORDER_ZEROS : BORDER_REPLICATE, NULL);
    Value parts[PHASES_MAX];
    uint32_t split[MAX_RANK] = {0};
    for (uint32_t i = 0; i <= type.rank; i++)
        split[i] = i < axis ? type.dims[i] : i == axis ? count : i == axis + 1 ? 1 : type.dims[i - 1];
    for (uint32_t i = 0; i < p; i++) {
        parts[i] = sum_of_taps(graph, x, axis, phases[i], low, count, step);
        parts[i] = p == 1 ? parts[i] : build_reshape(graph, parts[i], type.rank + 1, split);
    }
    type.dims[axis] = out;
    return p == 1 ? parts[0] : build_reshape(graph, build_concat(graph, parts, p, axis + 1), type.rank, type.dims);
}
