// Linear: y = x W^T + b on the last axis, W [out, in].
#include "compiler/layers/build.h"
#include "compiler/layers/layers.h"

Value linear_map(Graph *graph, Value x, Value weight, Value bias) {
    if (!x.id || !weight.id)
        return (Value){0};
    Type type = graph_type(graph, x), w = graph_type(graph, weight);
    uint32_t inputs = type.dims[type.rank - 1], rows = (uint32_t)(type_count(&type) / inputs);
    Value flat = build_reshape(graph, x, 2, (uint32_t[]){rows, inputs});
    Value y = build_matmul(graph, flat, build_transpose(graph, weight, (uint32_t[]){1, 0}));
    if (bias.id)
        y = build_binary(graph, OP_add, y, bias);
    type.dims[type.rank - 1] = w.dims[0];
    return build_reshape(graph, y, type.rank, type.dims);
}

Value layer_linear(Layer *layer, Value x) {
    Type type = graph_type(layer->graph, x);
    if (type.rank == 0)
        return layer_error(layer, "a tensor with a last axis expected, not a scalar");
    WeightShape shape = {.rank = 2, .outputs_at = 0, .inputs_at = 1, .inputs = type.dims[type.rank - 1], .groups = 1};
    Value weight, bias;
    return weight_and_bias(layer, "features", &shape, &weight, &bias) ? linear_map(layer->graph, x, weight, bias) : (Value){0};
}
