// Metrics and emits: what their files hold, also across a resume.
#include "runtime/train/curve.h"
#include "runtime/sample/emits.h"
#include "runtime/run/metrics.h"
#include "tests/support/folder.h"
#include <check.h>
#include <math.h>
#include <stdlib.h>

static ProgramEntry entry;

static ProgramResult make_result(const char *name, ResultFormat format, ElementType type, uint32_t rank, const uint32_t *dims) {
    ProgramResult result = {.name = name, .format = format};
    result.tensor.type = type;
    result.tensor.layout = layout_make(rank, dims, NULL);
    return result;
}

static void set_up(void) {
    folder_set_up();
    entry = (ProgramEntry){.name = "train"};
    ProgramPhase critic = {.name = "critic", .repeat = 2}, generator = {.name = "generator", .repeat = 1};
    array_push(arena, &critic.results, make_result("loss", RESULT_REPORT, ELEMENT_F32, 0, NULL));
    array_push(arena, &critic.results, make_result("count", RESULT_REPORT, ELEMENT_I32, 0, NULL));
    array_push(arena, &generator.results, make_result("loss", RESULT_REPORT, ELEMENT_F32, 0, NULL));
    array_push(arena, &generator.results, make_result("x", RESULT_IMAGE, ELEMENT_F32, 4, (const uint32_t[]){2, 1, 3, 3}));
    array_push(arena, &generator.results, make_result("f", RESULT_ROWS, ELEMENT_F32, 2, (const uint32_t[]){3, 2}));
    array_push(arena, &generator.results, make_result("t", RESULT_TENSOR, ELEMENT_I32, 1, (const uint32_t[]){2}));
    array_push(arena, &entry.phases, critic);
    array_push(arena, &entry.phases, generator);
}

static void add(Metrics *metrics, uint32_t step) {
    for (uint32_t p = 0; p < 2; p++)
        for (uint32_t r = 0; r < (p ? 1 : 2); r++) {
            float loss = 1.0f / (float)(1 + step * 3 + r) - (float)p;
            int32_t count = -(int32_t)step;
            const void *values[4] = {&loss, &count};
            if (p)
                values[1] = NULL;
            SessionResult result = {.entry = &entry, .phase = &entry.phases.items[p], .moment = {step, 9, 0, 9, r}, .values = values};
            ck_assert(metrics_add(metrics, &result, step * 0.5, diag));
        }
}

static const char *content(const char *name) {
    size_t size;
    const char *text = file_read(arena, file_join(arena, folder, name), &size, diag);
    ck_assert_ptr_nonnull(text);
    return text;
}

static Metrics *fill(uint32_t first, uint32_t end) {
    Metrics *metrics = metrics_open(arena, folder, &entry, first, diag);
    ck_assert_msg(metrics != NULL, "%s", diag_text(diag, arena));
    for (uint32_t step = first; step < end; step++)
        add(metrics, step);
    return metrics;
}

START_TEST(rows) {
    Metrics *metrics = fill(0, 1);
    ck_assert(metrics_flush(metrics, diag));
    ck_assert_str_eq(content("metrics.csv"),
                     "step,epoch,phase,repetition,loss,count\n0,0,critic,0,1,0\n0,0,critic,1,0.5,0\n0,0,generator,0,0,\n");
    ck_assert_str_eq(
        content("metrics.jsonl"),
        "{\"step\": 0, \"epoch\": 0, \"phase\": \"critic\", \"repetition\": 0, \"loss\": 1, \"count\": 0, \"seconds\": 0.000}\n"
        "{\"step\": 0, \"epoch\": 0, \"phase\": \"critic\", \"repetition\": 1, \"loss\": 0.5, \"count\": 0, \"seconds\": 0.000}\n"
        "{\"step\": 0, \"epoch\": 0, \"phase\": \"generator\", \"repetition\": 0, \"loss\": 0, \"seconds\": 0.000}\n");
    ck_assert_uint_eq(metrics_column_count(metrics), 3);
    ck_assert_str_eq(metrics_column(metrics, 0), "critic.loss");
    ck_assert_str_eq(metrics_column(metrics, 1), "count");
    ck_assert_double_eq(metrics_recent(metrics, 0, 5), 0.75);
    metrics_close(&metrics);
    float wild = NAN;
    metrics = metrics_open(arena, folder, &entry, 0, diag); // begins anew
    const void *values[2] = {&wild, NULL};
    ck_assert(metrics_add(metrics, &(SessionResult){.phase = &entry.phases.items[0], .values = values}, 0, diag));
    ck_assert(metrics_flush(metrics, diag));
    ck_assert_ptr_nonnull(strstr(content("metrics.csv"), "0,0,critic,0,nan,\n"));
    ck_assert_ptr_nonnull(strstr(content("metrics.jsonl"), "\"loss\": null, \"seconds\""));
    metrics_close(&metrics);
}
END_TEST

// Of a phase that runs at times only those of the run's last steps count, and at least its last one: not its last so many.
START_TEST(rare_reports) {
    Metrics *metrics = metrics_open(arena, folder, &entry, 0, diag);
    for (uint32_t step = 0; step < 13; step++)
        for (uint32_t p = 0; p < 2; p++) {
            float loss = (float)step;
            const void *values[4] = {&loss};
            SessionResult result = {.phase = &entry.phases.items[p], .moment = {.step = step}, .values = values};
            if (p == 1 || step % 5 == 0)
                ck_assert(metrics_add(metrics, &result, 0, diag));
        }
    ck_assert_double_eq(metrics_recent(metrics, 0, 2), 10); // the critic ran at 0, 5, 10
    ck_assert_double_eq(metrics_recent(metrics, 0, 8), 7.5);
    ck_assert_double_eq(metrics_recent(metrics, 2, 2), 11.5);
    metrics_close(&metrics);
}
END_TEST

// Stopped anywhere, even within a line, and resumed anywhere before: the files and the curve are those of one run.
START_TEST(resume) {
    Metrics *whole = fill(0, 12);
    ck_assert(metrics_draw(whole, "a", "b", file_join(arena, folder, "a.png"), diag));
    double recent = metrics_recent(whole, 2, 100);
    metrics_close(&whole);
    const char *csv = content("metrics.csv"), *jsonl = content("metrics.jsonl");
    size_t size = strlen(csv);
    for (uint32_t first = 1; first <= 12; first += 2) {
        ck_assert(file_write(file_join(arena, folder, "metrics.csv"), csv, first == 12 ? size - 3 : size, diag));
        Metrics *metrics = fill(first, 12);
        ck_assert(metrics_flush(metrics, diag));
        ck_assert_str_eq(content("metrics.csv"), csv);
        ck_assert_str_eq(content("metrics.jsonl"), jsonl);
        ck_assert_double_eq_tol(metrics_recent(metrics, 2, 100), recent, 1e-7);
        ck_assert(metrics_draw(metrics, "a", "b", file_join(arena, folder, "b.png"), diag));
        metrics_close(&metrics);
    }
    ck_assert(file_write(file_join(arena, folder, "metrics.csv"), csv, size - 5, diag));
    Metrics *metrics = metrics_open(arena, folder, &entry, 12, diag);
    ck_assert(strncmp(content("metrics.csv"), csv, strlen(content("metrics.csv"))) == 0);
    ck_assert(text_ends_with(content("metrics.csv"), "\n"));
    metrics_close(&metrics);
    ck_assert_ptr_null(metrics_open(arena, "/nowhere/at/all", &entry, 0, diag));
}
END_TEST

// Of reports that are `values` throughout, or fall from there to a hundredth: the sheet's size, in panels across and down.
static void ck_panels(const char *const *names, const float *values, uint32_t count, bool falls, uint32_t width, uint32_t height) {
    ProgramPhase phase = {.name = "both", .repeat = 1};
    ProgramEntry other = {.name = "train"};
    for (uint32_t i = 0; i < count; i++)
        array_push(arena, &phase.results, make_result(names[i], RESULT_REPORT, ELEMENT_F32, 0, NULL));
    array_push(arena, &other.phases, phase);
    Metrics *metrics = metrics_open(arena, folder, &other, 0, diag);
    for (uint32_t step = 0; step < 50; step++) {
        float now[8];
        const void *places[8];
        for (uint32_t i = 0; i < count; i++) {
            now[i] = values[i] * (falls ? powf(0.01f, (float)step / 49) : 1 + 0.1f * sinf((float)step));
            places[i] = &now[i];
        }
        SessionResult result = {.entry = &other, .phase = &other.phases.items[0], .moment = {step, 50, 0, 9, 0}, .values = places};
        ck_assert(metrics_add(metrics, &result, step, diag));
    }
    const char *path = file_join(arena, folder, "panels.png");
    ck_assert_msg(metrics_draw(metrics, "a", "b", path, diag), "%s", diag_text(diag, arena));
    Image image;
    ck_assert(image_read(arena, path, &image, NULL, NULL, diag));
    ck_assert_msg(image.width == width && image.height == height, "%u x %u, expected %u x %u", image.width, image.height, width, height);
    metrics_close(&metrics);
}

START_TEST(panels) {
    static const char *const names[] = {"loss", "loss_g", "a", "b", "c", "d", "e", "f"};
    ck_panels(names, (float[]){1}, 1, false, 1200, 700);
    ck_panels(names, (float[]){1, 20}, 2, false, 1200, 700);             // alike
    ck_panels(names, (float[]){1, 40}, 2, false, 1200, 76 + 2 * 430);    // not alike
    ck_panels(names, (float[]){1, 2, 3}, 3, false, 1200, 76 + 2 * 430);  // losses and others
    ck_panels(names + 2, (float[]){1, -20}, 2, false, 1200, 76 + 2 * 430); // too far apart without a logarithmic axis
    ck_panels(names + 2, (float[]){1, -3}, 2, false, 1200, 700);
    ck_panels(names + 2, (float[]){1, -3}, 2, true, 1200, 76 + 2 * 430); // one wants a logarithmic axis
    ck_panels(names + 2, (float[]){1, 0}, 2, false, 1200, 76 + 2 * 430);
    ck_panels(names, (float[]){1, 2, 1, 100, 1e4f, 1e6f}, 6, false, 1440, 76 + 430 + 2 * 360);     // five: the first across
    ck_panels(names, (float[]){1, 2, 1, 100, 1e4f, 1e4f, 1.5f, 1}, 8, false, 1440, 76 + 2 * 360); // four
}
END_TEST

static bool is_there(void) { return file_exists(file_join(arena, folder, "curve.png")); }

START_TEST(followed) {
    Metrics *metrics = fill(0, 12);
    Curve *curve = curve_create(arena, file_join(arena, folder, "curve.png"), 30);
    curve_follow(curve, metrics, "a", "b", 29);
    curve_destroy(&curve); // waits
    ck_assert(!is_there());
    curve = curve_create(arena, file_join(arena, folder, "curve.png"), 30);
    ck_assert(!curve_is_due(curve, 29.9) && curve_is_due(curve, 30));
    curve_follow(curve, metrics, "a", "b", 31);
    ck_assert(!curve_is_due(curve, 60));
    metrics_close(&metrics); // it draws from a copy
    curve_destroy(&curve);
    ck_assert(is_there());
    metrics = fill(0, 12);
    curve = curve_create(arena, "/nowhere/at/all/curve.png", 30);
    curve_follow(curve, metrics, "a", "b", 31); // silent
    ck_assert(!curve_draw(curve, metrics, "a", "b", diag));
    curve_destroy(&curve);
    metrics_close(&metrics);
}
END_TEST

START_TEST(emitted_files) {
    Emits *emits = emits_create(arena);
    ck_assert(emits_is_empty(emits));
    ck_assert_uint_eq(emits_images_per_run(&entry), 2);
    float image[18] = {0}, features[6];
    int32_t pair[2];
    float loss = 0;
    for (uint32_t run = 0; run < 2; run++)
        for (uint32_t r = 0; r < 3; r++) {
            for (uint32_t i = 0; i < 6; i++)
                features[i] = (float)(100 * run + 10 * r + i);
            pair[0] = (int32_t)run;
            pair[1] = (int32_t)r;
            const void *values[] = {&loss, r == 1 ? NULL : image, features, pair};
            SessionResult result = {.phase = &entry.phases.items[1], .moment = {run, 2, 0, 1, r}, .values = values};
            emits_add(emits, &result, run, r == 2 ? 1 : 3);
        }
    EmitsOutput output = {.folder = file_join(arena, folder, "out/deep"), .prefix = "p-", .count = 3, .singles = true, .tensors = true};
    ck_assert_msg(emits_write(emits, &output, diag), "%s", diag_text(diag, arena));
    HostTensor tensor;
    ck_assert(npy_read(arena, file_join(arena, output.folder, "p-x.npy"), &tensor, diag)); // 3 of 4 images at 2 times
    ck_assert_uint_eq(tensor.rank, 5);
    ck_assert(tensor.dims[0] == 3 && tensor.dims[1] == 2 && tensor.dims[4] == 3);
    ck_assert(npy_read(arena, file_join(arena, output.folder, "p-f.npy"), &tensor, diag));
    ck_assert_uint_eq(tensor.rank, 2);
    ck_assert_uint_eq(tensor.dims[0], 14); // 3 + 3 + 1, twice
    ck_assert_float_eq(((const float *)tensor.data)[2 * 6], 20);
    ck_assert_float_eq(((const float *)tensor.data)[2 * 7], 100);
    ck_assert(npy_read(arena, file_join(arena, output.folder, "p-t.npy"), &tensor, diag));
    ck_assert(tensor.rank == 2 && tensor.dims[0] == 6 && tensor.dtype == ELEMENT_I32);
    Image read;
    ck_assert(image_read(arena, file_join(arena, output.folder, "p-x.png"), &read, NULL, NULL, diag));
    ck_assert(!file_exists(file_join(arena, output.folder, "p-x/0001.png"))); // strips have no singles
}
END_TEST

START_TEST(emitted_grid) {
    Emits *emits = emits_create(arena);
    float image[18] = {0}, loss = 0;
    for (uint32_t run = 0; run < 3; run++) {
        image[0] = (float)run / 2;
        const void *values[] = {&loss, image, NULL, NULL};
        emits_add(emits, &(SessionResult){.phase = &entry.phases.items[1], .moment = {run, 3, 0, 1, 0}, .values = values}, run, 0);
    }
    const ImageText text = {"step", "12"};
    EmitsOutput output = {.folder = folder, .count = 5, .singles = true, .texts = &text, .text_count = 1};
    ck_assert(emits_write(emits, &output, diag));
    Image read;
    ImageText *texts;
    uint32_t count;
    ck_assert(image_read(arena, file_join(arena, folder, "x/0005.png"), &read, &texts, &count, diag));
    ck_assert(!file_exists(file_join(arena, folder, "x/0006.png")));
    ck_assert(read.width == 3 && read.pixels[0] == 255 && count == 2);
    ck_assert_str_eq(texts[0].text, "12");
    ck_assert_str_eq(texts[1].text, "x");
    ck_assert(image_read(arena, file_join(arena, folder, "x.png"), &read, NULL, NULL, diag));
}
END_TEST

// Reports are expressions, and a phase is called as anyone likes: cells and strings stay what they are, also in rows that 0.1.0 wrote.
START_TEST(awkward_names) {
    entry.phases.items[0].name = "a\", b";
    entry.phases.items[0].results.items[1].name = "max(x, \"1\")";
    Metrics *metrics = fill(0, 2);
    metrics_close(&metrics);
    const char *csv = content("metrics.csv"), *json = content("metrics.jsonl");
    ck_assert_msg(strstr(csv, "repetition,loss,\"max(x, \"\"1\"\")\"\n0,0,\"a\"\", b\",0,1,0\n") != NULL, "%s", csv);
    ck_assert_msg(strstr(json, "\"phase\": \"a\\\", b\", \"repetition\": 0") != NULL, "%s", json);
    metrics = fill(1, 2);
    ck_assert_double_eq_tol(metrics_recent(metrics, 0, 5), (0.75 + (0.25 + 0.2) / 2) / 2, 1e-6);
    metrics_close(&metrics);
    ck_assert_str_eq(content("metrics.csv"), csv);
    entry.phases.items[0].name = "critic";
    const char *old = "step,epoch,phase,repetition,loss,max(x, \"1\")\n0,0,critic,0,1,0\n", *path = file_join(arena, folder, "metrics.csv");
    ck_assert(file_write(path, old, strlen(old), diag));
    metrics = metrics_open(arena, folder, &entry, 1, diag);
    ck_assert_double_eq(metrics_recent(metrics, 0, 5), 1);
    metrics_close(&metrics);
    ck_assert_ptr_nonnull(strstr(content("metrics.csv"), "loss,\"max(x, \"\"1\"\")\"\n0,0,critic,0,1,0\n"));
}
END_TEST

START_TEST(one_report_named_twice) {
    entry.phases.items[0].results.items[1] = entry.phases.items[0].results.items[0];
    Metrics *metrics = fill(0, 1);
    metrics_close(&metrics);
    ck_assert_str_eq(content("metrics.csv"), "step,epoch,phase,repetition,loss\n0,0,critic,0,1\n0,0,critic,1,0.5\n0,0,generator,0,0\n");
}
END_TEST

int main(void) {
    Suite *suite = suite_create("metrics");
    TCase *tests = tcase_create("metrics");
    tcase_add_checked_fixture(tests, set_up, folder_tear_down);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, rows);
    tcase_add_test(tests, rare_reports);
    tcase_add_test(tests, resume);
    tcase_add_test(tests, awkward_names);
    tcase_add_test(tests, one_report_named_twice);
    tcase_add_test(tests, panels);
    tcase_add_test(tests, followed);
    tcase_add_test(tests, emitted_files);
    tcase_add_test(tests, emitted_grid);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
