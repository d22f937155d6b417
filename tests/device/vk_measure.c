// Measure: a device is measured once and that is kept; what is damaged, foreign or cannot be written is told and does no harm.
#include "runtime/base/file.h"
#include "runtime/vk/measure.h"
#include "tests/device/vk_drivers.h"

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
    ck_assert_msg(measure_device(arena, device, &measured, diag), "%s", diag_text(diag, arena));
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
        {"\"gcc-graph measurement\": 1", "\"gcc-graph measurement\": 99", "it is of another format"},
        {"\"gcc-graph measurement\": 1,", "", "it is of another format"},
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
    ck_assert(measure_device(arena, device, &again, diag) && is_kept(arena, info, &model, NULL)); // written anew
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
    ck_assert(measure_device(arena, device, &model, diag) && model.is_measured);
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
    tcase_add_test(cases, a_cache_that_cannot_be_written_is_told);
    suite_add_tcase(suite, cases);
    return suite;
}

int main(void) { return run_on_drivers(make); }
