// Losses: means over all elements.
#include "compiler/layers/build.h"

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

static Value one_minus(Graph *graph, Value x) { return build_number(graph, OP_add, build_unary(graph, OP_neg, x), 1); }

// As PyTorch's: logarithms are no less than -100.
Value loss_bce(Graph *graph, Value p, Value target) {
    Value yes = build_number(graph, OP_maximum, build_unary(graph, OP_log, p), -100);
    Value no = build_number(graph, OP_maximum, build_unary(graph, OP_log, one_minus(graph, p)), -100);
    Value sum =
        build_binary(graph, OP_add, build_binary(graph, OP_mul, target, yes), build_binary(graph, OP_mul, one_minus(graph, target), no));
    return build_unary(graph, OP_neg, loss_mean(graph, sum, NULL, 0));
}

// softplus(x) - target x
Value loss_bce_logits(Graph *graph, Value x, Value target) {
    return loss_mean(graph, build_binary(graph, OP_sub, activation_softplus(graph, x), build_binary(graph, OP_mul, x, target)), NULL, 0);
}

Value loss_cross_entropy(Graph *graph, Value logits, Value labels) {
    if (!logits.id || !labels.id)
        return (Value){0};
    Type type = graph_type(graph, logits), kept = type;
    kept.dims[1] = 1;
    Value classes = build_iota(graph, &type, 1), zero = build_full(graph, &type, 0);
    Value is_label = build_binary(graph, OP_eq, classes, build_reshape(graph, labels, kept.rank, kept.dims));
    Value picked = build_reduce(graph, OP_reduce_sum, build_select(graph, is_label, logits, zero), (int64_t[]){1}, 1);
    Value all = build_reduce(graph, OP_logsumexp, logits, (int64_t[]){1}, 1);
    return loss_mean(graph, build_binary(graph, OP_sub, all, picked), NULL, 0);
}

Value loss_kl(Graph *graph, Value mean, Value log_variance) {
    Value sum = build_binary(graph, OP_sub, build_number(graph, OP_add, log_variance, 1), build_binary(graph, OP_mul, mean, mean));
    sum = build_binary(graph, OP_sub, sum, build_unary(graph, OP_exp, log_variance));
    return build_number(graph, OP_mul, loss_mean(graph, sum, NULL, 0), -0.5);
}
