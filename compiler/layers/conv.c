// Convolutions of [n, c, h, w]; weights as PyTorch's: OIHW, transposed ones [in, out/groups, h, w].
#include "compiler/layers/layers.h"

static Value add_bias(Graph *graph, Value y, Value bias) {
    if (!bias.id)
        return y;
    Type type = graph_type(graph, bias);
    return build_binary(graph, OP_add, y, build_reshape(graph, bias, 4, (uint32_t[]){1, type.dims[0], 1, 1}));
}

Value layer_conv2d(Layer *layer, Value x) {
    Type type = graph_type(layer->graph, x);
    int64_t stride[2], pad[2], dilation[2], groups = layer_int(layer, "groups", 1, 1);
    layer_pair(layer, "stride", 1, 1, stride);
    layer_pair(layer, "pad", 0, 0, pad);
    layer_pair(layer, "dilation", 1, 1, dilation);
    if (layer->failed || !image_expected(layer, x))
        return (Value){0};
    WeightShape shape = {.rank = 4, .outputs_at = 0, .inputs_at = 1, .inputs = type.dims[1], .groups = (uint32_t)groups};
    Value weight, bias;
    if (!weight_and_bias(layer, "channels", &shape, &weight, &bias))
        return (Value){0};
    for (uint32_t i = 0; i < 2; i++)
        if (type.dims[2 + i] + 2 * pad[i] < dilation[i] * (shape.kernel[i] - 1) + 1)
            return layer_error(layer, "a kernel of %u x %u does not fit %s with pad %lld", shape.kernel[0], shape.kernel[1],
                               type_text(layer->arena, &type), (long long)pad[i]);
    Attr attrs[] = {attr_ints(stride, 2), attr_ints(pad, 2), attr_ints(dilation, 2), attr_int(groups)};
    return add_bias(layer->graph, graph_add(layer->graph, OP_conv2d, (Value[]){x, weight}, 2, attrs, 4), bias);
}

// The gradient of a convolution by its input.
Value layer_conv_transpose2d(Layer *layer, Value x) {
    Type type = graph_type(layer->graph, x);
    int64_t stride[2], pad[2], extra[2], groups = layer_int(layer, "groups", 1, 1), size[2];
    layer_pair(layer, "stride", 1, 1, stride);
    layer_pair(layer, "pad", 0, 0, pad);
    layer_pair(layer, "output_pad", 0, 0, extra);
    if (layer->failed || !image_expected(layer, x))
        return (Value){0};
    WeightShape shape = {
        .rank = 4, .outputs_at = 1, .inputs_at = 0, .inputs = type.dims[1], .groups = (uint32_t)groups, .outputs_are_grouped = true};
    Value weight, bias;
    if (!weight_and_bias(layer, "channels", &shape, &weight, &bias))
        return (Value){0};
    for (uint32_t i = 0; i < 2; i++) {
        size[i] = (type.dims[2 + i] - 1) * stride[i] - 2 * pad[i] + shape.kernel[i] + extra[i];
        if (size[i] < 1 || extra[i] >= stride[i])
            return layer_error(layer, "the result of %s would have %lld pixels (output_pad must be less than stride)",
                               type_text(layer->arena, &type), (long long)size[i]);
    }
    Attr attrs[] = {attr_ints(stride, 2), attr_ints(pad, 2), attr_ints((int64_t[]){1, 1}, 2), attr_int(groups), attr_ints(size, 2)};
    return add_bias(layer->graph, graph_add(layer->graph, OP_conv2d_input, (Value[]){x, weight}, 2, attrs, 5), bias);
}
