// The rule matrix: both sides of every row of simplify.def on awkward numbers; every coded rule on cases that it must and must not take;
// and random graphs, which must mean the same before and after.
#include "compiler/ir/differentiate.h"
#include "compiler/passes/simplify.h"
#include "compiler/passes/simplify_rules.h"
#include "runtime/base/random.h"
#include "tests/support/compare.h"
#include <check.h>
#include <math.h>
#include <stdlib.h>

// ---- rows

typedef struct {
    double numbers[16];
    uint32_t count;
} Numbers;

static Numbers awkward(DType dtype, RuleKind kind) {
    switch (dtype) {
    case DTYPE_F32:
        if (kind == EXACT)
            return (Numbers){{0, -0.0, 1, -1, 2, -3.5, 0.3, 1e30, -1e30, 1e-40, INFINITY, -INFINITY, NAN}, 13};
        return (Numbers){{0, 1, -1, 2, -3.5, 0.3, 7, -1e5, 1e5, 1e-5}, 10};
    case DTYPE_I32:
        return (Numbers){{0, 1, -1, 7, -13, 30000, INT32_MIN}, 7};
    case DTYPE_U32:
        return (Numbers){{0, 1, 5, 1u << 31}, 4};
    case DTYPE_BOOL:
    case DTYPE_U8:
    case DTYPE_COUNT:
        break;
    }
    return (Numbers){{0, 1}, 2};
}

static uint32_t variables_of(const Pattern *pattern) {
    uint32_t used = pattern->kind == PATTERN_VARIABLE ? 1u << pattern->variable : 0;
    for (uint32_t i = 0; i < pattern->arg_count; i++)
        used |= variables_of(pattern->args[i]);
    return used;
}

typedef struct {
    const Rule *rule;
    const Pattern *match, *result;
    uint32_t used, tested;
} Row;

// All combinations of awkward numbers, an element each; false where the left side has no meaning for these dtypes.
static bool try_dtypes(Row *row, const DType *dtypes) {
    Arena *arena = arena_create();
    Graph *graph = graph_create(arena, NULL);
    graph->diag = diag_create(arena);
    uint32_t count = 1, repeat = 1;
    for (uint32_t i = 0; i < PATTERN_VARIABLES; i++)
        count *= row->used >> i & 1 ? awkward(dtypes[i], row->rule->kind).count : 1;
    Type type = type_make(DTYPE_F32, 1, &count);
    Value variables[PATTERN_VARIABLES] = {{0}};
    Inputs inputs = {0};
    for (uint32_t i = 0; i < PATTERN_VARIABLES; i++) {
        if (!(row->used >> i & 1))
            continue;
        Numbers numbers = awkward(dtypes[i], row->rule->kind);
        Type own = type_with_dtype(type, dtypes[i]);
        Tensor *tensor = ARENA_NEW(arena, Tensor, 1);
        *tensor = tensor_create(arena, &own);
        for (uint32_t k = 0; k < count; k++)
            tensor->data[k] = numbers.numbers[k / repeat % numbers.count];
        repeat *= numbers.count;
        variables[i] = inputs_source(graph, inputs_name(arena, "v", i), &own);
        inputs_give(&inputs, inputs_name(arena, "v", i), tensor);
    }
    Value left = pattern_build(row->match, graph, variables, &type);
    if (!left.id) {
        arena_destroy(&arena);
        return false;
    }
    Value bound[PATTERN_VARIABLES] = {{0}};
    ck_assert_msg(pattern_match(row->match, graph, left, bound), "%s does not match what it builds", row->rule->name);
    Type left_type = graph_type(graph, left);
    Value right = pattern_build(row->result, graph, bound, &left_type);
    ck_assert_msg(right.id, "%s: no result for what it matches: %s", row->rule->name, diag_text(graph->diag, arena));
    Sources sources = inputs_sources(&inputs);
    Tensor *values = interpret(arena, graph, &sources, NULL, graph->diag);
    Text problem = text_create(arena);
    bool ok = compare_tensors(&values[right.id], &values[left.id], row->rule->kind == EXACT ? 0 : 1e-12, &problem);
    ck_assert_msg(ok, "%s: %s", row->rule->name, problem.data);

    graph_output(graph, (Output){.kind = OUTPUT_VALUE, .name = "out", .value = left});
    Graph *simple = simplify_graph(arena, graph);
    memset(bound, 0, sizeof bound);
    ck_assert_msg(!pattern_match(row->match, simple, simple->outputs.items[0].value, bound), "%s is not applied", row->rule->name);
    arena_destroy(&arena);
    return true;
}

START_TEST(every_row) {
    static const DType all[] = {DTYPE_F32, DTYPE_I32, DTYPE_U32, DTYPE_BOOL};
    Arena *arena = arena_create();
    uint32_t count;
    Row row = {.rule = &simplify_rules(&count)[_i]};
    row.match = pattern_parse(arena, row.rule->match);
    row.result = pattern_parse(arena, row.rule->result);
    row.used = variables_of(row.match);
    ck_assert_msg((variables_of(row.result) & ~row.used) == 0, "%s makes up a variable", row.rule->name);
    for (uint32_t code = 0; code < 256; code++) {
        DType dtypes[PATTERN_VARIABLES];
        bool wanted = true;
        for (uint32_t i = 0; i < PATTERN_VARIABLES; i++) {
            dtypes[i] = all[code >> 2 * i & 3];
            wanted = wanted && (row.used >> i & 1 || dtypes[i] == DTYPE_F32);
        }
        row.tested += wanted && try_dtypes(&row, dtypes);
    }
    ck_assert_msg(row.tested > 0, "%s fits no dtype", row.rule->name);
    arena_destroy(&arena);
}
END_TEST

// ---- coded rules

// A case builds one value from feeds a0, a1, …; `wanted` is the simplified graph's ops in order, sources left out.
typedef struct {
    const char *name;
    Value (*build)(Graph *graph);
    const char *wanted;
} CodedCase;

#define DIMS(...) (uint32_t[]){__VA_ARGS__}, sizeof((uint32_t[]){__VA_ARGS__}) / 4
#define INTS(...)                                                                                                                          \
    (const int64_t[]) { __VA_ARGS__ }

static Value input(Graph *graph, uint32_t number, const uint32_t *dims, uint32_t rank) {
    Type type = type_make(DTYPE_F32, rank, dims);
    return inputs_source(graph, inputs_name(graph->arena, "a", number), &type);
}
static Value spread(Graph *graph, Value x, const uint32_t *dims, uint32_t rank) { return build_broadcast_dims(graph, x, rank, dims); }
static Value net(Graph *graph) { return graph_add(graph, OP_state, NULL, 0, (Attr[]){attr_text("net")}, 1); }
static Value sum(Graph *graph, Value x, const int64_t *axes, uint32_t count) { return build_reduce(graph, OP_reduce_sum, x, axes, count); }
static Value derived(Graph *graph, Value x, const int64_t *axes, uint32_t count) {
    graph->origin.maker = "differentiate";
    x = sum(graph, x, axes, count);
    graph->origin.maker = NULL;
    return x;
}
static Value transpose(Graph *graph, Value x, const uint32_t *order) { return build_transpose(graph, x, order); }
#define B(op, a, b) build_binary(g, OP_##op, a, b)
#define U(op, a) build_unary(g, OP_##op, a)
#define N(op, a, number) build_number(g, OP_##op, a, number)
#define CASE(name, wanted, expression)                                                                                                     \
    static Value case_##name(Graph *g) { return expression; }
#define A input(g, 0, DIMS(2, 3, 4))
#define A1 input(g, 1, DIMS(2, 3, 4))
#define ROW input(g, 2, DIMS(4))
#define COLUMN input(g, 3, DIMS(2, 3, 1))
#define CUBE DIMS(2, 3, 4)
#define CASES                                                                                                                              \
    CASE(fold, "constant", N(mul, build_constant(g, DTYPE_F32, 3), 4))                                                                     \
    CASE(fold_full, "constant broadcast", U(exp, spread(g, build_constant(g, DTYPE_F32, 0), CUBE)))                                        \
    CASE(sink, "sqrt broadcast", U(sqrt, spread(g, ROW, CUBE)))                                                                            \
    CASE(sink_two, "constant broadcast add broadcast", B(add, spread(g, COLUMN, CUBE), spread(g, build_constant(g, DTYPE_F32, 2), CUBE)))  \
    CASE(sink_not, "broadcast broadcast add", B(add, spread(g, COLUMN, CUBE), spread(g, ROW, CUBE)))                                       \
    CASE(constant_last, "constant broadcast mul", B(mul, build_constant(g, DTYPE_F32, 3), A))                                              \
    CASE(divide, "constant broadcast mul", N(div, A, 8))                                                                                   \
    CASE(scale_too_far, "constant broadcast mul constant broadcast mul", N(mul, N(mul, A, 1e30), 2e30))                                    \
    CASE(scale, "constant broadcast mul", N(mul, N(mul, A, 3), 5))                                                                         \
    CASE(shift, "constant broadcast add", N(add, N(add, A, 3), 5))                                                                         \
    CASE(scale_negated, "constant broadcast mul", U(neg, N(mul, A, 3)))                                                                    \
    CASE(cast, "", U(to_f32, A))                                                                                                           \
    CASE(cast_bool, "gt to_f32", U(to_f32, U(to_i32, B(gt, A, A1))))                                                                       \
    CASE(cast_kept, "to_i32 to_f32", U(to_f32, U(to_i32, A)))                                                                              \
    CASE(add_packs, "unpack unpack unpack exp exp add add sub pack", build_sum_of_packs(g))                                                \
    CASE(join_pads, "exp concat",                                                                                                          \
         B(add, build_pad(g, A, INTS(0, 0, 0), INTS(0, 3, 0), NULL), build_pad(g, U(exp, A), INTS(0, 3, 0), NULL, NULL)))                  \
    CASE(join_pads_apart, "concat pad",                                                                                                    \
         B(add, build_pad(g, A, INTS(0, 4, 0), INTS(0, 1, 0), NULL), build_pad(g, A1, INTS(0, 1, 0), INTS(0, 4, 0), NULL)))                \
    CASE(join_pads_not, "pad pad add",                                                                                                     \
         B(add, build_pad(g, A, INTS(0, 2, 0), INTS(0, 0, 0), NULL), build_pad(g, A1, INTS(0, 1, 0), INTS(0, 1, 0), NULL)))                \
    CASE(condition_of_relu, "constant broadcast le select le select add", chosen_twice(g, OP_le, 0))                                       \
    CASE(condition_of_leaky, "constant broadcast gt constant broadcast mul select gt select add", chosen_twice(g, OP_gt, 0.2))             \
    CASE(condition_of_size, "constant broadcast gt neg select select add", chosen_twice(g, OP_gt, -1))                                     \
    CASE(condition_of_nothing, "constant broadcast le select", build_select(g, N(le, A, 0), zeros(g), A1))                                 \
    CASE(detach, "", U(detach, A))                                                                                                         \
    CASE(view_constant, "constant broadcast", transpose(g, spread(g, build_constant(g, DTYPE_F32, 7), CUBE), (uint32_t[]){2, 0, 1}))       \
    CASE(concat_constants, "constant broadcast",                                                                                           \
         build_concat(                                                                                                                     \
             g, (Value[]){spread(g, build_constant(g, DTYPE_F32, 7), CUBE), spread(g, build_constant(g, DTYPE_F32, 7), DIMS(2, 1, 4))}, 2, \
             1))                                                                                                                           \
    CASE(pad_constant, "constant broadcast pad",                                                                                           \
         build_pad(g, spread(g, build_constant(g, DTYPE_F32, 7), CUBE), INTS(1, 0, 0), NULL, NULL))                                        \
    CASE(pad_zero, "constant broadcast", build_pad(g, spread(g, build_constant(g, DTYPE_F32, 0), CUBE), INTS(1, 0, 0), NULL, NULL))        \
    CASE(reshape_back, "", build_reshape(g, build_reshape(g, A, DIMS_OF(24)), DIMS_OF(2, 3, 4)))                                           \
    CASE(transpose_back, "", transpose(g, transpose(g, A, (uint32_t[]){1, 2, 0}), (uint32_t[]){2, 0, 1}))                                  \
    CASE(transpose_twice, "transpose", transpose(g, transpose(g, A, (uint32_t[]){1, 2, 0}), (uint32_t[]){1, 2, 0}))                        \
    CASE(transpose_ones, "reshape", transpose(g, COLUMN, (uint32_t[]){2, 0, 1}))                                                           \
    CASE(broadcast_ones, "reshape", spread(g, ROW, DIMS(1, 1, 4)))                                                                         \
    CASE(broadcast_twice, "broadcast", spread(g, spread(g, ROW, DIMS(3, 4)), CUBE))                                                        \
    CASE(broadcast_reshape, "broadcast", spread(g, build_reshape(g, ROW, DIMS_OF(1, 1, 4)), CUBE))                                         \
    CASE(broadcast_reshape_kept, "reshape broadcast", spread(g, build_reshape(g, input(g, 4, DIMS(3)), DIMS_OF(3, 1)), CUBE))              \
    CASE(flip_back, "", build_flip(g, build_flip(g, A, INTS(0, 1), 2), INTS(0, 1), 2))                                                     \
    CASE(flip_some, "flip", build_flip(g, build_flip(g, A, INTS(0, 1), 2), INTS(1, 2), 2))                                                 \
    CASE(slice_slice, "slice", build_slice(g, build_slice(g, A, 2, 1, 4, 2), 2, 1, 2, 1))                                                  \
    CASE(slice_concat, "slice", build_slice(g, build_concat(g, (Value[]){A, A1}, 2, 1), 1, 4, 6, 1))                                       \
    CASE(slice_concat_part, "", build_slice(g, build_concat(g, (Value[]){A, A1}, 2, 1), 1, 3, 6, 1))                                       \
    CASE(slice_concat_not, "concat slice", build_slice(g, build_concat(g, (Value[]){A, A1}, 2, 1), 1, 2, 4, 1))                            \
    CASE(slice_pad, "", build_slice(g, build_pad(g, A, INTS(0, 2, 0), INTS(0, 1, 0), NULL), 1, 2, 5, 1))                                   \
    CASE(slice_pad_interior, "slice", build_slice(g, build_pad(g, A, INTS(0, 1, 0), NULL, INTS(0, 1, 0)), 1, 1, 4, 2))                     \
    CASE(slice_pad_later, "slice", build_slice(g, build_pad(g, A, INTS(0, 1, 0), NULL, INTS(0, 1, 0)), 1, 3, 6, 2))                        \
    CASE(slice_pad_not, "pad slice", build_slice(g, build_pad(g, A, INTS(0, 2, 0), NULL, NULL), 1, 1, 4, 1))                               \
    CASE(slice_pad_before, "constant broadcast", build_slice(g, build_pad(g, A, INTS(0, 2, 0), NULL, NULL), 1, 0, 2, 1))                   \
    CASE(slice_pad_behind, "constant broadcast", build_slice(g, build_pad(g, A, NULL, INTS(0, 2, 0), INTS(0, 1, 0)), 1, 5, 7, 1))          \
    CASE(slice_broadcast, "broadcast", build_slice(g, spread(g, ROW, CUBE), 1, 1, 3, 1))                                                   \
    CASE(slice_broadcast_both, "slice broadcast", build_slice(g, spread(g, ROW, CUBE), 2, 1, 3, 1))                                        \
    CASE(pad_pad, "pad", build_pad(g, build_pad(g, A, INTS(1, 0, 0), NULL, INTS(1, 0, 0)), INTS(1, 1, 0), NULL, NULL))                     \
    CASE(concat_concat, "exp concat", build_concat(g, (Value[]){A, build_concat(g, (Value[]){A1, U(exp, A)}, 2, 1)}, 2, 1))                \
    CASE(concat_slices, "", build_concat(g, (Value[]){build_slice(g, A, 1, 0, 1, 1), build_slice(g, A, 1, 1, 3, 1)}, 2, 1))                \
    CASE(concat_slices_not, "slice slice concat",                                                                                          \
         build_concat(g, (Value[]){build_slice(g, A, 1, 1, 3, 1), build_slice(g, A, 1, 0, 1, 1)}, 2, 1))                                   \
    CASE(unpack_constant, "constant broadcast", build_unpack(g, build_spread_net(g), 0))                                                   \
    CASE(pack_unpacked, "", build_packed_again(g))                                                                                         \
    CASE(outer_product, "broadcast broadcast mul", build_matmul(g, COLUMN, input(g, 4, DIMS(2, 1, 4))))                                    \
    CASE(matrix_by_vector, "broadcast mul reduce_sum reshape",                                                                              \
         build_matmul(g, A, transpose(g, input(g, 4, DIMS(2, 1, 4)), (uint32_t[]){0, 2, 1})))                                              \
    CASE(matrix_by_column, "matmul", build_matmul(g, A, input(g, 4, DIMS(2, 4, 1))))                                                       \
    CASE(matrix_by_matrix, "matmul", build_matmul(g, A, input(g, 4, DIMS(2, 4, 2))))                                                       \
    CASE(reduce_ones, "reshape", sum(g, COLUMN, INTS(2), 1))                                                                               \
    CASE(reduce_some_ones, "reshape reduce_sum", sum(g, COLUMN, INTS(1, 2), 2))                                                            \
    CASE(sum_sum, "reduce_sum", sum(g, sum(g, A, INTS(1), 1), INTS(1), 1))                                                                 \
    CASE(sum_permuted, "reduce_sum", sum(g, transpose(g, build_reshape(g, A, DIMS_OF(4, 6)), (uint32_t[]){1, 0}), NULL, 0))                \
    CASE(sum_broadcast, "reshape constant broadcast mul broadcast", sum(g, spread(g, ROW, CUBE), INTS(1), 1))                              \
    CASE(sum_broadcast_some, "reshape reduce_sum constant broadcast mul broadcast", sum(g, spread(g, ROW, CUBE), INTS(1, 2), 2))           \
    CASE(sum_factor, "reshape reduce_sum mul", derived(g, B(mul, A, spread(g, COLUMN, CUBE)), INTS(2), 1))                                     \
    CASE(sum_factor_deep, "reshape mul reduce_sum mul", derived(g, B(mul, B(mul, A, spread(g, COLUMN, CUBE)), A1), INTS(2), 1))                \
    CASE(sum_divisor, "reshape reduce_sum div", derived(g, B(div, A, spread(g, COLUMN, CUBE)), INTS(2), 1))                                    \
    CASE(sum_neg, "reduce_sum neg", sum(g, U(neg, A), INTS(2), 1))                                                                         \
    CASE(sum_factor_written, "broadcast mul reduce_sum", sum(g, B(mul, A, spread(g, COLUMN, CUBE)), INTS(2), 1))                           \
    CASE(sum_constant_factor, "constant broadcast reduce_sum mul", derived(g, N(mul, A, 3), INTS(2), 1))                                       \
    CASE(sum_factor_not, "broadcast mul reduce_sum", sum(g, B(mul, A, spread(g, ROW, CUBE)), INTS(2), 1))
static Value zeros(Graph *g) {
    Type type = graph_type(g, A);
    return build_full(g, &type, 0);
}
// An activation, and what has the condition of it as a gradient has.
static Value chosen_twice(Graph *g, Op op, double slope) {
    Value condition = build_number(g, op, A, 0), other = slope == 0 ? zeros(g) : slope == -1 ? U(neg, A) : N(mul, A, slope);
    Value activation = op == OP_gt ? build_select(g, condition, A, other) : build_select(g, condition, other, A), gradient = build_select(g, condition, zeros(g), A1);
    return B(add, activation, gradient);
}
#define DIMS_OF(...)                                                                                                                       \
    sizeof((uint32_t[]){__VA_ARGS__}) / 4, (uint32_t[]) { __VA_ARGS__ }

static Value build_sum_of_packs(Graph *g) {
    Value set = net(g), a = build_unpack(g, set, 0), b = build_unpack(g, set, 1), c = build_unpack(g, set, 2);
    Value sum_of_packs = B(add, build_pack(g, 1, (Value[]){a, U(exp, b), c}, 3), build_pack(g, 1, (Value[]){U(exp, a), b, U(neg, c)}, 3));
    return sum_of_packs;
}
static Value build_spread_net(Graph *g) {
    Type type = graph_type(g, net(g));
    return build_full(g, &type, 4);
}
static Value build_packed_again(Graph *g) {
    Value set = net(g);
    return build_pack(g, 1, (Value[]){build_unpack(g, set, 0), build_unpack(g, set, 1), build_unpack(g, set, 2)}, 3);
}

CASES
#undef CASE
#define CASE(name, wanted, expression) {#name, case_##name, wanted},
static const CodedCase coded_cases[] = {CASES};
#undef CASE

static const char *ops_of(Arena *arena, const Graph *graph) {
    Text text = text_create(arena);
    for (uint32_t id = 1; id < graph->nodes.count; id++) {
        const Node *node = &graph->nodes.items[id];
        if (node->op != OP_feed && node->op != OP_state && node->op != OP_number)
            text_format(&text, "%s%s", text.length ? " " : "", op_def(node->op)->name);
    }
    return text.data;
}

static Inputs give_inputs(Arena *arena, const Graph *graph) {
    Inputs inputs = {0};
    for (uint32_t id = 1; id < graph->nodes.count; id++) {
        const Node *node = &graph->nodes.items[id];
        if (node->op != OP_feed && node->op != OP_state)
            continue;
        Tensor *tensor = ARENA_NEW(arena, Tensor, 1);
        *tensor = inputs_random(arena, &node->type, 0.5, 2, 7 + id);
        inputs_give(&inputs, attr_of(node, ATTR_name)->text, tensor);
    }
    return inputs;
}

static void check_same(Arena *arena, const Graph *before, const Graph *after, const char *name) {
    Inputs inputs = give_inputs(arena, before);
    Sources sources = inputs_sources(&inputs);
    Text problem = text_create(arena);
    ck_assert_msg(graph_verify(after, &problem), "%s: %s", name, problem.data);
    const Tensor *wanted = interpret(arena, before, &sources, NULL, diag_create(arena));
    const Tensor *got = interpret(arena, after, &sources, NULL, diag_create(arena));
    for (uint32_t i = 0; i < before->outputs.count; i++) {
        bool ok = compare_tensors(&got[after->outputs.items[i].value.id], &wanted[before->outputs.items[i].value.id], 1e-9, &problem);
        if (!ok) {
            Text dump = text_create(arena);
            graph_print(&dump, before);
            text_append(&dump, "->\n");
            graph_print(&dump, after);
            ck_abort_msg("%s: output %u: %s\n%.2000s", name, i, problem.data, dump.data);
        }
    }
}

static const char *printed(Arena *arena, const Graph *graph) {
    Text text = text_create(arena);
    graph_print(&text, graph);
    return text.data;
}

START_TEST(every_coded_case) {
    const CodedCase *test = &coded_cases[_i];
    Arena *arena = arena_create();
    Graph *graph = graph_create(arena, inputs_module(arena));
    graph_output(graph, (Output){.kind = OUTPUT_VALUE, .name = "out", .value = test->build(graph)});
    Graph *simple = simplify_graph(arena, graph);
    check_same(arena, graph, simple, test->name);
    const char *ops = ops_of(arena, simple);
    ck_assert_msg(strcmp(ops, test->wanted) == 0, "%s: \"%s\" instead of \"%s\"\n%s", test->name, ops, test->wanted,
                  printed(arena, simple));
    arena_destroy(&arena);
}
END_TEST

// ---- random graphs

typedef struct {
    Graph *graph;
    uint64_t seed;
    uint32_t drawn;
    ARRAY(Value) values;
} Maker;

static uint32_t below(Maker *maker, uint32_t limit) { return random_below(random_element(maker->seed, 1, 0, 0, maker->drawn++), limit); }

static Value any(Maker *maker) { return maker->values.items[below(maker, maker->values.count)]; }

// Another value that can be broadcast with x, if chance finds one.
static Value partner(Maker *maker, Value x) {
    Type type = graph_type(maker->graph, x);
    for (uint32_t attempt = 0; attempt < 8; attempt++) {
        Value y = any(maker);
        Type other = graph_type(maker->graph, y);
        bool fits = other.rank <= type.rank;
        for (uint32_t i = 0; fits && i < other.rank; i++)
            fits = other.dims[i] == 1 || other.dims[i] == type.dims[type.rank - other.rank + i];
        if (fits)
            return y;
    }
    static const double numbers[] = {0, 1, -1, 2, 0.5};
    return build_constant(maker->graph, DTYPE_F32, numbers[below(maker, 5)]);
}

static Value random_map(Maker *maker, Value x) {
    static const Op unary[] = {OP_neg, OP_sin, OP_tanh, OP_abs, OP_sigmoid, OP_detach};
    static const Op binary[] = {OP_add, OP_sub, OP_mul, OP_add, OP_mul, OP_maximum};
    Graph *graph = maker->graph;
    uint32_t choice = below(maker, 8);
    if (choice < 2)
        return build_unary(graph, unary[below(maker, 6)], x);
    if (choice < 3)
        return build_select(graph, build_binary(graph, OP_gt, x, partner(maker, x)), partner(maker, x),
                            build_constant(graph, DTYPE_F32, 0));
    if (choice < 4)
        return build_binary(graph, OP_div, x, build_number(graph, OP_add, build_unary(graph, OP_abs, partner(maker, x)), 1));
    return build_binary(graph, binary[below(maker, 6)], x, partner(maker, x));
}

static Value random_view(Maker *maker, Value x) {
    Graph *graph = maker->graph;
    Type type = graph_type(graph, x);
    if (type.rank == 0)
        return build_broadcast_dims(graph, x, 2, (uint32_t[]){2, 3});
    uint32_t axis = below(maker, type.rank), extent = type.dims[axis], order[MAX_RANK];
    int64_t low[MAX_RANK] = {0}, high[MAX_RANK] = {0}, interior[MAX_RANK] = {0};
    switch (below(maker, 7)) {
    case 0: {
        uint32_t start = below(maker, extent);
        return build_slice(graph, x, axis, start, start + 1 + below(maker, extent - start), 1 + below(maker, 2));
    }
    case 1:
        low[axis] = below(maker, 3);
        high[axis] = below(maker, 3);
        interior[axis] = below(maker, 2);
        return build_pad(graph, x, low, high, interior);
    case 2:
        for (uint32_t i = 0; i < type.rank; i++)
            order[i] = (i + axis) % type.rank;
        return build_transpose(graph, x, order);
    case 3:
        return build_flip(graph, x, INTS(axis), 1);
    case 4:
        return build_concat(graph, (Value[]){x, build_unary(graph, OP_neg, x), x}, 2 + below(maker, 2), axis);
    case 5: {
        uint32_t count = (uint32_t)type_count(&type), first = type.dims[0];
        return below(maker, 2) ? build_reshape(graph, x, 2, (uint32_t[]){first, count / first})
                               : build_reshape(graph, x, 3, (uint32_t[]){1, first, count / first});
    }
    default:
        for (uint32_t i = 0; i < type.rank; i++)
            type.dims[i] = type.dims[i] == 1 ? 1 + below(maker, 3) : type.dims[i];
        return type.rank < 4 ? build_broadcast_dims(graph, x, type.rank + 1u, (uint32_t[]){2, type.dims[0], type.dims[1], type.dims[2]})
                             : x;
    }
}

static Value random_fold(Maker *maker, Value x) {
    static const Op folds[] = {OP_reduce_sum, OP_reduce_sum, OP_reduce_sum, OP_moments, OP_logsumexp, OP_reduce_max};
    Type type = graph_type(maker->graph, x);
    int64_t axes[MAX_RANK];
    uint32_t count = 0;
    for (uint32_t i = 0; i < type.rank; i++)
        if (below(maker, 2))
            axes[count++] = i;
    return count ? build_reduce(maker->graph, folds[below(maker, 6)], x, axes, count) : x;
}

static Graph *random_graph(Arena *arena, uint64_t seed) {
    Maker maker = {.graph = graph_create(arena, inputs_module(arena)), .seed = seed};
    array_push(arena, &maker.values, input(maker.graph, 0, DIMS(2, 3, 4)));
    array_push(arena, &maker.values, input(maker.graph, 1, DIMS(3, 1)));
    array_push(arena, &maker.values, input(maker.graph, 2, DIMS(4)));
    array_push(arena, &maker.values, build_unpack(maker.graph, net(maker.graph), below(&maker, 3)));
    array_push(arena, &maker.values, build_constant(maker.graph, DTYPE_F32, below(&maker, 3)));
    for (uint32_t i = 0; i < 14; i++) {
        Value x = any(&maker), y;
        uint32_t choice = below(&maker, 10);
        y = choice < 5 ? random_map(&maker, x) : choice < 8 ? random_view(&maker, x) : random_fold(&maker, x);
        Type type = graph_type(maker.graph, y);
        if (type_count(&type) < 2000 && type.rank <= 4)
            array_push(arena, &maker.values, y);
    }
    Value total = {0}, targets[] = {maker.values.items[0], maker.values.items[1], net(maker.graph)}, gradients[3];
    for (uint32_t i = 5; i < maker.values.count; i++) {
        Value part = build_reduce(maker.graph, OP_reduce_sum, maker.values.items[i], NULL, 0);
        total = total.id ? build_binary(maker.graph, OP_add, total, part) : part;
    }
    differentiate(maker.graph, total, targets, 3, gradients);
    graph_output(maker.graph, (Output){.kind = OUTPUT_REPORT, .name = "total", .value = total});
    for (uint32_t i = 0; i < 3; i++)
        graph_output(maker.graph, (Output){.kind = OUTPUT_VALUE, .name = "gradient", .value = gradients[i]});
    return maker.graph;
}

START_TEST(random_graphs) {
    for (uint32_t i = 0; i < 250; i++) {
        Arena *arena = arena_create();
        Graph *graph = random_graph(arena, (uint64_t)_i * 1000 + i), *simple = simplify_graph(arena, graph);
        const char *name = arena_format(arena, "random graph %u", (uint32_t)_i * 1000 + i);
        check_same(arena, graph, simple, name);
        ck_assert_str_eq(printed(arena, simple), printed(arena, simplify_graph(arena, simple)));
        ck_assert_str_eq(printed(arena, simple), printed(arena, simplify_graph(arena, graph)));
        arena_destroy(&arena);
    }
}
END_TEST

int main(void) {
    uint32_t rule_count;
    simplify_rules(&rule_count);
    Suite *suite = suite_create("rules");
    TCase *all = tcase_create("rules");
    tcase_set_timeout(all, 120);
    tcase_add_loop_test(all, every_row, 0, (int)rule_count);
    tcase_add_loop_test(all, every_coded_case, 0, (int)(sizeof coded_cases / sizeof *coded_cases));
    tcase_add_loop_test(all, random_graphs, 0, 4);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
