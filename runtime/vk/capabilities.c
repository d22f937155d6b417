// Capabilities: asks Vulkan what the rows of capabilities.def say, and chains what is to be enabled.
#include "runtime/vk/capabilities.h"

static bool has_extension(const Asked *asked, const char *name) {
    for (uint32_t i = 0; i < asked->extension_count; i++)
        if (strcmp(asked->extensions[i].extensionName, name) == 0)
            return true;
    return false;
}

static void list_extensions(Arena *arena, Asked *asked) {
    uint32_t count = 0;
    if (asked->api->EnumerateDeviceExtensionProperties(asked->physical, NULL, &count, NULL) < 0)
        return;
    asked->extensions = ARENA_NEW(arena, VkExtensionProperties, count + 1u);
    if (asked->api->EnumerateDeviceExtensionProperties(asked->physical, NULL, &count, asked->extensions) >= 0)
        asked->extension_count = count;
}

// Structures of one chain, for which the device has the extension. A structure's first members are its number and the next one.
static void *chain(const Asked *asked, void *next, void *structure, VkStructureType number, const char *extension) {
    if (extension && !has_extension(asked, extension))
        return next;
    VkBaseOutStructure *base = structure;
    base->sType = number;
    base->pNext = next;
    return base;
}

static void chain_features(const Asked *asked, DeviceFeatures *features) {
    void *next = NULL;
#define FEATURES(type, name, number, extension) next = chain(asked, next, &features->name, number, extension);
#include "runtime/program/capabilities.def"
    features->core.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2;
    features->core.pNext = next;
}

Asked *capabilities_ask(Arena *arena, const Api *api, VkPhysicalDevice physical) {
    Asked *asked = ARENA_NEW(arena, Asked, 1);
    asked->api = api;
    asked->physical = physical;
    api->GetPhysicalDeviceProperties(physical, &asked->core.properties);
    if (asked->core.properties.apiVersion < VK_API_VERSION_1_2)
        return asked;
    list_extensions(arena, asked);
    void *next = NULL;
#define PROPERTIES(type, name, number, extension) next = chain(asked, next, &asked->name, number, extension);
#include "runtime/program/capabilities.def"
    asked->core.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2;
    asked->core.pNext = next;
    api->GetPhysicalDeviceProperties2(physical, &asked->core);
    chain_features(asked, &asked->features);
    api->GetPhysicalDeviceFeatures2(physical, &asked->features.core);
    asked->features.none = VK_TRUE;
    return asked;
}

// ---- what rows ask with

static uint64_t smaller(uint64_t a, uint64_t b) { return a < b ? a : b; }
static uint64_t larger(uint64_t a, uint64_t b) { return a > b ? a : b; }
static uint64_t stated(uint64_t limit) { return limit ? limit : UINT64_MAX; } // 0: the device does not say

static bool has_texel_loads(const Asked *asked) {
    VkFormatProperties format;
    asked->api->GetPhysicalDeviceFormatProperties(asked->physical, VK_FORMAT_R32G32B32A32_SFLOAT, &format);
    return (format.bufferFeatures & VK_FORMAT_FEATURE_UNIFORM_TEXEL_BUFFER_BIT) != 0;
}

Target capabilities_target(const Asked *asked) {
    const VkPhysicalDeviceLimits *limits = &asked->core.properties.limits;
    const DeviceFeatures *has = &asked->features;
    bool is_cpu = asked->core.properties.deviceType == VK_PHYSICAL_DEVICE_TYPE_CPU;
    Target target = target_default(is_cpu ? TARGET_CPU : TARGET_GPU);
    target.device = asked->core.properties.deviceName;
#define LIMIT(type, name, since, rule, cpu, gpu, any, least, most, question, ...) target_set(&target, CAPABILITY_##name, question);
#define FEATURE(name, since, use, cpu, gpu, any, extension, enabled, question, ...)                                                        \
    target.name = (!(extension) || has_extension(asked, extension)) && has->enabled && (question);
#include "runtime/program/capabilities.def"
    return target_clamp(&target);
}

const char *capabilities_lacking(const Target *target) {
    for (Capability i = 0; i < CAPABILITY_COUNT; i++)
        if (capability_def(i)->use == USE_DEMANDED && !target_value(target, i))
            return capability_def(i)->text;
    return NULL;
}

static uint32_t add_extension(const char **extensions, uint32_t count, const char *name) {
    for (uint32_t i = 0; i < count; i++)
        if (strcmp(extensions[i], name) == 0)
            return count;
    extensions[count] = name;
    return count + 1;
}

uint32_t capabilities_enable(const Asked *asked, const Target *target, DeviceFeatures *wanted, const char **extensions) {
    uint32_t count = 0;
    *wanted = (DeviceFeatures){0};
    chain_features(asked, wanted);
#define FEATURE(name, since, use, cpu, gpu, any, extension, enabled, ...)                                                                  \
    if (target->name)                                                                                                                      \
        wanted->enabled = VK_TRUE;
#include "runtime/program/capabilities.def"
    for (Capability i = 0; i < CAPABILITY_COUNT; i++)
        if (capability_def(i)->extension && target_value(target, i))
            count = add_extension(extensions, count, capability_def(i)->extension);
    return count;
}
