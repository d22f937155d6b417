// Gate: x sigmoid(strength x).
#include "compiler/layers/layers.h"

Value layer_gate(Layer *layer, Value x) {
    double strength = layer_number(layer, "strength", 1);
    if (layer->failed || !float_expected(layer, x))
        return (Value){0};
    return build_binary(layer->graph, OP_mul, x, build_unary(layer->graph, OP_sigmoid, build_number(layer->graph, OP_mul, x, strength)));
}
