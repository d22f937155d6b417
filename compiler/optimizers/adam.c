// Adam (Kingma and Ba 2015, arXiv:1412.6980) and AdamW (Loshchilov and Hutter 2019, arXiv:1711.05101).
#include "compiler/optimizers/rules.h"

static void advance(const OptimizerStep *step, OptimizerState *state, bool is_decoupled) {
    Graph *graph = step->graph;
    OptimizerOption rate = optimizer_option(step, "lr", 0), decay = optimizer_option(step, "weight_decay", is_decoupled ? 0.01 : 0);
    OptimizerOption beta_1 = optimizer_option(step, "beta_1", 0.9), beta_2 = optimizer_option(step, "beta_2", 0.999);
    Value p = state->parameters, g = state->gradient;
    if (!optimizer_is_zero(decay)) {
        if (is_decoupled)
            p = optimizer_scale(step, OP_mul, p, optimizer_one_minus(step, optimizer_times(step, OP_mul, rate, decay)));
        else
            g = build_binary(graph, OP_add, g, optimizer_scale(step, OP_mul, p, decay));
    }
    Value m = optimizer_mix(step, beta_1, state->moments[0], g);
    Value v = optimizer_mix_square(step, beta_2, state->moments[1], g);
    OptimizerOption correction_1 = optimizer_scalar(step->bias_correction(step->context, &beta_1, step->count));
    OptimizerOption correction_2 =
        optimizer_scalar(build_unary(graph, OP_sqrt, step->bias_correction(step->context, &beta_2, step->count)));
    Value below = optimizer_scale(step, OP_add, optimizer_scale(step, OP_div, optimizer_root(step, v), correction_2),
                                  optimizer_option(step, "eps", 1e-8));
    Value above = optimizer_scale(step, OP_mul, m, optimizer_times(step, OP_div, rate, correction_1));
    state->parameters = build_binary(graph, OP_sub, p, build_binary(graph, OP_div, above, below));
    state->moments[0] = m;
    state->moments[1] = v;
}

void adam_advance(const OptimizerStep *step, OptimizerState *state) { advance(step, state, false); }

void adamw_advance(const OptimizerStep *step, OptimizerState *state) { advance(step, state, true); }
