// RMSProp (Hinton 2012), as torch.optim.RMSprop: v = alpha v + (1 - alpha) g^2; m = momentum m + g / (sqrt(v) + eps); p = p - lr m.
#include "compiler/optimizers/rules.h"

void rmsprop_advance(const OptimizerStep *step, OptimizerState *state) {
    Graph *graph = step->graph;
    OptimizerOption decay = optimizer_option(step, "weight_decay", 0);
    Value g = state->gradient;
    if (!optimizer_is_zero(decay))
        g = build_binary(graph, OP_add, g, optimizer_scale(step, OP_mul, state->parameters, decay));
    Value v = optimizer_mix_square(step, optimizer_option(step, "alpha", 0.99), state->moments[0], g);
    Value move =
        build_binary(graph, OP_div, g, optimizer_scale(step, OP_add, optimizer_root(step, v), optimizer_option(step, "eps", 1e-8)));
    if (state->moments[1].id) {
        move = build_binary(graph, OP_add, optimizer_scale(step, OP_mul, state->moments[1], optimizer_option(step, "momentum", 0)), move);
        state->moments[1] = move;
    }
    state->moments[0] = v;
    state->parameters =
        build_binary(graph, OP_sub, state->parameters, optimizer_scale(step, OP_mul, move, optimizer_option(step, "lr", 0)));
}
