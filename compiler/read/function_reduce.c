// Functions that sum or scan: reductions, softmax, products, losses, sequences.
#include "compiler/layers/build.h"
#include "compiler/read/function_impl.h"
#include <math.h>

Datum function_reduce(Reader *reader, const char *name, const Datum *args) {
    Graph *graph = reader->stage->graph;
    bool is_norm = !strcmp(name, "norm"), is_mean = !strcmp(name, "mean"), is_sum = !strcmp(name, "sum");
    if (is_static_number(args[0]))
        return is_norm ? datum_number(fabs(datum_double(args[0]))) : args[0];
    bool takes_integers = is_sum || !strcmp(name, "amax") || !strcmp(name, "amin");
    Value x = args[0].kind == DATUM_LIST && !takes_integers ? argument_float(reader, name, args[0]) : argument_tensor(reader, name, args[0]);
    if (!x.id)
        return datum_error();
    Type type = graph_type(graph, x);
    int64_t axes[MAX_RANK];
    uint32_t count;
    bool is_integer = type.dtype == DTYPE_I32 || type.dtype == DTYPE_U32;
    if (type.dtype != DTYPE_F32 && !(is_integer && takes_integers))
        return reader_error(reader, "%s of %s: convert it with f32(…)", name, type_text(reader->arena, &type));
    if (!argument_axes(reader, name, args[1], type.rank, axes, &count))
        return datum_error();
    if (is_mean)
        return datum_tensor(loss_mean(graph, x, axes, count));
    if (is_norm)
        return datum_tensor(build_root(graph, build_reduce(graph, OP_reduce_sum, build_binary(graph, OP_mul, x, x), axes, count)));
    if (is_sum)
        return datum_tensor(build_reduce(graph, OP_reduce_sum, x, axes, count));
    if (!strcmp(name, "logsumexp"))
        return datum_tensor(build_reduce(graph, OP_logsumexp, x, axes, count));
    if (!strcmp(name, "amax"))
        return datum_tensor(build_reduce(graph, OP_reduce_max, x, axes, count));
    return datum_tensor(build_unary(graph, OP_neg, build_reduce(graph, OP_reduce_max, build_unary(graph, OP_neg, x), axes, count)));
}

Datum function_normalize(Reader *reader, const char *name, const Datum *args) {
    Graph *graph = reader->stage->graph;
    Value x = argument_float(reader, name, args[0]);
    if (!x.id)
        return datum_error();
    Type kept = graph_type(graph, x);
    if (kept.rank == 0)
        return reader_error(reader, "%s: a scalar has no last axis", name);
    int64_t axis = kept.rank - 1;
    kept.dims[axis] = 1;
    Value size = build_root(graph, build_reduce(graph, OP_reduce_sum, build_binary(graph, OP_mul, x, x), &axis, 1));
    size = build_number(graph, OP_maximum, size, 1e-12);
    return datum_tensor(build_binary(graph, OP_div, x, build_reshape(graph, size, kept.rank, kept.dims)));
}

Datum function_along_axis(Reader *reader, const char *name, const Datum *args) {
    Graph *graph = reader->stage->graph;
    Value x = argument_float(reader, name, args[0]);
    uint32_t axis;
    if (!x.id || !argument_axis(reader, name, args[1], graph_type(graph, x).rank, &axis))
        return datum_error();
    if (!strcmp(name, "argmax"))
        return datum_tensor(build_reduce(graph, OP_argmax, x, (int64_t[]){axis}, 1));
    return datum_tensor(!strcmp(name, "softmax") ? build_softmax(graph, x, axis) : activation_log_softmax(graph, x, axis));
}

// The variance of moments, which is stable, is over the count.
Datum function_spread(Reader *reader, const char *name, const Datum *args) {
    Graph *graph = reader->stage->graph;
    Value x = argument_float(reader, name, args[0]);
    int64_t axes[MAX_RANK];
    uint32_t count;
    if (!x.id)
        return datum_error();
    Type type = graph_type(graph, x);
    if (args[2].kind != DATUM_NONE && !is_static_number(args[2]))
        return reader_error(reader, "%s: \"unbiased\" is true or false, known when compiling, not %s", name, datum_word(reader, args[2]));
    if (!argument_axes(reader, name, args[1], type.rank, axes, &count))
        return datum_error();
    if (count == 0)
        return reader_error(reader, "%s of a scalar: several numbers expected", name);
    bool is_unbiased = args[2].kind == DATUM_NONE || datum_double(args[2]) != 0;
    double folded = 1;
    for (uint32_t i = 0; i < count; i++)
        folded *= type.dims[axes[i]];
    if (is_unbiased && folded == 1)
        return reader_error(reader, "%s over one element of %s: it has no unbiased variance; with \"unbiased\" false it is 0", name, type_text(reader->arena, &type));
    Value both = build_reduce(graph, OP_moments, x, axes, count);
    Type packed = graph_type(graph, both);
    Value variance = build_reshape(graph, build_slice(graph, both, 0, 1, 2, 1), packed.rank - 1u, packed.dims + 1);
    if (is_unbiased)
        variance = build_number(graph, OP_mul, variance, folded / (folded - 1));
    return datum_tensor(strcmp(name, "std") ? variance : build_root(graph, variance));
}

// Products of halves: their gradients are products of the other factors, where one is 0, too. What is left of odd counts comes last.
static Value multiply(Graph *graph, Value x, uint32_t axis) {
    Value rest = {0};
    for (uint32_t count = graph_type(graph, x).dims[axis]; count > 1; count /= 2) {
        if (count % 2) {
            Value last = build_slice(graph, x, axis, count - 1, count, 1);
            rest = rest.id ? build_binary(graph, OP_mul, rest, last) : last;
        }
        x = build_binary(graph, OP_mul, build_slice(graph, x, axis, 0, count / 2, 1), build_slice(graph, x, axis, count / 2, count / 2 * 2, 1));
    }
    return rest.id ? build_binary(graph, OP_mul, x, rest) : x;
}

Datum function_product_over(Reader *reader, const char *name, const Datum *args) {
    Graph *graph = reader->stage->graph;
    if (is_static_number(args[0]))
        return args[0];
    Value x = argument_tensor(reader, name, args[0]);
    int64_t axes[MAX_RANK];
    uint32_t count, rank = 0, dims[MAX_RANK];
    if (!x.id)
        return datum_error();
    Type type = graph_type(graph, x);
    if (type.dtype == DTYPE_BOOL || type.dtype == DTYPE_U8)
        return reader_error(reader, "%s of %s: convert it with f32(…) or i32(…)", name, type_text(reader->arena, &type));
    if (!argument_axes(reader, name, args[1], type.rank, axes, &count))
        return datum_error();
    for (uint32_t i = 0, next = 0; i < type.rank; i++) {
        bool is_folded = next < count && axes[next] == i;
        next += is_folded;
        if (is_folded)
            x = multiply(graph, x, i);
        else
            dims[rank++] = type.dims[i];
    }
    return datum_tensor(build_reshape(graph, x, rank, dims));
}

// x[i] becomes x[0] ∘ … ∘ x[i], in log2(count) steps: x[i] ∘ x[i - d] for d = 1, 2, 4 …
Datum function_scan(Reader *reader, const char *name, const Datum *args) {
    Graph *graph = reader->stage->graph;
    Value x = argument_tensor(reader, name, args[0]);
    if (!x.id)
        return datum_error();
    Type type = graph_type(graph, x);
    if (type.rank == 0 || type.dtype == DTYPE_BOOL || type.dtype == DTYPE_U8)
        return reader_error(reader, "%s of %s: numbers along an axis expected", name, type_text(reader->arena, &type));
    uint32_t axis = 0;
    if (args[1].kind != DATUM_NONE && !argument_axis(reader, name, args[1], type.rank, &axis))
        return datum_error();
    Op op = !strcmp(name, "cumsum") ? OP_add : OP_mul;
    for (int64_t distance = 1, count = type.dims[axis]; distance < count; distance *= 2) {
        Value head = build_slice(graph, x, axis, 0, distance, 1), tail = build_slice(graph, x, axis, distance, count, 1);
        Value before = build_slice(graph, x, axis, 0, count - distance, 1);
        x = build_concat(graph, (Value[]){head, build_binary(graph, op, before, tail)}, 2, axis);
    }
    return datum_tensor(x);
}

Datum function_attention(Reader *reader, const char *name, const Datum *args) {
    Value parts[3], mask = {0};
    for (uint32_t i = 0; i < 3; i++) {
        parts[i] = argument_float(reader, name, args[i]);
        if (!parts[i].id)
            return datum_error();
    }
    if (args[3].kind != DATUM_NONE) {
        mask = argument_tensor(reader, name, args[3]);
        if (!mask.id)
            return datum_error();
    }
    if (args[4].kind != DATUM_NONE && !is_static_number(args[4]))
        return reader_error(reader, "%s: \"causal\" is true or false, known when compiling, not %s", name, datum_word(reader, args[4]));
    bool is_causal = args[4].kind != DATUM_NONE && datum_double(args[4]) != 0;
    return datum_tensor(build_attention(reader->stage->graph, parts[0], parts[1], parts[2], mask, is_causal));
}

// As torch.matmul: vectors get an axis of 1 that the result loses; leading axes broadcast.
Datum function_product(Reader *reader, const char *name, const Datum *args) {
    Graph *graph = reader->stage->graph;
    Value a = argument_float(reader, name, args[0]), b = argument_float(reader, name, args[1]);
    if (!a.id || !b.id)
        return datum_error();
    Type s = graph_type(graph, a), t = graph_type(graph, b), first = s, second = t;
    if (s.rank == 0 || t.rank == 0)
        return reader_error(reader, "%s: %s and %s: matrices or vectors expected", name, type_text(reader->arena, &s),
                            type_text(reader->arena, &t));
    bool a_is_row = s.rank == 1, b_is_column = t.rank == 1;
    if (a_is_row)
        s = type_make(DTYPE_F32, 2, (uint32_t[]){1, s.dims[0]});
    if (b_is_column)
        t = type_make(DTYPE_F32, 2, (uint32_t[]){t.dims[0], 1});
    uint32_t m = s.dims[s.rank - 2], k = s.dims[s.rank - 1], n = t.dims[t.rank - 1], rank = s.rank > t.rank ? s.rank : t.rank,
             dims[MAX_RANK];
    bool fits = k == t.dims[t.rank - 2];
    for (uint32_t i = 0; i + 2 < rank; i++) {
        uint32_t x = i + s.rank >= rank ? s.dims[i + s.rank - rank] : 1, y = i + t.rank >= rank ? t.dims[i + t.rank - rank] : 1;
        fits = fits && (x == y || x == 1 || y == 1);
        dims[i] = x > y ? x : y;
    }
    if (!fits)
        return reader_error(reader, "%s: %s and %s do not fit", name, type_text(reader->arena, &first), type_text(reader->arena, &second));
    a = build_reshape(graph, a, s.rank, s.dims);
    b = build_reshape(graph, b, t.rank, t.dims);
    Value y;
    if (t.rank == 2 && s.rank > 2) { // one matrix for all
        uint32_t rows = (uint32_t)(type_count(&s) / k);
        y = build_matmul(graph, build_reshape(graph, a, 2, (uint32_t[]){rows, k}), b);
    } else {
        dims[rank - 2] = m;
        dims[rank - 1] = k;
        a = build_broadcast_dims(graph, a, rank, dims);
        dims[rank - 2] = k;
        dims[rank - 1] = n;
        y = build_matmul(graph, a, build_broadcast_dims(graph, b, rank, dims));
    }
    uint32_t out = rank - 2;
    if (!a_is_row)
        dims[out++] = m;
    if (!b_is_column)
        dims[out++] = n;
    return datum_tensor(build_reshape(graph, y, out, dims));
}

static Datum cross_entropy(Reader *reader, const char *name, const Datum *args) {
    Graph *graph = reader->stage->graph;
    Value logits = argument_float(reader, name, args[0]), labels = argument_tensor(reader, name, args[1]);
    if (!logits.id || !labels.id)
        return datum_error();
    Type type = graph_type(graph, logits), given = graph_type(graph, labels), wanted = {.dtype = DTYPE_I32};
    for (uint32_t i = 0; i < type.rank; i++)
        if (i != 1)
            wanted.dims[wanted.rank++] = type.dims[i];
    if (type.rank < 2 || !type_equal(&given, &wanted))
        return reader_error(reader, "%s: logits %s and labels %s; [n, classes, …] and i32[n, …] expected", name,
                            type_text(reader->arena, &type), type_text(reader->arena, &given));
    int64_t ignore;
    if (args[2].kind != DATUM_NONE && !datum_integer(reader, args[2], &ignore))
        return datum_error();
    return datum_tensor(loss_cross_entropy(graph, logits, labels, args[2].kind == DATUM_NONE ? NULL : &ignore));
}

static Datum huber(Reader *reader, const char *name, Value x, Value y, Datum given) {
    Datum delta = given.kind == DATUM_NONE ? datum_number(1) : given;
    if (!is_static_number(delta) || !(datum_double(delta) > 0))
        return reader_error(reader, "%s: \"delta\" is a number above 0, known when compiling, not %s", name, datum_word(reader, delta));
    return datum_tensor(loss_huber(reader->stage->graph, x, y, datum_double(delta)));
}

Datum function_loss(Reader *reader, const char *name, const Datum *args) {
    Graph *graph = reader->stage->graph;
    if (!strcmp(name, "cross_entropy"))
        return cross_entropy(reader, name, args);
    Value x = argument_float(reader, name, args[0]), y = {0};
    Datum target = is_static_number(args[1]) ? datum_number(datum_double(args[1])) : args[1];
    Value given = x.id ? argument_float(reader, name, args[1]) : x;
    if (!given.id)
        return datum_error();
    if (target.kind == DATUM_LIST)
        target = datum_tensor(given);
    Type type = graph_type(graph, x), other = target.kind == DATUM_TENSOR ? graph_type(graph, target.tensor) : type;
    if (other.rank && !type_same_shape(&type, &other))
        return reader_error(reader, "%s: %s and %s: equal shapes expected, or a scalar; broadcast one with broadcast(x, shape) if that is meant", name,
                            type_text(reader->arena, &type), type_text(reader->arena, &other));
    if (!arithmetic_pair(reader, name, datum_tensor(x), target, &x, &y))
        return datum_error();
    if (!strcmp(name, "mse"))
        return datum_tensor(loss_mse(graph, x, y));
    if (!strcmp(name, "huber"))
        return huber(reader, name, x, y, args[2]);
    if (!strcmp(name, "l1"))
        return datum_tensor(loss_l1(graph, x, y));
    if (!strcmp(name, "kl"))
        return datum_tensor(loss_kl(graph, x, y));
    return datum_tensor(!strcmp(name, "bce") ? loss_bce(graph, x, y) : loss_bce_logits(graph, x, y));
}

// ---- sequences

static Value ramp(Graph *graph, int64_t count) {
    Type type = type_make(DTYPE_I32, 1, (uint32_t[]){(uint32_t)count});
    return build_iota(graph, &type, 0);
}

// As torch.linspace: the second half counts back from the last number, so that both ends are exact.
static Datum linspace(Reader *reader, const char *name, const Datum *args) {
    Graph *graph = reader->stage->graph;
    int64_t count;
    if (!is_static_number(args[0]) || !is_static_number(args[1]))
        return reader_error(reader, "%s: numbers known when compiling expected", name);
    if (!argument_integer(reader, name, "count", args[2], 1, &count))
        return datum_error();
    double first = datum_double(args[0]), last = datum_double(args[1]), step = count > 1 ? (last - first) / (double)(count - 1) : 0;
    Value i = ramp(graph, count), back = build_number(graph, OP_add, build_unary(graph, OP_neg, i), (double)(count - 1));
    Value low = build_number(graph, OP_add, build_number(graph, OP_mul, build_cast(graph, i, DTYPE_F32), step), first);
    Value high = build_number(graph, OP_add,
                              build_unary(graph, OP_neg, build_number(graph, OP_mul, build_cast(graph, back, DTYPE_F32), step)), last);
    return datum_tensor(count == 1 ? low : build_select(graph, build_number(graph, OP_lt, i, (double)(count / 2)), low, high));
}

static Datum sinusoid(Reader *reader, const char *name, const Datum *args) {
    Graph *graph = reader->stage->graph;
    int64_t count, width;
    if (!argument_integer(reader, name, "count", args[0], 1, &count) || !argument_integer(reader, name, "width", args[1], 4, &width))
        return datum_error();
    uint32_t half = (uint32_t)(width / 2), rows = (uint32_t)count;
    Value frequency =
        build_unary(graph, OP_exp, build_number(graph, OP_mul, build_cast(graph, ramp(graph, half), DTYPE_F32), -log(10000) / (half - 1)));
    Value time = build_reshape(graph, build_cast(graph, ramp(graph, count), DTYPE_F32), 2, (uint32_t[]){rows, 1});
    Value angle = build_binary(graph, OP_mul, time, frequency);
    Value both = build_concat(graph, (Value[]){build_unary(graph, OP_sin, angle), build_unary(graph, OP_cos, angle)}, 2, 1);
    return datum_tensor(build_pad(graph, both, NULL, (int64_t[MAX_RANK]){0, width % 2}, NULL));
}

Datum function_sequence(Reader *reader, const char *name, const Datum *args) {
    int64_t count;
    if (!strcmp(name, "linspace"))
        return linspace(reader, name, args);
    if (!strcmp(name, "sinusoid"))
        return sinusoid(reader, name, args);
    return argument_integer(reader, name, "count", args[0], 1, &count) ? datum_tensor(ramp(reader->stage->graph, count)) : datum_error();
}
