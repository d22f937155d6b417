// Normalisations. A large tensor is touched by few simple passes: its moments are taken over the spatial axes alone (for each record and
// channel), everything between is of size [n, c], and the result is (x - mean) * scale + shift with these spread over the pixels.
// Statistics of a group or batch come from those of its parts (Chan, Golub, LeVeque 1983): its variance is the mean of their variances and the
// variance of their means. No cancellation, and no sum that leaves the range of f32 where the variance does not.
#include "compiler/layers/layers.h"

typedef struct {
    Value mean, variance;
    double count; // elements that each pair speaks of
} Moments;

static Moments take_moments(Graph *graph, Value x, const int64_t *axes, uint32_t axis_count) {
    Type type = graph_type(graph, x);
    Moments result = {.count = 1};
    if (!axis_count) {
        result.mean = x;
        result.variance = build_full(graph, &type, 0);
        return result;
    }
    for (uint32_t i = 0; i < axis_count; i++)
        result.count *= type.dims[axes[i]];
    Value both = build_reduce(graph, OP_moments, x, axes, axis_count);
    Type packed = graph_type(graph, both);
    result.mean = build_reshape(graph, build_slice(graph, both, 0, 0, 1, 1), packed.rank - 1u, packed.dims + 1);
    result.variance = build_reshape(graph, build_slice(graph, both, 0, 1, 2, 1), packed.rank - 1u, packed.dims + 1);
    return result;
}

// The mean along an axis, of numbers whose sum may leave the range of f32.
static Value mean_along(Graph *graph, Value x, uint32_t axis) {
    Value shares = build_number(graph, OP_mul, x, 1.0 / graph_type(graph, x).dims[axis]);
    return build_reduce(graph, OP_reduce_sum, shares, (int64_t[]){axis}, 1);
}

// The moments of what the given axis of parts holds together; the axis is dropped.
static Moments combine(Graph *graph, Moments parts, uint32_t axis) {
    int64_t axes[] = {axis};
    Moments between = take_moments(graph, parts.mean, axes, 1);
    if (parts.count > 1)
        between.variance = build_binary(graph, OP_add, mean_along(graph, parts.variance, axis), between.variance);
    between.count *= parts.count;
    return between;
}

static Value inverse_deviation(Graph *graph, Value variance, double eps) {
    Value root = build_unary(graph, OP_sqrt, build_number(graph, OP_add, variance, eps));
    Type type = graph_type(graph, root);
    return build_binary(graph, OP_div, build_full(graph, &type, 1), root);
}

// [n, c] (or [c]) spread over x.
static Value spread(Graph *graph, Value value, const Type *x) {
    Type type = graph_type(graph, value);
    uint32_t dims[MAX_RANK];
    for (uint32_t i = 0; i < x->rank; i++)
        dims[i] = 1;
    if (type.rank == 2) {
        dims[0] = type.dims[0];
        dims[1] = type.dims[1];
    } else {
        dims[1] = type.dims[0];
    }
    return build_broadcast(graph, build_reshape(graph, value, x->rank, dims), x);
}

// (x - mean) * (rstd * scale) + shift; mean and rstd [n, c] or [c]; scale and shift [c] or {0}.
static Value apply(Graph *graph, Value x, Value mean, Value rstd, Value scale, Value shift) {
    Type type = graph_type(graph, x), small = graph_type(graph, mean);
    Value factor = scale.id ? build_binary(graph, OP_mul, rstd, scale) : rstd;
    Value y = build_binary(graph, OP_mul, build_binary(graph, OP_sub, x, spread(graph, mean, &type)), spread(graph, factor, &type));
    return shift.id ? build_binary(graph, OP_add, y, spread(graph, build_broadcast(graph, shift, &small), &type)) : y;
}

static bool scale_and_shift(Layer *layer, bool affine, uint32_t rank, const uint32_t *dims, Value *scale, Value *shift) {
    *scale = *shift = (Value){0};
    if (layer_bool(layer, "affine", affine)) {
        *scale = layer_parameter(layer, "scale", &layer->init, PART_SCALE, init_ones, rank, dims);
        *shift = layer_parameter(layer, "shift", &layer->init, PART_SHIFT, init_zeros, rank, dims);
    }
    return !layer->failed;
}

static bool channels_expected(Layer *layer, Value x, uint32_t rank) {
    Type type = graph_type(layer->graph, x);
    if (type.rank < rank) {
        layer_error(layer, "[n, c%s expected, not %s", rank > 2 ? ", …]" : "] or [n, c, …]", type_text(layer->arena, &type));
        return false;
    }
    return float_expected(layer, x);
}

// Over the axes after the second.
static Moments spatial_moments(Graph *graph, Value x) {
    uint32_t rank = graph_type(graph, x).rank, count = 0;
    int64_t axes[MAX_RANK];
    for (uint32_t i = 2; i < rank; i++)
        axes[count++] = i;
    return take_moments(graph, x, axes, count);
}

static Value group_norm(Layer *layer, Value x, uint32_t groups, double eps, Value scale, Value shift) {
    Graph *graph = layer->graph;
    Type type = graph_type(graph, x);
    uint32_t n = type.dims[0], c = type.dims[1];
    Moments moments = spatial_moments(graph, x);
    if (groups == c)
        return apply(graph, x, moments.mean, inverse_deviation(graph, moments.variance, eps), scale, shift);
    uint32_t split[] = {n, groups, c / groups}, kept[] = {n, groups, 1}, whole[] = {n, c};
    moments.mean = build_reshape(graph, moments.mean, 3, split);
    moments.variance = build_reshape(graph, moments.variance, 3, split);
    moments = combine(graph, moments, 2);
    Value values[] = {moments.mean, inverse_deviation(graph, moments.variance, eps)};
    for (uint32_t i = 0; i < 2; i++) {
        values[i] = build_broadcast_dims(graph, build_reshape(graph, values[i], 3, kept), 3, split);
        values[i] = build_reshape(graph, values[i], 2, whole);
    }
    return apply(graph, x, values[0], values[1], scale, shift);
}

Value layer_group_norm(Layer *layer, Value x) {
    double eps = layer_number(layer, "eps", 1e-5);
    uint32_t groups = (uint32_t)layer_int(layer, "groups", 1, 1);
    if (layer->failed || !channels_expected(layer, x, 2))
        return (Value){0};
    Type type = graph_type(layer->graph, x);
    Value scale, shift;
    if (type.dims[1] % groups)
        return layer_error(layer, "%u channels do not divide into %u groups", type.dims[1], groups);
    return scale_and_shift(layer, true, 1, &type.dims[1], &scale, &shift) ? group_norm(layer, x, groups, eps, scale, shift) : (Value){0};
}

Value layer_instance_norm(Layer *layer, Value x) {
    double eps = layer_number(layer, "eps", 1e-5);
    if (layer->failed || !channels_expected(layer, x, 3))
        return (Value){0};
    Type type = graph_type(layer->graph, x);
    Value scale, shift;
    if (layer->training && type_count(&type) == (uint64_t)type.dims[0] * type.dims[1])
        return layer_error(layer, "in training more than one value per record and channel is needed, not %s", type_text(layer->arena, &type));
    return scale_and_shift(layer, false, 1, &type.dims[1], &scale, &shift) ? group_norm(layer, x, type.dims[1], eps, scale, shift)
                                                                           : (Value){0};
}

// old + momentum (new - old), without gradient
static void update_running(Layer *layer, const char *name, Value old, Value new, double momentum) {
    Graph *graph = layer->graph;
    Value detached = graph_add(graph, OP_detach, &new, 1, NULL, 0);
    Value kept = build_number(graph, OP_mul, old, 1 - momentum), added = build_number(graph, OP_mul, detached, momentum);
    layer_store(layer, name, build_binary(graph, OP_add, kept, added));
}

Value layer_batch_norm(Layer *layer, Value x) {
    Graph *graph = layer->graph;
    double eps = layer_number(layer, "eps", 1e-5), momentum = layer_number(layer, "momentum", 0.1);
    if (layer->failed || !channels_expected(layer, x, 2))
        return (Value){0};
    Type type = graph_type(graph, x);
    Value scale, shift;
    if (!scale_and_shift(layer, true, 1, &type.dims[1], &scale, &shift))
        return (Value){0};
    Value old_mean = layer_state(layer, "mean", 0, 1, &type.dims[1]), old_variance = layer_state(layer, "variance", 1, 1, &type.dims[1]);
    if (layer->failed)
        return (Value){0};
    if (!layer->training)
        return apply(graph, x, old_mean, inverse_deviation(graph, old_variance, eps), scale, shift);
    Moments moments = type.rank == 2 ? take_moments(graph, x, (int64_t[]){0}, 1) : combine(graph, spatial_moments(graph, x), 0);
    if (moments.count < 2)
        return layer_error(layer, "in training more than one value per channel is needed, not %s", type_text(layer->arena, &type));
    update_running(layer, "mean", old_mean, moments.mean, momentum);
    update_running(layer, "variance", old_variance, build_number(graph, OP_mul, moments.variance, moments.count / (moments.count - 1)), momentum);
    Value mean = moments.mean, rstd = inverse_deviation(graph, moments.variance, eps);
    if (type.rank > 2) { // by record too, so that the sums of the gradients run over pixels first
        mean = build_broadcast_dims(graph, mean, 2, type.dims);
        rstd = build_broadcast_dims(graph, rstd, 2, type.dims);
    }
    return apply(graph, x, mean, rstd, scale, shift);
}

// Root mean square layer normalisation (Zhang and Sennrich 2019); eps is PyTorch's, what 1 is rounded by.
Value layer_rms_norm(Layer *layer, Value x) {
    Graph *graph = layer->graph;
    Type type = graph_type(graph, x), kept = type, spread_over = type;
    int64_t axes[MAX_RANK];
    uint32_t dims[MAX_RANK];
    double eps = layer_number(layer, "eps", 0x1p-23);
    uint32_t count = layer_axes(layer, "axes", type.rank, -1, axes);
    if (layer->failed || !float_expected(layer, x))
        return (Value){0};
    if (count == 0)
        return layer_error(layer, "\"axes\": axes of %s expected", type_text(layer->arena, &type));
    for (uint32_t i = 0; i < type.rank; i++)
        spread_over.dims[i] = 1;
    for (uint32_t i = 0; i < count; i++) {
        kept.dims[axes[i]] = 1;
        dims[i] = spread_over.dims[axes[i]] = type.dims[axes[i]];
    }
    Value scale = {0};
    if (layer_bool(layer, "affine", true))
        scale = layer_parameter(layer, "scale", &layer->init, PART_SCALE, init_ones, count, dims);
    if (layer->failed)
        return (Value){0};
    Value mean = loss_mean(graph, build_binary(graph, OP_mul, x, x), axes, count);
    Value y = build_binary(graph, OP_mul, x, build_reshape(graph, inverse_deviation(graph, mean, eps), kept.rank, kept.dims));
    return scale.id ? build_binary(graph, OP_mul, y, build_reshape(graph, scale, type.rank, spread_over.dims)) : y;
}

Value layer_layer_norm(Layer *layer, Value x) {
    Graph *graph = layer->graph;
    Type type = graph_type(graph, x), kept = type;
    int64_t axes[MAX_RANK];
    double eps = layer_number(layer, "eps", 1e-5);
    uint32_t count = layer_axes(layer, "axes", type.rank, -1, axes);
    if (layer->failed || !float_expected(layer, x))
        return (Value){0};
    if (count == 0 || axes[0] + count != type.rank)
        return layer_error(layer, "\"axes\": the last axes of %s expected", type_text(layer->arena, &type));
    Value scale, shift;
    if (!scale_and_shift(layer, true, count, type.dims + axes[0], &scale, &shift))
        return (Value){0};
    Moments moments;
    if (type.rank == 4 && axes[0] < 2) {
        moments = combine(graph, spatial_moments(graph, x), 1);
        if (axes[0] == 0)
            moments = combine(graph, moments, 0);
    } else {
        moments = take_moments(graph, x, axes, count);
    }
    for (uint32_t i = 0; i < count; i++)
        kept.dims[axes[i]] = 1;
    Value mean = build_reshape(graph, moments.mean, kept.rank, kept.dims);
    Value rstd = build_reshape(graph, inverse_deviation(graph, moments.variance, eps), kept.rank, kept.dims);
    Value y = build_binary(graph, OP_mul, build_binary(graph, OP_sub, x, mean), rstd);
    y = scale.id ? build_binary(graph, OP_mul, y, scale) : y;
    return shift.id ? build_binary(graph, OP_add, y, shift) : y;
}
