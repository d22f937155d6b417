// Cases: the shapes, and the operands, that families of schedules are tried on - odd channels, planes that no tile divides, strides, dilations, groups, batches - each a
// program of one kernel of interest.
#pragma once
#include "compiler/ir/module.h"
#include "compiler/ir/op.h"

// What the operands of a contraction are made of, wherever it reads them.
typedef enum {
    FORM_PLAIN,      // nothing: they lie in memory
    FORM_NORMALISED, // silu((x - mean) / variance), of each channel: not zero at a border, and no number in padding
    FORM_BIASED,     // x + a bias of each channel
    FORM_SHUFFLED,   // channels to pixels; of matrices rows to columns
    FORM_PADDED,     // zeros around it, before its channels too
    FORM_SELECTED,   // a choice and a cast
} Form;

typedef struct {
    const char *name;
    Op op;
    Form form;
    uint32_t x[4], x_rank; // of a convolution: n, channels, height, width of its image
    uint32_t w[4], w_rank; // and columns, kernel height and width; of a matmul both factors
    int64_t stride[2], pad[2], dilation[2];
    uint32_t groups, slices;
    int64_t axes[4];
    uint32_t axis_count;
    bool has_epilogue; // a residual and a maximum follow
    uint32_t tile;     // transforms of tiles; groups 1: mirrored; w: what a result's dims are
    bool transposed;   // matmul: the rows of the first factor lie innermost, so that it sums over rows
    uint32_t chained;  // a reduction: what is left is subtracted from the rest, of which this axis is folded too, so that all of it is one chain
} ShapeCase;

#define CONV(op_, ...) CONV_OF(FORM_PLAIN, op_, __VA_ARGS__)
#define CONV_OF(form_, op_, label, n, ci, h, w_, co, kh, kw, sh, sw, ph, pw, dh, dw, g)                                                                   \
    {.name = #op_ " " label, .op = OP_##op_, .form = form_, .x = {n, ci, h, w_}, .x_rank = 4, .w = {co, kh, kw}, .stride = {sh, sw}, .pad = {ph, pw}, .dilation = {dh, dw}, .groups = g, .slices = 1}
#define CONVS(label, ...) CONV(conv2d, label, __VA_ARGS__), CONV(conv2d_input, label, __VA_ARGS__), CONV(conv2d_weight, label, __VA_ARGS__)
#define CONVS_OF(form, label, ...) CONV_OF(form, conv2d, label, __VA_ARGS__), CONV_OF(form, conv2d_input, label, __VA_ARGS__), CONV_OF(form, conv2d_weight, label, __VA_ARGS__)
#define CONV_OF_CHANNELS(label, ...) CONV(conv2d, "of each channel, " label, __VA_ARGS__), CONV(conv2d_input, "of each channel, " label, __VA_ARGS__)
#define MATMUL(label, across, ...) {.name = "matmul " label, .op = OP_matmul, .transposed = across, __VA_ARGS__}
#define FOLD(op_, label, rank, count, ...) {.name = #op_ " " label, .op = OP_##op_, .x_rank = rank, .axis_count = count, __VA_ARGS__}

static const ShapeCase shape_cases[] = {
    //    n  ci  h   w   co  kernel stride pad  dilation groups
    CONVS("3x3 of 3 channels, 7x7", 1, 3, 7, 7, 5, 3, 3, 1, 1, 1, 1, 1, 1, 1),
    CONVS("3x3 stride 2, 13x13, 37 columns", 2, 5, 13, 13, 37, 3, 3, 2, 2, 1, 1, 1, 1, 1),
    CONVS("1x1 of a pixel, 37 channels", 1, 37, 1, 1, 3, 1, 1, 1, 1, 0, 0, 1, 1, 1),
    CONVS("3x3 of 28x28", 1, 4, 28, 28, 8, 3, 3, 1, 1, 1, 1, 1, 1, 1),
    CONVS("two groups, 7x13", 2, 8, 7, 13, 8, 3, 3, 1, 1, 1, 1, 1, 1, 2),
    CONVS("dilation 2, 13x7", 1, 3, 13, 7, 5, 3, 3, 1, 1, 2, 2, 2, 2, 1),
    CONVS("4x4 stride 2, 14x12", 2, 6, 14, 12, 12, 4, 4, 2, 2, 1, 1, 1, 1, 1),
    CONVS("5x5 in two groups, 28x7", 2, 8, 28, 7, 16, 5, 5, 1, 1, 2, 2, 1, 1, 2),
    CONVS("1x3 stride 1x2, 13x16", 1, 16, 13, 16, 4, 1, 3, 1, 2, 0, 1, 1, 1, 1),
    CONVS("7x7 of 28x28, 3 columns", 1, 5, 28, 28, 3, 7, 7, 1, 1, 3, 3, 1, 1, 1),
    CONVS("dilation 2 with stride 2, 13x14", 1, 5, 13, 14, 7, 3, 3, 2, 2, 2, 2, 2, 2, 1),
    CONVS("dilation 3 with stride 2, 16x16", 2, 4, 16, 16, 4, 3, 2, 2, 2, 1, 1, 3, 3, 1),
    CONVS("stride 3, 13x13", 1, 3, 13, 13, 6, 3, 3, 3, 3, 0, 0, 1, 1, 1),
    CONVS("3 channels each in groups that no vec4 divides", 1, 6, 7, 7, 6, 3, 3, 1, 1, 1, 1, 1, 1, 2),
    CONV_OF_CHANNELS("3x3, 7x26, of 6", 2, 6, 7, 26, 6, 3, 3, 1, 1, 1, 1, 1, 1, 6),
    CONV_OF_CHANNELS("3x3 stride 2, 13x22, of 37", 1, 37, 13, 22, 37, 3, 3, 2, 2, 1, 1, 1, 1, 37),
    CONV_OF_CHANNELS("5x3 of lines of 210", 1, 5, 3, 210, 5, 5, 3, 1, 1, 2, 1, 1, 1, 5),
    CONV_OF_CHANNELS("dilation 2, 3x720", 1, 4, 3, 720, 4, 3, 3, 1, 1, 2, 2, 2, 2, 4),
    CONV(conv2d, "of lines of 660", 1, 3, 2, 660, 5, 1, 3, 1, 1, 0, 1, 1, 1, 1),
    CONV(conv2d, "of lines of 144", 1, 3, 3, 144, 5, 3, 3, 1, 1, 1, 1, 1, 1, 1),
    {.name = "conv2d_weight in slices", .op = OP_conv2d_weight, .x = {4, 3, 7, 7}, .x_rank = 4, .w = {5, 3, 3}, .stride = {1, 1}, .pad = {1, 1}, .dilation = {1, 1}, .groups = 1, .slices = 2},
    {.name = "conv2d and what follows", .op = OP_conv2d, .x = {2, 5, 7, 8}, .x_rank = 4, .w = {6, 3, 3}, .stride = {1, 1}, .pad = {1, 1}, .dilation = {1, 1}, .groups = 1, .slices = 1, .has_epilogue = true},
    MATMUL("of a row", false, .x = {1, 3}, .x_rank = 2, .w = {3, 5}, .w_rank = 2),
    MATMUL("7x37 by 37x13", false, .x = {7, 37}, .x_rank = 2, .w = {37, 13}, .w_rank = 2),
    MATMUL("28x64 by 64x28 and what follows", false, .x = {28, 64}, .x_rank = 2, .w = {64, 28}, .w_rank = 2, .has_epilogue = true),
    MATMUL("of a batch", false, .x = {3, 7, 5}, .x_rank = 3, .w = {3, 5, 13}, .w_rank = 3),
    MATMUL("over 37 rows", true, .x = {37, 7}, .x_rank = 2, .w = {37, 13}, .w_rank = 2),
    MATMUL("over 9001 rows", true, .x = {9001, 3}, .x_rank = 2, .w = {9001, 5}, .w_rank = 2),
    MATMUL("over rows, of a batch", true, .x = {3, 28, 5}, .x_rank = 3, .w = {3, 28, 13}, .w_rank = 3),
    CONVS_OF(FORM_NORMALISED, "normalised, 3x3 of 3 channels", 1, 3, 7, 7, 5, 3, 3, 1, 1, 1, 1, 1, 1, 1),
    CONVS_OF(FORM_NORMALISED, "normalised, stride 2, 37 columns", 2, 5, 13, 13, 37, 3, 3, 2, 2, 1, 1, 1, 1, 1),
    CONVS_OF(FORM_NORMALISED, "normalised, two groups", 2, 8, 7, 13, 8, 3, 3, 1, 1, 1, 1, 1, 1, 2),
    CONVS_OF(FORM_NORMALISED, "normalised, dilation 2", 1, 3, 13, 7, 5, 3, 3, 1, 1, 2, 2, 2, 2, 1),
    CONVS_OF(FORM_NORMALISED, "normalised, 4x4 stride 2", 2, 6, 14, 12, 12, 4, 4, 2, 2, 1, 1, 1, 1, 1),
    CONVS_OF(FORM_NORMALISED, "normalised, dilation 2 with stride 2", 1, 5, 13, 14, 7, 3, 3, 2, 2, 2, 2, 2, 2, 1),
    CONV_OF(FORM_NORMALISED, conv2d, "of each channel, normalised, 7x14", 1, 5, 7, 14, 5, 3, 3, 1, 1, 1, 1, 1, 1, 5),
    CONV_OF(FORM_NORMALISED, conv2d_input, "of each channel, normalised, 4x4 stride 2", 2, 6, 14, 12, 6, 4, 4, 2, 2, 1, 1, 1, 1, 6),
    CONVS_OF(FORM_BIASED, "biased, 1x1 of a pixel, 37 channels", 1, 37, 1, 1, 3, 1, 1, 1, 1, 0, 0, 1, 1, 1),
    CONVS_OF(FORM_BIASED, "biased, 5x5 in two groups, 28x7", 2, 8, 28, 7, 16, 5, 5, 1, 1, 2, 2, 1, 1, 2),
    CONVS_OF(FORM_SHUFFLED, "shuffled, 4x4 stride 2", 2, 6, 14, 12, 12, 4, 4, 2, 2, 1, 1, 1, 1, 1),
    CONVS_OF(FORM_SHUFFLED, "shuffled, 3x3 of 28x28", 1, 4, 28, 28, 8, 3, 3, 1, 1, 1, 1, 1, 1, 1),
    CONVS_OF(FORM_PADDED, "padded, 3x3 of 3 channels", 1, 3, 7, 7, 5, 3, 3, 1, 1, 1, 1, 1, 1, 1),
    CONVS_OF(FORM_PADDED, "padded, stride 3", 1, 5, 13, 13, 6, 3, 3, 3, 3, 0, 0, 1, 1, 1),
    CONVS_OF(FORM_SELECTED, "selected, 1x3 stride 1x2", 1, 16, 13, 16, 4, 1, 3, 1, 2, 0, 1, 1, 1, 1),
    CONVS_OF(FORM_SELECTED, "selected, 3 channels each in groups that no vec4 divides", 1, 6, 7, 7, 6, 3, 3, 1, 1, 1, 1, 1, 1, 2),
    {.name = "conv2d_weight normalised, in slices", .op = OP_conv2d_weight, .form = FORM_NORMALISED, .x = {4, 3, 7, 7}, .x_rank = 4, .w = {5, 3, 3}, .stride = {1, 1}, .pad = {1, 1}, .dilation = {1, 1}, .groups = 1, .slices = 2},
    {.name = "conv2d normalised, and what follows", .op = OP_conv2d, .form = FORM_NORMALISED, .x = {2, 5, 7, 8}, .x_rank = 4, .w = {6, 3, 3}, .stride = {1, 1}, .pad = {1, 1}, .dilation = {1, 1}, .groups = 1, .slices = 1, .has_epilogue = true},
    MATMUL("normalised, 7x37 by 37x13", false, .form = FORM_NORMALISED, .x = {7, 37}, .x_rank = 2, .w = {37, 13}, .w_rank = 2),
    MATMUL("normalised, of a batch", false, .form = FORM_NORMALISED, .x = {3, 7, 5}, .x_rank = 3, .w = {3, 5, 13}, .w_rank = 3),
    MATMUL("normalised, over 37 rows", true, .form = FORM_NORMALISED, .x = {37, 7}, .x_rank = 2, .w = {37, 13}, .w_rank = 2),
    MATMUL("biased, over 9001 rows", true, .form = FORM_BIASED, .x = {9001, 3}, .x_rank = 2, .w = {9001, 5}, .w_rank = 2),
    MATMUL("biased, 28x64 by 64x28 and what follows", false, .form = FORM_BIASED, .x = {28, 64}, .x_rank = 2, .w = {64, 28}, .w_rank = 2, .has_epilogue = true),
    MATMUL("shuffled, 7x37 by 37x13", false, .form = FORM_SHUFFLED, .x = {7, 37}, .x_rank = 2, .w = {37, 13}, .w_rank = 2),
    MATMUL("padded, of a batch", false, .form = FORM_PADDED, .x = {3, 7, 5}, .x_rank = 3, .w = {3, 5, 13}, .w_rank = 3),
    MATMUL("selected, over rows, of a batch", true, .form = FORM_SELECTED, .x = {3, 28, 5}, .x_rank = 3, .w = {3, 28, 13}, .w_rank = 3),
    {.name = "winograd_image 4x4 of 5x7", .op = OP_winograd_image, .x = {2, 5, 5, 7}, .x_rank = 4, .pad = {1, 1}, .tile = 4},
    {.name = "winograd_image 2x2 of 6x6", .op = OP_winograd_image, .x = {1, 8, 6, 6}, .x_rank = 4, .pad = {2, 0}, .tile = 2},
    {.name = "winograd_image 4x4 of 28x28", .op = OP_winograd_image, .x = {2, 13, 28, 28}, .x_rank = 4, .pad = {1, 1}, .tile = 4},
    {.name = "winograd_image normalised", .op = OP_winograd_image, .form = FORM_NORMALISED, .x = {2, 5, 7, 7}, .x_rank = 4, .pad = {1, 1}, .tile = 4},
    {.name = "winograd_gradient 4x4 of 5x7", .op = OP_winograd_gradient, .x = {2, 5, 5, 7}, .x_rank = 4, .tile = 4},
    {.name = "winograd_gradient 2x2 of 8x3", .op = OP_winograd_gradient, .x = {2, 4, 8, 3}, .x_rank = 4, .tile = 2},
    {.name = "winograd_weight 4x4", .op = OP_winograd_weight, .x = {13, 5, 3, 3}, .x_rank = 4, .tile = 4},
    {.name = "winograd_weight 2x2 mirrored", .op = OP_winograd_weight, .x = {3, 7, 3, 3}, .x_rank = 4, .tile = 2, .groups = 1},
    {.name = "winograd_result 4x4 of 5x7", .op = OP_winograd_result, .x = {36, 8, 5}, .x_rank = 3, .w = {2, 5, 5, 7}, .tile = 4},
    {.name = "winograd_result 2x2 and what follows", .op = OP_winograd_result, .x = {16, 9, 8}, .x_rank = 3, .w = {1, 8, 5, 6}, .tile = 2, .has_epilogue = true},
    {.name = "winograd_taps 4x4", .op = OP_winograd_taps, .x = {36, 7, 13}, .x_rank = 3, .tile = 4},
    {.name = "winograd_taps 2x2", .op = OP_winograd_taps, .x = {16, 3, 5}, .x_rank = 3, .tile = 2},
    FOLD(reduce_sum, "of the innermost axis", 2, 1, .x = {3, 500}, .axes = {1}),
    FOLD(reduce_sum, "of the outermost axis", 2, 1, .x = {37, 5}, .axes = {0}),
    FOLD(reduce_sum, "of two axes", 4, 2, .x = {2, 3, 7, 13}, .axes = {0, 2}),
    FOLD(reduce_max, "of all axes", 3, 3, .x = {3, 7, 28}, .axes = {0, 1, 2}),
    FOLD(moments, "of planes", 4, 2, .x = {2, 3, 13, 13}, .axes = {2, 3}),
    FOLD(logsumexp, "of rows", 2, 1, .x = {5, 37}, .axes = {1}),
    FOLD(argmax, "of rows", 2, 1, .x = {5, 37}, .axes = {1}),
    {.name = "a chain of planes", .op = OP_reduce_sum, .x = {2, 5, 13, 7}, .x_rank = 4, .axes = {3}, .axis_count = 1, .chained = 2},
    {.name = "a chain of a plane", .op = OP_reduce_max, .x = {7, 37}, .x_rank = 2, .axes = {1}, .axis_count = 1, .chained = 1},
    {.name = "exp of 7x13", .op = OP_exp, .x = {7, 13}, .x_rank = 2},
    {.name = "exp of one number", .op = OP_exp, .x = {1}, .x_rank = 1},
    {.name = "copy of 7x13 across", .op = OP_materialise, .x = {7, 13}, .x_rank = 2},
    {.name = "copies of 8x6 across", .op = OP_materialise, .x = {3, 8, 6}, .x_rank = 3},
};

enum { SHAPE_CASES = sizeof shape_cases / sizeof *shape_cases };

static inline Value shape_input(Module *module, GraphProgram *program, Graph *graph, const uint32_t *dims, uint32_t rank) {
    const char *name = arena_format(module->arena, "x%u", program->inputs.count);
    int64_t wide[4];
    Feed feed = {.name = name, .type = type_make(DTYPE_F32, rank, dims)};
    for (uint32_t i = 0; i < rank; i++)
        wide[i] = dims[i];
    Attr attrs[3] = {attr_text(name), attr_text("f32"), attr_ints(wide, rank)};
    array_push(module->arena, &program->inputs, feed);
    return graph_add(graph, OP_feed, NULL, 0, attrs, 3);
}

// silu((x - mean) / variance), where variances are squares.
static inline Value shape_normalised(Module *module, GraphProgram *program, Graph *graph, Value x, const uint32_t *one, uint32_t rank) {
    Value mean = shape_input(module, program, graph, one, rank), deviation = shape_input(module, program, graph, one, rank);
    Value variance = build_binary(graph, OP_mul, deviation, deviation);
    x = build_binary(graph, OP_div, build_binary(graph, OP_sub, x, mean), variance);
    return build_binary(graph, OP_mul, x, build_unary(graph, OP_sigmoid, x));
}

// Of channels and pixels: four channels to two by two pixels. Of a matrix: rows to columns, backwards.
static inline Value shape_shuffled(Module *module, GraphProgram *program, Graph *graph, const uint32_t *dims, uint32_t rank) {
    static const uint32_t order[6] = {0, 1, 4, 2, 5, 3}, flipped[3] = {0, 2, 1}, across[2] = {1, 0};
    if (rank < 4) {
        uint32_t from[3] = {dims[0], dims[rank - 1], dims[rank - 2]};
        Value x = build_transpose(graph, shape_input(module, program, graph, rank == 3 ? from : from + 1, rank), rank == 3 ? flipped : across);
        return build_flip(graph, x, (int64_t[]){rank - 1}, 1);
    }
    if (dims[2] % 2 || dims[3] % 2) // what a stride leaves
        return build_flip(graph, shape_input(module, program, graph, dims, rank), (int64_t[]){1, 3}, 2);
    uint32_t from[4] = {dims[0], dims[1] * 4, dims[2] / 2, dims[3] / 2}, parts[6] = {dims[0], dims[1], 2, 2, dims[2] / 2, dims[3] / 2};
    Value x = build_reshape(graph, shape_input(module, program, graph, from, 4), 6, parts);
    return build_reshape(graph, build_transpose(graph, x, order), 4, dims);
}

static inline Value shape_padded(Module *module, GraphProgram *program, Graph *graph, const uint32_t *dims, uint32_t rank) {
    uint32_t from[4];
    int64_t low[4] = {0}, high[4] = {0}, interior[4] = {0};
    for (uint32_t axis = 0; axis < rank; axis++) {
        from[axis] = dims[axis];
        int64_t *side = axis == rank - 1 ? high : low;
        if (axis && dims[axis] > 1)
            side[axis] = 1, from[axis]--;
    }
    return build_pad(graph, shape_input(module, program, graph, from, rank), low, high, interior);
}

// An operand of the case's form; `axis`: of its channels.
static inline Value shape_operand(Module *module, GraphProgram *program, Graph *graph, Form form, const uint32_t *dims, uint32_t rank, uint32_t axis) {
    if (form == FORM_SHUFFLED)
        return shape_shuffled(module, program, graph, dims, rank);
    if (form == FORM_PADDED)
        return shape_padded(module, program, graph, dims, rank);
    Value x = shape_input(module, program, graph, dims, rank);
    uint32_t one[4] = {1, 1, 1, 1};
    one[axis] = dims[axis];
    switch (form) {
    case FORM_PLAIN: break;
    case FORM_NORMALISED: return shape_normalised(module, program, graph, x, one, rank);
    case FORM_BIASED: return build_binary(graph, OP_add, x, shape_input(module, program, graph, one, rank));
    case FORM_SELECTED: {
        Value above = build_number(graph, OP_gt, x, 0.25);
        return build_select(graph, above, x, build_binary(graph, OP_sub, build_cast(graph, above, DTYPE_F32), build_number(graph, OP_mul, x, 2)));
    }
    case FORM_SHUFFLED:
    case FORM_PADDED: break;
    }
    return x;
}

static inline Value shape_conv(Module *module, GraphProgram *program, Graph *graph, const ShapeCase *c) {
    uint32_t out[4] = {c->x[0], c->w[0]}, w[4] = {c->w[0], c->x[1] / c->groups, c->w[1], c->w[2]};
    int64_t size[2] = {c->x[2], c->x[3]}, kernel[2] = {c->w[1], c->w[2]};
    for (int i = 0; i < 2; i++)
        out[2 + i] = (uint32_t)((c->x[2 + i] + 2 * c->pad[i] - c->dilation[i] * (kernel[i] - 1) - 1) / c->stride[i] + 1);
    Attr attrs[6] = {attr_ints(c->stride, 2), attr_ints(c->pad, 2), attr_ints(c->dilation, 2), attr_int(c->groups)};
    // Weights have no pixels to shuffle, and weights of 0 would test less.
    Form form = c->op == OP_conv2d_weight || (c->form != FORM_SHUFFLED && c->form != FORM_PADDED) ? c->form : FORM_PLAIN;
    Value args[2] = {shape_operand(module, program, graph, c->form, c->op == OP_conv2d_input ? out : c->x, 4, 1),
                     shape_operand(module, program, graph, form, c->op == OP_conv2d_weight ? out : w, 4, c->op == OP_conv2d_weight ? 1 : 0)};
    attrs[4] = attr_ints(c->op == OP_conv2d_input ? size : kernel, 2);
    attrs[5] = attr_int(c->slices);
    return graph_add(graph, c->op, args, 2, attrs, c->op == OP_conv2d ? 4 : c->op == OP_conv2d_input ? 5 : 6);
}

static inline Value shape_matmul(Module *module, GraphProgram *program, Graph *graph, const ShapeCase *c) {
    int64_t order[3] = {0, 1, 2};
    Value args[2] = {shape_operand(module, program, graph, c->form, c->x, c->x_rank, c->x_rank - 1), shape_operand(module, program, graph, c->form, c->w, c->w_rank, c->w_rank - 1)};
    order[c->x_rank - 2] = c->x_rank - 1, order[c->x_rank - 1] = c->x_rank - 2;
    Attr attr = attr_ints(order, c->x_rank);
    if (c->transposed)
        args[0] = graph_add(graph, OP_transpose, args, 1, &attr, 1);
    return graph_add(graph, OP_matmul, args, 2, NULL, 0);
}

static inline Value shape_transform(Module *module, GraphProgram *program, Graph *graph, const ShapeCase *c) {
    Value x = shape_operand(module, program, graph, c->form, c->x, c->x_rank, 1);
    int64_t size[2] = {c->x[2] + 2 * c->pad[0] - 2, c->x[3] + 2 * c->pad[1] - 2}, dims[4] = {c->w[0], c->w[1], c->w[2], c->w[3]};
    Attr image[] = {attr_int(c->tile), attr_ints(c->pad, 2), attr_ints(size, 2), attr_int(0)}, result[] = {attr_int(c->tile), attr_ints(dims, 4)};
    Attr weight[] = {attr_int(c->tile), attr_int(c->groups)};
    const Attr *attrs = c->op == OP_winograd_image ? image : c->op == OP_winograd_result ? result : weight;
    return graph_add(graph, c->op, &x, 1, attrs, op_attr_count(c->op));
}

// A product with x across: a matmul's second factor has its columns innermost, so that layout copies it.
static inline Value shape_copied(Module *module, GraphProgram *program, Graph *graph, const ShapeCase *c) {
    static const uint32_t matrix[2] = {1, 0}, batch[3] = {0, 2, 1};
    uint32_t dims[3] = {c->x[0], c->x[1], c->x[2]};
    dims[c->x_rank - 2] = 5;
    Value args[2] = {shape_input(module, program, graph, dims, c->x_rank), shape_input(module, program, graph, c->x, c->x_rank)};
    args[1] = build_transpose(graph, args[1], c->x_rank == 2 ? matrix : batch);
    return graph_add(graph, OP_matmul, args, 2, NULL, 0);
}

// Appends the case as a program `name` of the module.
static inline void shape_program(Module *module, const ShapeCase *c, const char *name) {
    Graph *graph = graph_create(module->arena, module);
    GraphProgram program = {.name = name};
    Value result, x = {0};
    if (c->op == OP_matmul) {
        result = shape_matmul(module, &program, graph, c);
    } else if (c->tile) {
        result = shape_transform(module, &program, graph, c);
    } else if (c->op == OP_materialise) {
        result = shape_copied(module, &program, graph, c);
    } else if (op_def(c->op)->op_class == CLASS_CONTRACT) {
        result = shape_conv(module, &program, graph, c);
    } else {
        x = shape_input(module, &program, graph, c->x, c->x_rank);
        Attr attr = c->op == OP_argmax ? attr_int(c->axes[0]) : attr_ints(c->axes, c->axis_count);
        result = graph_add(graph, c->op, &x, 1, &attr, c->axis_count ? 1 : 0);
    }
    if (c->chained) {
        Type type = graph_type(graph, result);
        type.dims[type.rank++] = 1;
        Value rest = build_binary(graph, OP_sub, x, build_reshape(graph, result, type.rank, type.dims));
        result = build_reduce(graph, OP_reduce_sum, build_unary(graph, OP_exp, rest), (int64_t[]){c->chained}, 1);
    }
    if (c->has_epilogue) {
        Type type = graph_type(graph, result);
        Value pair[2] = {result, shape_input(module, &program, graph, type.dims, type.rank)};
        pair[0] = graph_add(graph, OP_add, pair, 2, NULL, 0);
        result = graph_add(graph, OP_maximum, pair, 2, NULL, 0);
    }
    graph_output(graph, (Output){.kind = OUTPUT_EMIT, .name = "y", .format = RESULT_TENSOR, .value = result});
    array_push(module->arena, &program.phases, ((Phase){.name = "run", .repeat = 1, .graph = graph}));
    array_push(module->arena, &module->programs, program);
}
