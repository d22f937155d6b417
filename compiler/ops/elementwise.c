// Elementwise ops: expands elementwise.def.
//
// How the GLSL is meant: $x, $y, $z are registers or literals of the operand's GLSL type, a scalar or (unless glsl_scalar) a vec4, ivec4,
// uvec4 or bvec4; the expression has the result's type. A bool is a bool or bvec4 in registers and a uint of 0 or 1 in memory: loads and
// stores convert, never the expressions. A helper is a file of shaders/ with functions called map_…, overloaded by dtype; for scalars, unless the
// expression is valid for vec4. What GLSL leaves undefined (NaN, infinities, zeros, what does not fit) the helpers define as the reference does.
#include "compiler/ops/ops.h"
#include <math.h>

enum {
    FLOAT = 1 << DTYPE_F32,
    SIGNED = FLOAT | 1 << DTYPE_I32,
    NUMBER = SIGNED | 1 << DTYPE_U32,
    BOOLEAN = 1 << DTYPE_BOOL,
    ANY = NUMBER | BOOLEAN,
    STORED = ANY | 1 << DTYPE_U8,
    CHOICE = ANY
};

// ---- reference

static double floor_mod(double x, double y) {
    double rest = fmod(x, y);
    return rest != 0 && (rest < 0) != (y < 0) ? rest + y : rest;
}

// floor(x / y) as Python has it: of the exact quotient, not of the rounded one.
static double floor_div(double x, double y) {
    if (y == 0)
        return x / y;
    double rest = floor_mod(x, y), quotient = (x - rest) / y;
    return isinf(y) && isfinite(x) ? (rest == x ? copysign(0, x / y) : -1) : quotient == 0 ? copysign(0, x / y) : nearbyint(quotient);
}

static double bce(double p, double target) {
    double yes = log(p), no = log1p(-p);
    return -(target * (yes < -100 ? -100 : yes) + (1 - target) * (no < -100 ? -100 : no));
}

// Integers multiply modulo 2^32, which a double cannot hold on the way.
static double product(double x, double y, DType dtype) {
    return dtype == DTYPE_F32 ? x * y : (double)(int32_t)(uint32_t)((uint64_t)(int64_t)x * (uint64_t)(int64_t)y);
}

static double saturate(double x, double low, double high) {
    if (isnan(x))
        return 0;
    return trunc(x < low ? low : x > high ? high : x);
}

// The bits of a positive float are in its order already; both zeros are 0.
static double order_key(double x) {
    float size = (float)fabs(x);
    int32_t bits;
    memcpy(&bits, &size, sizeof bits);
    return isnan(x) ? INT32_MAX : x < 0 ? -(double)bits : (double)bits;
}

// Integers wrap around as on the device; what is no number (a division by 0) becomes 0.
static void narrow(Tensor *out) {
    uint64_t count = type_count(&out->type);
    if (out->type.dtype != DTYPE_I32 && out->type.dtype != DTYPE_U32)
        return;
    for (uint64_t i = 0; i < count; i++) {
        double wrapped = isfinite(out->data[i]) ? fmod(out->data[i], 4294967296.0) : 0;
        if (wrapped < 0)
            wrapped += 4294967296.0;
        if (out->type.dtype == DTYPE_I32 && wrapped >= 2147483648.0)
            wrapped -= 4294967296.0;
        out->data[i] = wrapped;
    }
}

#define REFERENCE(name, expression)                                                                                                        \
    static void reference_##name(const Graph *graph, const Node *node, const Tensor *const *args, Tensor *out) {                           \
        (void)graph;                                                                                                                       \
        const double *xs = args[0]->data, *ys = args[node->arg_count > 1 ? 1 : 0]->data, *zs = args[node->arg_count > 2 ? 2 : 0]->data;    \
        uint64_t count = type_count(&out->type);                                                                                           \
        for (uint64_t i = 0; i < count; i++) {                                                                                             \
            double x = xs[i], y = ys[i], z = zs[i];                                                                                        \
            (void)x, (void)y, (void)z;                                                                                                     \
            out->data[i] = (double)(expression);                                                                                           \
        }                                                                                                                                  \
        narrow(out);                                                                                                                       \
    }

// ---- gradients

#define U(op, a) build_unary(graph, OP_##op, a)
#define B(op, a, b) build_binary(graph, OP_##op, a, b)
#define N(op, a, number) build_number(graph, OP_##op, a, number)
#define S(condition, a, b) build_select(graph, condition, a, b)
#define C(number) build_constant(graph, DTYPE_F32, number)
#define _ ((Value){0}) // no gradient: flat everywhere, or no f32

// y x^(y - 1), right also for negative x; 0 where y is 0 (and not 0 times infinity).
static Value pow_gradient_x(Graph *graph, Value grad, Value x, Value y) {
    double exponent;
    if (is_constant(graph, y, &exponent)) {
        Value power = exponent == 1.5 ? U(sqrt, x) : B(pow, x, B(sub, y, C(1)));
        return exponent == 0 ? _ : B(mul, grad, N(mul, power, exponent));
    }
    Value slope = B(mul, y, B(pow, x, B(sub, y, C(1))));
    return B(mul, grad, S(B(eq, y, C(0)), C(0), slope));
}

// x^y log x; 0 where both are 0 or x is and y is positive; NaN where x is negative, as PyTorch has it.
static Value pow_gradient_y(Graph *graph, Value grad, Value out, Value x, Value y) {
    Value is_flat = B(logical_and, B(eq, x, C(0)), B(ge, y, C(0)));
    return B(mul, grad, B(mul, out, U(log, S(is_flat, C(1), x))));
}

// The gradient goes to the one that was taken, and in halves to equals; where one is NaN, to both.
static Value share(Graph *graph, Value grad, Value x, Value y, Value is_not_taken) {
    return S(is_not_taken, C(0), S(B(eq, x, y), N(mul, grad, 0.5), grad));
}

// The second derivative of bce as PyTorch has it: (x^2 - 2 x y + y) / ((x + eps) (1 - x + eps))^2. In f32, 1 - x is 0 or much larger than eps; a sum
// would be one that drivers regroup.
static Value bce_curvature(Graph *graph, Value grad, Value x, Value y) {
    const double eps = 1e-12;
    Value above = B(add, B(sub, B(mul, x, x), N(mul, B(mul, x, y), 2)), y);
    Value below = B(mul, N(add, x, eps), N(maximum, B(sub, C(1), x), eps));
    return B(mul, grad, B(div, above, B(mul, below, below)));
}

static void keep_float(const Graph *graph, const Node *node, Value *grads) {
    for (uint32_t i = 0; i < node->arg_count; i++)
        if (graph_type(graph, node->args[i]).dtype != DTYPE_F32)
            grads[i] = _;
}

#define VJP(name, gradient_x, gradient_y, gradient_z)                                                                                      \
    static void vjp_##name(Graph *graph, Value out, Value grad, Value *grads) {                                                            \
        Node node = *graph_node(graph, out);                                                                                               \
        Value x = node.args[0], y = node.args[node.arg_count > 1 ? 1 : 0], z = node.args[node.arg_count > 2 ? 2 : 0];                      \
        (void)x, (void)y, (void)z, (void)grad;                                                                                             \
        Value all[] = {gradient_x, gradient_y, gradient_z};                                                                                \
        for (uint32_t i = 0; i < node.arg_count; i++)                                                                                      \
            grads[i] = all[i];                                                                                                             \
        keep_float(graph, &node, grads);                                                                                                   \
    }

// ---- infer

static const char *operand_words(uint32_t operands) {
    switch (operands) {
    case FLOAT:
        return "f32";
    case SIGNED:
        return "f32 or i32";
    case NUMBER:
        return "f32, i32 or u32";
    case BOOLEAN:
        return "bool";
    case ANY:
        return "f32, i32, u32 or bool";
    default:
        return "a tensor";
    }
}

static DType result_dtype(MapResult result, DType operand) {
    switch (result) {
    case RESULT_SAME:
        return operand;
    case RESULT_F32:
        return DTYPE_F32;
    case RESULT_I32:
        return DTYPE_I32;
    case RESULT_U32:
        return DTYPE_U32;
    case RESULT_BOOL:
        return DTYPE_BOOL;
    }
    return operand;
}

static bool infer_map(Graph *graph, const Node *node, Type *out) {
    const OpDef *def = op_def(node->op);
    uint32_t first = def->has_condition;
    Type type = arg_type(graph, node, first);
    if (first == 1 && arg_type(graph, node, 0).dtype != DTYPE_BOOL)
        return graph_error(graph, node, "the condition must be bool, got %s", shown(graph, node->args[0]));
    if (!(def->operands >> type.dtype & 1))
        return graph_error(graph, node, "takes %s, got %s", operand_words(def->operands), shown(graph, node->args[first]));
    for (uint32_t i = 0; i < node->arg_count; i++) {
        Type other = arg_type(graph, node, i);
        if (!type_same_shape(&other, &type) || (i > first && other.dtype != type.dtype))
            return graph_error(graph, node, "%s and %s differ", shown(graph, node->args[i < first ? i : first]),
                               shown(graph, node->args[i < first ? first : i]));
    }
    *out = type_with_dtype(type, result_dtype(def->result, type.dtype));
    return true;
}

// ---- examples: a tensor, a scalar and axes of 1; then the other dtypes

#define CASE1(dtype, rank, dims, low, high, avoid)                                                                                         \
    { .args = {{dtype, rank, 0, dims}}, .arg_count = 1, .attrs = {{0}}, low, high, avoid }
#define CASE2(dtype, rank, dims, low, high, avoid)                                                                                         \
    { .args = {{dtype, rank, 0, dims}, {dtype, rank, 0, dims}}, .arg_count = 2, .attrs = {{0}}, low, high, avoid }
#define CASE3(dtype, rank, dims, low, high, avoid)                                                                                         \
    {                                                                                                                                      \
        .args = {{dtype, rank, 0, dims}, {dtype, rank, 0, dims}, {dtype, rank, 0, dims}}, .arg_count = 3, .attrs = {{0}}, low, high, avoid \
    }
#define CASE_CHOICE(dtype, rank, dims, low, high, avoid)                                                                                   \
    {                                                                                                                                      \
        .args = {{DTYPE_BOOL, rank, 0, dims}, {dtype, rank, 0, dims}, {dtype, rank, 0, dims}}, .arg_count = 3, .attrs = {{0}}, low, high,  \
        avoid                                                                                                                              \
    }
#define DIMS(...)                                                                                                                          \
    { __VA_ARGS__ }
#define CASES_FLOAT(CASE, low, high, avoid)                                                                                                \
    CASE(DTYPE_F32, 3, DIMS(2, 3, 5), low, high, avoid), CASE(DTYPE_F32, 0, DIMS(0), low, high, avoid),                                    \
        CASE(DTYPE_F32, 4, DIMS(1, 4, 1, 2), low, high, avoid)
#define CASES_SIGNED(CASE, low, high, avoid) CASES_FLOAT(CASE, low, high, avoid), CASE(DTYPE_I32, 2, DIMS(3, 4), 10 * (low), 10 * (high), 1)
#define CASES_NUMBER(CASE, low, high, avoid) CASES_SIGNED(CASE, low, high, avoid), CASE(DTYPE_U32, 1, DIMS(7), 0, 10 * (high), 1)
#define CASES_BOOLEAN(CASE, low, high, avoid) CASE(DTYPE_BOOL, 2, DIMS(3, 4), low, high, avoid)
#define CASES_ANY(CASE, low, high, avoid) CASES_NUMBER(CASE, low, high, avoid), CASES_BOOLEAN(CASE, 0, 1, 0)
#define CASES_STORED(CASE, low, high, avoid) CASES_ANY(CASE, low, high, avoid), CASE(DTYPE_U8, 1, DIMS(9), 0, 255, 0)
#define CASES_CHOICE(CASE, low, high, avoid) CASES_ANY(CASE_CHOICE, low, high, avoid)
#define COUNT_FLOAT 3
#define COUNT_SIGNED 4
#define COUNT_NUMBER 5
#define COUNT_BOOLEAN 1
#define COUNT_ANY 6
#define COUNT_STORED 7
#define COUNT_CHOICE 6
#define CONDITION_FLOAT false
#define CONDITION_SIGNED false
#define CONDITION_NUMBER false
#define CONDITION_BOOLEAN false
#define CONDITION_ANY false
#define CONDITION_STORED false
#define CONDITION_CHOICE true
#define OPEN(...) __VA_ARGS__
#define EXPAND(macro, ...) macro(__VA_ARGS__)

// ---- the ops

#define COMMUTES true
#define ORDERED false
#define SCALAR(...) __VA_ARGS__, .glsl_scalar = true
#define FOLDS(text) text, .glsl_folds = true
#define IS_FLAT(text) (sizeof(text) == sizeof("_"))
#define DEFINE(name_, arity, kind, word_, order, operands_, result_, summary_, helper, cost_, padding_, vjp_, range, ...)                 \
    const OpDef op_##name_ = {.name = #name_,                                                                                              \
                              .summary = summary_,                                                                                         \
                              .op_class = CLASS_MAP,                                                                                       \
                              .arg_count = arity,                                                                                          \
                              .infer = infer_map,                                                                                          \
                              .vjp = vjp_,                                                                                                 \
                              .reference = reference_##name_,                                                                              \
                              .glsl_helper = helper,                                                                                       \
                              .cost = cost_,                                                                                               \
                              .word_kind = WORD_##kind,                                                                                    \
                              .word = word_,                                                                                               \
                              .commutes = order,                                                                                           \
                              .operands = operands_,                                                                                       \
                              .has_condition = CONDITION_##operands_,                                                                      \
                              .result = RESULT_##result_,                                                                                  \
                              .padding = MAP_##padding_,                                                                                   \
                              .example_count = COUNT_##operands_,                                                                          \
                              .examples = {EXPAND(CASES_##operands_, CASE##arity, OPEN range)},                                            \
                              .glsl = __VA_ARGS__};
#define MAP1(name, kind, word, operands, result, summary, reference, glsl, helper, cost, padding, gx, examples)                            \
    REFERENCE(name, reference)                                                                                                             \
    VJP(name, gx, _, _)                                                                                                                    \
    DEFINE(name, 1, kind, word, ORDERED, operands, result, summary, helper, cost, padding, IS_FLAT(#gx) ? NULL : vjp_##name, examples, glsl)
#define MAP2(name, kind, word, order, operands, result, summary, reference, glsl, helper, cost, padding, gx, gy, examples)                 \
    REFERENCE(name, reference)                                                                                                             \
    VJP(name, gx, gy, _)                                                                                                                   \
    DEFINE(name, 2, kind, word, order, operands, result, summary, helper, cost, padding, IS_FLAT(#gx) && IS_FLAT(#gy) ? NULL : vjp_##name, \
           examples, glsl)
#define MAP3(name, kind, word, operands, result, summary, reference, glsl, helper, cost, padding, gx, gy, gz, examples)                    \
    REFERENCE(name, reference)                                                                                                             \
    VJP(name, gx, gy, gz)                                                                                                                  \
    DEFINE(name, 3, kind, word, ORDERED, operands, result, summary, helper, cost, padding,                                                 \
           IS_FLAT(#gx) && IS_FLAT(#gy) && IS_FLAT(#gz) ? NULL : vjp_##name, examples, glsl)
#include "compiler/ir/elementwise.def"
