// Convolutions of [n, c, h, w]; weights as PyTorch's: OIHW, transposed ones [in, out/groups, h, w]. Those of [n, c, w], whose weights have
// one axis less, are convolutions of images of height 1.
#include "compiler/layers/layers.h"

// Index 0 is y, 1 is x; of one axis y is as if it were not there.
typedef struct {
    uint32_t axes; // 1 or 2
    int64_t groups, stride[2], dilation[2], pads[2][2], extra[2];
    bool is_same; // pads follow from the sizes
    BorderMode mode;
} Options;

static Value add_bias(Graph *graph, Value y, Value bias) {
    if (!bias.id)
        return y;
    Type type = graph_type(graph, bias);
    return build_binary(graph, OP_add, y, build_reshape(graph, bias, 4, (uint32_t[]){1, type.dims[0], 1, 1}));
}

// [a, b, w] as [a, b, 1, w].
static Value as_image(Graph *graph, Value x) {
    Type type = graph_type(graph, x);
    return type.rank == 3 ? build_reshape(graph, x, 4, (uint32_t[]){type.dims[0], type.dims[1], 1, type.dims[2]}) : x;
}

static Value as_line(Graph *graph, Value y) {
    Type type = graph_type(graph, y);
    return build_reshape(graph, y, 3, (uint32_t[]){type.dims[0], type.dims[1], type.dims[3]});
}

// Reads the options, and the weight as an image's; false after an error.
static bool begin(Layer *layer, Value x, Options *options, WeightShape *shape, Value *weight, Value *bias) {
    Type type = graph_type(layer->graph, x);
    options->groups = layer_int(layer, "groups", 1, 1);
    layer_sizes(layer, "stride", options->axes, 1, 1, options->stride);
    layer_sizes(layer, "dilation", options->axes, 1, 1, options->dilation);
    layer_sizes(layer, "output_pad", options->axes, 0, 0, options->extra);
    options->is_same = layer_word(layer, "pad") != NULL;
    const char *mode = layer_word(layer, "pad_mode");
    options->mode = mode ? border_find(mode) : BORDER_ZEROS;
    layer_pads(layer, "pad", options->axes, options->pads);
    if (layer->failed || !(options->axes == 2 ? image_expected(layer, x) : line_expected(layer, x)))
        return false;
    shape->rank = 2 + options->axes;
    shape->inputs = type.dims[1];
    shape->groups = (uint32_t)options->groups;
    if (!weight_and_bias(layer, "channels", shape, weight, bias))
        return false;
    *weight = as_image(layer->graph, *weight);
    return true;
}

// As many pixels as the image has for a stride of 1, else one for each `stride`; what is odd goes after.
static void pad_same(Options *options, const Type *image, const uint32_t *kernel) {
    for (uint32_t i = 2 - options->axes; i < 2; i++) {
        int64_t in = image->dims[2 + i], out = (in + options->stride[i] - 1) / options->stride[i];
        int64_t all = (out - 1) * options->stride[i] + options->dilation[i] * (kernel[i] - 1) + 1 - in;
        options->pads[i][0] = all > 0 ? all / 2 : 0;
        options->pads[i][1] = all > 0 ? all - all / 2 : 0;
    }
}

static const char *pads_text(Arena *arena, const Options *options) {
    const int64_t(*pads)[2] = options->pads;
    if (pads[0][0] == pads[0][1] && pads[1][0] == pads[1][1] && (pads[0][0] == pads[1][0] || options->axes == 1))
        return arena_format(arena, "%lld", (long long)pads[1][0]);
    if (options->axes == 1)
        return arena_format(arena, "[[%lld, %lld]]", (long long)pads[1][0], (long long)pads[1][1]);
    return arena_format(arena, "[[%lld, %lld], [%lld, %lld]]", (long long)pads[0][0], (long long)pads[0][1], (long long)pads[1][0],
                        (long long)pads[1][1]);
}

// What of the padding is zeros, and the same on both sides, is the convolution's own.
static Value pad_image(Layer *layer, Value x, Options *options, int64_t own[2]) {
    const char *problem = NULL;
    for (uint32_t i = 0; i < 2; i++) {
        int64_t low = options->pads[i][0], high = options->pads[i][1];
        own[i] = options->mode != BORDER_ZEROS ? 0 : low < high ? low : high;
        x = border_pad(layer->graph, x, 2 + i, low - own[i], high - own[i], options->mode, &problem);
        if (problem)
            return layer_error(layer, "%s", problem);
    }
    return x;
}

static Value convolution(Layer *layer, Value x, uint32_t axes) {
    Graph *graph = layer->graph;
    Options options = {.axes = axes};
    WeightShape shape = {.outputs_at = 0, .inputs_at = 1};
    Value weight, bias;
    if (!begin(layer, x, &options, &shape, &weight, &bias))
        return (Value){0};
    Type given = graph_type(graph, x);
    x = as_image(graph, x);
    Type type = graph_type(graph, x);
    if (options.is_same)
        pad_same(&options, &type, shape.kernel);
    for (uint32_t i = 0; i < 2; i++)
        if (type.dims[2 + i] + options.pads[i][0] + options.pads[i][1] < options.dilation[i] * (shape.kernel[i] - 1) + 1)
            return axes == 1 ? layer_error(layer, "a kernel of %u does not fit %s with pad %s", shape.kernel[1],
                                           type_text(layer->arena, &given), pads_text(layer->arena, &options))
                             : layer_error(layer, "a kernel of %u x %u does not fit %s with pad %s", shape.kernel[0], shape.kernel[1],
                                           type_text(layer->arena, &given), pads_text(layer->arena, &options));
    int64_t pad[2];
    x = pad_image(layer, x, &options, pad);
    Attr attrs[] = {attr_ints(options.stride, 2), attr_ints(pad, 2), attr_ints(options.dilation, 2), attr_int(options.groups)};
    Value y = add_bias(graph, graph_add(graph, OP_conv2d, (Value[]){x, weight}, 2, attrs, 4), bias);
    return axes == 1 && y.id ? as_line(graph, y) : y;
}

Value layer_conv2d(Layer *layer, Value x) { return convolution(layer, x, 2); }

Value layer_conv1d(Layer *layer, Value x) { return convolution(layer, x, 1); }

// The gradient of a convolution by its input. Padding cuts the result: what is the same on both sides is the convolution's own.
static Value transposed(Layer *layer, Value x, uint32_t axes) {
    Graph *graph = layer->graph;
    Options options = {.axes = axes};
    WeightShape shape = {.outputs_at = 1, .inputs_at = 0, .outputs_are_grouped = true};
    Value weight, bias;
    if (!begin(layer, x, &options, &shape, &weight, &bias))
        return (Value){0};
    Type given = graph_type(graph, x);
    x = as_image(graph, x);
    Type type = graph_type(graph, x);
    int64_t size[2], pad[2], cut[2][2];
    for (uint32_t i = 0; i < 2; i++) {
        int64_t low = options.pads[i][0], high = options.pads[i][1];
        pad[i] = low < high ? low : high;
        cut[i][0] = low - pad[i];
        cut[i][1] = high - pad[i];
        size[i] =
            (type.dims[2 + i] - 1) * options.stride[i] - 2 * pad[i] + options.dilation[i] * (shape.kernel[i] - 1) + 1 + options.extra[i];
        if (size[i] - cut[i][0] - cut[i][1] < 1 || options.extra[i] >= options.stride[i])
            return layer_error(layer, "the result of %s would have %lld pixels (output_pad must be less than stride)",
                               type_text(layer->arena, &given), (long long)(size[i] - cut[i][0] - cut[i][1]));
    }
    Attr attrs[] = {attr_ints(options.stride, 2), attr_ints(pad, 2), attr_ints(options.dilation, 2), attr_int(options.groups),
                    attr_ints(size, 2)};
    Value y = graph_add(graph, OP_conv2d_input, (Value[]){x, weight}, 2, attrs, 5);
    for (uint32_t i = 0; i < 2; i++)
        y = build_slice(graph, y, 2 + i, cut[i][0], size[i] - cut[i][1], 1);
    y = add_bias(graph, y, bias);
    return axes == 1 && y.id ? as_line(graph, y) : y;
}

Value layer_conv_transpose2d(Layer *layer, Value x) { return transposed(layer, x, 2); }

Value layer_conv_transpose1d(Layer *layer, Value x) { return transposed(layer, x, 1); }
