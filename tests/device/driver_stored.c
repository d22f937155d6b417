// Stored forms: each value that may be stored with fewer bytes is, one at a time and all at once, and every kernel is judged on the device.
#include "compiler/read/read.h"
#include "compiler/verify/run.h"
#include "runtime/base/file.h"
#include "tests/device/op_suite.h"
#include "tests/device/vk_drivers.h"
#include <math.h>

// Maps, a convolution, a matmul and reductions; channels that fill no vec4, another shape of a stored value, and elements read one by one.
static const char GRAPH[] =
    "{\"gcc-graph\": 1, \"name\": \"stored\",\n"
    " \"data\": {\"points\": {\"batch\": 3, \"fields\": {\"x\": {\"shape\": [5, 6, 7]}, \"w\": {\"shape\": [10, 6]}}}},\n"
    " \"networks\": {\"f\": {\"dims\": [\"n\"], \"inputs\": {\"x\": [\"n\", 5, 6, 7]}, \"nodes\": [\n"
    "   {\"op\": \"conv2d\", \"channels\": 6, \"kernel\": 3, \"pad\": 1}, {\"op\": \"tanh\"},\n"
    "   {\"op\": \"conv2d\", \"channels\": 7, \"kernel\": 3, \"pad\": 1}]}},\n"
    " \"optimizers\": {\"opt\": {\"of\": \"f\", \"sgd\": {\"lr\": 0.01}}},\n"
    " \"programs\": {\"train\": {\"mode\": \"train\", \"phases\": [{\"name\": \"a\", \"feed\": {\"x\": \"points.x\", \"w\": \"points.w\"}, \"nodes\": [\n"
    "   {\"call\": \"f\", \"in\": \"x\", \"as\": \"y\"},\n"
    "   {\"expr\": \"mean(y^2)\", \"as\": \"loss\"},\n"
    "   {\"expr\": \"tanh(matmul(reshape(w, [15, 12]), reshape(w, [12, 15])))\", \"as\": \"m\"},\n"
    "   {\"expr\": \"matmul(transpose(m, [1, 0]), m) + m\", \"as\": \"k\"},\n"
    "   {\"emit\": \"k\", \"value\": \"k\", \"format\": \"tensor\"},\n"
    "   {\"update\": \"opt\", \"minimize\": \"loss\"}], \"report\": [\"loss\"]}]}}}\n";

typedef struct {
    ElementType type;
    uint32_t only; // of those that are asked for; UINT32_MAX: all
    uint32_t asked;
} Choice;

static ElementType choose(void *context, const Graph *graph, Value value) {
    Choice *choice = context;
    (void)graph, (void)value;
    uint32_t number = choice->asked++;
    return choice->only == UINT32_MAX || choice->only == number ? choice->type : ELEMENT_F32;
}

static Module *read_graph(Arena *arena, Diag *diag) {
    return op_suite_read(arena, GRAPH, diag);
}

static uint32_t count_stored(const Program *program, ElementType type) {
    uint32_t count = 0;
    const ProgramPhase *phase = &program->entries.items[0].phases.items[0];
    for (uint32_t d = 0; d < phase->steps.count; d++)
        for (uint32_t i = 0; i < phase->steps.items[d].value_count; i++)
            count += phase->steps.items[d].value_types[i] == type;
    return count;
}

static uint32_t count_problems(const VerifyResults *results) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < results->count; i++) {
        if (results->items[i].problem)
            fprintf(stderr, "%s: %s\n", results->items[i].kernel, results->items[i].problem);
        count += results->items[i].problem != NULL;
    }
    return count;
}

// Compiles, keeps the program in a folder and runs what comes back from it.
static Built build(Arena *arena, const Module *module, TargetClass target_class, bool reference, Choice *choice, const char *folder, Diag *diag) {
    CompileOptions options = {.target = target_default(target_class), .reference_schedule = reference, .stored_as = choose, .stored_context = choice};
    Built built = {.module = module, .compiled = compile_module(arena, module, &options, file_join(arena, folder, "a.ggb"), diag)};
    ck_assert_msg(built.compiled != NULL, "%s", diag_text(diag, arena));
    built.program = program_read(arena, file_join(arena, folder, "a.ggb"), diag);
    ck_assert_msg(built.program != NULL, "%s", diag_text(diag, arena));
    return built;
}

static uint32_t judge(Arena *arena, Device *device, const Built *built, Diag *diag) {
    VerifyResults results = {0};
    VerifyChoice choice = {.seed = 1, .flops_max = 1e9, .modes = {true, true, true}};
    ck_assert_msg(verify_run(arena, device, built, &choice, &results, NULL, diag), "%s", diag_text(diag, arena));
    ck_assert_uint_ge(results.count, built->program->entries.items[0].phases.items[0].steps.count);
    return count_problems(&results);
}

static const ElementType stored_types[] = {ELEMENT_F16, ELEMENT_BF16};
static const TargetClass classes[] = {TARGET_CPU, TARGET_GPU, TARGET_ANY};

START_TEST(all_kernels_hold) {
    Arena *arena = arena_create();
    Diag *diag = diag_create(arena);
    char *folder = mkdtemp(arena_copy_text(arena, "/tmp/gcc-graph-stored-XXXXXX"));
    Module *module = read_graph(arena, diag);
    Device *device = device_create(arena, &(DeviceOptions){.validation = true}, diag);
    ck_assert_msg(folder && device, "%s", diag_text(diag, arena));
    ElementType type = stored_types[_i % 2];
    bool reference = _i >= 6, is_thorough = _i == 0; // one at a time, too
    uint32_t asked = 1;
    for (uint32_t number = is_thorough ? 0 : 1; number <= asked; number++) { // the last time: all
        Choice choice = {.type = type, .only = number < asked ? number : UINT32_MAX};
        Built built = build(arena, module, classes[_i / 2 % 3], reference, &choice, folder, diag);
        asked = choice.asked;
        ck_assert_uint_eq(count_stored(built.program, type), choice.only == UINT32_MAX ? asked : 1);
        ck_assert_uint_eq(judge(arena, device, &built, diag), 0);
        if (!is_thorough)
            break;
    }
    ck_assert_uint_gt(asked, 3);
    ck_assert_msg(device_validation_messages(device) == 0, "%.500s", device_validation_text(device));
    device_destroy(&device);
    ck_assert(file_remove_tree(folder, diag));
    arena_destroy(&arena);
}
END_TEST

// Half the bytes; and what a shader that mixes up the halves makes of it is seen.
START_TEST(mistakes_are_seen) {
    Arena *arena = arena_create();
    Diag *diag = diag_create(arena);
    char *folder = mkdtemp(arena_copy_text(arena, "/tmp/gcc-graph-stored-XXXXXX"));
    Module *module = read_graph(arena, diag);
    Device *device = device_create(arena, &(DeviceOptions){0}, diag);
    Choice none = {.type = ELEMENT_F32, .only = 0}, all = {.type = stored_types[_i], .only = UINT32_MAX};
    const ProgramPhase *plain = &build(arena, module, TARGET_CPU, false, &none, folder, diag).program->entries.items[0].phases.items[0];
    Built built = build(arena, module, TARGET_CPU, false, &all, folder, diag);
    ck_assert_uint_lt(built.program->entries.items[0].phases.items[0].scratch_size, plain->scratch_size);
    uint32_t changed = 0, rebuilt = 0;
    for (uint32_t k = 0; k < built.program->kernels.count; k++) {
        const char *path = program_kernel_path(arena, file_join(arena, folder, "a.ggb"), built.program->kernels.items[k].name, ".comp");
        size_t size;
        char *text = file_read(arena, path, &size, diag), *store = strstr(text, _i ? "y << 16, halves.z" : "xy), packHalf2x16(");
        if (!store)
            continue;
        store[0] = 'z';
        ck_assert(file_write(path, text, size, diag));
        changed++;
    }
    ck_assert(compile_rebuild(arena, file_join(arena, folder, "a.ggb"), false, &rebuilt, diag) && rebuilt == changed && changed > 0);
    built.program = program_read(arena, file_join(arena, folder, "a.ggb"), diag);
    ck_assert_msg(built.program != NULL, "%s", diag_text(diag, arena));
    ck_assert_uint_ge(judge(arena, device, &built, diag), changed);
    device_destroy(&device);
    ck_assert(file_remove_tree(folder, diag));
    arena_destroy(&arena);
}
END_TEST

static Suite *make_suite(void) {
    Suite *suite = suite_create("stored");
    TCase *cases = tcase_create("stored");
    tcase_set_timeout(cases, 60);
    tcase_add_loop_test(cases, all_kernels_hold, 0, 8);
    tcase_add_loop_test(cases, mistakes_are_seen, 0, 2);
    suite_add_tcase(suite, cases);
    return suite;
}

int main(void) { return run_on_drivers(make_suite); }
