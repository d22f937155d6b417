// Attention (Vaswani et al. 2017): softmax(q k^T / sqrt(c / heads)) v between four linear maps. Of [n, c, h, w] the pixels are the rows.
#include "compiler/layers/layers.h"

static bool rows_expected(Layer *layer, Value x, const char *what) {
    Type type = graph_type(layer->graph, x);
    if (type.rank != 3 && type.rank != 4)
        layer_error(layer, "%s[n, c, h, w] or [n, rows, c] expected, not %s", what, type_text(layer->arena, &type));
    return !layer->failed && float_expected(layer, x);
}

// [n, c, h, w] as [n, h w, c]
static Value as_rows(Graph *graph, Value x) {
    Type type = graph_type(graph, x);
    if (type.rank == 3)
        return x;
    Value flat = build_reshape(graph, x, 3, (uint32_t[]){type.dims[0], type.dims[1], type.dims[2] * type.dims[3]});
    return build_transpose(graph, flat, (uint32_t[]){0, 2, 1});
}

static Value map(Layer *layer, Value rows, const char *name, uint32_t outputs, bool has_bias, const InitialiserSet *init) {
    uint32_t dims[2] = {outputs, graph_type(layer->graph, rows).dims[2]};
    Initialiser fallback = init_fan_in(2, dims);
    Value weight = layer_parameter(layer, arena_format(layer->arena, "%s.weight", name), init, PART_WEIGHT, fallback, 2, dims), bias = {0};
    if (has_bias)
        bias = layer_parameter(layer, arena_format(layer->arena, "%s.bias", name), init, PART_BIAS, fallback, 1, dims);
    return layer->failed ? (Value){0} : linear_map(layer->graph, rows, weight, bias);
}

// [n, rows, c] to [n, heads, rows, c / heads]
static Value split_heads(Graph *graph, Value x, uint32_t heads) {
    Type type = graph_type(graph, x);
    Value split = build_reshape(graph, x, 4, (uint32_t[]){type.dims[0], type.dims[1], heads, type.dims[2] / heads});
    return build_transpose(graph, split, (uint32_t[]){0, 2, 1, 3});
}

// Whether a mask spreads over [n, heads, queries, keys].
static bool mask_fits(Layer *layer, Value mask, const uint32_t scores[4]) {
    if (!mask.id)
        return true;
    Type type = graph_type(layer->graph, mask);
    bool fits = type.rank <= 4 && (type.dtype == DTYPE_BOOL || type.dtype == DTYPE_F32);
    for (uint32_t i = 0; fits && i < type.rank; i++)
        fits = type.dims[i] == 1 || type.dims[i] == scores[4 - type.rank + i];
    bool is_number = type.dtype != DTYPE_BOOL && type.dtype != DTYPE_F32;
    bool is_of_keys = type.rank == 2 && type.dims[0] == scores[0] && type.dims[1] == scores[3];
    if (!fits)
        layer_error(layer, "a mask is bool or f32 and spreads over [n, heads, queries, keys] = [%u, %u, %u, %u], not %s%s", scores[0],
                    scores[1], scores[2], scores[3], type_text(layer->arena, &type),
                    is_number ? ": mask > 0 is bool" : is_of_keys ? ": mask[:, None, None] is of each record's keys" : "");
    return fits;
}

// `features` are what heads share; the result has x's channels.
static Value attend(Layer *layer, Value x, Value context, uint32_t features, bool has_bias) {
    Graph *graph = layer->graph;
    Type type = graph_type(graph, x);
    uint32_t heads = (uint32_t)layer_int(layer, "heads", 1, 1);
    bool is_causal = layer_bool(layer, "causal", false);
    if (layer->failed)
        return (Value){0};
    if (features % heads)
        return layer_error(layer, "%u channels do not divide into %u heads", features, heads);
    Value rows = as_rows(graph, x), others = as_rows(graph, context), mask = layer_value(layer, "mask");
    Type own = graph_type(graph, rows), other = graph_type(graph, others);
    if (other.dims[0] != own.dims[0])
        return layer_error(layer, "%u records of %s have no context in %u of %s", own.dims[0], type_text(layer->arena, &type),
                           other.dims[0], type_text(layer->arena, &other));
    if (!mask_fits(layer, mask, (uint32_t[]){own.dims[0], heads, own.dims[1], other.dims[1]}))
        return (Value){0};
    Value query = map(layer, rows, "query", features, has_bias, &layer->init),
          key = map(layer, others, "key", features, has_bias, &layer->init);
    Value value = map(layer, others, "value", features, has_bias, &layer->init);
    if (!query.id || !key.id || !value.id)
        return (Value){0};
    Value mixed = build_attention(graph, split_heads(graph, query, heads), split_heads(graph, key, heads), split_heads(graph, value, heads),
                                  mask, is_causal);
    if (!mixed.id) // reported: more scores than a tensor holds
        return (Value){0};
    Value joined =
        build_reshape(graph, build_transpose(graph, mixed, (uint32_t[]){0, 2, 1, 3}), 3, (uint32_t[]){own.dims[0], own.dims[1], features});
    Value y = map(layer, joined, "out", own.dims[2], true, &layer->out_init);
    return type.rank == 4 && y.id ? build_reshape(graph, build_transpose(graph, y, (uint32_t[]){0, 2, 1}), 4, type.dims) : y;
}

static uint32_t channels(const Type *type) { return type->dims[type->rank == 4 ? 1 : 2]; }

Value layer_attention(Layer *layer, Value x) {
    Type type = graph_type(layer->graph, x);
    Value context = layer_has(layer, "context") ? layer_value(layer, "context") : x;
    if (!rows_expected(layer, x, "") || !rows_expected(layer, context, "\"context\": "))
        return (Value){0};
    uint32_t features = (uint32_t)layer_int(layer, "features", 1, channels(&type));
    return attend(layer, x, context, features, layer_bool(layer, "bias", true));
}

// Its options are some of those.
Value layer_self_attention(Layer *layer, Value x) { return layer_attention(layer, x); }
