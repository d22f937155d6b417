// Pooling, nearest upsampling, pixel shuffles and patches of [n, c, h, w]: views, and chains of maps over strided slices.
#include "compiler/layers/build.h"
#include <math.h>

// The padded input, with `fill` in the padding.
static Value padded(Graph *graph, Value x, const int64_t pad[2], double fill) {
    int64_t amounts[MAX_RANK] = {0, 0, pad[0], pad[1]};
    if (!pad[0] && !pad[1])
        return x;
    Type type = graph_type(graph, x);
    Value wide = build_pad(graph, x, amounts, amounts, NULL);
    if (fill == 0)
        return wide;
    Value inside = build_number(graph, OP_gt, build_pad(graph, build_full(graph, &type, 1), amounts, amounts, NULL), 0);
    Type wide_type = graph_type(graph, wide);
    return build_select(graph, inside, wide, build_full(graph, &wide_type, fill));
}

static Value window(Graph *graph, Value x, const int64_t at[2], const int64_t stride[2], const int64_t out[2]) {
    for (uint32_t i = 0; i < 2; i++)
        x = build_slice(graph, x, 2 + i, at[i], at[i] + (out[i] - 1) * stride[i] + 1, stride[i]);
    return x;
}

// How many elements of an axis each window has: 1-D, f32.
static Value inside_counts(Graph *graph, uint32_t extent, int64_t kernel, int64_t stride, int64_t pad, int64_t out) {
    Type type = type_make(DTYPE_I32, 1, (uint32_t[]){(uint32_t)out});
    Value start = build_number(graph, OP_add, build_number(graph, OP_mul, build_iota(graph, &type, 0), (double)stride), (double)-pad);
    Value end = build_number(graph, OP_minimum, build_number(graph, OP_add, start, (double)kernel), extent);
    return build_cast(graph, build_binary(graph, OP_sub, end, build_number(graph, OP_maximum, start, 0)), DTYPE_F32);
}

typedef enum { POOL_MAX, POOL_MEAN, POOL_MEAN_INSIDE } PoolKind;

static Value pool(Graph *graph, Value x, const int64_t kernel[2], const int64_t stride[2], const int64_t pad[2], PoolKind kind,
                  const char **problem) {
    bool is_max = kind == POOL_MAX;
    if (!x.id)
        return x;
    Type type = graph_type(graph, x);
    int64_t out[2];
    for (uint32_t i = 0; i < 2; i++) {
        if (type.dims[2 + i] + 2 * pad[i] < kernel[i] || pad[i] * 2 > kernel[i]) {
            *problem = arena_format(graph->arena, "a window of %lld with pad %lld does not fit %u pixels (pad at most half a window)",
                                    (long long)kernel[i], (long long)pad[i], type.dims[2 + i]);
            return (Value){0};
        }
        out[i] = (type.dims[2 + i] + 2 * pad[i] - kernel[i]) / stride[i] + 1;
    }
    Value wide = padded(graph, x, pad, is_max ? -INFINITY : 0), result = {0};
    for (int64_t i = 0; i < kernel[0]; i++)
        for (int64_t j = 0; j < kernel[1]; j++) {
            Value part = window(graph, wide, (int64_t[]){i, j}, stride, out);
            if (!result.id)
                result = part;
            else if (is_max) // the first of equals keeps the gradient; NaN stays
                result = build_select(graph, build_binary(graph, OP_logical_or, build_binary(graph, OP_gt, part, result), build_binary(graph, OP_ne, part, part)), part, result);
            else
                result = build_binary(graph, OP_add, result, part);
        }
    if (is_max)
        return result;
    if (kind == POOL_MEAN || (!pad[0] && !pad[1]))
        return build_number(graph, OP_mul, result, 1 / (double)(kernel[0] * kernel[1]));
    Value rows = inside_counts(graph, type.dims[2], kernel[0], stride[0], pad[0], out[0]);
    Value columns = inside_counts(graph, type.dims[3], kernel[1], stride[1], pad[1], out[1]);
    Value counts = build_binary(graph, OP_mul, build_reshape(graph, rows, 2, (uint32_t[]){(uint32_t)out[0], 1}), columns);
    return build_binary(graph, OP_div, result, counts);
}

Value pool_max(Graph *graph, Value x, const int64_t kernel[2], const int64_t stride[2], const int64_t pad[2], const char **problem) {
    return pool(graph, x, kernel, stride, pad, POOL_MAX, problem);
}

Value pool_average(Graph *graph, Value x, const int64_t kernel[2], const int64_t stride[2], const int64_t pad[2], bool counts_pad,
                   const char **problem) {
    return pool(graph, x, kernel, stride, pad, counts_pad ? POOL_MEAN : POOL_MEAN_INSIDE, problem);
}

Value pool_upsample(Graph *graph, Value x, const int64_t factor[2]) {
    if (!x.id)
        return x;
    Type t = graph_type(graph, x);
    uint32_t h = (uint32_t)factor[0], w = (uint32_t)factor[1];
    Value split = build_reshape(graph, x, 6, (uint32_t[]){t.dims[0], t.dims[1], t.dims[2], 1, t.dims[3], 1});
    Value wide = build_broadcast_dims(graph, split, 6, (uint32_t[]){t.dims[0], t.dims[1], t.dims[2], h, t.dims[3], w});
    return build_reshape(graph, wide, 4, (uint32_t[]){t.dims[0], t.dims[1], t.dims[2] * h, t.dims[3] * w});
}

Value pool_shuffle(Graph *graph, Value x, uint32_t factor) {
    if (!x.id)
        return x;
    Type t = graph_type(graph, x);
    uint32_t f = factor, c = t.dims[1] / (f * f);
    Value split = build_reshape(graph, x, 6, (uint32_t[]){t.dims[0], c, f, f, t.dims[2], t.dims[3]});
    Value turned = build_transpose(graph, split, (uint32_t[]){0, 1, 4, 2, 5, 3});
    return build_reshape(graph, turned, 4, (uint32_t[]){t.dims[0], c, t.dims[2] * f, t.dims[3] * f});
}

Value pool_unshuffle(Graph *graph, Value x, uint32_t factor) {
    if (!x.id)
        return x;
    Type t = graph_type(graph, x);
    uint32_t f = factor, h = t.dims[2] / f, w = t.dims[3] / f;
    Value split = build_reshape(graph, x, 6, (uint32_t[]){t.dims[0], t.dims[1], h, f, w, f});
    Value turned = build_transpose(graph, split, (uint32_t[]){0, 1, 3, 5, 2, 4});
    return build_reshape(graph, turned, 4, (uint32_t[]){t.dims[0], t.dims[1] * f * f, h, w});
}

// ---- patches: axes n, c, row, y, column, x of an image are n, row, column, c, y, x of its patches

Value pool_patches(Graph *graph, Value x, const int64_t size[2]) {
    if (!x.id)
        return x;
    Type t = graph_type(graph, x);
    uint32_t p = (uint32_t)size[0], q = (uint32_t)size[1], rows = t.dims[2] / p, columns = t.dims[3] / q;
    Value split = build_reshape(graph, x, 6, (uint32_t[]){t.dims[0], t.dims[1], rows, p, columns, q});
    Value turned = build_transpose(graph, split, (uint32_t[]){0, 2, 4, 1, 3, 5});
    return build_reshape(graph, turned, 3, (uint32_t[]){t.dims[0], rows * columns, t.dims[1] * p * q});
}

Value pool_unpatches(Graph *graph, Value x, const int64_t size[2], const int64_t grid[2]) {
    if (!x.id)
        return x;
    Type t = graph_type(graph, x);
    uint32_t p = (uint32_t)size[0], q = (uint32_t)size[1], rows = (uint32_t)grid[0], columns = (uint32_t)grid[1], c = t.dims[2] / p / q;
    Value split = build_reshape(graph, x, 6, (uint32_t[]){t.dims[0], rows, columns, c, p, q});
    Value turned = build_transpose(graph, split, (uint32_t[]){0, 3, 1, 4, 2, 5});
    return build_reshape(graph, turned, 4, (uint32_t[]){t.dims[0], c, rows * p, columns * q});
}
