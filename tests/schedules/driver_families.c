// Families of schedules: each with all numbers that its parameters may have, in pairs, on shapes that do not divide, run on a device against the
// interpreter within the bound that `verify` allows. Numbers of lanes and shapes are each tried once; --full: in pairs with
// all others, too. --seed N: chooses other pairs; it is printed.
#include "compiler/schedules/families.h"
#include "compiler/verify/run.h"
#include "tests/schedules/cases.h"
#include "tests/schedules/cover.h"
#include <stdlib.h>

enum { SKIPPED = 77 };

// A case computed by a schedule.
typedef struct {
    const ShapeCase *shape;
    Schedule schedule;
    const char *text;
} Trial;

typedef ARRAY(Trial) Trials;

typedef struct {
    Arena *arena;
    Diag *diag;
    Target target;
    bool full;
    uint64_t seed;
    Module *shapes; // each case once
    const Compiled *compiled[2]; // operands in memory, and computed
    uint32_t failures;
} Run;

static Module *module_create(Arena *arena) {
    Module *module = ARENA_NEW(arena, Module, 1);
    *module = (Module){.arena = arena, .name = "families", .resolved = "{}"};
    return module;
}

static void fail(Run *run, const char *text) {
    fprintf(stderr, "%s\n", text);
    run->failures++;
}

static OperandChoice operands_of(const ShapeCase *shape) { return shape->form == FORM_PLAIN ? OPERANDS_STORED : OPERANDS_COMPUTED; }

static const KernelList *list_of(const Run *run, uint32_t shape) { return run->compiled[shape_cases[shape].form != FORM_PLAIN]->phases[shape][0].kernels; }

static const Kernel *kernel_of(const Run *run, uint32_t shape) {
    const KernelList *list = list_of(run, shape);
    for (uint32_t k = 0; k < list->kernels.count; k++)
        if (graph_node(list->graph, list->kernels.items[k].root)->op == shape_cases[shape].op)
            return &list->kernels.items[k];
    return NULL;
}

// Advances the numbers of the parameters like an odometer; false: all are through.
static bool advance(const Family *family, uint8_t *levels) {
    for (uint32_t p = 0; p < family->param_count; p++) {
        if (++levels[p] < family->params[p].count)
            return true;
        levels[p] = 0;
    }
    return false;
}

static Schedule schedule_of(const Family *family, const uint8_t *levels) {
    Schedule schedule = {.family = family};
    for (uint32_t p = 0; p < family->param_count; p++)
        schedule.values[p] = family->params[p].values[levels[p]];
    return schedule;
}

// All that fits, a row each: the parameters' numbers, then the case.
static CoverRows pool_of(const Run *run, const Family *family) {
    CoverRows pool = {0};
    for (uint32_t shape = 0; shape < SHAPE_CASES; shape++) {
        const Kernel *kernel = kernel_of(run, shape);
        if (!kernel || kernel->kernel_class != family->kernel_class)
            continue;
        KernelView view = schedule_view(list_of(run, shape), kernel, kernel->root);
        CoverRow row = {0};
        const char *why;
        do {
            Schedule schedule = schedule_of(family, row.levels);
            row.levels[family->param_count] = (uint8_t)shape;
            if (schedule_fits(&view, &schedule, &run->target, &why))
                array_push(run->arena, &pool, row);
        } while (advance(family, row.levels));
    }
    return pool;
}

// A number that no case and no device here can have is one that nothing tests.
static void check_reach(Run *run, const Family *family, const CoverRows *rows) {
    if (family->is_subgroup && !run->target.has_subgroup_ballot)
        return;
    for (uint32_t p = 0; p < family->param_count; p++)
        for (uint32_t level = 0; level < family->params[p].count; level++) {
            uint32_t number = family->params[p].values[level], count = 0;
            for (uint32_t i = 0; i < rows->count; i++)
                count += rows->items[i].levels[p] == level;
            bool beyond = p == PARAM_LANES && (number > run->target.workgroup_size_max || (family->is_subgroup && number != run->target.subgroup_size));
            if (!count && !beyond)
                fail(run, arena_format(run->arena, "%s: no trial has %s=%u", family->name, family->params[p].name, number));
        }
}

// Trials whose operands are in memory first.
static int by_operands(const void *a, const void *b) {
    const Trial *x = a, *y = b;
    int forms = (x->shape->form != FORM_PLAIN) - (y->shape->form != FORM_PLAIN);
    return forms ? forms : strcmp(x->text, y->text) ? strcmp(x->text, y->text) : x->shape < y->shape ? -1 : x->shape > y->shape;
}

static Trials trials_of(Run *run) {
    uint32_t count;
    const Family *const *families = families_all(&count);
    Trials trials = {0};
    for (uint32_t f = 0; f < count; f++) {
        CoverRows pool = pool_of(run, families[f]), rows = {0};
        uint32_t alone = run->full ? 0 : 1u << families[f]->param_count | 1u << PARAM_LANES;
        if (pool.count)
            rows = cover_pick(run->arena, &pool, families[f]->param_count + 1, alone, run->seed + f);
        check_reach(run, families[f], &rows);
        for (uint32_t i = 0; i < rows.count; i++) {
            Trial trial = {&shape_cases[rows.items[i].levels[families[f]->param_count]], schedule_of(families[f], rows.items[i].levels), NULL};
            trial.text = schedule_text(run->arena, &trial.schedule);
            array_push(run->arena, &trials, trial);
        }
        printf("  %-12s %u of %u schedules of a case\n", families[f]->name, rows.count, pool.count);
    }
    qsort(trials.items, trials.count, sizeof *trials.items, by_operands);
    return trials;
}

// One module of some trials, whose operands are all in memory or all computed: compiled, and each kernel verified. loops: as for a driver to which a
// long text is dear, so that what would be repeated is a loop.
static void run_trials(Run *run, Device *device, const Trial *trials, uint32_t count, bool loops) {
    Arena *arena = arena_create();
    Module *module = module_create(arena);
    const char **options = ARENA_NEW(arena, const char *, count + 1);
    for (uint32_t i = 0; i < count; i++) {
        const char *name = arena_format(arena, "t%u", i);
        shape_program(module, trials[i].shape, name);
        const Kernel *kernel = kernel_of(run, (uint32_t)(trials[i].shape - shape_cases));
        options[i] = arena_format(arena, "%s/run/%%%u=%s", name, kernel->root.id, trials[i].text);
    }
    CompileOptions compile = {.target = run->target, .schedules = options, .schedule_count = count, .operands = operands_of(trials->shape), .winograd = WINOGRAD_NEVER};
    compile.target.model.looped_sums = loops, compile.target.model.unrolled_turns = loops ? 1 : 1e6;
    Built built;
    VerifyResults results = {0};
    VerifyChoice choice = {.seed = run->seed, .modes = {[VERIFY_CAPTURED] = true}};
    Activity *silent = activity_create(arena, NULL, 0);
    if (!built_make(arena, module, &compile, &built, run->diag) || !verify_run(arena, device, &built, &choice, &results, silent, run->diag)) {
        diag_print(run->diag, stderr);
        run->diag = diag_create(run->arena);
        fail(run, "trials were not run");
    }
    for (uint32_t i = 0; i < results.count; i++) {
        const VerifyResult *result = &results.items[i];
        const Trial *trial = &trials[strtoul(result->program + 1, NULL, 10)];
        if (result->problem || result->skipped)
            fail(run, arena_format(arena, "%s by %s: %s: %s (error %g, allowed %g)", trial->shape->name, trial->text, result->label,
                                   result->problem ? result->problem : "was not compared", result->error, result->allowed));
    }
    activity_destroy(&silent);
    arena_destroy(&arena);
}

enum { AT_ONCE = 100 };

static void check_case(Run *run, uint32_t shape) {
    const Kernel *kernel = kernel_of(run, shape);
    if (!kernel) {
        fail(run, arena_format(run->arena, "%s: has no kernel of its op", shape_cases[shape].name));
        return;
    }
    KernelView view = schedule_view(list_of(run, shape), kernel, kernel->root);
    if (kernel->kernel_class == KERNEL_CONTRACT && view.x.is_computed != (shape_cases[shape].form != FORM_PLAIN))
        fail(run, arena_format(run->arena, "%s: its first operand is %s", shape_cases[shape].name, view.x.is_computed ? "computed" : "in memory"));
}

static void run_class(Run *run, Device *device, TargetClass target_class) {
    run->target = device_info(device)->target;
    run->target.target_class = target_class;
    run->target = target_clamp(&run->target);
    run->shapes = module_create(run->arena);
    for (uint32_t i = 0; i < SHAPE_CASES; i++)
        shape_program(run->shapes, &shape_cases[i], shape_cases[i].name);
    for (int i = 0; i < 2; i++) {
        CompileOptions options = {.target = run->target, .operands = i ? OPERANDS_COMPUTED : OPERANDS_STORED, .winograd = WINOGRAD_NEVER, .no_spirv = true};
        run->compiled[i] = compile_module(run->arena, run->shapes, &options, NULL, run->diag);
        if (run->compiled[i])
            continue;
        diag_print(run->diag, stderr);
        fail(run, "the cases do not compile");
        return;
    }
    for (uint32_t i = 0; i < SHAPE_CASES; i++)
        check_case(run, i);
    printf("class %s, seed %llu\n", target_class_name(target_class), (unsigned long long)run->seed);
    Trials trials = trials_of(run);
    for (uint32_t i = 0, count; i < trials.count && !run->failures; i += count) {
        for (count = 1; i + count < trials.count && count < AT_ONCE && operands_of(trials.items[i + count].shape) == operands_of(trials.items[i].shape);)
            count++;
        // Every fourth with loops: those that lie beside each other are much alike.
        Trials shares[2] = {0};
        for (uint32_t k = 0; k < count; k++)
            array_push(run->arena, &shares[k % 4 == 3], trials.items[i + k]);
        for (int loops = 0; loops < 2; loops++)
            if (shares[loops].count)
                run_trials(run, device, shares[loops].items, shares[loops].count, loops);
    }
    fflush(stdout);
}

int main(int count, char **words) {
    Run run = {.arena = arena_create(), .seed = 1};
    run.diag = diag_create(run.arena);
    for (int i = 1; i < count; i++) {
        run.full |= !strcmp(words[i], "--full");
        if (!strcmp(words[i], "--seed") && i + 1 < count)
            run.seed = strtoull(words[++i], NULL, 10);
    }
    Device *device = device_create(run.arena, &(DeviceOptions){.validation = true}, run.diag);
    if (!device) {
        diag_print(run.diag, stderr);
        return SKIPPED;
    }
    run_class(&run, device, TARGET_CPU);
    run.seed++;
    run_class(&run, device, TARGET_GPU);
    if (device_validation_messages(device))
        fail(&run, device_validation_text(device));
    device_destroy(&device);
    arena_destroy(&run.arena);
    return run.failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
