// Expand: composite ops mean what they expand to, in gradients of any order too; what is claimed stays.
#include "compiler/ir/expansion.h"
#include "compiler/passes/expand.h"
#include "tests/support/compare.h"
#include <check.h>
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

static Value source(const char *name, uint32_t rank, const uint32_t *dims) {
    Type type = type_make(DTYPE_F32, rank, dims);
    Tensor *tensor = ARENA_NEW(arena, Tensor, 1);
    *tensor = inputs_random(arena, &type, -1, 1, strlen(name));
    inputs_give(&inputs, name, tensor);
    return inputs_source(graph, name, &type);
}

static void output(const char *name, Value value) { graph_output(graph, (Output){.kind = OUTPUT_VALUE, .name = name, .value = value}); }
static Value square_sum(Value x) { return build_reduce(graph, OP_reduce_sum, build_binary(graph, OP_mul, x, x), NULL, 0); }
static Value gradient(Value scalar, Value by) { return graph_add(graph, OP_gradient, (Value[]){scalar, by}, 2, NULL, 0); }

static uint32_t count_ops(const Graph *of, Op op) {
    uint32_t count = 0;
    for (uint32_t id = 1; id < of->nodes.count; id++)
        count += of->nodes.items[id].op == op;
    return count;
}

static bool claims_softmax(const void *context, const Graph *of, const Node *node) {
    ++*(uint32_t *)(uintptr_t)context;
    return node->op == OP_softmax && of->nodes.count > 0;
}

// What the graph computes as it stands, where composites are interpreted, and after the pass.
static void check_same(const Graph *of, ExpandClaimed claimed, uint32_t *asked) {
    Graph *graphs[2] = {differentiate_graph(arena, of), NULL};
    graphs[1] = expand_graph(arena, graphs[0], claimed, asked);
    Tensor *values[2];
    Sources sources = inputs_sources(&inputs);
    Text problem = text_create(arena);
    for (uint32_t i = 0; i < 2; i++) {
        Diag *diag = diag_create(arena);
        ck_assert_msg(graph_verify(graphs[i], &problem), "%s", problem.data);
        values[i] = interpret(arena, graphs[i], &sources, NULL, diag);
        ck_assert_msg(values[i], "%s", diag_text(diag, arena));
    }
    for (uint32_t i = 0; i < of->outputs.count; i++)
        ck_assert_msg(compare_tensors(&values[1][graphs[1]->outputs.items[i].value.id], &values[0][graphs[0]->outputs.items[i].value.id], 1e-10, &problem), "%s: %s",
                      of->outputs.items[i].name, problem.data);
    ck_assert_uint_eq(count_ops(graphs[1], OP_attention), 0);
    ck_assert_uint_eq(count_ops(graphs[1], OP_softmax) > 0, claimed != NULL);
}

// Arguments that are one value, and that depend on each other: each path is counted once.
START_TEST(arguments_may_be_related) {
    Value x = source("x", 3, (uint32_t[]){2, 4, 3}), turned = build_unary(graph, OP_sin, x);
    Value same = build_attention(graph, x, x, x, (Value){0}, true), chain = build_attention(graph, turned, x, build_unary(graph, OP_exp, turned), (Value){0}, false);
    Value square = source("square", 2, (uint32_t[]){3, 3}), transposed = build_transpose(graph, square, (uint32_t[]){1, 0});
    Value part = build_attention(graph, transposed, square, transposed, (Value){0}, false); // its expansion has `transposed`, too
    Value scalar = build_binary(graph, OP_add, build_binary(graph, OP_add, square_sum(same), square_sum(chain)), square_sum(part));
    Text problem = text_create(arena);
    bool ok = compare_gradients(arena, graph, scalar, (Value[]){x, square}, (const char *const[]){"x", "square"}, 2, &inputs, &problem);
    ck_assert_msg(ok, "%s", problem.data);
}
END_TEST

START_TEST(means_the_same) {
    Value q = source("q", 3, (uint32_t[]){2, 3, 4}), k = source("key", 3, (uint32_t[]){2, 5, 4}), v = source("value", 3, (uint32_t[]){2, 5, 2});
    Value y = build_attention(graph, q, k, v, source("mask", 2, (uint32_t[]){3, 5}), _i == 1), loss = square_sum(y);
    Value by_q = gradient(loss, q), penalty = square_sum(by_q);
    output("y", y), output("by q", by_q), output("by k", gradient(loss, k)), output("by v", gradient(loss, v));
    output("twice by k", gradient(penalty, k));
    uint32_t asked = 0;
    check_same(graph, NULL, NULL);
    check_same(graph, claims_softmax, &asked);
    ck_assert_uint_gt(asked, 0);
}
END_TEST

START_TEST(a_graph_without_composites_stays) {
    Value x = source("x", 2, (uint32_t[]){2, 3});
    output("y", build_unary(graph, OP_exp, x));
    Text before = text_create(arena), after = text_create(arena);
    graph_print(&before, graph);
    graph_print(&after, expand_graph(arena, graph, NULL, NULL));
    ck_assert_str_eq(before.data, after.data);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("expand");
    TCase *all = tcase_create("expand");
    tcase_add_checked_fixture(all, start, end);
    tcase_add_test(all, arguments_may_be_related);
    tcase_add_loop_test(all, means_the_same, 0, 2);
    tcase_add_test(all, a_graph_without_composites_stays);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
