// Capabilities: every row is whole, is asked of Vulkan, enables what it says; and one more row is all that one more capability takes - the
// sources are compiled here with two such rows.
#define MORE_CAPABILITIES                                                                                                                  \
    FEATURE(has_storage_16, 7, KERNELS, false, true, false, "VK_KHR_16bit_storage", features11.storageBuffer16BitAccess, true,             \
            "16 bits a value in storage bindings")                                                                                         \
    LIMIT(uint32_t, dimension_1d_max, 7, AT_MOST, 4096, 16384, 4096, 4096, UINT32_MAX, limits->maxImageDimension1D, COUNT, "texels along a line")
#include "runtime/program/target.c"
#include "runtime/program/target_file.c"
#include "runtime/vk/capabilities.c"
#include <check.h>
#include <stdlib.h>

// ---- a driver

static struct {
    bool is_old, lacks_timeline;
    uint32_t extension_count;
    VkPhysicalDeviceLimits limits;
} driver;

static const char *const extensions[] = {"VK_KHR_16bit_storage", "VK_EXT_memory_budget", "VK_KHR_maintenance4"};

static VKAPI_ATTR void VKAPI_CALL tell(VkPhysicalDevice physical, VkPhysicalDeviceProperties *out) {
    (void)physical;
    *out = (VkPhysicalDeviceProperties){.apiVersion = driver.is_old ? VK_API_VERSION_1_1 : VK_API_VERSION_1_2,
                                        .deviceType = VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU,
                                        .deviceName = "made up",
                                        .limits = driver.limits};
}

static VKAPI_ATTR void VKAPI_CALL tell_all(VkPhysicalDevice physical, VkPhysicalDeviceProperties2 *out) {
    tell(physical, &out->properties);
    for (VkBaseOutStructure *next = out->pNext; next; next = next->pNext) {
        if (next->sType == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_PROPERTIES) {
            VkPhysicalDeviceVulkan11Properties *told = (void *)next;
            told->subgroupSize = 64;
            told->maxMemoryAllocationSize = UINT64_C(1) << 32;
        }
        if (next->sType == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_4_PROPERTIES)
            ((VkPhysicalDeviceMaintenance4Properties *)(void *)next)->maxBufferSize = UINT64_C(1) << 31;
    }
}

static VKAPI_ATTR void VKAPI_CALL tell_features(VkPhysicalDevice physical, VkPhysicalDeviceFeatures2 *out) {
    (void)physical;
    for (VkBaseOutStructure *next = out->pNext; next; next = next->pNext) {
        if (next->sType == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES)
            ((VkPhysicalDeviceVulkan11Features *)(void *)next)->storageBuffer16BitAccess = VK_TRUE;
        if (next->sType == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES)
            ((VkPhysicalDeviceVulkan12Features *)(void *)next)->timelineSemaphore = !driver.lacks_timeline;
    }
}

static VKAPI_ATTR void VKAPI_CALL tell_format(VkPhysicalDevice physical, VkFormat format, VkFormatProperties *out) {
    (void)physical;
    (void)format;
    *out = (VkFormatProperties){.bufferFeatures = VK_FORMAT_FEATURE_UNIFORM_TEXEL_BUFFER_BIT};
}

static VKAPI_ATTR VkResult VKAPI_CALL tell_extensions(VkPhysicalDevice physical, const char *layer, uint32_t *count, VkExtensionProperties *out) {
    (void)physical;
    (void)layer;
    for (uint32_t i = 0; out && i < *count && i < driver.extension_count; i++)
        snprintf(out[i].extensionName, sizeof out[i].extensionName, "%s", extensions[i]);
    *count = driver.extension_count;
    return VK_SUCCESS;
}

static const Api api = {.GetPhysicalDeviceProperties = tell,
                        .GetPhysicalDeviceProperties2 = tell_all,
                        .GetPhysicalDeviceFeatures2 = tell_features,
                        .GetPhysicalDeviceFormatProperties = tell_format,
                        .EnumerateDeviceExtensionProperties = tell_extensions};

static void make_driver(void) {
    driver.is_old = driver.lacks_timeline = false;
    driver.extension_count = 3;
    driver.limits = (VkPhysicalDeviceLimits){.maxImageDimension1D = 12345,
                                             .maxTexelBufferElements = 1 << 28,
                                             .minStorageBufferOffsetAlignment = 4,
                                             .minTexelBufferOffsetAlignment = 64,
                                             .maxPerStageDescriptorStorageBuffers = 1000000,
                                             .maxDescriptorSetStorageBuffers = 20,
                                             .maxComputeWorkGroupInvocations = 1000,
                                             .maxComputeWorkGroupSize = {2048, 1, 1},
                                             .maxComputeWorkGroupCount = {70000, 80000, 65535}};
}

// ---- rows

START_TEST(rows_are_whole) {
    const CapabilityDef *def = capability_def((Capability)_i);
    ck_assert(def->name && def->text && strlen(def->text) > 5 && strchr("abcdefghijklmnopqrstuvwxyz0123456789", def->text[0]) != NULL);
    ck_assert_msg(def->least <= def->most && def->since <= capabilities_format(), "%s", def->name);
    for (TargetClass c = TARGET_CPU; c <= TARGET_ANY; c++) {
        Target target = target_default(c);
        uint64_t value = target_value(&target, (Capability)_i);
        ck_assert_msg(value >= def->least && value <= def->most, "%s of %s", def->name, target_class_name(c));
        ck_assert(target.target_class == c);
    }
    for (Capability k = 0; k < (Capability)_i; k++)
        ck_assert_str_ne(capability_def(k)->name, def->name);
}
END_TEST

// Each row alone makes the difference between a device that suffices and one that does not.
START_TEST(a_smaller_limit_does_not_suffice) {
    const CapabilityDef *def = capability_def((Capability)_i);
    Target wanted = target_default(TARGET_GPU), own = wanted;
    for (Capability k = 0; k < CAPABILITY_COUNT; k++)
        ck_assert(capability_suffices(k, &own, &wanted));
    target_set(&own, (Capability)_i, def->rule == RULE_MULTIPLE ? target_value(&own, (Capability)_i) * 2 : target_value(&own, (Capability)_i) - 1);
    for (Capability k = 0; k < CAPABILITY_COUNT; k++)
        ck_assert_msg(capability_suffices(k, &own, &wanted) == (k != (Capability)_i || def->use != USE_KERNELS), "%s", def->name);
}
END_TEST

static Target read_back(Arena *arena, const char *text, uint32_t format, const char **told) {
    Fields fields = {.arena = arena, .diag = diag_create(arena)};
    const Json *json = json_parse(arena, "x.json", text, strlen(text), fields.diag);
    ck_assert_ptr_nonnull(json);
    Target target = target_read(&fields, json, format);
    *told = diag_text(fields.diag, arena);
    return target;
}

START_TEST(rows_are_written_and_read) {
    Arena *arena = arena_create();
    const CapabilityDef *def = capability_def((Capability)_i);
    Target target = target_default(TARGET_GPU);
    uint64_t other = def->unit == UNIT_BOOL ? !target_value(&target, (Capability)_i) : def->least ? def->least : 1;
    target_set(&target, (Capability)_i, other);
    for (int whole = 0; whole < 2; whole++) {
        JsonWriter *json = json_writer_create(arena);
        const char *told;
        json_begin_object(json, NULL);
        target_write(json, &target, whole);
        json_end_object(json);
        const char *text = json_writer_text(json);
        ck_assert((strstr(text, arena_format(arena, "\"%s\"", def->name)) != NULL) == (whole || def->use == USE_KERNELS));
        Target back = read_back(arena, text, whole ? capabilities_format() : 0, &told);
        ck_assert_str_eq(told, "");
        if (whole || def->use == USE_KERNELS)
            ck_assert_uint_eq(target_value(&back, (Capability)_i), other);
    }
    arena_destroy(&arena);
}
END_TEST

START_TEST(rows_may_be_unsaid_by_what_is_older) {
    Arena *arena = arena_create();
    const char *told;
    Target target = target_default(TARGET_GPU);
    JsonWriter *json = json_writer_create(arena);
    json_begin_object(json, NULL);
    json_write_text(json, "class", "gpu");
    for (Capability i = 0; i < CAPABILITY_COUNT; i++)
        if (capability_def(i)->since == 0 && capability_def(i)->unit == UNIT_BOOL)
            json_write_bool(json, capability_def(i)->name, true);
        else if (capability_def(i)->since == 0)
            json_write_uint(json, capability_def(i)->name, target_value(&target, i));
    json_end_object(json);
    const char *text = json_writer_text(json);
    target = read_back(arena, text, 0, &told);
    ck_assert_str_eq(told, "");
    ck_assert(!target.has_storage_16 && target.has_subgroup_ballot && target.dimension_1d_max == 4096);
    ck_assert_uint_eq(capabilities_format(), 7);
    read_back(arena, text, 7, &told);
    ck_assert_ptr_nonnull(strstr(told, "has_storage_16: true or false is needed"));
    ck_assert_ptr_nonnull(strstr(told, "bindings_max"));
    read_back(arena, text, 1, &told);
    ck_assert(strstr(told, "has_storage_16") == NULL && strstr(told, "bindings_max") != NULL);
    arena_destroy(&arena);
}
END_TEST

// ---- Vulkan

START_TEST(rows_are_asked) {
    Arena *arena = arena_create();
    make_driver();
    Target target = capabilities_target(capabilities_ask(arena, &api, NULL));
    ck_assert(target.target_class == TARGET_GPU && strcmp(target.device, "made up") == 0);
    ck_assert(!target.model.is_measured && target.model.cores == model_default(TARGET_GPU).cores); // until it is measured
    ck_assert(target.has_storage_16 && target.dimension_1d_max == 12345); // the rows of this test
    ck_assert(target.has_timeline_semaphores && target.has_memory_budget && !target.has_non_semantic && !target.has_subgroup_ballot);
    ck_assert_uint_eq(target.subgroup_size, 64);
    ck_assert_uint_eq(target.allocation_max, UINT64_C(1) << 31);
    ck_assert_uint_eq(target.offset_alignment, 64);
    ck_assert_uint_eq(target.storage_bindings_max, 20);
    ck_assert_uint_eq(target.workgroup_size_max, 512);
    ck_assert_uint_eq(target.groups_max, 65535);
    driver.extension_count = 0; // without them there is no row that needs one, and no buffer is said to be limited
    target = capabilities_target(capabilities_ask(arena, &api, NULL));
    ck_assert(!target.has_storage_16 && !target.has_memory_budget && target.allocation_max == UINT64_C(1) << 32);
    arena_destroy(&arena);
}
END_TEST

START_TEST(rows_enable) {
    Arena *arena = arena_create();
    DeviceFeatures wanted;
    const char *names[CAPABILITY_COUNT];
    make_driver();
    const Asked *asked = capabilities_ask(arena, &api, NULL);
    Target target = capabilities_target(asked);
    ck_assert_uint_eq(capabilities_enable(asked, &target, &wanted, names), 2);
    ck_assert_str_eq(names[0], "VK_EXT_memory_budget");
    ck_assert_str_eq(names[1], "VK_KHR_16bit_storage");
    ck_assert(wanted.features11.storageBuffer16BitAccess && wanted.features12.timelineSemaphore);
    ck_assert(!wanted.features11.multiview && !wanted.features12.shaderFloat16);
    uint32_t chained = 0;
    for (const VkBaseOutStructure *next = wanted.core.pNext; next; next = next->pNext)
        chained++;
    ck_assert(wanted.core.sType == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2 && chained == 2);
    target.has_storage_16 = false; // what the target has not is not enabled
    ck_assert_uint_eq(capabilities_enable(asked, &target, &wanted, names), 1);
    ck_assert(!wanted.features11.storageBuffer16BitAccess);
    arena_destroy(&arena);
}
END_TEST

START_TEST(what_is_demanded_must_be_there) {
    Arena *arena = arena_create();
    make_driver();
    Target target = capabilities_target(capabilities_ask(arena, &api, NULL));
    ck_assert_ptr_null(capabilities_lacking(&target));
    driver.lacks_timeline = true;
    target = capabilities_target(capabilities_ask(arena, &api, NULL));
    ck_assert_str_eq(capabilities_lacking(&target), "timeline semaphores, which Vulkan 1.2 demands");
    driver.is_old = true; // nothing but the name and the limits is asked
    target = capabilities_target(capabilities_ask(arena, &api, NULL));
    ck_assert(!target.has_storage_16 && target.dimension_1d_max == 12345 && capabilities_lacking(&target) != NULL);
    arena_destroy(&arena);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("vk_capabilities");
    TCase *tests = tcase_create("capabilities");
    tcase_add_loop_test(tests, rows_are_whole, 0, CAPABILITY_COUNT);
    tcase_add_loop_test(tests, a_smaller_limit_does_not_suffice, 0, CAPABILITY_COUNT);
    tcase_add_loop_test(tests, rows_are_written_and_read, 0, CAPABILITY_COUNT);
    tcase_add_test(tests, rows_may_be_unsaid_by_what_is_older);
    tcase_add_test(tests, rows_are_asked);
    tcase_add_test(tests, rows_enable);
    tcase_add_test(tests, what_is_demanded_must_be_there);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
