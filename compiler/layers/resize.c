// Resize: the weights of one axis, as PyTorch's interpolate has them with align_corners=False. Pixel i of `out` covers the place
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

// Antialiased: the filter is as wide as a pixel of `out`, and its weights sum to 1 inside the image.
static void wide_row(uint32_t in, double center, double scale, ResizeMode mode, double *row) {
    double stretch = scale > 1 ? scale : 1, reach = (mode == RESIZE_BICUBIC ? 2 : 1) * stretch, sum = 0;
    int64_t first = (int64_t)floor(center - reach + 0.5), end = (int64_t)floor(center + reach + 0.5);
    first = first < 0 ? 0 : first;
    end = end > in ? in : end;
    for (int64_t i = first; i < end; i++) {
        double x = ((double)i - center + 0.5) / stretch;
        row[i] = mode == RESIZE_BICUBIC ? cubic(x, -0.5) : triangle(x);
        sum += row[i];
    }
    for (int64_t i = first; i < end; i++)
        row[i] /= sum;
}

// Taps outside the image are those at its edge.
static void narrow_row(uint32_t in, double center, ResizeMode mode, double *row) {
    double at = center - 0.5;
    if (mode == RESIZE_BILINEAR) {
        at = at < 0 ? 0 : at;
        int64_t left = within((int64_t)floor(at), in);
        double part = at - (double)left;
        row[left] += 1 - part;
        row[within(left + 1, in)] += part;
        return;
    }
    int64_t left = (int64_t)floor(at);
    for (int64_t i = left - 1; i <= left + 2; i++)
        row[within(i, in)] += cubic(at - (double)i, -0.75);
}

// The mean of the pixels that it touches.
static void area_row(uint32_t in, uint32_t out, uint32_t i, double *row) {
    uint64_t first = (uint64_t)i * in / out, end = ((uint64_t)(i + 1) * in + out - 1) / out;
    for (uint64_t k = first; k < end; k++)
        row[k] = 1 / (double)(end - first);
}

uint32_t resize_source(uint32_t in, uint32_t out, double scale, uint32_t i) {
    bool is_plain = scale * out == in; // then without rounding
    return (uint32_t)within(is_plain ? (int64_t)((uint64_t)i * in / out) : (int64_t)floor(i * scale), in);
}

double *resize_weights(Arena *arena, uint32_t in, uint32_t out, double scale, ResizeMode mode, bool antialias) {
    double *weights = ARENA_NEW(arena, double, (uint64_t)in * out);
    for (uint32_t i = 0; i < out; i++) {
        double *row = weights + (uint64_t)i * in, center = (i + 0.5) * scale;
        if (mode == RESIZE_AREA)
            area_row(in, out, i, row);
        else if (mode == RESIZE_NEAREST)
            row[resize_source(in, out, scale, i)] = 1;
        else if (antialias)
            wide_row(in, center, scale, mode, row);
        else
            narrow_row(in, center, mode, row);
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
