// Expressions: every function and sign against what the oracle computes (read_expressions.def), or PyTorch (read_words.def), interpreted in double.
#include "compiler/ir/interpret.h"
#include "compiler/ir/op.h"
#include "compiler/read/functions.h"
#include "compiler/read/read.h"
#include "runtime/base/file.h"
#include "tests/support/inputs.h"
#include <check.h>
#include <math.h>
#include <stdlib.h>

static const struct {
    const char *text, *shape;
    double sum, last;
} expressions[] = {
#define EXPRESSION(text, shape, sum, last) {text, shape, sum, last},
#include "tests/unit/read_expressions.def"
#include "tests/unit/read_words.def"
#undef EXPRESSION
};

enum { EXPRESSION_COUNT = sizeof expressions / sizeof *expressions };

static const char head[] =
    "{\"gcc-graph\": 1, \"let\": {\"w\": \"3*v\", \"v\": 2.5},\n"
    " \"tables\": {\"lit\": [1, 3, 3, 1], \"lit2\": \"[1, 2.5]\", \"t\": \"cumprod(linspace(0.5, 0.9, 4))\", \"u\": \"1/t + f32(range(4))\"},\n"
    " \"programs\": {\"p\": {\"inputs\": {\"a\": [3, 4], \"c\": [2, 4, 2, 4], \"fb\": [4], \"fb3\": [2, 2, 4]}, \"phases\": [{\"name\": "
    "\"q\", \"nodes\": [\n"
    "  {\"expr\": \"i32(fb)\", \"as\": \"b\"}, {\"expr\": \"i32(fb3)\", \"as\": \"b3\"}, {\"expr\": \"f32(b)\", \"as\": \"b4\"},\n"
    "  {\"expr\": \"concat([a, a[:1]], 0)\", \"as\": \"a4\"}";

static const Tensor *give(void *context, const char *name) {
    static const double a[] = {0.5, -0.75, 0.25, 1.5, -1.25, 0.125, 0.875, -0.5, 2, 0.0625, -2.5, 0.375}, fb[] = {0, 3, 2, 1};
    Arena *arena = context;
    Tensor *tensor = ARENA_NEW(arena, Tensor, 1);
    tensor->data = ARENA_NEW(arena, double, 64);
    uint32_t count = !strcmp(name, "a") ? 12 : !strcmp(name, "c") ? 64 : !strcmp(name, "fb") ? 4 : 16;
    tensor->type = type_make(DTYPE_F32, 1, &count);
    for (int i = 0; i < (int)count; i++)
        tensor->data[i] = count == 12 ? a[i] : count == 4 ? fb[i] : count == 64 ? (i * 37 % 64 - 31) / 16.0 : i * 7 % 4;
    return tensor;
}

static const Module *read_text(Arena *arena, const char *text, Diag *diag) {
    char path[] = "/tmp/gcc-graph-expressions-XXXXXX.json";
    int file = mkstemps(path, 5);
    ck_assert(file >= 0 && file_write(path, text, strlen(text), diag));
    ReadOptions options = {.path = path, .keep_values = true};
    const Module *module = read_document(arena, &options, diag);
    remove(path);
    return module;
}

static const char *shape_text(Arena *arena, Type type) {
    Text text = text_create(arena);
    for (uint32_t i = 0; i < type.rank; i++)
        text_format(&text, "%s%u", i ? "," : "", type.dims[i]);
    return text.data;
}

START_TEST(expressions_equal_the_oracle) {
    Arena *arena = arena_create();
    Diag *diag = diag_create(arena);
    Text text = text_create(arena);
    text_append(&text, head);
    for (uint32_t i = 0; i < EXPRESSION_COUNT; i++)
        text_format(&text, ",\n  {\"expr\": \"%s\", \"as\": \"v%u\"}", expressions[i].text, i);
    text_append(&text, "]}]}}}");
    const Module *module = read_text(arena, text.data, diag);
    ck_assert_msg(module != NULL, "%s", diag_text(diag, arena));
    const Graph *graph = module->programs.items[0].phases.items[0].graph;
    Sources sources = {.context = arena, .feed = give, .step = 5, .steps = 6, .epoch = 5, .epoch_steps = 1};
    const Tensor *values = interpret(arena, graph, &sources, NULL, diag);
    ck_assert_msg(values != NULL, "%s", diag_text(diag, arena));
    uint32_t checked = 0;
    for (uint32_t k = 0; k < graph->outputs.count; k++) {
        const Output *output = &graph->outputs.items[k];
        uint32_t i = 0;
        if (sscanf(output->name, "values/p.q.v%u", &i) != 1)
            continue;
        const Tensor *tensor = &values[output->value.id];
        uint64_t count = type_count(&tensor->type);
        double sum = 0, size = 0;
        for (uint64_t n = 0; n < count; n++) {
            sum += tensor->data[n] * cos((double)n);
            size += fabs(tensor->data[n]);
        }
        ck_assert_msg(!strcmp(shape_text(arena, tensor->type), expressions[i].shape), "%s: shape [%s], expected [%s]", expressions[i].text,
                      shape_text(arena, tensor->type), expressions[i].shape);
        ck_assert_msg(fabs(sum - expressions[i].sum) <= 1e-9 * (1 + size) &&
                          fabs(tensor->data[count - 1] - expressions[i].last) <= 1e-9 * (1 + size),
                      "%s: %.15g and %.15g, expected %.15g and %.15g", expressions[i].text, sum, tensor->data[count - 1],
                      expressions[i].sum, expressions[i].last);
        checked++;
    }
    ck_assert_uint_eq(checked, EXPRESSION_COUNT);
    arena_destroy(&arena);
}
END_TEST

// Every row of functions.def occurs above, but for those that the oracle does not have. Those of elementwise.def are tested below.
START_TEST(every_function_is_tested) {
    static const char *const extensions[] = {"u32", "kl", "polynomial", "exponential", "step_decay"};
    uint32_t count;
    const FunctionInfo *functions = function_list(&count);
    for (uint32_t i = 0; i < count; i++) {
        char call[64];
        bool is_found = functions[i].op != OP_NONE;
        snprintf(call, sizeof call, "%s(", functions[i].name);
        for (uint32_t k = 0; k < EXPRESSION_COUNT; k++)
            is_found = is_found || strstr(expressions[k].text, call);
        for (size_t k = 0; k < sizeof extensions / sizeof *extensions; k++)
            is_found = is_found || !strcmp(extensions[k], functions[i].name);
        ck_assert_msg(is_found, "%s is not tested", functions[i].name);
    }
}
END_TEST

// Arguments of an elementwise function within its example's range, the same for each.
static const char *elementwise_call(Arena *arena, const FunctionInfo *function, bool is_tensor) {
    const OpDef *def = op_def(function->op);
    const OpExample *example = &def->examples[0];
    Text text = text_create(arena);
    text_format(&text, "%s(", function->name);
    for (uint32_t i = 0; i < def->arg_count; i++) {
        double number = example->low + (example->high - example->low) * (i ? 0.3 : 0.8);
        text_format(&text, is_tensor ? "%sfill(%.3f, [1])" : "%s%.3f", i ? ", " : "", number);
    }
    text_append(&text, ")");
    return text.data;
}

// Each row of elementwise.def is a function of tensors, which makes its op, and of numbers known when compiling, with the same result.
START_TEST(elementwise_functions_are_their_ops) {
    Arena *arena = arena_create();
    Diag *diag = diag_create(arena);
    Text text = text_create(arena);
    uint32_t count, checked = 0;
    const FunctionInfo *functions = function_list(&count);
    text_append(&text, head);
    for (uint32_t i = 0; i < count; i++)
        if (functions[i].op != OP_NONE)
            text_format(&text, ",\n  {\"expr\": \"%s\", \"as\": \"v%u\"}, {\"expr\": \"fill(f32(%s), [1])\", \"as\": \"w%u\"}",
                        elementwise_call(arena, &functions[i], true), i, elementwise_call(arena, &functions[i], false), i);
    text_append(&text, "]}]}}}");
    const Module *module = read_text(arena, text.data, diag);
    ck_assert_msg(module != NULL, "%s", diag_text(diag, arena));
    const Graph *graph = module->programs.items[0].phases.items[0].graph;
    Sources sources = {.context = arena, .feed = give, .step = 5, .steps = 6, .epoch = 5, .epoch_steps = 1};
    const Tensor *values = interpret(arena, graph, &sources, NULL, diag);
    double results[2][256] = {{0}};
    for (uint32_t k = 0; k < graph->outputs.count; k++) {
        char kind = 0;
        uint32_t i = 0;
        Value value = graph->outputs.items[k].value;
        if (sscanf(graph->outputs.items[k].name, "values/p.q.%c%u", &kind, &i) != 2 || (kind != 'v' && kind != 'w'))
            continue;
        if (kind == 'v') {
            ck_assert_msg(graph_node(graph, value)->op == functions[i].op, "%s is not its op", functions[i].name);
            checked++;
        }
        results[kind == 'w'][i] = values[value.id].data[0];
    }
    for (uint32_t i = 0; i < count; i++)
        ck_assert_msg(fabs(results[0][i] - results[1][i]) < 1e-6, "%s: %.9g of tensors, %.9g of numbers", functions[i].name, results[0][i], results[1][i]);
    for (uint32_t i = 0; i < count; i++)
        checked -= functions[i].op != OP_NONE;
    ck_assert_uint_eq(checked, 0);
    arena_destroy(&arena);
}
END_TEST

// A map says how the language calls it: by an operator, a function made of its row, or one of functions.def.
START_TEST(words_of_maps_are_known) {
    for (int op = OP_NONE + 1; op < OP_COUNT; op++) {
        const OpDef *def = op_def((Op)op);
        Op found;
        if (def->op_class != CLASS_MAP)
            continue;
        const FunctionInfo *function = function_find(def->word);
        switch (def->word_kind) {
        case WORD_INTERNAL: ck_assert_str_eq(def->word, ""); break;
        case WORD_OPERATOR: ck_assert_msg(op_of_operator(def->word, def->arg_count, &found) && found == (Op)op, "%s", def->name); break;
        case WORD_FUNCTION:
        case WORD_WHOLE: ck_assert_msg(function && function->op == (Op)op, "%s", def->word); break;
        case WORD_OWN: ck_assert_msg(function && function->op == OP_NONE, "%s", def->word); break;
        }
    }
}
END_TEST

START_TEST(extensions_are_what_they_say) {
    static const struct {
        const char *text;
        double value;
    } rows[] = {{"erf(0.5)", 0.52049987781304654},  {"log1p(1e-9) + expm1(1e-9)", 2e-9},  {"kl(fill(0.5, [2]), fill(0.3, [2]))", 0.14992940378800168},
                {"polynomial(step, 10, 2)", 0.25},  {"exponential(step, 0.5)", 0.03125},
                {"step_decay(step, 2, 0.1)", 0.01}, {"f32(u32(3))", 3},
                {"f32(is_finite(log(fill(0.0, [1]))))", 0}, {"f32(is_finite(log(fill(-1.0, [1]))))", 0},
                {"f32(is_finite(fill(3e38, [1])))", 1}};
    Arena *arena = arena_create();
    Diag *diag = diag_create(arena);
    Text text = text_create(arena);
    text_append(&text, head);
    for (uint32_t i = 0; i < sizeof rows / sizeof *rows; i++)
        text_format(&text, ",\n  {\"expr\": \"fill(%s, [1])\", \"as\": \"v%u\"}", rows[i].text, i);
    text_append(&text, "]}]}}}");
    const Module *module = read_text(arena, text.data, diag);
    ck_assert_msg(module != NULL, "%s", diag_text(diag, arena));
    const Graph *graph = module->programs.items[0].phases.items[0].graph;
    Sources sources = {.context = arena, .feed = give, .step = 5, .steps = 6, .epoch = 5, .epoch_steps = 1};
    const Tensor *values = interpret(arena, graph, &sources, NULL, diag);
    for (uint32_t k = 0; k < graph->outputs.count; k++) {
        uint32_t i = 0;
        if (sscanf(graph->outputs.items[k].name, "values/p.q.v%u", &i) == 1)
            ck_assert_msg(fabs(values[graph->outputs.items[k].value.id].data[0] - rows[i].value) < 1e-12, "%s: %.17g", rows[i].text,
                          values[graph->outputs.items[k].value.id].data[0]);
    }
    arena_destroy(&arena);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("read_expressions");
    TCase *all = tcase_create("expressions");
    tcase_add_test(all, expressions_equal_the_oracle);
    tcase_add_test(all, every_function_is_tested);
    tcase_add_test(all, elementwise_functions_are_their_ops);
    tcase_add_test(all, words_of_maps_are_known);
    tcase_add_test(all, extensions_are_what_they_say);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
