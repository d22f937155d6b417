// Winograd: convolutions by transformed tiles compute the same, where they are made, and are left alone elsewhere.
#include "compiler/ir/module.h"
#include "compiler/passes/winograd.h"
#include "tests/support/compare.h"
#include <check.h>
#include <stdlib.h>

static Arena *arena;
static Module *module;
static Graph *graph;
static Inputs inputs;

static void start(void) {
    arena = arena_create();
    module = inputs_module(arena);
    graph = graph_create(arena, module);
    inputs = (Inputs){0};
}
static void end(void) { arena_destroy(&arena); }

static Value source(const char *name, uint32_t a, uint32_t b, uint32_t c, uint32_t d) {
    Type type = type_make(DTYPE_F32, 4, (uint32_t[]){a, b, c, d});
    Tensor *tensor = ARENA_NEW(arena, Tensor, 1);
    *tensor = inputs_random(arena, &type, -1, 1, strlen(name));
    inputs_give(&inputs, name, tensor);
    return inputs_source(graph, name, &type);
}

typedef struct {
    uint32_t n, ci, co, height, width, taps;
    int64_t pad[2], stride, dilation, groups;
    bool applies;
} ConvCase;

static const ConvCase conv_cases[] = {
    {2, 3, 5, 7, 6, 3, {1, 1}, 1, 1, 1, true},  {1, 4, 2, 5, 9, 3, {0, 2}, 1, 1, 1, true},   {2, 1, 1, 3, 3, 3, {0, 0}, 1, 1, 1, true},
    {1, 2, 3, 1, 1, 3, {1, 1}, 1, 1, 1, true},  {3, 2, 2, 13, 4, 3, {2, 2}, 1, 1, 1, true},  {1, 2, 2, 8, 8, 3, {1, 1}, 2, 1, 1, false},
    {1, 2, 2, 8, 8, 3, {1, 1}, 1, 2, 1, false}, {1, 4, 4, 6, 6, 3, {1, 1}, 1, 1, 2, false},  {1, 2, 2, 8, 8, 5, {2, 2}, 1, 1, 1, false},
    {1, 2, 2, 4, 4, 3, {3, 3}, 1, 1, 1, false},
};

static void output(Value value) { graph_output(graph, (Output){.kind = OUTPUT_VALUE, .name = "value", .value = value}); }

// The convolution and its gradients by both operands.
static void convolve(const ConvCase *c) {
    uint32_t out[2] = {c->height, c->width};
    for (int i = 0; i < 2; i++)
        out[i] = (uint32_t)((out[i] + 2 * c->pad[i] - c->dilation * (c->taps - 1) - 1) / c->stride + 1);
    Value x = source("x", c->n, c->ci, c->height, c->width), w = source("ww", c->co, c->ci / (uint32_t)c->groups, c->taps, c->taps), g = source("ggg", c->n, c->co, out[0], out[1]);
    Attr attrs[6] = {attr_ints((int64_t[]){c->stride, c->stride}, 2), attr_ints(c->pad, 2), attr_ints((int64_t[]){c->dilation, c->dilation}, 2), attr_int(c->groups)};
    output(graph_add(graph, OP_conv2d, (Value[]){x, w}, 2, attrs, 4));
    attrs[4] = attr_ints((int64_t[]){c->height, c->width}, 2);
    output(graph_add(graph, OP_conv2d_input, (Value[]){g, w}, 2, attrs, 5));
    attrs[4] = attr_ints((int64_t[]){c->taps, c->taps}, 2), attrs[5] = attr_int(1);
    output(graph_add(graph, OP_conv2d_weight, (Value[]){x, g}, 2, attrs, 6));
}

static Graph *transformed(WinogradChoice choice, TargetClass target_class, uint32_t *count) {
    Target target = target_default(target_class);
    PassContext context = {.module = module, .target = &target, .sets = layout_sets(arena, module, &target), .winograd = choice};
    WinogradMoved moved = {.refused = ARENA_NEW(arena, bool, graph->nodes.count)};
    Graph *after = winograd_graph(arena, graph, &context, &moved);
    *count = moved.ids.count;
    return after;
}

START_TEST(computes_the_same) {
    const ConvCase *c = &conv_cases[_i / 2];
    convolve(c);
    uint32_t count;
    Graph *after = transformed(_i % 2 ? WINOGRAD_TILE_4 : WINOGRAD_TILE_2, TARGET_CPU, &count);
    ck_assert_uint_eq(count, c->applies ? 3 : 0);
    const Graph *graphs[2] = {graph, after};
    Tensor *values[2];
    Sources sources = inputs_sources(&inputs);
    Text problem = text_create(arena);
    ck_assert_msg(graph_verify(after, &problem), "%s", problem.data);
    for (uint32_t i = 0; i < 2; i++) {
        Diag *diag = diag_create(arena);
        values[i] = interpret(arena, graphs[i], &sources, NULL, diag);
        ck_assert_msg(values[i], "%s", diag_text(diag, arena));
    }
    for (uint32_t i = 0; i < graph->outputs.count; i++)
        ck_assert_msg(compare_tensors(&values[1][after->outputs.items[i].value.id], &values[0][graph->outputs.items[i].value.id], 1e-10, &problem),
                      "output %u: %s", i, problem.data);
}
END_TEST

// By the estimate: many channels on a CPU, few not, and neither on a GPU nor where arithmetic is exact.
START_TEST(is_chosen_where_it_pays) {
    static const struct {
        uint32_t channels;
        TargetClass target_class;
        bool is_exact, is_chosen;
    } cases[] = {{256, TARGET_CPU, false, true}, {3, TARGET_CPU, false, false}, {256, TARGET_GPU, false, false}, {256, TARGET_CPU, true, false}};
    convolve(&(ConvCase){8, cases[_i].channels, cases[_i].channels, 16, 16, 3, {1, 1}, 1, 1, 1, true});
    module->is_exact = cases[_i].is_exact;
    uint32_t count;
    transformed(WINOGRAD_AUTO, cases[_i].target_class, &count);
    ck_assert_uint_eq(count > 0, cases[_i].is_chosen);
    transformed(WINOGRAD_NEVER, cases[_i].target_class, &count);
    ck_assert_uint_eq(count, 0);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("winograd");
    TCase *all = tcase_create("winograd");
    tcase_set_timeout(all, 60);
    tcase_add_checked_fixture(all, start, end);
    tcase_add_loop_test(all, computes_the_same, 0, 2 * (int)(sizeof conv_cases / sizeof *conv_cases));
    tcase_add_loop_test(all, is_chosen_where_it_pays, 0, 4);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
