// Stochastic gradient descent, as torch.optim.SGD: m = momentum m + g; p = p - lr m (Nesterov: p - lr (g + momentum m)).
#include "compiler/optimizers/rules.h"

void sgd_advance(const OptimizerStep *step, OptimizerState *state) {
    Graph *graph = step->graph;
    OptimizerOption momentum = optimizer_option(step, "momentum", 0), decay = optimizer_option(step, "weight_decay", 0);
    Value move = state->gradient;
    if (!optimizer_is_zero(decay))
        move = build_binary(graph, OP_add, move, optimizer_scale(step, OP_mul, state->parameters, decay));
    if (state->moments[0].id) {
        Value m = build_binary(graph, OP_add, optimizer_scale(step, OP_mul, state->moments[0], momentum), move);
        bool is_nesterov = optimizer_option(step, "nesterov", 0).number != 0;
        move = is_nesterov ? build_binary(graph, OP_add, move, optimizer_scale(step, OP_mul, m, momentum)) : m;
        state->moments[0] = m;
    }
    state->parameters =
        build_binary(graph, OP_sub, state->parameters, optimizer_scale(step, OP_mul, move, optimizer_option(step, "lr", 0)));
}
