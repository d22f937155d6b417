// Losses: means over all elements.
#include "compiler/layers/build.h"
#include "compiler/ops/softmax.h"
#include <math.h>

Value loss_mean(Graph *graph, Value x, const int64_t *axes, uint32_t axis_count) {
    Value sum = build_reduce(graph, OP_reduce_sum, x, axes, axis_count);
    if (!sum.id)
        return sum;
    Type whole = graph_type(graph, x), rest = graph_type(graph, sum);
    return build_number(graph, OP_mul, sum, 1 / (double)(type_count(&whole) / type_count(&rest)));
}

Value loss_mse(Graph *graph, Value a, Value b) {
    Value difference = build_binary(graph, OP_sub, a, b);
    return loss_mean(graph, build_binary(graph, OP_mul, difference, difference), NULL, 0);
}

Value loss_l1(Graph *graph, Value a, Value b) {
    return loss_mean(graph, build_unary(graph, OP_abs, build_binary(graph, OP_sub, a, b)), NULL, 0);
}

// What is squared is cut to what is small: elsewhere no square may overflow, and its gradient be no inf * 0.
Value loss_huber(Graph *graph, Value a, Value b, double delta) {
    Value difference = build_binary(graph, OP_sub, a, b), size = build_unary(graph, OP_abs, difference), is_small = build_number(graph, OP_lt, size, delta);
    if (!is_small.id)
        return is_small;
    Value small = build_select(graph, is_small, difference, build_constant(graph, DTYPE_F32, 0));
    Value square = build_number(graph, OP_mul, build_binary(graph, OP_mul, small, small), 0.5);
    Value line = build_number(graph, OP_mul, build_number(graph, OP_sub, size, delta / 2), delta);
    return loss_mean(graph, build_select(graph, is_small, square, line), NULL, 0);
}

static Value one_minus(Graph *graph, Value x) { return build_number(graph, OP_add, build_unary(graph, OP_neg, x), 1); }

Value loss_bce(Graph *graph, Value p, Value target) { return loss_mean(graph, build_binary(graph, OP_bce, p, target), NULL, 0); }

// (1 - target) x + softplus(-x)
Value loss_bce_logits(Graph *graph, Value x, Value target) {
    double number;
    Value opposite = activation_softplus(graph, build_unary(graph, OP_neg, x));
    if (!target.id || !is_constant(graph, target, &number) || (number != 0 && number != 1))
        return loss_mean(graph, build_binary(graph, OP_add, build_binary(graph, OP_mul, one_minus(graph, target), x), opposite), NULL, 0);
    return loss_mean(graph, number == 1 ? opposite : activation_softplus(graph, x), NULL, 0);
}

Value loss_cross_entropy(Graph *graph, Value logits, Value labels, const int64_t *ignore) {
    if (!logits.id || !labels.id)
        return (Value){0};
    Type type = graph_type(graph, logits), kept = type;
    kept.dims[1] = 1;
    Value shifted = softmax_shifted(graph, logits, 1), classes = build_iota(graph, &type, 1), zero = build_full(graph, &type, 0);
    Value is_label = build_binary(graph, OP_eq, classes, build_reshape(graph, labels, kept.rank, kept.dims));
    Value picked = build_reduce(graph, OP_reduce_sum, build_select(graph, is_label, shifted, zero), (int64_t[]){1}, 1);
    Value all = build_unary(graph, OP_log, build_reduce(graph, OP_reduce_sum, build_unary(graph, OP_exp, shifted), (int64_t[]){1}, 1));
    Value loss = build_binary(graph, OP_sub, all, picked);
    Value is_class = build_binary(graph, OP_logical_and, build_number(graph, OP_ge, labels, 0), build_number(graph, OP_lt, labels, type.dims[1]));
    loss = build_select(graph, is_class, loss, build_constant(graph, DTYPE_F32, NAN));
    if (!ignore)
        return loss_mean(graph, loss, NULL, 0);
    Value is_counted = build_number(graph, OP_ne, labels, (double)*ignore);
    loss = build_reduce(graph, OP_reduce_sum, build_select(graph, is_counted, loss, build_constant(graph, DTYPE_F32, 0)), NULL, 0);
    return build_binary(graph, OP_div, loss, build_reduce(graph, OP_reduce_sum, build_cast(graph, is_counted, DTYPE_F32), NULL, 0));
}

Value loss_kl(Graph *graph, Value mean, Value log_variance) {
    Value sum = build_binary(graph, OP_sub, build_number(graph, OP_add, log_variance, 1), build_binary(graph, OP_mul, mean, mean));
    sum = build_binary(graph, OP_sub, sum, build_unary(graph, OP_exp, log_variance));
    return build_number(graph, OP_mul, loss_mean(graph, sum, NULL, 0), -0.5);
}
