// Arithmetic: signs between numbers known when compiling (as Python's), tensors (as PyTorch's) and parameter sets.
#include "compiler/ir/op.h"
#include "compiler/read/reader.h"
#include <math.h>

// ---- numbers

static int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b != 0 && (a < 0) != (b < 0)); }

static Datum integer_power(Reader *reader, int64_t base, int64_t exponent) {
    int64_t result = 1;
    if (exponent < 0)
        return base ? datum_number(pow((double)base, (double)exponent)) : reader_error(reader, "0 to a negative power");
    if (base == 0 || base == 1)
        return datum_int(exponent == 0 ? 1 : base);
    if (base == -1)
        return datum_int(exponent % 2 ? -1 : 1);
    for (int64_t i = 0; i < exponent; i++)
        if (__builtin_mul_overflow(result, base, &result))
            return reader_error(reader, "%lld^%lld is beyond an integer's %lld", (long long)base, (long long)exponent, (long long)INT64_MAX);
    return datum_int(result);
}

static Datum integers(Reader *reader, Sign sign, int64_t a, int64_t b) {
    int64_t result = 0;
    bool overflows = false;
    switch (sign) {
    case SIGN_ADD:
        overflows = __builtin_add_overflow(a, b, &result);
        break;
    case SIGN_SUB:
        overflows = __builtin_sub_overflow(a, b, &result);
        break;
    case SIGN_MUL:
        overflows = __builtin_mul_overflow(a, b, &result);
        break;
    case SIGN_FLOOR_DIV:
    case SIGN_MOD:
        if (b == 0)
            return reader_error(reader, "division by zero");
        if (b == -1) // the smallest integer has no negative
            overflows = __builtin_sub_overflow(0, sign == SIGN_MOD ? 0 : a, &result);
        else
            result = sign == SIGN_FLOOR_DIV ? floor_div(a, b) : a - floor_div(a, b) * b;
        break;
    case SIGN_POW:
        return integer_power(reader, a, b);
    default:
        break;
    }
    return overflows ? reader_error(reader, "%lld %s %lld is beyond an integer's %lld", (long long)a, sign_text(sign), (long long)b,
                                    (long long)INT64_MAX)
                     : datum_int(result);
}

static bool compare(Sign sign, double a, double b) {
    switch (sign) {
    case SIGN_EQUAL:
        return a == b;
    case SIGN_NOT_EQUAL:
        return a != b;
    case SIGN_LESS:
        return a < b;
    case SIGN_LESS_EQUAL:
        return a <= b;
    case SIGN_GREATER:
        return a > b;
    default:
        return a >= b;
    }
}

static Datum numbers(Reader *reader, Sign sign, Datum a, Datum b) {
    double x = datum_double(a), y = datum_double(b);
    switch (sign) {
    case SIGN_AND:
        return x != 0 ? b : a;
    case SIGN_OR:
        return x != 0 ? a : b;
    case SIGN_EQUAL:
    case SIGN_NOT_EQUAL:
    case SIGN_LESS:
    case SIGN_LESS_EQUAL:
    case SIGN_GREATER:
    case SIGN_GREATER_EQUAL:
        return datum_bool(compare(sign, x, y));
    default:
        break;
    }
    if (sign != SIGN_DIV && a.kind != DATUM_NUMBER && b.kind != DATUM_NUMBER)
        return integers(reader, sign, a.integer, b.integer);
    switch (sign) {
    case SIGN_ADD:
        return datum_number(x + y);
    case SIGN_SUB:
        return datum_number(x - y);
    case SIGN_MUL:
        return datum_number(x * y);
    case SIGN_DIV:
    case SIGN_FLOOR_DIV:
    case SIGN_MOD:
        if (y == 0)
            return reader_error(reader, "division by zero");
        return datum_number(sign == SIGN_DIV ? x / y : sign == SIGN_FLOOR_DIV ? floor(x / y) : x - floor(x / y) * y);
    default:
        if (isnan(pow(x, y)) && !isnan(x) && !isnan(y))
            return reader_error(reader, "%g to the power %g is no real number", x, y);
        return datum_number(pow(x, y));
    }
}

// ---- tensors

Value arithmetic_tensor(Reader *reader, Datum x, const Type *like) {
    if (x.kind == DATUM_TENSOR)
        return x.tensor;
    if (x.kind == DATUM_LIST)
        return literal_tensor(reader, x.list, like);
    if (!is_static_number(x))
        return (Value){0};
    DType dtype = x.kind == DATUM_BOOL ? DTYPE_BOOL : x.kind == DATUM_INT ? DTYPE_I32 : DTYPE_F32;
    if (like && ((like->dtype == DTYPE_F32 && x.kind != DATUM_BOOL) || x.kind == DATUM_INT))
        dtype = like->dtype;
    if (dtype == DTYPE_I32 && (x.integer < INT32_MIN || x.integer > INT32_MAX)) {
        reader_error(reader, "%lld does not fit an i32, which holds -2,147,483,648 to 2,147,483,647", (long long)x.integer);
        return (Value){0};
    }
    double number = datum_double(x);
    if (dtype == DTYPE_F32 && (isinf((float)number) || (float)number == 0))
        number = (float)number; // what it is on a device
    return build_constant(reader->stage->graph, dtype, number);
}

bool arithmetic_broadcast(Reader *reader, const char *what, Value *values, uint32_t count) {
    Graph *graph = reader->stage->graph;
    Type common = type_scalar(DTYPE_F32);
    for (uint32_t i = 0; i < count; i++) {
        if (!values[i].id)
            return false;
        Type type = graph_type(graph, values[i]), wide = type.rank > common.rank ? type : common,
             narrow = type.rank > common.rank ? common : type;
        for (uint32_t k = 0; k < narrow.rank; k++) {
            uint32_t at = wide.rank - narrow.rank + k, size = narrow.dims[k];
            if (size != 1 && wide.dims[at] != 1 && size != wide.dims[at]) {
                Type first = graph_type(graph, values[0]);
                bool is_along = first.rank != type.rank && narrow.rank >= 1 && wide.dims[0] == narrow.dims[0];
                reader_error(reader, "%s: %s and %s do not broadcast%s", what, type_text(reader->arena, i > 1 ? &common : &first),
                             type_text(reader->arena, &type), is_along ? "; did you mean along(…)?" : "");
                return false;
            }
            if (wide.dims[at] == 1)
                wide.dims[at] = size;
        }
        common = wide;
    }
    for (uint32_t i = 0; i < count; i++)
        values[i] = build_broadcast(graph, values[i], &common);
    return true;
}

// A list beside another number or tensor becomes a tensor: f32 beside what is, or has a fraction.
static Datum listed(Reader *reader, Datum x, Datum other, bool is_float) {
    if (x.kind != DATUM_LIST)
        return x;
    Type like = {.dtype = DTYPE_F32};
    if (other.kind == DATUM_TENSOR && !is_float)
        like = graph_type(reader->stage->graph, other.tensor);
    return datum_tensor(literal_tensor(reader, x.list, other.kind == DATUM_TENSOR || is_float || !literal_is_whole(other) ? &like : NULL));
}

bool arithmetic_pair(Reader *reader, const char *what, Datum a, Datum b, Value *x, Value *y) {
    Graph *graph = reader->stage->graph;
    Datum first = a;
    a = listed(reader, a, b, false);
    b = listed(reader, b, first, false);
    Type like = a.kind == DATUM_TENSOR   ? graph_type(graph, a.tensor)
                : b.kind == DATUM_TENSOR ? graph_type(graph, b.tensor)
                                         : (Type){.dtype = DTYPE_F32};
    Datum both[] = {a, b};
    Value values[2];
    for (uint32_t i = 0; i < 2; i++) {
        if (both[i].kind == DATUM_ERROR)
            return false;
        values[i] = arithmetic_tensor(reader, both[i], &like);
        if (!values[i].id && both[i].kind != DATUM_TENSOR && !is_static_number(both[i]))
            reader_error(reader, "%s: a number or tensor expected, not %s", what, datum_word(reader, both[i]));
        if (!values[i].id)
            return false;
    }
    Type s = graph_type(graph, values[0]), t = graph_type(graph, values[1]);
    if (s.dtype != t.dtype) {
        reader_error(reader, "%s: %s and %s do not mix; convert one with f32(…) or i32(…)", what, type_text(reader->arena, &s),
                     type_text(reader->arena, &t));
        return false;
    }
    if (!arithmetic_broadcast(reader, what, values, 2))
        return false;
    *x = values[0];
    *y = values[1];
    return true;
}

// x^n for small whole n without pow, whose gradient would take a logarithm; {0}: not one of these
static Value whole_power(Graph *graph, Value x, double exponent) {
    Type type = graph_type(graph, x);
    if (exponent == 0)
        return build_full(graph, &type, 1);
    if (exponent == 0.5 && type.dtype == DTYPE_F32)
        return build_unary(graph, OP_sqrt, x);
    if (exponent == -0.5 && type.dtype == DTYPE_F32)
        return build_binary(graph, OP_div, build_full(graph, &type, 1), build_unary(graph, OP_sqrt, x));
    if (exponent == -1 && type.dtype == DTYPE_F32)
        return build_binary(graph, OP_div, build_full(graph, &type, 1), x);
    if (exponent != floor(exponent) || exponent < 0 || exponent > 8)
        return (Value){0};
    Value result = {0};
    for (uint32_t left = (uint32_t)exponent; left; left >>= 1) {
        if (left & 1)
            result = result.id ? build_binary(graph, OP_mul, result, x) : x;
        x = left > 1 ? build_binary(graph, OP_mul, x, x) : x;
    }
    return result;
}

static Op op_of(Sign sign) {
    Op op = OP_NONE;
    op_of_operator(sign_text(sign), 2, &op);
    return op;
}

// A fractional number, or /, turns an integer tensor into f32.
static Datum as_float(Reader *reader, Datum x) {
    if (x.kind == DATUM_TENSOR && graph_type(reader->stage->graph, x.tensor).dtype != DTYPE_F32)
        return datum_tensor(build_cast(reader->stage->graph, x.tensor, DTYPE_F32));
    return x;
}

static Datum logical(Reader *reader, Sign sign, Datum a, Datum b) {
    Graph *graph = reader->stage->graph;
    Value x = arithmetic_tensor(reader, a, NULL), y = arithmetic_tensor(reader, b, NULL), values[2];
    if (!x.id || !y.id)
        return reader_error(reader, "a number or tensor expected beside \"%s\"", sign_text(sign));
    values[0] = build_cast(graph, x, DTYPE_BOOL);
    values[1] = build_cast(graph, y, DTYPE_BOOL);
    if (!arithmetic_broadcast(reader, sign_text(sign), values, 2))
        return datum_error();
    return datum_tensor(build_binary(graph, op_of(sign), values[0], values[1]));
}

static Datum power(Reader *reader, Datum a, Datum b) {
    Graph *graph = reader->stage->graph;
    if (b.kind != DATUM_TENSOR) {
        Value whole = whole_power(graph, a.tensor, datum_double(b));
        if (whole.id)
            return datum_tensor(whole);
    }
    Type type = graph_type(graph, a.kind == DATUM_TENSOR ? a.tensor : b.tensor);
    Value x, y;
    if (!arithmetic_pair(reader, "^", as_float(reader, a), as_float(reader, b), &x, &y))
        return datum_error();
    Value result = build_binary(graph, OP_pow, x, y);
    bool is_whole = type.dtype != DTYPE_F32 && a.kind != DATUM_NUMBER && b.kind != DATUM_NUMBER;
    return datum_tensor(is_whole ? build_cast(graph, result, type.dtype) : result);
}

static Datum tensors(Reader *reader, Sign sign, Datum a, Datum b) {
    Graph *graph = reader->stage->graph;
    Datum both[] = {a, b};
    if (sign == SIGN_AND || sign == SIGN_OR)
        return logical(reader, sign, a, b);
    for (uint32_t i = 0; i < 2; i++) {
        if (both[i].kind != DATUM_TENSOR && !is_static_number(both[i]))
            return reader_error(reader, "a number or tensor expected beside \"%s\", not %s", sign_text(sign), datum_word(reader, both[i]));
        if (both[i].kind == DATUM_TENSOR && graph_type(graph, both[i].tensor).dtype == DTYPE_BOOL && sign != SIGN_EQUAL &&
            sign != SIGN_NOT_EQUAL)
            return reader_error(reader, "bool beside \"%s\": convert it with f32(…) or i32(…)", sign_text(sign));
        if (both[i].kind == DATUM_BOOL && graph_type(graph, both[!i].tensor).dtype != DTYPE_BOOL)
            both[i] = datum_int(both[i].integer);
    }
    if (both[0].kind == DATUM_TENSOR && both[1].kind == DATUM_TENSOR) {
        Type s = graph_type(graph, a.tensor), t = graph_type(graph, b.tensor);
        if (s.dtype != t.dtype)
            return reader_error(reader, "%s %s %s: convert one with f32(…) or i32(…)", type_text(reader->arena, &s), sign_text(sign),
                                type_text(reader->arena, &t));
    }
    if (sign == SIGN_POW)
        return power(reader, both[0], both[1]);
    if (sign == SIGN_DIV || both[0].kind == DATUM_NUMBER || both[1].kind == DATUM_NUMBER)
        for (uint32_t i = 0; i < 2; i++)
            both[i] = as_float(reader, both[i]);
    Value x, y;
    if (!arithmetic_pair(reader, sign_text(sign), both[0], both[1], &x, &y))
        return datum_error();
    return datum_tensor(build_binary(graph, op_of(sign), x, y));
}

Datum arithmetic_binary(Reader *reader, Sign sign, Datum a, Datum b) {
    if (a.kind == DATUM_ERROR || b.kind == DATUM_ERROR)
        return datum_error();
    if (a.kind == DATUM_SET || b.kind == DATUM_SET)
        return set_binary(reader, sign, a, b);
    if (is_static_number(a) && is_static_number(b))
        return numbers(reader, sign, a, b);
    bool is_known[] = {a.kind == DATUM_TENSOR || a.kind == DATUM_LIST || is_static_number(a), b.kind == DATUM_TENSOR || b.kind == DATUM_LIST || is_static_number(b)};
    if (is_known[0] && is_known[1] && (a.kind == DATUM_LIST || b.kind == DATUM_LIST)) {
        Datum lists[] = {a, b};
        a = listed(reader, a, b, sign == SIGN_DIV);
        b = listed(reader, b, lists[0], sign == SIGN_DIV);
        if (a.kind == DATUM_ERROR || b.kind == DATUM_ERROR)
            return datum_error();
        if (!literal_is_whole(lists[0]) || !literal_is_whole(lists[1])) { // as a fractional number does
            a = as_float(reader, a);
            b = as_float(reader, b);
        }
    }
    if (a.kind == DATUM_TENSOR || b.kind == DATUM_TENSOR)
        return tensors(reader, sign, a, b);
    return reader_error(reader, "a number or tensor expected beside \"%s\", not %s", sign_text(sign),
                        datum_word(reader, is_static_number(a) ? b : a));
}

Datum arithmetic_unary(Reader *reader, Sign sign, Datum x) {
    if (x.kind == DATUM_ERROR)
        return x;
    if (x.kind == DATUM_SET && sign == SIGN_SUB)
        return set_map(reader, "-", &x, 1);
    if (x.kind == DATUM_LIST)
        x = datum_tensor(literal_tensor(reader, x.list, NULL));
    if (x.kind == DATUM_ERROR)
        return x;
    if (x.kind == DATUM_TENSOR) {
        Type type = graph_type(reader->stage->graph, x.tensor);
        if (sign == SIGN_NOT)
            return datum_tensor(build_unary(reader->stage->graph, OP_logical_not, build_cast(reader->stage->graph, x.tensor, DTYPE_BOOL)));
        if (type.dtype == DTYPE_BOOL || type.dtype == DTYPE_U8)
            return reader_error(reader, "-%s: convert it with f32(…) or i32(…)", type_text(reader->arena, &type));
        return datum_tensor(build_unary(reader->stage->graph, OP_neg, x.tensor));
    }
    if (!is_static_number(x))
        return reader_error(reader, "a number or tensor expected after \"%s\", not %s", sign_text(sign == SIGN_SUB ? SIGN_SUB : sign),
                            datum_word(reader, x));
    if (sign == SIGN_NOT)
        return datum_bool(datum_double(x) == 0);
    return x.kind == DATUM_NUMBER ? datum_number(-x.number) : integers(reader, SIGN_SUB, 0, x.integer);
}
