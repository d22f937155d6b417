// Elementwise ops: expands elementwise.def.
//
// How the GLSL is meant: $x, $y, $z are registers or literals of the operand's GLSL type, a scalar or (unless glsl_scalar) a vec4, ivec4,
// uvec4 or bvec4; the expression has the result's type. A bool is a bool or bvec4 in registers and a uint of 0 or 1 in memory: loads and
// stores convert, never the expressions. A helper is written for scalars and defines functions called map_…, overloaded by dtype.
#include "compiler/ops/ops.h"
#include <math.h>

// Accurate near 0 (a continued fraction) and without overflow.
#define GLSL_TANH                                                                                                                          \
    "float map_tanh(float x) {\n"                                                                                                          \
    "    float s = x * x;\n"                                                                                                               \
    "    if (abs(x) < 0.5)\n"                                                                                                              \
    "        return x * (945.0 + s * (105.0 + s)) / (945.0 + s * (420.0 + 15.0 * s));\n"                                                   \
    "    return sign(x) * (1.0 - 2.0 / (exp(2.0 * abs(x)) + 1.0));\n"                                                                      \
    "}\n"
// Vulkan promises sine and cosine to 2^-11 only. Quarter turns come off in three exact pieces (Cody and Waite), good to |x| of some 10^4;
// then Cephes' sinf and cosf polynomials.
#define GLSL_TURN                                                                                                                          \
    "float map_turn(float x, int shift) {\n"                                                                                               \
    "    if (abs(x) > 16384.0)\n"                                                                                                          \
    "        return shift == 0 ? sin(x) : cos(x);\n"                                                                                       \
    "    float turns = floor(x * 0.63661977 + 0.5);\n"                                                                                     \
    "    float r = ((x - turns * 1.5703125) - turns * 4.8375129699707031e-4) - turns * 7.54978995489188e-8;\n"                             \
    "    float z = r * r;\n"                                                                                                               \
    "    float sine = ((-1.9515295891e-4 * z + 8.3321608736e-3) * z - 1.6666654611e-1) * z * r + r;\n"                                     \
    "    float cosine = ((2.443315711809948e-5 * z - 1.388731625493765e-3) * z + 4.166664568298827e-2) * z * z - 0.5 * z + 1.0;\n"         \
    "    int quarter = (int(turns) + shift) & 3;\n"                                                                                        \
    "    float turned = (quarter & 1) == 0 ? sine : cosine;\n"                                                                             \
    "    return quarter > 1 ? -turned : turned;\n"                                                                                         \
    "}\n"
// Polynomials fitted to erf(x) / x over x^2 (relative error 1.4e-9) and to erfc(x) e^(x^2) over 1 / (1 + x / 2) (2.3e-9).
#define GLSL_ERF                                                                                                                           \
    "float map_erf(float x) {\n"                                                                                                           \
    "    float s = x * x;\n"                                                                                                               \
    "    if (s < 1.0)\n"                                                                                                                   \
    "        return x * (1.128379166 + s * (-0.3761262690 + s * (0.1128359746 + s * (-0.02685432879\n"                                     \
    "            + s * (0.005189311939 + s * (-8.018854957e-4 + s * 7.882496988e-5))))));\n"                                               \
    "    float a = min(abs(x), 4.0), t = 1.0 / (1.0 + 0.5 * a);\n"                                                                         \
    "    float tail = -1.524780513e-4 + t * (0.2848873639 + t * (0.2598478003 + t * (0.3472332015\n"                                       \
    "        + t * (-0.1023907405 + t * (0.5616955840 + t * (-0.4700750161 + t * 0.1190052480))))));\n"                                    \
    "    return sign(x) * (1.0 - tail * exp(-a * a));\n"                                                                                   \
    "}\n"
// 2 artanh(x / (2 + x)) near 0.
#define GLSL_LOG1P                                                                                                                         \
    "float map_log1p(float x) {\n"                                                                                                         \
    "    if (x < -0.5 || x > 1.0)\n"                                                                                                       \
    "        return log(1.0 + x);\n"                                                                                                       \
    "    float t = x / (2.0 + x), s = t * t;\n"                                                                                            \
    "    return 2.0 * t * (1.0 + s * (1.0 / 3.0 + s * (0.2 + s * (1.0 / 7.0 + s * (1.0 / 9.0\n"                                            \
    "        + s * (1.0 / 11.0 + s * (1.0 / 13.0 + s / 15.0)))))));\n"                                                                     \
    "}\n"
// Taylor's series near 0.
#define GLSL_EXPM1                                                                                                                         \
    "float map_expm1(float x) {\n"                                                                                                         \
    "    if (abs(x) > 0.5)\n"                                                                                                              \
    "        return exp(x) - 1.0;\n"                                                                                                       \
    "    return x + x * x * (0.5 + x * (1.0 / 6.0 + x * (1.0 / 24.0 + x * (1.0 / 120.0\n"                                                  \
    "        + x * (1.0 / 720.0 + x * (1.0 / 5040.0 + x / 40320.0))))));\n"                                                                \
    "}\n"
// GLSL's pow is undefined for negative x, and for 0 to a power that is not positive.
#define GLSL_POW                                                                                                                           \
    "float map_pow(float x, float y) {\n"                                                                                                  \
    "    if (y == 0.0)\n"                                                                                                                  \
    "        return 1.0;\n"                                                                                                                \
    "    if (x == 0.0)\n"                                                                                                                  \
    "        return y > 0.0 ? 0.0 : uintBitsToFloat(0x7f800000u);\n"                                                                       \
    "    float power = pow(abs(x), y);\n"                                                                                                  \
    "    if (x > 0.0)\n"                                                                                                                   \
    "        return power;\n"                                                                                                              \
    "    if (floor(y) != y)\n"                                                                                                             \
    "        return uintBitsToFloat(0x7fc00000u);\n"                                                                                       \
    "    return fract(0.5 * y) != 0.0 ? -power : power;\n"                                                                                 \
    "}\n"
// Integers by magnitude: GLSL says nothing about negative operands of / and %.
#define GLSL_FLOOR_DIV                                                                                                                     \
    "float map_floor_div(float x, float y) { return floor(x / y); }\n"                                                                     \
    "uint map_floor_div(uint x, uint y) { return y == 0u ? 0u : x / y; }\n"                                                                \
    "int map_floor_div(int x, int y) {\n"                                                                                                  \
    "    uint a = uint(abs(x)), b = uint(abs(y));\n"                                                                                       \
    "    if (b == 0u)\n"                                                                                                                   \
    "        return 0;\n"                                                                                                                  \
    "    uint quotient = a / b;\n"                                                                                                         \
    "    if ((x < 0) == (y < 0))\n"                                                                                                        \
    "        return int(quotient);\n"                                                                                                      \
    "    return -int(quotient + (quotient * b != a ? 1u : 0u));\n"                                                                         \
    "}\n"
#define GLSL_FLOOR_MOD                                                                                                                     \
    "float map_floor_mod(float x, float y) {\n"                                                                                            \
    "    float rest = x - y * floor(x / y);\n"                                                                                             \
    "    if (rest != 0.0 && (rest < 0.0) != (y < 0.0))\n"                                                                                  \
    "        rest += y;\n"                                                                                                                 \
    "    return abs(rest) >= abs(y) ? rest - y : rest;\n"                                                                                  \
    "}\n"                                                                                                                                  \
    "uint map_floor_mod(uint x, uint y) { return y == 0u ? 0u : x % y; }\n"                                                                \
    "int map_floor_mod(int x, int y) {\n"                                                                                                  \
    "    uint a = uint(abs(x)), b = uint(abs(y));\n"                                                                                       \
    "    if (b == 0u)\n"                                                                                                                   \
    "        return 0;\n"                                                                                                                  \
    "    int rest = int(a % b);\n"                                                                                                         \
    "    rest = x < 0 ? -rest : rest;\n"                                                                                                   \
    "    return rest != 0 && (rest < 0) != (y < 0) ? rest + y : rest;\n"                                                                   \
    "}\n"

typedef enum { RESULT_SAME, RESULT_F32, RESULT_I32, RESULT_U32, RESULT_BOOL } MapResult;
enum {
    FLOAT = 1 << DTYPE_F32,
    SIGNED = FLOAT | 1 << DTYPE_I32,
    NUMBER = SIGNED | 1 << DTYPE_U32,
    BOOLEAN = 1 << DTYPE_BOOL,
    ANY = NUMBER | BOOLEAN,
    STORED = ANY | 1 << DTYPE_U8
};

// ---- reference

static double floor_mod(double x, double y) {
    double rest = fmod(x, y);
    return rest != 0 && (rest < 0) != (y < 0) ? rest + y : rest;
}

static double saturate(double x, double low, double high) {
    if (isnan(x))
        return 0;
    return trunc(x < low ? low : x > high ? high : x);
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
    if (is_constant(graph, y, &exponent))
        return exponent == 0 ? _ : B(mul, grad, N(mul, B(pow, x, B(sub, y, C(1))), exponent));
    Value slope = B(mul, y, B(pow, x, B(sub, y, C(1))));
    return B(mul, grad, S(B(eq, y, C(0)), C(0), slope));
}

// x^y log x; 0 where x is not positive, as log x has no meaning there.
static Value pow_gradient_y(Graph *graph, Value grad, Value out, Value x) {
    Value positive = B(gt, x, C(0));
    return B(mul, grad, B(mul, out, U(log, S(positive, x, C(1)))));
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

static const struct {
    int operands;
    MapResult result;
} rows[OP_COUNT] = {
#define MAP1(name, operands, result, ...) [OP_##name] = {operands, RESULT_##result},
#define MAP2 MAP1
#define MAP3 MAP1
#include "compiler/ir/elementwise.def"
#undef MAP1
#undef MAP2
#undef MAP3
};

static const char *operand_words(int operands) {
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
    uint32_t first = node->op == OP_select ? 1 : 0;
    Type type = arg_type(graph, node, first);
    if (first == 1 && arg_type(graph, node, 0).dtype != DTYPE_BOOL)
        return graph_error(graph, node, "the condition must be bool, got %s", shown(graph, node->args[0]));
    if (!(rows[node->op].operands >> type.dtype & 1))
        return graph_error(graph, node, "takes %s, got %s", operand_words(rows[node->op].operands), shown(graph, node->args[first]));
    for (uint32_t i = 0; i < node->arg_count; i++) {
        Type other = arg_type(graph, node, i);
        if (!type_same_shape(&other, &type) || (i > first && other.dtype != type.dtype))
            return graph_error(graph, node, "%s and %s differ", shown(graph, node->args[i < first ? i : first]),
                               shown(graph, node->args[i < first ? first : i]));
    }
    *out = type_with_dtype(type, result_dtype(rows[node->op].result, type.dtype));
    return true;
}

// ---- examples: a tensor, a scalar and axes of 1; then the other dtypes

#define CASE1(dtype, rank, dims, low, high, avoid)                                                                                         \
    { .args = {{dtype, rank, 0, dims}}, .arg_count = 1, .attrs = {{0}}, low, high, avoid }
#define CASE2(dtype, rank, dims, low, high, avoid)                                                                                         \
    { .args = {{dtype, rank, 0, dims}, {dtype, rank, 0, dims}}, .arg_count = 2, .attrs = {{0}}, low, high, avoid }
#define CASE3(dtype, rank, dims, low, high, avoid)                                                                                         \
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
#define COUNT_FLOAT 3
#define COUNT_SIGNED 4
#define COUNT_NUMBER 5
#define COUNT_BOOLEAN 1
#define COUNT_ANY 6
#define COUNT_STORED 7
#define OPEN(...) __VA_ARGS__
#define EXPAND(macro, ...) macro(__VA_ARGS__)

// ---- the ops

#define ZERO true
#define NONZERO false
#define SCALAR(text) text, .glsl_scalar = true
#define IS_FLAT(text) (sizeof(text) == sizeof("_"))
#define DEFINE(name_, arity, operands, summary_, helper, cost_, zero, vjp_, range, ...)                                                    \
    const OpDef op_##name_ = {.name = #name_,                                                                                              \
                              .summary = summary_,                                                                                         \
                              .op_class = CLASS_MAP,                                                                                       \
                              .arg_count = arity,                                                                                          \
                              .infer = infer_map,                                                                                          \
                              .vjp = vjp_,                                                                                                 \
                              .reference = reference_##name_,                                                                              \
                              .glsl_helper = helper,                                                                                       \
                              .cost = cost_,                                                                                               \
                              .zero_preserving = zero,                                                                                     \
                              .example_count = COUNT_##operands,                                                                           \
                              .examples = {EXPAND(CASES_##operands, CASE##arity, OPEN range)},                                             \
                              .glsl = __VA_ARGS__};
#define MAP1(name, operands, result, summary, reference, glsl, helper, cost, zero, gx, examples)                                           \
    REFERENCE(name, reference)                                                                                                             \
    VJP(name, gx, _, _)                                                                                                                    \
    DEFINE(name, 1, operands, summary, helper, cost, zero, IS_FLAT(#gx) ? NULL : vjp_##name, examples, glsl)
#define MAP2(name, operands, result, summary, reference, glsl, helper, cost, zero, gx, gy, examples)                                       \
    REFERENCE(name, reference)                                                                                                             \
    VJP(name, gx, gy, _)                                                                                                                   \
    DEFINE(name, 2, operands, summary, helper, cost, zero, IS_FLAT(#gx) && IS_FLAT(#gy) ? NULL : vjp_##name, examples, glsl)
#define MAP3(name, operands, result, summary, reference, glsl, helper, cost, zero, gx, gy, gz, examples)                                   \
    REFERENCE(name, reference)                                                                                                             \
    VJP(name, gx, gy, gz)                                                                                                                  \
    DEFINE(name, 3, operands, summary, helper, cost, zero, IS_FLAT(#gx) && IS_FLAT(#gy) && IS_FLAT(#gz) ? NULL : vjp_##name, examples, glsl)
#include "compiler/ir/elementwise.def"
