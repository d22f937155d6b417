// Activations. Where a function has a kink, its gradient there is PyTorch's: relu'(0) = 0, leaky_relu'(0) = slope, softplus'(0) = 1/2.
#include "compiler/layers/build.h"
#include "compiler/ops/softmax.h"
#include <math.h>

static Value zeros(Graph *graph, Value x) {
    Type type = graph_type(graph, x);
    return build_full(graph, &type, 0);
}

static Value is_positive(Graph *graph, Value x) { return build_number(graph, OP_gt, x, 0); }

// NaN stays NaN.
Value activation_relu(Graph *graph, Value x) { return x.id ? build_select(graph, build_number(graph, OP_le, x, 0), zeros(graph, x), x) : x; }

Value activation_leaky_relu(Graph *graph, Value x, double slope) {
    return x.id ? build_select(graph, is_positive(graph, x), x, build_number(graph, OP_mul, x, slope)) : x;
}

// The exponent is cut at 0: where x is large, exp(x) is not taken, and its gradient is no inf * 0.
Value activation_elu(Graph *graph, Value x, double alpha) {
    if (!x.id)
        return x;
    Value positive = is_positive(graph, x), below = build_select(graph, positive, zeros(graph, x), x);
    return build_select(graph, positive, x, build_number(graph, OP_mul, build_unary(graph, OP_expm1, below), alpha));
}

Value activation_sigmoid(Graph *graph, Value x) { return build_unary(graph, OP_sigmoid, x); }

Value activation_silu(Graph *graph, Value x) { return build_binary(graph, OP_mul, x, activation_sigmoid(graph, x)); }

Value activation_gelu(Graph *graph, Value x) {
    Value error = build_unary(graph, OP_erf, build_number(graph, OP_mul, x, M_SQRT1_2));
    return build_binary(graph, OP_mul, build_number(graph, OP_mul, x, 0.5), build_number(graph, OP_add, error, 1));
}

Value activation_mish(Graph *graph, Value x) { return build_binary(graph, OP_mul, x, build_unary(graph, OP_tanh, activation_softplus(graph, x))); }

Value activation_softplus(Graph *graph, Value x) { return build_unary(graph, OP_softplus, x); }

// Not x - logsumexp: that is rounded to the size of x.
Value activation_log_softmax(Graph *graph, Value x, uint32_t axis) {
    Value shifted = softmax_shifted(graph, x, axis);
    return build_binary(graph, OP_sub, shifted, build_unary(graph, OP_log, softmax_sum_of_exp(graph, shifted, axis)));
}
