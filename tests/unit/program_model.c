// Model: every figure is whole, is written and read; measured ones change decisions by a clear margin only; estimates grow with the work.
#include "runtime/base/json.h"
#include "runtime/program/target_file.h"
#include "runtime/program/work.h"
#include <check.h>
#include <math.h>
#include <stdlib.h>

START_TEST(figures_are_whole) {
    ModelFigure figure = (ModelFigure)_i;
    ck_assert(strlen(figure_def(figure)->name) > 2 && strlen(figure_def(figure)->unit) > 5);
    for (TargetClass c = TARGET_CPU; c <= TARGET_ANY; c++) {
        DeviceModel model = model_default(c);
        ck_assert(!model.is_measured && model_figure(&model, figure) >= 0 && model_figure(&model, figure) < 1e18);
        model_set(&model, figure, 1234.5);
        for (ModelFigure i = 0; i < FIGURE_COUNT; i++)
            ck_assert((model_figure(&model, i) == 1234.5) == (i == figure)); // and no other
    }
}
END_TEST

static Target read_back(Arena *arena, const char *text, const char **told) {
    Fields fields = {.arena = arena, .diag = diag_create(arena)};
    const Json *json = json_parse(arena, "x.json", text, strlen(text), fields.diag);
    ck_assert_ptr_nonnull(json);
    Target target = target_read(&fields, json, 0);
    *told = diag_text(fields.diag, arena);
    return target;
}

static const char *text_of(Arena *arena, const Target *target) {
    JsonWriter *json = json_writer_create(arena);
    json_begin_object(json, NULL);
    target_write(json, target, false);
    json_end_object(json);
    return json_writer_text(json);
}

START_TEST(figures_are_written_and_read) {
    Arena *arena = arena_create();
    const char *told, *name = figure_def((ModelFigure)_i)->name;
    Target target = target_default(TARGET_GPU);
    target.model.is_measured = true;
    model_set(&target.model, (ModelFigure)_i, 0.1234567890123);
    Target back = read_back(arena, text_of(arena, &target), &told);
    ck_assert_str_eq(told, "");
    ck_assert(back.model.is_measured && model_figure(&back.model, (ModelFigure)_i) == 0.1234567890123);
    for (int bad = 0; bad < 3; bad++) {
        model_set(&target.model, (ModelFigure)_i, bad == 0 ? -1 : bad == 1 ? 1e30 : (double)NAN);
        read_back(arena, text_of(arena, &target), &told);
        ck_assert_msg(strstr(told, arena_format(arena, "/model/%s: %s: a number ", name, name)) != NULL, "%s", told);
    }
    arena_destroy(&arena);
}
END_TEST

// Bundles from before there was a model have their class's.
START_TEST(an_absent_model_is_the_class_s) {
    Arena *arena = arena_create();
    const char *told;
    Target target = target_default(TARGET_GPU);
    const char *text = text_of(arena, &target), *at = strstr(text, ",\n  \"model\"");
    ck_assert_ptr_nonnull(at);
    Target back = read_back(arena, arena_format(arena, "%.*s}", (int)(at - text), text), &told);
    ck_assert_str_eq(told, "");
    DeviceModel usual = model_default(TARGET_GPU);
    for (ModelFigure i = 0; i < FIGURE_COUNT; i++)
        ck_assert(model_figure(&back.model, i) == model_figure(&usual, i));
    arena_destroy(&arena);
}
END_TEST

START_TEST(measurements_are_taken_as_the_row_says) {
    ModelFigure figure = (ModelFigure)_i;
    static const double factors[] = {0.1, 0.3, 0.9, 3.9, 4.1, 100, 1e-7, 1e7}; // the last two are no device's
    DeviceModel usual = model_default(TARGET_CPU);
    if (model_figure(&usual, figure) <= 0)
        return;
    for (uint32_t k = 0; k < sizeof factors / sizeof *factors; k++) {
        double found = model_figure(&usual, figure) * factors[k], kept = model_figure(&usual, figure);
        DeviceModel measured = {0};
        model_set(&measured, figure, found);
        DeviceModel model = model_measured(&usual, &measured);
        ck_assert(model.is_measured);
        for (ModelFigure i = 0; i < FIGURE_COUNT; i++)
            ck_assert(i == figure || model_figure(&model, i) == model_figure(&usual, i)); // not measured
        bool is_plausible = factors[k] > 1e-6 && factors[k] < 1e6;
        switch (is_plausible ? figure_def(figure)->taken : TAKEN_GIVEN) {
        case TAKEN_FREE: kept = found; break;
        case TAKEN_FIRM: kept = factors[k] > 4 || factors[k] < 0.25 ? found : kept; break;
        case TAKEN_GIVEN: break;
        }
        ck_assert_msg(model_figure(&model, figure) == kept, "%s x %g", figure_def(figure)->name, factors[k]);
    }
}
END_TEST

START_TEST(drivers_are_known_by_their_version) {
    static const struct {
        const char *driver;
        bool is_known;
    } rows[] = {{"llvmpipe Mesa 25.0.7-2 (LLVM 19.1.7)", true}, {"llvmpipe Mesa 26.1.0", true}, {"llvmpipe Mesa 22.3.6 (LLVM 15.0.6)", false},
                {"llvmpipe Mesa", false},                       {"radv Mesa 25.0.7", false},    {"", false}};
    DeviceModel usual = model_default(TARGET_CPU);
    ck_assert(model_is(&usual, &usual));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        DeviceModel model = model_of_driver(TARGET_CPU, rows[i].driver);
        ck_assert_msg(model_is(&model, &usual) != rows[i].is_known, "%s", rows[i].driver);
        ck_assert_msg((model.broadcast < usual.broadcast) == rows[i].is_known && model.cores == usual.cores, "%s", rows[i].driver);
        ck_assert_msg((model.looped_sums > 0 && model.unrolled_turns < usual.unrolled_turns) == rows[i].is_known, "%s", rows[i].driver);
    }
}
END_TEST

START_TEST(estimates) {
    DeviceModel model = model_default(TARGET_CPU);
    ck_assert_double_eq(model_seconds(&(Work){0}, &model), 0);
    double arithmetic = model_seconds(&(Work){.all_multiply_adds = 1e9}, &model), memory = model_seconds(&(Work){.bytes = 1e9}, &model);
    ck_assert_double_eq_tol(arithmetic, 1e9 / (0.3 * 83e9), 1e-12);
    ck_assert_double_eq_tol(memory, 1e9 / (0.5 * 24e9), 1e-12);
    ck_assert_double_eq_tol(model_seconds(&(Work){.all_multiply_adds = 1e9, .bytes = 1e9, .dispatches = 10, .waves = 10}, &model),
                            arithmetic + memory + 10 * 20e-6, 1e-12);
    model.cache_bytes = 10 * model.memory_bytes; // what fits the cache is faster
    ck_assert_double_eq_tol(model_seconds(&(Work){.bytes = 3e7}, &model), 3e7 / (0.5 * 240e9), 1e-12);
    // Workgroups that leave a core idle take as long as those that do not; loads cost what their kind costs.
    Work work = {.groups = 5, .lanes = 8, .multiply_adds = 100, .storage_loads = 10};
    double five = model_seconds(&work, &model);
    work.groups = 6;
    ck_assert_double_eq_tol(model_seconds(&work, &model), five, five * 1e-12);
    work.groups = 7;
    ck_assert_double_gt(model_seconds(&work, &model), five * 1.3);
    Work texel = work;
    texel.texel_loads = texel.storage_loads;
    texel.storage_loads = 0;
    ck_assert_double_lt(model_seconds(&texel, &model), model_seconds(&work, &model));
    Step dispatch = {.flops = 2e9, .bytes = 1e9};
    model = model_default(TARGET_CPU);
    ck_assert_double_eq_tol(program_dispatch_seconds(&dispatch, &model), arithmetic + memory + 20e-6, 1e-12);
}
END_TEST

static double reduction(TargetClass target_class, double chain, double at_once, double lanes) {
    DeviceModel model = model_default(target_class);
    return model_seconds(&(Work){.chain = chain, .at_once = at_once, .shared_by = lanes, .storage_loads = 1}, &model);
}

// A reduction is shared where lanes are idle and turns many; by more lanes where turns are very many.
START_TEST(long_sums_of_few_results_are_shared) {
    static const struct {
        TargetClass target_class;
        double chain, at_once, lanes;
    } cases[] = {
        {TARGET_CPU, 24, 1, 1},     {TARGET_CPU, 32, 1, 8},      {TARGET_CPU, 32, 15, 8},      {TARGET_CPU, 16384, 16, 1},
        {TARGET_CPU, 131072, 1, 8}, {TARGET_GPU, 196, 1, 1},     {TARGET_GPU, 256, 8192, 64},  {TARGET_GPU, 1024, 4096, 64},
        {TARGET_GPU, 2048, 2, 256}, {TARGET_GPU, 131072, 1, 256}, {TARGET_GPU, 4096, 65536, 1}, {TARGET_ANY, 32, 8, 8},
    };
    static const double lanes_of[2][4] = {{1, 8, 32, 1024}, {1, 64, 256, 1024}}; // such as compiler/schedules/tree.c weighs
    for (uint32_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double least = 0, best = 0;
        const double *lanes = lanes_of[cases[i].target_class == TARGET_GPU];
        for (uint32_t k = 0; k < 4; k++) {
            double seconds = reduction(cases[i].target_class, cases[i].chain, cases[i].at_once, lanes[k]);
            if (!k || seconds < least)
                least = seconds, best = lanes[k];
        }
        ck_assert_msg(best == cases[i].lanes, "case %u: %g lanes", i, best);
        ck_assert_double_gt(reduction(cases[i].target_class, 2 * cases[i].chain, cases[i].at_once, best), least); // more takes longer
        ck_assert_double_gt(reduction(cases[i].target_class, cases[i].chain, 1e6, best), least);
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("program_model");
    TCase *tests = tcase_create("model");
    tcase_add_loop_test(tests, figures_are_whole, 0, FIGURE_COUNT);
    tcase_add_loop_test(tests, figures_are_written_and_read, 0, FIGURE_COUNT);
    tcase_add_test(tests, an_absent_model_is_the_class_s);
    tcase_add_loop_test(tests, measurements_are_taken_as_the_row_says, 0, FIGURE_COUNT);
    tcase_add_test(tests, drivers_are_known_by_their_version);
    tcase_add_test(tests, estimates);
    tcase_add_test(tests, long_sums_of_few_results_are_shared);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
