// Self-attention (Vaswani et al. 2017): softmax(q k^T / sqrt(c / heads)) v, four linear maps with bias.
#include "compiler/layers/layers.h"

static Value map(Layer *layer, Value rows, const char *name, const InitialiserSet *init) {
    Type type = graph_type(layer->graph, rows);
    uint32_t c = type.dims[2], dims[2] = {c, c};
    Initialiser fallback = init_fan_in(2, dims);
    Value weight = layer_parameter(layer, arena_format(layer->arena, "%s.weight", name), init, PART_WEIGHT, fallback, 2, dims);
    Value bias = layer_parameter(layer, arena_format(layer->arena, "%s.bias", name), init, PART_BIAS, fallback, 1, dims);
    return linear_map(layer->graph, rows, weight, bias);
}

// [n, rows, c] to [n, heads, rows, c / heads]
static Value split_heads(Graph *graph, Value x, uint32_t heads) {
    Type type = graph_type(graph, x);
    Value split = build_reshape(graph, x, 4, (uint32_t[]){type.dims[0], type.dims[1], heads, type.dims[2] / heads});
    return build_transpose(graph, split, (uint32_t[]){0, 2, 1, 3});
}

Value layer_self_attention(Layer *layer, Value x) {
    Graph *graph = layer->graph;
    Type type = graph_type(graph, x);
    bool is_image = type.rank == 4;
    if (type.rank != 3 && type.rank != 4)
        return layer_error(layer, "[n, c, h, w] or [n, rows, c] expected, not %s", type_text(layer->arena, &type));
    uint32_t n = type.dims[0], c = type.dims[is_image ? 1 : 2], length = is_image ? type.dims[2] * type.dims[3] : type.dims[1];
    uint32_t heads = (uint32_t)layer_int(layer, "heads", 1, 1);
    if (layer->failed || !float_expected(layer, x))
        return (Value){0};
    if (c % heads)
        return layer_error(layer, "%u channels do not divide into %u heads", c, heads);
    Value rows = is_image ? build_transpose(graph, build_reshape(graph, x, 3, (uint32_t[]){n, c, length}), (uint32_t[]){0, 2, 1}) : x;
    Value query = map(layer, rows, "query", &layer->init), key = map(layer, rows, "key", &layer->init);
    Value value = map(layer, rows, "value", &layer->init);
    if (!query.id || !key.id || !value.id)
        return (Value){0};
    Value mixed = build_attention(graph, split_heads(graph, query, heads), split_heads(graph, key, heads), split_heads(graph, value, heads), (Value){0}, false);
    Value joined = build_reshape(graph, build_transpose(graph, mixed, (uint32_t[]){0, 2, 1, 3}), 3, (uint32_t[]){n, length, c});
    Value y = map(layer, joined, "out", &layer->out_init);
    return is_image && y.id ? build_reshape(graph, build_transpose(graph, y, (uint32_t[]){0, 2, 1}), 4, type.dims) : y;
}
