// LAMB (You et al. 2020, arXiv:1904.00962, algorithm 2): Adam's step r, and weight decay with it, in the length of what it changes. For
// each parameter tensor by itself u = r + weight_decay p; p = p - lr u ‖p‖ / ‖u‖, where the ratio is 1 if one of the norms is 0.
#include "compiler/ir/module.h"
#include "compiler/optimizers/rules.h"

// As Adam's, with bias correction.
static Value direction(const OptimizerStep *step, OptimizerState *state) {
    Graph *graph = step->graph;
    OptimizerOption beta_1 = optimizer_option(step, "beta_1", 0.9), beta_2 = optimizer_option(step, "beta_2", 0.999);
    state->moments[0] = optimizer_mix(step, beta_1, state->moments[0], state->gradient);
    state->moments[1] = optimizer_mix_square(step, beta_2, state->moments[1], state->gradient);
    OptimizerOption correction_1 = optimizer_scalar(step->bias_correction(step->context, &beta_1, step->count));
    OptimizerOption correction_2 =
        optimizer_scalar(build_unary(graph, OP_sqrt, step->bias_correction(step->context, &beta_2, step->count)));
    Value below = optimizer_scale(step, OP_add, optimizer_scale(step, OP_div, optimizer_root(step, state->moments[1]), correction_2),
                                  optimizer_option(step, "eps", 1e-6));
    return build_binary(graph, OP_div, optimizer_scale(step, OP_div, state->moments[0], correction_1), below);
}

static Value norm_of(Graph *graph, Value x) {
    return build_root(graph, build_reduce(graph, OP_reduce_sum, build_binary(graph, OP_mul, x, x), NULL, 0));
}

void lamb_advance(const OptimizerStep *step, OptimizerState *state) {
    Graph *graph = step->graph;
    OptimizerOption rate = optimizer_option(step, "lr", 0), decay = optimizer_option(step, "weight_decay", 0);
    Value p = state->parameters, u = direction(step, state);
    if (!optimizer_is_zero(decay))
        u = build_binary(graph, OP_add, u, optimizer_scale(step, OP_mul, p, decay));
    uint32_t set = graph_type(graph, p).set, count = graph->module->sets.items[set - 1].parts.count;
    Value *parts = ARENA_NEW(graph->arena, Value, count), one = build_constant(graph, DTYPE_F32, 1);
    for (uint32_t i = 0; i < count; i++) {
        Value own = build_unpack(graph, p, i), move = build_unpack(graph, u, i), size = norm_of(graph, own), length = norm_of(graph, move);
        Value is_some = build_binary(graph, OP_logical_and, build_number(graph, OP_gt, size, 0), build_number(graph, OP_gt, length, 0));
        Value ratio = build_binary(graph, OP_div, size,
                                   build_select(graph, is_some, length, one)); // no 0 / 0 where it is not taken: its gradient is NaN
        OptimizerOption scale = optimizer_times(step, OP_mul, rate, optimizer_scalar(build_select(graph, is_some, ratio, one)));
        parts[i] = build_binary(graph, OP_sub, own, optimizer_scale(step, OP_mul, move, scale));
    }
    state->parameters = build_pack(graph, set, parts, count);
}
