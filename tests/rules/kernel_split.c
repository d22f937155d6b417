// Split: what folds too many elements for one workgroup is folded in two stages, and sums are taken from sums that are part of them, with the same result.
#include "compiler/ir/module.h"
#include "compiler/passes/split.h"
#include "tests/support/compare.h"
#include <check.h>
#include <stdlib.h>

enum { LONGEST = 1 << 22 }; // that one workgroup folds

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

static Value source(const char *name, const Type *type) {
    Tensor *tensor = ARENA_NEW(arena, Tensor, 1);
    *tensor = inputs_random(arena, type, -1, 1, strlen(name));
    inputs_give(&inputs, name, tensor);
    return inputs_source(graph, name, type);
}

static void output(Value value) { graph_output(graph, (Output){.kind = OUTPUT_VALUE, .name = "value", .value = value}); }

// Elements that one result of the longest fold is made of.
static uint64_t longest(const Graph *of) {
    uint64_t most = 0;
    for (uint32_t id = 1; id < of->nodes.count; id++) {
        const Node *node = &of->nodes.items[id];
        if (node->op != OP_reduce_sum && node->op != OP_reduce_max)
            continue;
        uint64_t count = type_count(&of->nodes.items[node->args[0].id].type) / type_count(&node->type);
        most = count > most ? count : most;
    }
    return most;
}

// Interprets the graph as it is and as the pass makes it.
static void check_same(uint64_t binding, bool is_changed) {
    Target target = target_default(TARGET_CPU);
    PassContext context = {.module = module, .target = &target, .sets = layout_sets(arena, module, &target)};
    target.storage_range_max = binding;
    Graph *after = split_graph(arena, graph, &context);
    const Graph *graphs[2] = {graph, after};
    Tensor *values[2];
    Sources sources = inputs_sources(&inputs);
    Text problem = text_create(arena);
    ck_assert_msg(graph_verify(after, &problem), "%s", problem.data);
    ck_assert_uint_le(longest(after), LONGEST);
    for (uint32_t i = 0; i < 2; i++) {
        Diag *diag = diag_create(arena);
        values[i] = interpret(arena, graphs[i], &sources, NULL, diag);
        ck_assert_msg(values[i], "%s", diag_text(diag, arena));
    }
    for (uint32_t i = 0; i < graph->outputs.count; i++)
        ck_assert_msg(compare_tensors(&values[1][after->outputs.items[i].value.id], &values[0][graph->outputs.items[i].value.id], 1e-10, &problem),
                      "output %u: %s", i, problem.data);
    Text texts[2] = {text_create(arena), text_create(arena)};
    graph_print(&texts[0], graph), graph_print(&texts[1], after);
    ck_assert_msg((strcmp(texts[0].data, texts[1].data) != 0) == is_changed, "%s", texts[1].data);
}

// Axes that pieces divide, and one that they leave something of; several axes, of which one, none alone, or the first is too long.
START_TEST(tensors) {
    static const struct {
        uint32_t rank, dims[4], axis_count;
        int64_t axes[4];
        bool is_changed;
    } cases[] = {
        {1, {LONGEST}, 1, {0}, false},
        {1, {LONGEST + 8}, 1, {0}, true},
        {1, {LONGEST + 1999}, 1, {0}, true},
        {2, {3, LONGEST + 3}, 1, {1}, true},
        {2, {LONGEST + 3, 2}, 1, {0}, true},
        {3, {3000, 2, 1500}, 2, {0, 2}, true},
        {4, {2, 1, LONGEST / 2 + 5, 1}, 3, {0, 2, 3}, true},
        {3, {2, LONGEST / 2, 2}, 1, {1}, false},
    };
    Type type = type_make(DTYPE_F32, cases[_i].rank, cases[_i].dims);
    Value x = source("x", &type);
    output(build_reduce(graph, OP_reduce_sum, x, cases[_i].axes, cases[_i].axis_count));
    output(build_reduce(graph, OP_reduce_max, x, cases[_i].axes, cases[_i].axis_count));
    check_same(UINT64_C(1) << 27, cases[_i].is_changed);
}
END_TEST

// The norm of a parameter set: part by part where one is too long itself, or all together are larger than a binding.
START_TEST(sets) {
    Set set = {.network = "n"};
    const uint32_t shapes[][2] = {{100, 7}, {1, 1}, {_i == 0 ? LONGEST + 11 : 300, 1}};
    Value parts[3];
    for (uint32_t i = 0; i < 3; i++) {
        Part part = {.name = arena_format(arena, "n.%u", i), .type = type_make(DTYPE_F32, i == 1 ? 0 : 2, shapes[i]), .offset = set.count};
        set.count += type_count(&part.type);
        parts[i] = source(part.name, &part.type);
        array_push(arena, &set.parts, part);
    }
    array_push(arena, &module->sets, set);
    Value packed = build_pack(graph, module->sets.count, parts, 3), scaled = build_number(graph, OP_mul, packed, 3);
    output(build_reduce(graph, OP_reduce_sum, build_binary(graph, OP_mul, scaled, scaled), NULL, 0));
    output(build_reduce(graph, OP_reduce_max, build_unary(graph, OP_abs, packed), NULL, 0));
    check_same(_i == 2 ? 2000 : UINT64_C(1) << 27, _i != 1);
}
END_TEST

// The second sum over more axes of a tensor is made of the first, whichever axes are left; not the first of the second, not of a small tensor, of sums over
// axes that it has not, of another tensor, or where the module is exact.
START_TEST(shared) {
    static const struct {
        int64_t first[4], second[4];
        uint32_t first_count, second_count, height;
        bool is_exact, is_changed;
    } cases[] = {
        {{2, 3}, {0, 2, 3}, 2, 3, 90, false, true}, {{0}, {0, 1, 2, 3}, 1, 4, 90, false, true}, {{1, 3}, {0, 1, 3}, 2, 3, 90, false, true},
        {{0, 2, 3}, {2, 3}, 3, 2, 90, false, false}, {{1, 3}, {0, 2, 3}, 2, 3, 90, false, false}, {{2, 3}, {0, 2, 3}, 2, 3, 9, false, false},
        {{2, 3}, {0, 2, 3}, 2, 3, 90, true, false},
    };
    Type type = type_make(DTYPE_F32, 4, (uint32_t[]){3, 5, cases[_i].height, 13});
    Value x = source("x", &type), other = source("other", &type);
    module->is_exact = cases[_i].is_exact;
    output(build_reduce(graph, OP_reduce_sum, x, cases[_i].first, cases[_i].first_count));
    output(build_reduce(graph, OP_reduce_sum, x, cases[_i].second, cases[_i].second_count));
    output(build_reduce(graph, OP_reduce_sum, other, cases[_i].second, cases[_i].second_count));
    check_same(UINT64_C(1) << 27, cases[_i].is_changed);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("split");
    TCase *all = tcase_create("split");
    tcase_set_timeout(all, 60);
    tcase_add_checked_fixture(all, start, end);
    tcase_add_loop_test(all, tensors, 0, 8);
    tcase_add_loop_test(all, sets, 0, 3);
    tcase_add_loop_test(all, shared, 0, 7);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
