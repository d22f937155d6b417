// Dropout: an element stays where its uniform draw is at least the rate.
#include "compiler/layers/layers.h"

Value layer_dropout(Layer *layer, Value x) {
    double rate = layer_number(layer, "rate", 0.5);
    if (layer->failed || !float_expected(layer, x))
        return (Value){0};
    if (rate < 0 || rate >= 1)
        return layer_error(layer, "\"rate\" is %g, a number from 0 to below 1 expected", rate);
    if (!layer->training || rate == 0)
        return x;
    Graph *graph = layer->graph;
    Type type = graph_type(graph, x);
    Value stays = build_number(graph, OP_ge, layer_uniform(layer, &type), rate);
    return build_select(graph, stays, build_number(graph, OP_mul, x, 1 / (1 - rate)), build_full(graph, &type, 0));
}
