// Prepare: convolutions of upsamplings, and their gradients to the second order, are the same after the pass; targets of gradients stay.
#include "compiler/layers/build.h"
#include "compiler/passes/prepare.h"
#include "tests/support/compare.h"
#include <check.h>
#include <stdlib.h>

typedef struct {
    uint32_t kernel[2];
    int64_t factor[2], pad[2], stride, dilation;
    uint32_t groups;
    bool rewritten;
} Case;

static const Case cases[] = {
    {{3, 3}, {2, 2}, {1, 1}, 1, 1, 1, true},   {{3, 3}, {2, 2}, {0, 0}, 1, 1, 1, true},  {{3, 3}, {2, 2}, {2, 2}, 1, 1, 1, true},
    {{5, 3}, {2, 3}, {2, 1}, 1, 1, 1, true},   {{4, 2}, {3, 2}, {1, 0}, 1, 1, 1, true},  {{1, 3}, {2, 2}, {0, 1}, 1, 1, 1, true},
    {{3, 3}, {1, 2}, {1, 1}, 1, 1, 1, true},   {{3, 3}, {4, 4}, {1, 1}, 1, 1, 1, true},  {{1, 1}, {2, 2}, {0, 0}, 1, 1, 1, false},
    {{3, 3}, {2, 2}, {3, 3}, 1, 1, 1, false},  {{3, 3}, {2, 2}, {1, 1}, 2, 1, 1, false}, {{3, 3}, {2, 2}, {2, 2}, 1, 2, 1, false},
    {{3, 3}, {2, 2}, {1, 1}, 1, 1, 2, false},
};
enum { CASE_COUNT = sizeof cases / sizeof *cases };

static Arena *arena;
static Graph *graph;
static Inputs inputs;

static void start(void) {
    arena = arena_create();
    graph = graph_create(arena, inputs_module(arena));
    inputs = (Inputs){0};
}
static void end(void) { arena_destroy(&arena); }

static Value source(const char *name, const uint32_t dims[4]) {
    Type type = type_make(DTYPE_F32, 4, dims);
    Tensor *tensor = ARENA_NEW(arena, Tensor, 1);
    *tensor = inputs_random(arena, &type, -1, 1, strlen(name));
    inputs_give(&inputs, name, tensor);
    return inputs_source(graph, name, &type);
}

static void output(const char *name, Value value) { graph_output(graph, (Output){.kind = OUTPUT_VALUE, .name = name, .value = value}); }
static Value square_sum(Value x) { return build_reduce(graph, OP_reduce_sum, build_binary(graph, OP_mul, x, x), NULL, 0); }
static Value gradient(Value scalar, Value by) { return graph_add(graph, OP_gradient, (Value[]){scalar, by}, 2, NULL, 0); }

static Value convolve(const Case *c, Value x, Value w) {
    Attr attrs[] = {attr_ints((int64_t[]){c->stride, c->stride}, 2), attr_ints(c->pad, 2), attr_ints((int64_t[]){c->dilation, c->dilation}, 2), attr_int(c->groups)};
    return graph_add(graph, OP_conv2d, (Value[]){x, w}, 2, attrs, 4);
}

static uint32_t count_ops(const Graph *of, Op op) {
    uint32_t count = 0;
    for (uint32_t id = 1; id < of->nodes.count; id++)
        count += of->nodes.items[id].op == op;
    return count;
}

static void check_same(const Graph *prepared) {
    Graph *graphs[2] = {differentiate_graph(arena, graph), differentiate_graph(arena, prepared)};
    Tensor *values[2];
    Sources sources = inputs_sources(&inputs);
    Text problem = text_create(arena);
    for (uint32_t i = 0; i < 2; i++) {
        Diag *diag = diag_create(arena);
        ck_assert_msg(graph_verify(graphs[i], &problem), "%s", problem.data);
        values[i] = interpret(arena, graphs[i], &sources, NULL, diag);
        ck_assert_msg(values[i], "%s", diag_text(diag, arena));
    }
    for (uint32_t i = 0; i < graph->outputs.count; i++)
        ck_assert_msg(compare_tensors(&values[1][graphs[1]->outputs.items[i].value.id], &values[0][graphs[0]->outputs.items[i].value.id], 1e-10, &problem), "%s: %s",
                      graph->outputs.items[i].name, problem.data);
}

START_TEST(means_the_same) {
    const Case *c = &cases[_i];
    Value x = source("x", (uint32_t[]){2, 4, 3, 4}), w = source("weight", (uint32_t[]){6, 4 / c->groups, c->kernel[0], c->kernel[1]});
    Value y = convolve(c, pool_upsample(graph, x, c->factor), w);
    Value loss = build_reduce(graph, OP_reduce_sum, build_unary(graph, OP_tanh, y), NULL, 0);
    Value by_x = gradient(loss, x), by_w = gradient(loss, w), penalty = build_binary(graph, OP_add, square_sum(by_x), square_sum(by_w));
    output("y", y), output("by x", by_x), output("by w", by_w);
    output("twice by x", gradient(penalty, x)), output("twice by w", gradient(penalty, w));
    Graph *prepared = prepare_graph(arena, graph);
    ck_assert_uint_eq(count_ops(prepared, OP_conv2d), c->rewritten ? 0 : 1);
    ck_assert_uint_eq(count_ops(prepared, OP_conv2d_input), c->rewritten ? 1 : 0);
    check_same(prepared);
}
END_TEST

START_TEST(a_target_between_stays) {
    Value x = source("x", (uint32_t[]){2, 4, 3, 4}), w = source("weight", (uint32_t[]){6, 4, 3, 3}), up = pool_upsample(graph, x, cases[0].factor);
    output("by up", gradient(square_sum(convolve(&cases[0], up, w)), up));
    Graph *prepared = prepare_graph(arena, graph);
    ck_assert_uint_eq(count_ops(prepared, OP_conv2d), 1);
    check_same(prepared);
}
END_TEST

// What repeats other axes, or merges them otherwise, is no upsampling.
START_TEST(lookalikes_stay) {
    Value x = source("x", (uint32_t[]){2, 4, 3, 4}), w = source("weight", (uint32_t[]){6, 8, 3, 3});
    Value split = build_reshape(graph, x, 6, (uint32_t[]){2, 4, 1, 3, 1, 4});
    Value channels = build_reshape(graph, build_broadcast_dims(graph, split, 6, (uint32_t[]){2, 4, 2, 3, 1, 4}), 4, (uint32_t[]){2, 8, 3, 4});
    Value other = source("other weight", (uint32_t[]){6, 4, 3, 3});
    Value turned = build_reshape(graph, build_broadcast_dims(graph, split, 6, (uint32_t[]){2, 4, 2, 3, 2, 4}), 4, (uint32_t[]){2, 4, 6, 8});
    Value narrow = build_reshape(graph, x, 6, (uint32_t[]){2, 4, 3, 1, 4, 1});
    Value odd = build_reshape(graph, build_broadcast_dims(graph, narrow, 6, (uint32_t[]){2, 4, 3, 2, 4, 2}), 4, (uint32_t[]){2, 4, 12, 4});
    output("channels", convolve(&cases[0], channels, w));
    output("tiled", convolve(&cases[0], turned, other));
    output("merged otherwise", convolve(&cases[0], odd, other));
    Graph *prepared = prepare_graph(arena, graph);
    ck_assert_uint_eq(count_ops(prepared, OP_conv2d), 3);
    check_same(prepared);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("prepare");
    TCase *all = tcase_create("prepare");
    tcase_add_checked_fixture(all, start, end);
    tcase_add_loop_test(all, means_the_same, 0, CASE_COUNT);
    tcase_add_test(all, a_target_between_stays);
    tcase_add_test(all, lookalikes_stay);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
