// Mutants of shaders: in the GLSL of the ops' examples one sign, index, comparison, combine step, barrier or statement is changed; the
// comparison with the interpreter, or that of the padding with zero, must fail. A mutant that gives the very same bytes for other inputs,
// too, is equivalent. Usage: [--full] [--seed N] [--seconds N] [--only TEXT] [--verbose]; by default a sample of 30 seconds.
#include "compiler/compile.h"
#include "compiler/emit/spirv.h"
#include "compiler/ir/interpret.h"
#include "runtime/base/random.h"
#include "runtime/session/session.h"
#include <ctype.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { ARGS_MAX = 4, DRAWS = 3, SECONDS_A_MUTANT = 600, TRIED_MIN = 20 };

// One example of an op: a program of one phase. Inputs are drawn several times.
typedef struct {
    Op op;
    const OpExample *example;
    const Graph *graph;
    const Tensor *inputs[DRAWS][ARGS_MAX];
    const Tensor *expected[DRAWS];
    uint32_t draw; // whose inputs the interpreter asks for
} Case;

typedef struct {
    Arena *arena;
    Diag *diag;
    Module *module;
    Device *device;
    ARRAY(Case) cases;
} Examples;

#ifdef __SANITIZE_ADDRESS__
const char *__asan_default_options(void);
const char *__asan_default_options(void) { return "detect_leaks=0"; } // a driver keeps memory of its own
#endif

// ---- examples

static double input_at(const OpExample *example, DType dtype, uint32_t number, uint32_t element) {
    double u = random_uniform(random_element(23, number, 0, 0, element)), x = example->low + (example->high - example->low) * u;
    if (dtype == DTYPE_BOOL)
        return u < 0.5;
    if (dtype != DTYPE_F32)
        return floor(x);
    if (fabs(x) < example->avoid)
        x = x < 0 ? x - example->avoid : x + example->avoid;
    return (double)(float)x;
}

static const Tensor *find_feed(void *context, const char *name) {
    const Case *one = context;
    return one->inputs[one->draw][name[1] - '0'];
}

static void add_case(Examples *examples, Op op, uint32_t number) {
    const OpDef *def = op_def(op);
    const OpExample *example = &def->examples[number];
    Arena *arena = examples->arena;
    Case one = {.op = op, .example = example};
    Graph *graph = graph_create(arena, examples->module);
    Phase phase = {.name = "run", .repeat = 1, .graph = graph};
    Value args[ARGS_MAX];
    for (uint32_t i = 0; i < example->arg_count; i++) {
        Type type = example->args[i];
        for (uint32_t draw = 0; draw < DRAWS; draw++) {
            Tensor *tensor = ARENA_NEW(arena, Tensor, 1);
            *tensor = tensor_create(arena, &type);
            for (uint64_t e = 0; e < type_count(&type); e++)
                tensor->data[e] = input_at(example, type.dtype, (examples->cases.count * ARGS_MAX + i) * DRAWS + draw, (uint32_t)e);
            one.inputs[draw][i] = tensor;
        }
        const char *name = arena_format(arena, "x%u", i);
        int64_t dims[MAX_RANK];
        for (uint32_t axis = 0; axis < type.rank; axis++)
            dims[axis] = type.dims[axis];
        args[i] =
            graph_add(graph, OP_feed, NULL, 0, (Attr[]){attr_text(name), attr_text(dtype_name(type.dtype)), attr_ints(dims, type.rank)}, 3);
        Feed feed = {.name = name, .data = "x", .field = name, .split = "train", .batch = 1, .type = type};
        array_push(arena, &phase.feeds, feed);
    }
    Value out = graph_add(graph, op, args, example->arg_count, example->attrs, op_attr_count(op));
    graph_output(graph, (Output){.kind = OUTPUT_EMIT, .name = "y", .format = RESULT_TENSOR, .value = out});
    one.graph = graph;
    GraphProgram program = {.name = arena_format(arena, "%s_%u", def->name, number)};
    array_push(arena, &program.phases, phase);
    array_push(arena, &examples->module->programs, program);
    array_push(arena, &examples->cases, one);
}

static void add_cases(Examples *examples) {
    for (int op = 1; op < OP_COUNT; op++) {
        const OpDef *def = op_def((Op)op);
        bool fits = def->op_class != CLASS_SET && def->op_class != CLASS_META && op != OP_state && op != OP_table && op != OP_feed;
        for (uint32_t i = 0; fits && i < def->example_count; i++)
            if (def->examples[i].args[0].dtype != DTYPE_U8 && !(op == OP_broadcast && def->examples[i].attrs[op_attr_place(op, ATTR_set)].integer))
                add_case(examples, (Op)op, i);
    }
    for (uint32_t i = 0; i < examples->cases.count; i++) {
        Case *one = &examples->cases.items[i];
        Sources sources = {
            .context = one, .feed = find_feed, .seed = 3, .step = 5, .steps = 100, .epoch = 1, .epoch_steps = 4, .repetition = 2, .records = 3};
        for (one->draw = 0; one->draw < DRAWS; one->draw++) {
            Tensor *values = interpret(examples->arena, one->graph, &sources, NULL, examples->diag);
            one->expected[one->draw] = &values[one->graph->outputs.items[0].value.id];
        }
    }
}

// ---- running

// Tolerances are those of tests/device/driver_ops.c.
static double tolerance_of(const Case *one) {
    const OpDef *def = op_def(one->op);
    double folded = 1;
    for (uint32_t i = 0; i < one->example->arg_count; i++)
        folded = fmax(folded, (double)type_count(&one->example->args[i]));
    if (def->op_class == CLASS_VIEW)
        return 0;
    if (def->op_class == CLASS_MAP)
        return 4e-7 * fmax(def->cost, 1);
    return def->op_class == CLASS_SOURCE ? 1e-5 : 4e-7 * sqrt(folded);
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

static bool is_close(const Case *one, const Tensor *expected, const float *got) {
    double scale = 1, tolerance = tolerance_of(one);
    uint64_t count = type_count(&expected->type);
    for (uint64_t i = 0; i < count; i++)
        scale = fmax(scale, fabs(expected->data[i]));
    for (uint64_t i = 0; i < count; i++) {
        int32_t integer;
        memcpy(&integer, &got[i], 4);
        DType dtype = expected->type.dtype;
        double value = dtype == DTYPE_F32 ? (double)got[i] : dtype == DTYPE_U32 ? (double)(uint32_t)integer : integer;
        if (!(fabs(value - expected->data[i]) <= tolerance * scale))
            return false;
    }
    return true;
}

// Padding lanes hold zero.
static bool is_padded(Arena *arena, const ProgramTensor *tensor, const void *physical) {
    size_t size = program_tensor_size(tensor);
    void *logical = arena_alloc(arena, size), *again = arena_alloc(arena, size);
    layout_load(&tensor->layout, tensor->type, physical, logical);
    layout_store(&tensor->layout, tensor->type, logical, again);
    return tensor->layout.rank == 0 || !memcmp(physical, again, size); // of a scalar only the first element is it
}

// The result's memory after one run over NaN: physical bytes in the arena, or NULL after an error.
static const void *run_case(Examples *examples, Arena *arena, Session *session, const ProgramEntry *entry, const Case *one, uint32_t draw) {
    const ProgramPhase *phase = &entry->phases.items[0];
    const ProgramTensor *tensor = &phase->results.items[0].tensor;
    const void *feeds[ARGS_MAX] = {NULL};
    for (uint32_t k = 0; k < ARGS_MAX && one->inputs[draw][k]; k++)
        feeds[k] = as_words(arena, one->inputs[draw][k]);
    float *bytes = arena_alloc(arena, tensor->range.size);
    for (uint64_t i = 0; i < tensor->range.size / 4; i++)
        bytes[i] = NAN;
    Moment moment = {.step = 5, .steps = 100, .epoch = 1, .epoch_steps = 4, .repetition = 2, .records = 3};
    SessionResult result;
    bool got;
    bool good = session_write_range(session, &tensor->range, bytes, examples->diag) &&
                session_submit(session, entry, phase, &moment, feeds, 0, examples->diag) &&
                session_take(session, true, &result, &got, examples->diag) && got &&
                session_read_range(session, &tensor->range, bytes, examples->diag);
    return good ? bytes : NULL;
}

// ---- mutants

typedef struct {
    const char *kind;
    uint32_t kernel;
    size_t at, removed; // in the kernel's source
    const char *put;
} Mutant;

typedef ARRAY(Mutant) Mutants;

typedef struct {
    Arena *arena;
    Mutants *mutants;
    const char *source;
    uint32_t kernel;
} Hunt;

static void add_mutant(const Hunt *hunt, const char *kind, const char *at, size_t removed, const char *put) {
    array_push(hunt->arena, hunt->mutants, ((Mutant){kind, hunt->kernel, (size_t)(at - hunt->source), removed, put}));
}

static void swap_words(const Hunt *hunt, const char *line, const char *end, bool is_loop) {
    static const struct {
        const char *kind, *from, *to;
        bool in_loops; // may stand in a loop's head without making it endless
    } words[] = {
        {"sign", " + ", " - ", false},
        {"sign", " - ", " + ", false},
        {"sign", " * ", " + ", false},
        {"combine", " += ", " -= ", false},
        {"combine", "max(", "min(", false},
        {"combine", "min(", "max(", false},
        {"compare", " < ", " <= ", true},
        {"compare", " >= ", " > ", false},
        {"compare", "lessThan(", "lessThanEqual(", false},
        {"compare", "greaterThan(", "lessThan(", false},
        {"compare", " == ", " != ", false},
    };
    for (uint32_t i = 0; i < sizeof words / sizeof *words; i++)
        for (const char *at = line; (at = strstr(at, words[i].from)) != NULL && at < end; at++)
            if (!is_loop || words[i].in_loops)
                add_mutant(hunt, words[i].kind, at, strlen(words[i].from), words[i].to);
}

// The end of what the bracket at `open` encloses.
static const char *closing(const char *open, const char *end) {
    int depth = 0;
    for (const char *at = open; at < end; at++) {
        depth += *at == '[' || *at == '(';
        depth -= *at == ']' || *at == ')';
        if (depth == 0)
            return at;
    }
    return NULL;
}

// Every index of a buffer or of shared memory becomes its neighbour.
static void shift_indices(const Hunt *hunt, const char *line, const char *end) {
    for (const char *at = line; at < end; at++) {
        bool is_fetch = text_starts_with(at, "texelFetch(in");
        const char *open = is_fetch ? at + strlen("texelFetch") : at, *close = is_fetch || *at == '[' ? closing(open, end) : NULL;
        if (!close || (!is_fetch && (at == line || !(isalnum((unsigned char)at[-1]) || at[-1] == '_'))))
            continue;
        const char *begin = is_fetch ? strchr(at, ',') + 1 : open + 1;
        if (begin > close)
            continue;
        size_t size = (size_t)(close - begin);
        add_mutant(hunt, "index", begin, size, arena_format(hunt->arena, "(%.*s) ^ 1", (int)size, begin));
    }
}

// A line that is one assignment, or a barrier: it goes.
static void drop_statement(const Hunt *hunt, const char *line, const char *end) {
    const char *at = line + strspn(line, " "), *last = end;
    while (last > at && last[-1] == ' ')
        last--;
    if (last == at || last[-1] != ';' || !strncmp(at, "for ", 4) || !strncmp(at, "return", 6))
        return;
    const char *word = at;
    while (word < last && (isalnum((unsigned char)*word) || strchr("_.[]^&()+-*/", *word)))
        word++; // a declaration has a blank and another word here
    if (text_starts_with(at, "barrier();"))
        add_mutant(hunt, "barrier", at, (size_t)(last - at), "");
    else if (word < last && (text_starts_with(word, " = ") || text_starts_with(word, " += ")))
        add_mutant(hunt, "drop", at, (size_t)(last - at), ";");
}

static void find_mutants(Arena *arena, Mutants *mutants, const char *source, uint32_t kernel) {
    Hunt hunt = {arena, mutants, source, kernel};
    bool is_body = false;
    for (const char *line = source; *line;) {
        size_t length = strcspn(line, "\n");
        const char *comment = strstr(line, "//"), *end = comment && comment < line + length ? comment : line + length;
        // Declarations of bindings stand before the first function.
        bool is_head = text_starts_with(line, "layout(") || text_starts_with(line, "#") || text_starts_with(line, "shared ");
        is_body = is_body || (length > 0 && line[length - 1] == '{' && !is_head);
        if (is_body && !is_head) {
            bool is_loop = memmem(line, (size_t)(end - line), "for (", 5) || memmem(line, (size_t)(end - line), "while (", 7);
            swap_words(&hunt, line, end, is_loop);
            if (!is_loop) {
                shift_indices(&hunt, line, end);
                drop_statement(&hunt, line, end);
            }
        }
        line += length + (line[length] == '\n');
    }
}

static const char *mutated(Arena *arena, const char *source, const Mutant *mutant) {
    return arena_format(arena, "%.*s%s%s", (int)mutant->at, source, mutant->put, source + mutant->at + mutant->removed);
}

static void describe(const char *verdict, const Compiled *compiled, const Mutant *mutant, const char *variant) {
    const char *source = compiled->sources[mutant->kernel], *line = source + mutant->at;
    while (line > source && line[-1] != '\n')
        line--;
    const char *rest = source + mutant->at + mutant->removed;
    printf("%s: %s of %s (%s)\n  was: %.*s\n  is:  %.*s%s%.*s\n", verdict, mutant->kind,
           compiled->program->kernels.items[mutant->kernel].name, variant, (int)strcspn(line, "\n"), line,
           (int)(source + mutant->at - line), line, mutant->put, (int)strcspn(rest, "\n"), rest);
}

// ---- the hunt

typedef enum { KILLED, SURVIVED, EQUIVALENT, STILLBORN, VERDICT_COUNT } Verdict;

typedef struct {
    Compiled *compiled;
    const char *variant;
    const void ***bytes; // [case][draw]: what the shaders as they are give; NULL: not asked yet
} Build;

static bool uses(const ProgramEntry *entry, uint32_t kernel) {
    const ProgramPhase *phase = &entry->phases.items[0];
    for (uint32_t i = 0; i < phase->steps.count; i++)
        if (phase->steps.items[i].kernel == kernel)
            return true;
    return false;
}

static Session *open_session(Examples *examples, Arena *arena, const Program *program, const ProgramEntry *entry) {
    Session *session = session_create(arena, examples->device, program,
                                      &(SessionOptions){.seed = 3, .guards = true, .only_entry = entry->name}, examples->diag);
    if (!session) {
        diag_print(examples->diag, stderr);
        exit(EXIT_FAILURE);
    }
    return session;
}

// The verdict of one case: the sound shader's bytes are the measure of equivalence.
static Verdict judge(Examples *examples, Arena *arena, Build *build, uint32_t number, const Program *changed) {
    const Case *one = &examples->cases.items[number];
    const ProgramEntry *entry = &changed->entries.items[number];
    const ProgramTensor *tensor = &entry->phases.items[0].results.items[0].tensor;
    size_t size = program_tensor_size(tensor);
    Session *session = open_session(examples, arena, changed, entry), *sound = NULL;
    Verdict verdict = EQUIVALENT;
    for (uint32_t draw = 0; draw < DRAWS; draw++) {
        const void *physical = run_case(examples, arena, session, entry, one, draw);
        float *logical = arena_alloc(arena, size);
        if (physical)
            layout_load(&tensor->layout, tensor->type, physical, logical);
        if (!physical || !is_close(one, one->expected[draw], logical) || !is_padded(arena, tensor, physical)) {
            verdict = KILLED;
            break;
        }
        if (!build->bytes[number][draw]) {
            sound = sound ? sound : open_session(examples, arena, build->compiled->program, entry);
            const void *bytes = run_case(examples, arena, sound, entry, one, draw);
            build->bytes[number][draw] = bytes ? arena_copy_bytes(examples->arena, bytes, size) : NULL;
        }
        if (!build->bytes[number][draw] || memcmp(build->bytes[number][draw], physical, tensor->layout.rank ? size : 4))
            verdict = SURVIVED;
    }
    session_destroy(&sound);
    session_destroy(&session);
    return verdict;
}

static Verdict try_mutant(Examples *examples, Build *build, const Mutant *mutant) {
    Arena *arena = arena_create();
    const Program *program = build->compiled->program;
    SpirvJob job = {.name = "mutant", .source = mutated(arena, build->compiled->sources[mutant->kernel], mutant)};
    if (!spirv_compile(arena, &job, 1, false, NULL, NULL, diag_create(arena))) {
        arena_destroy(&arena);
        return STILLBORN;
    }
    Program changed = *program;
    changed.kernels.items = ARENA_NEW(arena, ProgramKernel, program->kernels.count);
    memcpy(changed.kernels.items, program->kernels.items, sizeof *changed.kernels.items * program->kernels.count);
    changed.kernels.items[mutant->kernel].spirv = job.words;
    changed.kernels.items[mutant->kernel].spirv_size = job.size;
    Verdict verdict = EQUIVALENT;
    for (uint32_t i = 0; i < examples->cases.count && verdict != KILLED; i++)
        if (uses(&program->entries.items[i], mutant->kernel)) {
            Verdict one = judge(examples, arena, build, i, &changed);
            verdict = one == EQUIVALENT ? verdict : one;
        }
    arena_destroy(&arena);
    return verdict;
}

typedef struct {
    bool full, verbose;
    uint64_t seed;
    double seconds;
    const char *only;
} Options;

static Options parse(int count, char **arguments) {
    Options options = {.seed = 1, .seconds = 30};
    for (int i = 1; i < count; i++) {
        const char *next = i + 1 < count ? arguments[i + 1] : "0";
        if (!strcmp(arguments[i], "--full"))
            options.full = true;
        else if (!strcmp(arguments[i], "--verbose"))
            options.verbose = true;
        else if (!strcmp(arguments[i], "--seed"))
            options.seed = strtoull(next, NULL, 10), i++;
        else if (!strcmp(arguments[i], "--seconds"))
            options.seconds = strtod(next, NULL), i++;
        else if (!strcmp(arguments[i], "--only"))
            options.only = next, i++;
        else {
            fprintf(stderr, "unknown option %s\n", arguments[i]);
            exit(2);
        }
    }
    return options;
}

static double seconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static Build build_for(Examples *examples, Target target, const char *variant) {
    Build build = {.variant = variant};
    build.compiled = compile_module(examples->arena, examples->module, &(CompileOptions){.target = target}, NULL, examples->diag);
    if (!build.compiled) {
        diag_print(examples->diag, stderr);
        exit(EXIT_FAILURE);
    }
    build.bytes = ARENA_NEW(examples->arena, const void **, examples->cases.count);
    for (uint32_t i = 0; i < examples->cases.count; i++)
        build.bytes[i] = ARENA_NEW(examples->arena, const void *, DRAWS);
    return build;
}

enum { BUILDS = 2 };

static uint32_t hunt(Examples *examples, const Options *options) {
    static const char *const variants[BUILDS] = {"cpu", "gpu"};
    Build builds[BUILDS];
    Mutants mutants[BUILDS] = {0};
    uint32_t total = 0, counts[VERDICT_COUNT] = {0}, tried = 0;
    for (uint32_t b = 0; b < BUILDS; b++) {
        Target target = device_info(examples->device)->target;
        target.target_class = b == 0 ? TARGET_CPU : TARGET_GPU;
        builds[b] = build_for(examples, target, variants[b]);
        for (uint32_t k = 0; k < builds[b].compiled->program->kernels.count; k++)
            if (!options->only || strstr(builds[b].compiled->program->kernels.items[k].name, options->only))
                find_mutants(examples->arena, &mutants[b], builds[b].compiled->sources[k], k);
        total += mutants[b].count;
    }
    uint32_t *order = ARENA_NEW(examples->arena, uint32_t, total + 1);
    random_permutation(options->seed, 5, 0, order, total);
    double begin = seconds_now();
    for (; tried < total && (options->full || tried < TRIED_MIN || seconds_now() - begin < options->seconds); tried++) {
        uint32_t pick = order[tried], b = pick >= mutants[0].count;
        const Mutant *mutant = &mutants[b].items[pick - b * mutants[0].count];
        alarm(SECONDS_A_MUTANT);
        Verdict verdict = try_mutant(examples, &builds[b], mutant);
        alarm(0);
        counts[verdict]++;
        if (verdict == SURVIVED || (options->verbose && verdict != KILLED))
            describe(verdict == SURVIVED     ? "SURVIVED"
                     : verdict == EQUIVALENT ? "equivalent"
                                             : "stillborn",
                     builds[b].compiled, mutant, builds[b].variant);
    }
    printf("%u of %u mutants (seed %llu): %u killed, %u survived, %u equivalent, %u do not compile\n", tried, total,
           (unsigned long long)options->seed, counts[KILLED], counts[SURVIVED], counts[EQUIVALENT], counts[STILLBORN]);
    if (options->only)
        return counts[SURVIVED];
    bool good = counts[SURVIVED] <= 3 + counts[KILLED] / 10 && counts[EQUIVALENT] <= tried * 3 / 4 + 3 && counts[KILLED] > 0;
    if (!good)
        printf("too many mutants live\n");
    return !good;
}

int main(int count, char **arguments) {
    Options options = parse(count, arguments);
    char cache[] = "/tmp/gg_mutants_XXXXXX";
    Examples examples = {.arena = arena_create()};
    examples.diag = diag_create(examples.arena);
    examples.module = ARENA_NEW(examples.arena, Module, 1);
    *examples.module = (Module){.arena = examples.arena, .name = "ops", .resolved = "{}"};
    examples.device = device_create(examples.arena, &(DeviceOptions){0}, examples.diag); // mutants may well break rules: no validation
    if (!examples.device) {
        diag_print(examples.diag, stderr);
        return 77;
    }
    if (!mkdtemp(cache))
        return EXIT_FAILURE;
    setenv("XDG_CACHE_HOME", cache, 1); // mutants stay out of the user's cache
    add_cases(&examples);
    uint32_t survived = hunt(&examples, &options);
    device_destroy(&examples.device);
    file_remove_tree(cache, examples.diag);
    arena_destroy(&examples.arena);
    return survived ? EXIT_FAILURE : EXIT_SUCCESS;
}
