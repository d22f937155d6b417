// Programs of single ops on a device: each case is a program of one phase, whose feeds are tensors and whose results are values of a graph.
#pragma once
#include "compiler/compile.h"
#include "compiler/ir/interpret.h"
#include "compiler/read/read.h"
#include "runtime/base/file.h"
#include "runtime/session/session.h"
#include <check.h>
#include <stdlib.h>
#include <unistd.h>

enum { OP_FEEDS_MAX = 4 };

typedef struct {
    const char *name;
    Graph *graph;
    const Tensor *inputs[OP_FEEDS_MAX];
    const char *names[OP_FEEDS_MAX];
    uint32_t input_count;
    Phase phase; // until op_case_end
    const void *more; // what the test keeps of the case
} OpCase;

typedef struct {
    Arena *arena;
    Diag *diag;
    Module *module;
    ARRAY(OpCase) cases;
} OpSuite;

// got: the elements of the case's result number `output`, four bytes each.
typedef uint32_t (*OpCheck)(void *context, const OpCase *the_case, uint32_t output, const void *got, const char *variant);

static inline OpSuite op_suite_create(void) {
    OpSuite suite = {.arena = arena_create()};
    suite.diag = diag_create(suite.arena);
    suite.module = ARENA_NEW(suite.arena, Module, 1);
    *suite.module = (Module){.arena = suite.arena, .name = "ops", .resolved = "{}"};
    return suite;
}

// A document that is a text of the test's own.
static inline Module *op_suite_read(Arena *arena, const char *text, Diag *diag) {
    char path[] = "/tmp/gg_test_XXXXXX.json";
    int file = mkstemps(path, 5);
    ck_assert(file >= 0 && file_write(path, text, strlen(text), diag));
    close(file);
    Module *module = read_document(arena, &(ReadOptions){.path = path}, diag);
    remove(path);
    ck_assert_msg(module != NULL, "%s", diag_text(diag, arena));
    return module;
}

static inline OpCase op_case_begin(OpSuite *suite, const char *name) {
    OpCase the_case = {.name = name, .graph = graph_create(suite->arena, suite->module)};
    the_case.phase = (Phase){.name = "run", .repeat = 1, .graph = the_case.graph};
    return the_case;
}

static inline Value op_case_feed(OpSuite *suite, OpCase *the_case, const Tensor *tensor) {
    const char *name = arena_format(suite->arena, "x%u", the_case->input_count);
    int64_t dims[MAX_RANK];
    for (uint32_t axis = 0; axis < tensor->type.rank; axis++)
        dims[axis] = tensor->type.dims[axis];
    Attr attrs[3] = {attr_text(name), attr_text(dtype_name(tensor->type.dtype)), attr_ints(dims, tensor->type.rank)};
    Feed feed = {.name = name, .data = "x", .field = name, .split = "train", .batch = 1, .type = tensor->type};
    array_push(suite->arena, &the_case->phase.feeds, feed);
    the_case->inputs[the_case->input_count] = tensor;
    the_case->names[the_case->input_count++] = name;
    return graph_add(the_case->graph, OP_feed, NULL, 0, attrs, 3);
}

static inline void op_case_emit(OpSuite *suite, OpCase *the_case, Value value) {
    const char *name = arena_format(suite->arena, "y%u", the_case->graph->outputs.count);
    graph_output(the_case->graph, (Output){.kind = OUTPUT_EMIT, .name = name, .format = RESULT_TENSOR, .value = value});
}

static inline void op_case_end(OpSuite *suite, const OpCase *the_case) {
    GraphProgram program = {.name = arena_format(suite->arena, "case_%u", suite->cases.count)};
    array_push(suite->arena, &program.phases, the_case->phase);
    array_push(suite->arena, &suite->module->programs, program);
    array_push(suite->arena, &suite->cases, *the_case);
}

static inline const Tensor *op_case_find_feed(void *context, const char *name) {
    const OpCase *the_case = context;
    for (uint32_t i = 0; i < the_case->input_count; i++)
        if (!strcmp(the_case->names[i], name))
            return the_case->inputs[i];
    return NULL;
}

static inline const void *op_words(Arena *arena, const Tensor *tensor) {
    uint64_t count = type_count(&tensor->type);
    uint32_t *words = ARENA_NEW(arena, uint32_t, count);
    for (uint64_t i = 0; i < count; i++) {
        float number = (float)tensor->data[i];
        uint32_t integer = tensor->type.dtype == DTYPE_F32 ? 0 : (uint32_t)(int64_t)tensor->data[i];
        memcpy(&words[i], tensor->type.dtype == DTYPE_F32 ? (const void *)&number : &integer, 4);
    }
    return words;
}

// An element of a result as the judge would hold it.
static inline double op_number(DType dtype, const void *got, uint64_t element) {
    float number;
    int32_t integer;
    memcpy(&number, (const char *)got + 4 * element, 4);
    memcpy(&integer, (const char *)got + 4 * element, 4);
    return dtype == DTYPE_F32 ? (double)number : dtype == DTYPE_U32 ? (double)(uint32_t)integer : integer;
}

// The moment at which all cases run.
static inline Moment op_suite_moment(void) { return (Moment){.step = 5, .steps = 100, .epoch = 1, .epoch_steps = 4, .repetition = 2, .records = 3}; }

static inline Sources op_suite_sources(OpCase *the_case) {
    return (Sources){.context = the_case, .feed = op_case_find_feed, .seed = 3, .step = 5, .steps = 100, .epoch = 1, .epoch_steps = 4, .repetition = 2, .records = 3};
}

// Compiles all cases and runs them; returns the sum of what `check` returns.
static inline uint32_t op_suite_run(OpSuite *suite, Device *device, const CompileOptions *options, const char *variant, OpCheck check, void *context) {
    Compiled *compiled = compile_module(suite->arena, suite->module, options, NULL, suite->diag);
    if (!compiled)
        diag_print(suite->diag, stderr);
    ck_assert_ptr_nonnull(compiled);
    Session *session = session_create(suite->arena, device, compiled->program, &(SessionOptions){.seed = 3, .guards = true}, suite->diag);
    if (!session)
        diag_print(suite->diag, stderr);
    ck_assert_ptr_nonnull(session);
    uint32_t failures = 0;
    Moment moment = op_suite_moment();
    for (uint32_t i = 0; i < suite->cases.count; i++) {
        const OpCase *the_case = &suite->cases.items[i];
        const ProgramEntry *entry = &compiled->program->entries.items[i];
        const void *feeds[OP_FEEDS_MAX] = {NULL};
        for (uint32_t k = 0; k < the_case->input_count; k++)
            feeds[k] = op_words(suite->arena, the_case->inputs[k]);
        SessionResult result;
        bool got;
        ck_assert(session_submit(session, entry, &entry->phases.items[0], &moment, feeds, 0, suite->diag));
        ck_assert(session_take(session, true, &result, &got, suite->diag) && got);
        for (uint32_t k = 0; k < the_case->graph->outputs.count; k++)
            failures += check(context, the_case, k, result.values[k], variant);
    }
    session_destroy(&session);
    return failures;
}

// All device classes, fused; and without fusion by the reference schedule.
static inline uint32_t op_suite_run_all(OpSuite *suite, Device *device, OpCheck check, void *context) {
    static const TargetClass classes[] = {TARGET_CPU, TARGET_GPU, TARGET_ANY};
    uint32_t failures = 0;
    for (int i = 0; i < 3; i++) {
        Target target = device_info(device)->target;
        if (classes[i] == TARGET_ANY)
            target = target_default(TARGET_ANY);
        target.target_class = classes[i];
        failures += op_suite_run(suite, device, &(CompileOptions){.target = target}, target_class_name(classes[i]), check, context);
    }
    CompileOptions plain = {.target = device_info(device)->target, .no_fuse = true, .reference_schedule = true};
    return failures + op_suite_run(suite, device, &plain, "no fusion, reference schedule", check, context);
}

// The device, under validation; ends the test as skipped where there is none.
static inline Device *op_suite_device(OpSuite *suite) {
    Device *device = device_create(suite->arena, &(DeviceOptions){.validation = true}, suite->diag);
    if (!device) {
        diag_print(suite->diag, stderr);
        exit(77);
    }
    return device;
}

static inline void op_suite_end(OpSuite *suite, Device *device) {
    ck_assert_msg(device_validation_messages(device) == 0, "%s", device_validation_text(device));
    device_destroy(&device);
    arena_destroy(&suite->arena);
}

static inline int op_suite_main(const char *name, void (*add)(TCase *tests)) {
    Suite *suite = suite_create(name);
    TCase *tests = tcase_create("ops");
    tcase_set_timeout(tests, 0);
    add(tests);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK); // drivers start threads
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
