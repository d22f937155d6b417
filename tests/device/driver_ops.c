// Every example of every op on the device, against the interpreter in double: fused and not, tiles and reference schedule, each device class.
#include "compiler/compile.h"
#include "compiler/ir/interpret.h"
#include "runtime/base/random.h"
#include "runtime/session.h"
#include <check.h>
#include <math.h>
#include <stdlib.h>

typedef struct {
    Op op;
    uint32_t example;
    const Graph *graph;
    const Tensor *inputs[4];
    const char *names[4];
} Case;

typedef struct {
    Arena *arena;
    Diag *diag;
    Module *module;
    ARRAY(Case) cases;
} OpSuite;

static double input_at(const OpExample *example, DType dtype, uint32_t number, uint32_t element) {
    double u = random_uniform(random_element(11, number, 0, 0, element)), x = example->low + (example->high - example->low) * u;
    if (dtype == DTYPE_BOOL)
        return u < 0.5;
    if (dtype != DTYPE_F32)
        return floor(x);
    if (fabs(x) < example->avoid)
        x = x < 0 ? x - example->avoid : x + example->avoid;
    return (double)(float)x;
}

static const Tensor *find_feed(void *context, const char *name) {
    const Case *the_case = context;
    for (uint32_t i = 0; i < 4; i++)
        if (the_case->names[i] && !strcmp(the_case->names[i], name))
            return the_case->inputs[i];
    return NULL;
}

// A program of one phase, whose feeds are the op's arguments and whose only result is the op's.
static void add_case(OpSuite *suite, Op op, uint32_t number) {
    const OpDef *def = op_def(op);
    const OpExample *example = &def->examples[number];
    Arena *arena = suite->arena;
    Case the_case = {.op = op, .example = number};
    Graph *graph = graph_create(arena, suite->module);
    Phase phase = {.name = "run", .repeat = 1, .graph = graph};
    Value args[4];
    for (uint32_t i = 0; i < example->arg_count; i++) {
        Type type = example->args[i];
        Tensor *tensor = ARENA_NEW(arena, Tensor, 1);
        *tensor = tensor_create(arena, &type);
        for (uint64_t e = 0; e < type_count(&type); e++)
            tensor->data[e] = input_at(example, type.dtype, suite->cases.count * 4 + i, (uint32_t)e);
        const char *name = arena_format(arena, "x%u", i);
        int64_t dims[MAX_RANK];
        for (uint32_t axis = 0; axis < type.rank; axis++)
            dims[axis] = type.dims[axis];
        Attr attrs[3] = {attr_text(name), attr_text(dtype_name(type.dtype)), attr_ints(dims, type.rank)};
        args[i] = graph_add(graph, OP_feed, NULL, 0, attrs, 3);
        Feed feed = {.name = name, .data = "x", .field = name, .split = "train", .batch = 1, .type = type};
        array_push(arena, &phase.feeds, feed);
        the_case.inputs[i] = tensor;
        the_case.names[i] = name;
    }
    Value out = graph_add(graph, op, args, example->arg_count, example->attrs, def->attr_count);
    ck_assert_msg(out.id != 0, "%s: example %u is refused", def->name, number);
    graph_output(graph, (Output){.kind = OUTPUT_EMIT, .name = "y", .format = "tensor", .value = out});
    the_case.graph = graph;
    GraphProgram program = {.name = arena_format(arena, "%s_%u", def->name, number)};
    array_push(arena, &program.phases, phase);
    array_push(arena, &suite->module->programs, program);
    array_push(arena, &suite->cases, the_case);
}

static double tolerance_of(const Graph *graph, const OpDef *def, const OpExample *example) {
    (void)graph;
    double folded = 1;
    for (uint32_t i = 0; i < example->arg_count; i++)
        folded = fmax(folded, (double)type_count(&example->args[i]));
    if (def->op_class == CLASS_VIEW)
        return 0;
    if (def->op_class == CLASS_MAP)
        return 4e-7 * fmax(def->cost, 1);
    if (def->op_class == CLASS_SOURCE)
        return 1e-5; // normals: a few units in the last place of sine and logarithm
    return 4e-7 * sqrt(folded);
}

static const void *as_words(Arena *arena, const Tensor *tensor) {
    uint64_t count = type_count(&tensor->type);
    uint32_t *words = ARENA_NEW(arena, uint32_t, count);
    for (uint64_t i = 0; i < count; i++) {
        float number = (float)tensor->data[i];
        int32_t integer = (int32_t)tensor->data[i];
        memcpy(&words[i], tensor->type.dtype == DTYPE_F32 ? (const void *)&number : &integer, 4);
    }
    return words;
}

static uint32_t compare(const Case *the_case, const Tensor *expected, const void *got, const char *variant) {
    const OpDef *def = op_def(the_case->op);
    double scale = 0, tolerance = tolerance_of(the_case->graph, def, &def->examples[the_case->example]);
    uint64_t count = type_count(&expected->type);
    for (uint64_t i = 0; i < count; i++)
        scale = fmax(scale, fabs(expected->data[i]));
    for (uint64_t i = 0; i < count; i++) {
        float number;
        int32_t integer;
        memcpy(&number, (const char *)got + 4 * i, 4);
        memcpy(&integer, (const char *)got + 4 * i, 4);
        double value = expected->type.dtype == DTYPE_F32 ? (double)number : expected->type.dtype == DTYPE_U32 ? (double)(uint32_t)integer : integer;
        if (!(fabs(value - expected->data[i]) <= tolerance * fmax(scale, 1))) {
            fprintf(stderr, "%s, example %u (%s): element %llu is %.9g, expected %.9g\n", def->name, the_case->example, variant, (unsigned long long)i, value, expected->data[i]);
            return 1;
        }
    }
    return 0;
}

static uint32_t run_all(OpSuite *suite, Device *device, const CompileOptions *options, const char *variant) {
    Compiled *compiled = compile_module(suite->arena, suite->module, options, NULL, suite->diag);
    if (!compiled)
        diag_print(suite->diag, stderr);
    ck_assert_ptr_nonnull(compiled);
    Session *session = session_create(suite->arena, device, compiled->program, &(SessionOptions){.seed = 3, .guards = true}, suite->diag);
    if (!session)
        diag_print(suite->diag, stderr);
    ck_assert_ptr_nonnull(session);
    uint32_t failures = 0;
    for (uint32_t i = 0; i < suite->cases.count; i++) {
        Case *the_case = &suite->cases.items[i];
        const ProgramEntry *entry = &compiled->program->entries.items[i];
        const void *feeds[4] = {NULL};
        for (uint32_t k = 0; k < 4 && the_case->inputs[k]; k++)
            feeds[k] = as_words(suite->arena, the_case->inputs[k]);
        Moment moment = {.step = 5, .steps = 100, .epoch = 1, .epoch_steps = 4, .repetition = 2};
        SessionResult result;
        bool got;
        ck_assert(session_submit(session, entry, &entry->phases.items[0], &moment, feeds, 0, suite->diag));
        ck_assert(session_take(session, true, &result, &got, suite->diag) && got);
        Sources sources = {.context = the_case, .feed = find_feed, .seed = 3, .step = 5, .steps = 100, .epoch = 1, .epoch_steps = 4, .repetition = 2};
        Tensor *values = interpret(suite->arena, the_case->graph, &sources, NULL, suite->diag);
        failures += compare(the_case, &values[the_case->graph->outputs.items[0].value.id], result.values[0], variant);
    }
    session_destroy(&session);
    return failures;
}

START_TEST(every_example_on_the_device) {
    OpSuite suite = {.arena = arena_create()};
    suite.diag = diag_create(suite.arena);
    suite.module = ARENA_NEW(suite.arena, Module, 1);
    *suite.module = (Module){.arena = suite.arena, .name = "ops", .resolved = "{}"};
    Device *device = device_create(suite.arena, &(DeviceOptions){.validation = true}, suite.diag);
    if (!device) {
        diag_print(suite.diag, stderr);
        exit(77);
    }
    for (int op = 1; op < OP_COUNT; op++) {
        const OpDef *def = op_def((Op)op);
        bool fits = def->op_class != CLASS_SET && def->op_class != CLASS_META && op != OP_state && op != OP_table && op != OP_feed;
        for (uint32_t i = 0; fits && i < def->example_count; i++)
            if (def->examples[i].args[0].dtype != DTYPE_U8 && !(op == OP_broadcast && def->examples[i].attrs[1].integer))
                add_case(&suite, (Op)op, i);
    }
    uint32_t failures = 0;
    static const TargetClass classes[] = {TARGET_CPU, TARGET_GPU, TARGET_ANY};
    for (int i = 0; i < 3; i++) {
        Target target = device_info(device)->target;
        if (classes[i] == TARGET_ANY)
            target = target_default(TARGET_ANY);
        target.target_class = classes[i];
        failures += run_all(&suite, device, &(CompileOptions){.target = target}, target_class_name(classes[i]));
    }
    Target target = device_info(device)->target;
    failures += run_all(&suite, device, &(CompileOptions){.target = target, .no_fuse = true, .reference_schedule = true}, "no fusion, reference schedule");
    ck_assert_uint_eq(failures, 0);
    ck_assert_msg(device_validation_messages(device) == 0, "%s", device_validation_text(device));
    device_destroy(&device);
    arena_destroy(&suite.arena);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("ops on the device");
    TCase *tests = tcase_create("ops");
    tcase_set_timeout(tests, 600);
    tcase_add_test(tests, every_example_on_the_device);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK); // drivers start threads
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
