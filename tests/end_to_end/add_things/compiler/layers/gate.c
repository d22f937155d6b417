// Gate: x sigmoid(strength x) of x that is centred along its last axis.
#include "compiler/layers/layers.h"

Value layer_gate(Layer *layer, Value x) {
    double strength = layer_number(layer, "strength", 1);
    if (layer->failed || !float_expected(layer, x))
        return (Value){0};
    Graph *graph = layer->graph;
    x = graph_add(graph, OP_centre, &x, 1, (Attr[]){attr_int(graph_type(graph, x).rank - 1)}, 1);
    return build_binary(graph, OP_mul, x, build_unary(graph, OP_sigmoid, build_number(graph, OP_mul, x, strength)));
}
