// Lion (Chen et al. 2023, arXiv:2302.06675, algorithm 2): the sign of a mix of moment and gradient is the step, of the same length for each
// number; p = p - lr (sign(beta_1 m + (1 - beta_1) g) + weight_decay p); m = beta_2 m + (1 - beta_2) g.
#include "compiler/optimizers/rules.h"

void lion_advance(const OptimizerStep *step, OptimizerState *state) {
    Graph *graph = step->graph;
    OptimizerOption rate = optimizer_option(step, "lr", 0), decay = optimizer_option(step, "weight_decay", 0);
    Value p = state->parameters, g = state->gradient;
    Value mix = optimizer_mix(step, optimizer_option(step, "beta_1", 0.9), state->moments[0], g);
    Value move = optimizer_scale(step, OP_mul, build_unary(graph, OP_sign, mix), rate);
    if (!optimizer_is_zero(decay))
        p = optimizer_scale(step, OP_mul, p, optimizer_one_minus(step, optimizer_times(step, OP_mul, rate, decay)));
    state->parameters = build_binary(graph, OP_sub, p, move);
    state->moments[0] = optimizer_mix(step, optimizer_option(step, "beta_2", 0.99), state->moments[0], g);
}
