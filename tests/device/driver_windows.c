// Limits of a target: an optimizer's parameters may be larger than a binding - the updates then run window by window -, and the scratch of
// a phase larger than an allocation - it then lies in several. Both give the same bytes.
#include "compiler/compile.h"
#include "compiler/read/read.h"
#include "compiler/verify/run.h"
#include "runtime/base/file.h"
#include "runtime/train/train.h"
#include "tests/support/folder.h"
#include <check.h>
#include <math.h>
#include <stdlib.h>

// 1.2 KiB is the largest tensor; the set has 4.1 KiB with gaps between and behind its parts.
static const char GRAPH[] =
    "{\n"
    "  \"gcc-graph\": 1, \"name\": \"windows\", \"let\": { \"batch\": 16 },\n"
    "  \"data\": { \"points\": { \"batch\": \"batch\", \"fields\": { \"point\": { \"shape\": [2] } } } },\n"
    "  \"networks\": { \"f\": { \"dims\": [\"n\"], \"inputs\": { \"x\": [\"n\", 2] }, \"nodes\": [\n"
    "    { \"op\": \"linear\", \"features\": 17 }, { \"op\": \"tanh\" },\n"
    "    { \"op\": \"linear\", \"features\": 17 }, { \"op\": \"tanh\" },\n"
    "    { \"op\": \"linear\", \"features\": 15 }, { \"op\": \"tanh\" },\n"
    "    { \"op\": \"linear\", \"features\": 2 } ] } },\n"
    "  \"optimizers\": { \"opt\": { \"of\": \"f\", \"rmsprop\": { \"lr\": 1e-2, \"momentum\": 0.5 }, \"ema\": 0.9 %s } },\n"
    "  \"programs\": { \"train\": { \"mode\": \"train\", \"steps\": 12, \"phases\": [ { \"name\": \"fit\",\n"
    "    \"feed\": { \"x\": \"points.point\" },\n"
    "    \"nodes\": [ { \"call\": \"f\", \"in\": \"x\" }, { \"expr\": \"mean(($ - x^2)^2)\", \"as\": \"loss\" },\n"
    "      { \"update\": \"opt\", \"minimize\": \"loss\", \"when\": \"step % 5 != 3\" } ],\n"
    "    \"report\": [\"loss\"] } ] } }\n"
    "}\n";


typedef struct {
    const char *more, *define; // of the optimizer; "batch=N" or NULL
    uint64_t storage_range_max, allocation_max;
} Case;

// The number of dispatches of the bundle, or 0 after an error.
static uint32_t compile_for(const char *name, const Case *test) {
    const char *path = file_join(arena, folder, "graph.json");
    Text text = text_create(arena);
    const char *gap = strstr(GRAPH, "%s");
    text_append_bytes(&text, GRAPH, (size_t)(gap - GRAPH));
    text_append(&text, test->more);
    text_append(&text, gap + 2);
    ck_assert(file_write(path, text.data, text.length, diag));
    Module *module =
        read_document(arena, &(ReadOptions){.path = path, .defines = &test->define, .define_count = test->define != NULL}, diag);
    ck_assert_msg(module != NULL, "%s", diag_text(diag, arena));
    CompileOptions options = {.target = target_default(TARGET_CPU)};
    options.target.storage_range_max = test->storage_range_max;
    options.target.allocation_max = test->allocation_max;
    Compiled *compiled = compile_module(arena, module, &options, file_join(arena, folder, name), diag);
    return compiled ? compiled->program->entries.items[0].phases.items[0].steps.count : 0;
}

static uint32_t compile(const char *name, const char *more, uint64_t storage_range_max) {
    return compile_for(name, &(Case){more, NULL, storage_range_max, UINT64_C(1) << 31});
}

static const char *train(const char *name, size_t *size) {
    static const char *const specs[] = {"random:1100"};
    Program *program = program_read(arena, file_join(arena, folder, name), diag);
    ck_assert_msg(program != NULL, "%s", diag_text(diag, arena));
    TrainOptions options = {.run = {.data = specs, .data_count = 1, .has_seed = true, .seed = 3},
                            .out = file_join(arena, folder, arena_format(arena, "%s.run", name)),
                            .device = {.validation = true}};
    TrainResult result;
    ck_assert_msg(train_run(arena, program, &options, &result, diag), "%s", diag_text(diag, arena));
    TensorFile *file = ARENA_NEW(arena, TensorFile, 1);
    ck_assert(safetensors_read(arena, result.checkpoint, file, diag));
    *size = 0;
    Text all = text_create(arena);
    for (uint32_t i = 0; i < file->tensors.count; i++)
        text_append_bytes(&all, file->tensors.items[i].data, file->tensors.items[i].size);
    *size = all.length;
    return all.data;
}

START_TEST(windows_change_no_bit) {
    uint32_t whole = compile("whole.ggb", "", UINT64_C(1) << 27), cut = compile("cut.ggb", "", 1536);
    ck_assert_msg(whole > 0 && cut > whole, "%u steps, %u with windows\n%s", whole, cut, diag_text(diag, arena));
    size_t size, cut_size;
    const char *bytes = train("whole.ggb", &size), *cut_bytes = train("cut.ggb", &cut_size);
    ck_assert_msg(size > 4 * 2000 && size == cut_size, "%zu and %zu bytes", size, cut_size);
    ck_assert(memcmp(bytes, cut_bytes, size) == 0);
}
END_TEST

START_TEST(pieces_of_scratch_change_no_bit) {
    Case test = {"", "batch=512", UINT64_C(1) << 27, UINT64_C(1) << 30};
    ck_assert_uint_gt(compile_for("whole.ggb", &test), 0);
    Program *whole = program_read(arena, file_join(arena, folder, "whole.ggb"), diag);
    ck_assert_ptr_nonnull(whole);
    test.allocation_max = whole->memories.items[MEMORY_SCRATCH].size / 3;
    ck_assert_uint_gt(test.allocation_max, whole->memories.items[MEMORY_STATE].size);
    ck_assert_msg(compile_for("pieces.ggb", &test) > 0, "%s", diag_text(diag, arena));
    Program *pieces = program_read(arena, file_join(arena, folder, "pieces.ggb"), diag);
    ck_assert_msg(pieces != NULL, "%s", diag_text(diag, arena));
    ck_assert_uint_ge(pieces->memories.count, whole->memories.count + 2);
    size_t size, cut_size;
    const char *bytes = train("whole.ggb", &size), *cut_bytes = train("pieces.ggb", &cut_size);
    ck_assert_msg(size > 4 * 2000 && size == cut_size, "%zu and %zu bytes", size, cut_size);
    ck_assert(memcmp(bytes, cut_bytes, size) == 0);
}
END_TEST

// A norm folds the whole set: that is no map, and said so.
// The norm of a set that no binding holds is that of its parts: the same but for the order of additions.
START_TEST(norms_of_windows_are_the_same) {
    ck_assert_uint_gt(compile("whole.ggb", ", \"clip_norm\": 0.05", UINT64_C(1) << 27), 0);
    ck_assert_msg(compile("cut.ggb", ", \"clip_norm\": 0.05", 1536) > 0, "%s", diag_text(diag, arena));
    size_t size, cut_size;
    const char *bytes = train("whole.ggb", &size), *cut_bytes = train("cut.ggb", &cut_size);
    ck_assert_uint_eq(size, cut_size);
    uint32_t moved = 0;
    for (size_t i = 0; i < size / sizeof(float); i++) { // counts among them are denormals
        float numbers[2];
        memcpy(&numbers[0], bytes + i * sizeof(float), sizeof(float)), memcpy(&numbers[1], cut_bytes + i * sizeof(float), sizeof(float));
        ck_assert_msg(fabsf(numbers[0] - numbers[1]) <= 1e-5f * (1 + fabsf(numbers[0])), "%zu: %g, %g", i, (double)numbers[0], (double)numbers[1]);
        moved += numbers[0] != 0;
    }
    ck_assert_uint_gt(moved, 2000);
}
END_TEST

// Windows that store over what they read are compared together, with captured inputs, edge values and on the device.
START_TEST(windows_are_verified) {
    ck_assert_uint_gt(compile("cut.ggb", ", \"clip_norm\": 0.05", 1536), 0);
    const char *bundle = file_join(arena, folder, "cut.ggb");
    Program *program = program_read(arena, bundle, diag);
    Device *device = device_create(arena, &(DeviceOptions){.validation = true}, diag);
    Activity *activity = activity_create(arena, NULL, 0);
    VerifyChoice choice = {.seed = 1, .modes = {true, true, true}};
    VerifyResults results = {0};
    Built built;
    bool good = program && device && built_look(arena, bundle, program, &built, diag) && verify_run(arena, device, &built, &choice, &results, activity, diag);
    ck_assert_msg(good, "%s", diag_text(diag, arena));
    ck_assert_uint_gt(results.count, 0);
    for (uint32_t i = 0; i < results.count; i++)
        ck_assert_msg(!results.items[i].problem, "%s: %s", results.items[i].label, results.items[i].problem);
    activity_destroy(&activity);
    device_destroy(&device);
}
END_TEST

int main(void) {
    Arena *probe = arena_create();
    Diag *reports = diag_create(probe);
    Device *device = device_create(probe, &(DeviceOptions){0}, reports);
    bool is_there = device != NULL;
    device_destroy(&device);
    arena_destroy(&probe);
    if (!is_there)
        return 77;
    Suite *suite = suite_create("windows");
    TCase *tests = tcase_create("windows");
    tcase_set_timeout(tests, 120);
    tcase_add_checked_fixture(tests, folder_set_up, folder_tear_down);
    tcase_add_test(tests, windows_change_no_bit);
    tcase_add_test(tests, pieces_of_scratch_change_no_bit);
    tcase_add_test(tests, windows_are_verified);
    tcase_add_test(tests, norms_of_windows_are_the_same);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
