// Values and first and second derivatives at singular points: each row of singular.def by the judge and on the device, against what PyTorch has.
#include "compiler/compile.h"
#include "compiler/ir/differentiate.h"
#include "compiler/ir/interpret.h"
#include "compiler/read/read.h"
#include "runtime/base/file.h"
#include "tests/device/op_suite.h"
#include <float.h>
#include <math.h>
#include <unistd.h>

#define OPEN(...) __VA_ARGS__
enum { NUMBERS_MAX = 32 };

typedef struct {
    const char *name, *expression;
    uint32_t rows, columns, value_count, second_count;
    double x[NUMBERS_MAX];
    double expected[3][NUMBERS_MAX]; // value, first and second derivative
} Singular;

static const Singular singulars[] = {
#define SINGULAR(name, expression, rows, columns, x, y, first, second)                                                                     \
    {#name, expression, rows, columns, sizeof((double[]){OPEN y}) / sizeof(double), sizeof((double[]){0, OPEN second}) / sizeof(double) - 1,  \
     {OPEN x}, {{OPEN y}, {OPEN first}, {OPEN second}}},
#include "tests/device/singular.def"
#undef SINGULAR
};
enum { SINGULAR_COUNT = sizeof singulars / sizeof *singulars };

// 0*sum(x): not everything depends on x, nor does every derivative.
static const char *document(Arena *arena) {
    Text text = text_create(arena);
    text_append(&text, "{\"gcc-graph\": 1, \"name\": \"singular\", \"data\": {");
    for (uint32_t i = 0; i < SINGULAR_COUNT; i++)
        text_format(&text, "%s\"d%u\": {\"batch\": %u, \"fields\": {\"x\": {\"shape\": [%s]}}}", i ? ", " : "", i, singulars[i].rows,
                    singulars[i].columns ? arena_format(arena, "%u", singulars[i].columns) : "");
    text_append(&text, "}, \"programs\": {");
    for (uint32_t i = 0; i < SINGULAR_COUNT; i++)
        text_format(&text,
                    "%s\"p%u\": {\"mode\": \"train\", \"phases\": [{\"name\": \"a\", \"feed\": {\"x\": \"d%u.x\"}, \"nodes\": [{\"expr\": \"%s\", \"as\": \"y\"},"
                    "{\"gradient\": \"sum(y) + 0*sum(x)\", \"of\": \"x\", \"as\": \"g\"}, {\"gradient\": \"sum(g) + 0*sum(x)\", \"of\": \"x\", \"as\": \"h\"},"
                    "{\"emit\": \"y\", \"value\": \"y\", \"format\": \"tensor\"}, {\"emit\": \"g\", \"value\": \"g\", \"format\": \"tensor\"},"
                    "{\"emit\": \"h\", \"value\": \"h\", \"format\": \"tensor\"}]}]}",
                    i ? ",\n" : "", i, i, singulars[i].expression);
    text_append(&text, "}}");
    return text.data;
}

static Module *read_all(Arena *arena, Diag *diag) {
    const char *text = document(arena);
    return op_suite_read(arena, text, diag);
}

// A second derivative may be what is left of terms that cancel.
static bool agrees(double wanted, double got, uint32_t number) {
    if (isnan(wanted) || isinf(wanted))
        return isnan(wanted) ? isnan(got) : got == wanted;
    return fabs(got - wanted) <= 4e-6 * fabs(wanted) + (number == 2 ? 2e-9 : FLT_MIN);
}

// number: of the output (0: value, 1, 2: derivatives).
static uint32_t compare(const Singular *singular, uint32_t number, const double *got, const char *who) {
    static const char *const names[] = {"value", "first derivative", "second derivative"};
    uint32_t count = number == 0 ? singular->value_count : singular->rows * (singular->columns ? singular->columns : 1), failures = 0;
    if (number == 2 && singular->second_count == 0)
        return 0;
    for (uint32_t i = 0; i < count; i++)
        if (!agrees(singular->expected[number][i], got[i], number)) {
            fprintf(stderr, "%s (%s, %s): element %u of the %s is %.9g, PyTorch's %.9g\n", singular->name, singular->expression, who, i, names[number], got[i],
                    singular->expected[number][i]);
            failures++;
        }
    return failures;
}

static const Tensor *give(void *context, const char *name) {
    (void)name;
    return context;
}

START_TEST(the_judge) {
    Arena *arena = arena_create();
    Diag *diag = diag_create(arena);
    Module *module = read_all(arena, diag);
    uint32_t failures = 0;
    for (uint32_t i = 0; i < SINGULAR_COUNT; i++) {
        const Phase *phase = &module->programs.items[i].phases.items[0];
        const Graph *graph = differentiate_graph(arena, phase->graph);
        Tensor x = {.type = phase->feeds.items[0].type, .data = (double *)(uintptr_t)singulars[i].x};
        Sources sources = {.context = &x, .feed = give};
        const Tensor *values = interpret(arena, graph, &sources, NULL, diag);
        ck_assert_ptr_nonnull(values);
        for (uint32_t k = 0; k < 3; k++)
            failures += compare(&singulars[i], k, values[graph->outputs.items[k].value.id].data, "judge");
    }
    ck_assert_uint_eq(failures, 0);
    arena_destroy(&arena);
}
END_TEST

static uint32_t run_on(Device *device, Arena *arena, Module *module, const CompileOptions *options, const char *who, Diag *diag) {
    Compiled *compiled = compile_module(arena, module, options, NULL, diag);
    ck_assert_msg(compiled != NULL, "%s", diag_text(diag, arena));
    Session *session = session_create(arena, device, compiled->program, &(SessionOptions){.guards = true}, diag);
    ck_assert_msg(session != NULL, "%s", diag_text(diag, arena));
    uint32_t failures = 0;
    for (uint32_t i = 0; i < SINGULAR_COUNT; i++) {
        const ProgramEntry *entry = &compiled->program->entries.items[i];
        float x[NUMBERS_MAX];
        for (uint32_t k = 0; k < NUMBERS_MAX; k++)
            x[k] = (float)singulars[i].x[k];
        const void *feeds[] = {x};
        Moment moment = op_suite_moment();
        SessionResult result;
        bool got;
        ck_assert(session_submit(session, entry, &entry->phases.items[0], &moment, feeds, 0, diag));
        ck_assert(session_take(session, true, &result, &got, diag) && got);
        for (uint32_t k = 0; k < 3; k++) {
            double numbers[NUMBERS_MAX] = {0};
            uint32_t count = k == 0 ? singulars[i].value_count : singulars[i].rows * (singulars[i].columns ? singulars[i].columns : 1);
            for (uint32_t e = 0; e < count; e++)
                numbers[e] = op_number(DTYPE_F32, result.values[k], e);
            failures += compare(&singulars[i], k, numbers, who);
        }
    }
    session_destroy(&session);
    return failures;
}

START_TEST(the_device) {
    Arena *arena = arena_create();
    Diag *diag = diag_create(arena);
    Device *device = device_create(arena, &(DeviceOptions){.validation = true}, diag);
    if (!device) {
        diag_print(diag, stderr);
        exit(77);
    }
    Module *module = read_all(arena, diag);
    CompileOptions options = {.target = device_info(device)->target};
    uint32_t failures = run_on(device, arena, module, &options, "device", diag);
    options.target = target_default(TARGET_GPU);
    failures += run_on(device, arena, module, &options, "device, class gpu", diag);
    options = (CompileOptions){.target = device_info(device)->target, .no_fuse = true, .reference_schedule = true};
    failures += run_on(device, arena, module, &options, "device, without fusion", diag);
    ck_assert_uint_eq(failures, 0);
    ck_assert_msg(device_validation_messages(device) == 0, "%s", device_validation_text(device));
    device_destroy(&device);
    arena_destroy(&arena);
}
END_TEST

static void add(TCase *tests) {
    tcase_add_test(tests, the_judge);
    tcase_add_test(tests, the_device);
}

int main(void) { return op_suite_main("singular points", add); }
