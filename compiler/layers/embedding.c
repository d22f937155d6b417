// Embedding: rows of a table of weights, chosen by integers.
#include "compiler/layers/layers.h"

Value layer_embedding(Layer *layer, Value x) {
    uint32_t dims[2] = {(uint32_t)layer_int(layer, "count", 1, 1), (uint32_t)layer_int(layer, "features", 1, 1)};
    Type type = graph_type(layer->graph, x);
    if (type.dtype != DTYPE_I32)
        return layer_error(layer, "an i32 input expected, not %s", type_text(layer->arena, &type));
    Value weight = layer_value(layer, "weight");
    if (weight.id) {
        Type given = graph_type(layer->graph, weight), wanted = type_make(DTYPE_F32, 2, dims);
        if (!type_equal(&given, &wanted))
            return layer_error(layer, "the weight is %s, %s expected", type_text(layer->arena, &given), type_text(layer->arena, &wanted));
    } else if (!layer->failed) {
        weight = layer_parameter(layer, "weight", &layer->init, PART_WEIGHT, (Initialiser){.word = INITIAL_NORMAL, .b = 1}, 2, dims);
    }
    return layer->failed ? (Value){0} : build_gather(layer->graph, weight, x);
}
