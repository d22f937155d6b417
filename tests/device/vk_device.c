// Devices: listing, choosing, peaks, errors of every call.
#include "tests/device/vk_drivers.h"

START_TEST(lists_and_chooses) {
    Arena *arena = arena_create();
    Diag *diag = diag_create(arena);
    DeviceInfo *infos;
    uint32_t count;
    ck_assert(device_list(arena, &infos, &count, diag));
    ck_assert_uint_ge(count, 1);
    for (uint32_t i = 0; i < count; i++) {
        const Target *target = &infos[i].target;
        ck_assert_uint_eq(infos[i].index, i);
        ck_assert_uint_eq(strlen(infos[i].uuid), 36);
        if (!infos[i].usable)
            continue;
        ck_assert_uint_ge(target->offset_alignment, 16);
        ck_assert_uint_ge(target->storage_range_max, 1u << 27);
        ck_assert_uint_ge(target->texel_elements_max, 65536);
        ck_assert_uint_ge(target->allocation_max, 1u << 30);
        ck_assert_uint_ge(target->groups_max, 65535);
        Target clamped = target_clamp(target); // whatever the driver states
        ck_assert_uint_eq(target->storage_bindings_max, clamped.storage_bindings_max);
        ck_assert_uint_eq(target->texel_bindings_max, clamped.texel_bindings_max);
        ck_assert_str_eq(target->device, infos[i].name);
        ck_assert(infos[i].memory_total > 0);
        const char *choices[] = {infos[i].uuid, infos[i].name, arena_format(arena, "%u", i)};
        for (int k = 0; k < 3; k++) {
            Device *device = device_create(arena, &(DeviceOptions){.choice = choices[k]}, diag);
            ck_assert_ptr_nonnull(device);
            ck_assert_uint_eq(device_info(device)->index, i);
            ck_assert(device_memory_left(device) > 0);
            device_destroy(&device);
            ck_assert_ptr_null(device);
            device_destroy(&device);
        }
    }
    arena_destroy(&arena);
}
END_TEST

START_TEST(unknown_device) {
    Arena *arena = arena_create();
    const char *choices[] = {"no such device", "77", ""};
    for (int i = 0; i < 3; i++) {
        Diag *diag = diag_create(arena);
        ck_assert_ptr_null(device_create(arena, &(DeviceOptions){.choice = choices[i]}, diag));
        ck_assert_uint_eq(diag_error_count(diag), 1);
        ck_assert_ptr_nonnull(strstr(diag_text(diag, arena), "there is no device"));
        ck_assert_ptr_nonnull(strstr(diag_text(diag, arena), "known: 0: "));
    }
    arena_destroy(&arena);
}
END_TEST

START_TEST(no_driver) {
    Arena *arena = arena_create();
    char *old = arena_copy_text(arena, getenv("VK_ICD_FILENAMES"));
    setenv("VK_ICD_FILENAMES", "/nonexistent.json", 1);
    Diag *diag = diag_create(arena);
    ck_assert_ptr_null(device_create(arena, NULL, diag));
    ck_assert_uint_eq(diag_error_count(diag), 1);
    ck_assert_ptr_nonnull(strstr(diag_text(diag, arena), "mesa-vulkan-drivers"));
    if (old)
        setenv("VK_ICD_FILENAMES", old, 1);
    else
        unsetenv("VK_ICD_FILENAMES");
    arena_destroy(&arena);
}
END_TEST

START_TEST(peaks) {
    Arena *arena = arena_create();
    Diag *diag = diag_create(arena);
    uint32_t messages = 0;
    Device *device = device_create(arena, &(DeviceOptions){.validation = true, .validation_messages = &messages}, diag);
    ck_assert_msg(device != NULL, "%s", diag_text(diag, arena));
    DevicePeaks first = {0}, second = {0};
    ck_assert(device_measure_peaks(device, NULL, &first, diag) && device_measure_peaks(device, NULL, &second, diag));
    printf("peaks: %.1f and %.1f GFLOP/s, %.1f and %.1f GB/s\n", first.gflops, second.gflops, first.gbps, second.gbps);
    ck_assert(first.gflops > 0 && first.gbps > 0);
    DevicePeaks again = first; // what is measured again only rises
    ck_assert(device_measure_peaks(device, NULL, &again, diag) && again.gflops >= first.gflops);
    for (uint32_t i = 0; i < PEAK_STREAM_COUNT * PEAK_SIZES; i++) {
        ck_assert(again.streams[i / PEAK_SIZES][i % PEAK_SIZES] >= first.streams[i / PEAK_SIZES][i % PEAK_SIZES]);
        ck_assert(i % PEAK_SIZES > 4 || first.streams[i / PEAK_SIZES][i % PEAK_SIZES] > 0);
    }
    ck_assert_msg(device_validation_messages(device) == 0, "%.500s", device_validation_text(device));
    device_destroy(&device);
    ck_assert_uint_eq(messages, 0);
    arena_destroy(&arena);
}
END_TEST

START_TEST(failing_calls) {
    bool succeeded = false;
    for (uint32_t n = 1; !succeeded && n < 1000; n++) {
        Arena *arena = arena_create();
        Diag *diag = diag_create(arena);
        DevicePeaks out = {0};
        uint32_t messages = 0;
        device_fail_at(n);
        Device *device = device_create(arena, &(DeviceOptions){.validation = n % 8 == 0, .validation_messages = &messages}, diag);
        // The peaks' own measurements take long: only their creation is tried.
        succeeded = device && (n >= 40 || device_measure_peaks(device, NULL, &out, diag));
        device_fail_at(0);
        ck_assert_msg(succeeded == (diag_error_count(diag) == 0), "%s", diag_text(diag, arena));
        device_destroy(&device);
        ck_assert_uint_eq(messages, 0);
        arena_destroy(&arena);
    }
    ck_assert(succeeded);
}
END_TEST

static Suite *make(void) {
    Suite *suite = suite_create("device");
    TCase *cases = tcase_create("device");
    tcase_set_timeout(cases, 0);
    tcase_add_test(cases, lists_and_chooses);
    tcase_add_test(cases, unknown_device);
    tcase_add_test(cases, no_driver);
    tcase_add_test(cases, peaks);
    tcase_add_test(cases, failing_calls);
    suite_add_tcase(suite, cases);
    return suite;
}

int main(void) { return run_on_drivers(make); }
