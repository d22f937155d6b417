// Graph: types, attributes, interning, text form, builders, verifier.
#include "tests/support/inputs.h"
#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

static Arena *arena;
static Graph *graph;

static void start(void) {
    arena = arena_create();
    graph = graph_create(arena, inputs_module(arena));
    graph->diag = diag_create(arena);
    graph->place = (Place){.file = "x.json", .line = 3, .column = 7, .pointer = "/networks/g"};
}
static void end(void) { arena_destroy(&arena); }

#define SHAPE(...)                                                                                                                         \
    sizeof((uint32_t[]){__VA_ARGS__}) / 4, (uint32_t[]) { __VA_ARGS__ }
static Value feed(const char *name, uint32_t rank, const uint32_t *dims) {
    Type type = type_make(DTYPE_F32, rank, dims);
    return inputs_source(graph, name, &type);
}
static const char *type_of(Value value) {
    Type type = graph_type(graph, value);
    return type_text(arena, &type);
}

START_TEST(types_have_text) {
    Type set = {.dtype = DTYPE_F32, .rank = 1, .set = 1, .dims = {14}}, scalar = type_scalar(DTYPE_BOOL),
         matrix = type_make(DTYPE_I32, SHAPE(4, 3));
    ck_assert_str_eq(type_text(arena, &set), "f32[14 of set 1]");
    ck_assert_str_eq(type_text(arena, &scalar), "bool");
    ck_assert_str_eq(type_text(arena, &matrix), "i32[4,3]");
    ck_assert_uint_eq(type_count(&matrix), 12);
    ck_assert(!type_same_shape(&set, &(Type){.rank = 1, .dims = {14}}));
    DType dtype;
    ck_assert(dtype_parse("u8", &dtype) && dtype == DTYPE_U8);
    ck_assert(!dtype_parse("f64", &dtype));
}
END_TEST

START_TEST(attributes_compare_by_bits) {
    Attr zero = attr_number(0), minus = attr_number(-0.0), nan = attr_number(0.0 / 0.0), tenth = attr_number(0.1);
    ck_assert(!attr_equal(&zero, &minus));
    ck_assert(attr_equal(&nan, &nan));
    Text text = text_create(arena);
    attr_print(&text, &tenth);
    attr_print(&text, &(Attr){.kind = ATTR_INTS, .ints = (int64_t[]){1, -2}, .count = 2});
    attr_print(&text, &(Attr){.kind = ATTR_TEXT, .text = "x"});
    ck_assert_str_eq(text.data, "0.1[1,-2]\"x\"");
}
END_TEST

START_TEST(equal_nodes_are_one) {
    Value x = feed("x", SHAPE(4, 3));
    graph->origin.pointer = "/first";
    Value a = build_unary(graph, OP_exp, x);
    graph->origin.pointer = "/second";
    ck_assert_uint_eq(build_unary(graph, OP_exp, x).id, a.id);
    ck_assert_str_eq(graph_node(graph, a)->origin.pointer, "/first");
    ck_assert_uint_ne(build_unary(graph, OP_log, x).id, a.id);
    ck_assert_uint_ne(build_constant(graph, DTYPE_F32, 0).id, build_constant(graph, DTYPE_F32, -0.0).id);
    ck_assert_uint_ne(build_constant(graph, DTYPE_F32, 1).id, build_constant(graph, DTYPE_I32, 1).id);
    Value last = x;
    for (uint32_t i = 0; i < 5000; i++)
        last = build_number(graph, OP_add, last, i);
    for (uint32_t i = 0; i < 5000; i++)
        x = build_number(graph, OP_add, x, i);
    ck_assert_uint_eq(x.id, last.id);
}
END_TEST

START_TEST(text_form) {
    graph->origin.pointer = "/networks/g/nodes/0";
    Value x = feed("x", SHAPE(4, 3)), y = build_reduce(graph, OP_reduce_sum, x, (int64_t[]){0}, 1);
    graph->origin.maker = "differentiate";
    Value z = build_number(graph, OP_mul, y, 2);
    graph_output(graph, (Output){.kind = OUTPUT_EMIT, .name = "rows", .format = RESULT_ROWS, .value = z});
    Text text = text_create(arena);
    graph_print(&text, graph);
    ck_assert_str_eq(text.data, "%1    = feed name=\"x\" dtype=\"f32\" dims=[4,3] : f32[4,3] ; /networks/g/nodes/0\n"
                                "%2    = reduce_sum %1 axes=[0] : f32[3]      ; /networks/g/nodes/0\n"
                                "%3    = constant value=2 dtype=\"f32\" : f32   ; /networks/g/nodes/0 (differentiate)\n"
                                "%4    = broadcast %3 dims=[3] set=0 : f32[3] ; /networks/g/nodes/0 (differentiate)\n"
                                "%5    = mul %2 %4 : f32[3]                   ; /networks/g/nodes/0 (differentiate)\n"
                                "emit \"rows\" = %5 as rows\n");
}
END_TEST

START_TEST(errors_say_where_and_what) {
    Value x = feed("x", SHAPE(8, 64)), y = feed("y", SHAPE(8));
    ck_assert_uint_eq(build_binary(graph, OP_mul, x, y).id, 0);
    ck_assert(graph->failed);
    ck_assert_str_eq(diag_text(graph->diag, arena), "error: x.json:3:7: /networks/g: mul: f32[8,64] and f32[8] do not broadcast\n");
    ck_assert_uint_eq(build_unary(graph, OP_exp, (Value){0}).id, 0);
    ck_assert_uint_eq(diag_error_count(graph->diag), 1);
}
END_TEST

// Standard error is a file of the test's own, which is read after the child that meets the bug (Check forks for each test) has gone.
static char bug_text[] = "/tmp/gg_bug_XXXXXX";
static int bug_file;

START_TEST(a_bug_ends_the_program) {
    graph->origin.pointer = "/networks/g/nodes/7";
    Value x = feed("x", SHAPE(4, 3));
    dup2(bug_file, STDERR_FILENO);
    graph_bug(graph, x, "%s", "too odd");
}
END_TEST

START_TEST(a_bug_shows_the_node) {
    char text[400] = "";
    ck_assert_int_gt(pread(bug_file, text, sizeof text - 1, 0), 0);
    ck_assert_msg(strstr(text, "gcc-graph: bug: tests/unit/ir_graph.c:") == text, "%s", text);
    ck_assert_msg(strstr(text, ": too odd\n  %1    = feed name=\"x\" dtype=\"f32\" dims=[4,3] : f32[4,3] ; /networks/g/nodes/7\n"), "%s", text);
}
END_TEST

START_TEST(builders_broadcast) {
    Value x = feed("x", SHAPE(2, 1, 4)), y = feed("y", SHAPE(3, 1)),
          net = graph_add(graph, OP_state, NULL, 0, (Attr[]){attr_text("net")}, 1);
    ck_assert_str_eq(type_of(build_binary(graph, OP_add, x, y)), "f32[2,3,4]");
    ck_assert_str_eq(type_of(build_select(graph, build_binary(graph, OP_gt, x, y), y, build_constant(graph, DTYPE_F32, 0))), "f32[2,3,4]");
    ck_assert_str_eq(type_of(build_number(graph, OP_mul, net, 2)), "f32[14 of set 1]");
    ck_assert_str_eq(type_of(build_reduce(graph, OP_reduce_sum, net, NULL, 0)), "f32");
    ck_assert_str_eq(type_of(build_unpack(graph, net, 2)), "f32[1,2,2]");
    Type like = graph_type(graph, y);
    Value wide = build_broadcast(graph, y, &(Type){.rank = 3, .dims = {2, 3, 4}});
    ck_assert_str_eq(type_of(build_sum_to(graph, wide, &like)), "f32[3,1]");
    ck_assert_uint_eq(build_broadcast(graph, y, &like).id, y.id);
    ck_assert_uint_eq(build_slice(graph, y, 0, 0, 3, 1).id, y.id);
    ck_assert_uint_eq(build_transpose(graph, y, (uint32_t[]){0, 1}).id, y.id);
    ck_assert_uint_eq(build_binary(graph, OP_add, net, y).id, 0);
}
END_TEST

START_TEST(copies_leave_dead_nodes_behind) {
    Value x = feed("x", SHAPE(3)), dead = build_unary(graph, OP_exp, x), live = build_unary(graph, OP_neg, x), *moved;
    graph_output(graph, (Output){.kind = OUTPUT_VALUE, .name = "y", .value = live});
    Graph *copy = graph_copy(arena, graph, &moved);
    ck_assert_uint_eq(copy->nodes.count, 3);
    ck_assert_uint_eq(moved[dead.id].id, 0);
    ck_assert_int_eq((int)graph_node(copy, moved[live.id])->op, OP_neg);
}
END_TEST

START_TEST(verifier_finds_damage) {
    Text problems = text_create(arena);
    Value x = feed("x", SHAPE(3)), y = build_unary(graph, OP_exp, x), z = build_unary(graph, OP_log, y);
    ck_assert(graph_verify(graph, &problems));
    Node kept = graph->nodes.items[y.id];
    graph->nodes.items[y.id].type.dims[0] = 4;
    ck_assert(!graph_verify(graph, &problems));
    graph->nodes.items[y.id] = kept;
    graph->nodes.items[y.id].args = &z;
    ck_assert(!graph_verify(graph, &problems));
    graph->nodes.items[y.id] = kept;
    ck_assert(graph_verify(graph, &problems));
    graph_output(graph, (Output){.kind = OUTPUT_STATE, .name = "s", .value = y});
    ck_assert(!graph_verify(graph, &problems));
    graph->outputs.items[0] = (Output){.kind = OUTPUT_REPORT, .name = "r", .value = y};
    ck_assert(!graph_verify(graph, &problems));
}
END_TEST

int main(void) {
    Suite *suite = suite_create("graph");
    TCase *all = tcase_create("graph");
    tcase_add_checked_fixture(all, start, end);
    tcase_add_test(all, types_have_text);
    tcase_add_test(all, attributes_compare_by_bits);
    tcase_add_test(all, equal_nodes_are_one);
    tcase_add_test(all, text_form);
    tcase_add_test(all, errors_say_where_and_what);
    bug_file = mkstemp(bug_text);
    unlink(bug_text);
    tcase_add_test_raise_signal(all, a_bug_ends_the_program, SIGABRT);
    tcase_add_test(all, a_bug_shows_the_node);
    tcase_add_test(all, builders_broadcast);
    tcase_add_test(all, copies_leave_dead_nodes_behind);
    tcase_add_test(all, verifier_finds_damage);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
