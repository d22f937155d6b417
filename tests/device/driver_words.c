// Functions, layers and optimizers that are made of other ops: each row of words.def by the judge against what PyTorch computed in double
// (record_words.py says what), and many of them on the device against the judge: value, first and second derivatives; all as its own class,
// and each in one of three other ways.
#include "compiler/compile.h"
#include "compiler/ir/differentiate.h"
#include "compiler/ir/interpret.h"
#include "compiler/read/read.h"
#include "runtime/base/file.h"
#include "tests/device/op_suite.h"
#include <math.h>
#include <unistd.h>

enum { SUM_COUNT = 5, RESULTS_MAX = 6 };

typedef struct {
    const char *name;
    bool on_device;
    const char *x, *expression, *network, *optimizer, *y;
    double sums[SUM_COUNT]; // of y, g, h, u, v
} Word;

static const Word words[] = {
#define WORD(name, on_device, x, expression, network, optimizer, y, ...)                                                                   \
    {#name, on_device, x, expression, network, optimizer, y, {__VA_ARGS__}},
#include "tests/device/words.def"
#undef WORD
};
enum { WORD_COUNT = sizeof words / sizeof *words };

// ---- the document; ' stands for "

static const char optimized[] = "{'parameter': 'a', 'shape': [4, 3]}, {'parameter': 'b', 'shape': [3]}, {'parameter': 'none', 'shape': "
                                "[3]}, {'expr': 'sum(tanh(matmul(x, a) + b + none)^2)/8', 'as': 'loss'},"
                                "{'expr': 'concat([reshape(a, [12]), b, none], 0)', 'as': 'p'}";

static bool has_network(uint32_t i) { return *words[i].network != 0; }
static bool has_optimizer(uint32_t i) { return *words[i].optimizer != 0; }

// Which rows a document is of, one program each.
typedef struct {
    uint32_t count, rows[WORD_COUNT];
} Chosen;

static const char *networks(Arena *arena, const Chosen *chosen) {
    Text text = text_create(arena);
    for (uint32_t k = 0, i; k < chosen->count; k++)
        if (has_network(i = chosen->rows[k]))
            text_format(&text, "%s'n%u': {'inputs': {'x': [%s]}, 'nodes': [%s]%s}", text.length ? ",\n" : "", i, words[i].x,
                        has_optimizer(i) ? optimized : words[i].network, has_optimizer(i) ? ", 'outputs': {'loss': 'loss', 'p': 'p'}" : "");
    return text.data;
}

static const char *optimizers(Arena *arena, const Chosen *chosen) {
    Text text = text_create(arena);
    for (uint32_t k = 0, i; k < chosen->count; k++)
        if (has_optimizer(i = chosen->rows[k]))
            text_format(&text, "%s'o%u': {'of': 'n%u', %s}", text.length ? ", " : "", i, i, words[i].optimizer);
    return text.data;
}

static void write_value(Text *text, uint32_t i) {
    if (!has_network(i))
        text_format(text, "{'expr': '%s', 'as': 'y'}", words[i].expression);
    else if (!has_optimizer(i))
        text_format(text, "{'call': 'n%u', 'in': 'x', 'as': 'y'}", i);
    else {
        text_format(
            text,
            "{'snapshot': 'o%u', 'as': 'r'}, {'for': 'k', 'below': 2, 'nodes': [{'call': 'n%u', 'in': 'x', 'weights': 'r', 'as': 'c'},"
            "{'step': 'o%u', 'from': 'r', 'minimize': 'c.loss', 'as': 'r'}]}, {'call': 'n%u', 'in': 'x', 'weights': 'r', 'as': 'c'}, "
            "{'expr': 'c.p', 'as': 'y'}",
            i, i, i, i);
    }
}

static const char *derivatives = ", {'expr': 'sum(reshape(f32(range(size(y))*37 % 64 - 31)/16, shape(y))*y^2)/2 + 0*sum(x)', 'as': "
                                 "'loss'}, {'gradient': 'loss', 'of': 'x', 'as': 'g'},"
                                 "{'expr': 'sum(reshape(f32(range(size(x))*29 % 64 - 31)/16, shape(x))*g) + 0*sum(x)', 'as': 's'}, "
                                 "{'gradient': 's', 'of': 'x', 'as': 'h'}";

static const char *document(Arena *arena, const Chosen *chosen) {
    Text text = text_create(arena);
    text_append(&text, "{'gcc-graph': 1, 'name': 'words', 'data': {");
    for (uint32_t k = 0; k < chosen->count; k++) {
        uint32_t i = chosen->rows[k];
        const char *rest = strchr(words[i].x, ',');
        text_format(&text, "%s'd%u': {'batch': %d, 'fields': {'x': {'shape': [%s]}}}", k ? ", " : "", i, atoi(words[i].x), rest + 1);
    }
    text_format(&text, "}, 'networks': {%s}, 'optimizers': {%s}, 'programs': {", networks(arena, chosen), optimizers(arena, chosen));
    for (uint32_t row = 0; row < chosen->count; row++) {
        uint32_t i = chosen->rows[row];
        text_format(&text, "%s'p%u': {'mode': 'train', 'phases': [{'name': 'a', 'feed': {'x': 'd%u.x'}, 'nodes': [", row ? ",\n" : "", i,
                    i);
        write_value(&text, i);
        text_append(&text, derivatives);
        bool has_weights = has_network(i) && words[i].sums[3] != 0;
        if (has_weights)
            text_format(&text, ", {'gradient': 'loss', 'of': 'n%u', 'as': 'u'}, {'gradient': 's + 0*norm(n%u)', 'of': 'n%u', 'as': 'v'}", i,
                        i, i);
        if (has_optimizer(i))
            text_format(
                &text,
                ", {'for': 'k', 'below': 2, 'nodes': [{'call': 'n%u', 'in': 'x', 'as': 'c'}, {'update': 'o%u', 'minimize': 'c.loss'}]},"
                "{'call': 'n%u', 'in': 'x', 'as': 'c'}, {'expr': 'c.p', 'as': 'z'}",
                i, i, i);
        const char *values[RESULTS_MAX] = {
            "y", "g", "h", has_weights ? "norm(u)" : NULL, has_weights ? "norm(v)" : NULL, has_optimizer(i) ? "z" : NULL};
        for (uint32_t k = 0; k < RESULTS_MAX; k++)
            if (values[k])
                text_format(&text, ", {'emit': 'e%u', 'value': '%s', 'format': 'tensor'}", k, values[k]);
        text_append(&text, "]}]}");
    }
    text_append(&text, "}}");
    for (size_t i = 0; i < text.length; i++)
        text.data[i] = text.data[i] == '\'' ? '"' : text.data[i];
    return text.data;
}

static Module *read_chosen(Arena *arena, const Chosen *chosen, Diag *diag) {
    const char *text = document(arena, chosen);
    return op_suite_read(arena, text, diag);
}

// ---- the numbers, as record_words.py makes them

static double uniform(const char *name, uint64_t element) {
    uint64_t x = 0xcbf29ce484222325u;
    for (; *name; name++)
        x = (x ^ (unsigned char)*name) * 0x100000001b3u;
    x += element * 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    x ^= x >> 31;
    return (double)(x >> 40) / 16777216;
}

typedef struct {
    Arena *arena;
    const Module *module;
    const Phase *phase;
} Given;

static const Tensor *give_feed(void *context, const char *name) {
    const Given *given = context;
    Tensor *tensor = ARENA_NEW(given->arena, Tensor, 1);
    *tensor = tensor_create(given->arena, &given->phase->feeds.items[0].type);
    for (uint64_t i = 0; i < type_count(&tensor->type); i++)
        tensor->data[i] = 2 * (uniform(name, i) - 0.5);
    return tensor;
}

// A weight by its name without the network's.
static Tensor weight(Arena *arena, const Part *part) {
    Tensor tensor = tensor_create(arena, &part->type);
    double shift = text_ends_with(part->name, "scale") ? 0.5 : -0.5;
    for (uint64_t i = 0; !text_ends_with(part->name, ".none") && i < type_count(&part->type); i++)
        tensor.data[i] = uniform(strchr(part->name, '.') + 1, i) + shift;
    return tensor;
}

// Moments and counts are 0.
static const Tensor *give_state(void *context, const char *name) {
    const Given *given = context;
    const State *state = module_state(given->module, name);
    Tensor *tensor = ARENA_NEW(given->arena, Tensor, 1);
    *tensor = tensor_create(given->arena, &state->type);
    if (state->kind != STATE_PARAMETERS)
        return tensor;
    const Set *set = &given->module->sets.items[state->type.set - 1];
    for (uint32_t k = 0; k < set->parts.count; k++) {
        const Part *part = &set->parts.items[k];
        memcpy(tensor->data + part->offset, weight(given->arena, part).data, type_count(&part->type) * sizeof(double));
    }
    return tensor;
}

// ---- the judge

// Of a row's outputs: which result of e0 … e5 each is.
static uint32_t result_of(const Output *output) { return output->kind == OUTPUT_EMIT ? (uint32_t)(output->name[1] - '0') : RESULTS_MAX; }

// By the numbers of results; NULL where a row has none.
static void judge(Arena *arena, const Module *module, uint32_t program, const Tensor *results[RESULTS_MAX], Diag *diag) {
    const Phase *phase = &module->programs.items[program].phases.items[0];
    Given given = {arena, module, phase};
    Sources sources = {.context = &given, .feed = give_feed, .state = give_state};
    const Graph *graph = differentiate_graph(arena, phase->graph);
    const Tensor *values = interpret(arena, graph, &sources, NULL, diag);
    ck_assert_msg(values != NULL, "%s", diag_text(diag, arena));
    for (uint32_t k = 0; k < graph->outputs.count; k++)
        if (result_of(&graph->outputs.items[k]) < RESULTS_MAX)
            results[result_of(&graph->outputs.items[k])] = &values[graph->outputs.items[k].value.id];
}

static bool equals_record(Arena *arena, const Word *word, uint32_t number, const Tensor *tensor) {
    uint64_t count = type_count(&tensor->type);
    double sum = 0, size = 0, wanted = word->sums[number == 5 ? 0 : number];
    for (uint64_t i = 0; i < count; i++) {
        sum += tensor->data[i] * cos((double)i);
        size += fabs(tensor->data[i]);
    }
    Text shape = text_create(arena);
    for (uint32_t i = 0; i < tensor->type.rank; i++)
        text_format(&shape, "%s%u", i ? ", " : "", tensor->type.dims[i]);
    bool fits = fabs(sum - wanted) <= 1e-9 * (1 + size) && (number != 0 || !strcmp(shape.data, word->y));
    if (!fits)
        fprintf(stderr, "%s: %c of [%s] is %.15g, PyTorch's %.15g of [%s]\n", word->name, "yghuvz"[number], shape.data, sum, wanted,
                word->y);
    return fits;
}

START_TEST(the_judge) {
    Arena *arena = arena_create();
    Diag *diag = diag_create(arena);
    Chosen all = {.count = WORD_COUNT};
    for (uint32_t i = 0; i < WORD_COUNT; i++)
        all.rows[i] = i;
    const Module *module = read_chosen(arena, &all, diag);
    uint32_t failures = 0;
    for (uint32_t i = 0; i < WORD_COUNT; i++) {
        const Tensor *results[RESULTS_MAX] = {NULL};
        judge(arena, module, i, results, diag);
        for (uint32_t k = 0; k < RESULTS_MAX; k++)
            failures += results[k] && !equals_record(arena, &words[i], k, results[k]);
        ck_assert(results[0] && results[1] && results[2]);
    }
    ck_assert_uint_eq(failures, 0);
    arena_destroy(&arena);
}
END_TEST

// ---- the device

static uint32_t compare(const Word *word, uint32_t number, const Tensor *wanted, const void *got, const char *who) {
    uint64_t count = type_count(&wanted->type);
    double scale = 1;
    for (uint64_t i = 0; i < count; i++)
        scale = fmax(scale, fabs(wanted->data[i]));
    for (uint64_t i = 0; i < count; i++) {
        double number_got = op_number(DTYPE_F32, got, i);
        if (!(fabs(number_got - wanted->data[i]) <= 2e-5 * scale)) {
            fprintf(stderr, "%s (%s): element %llu of %c is %.9g, expected %.9g\n", word->name, who, (unsigned long long)i,
                    "yghuvz"[number], number_got, wanted -> data[i]);
            return 1;
        }
    }
    return 0;
}

static void set_weights(Session *session, Arena *arena, const Module *module, Diag *diag) {
    for (uint32_t i = 0; i < module->sets.count; i++)
        for (uint32_t k = 0; k < module->sets.items[i].parts.count; k++) {
            const Part *part = &module->sets.items[i].parts.items[k];
            Tensor numbers = weight(arena, part);
            HostTensor tensor = {.dtype = ELEMENT_F32,
                                 .rank = part->type.rank,
                                 .data = (void *)(uintptr_t)op_words(arena, &numbers),
                                 .size = 4 * type_count(&part->type)};
            for (uint32_t axis = 0; axis < part->type.rank; axis++)
                tensor.dims[axis] = part->type.dims[axis];
            ck_assert_msg(session_set(session, part->name, &tensor, diag), "%s", diag_text(diag, arena));
        }
}

static uint32_t run_on(Device *device, Arena *arena, const Chosen *chosen, const CompileOptions *options, const char *who, Diag *diag) {
    Module *module = read_chosen(arena, chosen, diag);
    Compiled *compiled = compile_module(arena, module, options, NULL, diag);
    ck_assert_msg(compiled != NULL, "%s", diag_text(diag, arena));
    Session *session = session_create(arena, device, compiled->program, &(SessionOptions){.guards = true}, diag);
    ck_assert_msg(session != NULL && session_initialise(session, diag), "%s", diag_text(diag, arena));
    set_weights(session, arena, module, diag);
    uint32_t failures = 0;
    Moment moment = op_suite_moment();
    for (uint32_t i = 0; i < chosen->count; i++) {
        const ProgramEntry *entry = &compiled->program->entries.items[i];
        const Phase *phase = &module->programs.items[i].phases.items[0];
        const Tensor *results[RESULTS_MAX] = {NULL};
        judge(arena, module, i, results, diag);
        const void *feeds[] = {op_words(arena, give_feed(&(Given){arena, module, phase}, "x"))};
        SessionResult result;
        bool got;
        ck_assert(session_submit(session, entry, &entry->phases.items[0], &moment, feeds, 0, diag));
        ck_assert(session_take(session, true, &result, &got, diag) && got);
        for (uint32_t k = 0, at = 0; k < RESULTS_MAX; k++)
            if (results[k])
                failures += compare(&words[chosen->rows[i]], k, results[k], result.values[at++], who);
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
    Chosen all = {0}, some[3] = {0};
    for (uint32_t i = 0; i < WORD_COUNT; i++)
        if (words[i].on_device) {
            Chosen *other = &some[all.count % 3];
            other->rows[other->count++] = all.rows[all.count] = i;
            all.count++;
        }
    Target own = device_info(device)->target, any = target_default(TARGET_ANY), gpu = own;
    gpu.target_class = TARGET_GPU;
    uint32_t failures = run_on(device, arena, &all, &(CompileOptions){.target = own}, "its own class", diag);
    failures += run_on(device, arena, &some[0], &(CompileOptions){.target = gpu}, "class gpu", diag);
    failures += run_on(device, arena, &some[1], &(CompileOptions){.target = any}, "class any", diag);
    failures += run_on(device, arena, &some[2], &(CompileOptions){.target = own, .no_fuse = true, .reference_schedule = true},
                       "without fusion", diag);
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

int main(void) { return op_suite_main("words", add); }
