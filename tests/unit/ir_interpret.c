// Interpret: references against numbers known from elsewhere, sources, initial numbers.
#include "runtime/base/random.h"
#include "tests/support/compare.h"
#include <check.h>
#include <math.h>
#include <stdlib.h>

static Arena *arena;
static Graph *graph;
static Inputs inputs;

static void start(void) {
    arena = arena_create();
    graph = graph_create(arena, inputs_module(arena));
    inputs = (Inputs){0};
}
static void end(void) { arena_destroy(&arena); }

static Tensor *give(const char *name, Type type, Value *value) {
    Tensor *tensor = ARENA_NEW(arena, Tensor, 1);
    *tensor = inputs_random(arena, &type, -1, 1, 3 + inputs.count);
    *value = inputs_source(graph, name, &type);
    inputs_give(&inputs, name, tensor);
    return tensor;
}
#define TYPE(dtype, ...) type_make(DTYPE_##dtype, sizeof((uint32_t[]){__VA_ARGS__}) / 4, (uint32_t[]){__VA_ARGS__})

static Tensor run(Value value) {
    Sources sources = inputs_sources(&inputs);
    Diag *diag = diag_create(arena);
    bool *needed = ARENA_NEW(arena, bool, graph->nodes.count);
    needed[value.id] = true;
    Tensor *values = interpret(arena, graph, &sources, needed, diag);
    ck_assert_msg(values, "%s", diag_text(diag, arena));
    return values[value.id];
}

// The definition, one output at a time.
static double convolve(const Tensor *x, const Tensor *w, const int64_t *c, const uint32_t *at) {
    uint32_t per_group = w->type.dims[1], group = at[1] / (w->type.dims[0] / (uint32_t)c[6]);
    double sum = 0;
    for (uint32_t i = 0; i < per_group; i++)
        for (uint32_t ky = 0; ky < w->type.dims[2]; ky++)
            for (uint32_t kx = 0; kx < w->type.dims[3]; kx++) {
                int64_t y = at[2] * c[0] + ky * c[4] - c[2], z = at[3] * c[1] + kx * c[5] - c[3];
                if (y < 0 || z < 0 || y >= x->type.dims[2] || z >= x->type.dims[3])
                    continue;
                uint64_t plane = (uint64_t)at[0] * x->type.dims[1] + group * per_group + i;
                double tap = w->data[((at[1] * per_group + i) * w->type.dims[2] + ky) * w->type.dims[3] + kx];
                sum += tap * x->data[(plane * x->type.dims[2] + (uint64_t)y) * x->type.dims[3] + (uint64_t)z];
            }
    return sum;
}

// stride, pad, dilation, groups of conv2d's own examples
START_TEST(convolution_is_its_definition) {
    const OpDef *def = op_def(OP_conv2d);
    const OpExample *example = &def->examples[_i];
    Value x, w;
    Tensor *xs = give("x", example->args[0], &x), *ws = give("w", example->args[1], &w);
    Tensor got = run(graph_add(graph, OP_conv2d, (Value[]){x, w}, 2, example->attrs, 4));
    const Attr *a = example->attrs;
    int64_t c[] = {a[0].ints[0], a[0].ints[1], a[1].ints[0], a[1].ints[1], a[2].ints[0], a[2].ints[1], a[3].integer};
    uint32_t at[4] = {0};
    for (uint64_t i = 0; i < type_count(&got.type); i++) {
        ck_assert_double_eq_tol(got.data[i], convolve(xs, ws, c, at), 1e-12);
        for (uint32_t axis = 4; axis-- > 0 && ++at[axis] == got.type.dims[axis];)
            at[axis] = 0;
    }
}
END_TEST

// <conv(x, w), g> = <x, conv_input(g, w)> = <w, conv_weight(x, g)>
START_TEST(convolutions_are_adjoint) {
    const OpExample *example = &op_def(OP_conv2d)->examples[_i];
    Value x, w, g, by_x, by_w;
    Tensor *xs = give("x", example->args[0], &x), *ws = give("w", example->args[1], &w);
    Value y = graph_add(graph, OP_conv2d, (Value[]){x, w}, 2, example->attrs, 4);
    Tensor *gs = give("g", graph_type(graph, y), &g), ys = run(y);
    Value grads[2];
    op_def(OP_conv2d)->vjp(graph, y, g, grads);
    by_x = grads[0], by_w = grads[1];
    ck_assert_int_eq((int)graph_node(graph, by_x)->op, OP_conv2d_input);
    double forward = 0, input = 0, weight = 0;
    for (uint64_t i = 0; i < type_count(&ys.type); i++)
        forward += ys.data[i] * gs->data[i];
    Tensor dx = run(by_x), dw = run(by_w);
    for (uint64_t i = 0; i < type_count(&dx.type); i++)
        input += dx.data[i] * xs->data[i];
    for (uint64_t i = 0; i < type_count(&dw.type); i++)
        weight += dw.data[i] * ws->data[i];
    ck_assert_double_eq_tol(forward, input, 1e-10);
    ck_assert_double_eq_tol(forward, weight, 1e-10);
}
END_TEST

static void check_integers(Op op, DType dtype, double x, double y, double wanted) {
    Value result = build_binary(graph, op, build_constant(graph, dtype, x), build_constant(graph, dtype, y));
    double got = run(result).data[0];
    ck_assert_msg(got == wanted, "%s %g %g is %g instead of %g", op_def(op)->name, x, y, got, wanted);
}

START_TEST(integers_floor_and_wrap) {
    check_integers(OP_floor_div, DTYPE_I32, -7, 2, -4);
    check_integers(OP_floor_div, DTYPE_I32, 7, -2, -4);
    check_integers(OP_floor_div, DTYPE_I32, -7, -2, 3);
    check_integers(OP_floor_mod, DTYPE_I32, -7, 3, 2);
    check_integers(OP_floor_mod, DTYPE_I32, 7, -3, -2);
    check_integers(OP_floor_mod, DTYPE_I32, 7, 0, 0);
    check_integers(OP_floor_div, DTYPE_I32, 7, 0, 0);
    check_integers(OP_floor_mod, DTYPE_F32, -5.5, 2, 0.5);
    check_integers(OP_add, DTYPE_I32, INT32_MAX, 1, INT32_MIN);
    check_integers(OP_sub, DTYPE_U32, 0, 1, UINT32_MAX);
    check_integers(OP_mul, DTYPE_U32, 65536, 65536, 0);
    ck_assert_double_eq(run(build_cast(graph, build_constant(graph, DTYPE_F32, -2.9), DTYPE_I32)).data[0], -2);
    ck_assert_double_eq(run(build_cast(graph, build_constant(graph, DTYPE_F32, 1e20), DTYPE_I32)).data[0], INT32_MAX);
}
END_TEST

START_TEST(gather_clamps) {
    Value data, index;
    Tensor *rows = give("data", TYPE(F32, 3, 2), &data), *chosen = give("index", TYPE(I32, 4), &index);
    double numbers[] = {-5, 2, 9, 0};
    memcpy(chosen->data, numbers, sizeof numbers);
    Tensor got = run(build_gather(graph, data, index));
    uint32_t wanted[] = {0, 2, 2, 0};
    for (uint32_t i = 0; i < 8; i++)
        ck_assert_double_eq(got.data[i], rows->data[wanted[i / 2] * 2 + i % 2]);
}
END_TEST

START_TEST(reductions_stay_finite) {
    Value x;
    Tensor *xs = give("x", TYPE(F32, 2, 3), &x);
    double numbers[] = {1e5, 1e5, 1e5, -INFINITY, -INFINITY, -INFINITY};
    memcpy(xs->data, numbers, sizeof numbers);
    Tensor got = run(build_reduce(graph, OP_logsumexp, x, (int64_t[]){1}, 1));
    ck_assert_double_eq_tol(got.data[0], 1e5 + log(3), 1e-9);
    ck_assert(isinf(got.data[1]) && got.data[1] < 0);
    double far[] = {1e9, 1e9 + 1, 1e9 + 2, 0, 0, 0};
    memcpy(xs->data, far, sizeof far);
    got = run(build_reduce(graph, OP_moments, x, (int64_t[]){1}, 1));
    ck_assert_double_eq(got.data[0], 1e9 + 1);
    ck_assert_double_eq_tol(got.data[2], 2.0 / 3, 1e-15);
}
END_TEST

START_TEST(sources_come_from_outside) {
    Attr draw[] = {attr_text("train.a.eps"), attr_ints((int64_t[]){3}, 1)};
    Tensor got = run(graph_add(graph, OP_random_normal, NULL, 0, draw, 2));
    for (uint32_t i = 0; i < 3; i++)
        ck_assert_double_eq(got.data[i], random_normal(random_element(1, random_name("train.a.eps"), 3, 0, i)));
    ck_assert_double_eq(run(graph_add(graph, OP_number, NULL, 0, (Attr[]){attr_text("steps")}, 1)).data[0], 10);
    ck_assert_double_eq(run(graph_add(graph, OP_table, NULL, 0, (Attr[]){attr_int(0)}, 1)).data[4], 3);
    Value missing = graph_add(graph, OP_state, NULL, 0, (Attr[]){attr_text("s")}, 1);
    Sources sources = inputs_sources(&inputs);
    Diag *diag = diag_create(arena);
    ck_assert_ptr_null(interpret(arena, graph, &sources, NULL, diag));
    ck_assert_uint_eq(diag_error_count(diag), 1);
    (void)missing;
}
END_TEST

START_TEST(initial_numbers) {
    Type type = TYPE(F32, 8, 3), column = TYPE(F32, 1000);
    double numbers[24], again[24], many[1000], mean = 0, square = 0;
    Init icnr = {.kind = INIT_UNIFORM, .a = -2, .b = -1, .factor = 2}, normal = {.kind = INIT_NORMAL, .a = 1, .b = 0.02};
    init_fill(&icnr, &type, "w", 5, numbers);
    for (uint32_t i = 0; i < 24; i++) {
        ck_assert(numbers[i] >= -2 && numbers[i] < -1);
        ck_assert_double_eq(numbers[i], numbers[i / 12 * 12 + i % 3]);
        ck_assert_double_eq(numbers[i], (double)(float)numbers[i]);
    }
    ck_assert_double_ne(numbers[0], numbers[12]);
    init_fill(&icnr, &type, "v", 5, again);
    ck_assert_double_ne(numbers[0], again[0]);
    init_fill(&normal, &column, "scale", 5, many);
    for (uint32_t i = 0; i < 1000; i++) {
        mean += many[i] / 1000;
        square += (many[i] - 1) * (many[i] - 1) / 1000;
    }
    ck_assert_double_eq_tol(mean, 1, 0.003);
    ck_assert_double_eq_tol(sqrt(square), 0.02, 0.002);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("interpret");
    TCase *all = tcase_create("interpret");
    tcase_add_checked_fixture(all, start, end);
    tcase_add_loop_test(all, convolution_is_its_definition, 0, (int)op_def(OP_conv2d)->example_count);
    tcase_add_loop_test(all, convolutions_are_adjoint, 0, (int)op_def(OP_conv2d)->example_count);
    tcase_add_test(all, integers_floor_and_wrap);
    tcase_add_test(all, gather_clamps);
    tcase_add_test(all, reductions_stay_finite);
    tcase_add_test(all, sources_come_from_outside);
    tcase_add_test(all, initial_numbers);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
