// Every phase of every shipped graph means the same before and after `prepare` and `simplify`, at the sizes of its preset `check`.
#include "compiler/ir/differentiate.h"
#include "compiler/passes/expand.h"
#include "compiler/passes/prepare.h"
#include "compiler/passes/simplify.h"
#include "compiler/read/read.h"
#include "runtime/base/file.h"
#include "tests/support/compare.h"
#include <check.h>
#include <stdlib.h>

typedef struct {
    Arena *arena;
    const Module *module;
    const GraphProgram *program;
    const Phase *phase;
} Given;

static const Tensor *give_state(void *context, const char *name) {
    const Given *given = context;
    const State *state = module_state(given->module, name);
    Tensor *tensor = ARENA_NEW(given->arena, Tensor, 1);
    double low = 0, high = 0.1;
    switch (state->kind) {
    case STATE_PARAMETERS:
    case STATE_EMA:
    case STATE_PROGRAM:
    case STATE_SUM:
        low = -0.3, high = 0.3;
        break;
    case STATE_RUNNING:
        low = 0.5, high = 1.5;
        break;
    case STATE_MOMENT:
    case STATE_COUNT:
    case STATE_CONDITION:
        break;
    }
    *tensor = inputs_random(given->arena, &state->type, low, high, strlen(name));
    for (uint64_t i = 0; state->type.dtype != DTYPE_F32 && i < type_count(&state->type); i++)
        tensor->data[i] = 3;
    return tensor;
}

// Integers are 1: in the range of any field.
static const Tensor *give_feed(void *context, const char *name) {
    const Given *given = context;
    for (uint32_t i = 0; i < given->phase->feeds.count + given->program->inputs.count; i++) {
        uint32_t feed_count = given->phase->feeds.count;
        const Feed *feed = i < feed_count ? &given->phase->feeds.items[i] : &given->program->inputs.items[i - feed_count];
        if (strcmp(feed->name, name) != 0)
            continue;
        Tensor *tensor = ARENA_NEW(given->arena, Tensor, 1);
        *tensor = inputs_random(given->arena, &feed->type, -1, 1, 5);
        for (uint64_t k = 0; feed->type.dtype != DTYPE_F32 && k < type_count(&feed->type); k++)
            tensor->data[k] = 1;
        return tensor;
    }
    return NULL;
}

static Tensor *run(Arena *arena, const Graph *graph, const Sources *sources) {
    bool *needed = ARENA_NEW(arena, bool, graph->nodes.count);
    for (uint32_t i = 0; i < graph->outputs.count; i++)
        needed[graph->outputs.items[i].value.id] = true;
    Diag *diag = diag_create(arena);
    Tensor *values = interpret(arena, graph, sources, needed, diag);
    ck_assert_msg(values, "%s", diag_text(diag, arena));
    return values;
}

static void check_phase(const Module *module, const GraphProgram *program, const Phase *phase, const char *file) {
    Arena *arena = arena_create();
    Given given = {arena, module, program, phase};
    const char *name = arena_format(arena, "%s %s/%s", file, program->name, phase->name);
    Sources sources = {.context = &given, .state = give_state, .feed = give_feed, .seed = 1, .step = 2, .steps = 10, .epoch_steps = 3, .records = 3};
    Graph *before = differentiate_graph(arena, phase->graph);
    Graph *after = simplify_graph(arena, expand_graph(arena, differentiate_graph(arena, prepare_graph(arena, phase->graph)), NULL, NULL));
    Text problem = text_create(arena);
    ck_assert_msg(graph_verify(before, &problem), "%s: %s", name, problem.data);
    ck_assert_msg(graph_verify(after, &problem), "%s: %s", name, problem.data);
    Tensor *wanted = run(arena, before, &sources), *got = run(arena, after, &sources);
    ck_assert_uint_eq(before->outputs.count, after->outputs.count);
    for (uint32_t i = 0; i < before->outputs.count; i++) {
        bool ok = compare_tensors(&got[after->outputs.items[i].value.id], &wanted[before->outputs.items[i].value.id], 1e-6, &problem);
        ck_assert_msg(ok, "%s: output \"%s\": %s", name, before->outputs.items[i].name, problem.data);
    }
    arena_destroy(&arena);
}

static const char **find_graphs(Arena *arena, uint32_t *count) {
    uint32_t all;
    const char **names = file_list(arena, GG_SOURCE_DIR "/graphs", &all, diag_create(arena));
    *count = 0;
    for (uint32_t i = 0; names && i < all; i++)
        if (text_ends_with(names[i], ".json") && strcmp(names[i], "schema.json") != 0)
            names[(*count)++] = names[i];
    return names;
}

START_TEST(every_graph) {
    Arena *arena = arena_create();
    uint32_t count;
    const char **names = find_graphs(arena, &count);
    ReadOptions options = {.path = file_join(arena, GG_SOURCE_DIR "/graphs", names[_i]), .preset = "check"};
    Diag *diag = diag_create(arena);
    Module *module = read_document(arena, &options, diag);
    ck_assert_msg(module, "%s", diag_text(diag, arena));
    for (uint32_t p = 0; p < module->programs.count; p++)
        for (uint32_t i = 0; i < module->programs.items[p].phases.count; i++)
            check_phase(module, &module->programs.items[p], &module->programs.items[p].phases.items[i], names[_i]);
    arena_destroy(&arena);
}
END_TEST

int main(void) {
    Arena *arena = arena_create();
    uint32_t count;
    find_graphs(arena, &count);
    Suite *suite = suite_create("graphs");
    TCase *all = tcase_create("graphs");
    tcase_set_timeout(all, 300);
    tcase_add_loop_test(all, every_graph, 0, (int)count);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    arena_destroy(&arena);
    return failed || count == 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
