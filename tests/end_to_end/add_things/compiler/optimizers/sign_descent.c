// Sign descent (Bernstein et al. 2018, "signSGD"): p = p - lr sign(g).
#include "compiler/optimizers/rules.h"

void sign_descent_advance(const OptimizerStep *step, OptimizerState *state) {
    Value move = optimizer_scale(step, OP_mul, build_unary(step->graph, OP_sign, state->gradient), optimizer_option(step, "lr", 0));
    state->parameters = build_binary(step->graph, OP_sub, state->parameters, move);
}
