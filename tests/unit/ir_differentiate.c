// Differentiate: awkward places, parameter sets, detach, gradients of gradients, the pass.
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

#define B(op, a, b) build_binary(graph, OP_##op, a, b)
#define N(op, a, number) build_number(graph, OP_##op, a, number)
static Value sum(Value x) { return build_reduce(graph, OP_reduce_sum, x, NULL, 0); }
static Value gradient_node(Value scalar, Value by) { return graph_add(graph, OP_gradient, (Value[]){scalar, by}, 2, NULL, 0); }
static Value net(void) { return graph_add(graph, OP_state, NULL, 0, (Attr[]){attr_text("net")}, 1); }

static Value given(const char *name, uint32_t count, const double *numbers) {
    Type type = type_make(DTYPE_F32, 1, &count);
    Tensor *tensor = ARENA_NEW(arena, Tensor, 1);
    *tensor = tensor_create(arena, &type);
    memcpy(tensor->data, numbers, count * sizeof *numbers);
    inputs_give(&inputs, name, tensor);
    return inputs_source(graph, name, &type);
}
#define GIVEN(name, ...) given(name, sizeof((double[]){__VA_ARGS__}) / 8, (double[]){__VA_ARGS__})

static Tensor run(const Graph *of, Value value) {
    Sources sources = inputs_sources(&inputs);
    Diag *diag = diag_create(arena);
    Tensor *values = interpret(arena, of, &sources, NULL, diag);
    ck_assert_msg(values, "%s", diag_text(diag, arena));
    return values[value.id];
}

static void check_gradient(Value scalar, Value by, uint32_t count, const double *wanted) {
    Value gradient;
    differentiate(graph, scalar, &by, 1, &gradient);
    Tensor got = run(graph, gradient);
    for (uint32_t i = 0; i < count; i++)
        ck_assert_msg(isnan(wanted[i]) ? isnan(got.data[i]) : fabs(got.data[i] - wanted[i]) < 1e-12, "element %u: %g instead of %g", i, got.data[i], wanted[i]);
}
#define CHECK_GRADIENT(scalar, by, ...) check_gradient(scalar, by, sizeof((double[]){__VA_ARGS__}) / 8, (double[]){__VA_ARGS__})

START_TEST(powers_of_negative_numbers) {
    Value x = GIVEN("x", -2, -1, 0, 3), y = GIVEN("y", 3, 2, 2, 2), zero = GIVEN("z", 0, 0, 0, 0);
    CHECK_GRADIENT(sum(N(pow, x, 3)), x, 12, 3, 0, 27);
    CHECK_GRADIENT(sum(N(pow, x, 2)), x, -4, -2, 0, 6);
    CHECK_GRADIENT(sum(N(pow, x, 0)), x, 0, 0, 0, 0);
    CHECK_GRADIENT(sum(N(pow, x, 1)), x, 1, 1, 1, 1);
    CHECK_GRADIENT(sum(B(pow, x, y)), x, 12, -2, 0, 6);
    CHECK_GRADIENT(sum(B(pow, x, zero)), x, 0, 0, 0, 0);
    CHECK_GRADIENT(sum(B(pow, x, y)), y, NAN, NAN, 0, 9 * log(3));
}
END_TEST

START_TEST(equals_share) {
    Value x = GIVEN("x", 1, 4, 4, 2), y = GIVEN("y", 1, 5, 3, 2), six = GIVEN("six", 3, 7, 7, 1, 7, 2);
    CHECK_GRADIENT(sum(B(maximum, x, y)), x, 0.5, 0, 1, 0.5);
    CHECK_GRADIENT(sum(B(minimum, x, y)), y, 0.5, 0, 1, 0.5);
    CHECK_GRADIENT(build_reduce(graph, OP_reduce_max, x, NULL, 0), x, 0, 0.5, 0.5, 0);
    Value square = build_reshape(graph, six, 2, (uint32_t[]){2, 3});
    CHECK_GRADIENT(build_reduce(graph, OP_reduce_max, square, NULL, 0), six, 0, 1.0 / 3, 1.0 / 3, 0, 1.0 / 3, 0);
    CHECK_GRADIENT(sum(build_reduce(graph, OP_reduce_max, square, (int64_t[]){0}, 1)), six, 1, 0.5, 1, 0, 0.5, 0);
    CHECK_GRADIENT(sum(build_reduce(graph, OP_reduce_max, square, (int64_t[]){1}, 1)), six, 0, 0.5, 0.5, 0, 1, 0);
}
END_TEST

START_TEST(what_does_not_depend_is_zero) {
    Value x = GIVEN("x", 1, 2), y = GIVEN("y", 3, 4), detached = build_unary(graph, OP_detach, x);
    CHECK_GRADIENT(sum(B(mul, detached, y)), x, 0, 0);
    CHECK_GRADIENT(sum(B(mul, detached, x)), x, 1, 2);
    CHECK_GRADIENT(sum(y), x, 0, 0);
    CHECK_GRADIENT(sum(build_cast(graph, build_cast(graph, x, DTYPE_I32), DTYPE_F32)), x, 0, 0);
    ck_assert(depends_on(graph, sum(B(mul, x, y)), x));
    ck_assert(depends_on(graph, x, x));
    ck_assert(!depends_on(graph, sum(B(mul, detached, y)), x));
    ck_assert(!depends_on(graph, sum(build_unary(graph, OP_floor, x)), x));
    ck_assert(!depends_on(graph, build_cast(graph, build_cast(graph, x, DTYPE_I32), DTYPE_F32), x));
    ck_assert(depends_on(graph, gradient_node(sum(B(mul, x, x)), x), x));
    ck_assert(!depends_on(graph, x, sum(x)));
}
END_TEST

START_TEST(a_value_inside_is_a_target_too) {
    Value x = GIVEN("x", 1, 2), square = B(mul, x, x), targets[] = {x, square}, gradients[2];
    differentiate(graph, sum(B(mul, square, square)), targets, 2, gradients);
    ck_assert_double_eq(run(graph, gradients[0]).data[1], 32);
    ck_assert_double_eq(run(graph, gradients[1]).data[1], 8);
}
END_TEST

START_TEST(a_set_gets_one_pack) {
    Value set = net(), total = {0}, gradient;
    for (uint32_t i = 0; i < 3; i++) {
        Value part = build_unpack(graph, set, i), term = B(add, sum(B(mul, part, part)), sum(build_unary(graph, OP_exp, part)));
        if (i != 1)
            total = total.id ? B(add, total, term) : term;
    }
    uint32_t before = graph->nodes.count, packs = 0, set_sums = 0;
    differentiate(graph, total, &set, 1, &gradient);
    for (uint32_t id = before; id < graph->nodes.count; id++) {
        packs += graph->nodes.items[id].op == OP_pack;
        set_sums += graph->nodes.items[id].op == OP_add && graph->nodes.items[id].type.set != 0;
    }
    ck_assert_uint_eq(packs, 1);
    ck_assert_uint_eq(set_sums, 0);
    Type type = graph_type(graph, set);
    Tensor numbers = inputs_random(arena, &type, -1, 1, 5);
    inputs_give(&inputs, "net", &numbers);
    Tensor got = run(graph, gradient);
    for (uint32_t i = 0; i < 14; i++) {
        double wanted = i >= 6 && i < 10 ? 0 : 2 * numbers.data[i] + exp(numbers.data[i]);
        ck_assert_double_eq_tol(got.data[i], wanted, 1e-12);
    }
}
END_TEST

START_TEST(through_a_step_of_an_optimizer) {
    Value set = net(), one = sum(build_unary(graph, OP_exp, build_unpack(graph, set, 0))), gradient;
    differentiate(graph, one, &set, 1, &gradient);
    Value stepped = B(sub, set, N(mul, gradient, 0.1)), two = sum(B(mul, build_unpack(graph, stepped, 0), build_unpack(graph, stepped, 0)));
    two = B(add, two, N(mul, sum(stepped), 0.5));
    Type type = graph_type(graph, set);
    Tensor numbers = inputs_random(arena, &type, -1, 1, 5);
    inputs_give(&inputs, "net", &numbers);
    const char *name = "net";
    Text problem = text_create(arena);
    ck_assert_msg(compare_gradients(arena, graph, two, &set, &name, 1, &inputs, &problem), "%s", problem.data);
}
END_TEST

// WGAN-GP's penalty: the gradient of (|d f / dx| - 1)^2 by a parameter.
START_TEST(gradients_of_gradients_by_the_pass) {
    Value x = GIVEN("x", 0.3, -0.7), w = GIVEN("w", 1.5, 0.4);
    Value score = sum(build_unary(graph, OP_tanh, B(mul, w, x))), g = gradient_node(score, x);
    Value norm = build_unary(graph, OP_sqrt, sum(B(mul, g, g))), loss = N(pow, N(sub, norm, 1), 2);
    graph_output(graph, (Output){.kind = OUTPUT_VALUE, .name = "by w", .value = gradient_node(loss, w)});
    graph_output(graph, (Output){.kind = OUTPUT_VALUE, .name = "by x", .value = gradient_node(loss, x)});
    graph_output(graph, (Output){.kind = OUTPUT_VALUE, .name = "loss", .value = loss});
    Graph *done = differentiate_graph(arena, graph);
    Text problems = text_create(arena);
    ck_assert_msg(graph_verify(done, &problems), "%s", problems.data);
    for (uint32_t id = 1; id < done->nodes.count; id++)
        ck_assert(done->nodes.items[id].op != OP_gradient);
    Tensor by_w = run(done, done->outputs.items[0].value), by_x = run(done, done->outputs.items[1].value);
    double *weights = inputs.tensors[1]->data, *place = inputs.tensors[0]->data, h = 1e-5;
    for (uint32_t i = 0; i < 4; i++) {
        double *number = i < 2 ? &weights[i] : &place[i - 2], kept = *number;
        *number = kept + h;
        double above = run(done, done->outputs.items[2].value).data[0];
        *number = kept - h;
        double below = run(done, done->outputs.items[2].value).data[0];
        *number = kept;
        ck_assert_double_eq_tol((i < 2 ? by_w : by_x).data[i % 2], (above - below) / (2 * h), 1e-7);
    }
}
END_TEST

START_TEST(origins_tell_the_maker) {
    graph->origin.pointer = "/nodes/5";
    Value x = GIVEN("x", 1, 2), y = sum(build_unary(graph, OP_sin, x)), gradient;
    graph->origin.pointer = "/nodes/6";
    differentiate(graph, y, &x, 1, &gradient);
    ck_assert_str_eq(graph_node(graph, gradient)->origin.pointer, "/nodes/5");
    ck_assert_str_eq(graph_node(graph, gradient)->origin.maker, "differentiate");
    ck_assert_str_eq(graph->origin.pointer, "/nodes/6");
}
END_TEST

int main(void) {
    Suite *suite = suite_create("differentiate");
    TCase *all = tcase_create("differentiate");
    tcase_add_checked_fixture(all, start, end);
    tcase_add_test(all, powers_of_negative_numbers);
    tcase_add_test(all, equals_share);
    tcase_add_test(all, what_does_not_depend_is_zero);
    tcase_add_test(all, a_value_inside_is_a_target_too);
    tcase_add_test(all, a_set_gets_one_pack);
    tcase_add_test(all, through_a_step_of_an_optimizer);
    tcase_add_test(all, gradients_of_gradients_by_the_pass);
    tcase_add_test(all, origins_tell_the_maker);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
