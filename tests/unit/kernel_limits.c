// Limits: documents that recurse or explode are refused with their place, soon and on a small stack; what is large within the limits is compiled.
#include "compiler/compile.h"
#include "compiler/ir/differentiate.h"
#include "compiler/ir/interpret.h"
#include "compiler/read/read.h"
#include "runtime/base/file.h"
#include <check.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { STACK_SIZE = 1 << 20, PATIENCE = 10 }; // seconds of a processor, on a slow machine and with sanitizers; without, a fraction of one

typedef struct {
    const char *text;
    bool is_compiled;
    Arena *arena;
    Diag *diag;
    const Module *module;
    double seconds;
} Job;

static double cpu_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void interpret_all(Job *job, const Phase *phase) {
    Graph *graph = differentiate_phase(job->arena, phase->graph, phase->name, job->diag);
    if (!graph)
        return;
    Sources none = {0};
    ck_assert_ptr_nonnull(interpret(job->arena, graph, &none, graph_reached(job->arena, graph), job->diag));
}

static void *work(void *context) {
    Job *job = context;
    char path[] = "/tmp/gg_limits_XXXXXX";
    int descriptor = mkstemp(path);
    ck_assert_int_ge(descriptor, 0);
    close(descriptor);
    ck_assert(file_write(path, job->text, strlen(job->text), job->diag));
    double start = cpu_seconds();
    Module *module = read_document(job->arena, &(ReadOptions){.path = path}, job->diag);
    job->seconds = cpu_seconds() - start;
    job->module = module;
    unlink(path);
    if (!module || !job->is_compiled)
        return NULL;
    interpret_all(job, &module->programs.items[0].phases.items[0]);
    CompileOptions options = {.target = target_default(TARGET_CPU), .no_spirv = true};
    compile_module(job->arena, module, &options, NULL, job->diag);
    return NULL;
}

static void read_on_a_small_stack(Job *job) {
    pthread_attr_t attributes;
    pthread_t thread;
    ck_assert(pthread_attr_init(&attributes) == 0 && pthread_attr_setstacksize(&attributes, STACK_SIZE) == 0);
    ck_assert(pthread_create(&thread, &attributes, work, job) == 0 && pthread_join(thread, NULL) == 0);
    pthread_attr_destroy(&attributes);
}

static const char *repeated(Arena *arena, const char *piece, uint32_t count) {
    Text text = text_create(arena);
    for (uint32_t i = 0; i < count; i++)
        text_append(&text, piece);
    return text.data;
}

static const char *program(Arena *arena, const char *nodes) {
    return arena_format(arena,
                        "{\"gcc-graph\": 1, \"programs\": {\"run\": {\"phases\": [{\"name\": \"all\", \"nodes\": [{\"random\": \"normal\", "
                        "\"shape\": [2, 3], \"as\": \"x\"}, %s, {\"emit\": \"y\", \"value\": \"$\", \"format\": \"tensor\"}]}]}}}",
                        nodes);
}

// An expression of a piece again and again, before and behind the value.
static const struct {
    const char *name, *before, *value, *after;
    uint32_t count;
    const char *message; // NULL: right
} expressions[] = {
    {"parentheses", "(", "x", ")", 100000, "nested more than 100 deep"},
    {"minus", "-", "x", "", 100000, "nested more than 100 deep"},
    {"not", "not ", "x", "", 100000, "nested more than 100 deep"},
    {"powers", "x^", "x", "", 50000, "nested more than 100 deep"},
    {"lists", "[", "x", "]", 50000, "nested more than 100 deep"},
    {"calls", "abs(", "x", ")", 50000, "nested more than 100 deep"},
    {"indices in a row", "", "x", "[0:]", 60000, "more than 100 indices, names and calls in a row"},
    {"names in a row", "", "x", ".a", 60000, "more than 100 indices, names and calls in a row"},
    {"indices", "", "x[0", ", 0", 60000, "too many indices for f32[2,3]"}, // and "]"
    {"terms", "", "x", " + x", 20000, NULL},
    {"factors", "", "x", " * x", 20000, NULL},
};

START_TEST(expressions_are_bounded) {
    Arena *arena = arena_create();
    Job job = {.arena = arena, .diag = diag_create(arena), .is_compiled = !expressions[_i].message};
    bool is_indices = !strcmp(expressions[_i].name, "indices");
    const char *text = arena_format(arena, "%s%s%s%s", repeated(arena, expressions[_i].before, expressions[_i].count), expressions[_i].value,
                                    repeated(arena, expressions[_i].after, expressions[_i].count), is_indices ? "]" : "");
    job.text = program(arena, arena_format(arena, "{\"expr\": \"%s\"}", text));
    read_on_a_small_stack(&job);
    const char *message = expressions[_i].message, *said = diag_text(job.diag, arena);
    ck_assert_msg((job.module == NULL) == (message != NULL), "%s: %s", expressions[_i].name, said);
    ck_assert_msg(!message || (strstr(said, message) && strstr(said, "/programs/run/phases/0/nodes/1/expr: ")), "%s: %s", expressions[_i].name,
                  said);
    ck_assert_msg(message || diag_error_count(job.diag) == 0, "%s: %s", expressions[_i].name, said);
    ck_assert_msg(strlen(said) < 1000, "%s says %zu bytes", expressions[_i].name, strlen(said));
    ck_assert_msg(job.seconds < PATIENCE, "%s took %.1f s", expressions[_i].name, job.seconds);
    arena_destroy(&arena);
}
END_TEST

static const struct {
    const char *name, *nodes, *message;
} lists[] = {
    {"a chain of maps", "{\"for\": \"i\", \"below\": 10000, \"nodes\": [{\"for\": \"j\", \"below\": 2, \"nodes\": [{\"expr\": \"1 / ($ + x)\"}]}]}", NULL},
    {"a chain of sums", "{\"for\": \"i\", \"below\": 3000, \"nodes\": [{\"expr\": \"$ + sum($)\"}]}", NULL},
    {"a chain of views", "{\"for\": \"i\", \"below\": 3000, \"nodes\": [{\"expr\": \"transpose(concat([$[:, 1:], $[:, :1]], 1) + 1, [1, 0])\"}, {\"expr\": \"transpose($, [1, 0])\"}]}", NULL},
    {"a gradient of a chain",
     "{\"for\": \"i\", \"below\": 5000, \"nodes\": [{\"expr\": \"tanh($) * x\"}]}, {\"expr\": \"sum($)\", \"as\": \"l\"}, {\"gradient\": \"l\", \"of\": \"x\"}", NULL},
    {"loops that depend on each other",
     "{\"for\": \"i\", \"below\": 300, \"nodes\": [{\"for\": \"j\", \"below\": \"i\", \"nodes\": [{\"for\": \"k\", \"below\": \"j\", \"nodes\": [{\"expr\": \"$ + 1\"}]}]}]}",
     "/programs/run/phases/0/nodes/1: this makes 9,000,501 nodes; a document may have 2,000,000"},
    {"a loop that is 90 deep as lists and short", NULL, NULL},
    {"loops as deep as they may not be", NULL, "nested more than"},
};

// `for` in `for`, each run once
static const char *loops(Arena *arena, uint32_t depth) {
    Text text = text_create(arena);
    for (uint32_t i = 0; i < depth; i++)
        text_append(&text, "{\"for\": \"i\", \"below\": 1, \"nodes\": [");
    text_append(&text, "{\"expr\": \"$ + 1\"}");
    for (uint32_t i = 0; i < depth; i++)
        text_append(&text, "]}");
    return text.data;
}

START_TEST(lists_of_nodes_are_bounded) {
    Arena *arena = arena_create();
    Job job = {.arena = arena, .diag = diag_create(arena), .is_compiled = !lists[_i].message};
    job.text = program(arena, lists[_i].nodes ? lists[_i].nodes : loops(arena, lists[_i].message ? 97 : 90));
    read_on_a_small_stack(&job);
    const char *said = diag_text(job.diag, arena);
    ck_assert_msg((job.module == NULL) == (lists[_i].message != NULL), "%s: %s", lists[_i].name, said);
    ck_assert_msg(lists[_i].message ? strstr(said, lists[_i].message) != NULL : diag_error_count(job.diag) == 0, "%s: %s", lists[_i].name, said);
    ck_assert_msg(job.seconds < PATIENCE, "%s took %.1f s", lists[_i].name, job.seconds);
    arena_destroy(&arena);
}
END_TEST

// Recursion that a condition ends stands, up to the depth that there is; beyond it, the block is named.
START_TEST(recursion_ends_by_a_condition) {
    Arena *arena = arena_create();
    for (uint32_t depth = 89; depth < 150; depth += 60) {
        Job job = {.arena = arena, .diag = diag_create(arena), .is_compiled = true};
        job.text = arena_format(arena,
                                "{\"gcc-graph\": 1, \"blocks\": {\"b\": {\"inputs\": [\"x\"], \"let\": {\"k\": %u}, \"nodes\": [{\"expr\": \"x + 1\"}, {\"if\": \"k > 0\", "
                                "\"block\": \"b\", \"with\": {\"k\": \"k - 1\"}}]}}, \"programs\": {\"run\": {\"phases\": [{\"name\": \"all\", \"nodes\": [{\"expr\": \"fill(0, [2])\"}, "
                                "{\"block\": \"b\"}, {\"emit\": \"y\", \"value\": \"$\", \"format\": \"tensor\"}]}]}}}",
                                depth);
        read_on_a_small_stack(&job);
        const char *said = diag_text(job.diag, arena);
        if (depth < 100) {
            ck_assert_msg(job.module && !diag_error_count(job.diag), "%s", said);
            const Graph *graph = job.module->programs.items[0].phases.items[0].graph;
            Sources none = {0};
            double first = interpret(arena, graph, &none, graph_reached(arena, graph), job.diag)[graph->outputs.items[0].value.id].data[0];
            ck_assert_double_eq(first, depth + 1);
        } else {
            ck_assert_ptr_null(job.module);
            ck_assert_msg(strstr(said, "/blocks/b/nodes/1: blocks, networks and loops are nested more than 100 deep"), "%s", said);
            ck_assert_uint_eq(diag_error_count(job.diag), 1);
        }
    }
    arena_destroy(&arena);
}
END_TEST

START_TEST(a_gradient_of_a_gradient_of_a_gradient_ends) {
    Arena *arena = arena_create();
    Text nodes = text_create(arena);
    text_append(&nodes, "{\"expr\": \"sum(tanh(x) * x)\", \"as\": \"l\"}");
    for (uint32_t i = 0; i < 25; i++)
        text_append(&nodes, ", {\"gradient\": \"l\", \"of\": \"x\", \"as\": \"g\"}, {\"expr\": \"sum(g * tanh(g))\", \"as\": \"l\"}");
    Job job = {.arena = arena, .diag = diag_create(arena), .text = program(arena, nodes.data)};
    read_on_a_small_stack(&job);
    ck_assert_msg(job.module != NULL, "%s", diag_text(job.diag, arena));
    ck_assert_ptr_null(differentiate_phase(arena, job.module->programs.items[0].phases.items[0].graph, "run/all", job.diag));
    ck_assert_ptr_nonnull(strstr(diag_text(job.diag, arena), "phase run/all: /programs/run/phases/0/nodes/"));
    arena_destroy(&arena);
}
END_TEST

// Each step of a running sum reads the one before it at three places: computed where a contraction reads it, its element would take 3^n of them.
START_TEST(operands_that_are_computed_end) {
    Arena *arena = arena_create();
    Job job = {.arena = arena, .diag = diag_create(arena)};
    job.text = program(arena, "{\"random\": \"normal\", \"shape\": [32, 32], \"as\": \"w\"}, {\"expr\": \"matmul(w, cumsum(cumsum(cumsum(w))))\"}");
    read_on_a_small_stack(&job);
    ck_assert_msg(job.module != NULL, "%s", diag_text(job.diag, arena));
    double start = cpu_seconds();
    CompileOptions options = {.target = target_default(TARGET_CPU), .no_spirv = true, .operands = OPERANDS_COMPUTED};
    ck_assert_msg(compile_module(arena, job.module, &options, NULL, job.diag) != NULL, "%s", diag_text(job.diag, arena));
    ck_assert_msg(cpu_seconds() - start < PATIENCE, "it took %.1f s", cpu_seconds() - start);
    arena_destroy(&arena);
}
END_TEST

START_TEST(json_is_bounded) {
    Arena *arena = arena_create();
    static const char *const pieces[] = {"[", "{\"a\":", "[{\"a\": "};
    for (uint32_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        Job job = {.arena = arena, .diag = diag_create(arena), .text = repeated(arena, pieces[i], 100000)};
        read_on_a_small_stack(&job);
        ck_assert_ptr_null(job.module);
        ck_assert_ptr_nonnull(strstr(diag_text(job.diag, arena), "nested more than 200 levels deep"));
    }
    Text networks = text_create(arena);
    for (uint32_t i = 1000; i > 0; i--)
        text_format(&networks, "\"n%u\": {\"dims\": [\"k\"], \"inputs\": {\"x\": [\"k\", 4]}, \"nodes\": [{\"call\": \"n%u\", \"in\": \"x\"}]}, ", i, i - 1);
    Job job = {.arena = arena, .diag = diag_create(arena)};
    job.text = arena_format(arena, "{\"gcc-graph\": 1, \"networks\": {%s\"n0\": {\"dims\": [\"k\"], \"inputs\": {\"x\": [\"k\", 4]}, \"nodes\": []}}}", networks.data);
    read_on_a_small_stack(&job);
    ck_assert_ptr_null(job.module);
    ck_assert_ptr_nonnull(strstr(diag_text(job.diag, arena), "/networks/n900: blocks, networks and loops are nested more than 100 deep"));
    arena_destroy(&arena);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("kernel_limits");
    TCase *tests = tcase_create("limits");
    tcase_set_timeout(tests, 300);
    tcase_add_loop_test(tests, expressions_are_bounded, 0, sizeof expressions / sizeof *expressions);
    tcase_add_loop_test(tests, lists_of_nodes_are_bounded, 0, sizeof lists / sizeof *lists);
    tcase_add_test(tests, recursion_ends_by_a_condition);
    tcase_add_test(tests, a_gradient_of_a_gradient_of_a_gradient_ends);
    tcase_add_test(tests, operands_that_are_computed_end);
    tcase_add_test(tests, json_is_bounded);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
