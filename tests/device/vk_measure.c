// Measure: a device is measured once and that is kept; what is damaged, foreign or cannot be written is told and does no harm.
#include "runtime/base/file.h"
#include "runtime/vk/measure.h"
#include "tests/device/vk_drivers.h"

static const Deadline patient = {clock_seconds, 1e300}; // so that all is measured on a busy machine, too

static Device *open_device(Arena *arena, Diag *diag) {
    Device *device = device_create(arena, &(DeviceOptions){.validation = true}, diag);
    ck_assert_msg(device != NULL, "%s", diag_text(diag, arena));
    return device;
}

static bool is_kept(Arena *arena, const DeviceInfo *info, DeviceModel *out, const char *told) {
    Diag *diag = diag_create(arena);
    bool kept = measure_kept(arena, info, out, diag);
    const char *text = diag_text(diag, arena);
    ck_assert_uint_eq(diag_error_count(diag), 0);
    ck_assert_msg(told ? strstr(text, told) != NULL : *text == 0, "%s", text);
    return kept;
}

START_TEST(what_was_measured_is_kept) {
    Arena *arena = arena_create();
    Diag *diag = diag_create(arena);
    Device *device = open_device(arena, diag);
    const DeviceInfo *info = device_info(device);
    DeviceModel measured, kept;
    remove(measure_path(arena, info));
    ck_assert(!is_kept(arena, info, &kept, NULL));
    ck_assert_msg(measure_device(arena, device, &patient, &measured, diag), "%s", diag_text(diag, arena));
    ck_assert_str_eq(diag_text(diag, arena), "");
    printf("%.3g multiply-adds/s, %.3g bytes/s, in a cache %.3g; a dispatch %.3g us, %.3g more where it waits\n", measured.multiply_adds,
           measured.memory_bytes, measured.cache_bytes, measured.dispatch_seconds * 1e6, measured.wave_seconds * 1e6);
    ck_assert(measured.is_measured && measured.multiply_adds > 1e7 && measured.memory_bytes > 1e6 && measured.cache_bytes >= measured.memory_bytes);
    ck_assert(measured.dispatch_seconds > 1e-8 && measured.dispatch_seconds < 0.1 && measured.wave_seconds < 0.1);
    ck_assert(is_kept(arena, info, &kept, NULL));
    for (ModelFigure i = 0; i < FIGURE_COUNT; i++)
        ck_assert(model_figure(&kept, i) == model_figure(&measured, i));
    ck_assert_msg(device_validation_messages(device) == 0, "%.500s", device_validation_text(device));
    device_destroy(&device);
    arena_destroy(&arena);
}
END_TEST

START_TEST(what_is_damaged_or_foreign_is_not_used) {
    static const struct {
        const char *from, *to, *told;
    } edits[] = {
        {"{", "[", "it is damaged"},
        {"\"gcc-graph measurement\": 2", "\"gcc-graph measurement\": 99", "it is of another format"},
        {"\"gcc-graph measurement\": 2,", "", "it is of another format"},
        {"\"device\": \"", "\"device\": \"another ", "it is of another device or driver"},
        {"\"driver\": \"", "\"driver\": \"another ", "it is of another device or driver"},
        {"\"multiply_adds\": ", "\"multiply_adds\": -", "figures are missing or wrong"},
        {"\"multiply_adds\": ", "\"multiply_adds\": 1e300, \"x\": ", "figures are missing or wrong"},
        {"\"texel_load\"", "\"texel_lode\"", "figures are missing or wrong"},
    };
    Arena *arena = arena_create();
    Diag *diag = diag_create(arena);
    Device *device = open_device(arena, diag);
    const DeviceInfo *info = device_info(device);
    const char *path = measure_path(arena, info);
    DeviceModel model = {0};
    size_t size;
    const char *text = file_read(arena, path, &size, diag); // of the test before
    ck_assert_msg(text != NULL, "%s", diag_text(diag, arena));
    for (uint32_t i = 0; i < sizeof edits / sizeof *edits; i++) {
        const char *at = strstr(text, edits[i].from);
        ck_assert_ptr_nonnull(at);
        const char *edited = arena_format(arena, "%.*s%s%s", (int)(at - text), text, edits[i].to, at + strlen(edits[i].from));
        ck_assert(file_write(path, edited, strlen(edited), diag));
        ck_assert(!is_kept(arena, info, &model, edits[i].told) && !model.is_measured);
    }
    DeviceModel again;
    ck_assert(measure_device(arena, device, &patient, &again, diag) && is_kept(arena, info, &model, NULL)); // written anew
    device_destroy(&device);
    arena_destroy(&arena);
}
END_TEST

static double ticks;

static double tick(void) { return ++ticks; }

static const char *cut_off(Arena *arena, Device *device, double samples, DeviceModel *out) {
    Diag *diag = diag_create(arena);
    ticks = 0;
    ck_assert_msg(measure_device(arena, device, &(Deadline){tick, samples}, out, diag), "%s", diag_text(diag, arena));
    ck_assert_uint_eq(diag_error_count(diag), 0);
    ck_assert_msg(strstr(diag_text(diag, arena), "was over before all was measured"), "%s", diag_text(diag, arena));
    return diag_text(diag, arena);
}

// By a clock of which each look takes a second: when the time is over, figures are as they were, those before it are measured.
START_TEST(a_deadline_cuts_measuring_off) {
    Arena *arena = arena_create();
    Diag *diag = diag_create(arena);
    Device *device = open_device(arena, diag);
    const DeviceInfo *info = device_info(device);
    DeviceModel usual = model_default(info->target.target_class), model, before, after, part;
    ck_assert(file_remove_tree(file_folder(arena, measure_path(arena, info)), diag));
    const char *told = cut_off(arena, device, 1, &model); // at once
    ck_assert_msg(strstr(told, "as its class has it: ") && strstr(told, "multiply_adds, memory_bytes, cache_bytes, dispatch_seconds"), "%s", told);
    ck_assert(model.multiply_adds == usual.multiply_adds && model.memory_bytes == usual.memory_bytes);
    ck_assert(ticks < 100); // looks at the clock: without a deadline there are hundreds of samples
    ck_assert(measure_device(arena, device, &patient, &before, diag)); // all of it
    ck_assert_str_eq(diag_text(diag, arena), "");
    told = cut_off(arena, device, 10, &after); // within dispatches
    ck_assert(!strstr(told, "dispatch_seconds") && strstr(told, "multiply_adds"));
    ck_assert(after.multiply_adds == before.multiply_adds && after.memory_bytes == before.memory_bytes); // as it was kept
    ck_assert(after.dispatch_seconds != before.dispatch_seconds);
    ck_assert(is_kept(arena, info, &part, NULL) && part.multiply_adds == before.multiply_adds && part.dispatch_seconds == after.dispatch_seconds);
    device_destroy(&device);
    arena_destroy(&arena);
}
END_TEST

// Peaks that a bench measured: over what is kept, each figure with its time.
START_TEST(peaks_are_merged_into_what_is_kept) {
    Arena *arena = arena_create();
    Diag *diag = diag_create(arena);
    Device *device = open_device(arena, diag);
    const DeviceInfo *info = device_info(device);
    const char *path = measure_path(arena, info);
    DevicePeaks peaks = {.gflops = 123, .gbps = 7, .streams = {[PEAK_COPY] = {1, 9, 8, 7, 0, 0, 0, 0}}}; // and no reads
    DeviceModel before, model, kept;
    size_t size;
    ck_assert(is_kept(arena, info, &before, NULL)); // of the test before
    const char *text = file_read(arena, path, &size, diag), *at = strstr(text, "\"measured\": {");
    ck_assert_ptr_nonnull(at);
    const char *old = strstr(at, "\"texel_load\": \"20");
    ck_assert_ptr_nonnull(old); // becomes of another time
    text = arena_format(arena, "%.*s\"texel_load\": \"1999%s", (int)(old - text), text, old + strlen("\"texel_load\": \"2026"));
    ck_assert(file_write(path, text, strlen(text), diag));
    ck_assert_msg(measure_keep(arena, device, &peaks, &model, diag), "%s", diag_text(diag, arena));
    ck_assert(model.multiply_adds == 123e9 / 2 && model.memory_bytes == 7e9 && model.cache_bytes == 9e9);
    ck_assert(model.texel_load == before.texel_load && model.storage_load == before.storage_load);
    ck_assert(is_kept(arena, info, &kept, NULL) && kept.multiply_adds == model.multiply_adds && kept.dispatch_seconds == model.dispatch_seconds);
    text = file_read(arena, path, &size, diag);
    ck_assert(strstr(text, "\"texel_load\": \"1999") && strstr(text, "\"multiply_adds\": \"2"));
    device_destroy(&device);
    arena_destroy(&arena);
}
END_TEST

START_TEST(a_cache_that_cannot_be_written_is_told) {
    Arena *arena = arena_create();
    Diag *diag = diag_create(arena);
    Device *device = open_device(arena, diag);
    const char *folder = file_folder(arena, measure_path(arena, device_info(device)));
    DeviceModel model;
    ck_assert(file_remove_tree(folder, diag) && file_write(folder, "x", 1, diag));
    ck_assert(measure_device(arena, device, &patient, &model, diag) && model.is_measured);
    ck_assert_uint_eq(diag_error_count(diag), 0);
    ck_assert_ptr_nonnull(strstr(diag_text(diag, arena), "is not kept: "));
    remove(folder);
    device_destroy(&device);
    arena_destroy(&arena);
}
END_TEST

static Suite *make(void) {
    Suite *suite = suite_create("measure");
    TCase *cases = tcase_create("measure");
    tcase_set_timeout(cases, 0);
    tcase_add_test(cases, what_was_measured_is_kept);
    tcase_add_test(cases, what_is_damaged_or_foreign_is_not_used);
    tcase_add_test(cases, a_deadline_cuts_measuring_off);
    tcase_add_test(cases, peaks_are_merged_into_what_is_kept);
    tcase_add_test(cases, a_cache_that_cannot_be_written_is_told);
    suite_add_tcase(suite, cases);
    return suite;
}

int main(void) { return run_on_drivers(make); }
