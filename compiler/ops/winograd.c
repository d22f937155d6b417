// The transforms of Winograd's convolutions: see winograd.h. The pass `winograd` makes them, after differentiation, so none has a gradient.
#include "compiler/ops/winograd.h"
#include "compiler/ops/ops.h"
#include <math.h>

// ---- the matrices, for the points 0, ±1 (and ±2) and infinity

static const double data_2[4][4] = {{1, 0, -1, 0}, {0, 1, 1, 0}, {0, -1, 1, 0}, {0, 1, 0, -1}};
static const double taps_2[4][3] = {{1, 0, 0}, {0.5, 0.5, 0.5}, {0.5, -0.5, 0.5}, {0, 0, 1}};
static const double result_2[2][4] = {{1, 1, 1, 0}, {0, 1, -1, -1}};
static const double data_4[6][6] = {{4, 0, -5, 0, 1, 0}, {0, -4, -4, 1, 1, 0}, {0, 4, -4, -1, 1, 0}, {0, -2, -1, 2, 1, 0}, {0, 2, -1, -2, 1, 0}, {0, 4, 0, -5, 0, 1}};
static const double taps_4[6][3] = {{1.0 / 4, 0, 0},           {-1.0 / 6, -1.0 / 6, -1.0 / 6},  {-1.0 / 6, 1.0 / 6, -1.0 / 6},
                                    {1.0 / 24, 1.0 / 12, 1.0 / 6}, {1.0 / 24, -1.0 / 12, 1.0 / 6}, {0, 0, 1}};
static const double result_4[4][6] = {{1, 1, 1, 1, 1, 0}, {0, 1, -1, 2, -2, 0}, {0, 1, 1, 4, 4, 0}, {0, 1, -1, 8, -8, 1}};

static WinogradMatrix matrix_of(uint32_t rows, uint32_t columns, const double *factors, bool transposed) {
    WinogradMatrix out = {.rows = transposed ? columns : rows, .columns = transposed ? rows : columns};
    for (uint32_t i = 0; i < rows; i++)
        for (uint32_t j = 0; j < columns; j++)
            out.factors[transposed ? j : i][transposed ? i : j] = factors[i * columns + j];
    return out;
}

static WinogradMatrix matrix_of_op(Op op, uint32_t tile) {
    uint32_t side = tile + WINOGRAD_TAPS - 1;
    const double *data = tile == 2 ? data_2[0] : data_4[0], *taps = tile == 2 ? taps_2[0] : taps_4[0], *result = tile == 2 ? result_2[0] : result_4[0];
    switch ((int)op) {
    case OP_winograd_image: return matrix_of(side, side, data, false);
    case OP_winograd_weight: return matrix_of(side, WINOGRAD_TAPS, taps, false);
    case OP_winograd_result: return matrix_of(tile, side, result, false);
    case OP_winograd_gradient: return matrix_of(tile, side, result, true);
    }
    return matrix_of(side, WINOGRAD_TAPS, taps, true); // OP_winograd_taps
}

// ---- shapes

bool winograd_is(Op op) {
    return op == OP_winograd_image || op == OP_winograd_weight || op == OP_winograd_result || op == OP_winograd_gradient || op == OP_winograd_taps;
}

static void count_tiles(Winograd *w, const int64_t *size) {
    w->rows = w->images;
    for (uint32_t axis = 0; axis < 2; axis++) {
        w->tiles[axis] = (uint32_t)((size[axis] + w->tile - 1) / w->tile);
        w->rows *= w->tiles[axis];
    }
}

static void read_image(Winograd *w, const uint32_t *dims) {
    w->images = dims[0], w->channels = dims[1];
    w->extent[0] = dims[2], w->extent[1] = dims[3];
}

Winograd winograd_of(const Graph *graph, const Node *node) {
    Type x = graph_type(graph, node->args[0]);
    Winograd w = {.from = WINOGRAD_PRODUCTS, .to = WINOGRAD_PRODUCTS, .tile = (uint32_t)attr_of(node, ATTR_tile)->integer};
    w.places = (w.tile + WINOGRAD_TAPS - 1) * (w.tile + WINOGRAD_TAPS - 1);
    w.matrix = matrix_of_op(node->op, w.tile);
    if (node->op == OP_winograd_image || node->op == OP_winograd_gradient) {
        bool is_gradient = node->op == OP_winograd_gradient;
        w.from = WINOGRAD_IMAGE;
        read_image(&w, x.dims);
        for (uint32_t axis = 0; axis < 2 && !is_gradient; axis++)
            w.pad[axis] = attr_of(node, ATTR_pad)->ints[axis];
        count_tiles(&w, is_gradient ? (int64_t[]){x.dims[2], x.dims[3]} : attr_of(node, ATTR_size)->ints);
    } else if (node->op == OP_winograd_result) {
        const int64_t *dims = attr_of(node, ATTR_dims)->ints;
        w.to = WINOGRAD_IMAGE;
        read_image(&w, (uint32_t[]){(uint32_t)dims[0], (uint32_t)dims[1], (uint32_t)dims[2], (uint32_t)dims[3]});
        count_tiles(&w, dims + 2);
    } else {
        bool is_weight = node->op == OP_winograd_weight;
        w.mirrored = is_weight && attr_of(node, ATTR_mirrored)->integer;
        w.from = is_weight ? WINOGRAD_TAPS_OF : WINOGRAD_PRODUCTS;
        w.to = is_weight ? WINOGRAD_PRODUCTS : WINOGRAD_TAPS_OF;
        w.rows = is_weight ? x.dims[w.mirrored ? 0 : 1] : x.dims[1];
        w.channels = is_weight ? x.dims[w.mirrored ? 1 : 0] : x.dims[2];
    }
    return w;
}

static bool check_tile(Graph *graph, const Node *node) {
    int64_t tile = attr_of(node, ATTR_tile)->integer;
    return tile == 2 || tile == 4 || graph_error(graph, node, "tile must be 2 or 4, got %lld", (long long)tile);
}

static bool check_rank(Graph *graph, const Node *node, uint32_t rank, const char *what) {
    return needs_f32(graph, node, 0) && check_tile(graph, node) &&
           (arg_type(graph, node, 0).rank == rank || graph_error(graph, node, "wants %s, got %s", what, shown(graph, node->args[0])));
}

static bool are_within(const Attr *attr, uint32_t count, int64_t least) {
    bool good = attr->count == count;
    for (uint32_t i = 0; good && i < count; i++)
        good = attr->ints[i] >= least && attr->ints[i] <= ELEMENTS_MAX;
    return good;
}

static bool products_type(Graph *graph, const Node *node, Type *out) {
    Winograd w = winograd_of(graph, node);
    double rows = w.from == WINOGRAD_IMAGE ? (double)w.images * w.tiles[0] * w.tiles[1] : w.rows;
    if (rows * w.channels * w.places > ELEMENTS_MAX)
        return graph_error(graph, node, "the result would have more than %s elements", text_thousands(graph->arena, ELEMENTS_MAX));
    *out = type_make(DTYPE_F32, 3, (uint32_t[]){w.places, w.rows, w.channels});
    return true;
}

static bool infer_image(Graph *graph, const Node *node, Type *out) {
    if (!check_rank(graph, node, 4, "[n, channels, height, width]"))
        return false;
    const Attr *pad = attr_of(node, ATTR_pad), *size = attr_of(node, ATTR_size);
    if (!are_within(pad, 2, 0) || !are_within(size, 2, 1))
        return graph_error(graph, node, "pad must be two numbers of at least 0, and size two of at least 1");
    if (attr_of(node, ATTR_copy)->integer < 0)
        return graph_error(graph, node, "copy must not be negative");
    Type x = arg_type(graph, node, 0);
    for (uint32_t axis = 0; axis < 2; axis++)
        if (size->ints[axis] != x.dims[2 + axis] + 2 * pad->ints[axis] - (WINOGRAD_TAPS - 1))
            return graph_error(graph, node, "3 x 3 taps do not make %lld x %lld of %s, padded by %lld x %lld", (long long)size->ints[0], (long long)size->ints[1],
                               shown(graph, node->args[0]), (long long)pad->ints[0], (long long)pad->ints[1]);
    return products_type(graph, node, out);
}

static bool infer_gradient(Graph *graph, const Node *node, Type *out) { return check_rank(graph, node, 4, "[n, channels, height, width]") && products_type(graph, node, out); }

static bool infer_weight(Graph *graph, const Node *node, Type *out) {
    if (!check_rank(graph, node, 4, "[out, in, 3, 3]"))
        return false;
    Type w = arg_type(graph, node, 0);
    if (w.dims[2] != WINOGRAD_TAPS || w.dims[3] != WINOGRAD_TAPS)
        return graph_error(graph, node, "wants [out, in, 3, 3], got %s", shown(graph, node->args[0]));
    int64_t mirrored = attr_of(node, ATTR_mirrored)->integer;
    return (mirrored == 0 || mirrored == 1 || graph_error(graph, node, "mirrored must be 0 or 1")) && products_type(graph, node, out);
}

// The argument of what has places must be [places, rows, channels].
static bool check_products(Graph *graph, const Node *node, const Winograd *w) {
    Type wanted = type_make(DTYPE_F32, 3, (uint32_t[]){w->places, w->rows, w->channels}), got = arg_type(graph, node, 0);
    return type_equal(&wanted, &got) || graph_error(graph, node, "wants %s, got %s", type_text(graph->arena, &wanted), shown(graph, node->args[0]));
}

static bool infer_result(Graph *graph, const Node *node, Type *out) {
    if (!check_rank(graph, node, 3, "[places, tiles, channels]"))
        return false;
    if (!are_within(attr_of(node, ATTR_dims), 4, 1))
        return graph_error(graph, node, "dims must be four numbers of at least 1");
    Winograd w = winograd_of(graph, node);
    *out = type_make(DTYPE_F32, 4, (uint32_t[]){w.images, w.channels, w.extent[0], w.extent[1]});
    return check_products(graph, node, &w);
}

static bool infer_taps(Graph *graph, const Node *node, Type *out) {
    if (!check_rank(graph, node, 3, "[places, in, out]"))
        return false;
    Winograd w = winograd_of(graph, node);
    *out = type_make(DTYPE_F32, 4, (uint32_t[]){w.channels, w.rows, WINOGRAD_TAPS, WINOGRAD_TAPS});
    return check_products(graph, node, &w);
}

// ---- reference

// The element at (y, x) of a block; negative: outside of the image.
static int64_t element_of(const Winograd *w, WinogradPlace place, uint32_t side, uint64_t row, uint64_t channel, uint32_t y, uint32_t x) {
    if (place == WINOGRAD_PRODUCTS)
        return (int64_t)(((uint64_t)(y * side + x) * w->rows + row) * w->channels + channel);
    if (place == WINOGRAD_TAPS_OF) {
        uint64_t pair = w->mirrored ? row * w->channels + channel : channel * w->rows + row;
        uint32_t tap = y * WINOGRAD_TAPS + x;
        return (int64_t)(pair * WINOGRAD_TAPS * WINOGRAD_TAPS + (w->mirrored ? WINOGRAD_TAPS * WINOGRAD_TAPS - 1 - tap : tap));
    }
    uint64_t column = row % w->tiles[1], line = row / w->tiles[1] % w->tiles[0], image = row / w->tiles[1] / w->tiles[0];
    int64_t at_y = (int64_t)line * w->tile - w->pad[0] + y, at_x = (int64_t)column * w->tile - w->pad[1] + x;
    if (at_y < 0 || at_y >= w->extent[0] || at_x < 0 || at_x >= w->extent[1])
        return -1;
    return (int64_t)((image * w->channels + channel) * w->extent[0] + (uint64_t)at_y) * w->extent[1] + at_x;
}

static void transform(const Winograd *w, const double *from, double *to) {
    const WinogradMatrix *t = &w->matrix;
    for (uint64_t row = 0; row < w->rows; row++)
        for (uint64_t channel = 0; channel < w->channels; channel++) {
            double block[WINOGRAD_SIDE_MAX][WINOGRAD_SIDE_MAX], half[WINOGRAD_SIDE_MAX][WINOGRAD_SIDE_MAX] = {{0}};
            for (uint32_t y = 0; y < t->columns; y++)
                for (uint32_t x = 0; x < t->columns; x++) {
                    int64_t at = element_of(w, w->from, t->columns, row, channel, y, x);
                    block[y][x] = at < 0 ? 0 : from[at];
                }
            // What has a factor of 0 is no term: infinities stay where kernels have them.
            for (uint32_t u = 0; u < t->rows; u++)
                for (uint32_t y = 0; y < t->columns; y++)
                    for (uint32_t x = 0; x < t->columns && t->factors[u][y] != 0; x++)
                        half[u][x] += t->factors[u][y] * block[y][x];
            for (uint32_t u = 0; u < t->rows; u++)
                for (uint32_t v = 0; v < t->rows; v++) {
                    double sum = 0;
                    for (uint32_t x = 0; x < t->columns; x++)
                        sum += t->factors[v][x] != 0 ? t->factors[v][x] * half[u][x] : 0;
                    int64_t at = element_of(w, w->to, t->rows, row, channel, u, v);
                    if (at >= 0)
                        to[at] = sum;
                }
        }
}

static void reference(const Graph *graph, const Node *node, const Tensor *const *args, Tensor *out) {
    Winograd w = winograd_of(graph, node);
    transform(&w, args[0]->data, out->data);
}

void winograd_magnitudes(const Graph *graph, const Node *node, const Tensor *argument, Tensor *out) {
    Winograd w = winograd_of(graph, node);
    for (uint32_t i = 0; i < w.matrix.rows; i++)
        for (uint32_t j = 0; j < w.matrix.columns; j++)
            w.matrix.factors[i][j] = fabs(w.matrix.factors[i][j]);
    transform(&w, argument->data, out->data);
}

// ---- a convolution made of them

bool winograd_applies(const Graph *graph, const Node *node) {
    if (node->op != OP_conv2d && node->op != OP_conv2d_input && node->op != OP_conv2d_weight)
        return false;
    const int64_t *stride = attr_of(node, ATTR_stride)->ints, *pad = attr_of(node, ATTR_pad)->ints, *dilation = attr_of(node, ATTR_dilation)->ints;
    bool good = attr_of(node, ATTR_groups)->integer == 1;
    for (uint32_t axis = 0; axis < 2; axis++) {
        int64_t taps = node->op == OP_conv2d_weight ? attr_of(node, ATTR_kernel)->ints[axis] : graph_type(graph, node->args[1]).dims[2 + axis];
        good = good && taps == WINOGRAD_TAPS && stride[axis] == 1 && dilation[axis] == 1 && pad[axis] < WINOGRAD_TAPS;
    }
    return good && (node->op != OP_conv2d_weight || attr_of(node, ATTR_slices)->integer == 1);
}

static Value build_image(Graph *graph, Value x, uint32_t tile, const int64_t pad[2], const uint32_t *size, uint32_t copy) {
    Attr attrs[] = {attr_int(tile), attr_ints(pad, 2), attr_ints((int64_t[]){size[0], size[1]}, 2), attr_int(copy)};
    return graph_add(graph, OP_winograd_image, &x, 1, attrs, 4);
}

Value winograd_build(Graph *graph, const Node *node, Value first, Value second, uint32_t tile) {
    Attr own[] = {attr_int(tile), attr_int(node->op == OP_conv2d_input)};
    const int64_t *pad = attr_of(node, ATTR_pad)->ints;
    if (node->op == OP_conv2d_weight) {
        // Not that of the convolution itself: from there to here it would take more memory than all else that is kept.
        Value x = build_image(graph, first, tile, pad, graph_type(graph, second).dims + 2, 1), g = graph_add(graph, OP_winograd_gradient, &second, 1, own, 1);
        Value sums = build_matmul(graph, build_transpose(graph, x, (uint32_t[]){0, 2, 1}), g);
        return graph_add(graph, OP_winograd_taps, &sums, 1, own, 1);
    }
    // The gradient by the image is the convolution with mirrored taps, padded by as much as leaves its size.
    int64_t mirrored_pad[2] = {WINOGRAD_TAPS - 1 - pad[0], WINOGRAD_TAPS - 1 - pad[1]};
    Value x = build_image(graph, first, tile, own[1].integer ? mirrored_pad : pad, node->type.dims + 2, 0), w = graph_add(graph, OP_winograd_weight, &second, 1, own, 2);
    Value products = build_matmul(graph, x, w);
    int64_t dims[4];
    for (uint32_t i = 0; i < 4; i++)
        dims[i] = node->type.dims[i];
    Attr attrs[] = {attr_int(tile), attr_ints(dims, 4)};
    return graph_add(graph, OP_winograd_result, &products, 1, attrs, 2);
}

// ---- the ops

#define TRANSFORM(name_, summary_, infer_) .name = name_, .summary = summary_, .op_class = CLASS_CONTRACT, .arg_count = 1, .infer = infer_, .reference = reference

const OpDef op_winograd_image = {
    TRANSFORM("winograd_image", "the pixels [n, c, h, w] that tiles reach, transformed: [places, tiles, c]", infer_image),
    .example_count = 4,
    .examples = {{{F32(2, 3, 5, 7)}, 1, {EXAMPLE_INT(4), EXAMPLE_INTS(1, 1), EXAMPLE_INTS(5, 7), EXAMPLE_INT(0)}, -1, 1, 0},
                 {{F32(1, 5, 8, 4)}, 1, {EXAMPLE_INT(4), EXAMPLE_INTS(2, 0), EXAMPLE_INTS(10, 2), EXAMPLE_INT(0)}, -1, 1, 0},
                 {{F32(2, 8, 6, 6)}, 1, {EXAMPLE_INT(2), EXAMPLE_INTS(1, 1), EXAMPLE_INTS(6, 6), EXAMPLE_INT(0)}, -1, 1, 0},
                 {{F32(1, 3, 3, 5)}, 1, {EXAMPLE_INT(2), EXAMPLE_INTS(0, 1), EXAMPLE_INTS(1, 5), EXAMPLE_INT(0)}, -1, 1, 0}},
};

const OpDef op_winograd_gradient = {
    TRANSFORM("winograd_gradient", "tiles of a gradient [n, c, h, w], transformed for that of the weight: [places, tiles, c]", infer_gradient),
    .example_count = 2,
    .examples = {{{F32(2, 3, 5, 7)}, 1, {EXAMPLE_INT(4)}, -1, 1, 0}, {{F32(1, 5, 4, 3)}, 1, {EXAMPLE_INT(2)}, -1, 1, 0}},
};

const OpDef op_winograd_weight = {
    TRANSFORM("winograd_weight", "a weight [out, in, 3, 3], transformed: [places, in, out], or mirrored [places, out, in]", infer_weight),
    .example_count = 3,
    .examples = {{{F32(5, 3, 3, 3)}, 1, {EXAMPLE_INT(4), EXAMPLE_INT(0)}, -1, 1, 0},
                 {{F32(4, 6, 3, 3)}, 1, {EXAMPLE_INT(4), EXAMPLE_INT(1)}, -1, 1, 0},
                 {{F32(3, 4, 3, 3)}, 1, {EXAMPLE_INT(2), EXAMPLE_INT(1)}, -1, 1, 0}},
};

const OpDef op_winograd_result = {
    TRANSFORM("winograd_result", "products [places, tiles, c], transformed to the image [n, c, h, w] of dims", infer_result),
    .example_count = 3,
    .examples = {{{F32(36, 8, 3)}, 1, {EXAMPLE_INT(4), EXAMPLE_INTS(2, 3, 5, 7)}, -1, 1, 0},
                 {{F32(36, 1, 5)}, 1, {EXAMPLE_INT(4), EXAMPLE_INTS(1, 5, 4, 3)}, -1, 1, 0},
                 {{F32(16, 6, 4)}, 1, {EXAMPLE_INT(2), EXAMPLE_INTS(1, 4, 3, 5)}, -1, 1, 0}},
};

const OpDef op_winograd_taps = {
    TRANSFORM("winograd_taps", "sums of products [places, in, out], transformed to a weight's gradient [out, in, 3, 3]", infer_taps),
    .example_count = 2,
    .examples = {{{F32(36, 3, 5)}, 1, {EXAMPLE_INT(4)}, -1, 1, 0}, {{F32(16, 6, 4)}, 1, {EXAMPLE_INT(2)}, -1, 1, 0}},
};
