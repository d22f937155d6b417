// Capabilities: the rows of capabilities.def as Vulkan answers them, and what they enable. Only for runtime/vk.
#pragma once
#include "runtime/vk/api.h"

// Structures of features by the names that rows know them by: what a device has, or what is wanted of it.
typedef struct {
    VkPhysicalDeviceFeatures2 core; // the first of the chain
#define FEATURES(type, name, number, extension) type name;
#include "runtime/program/capabilities.def"
    VkBool32 none;
} DeviceFeatures;

// What Vulkan says of a device.
typedef struct {
    const Api *api;
    VkPhysicalDevice physical;
    VkPhysicalDeviceProperties2 core;
#define PROPERTIES(type, name, number, extension) type name;
#include "runtime/program/capabilities.def"
    DeviceFeatures features;
    VkExtensionProperties *extensions;
    uint32_t extension_count;
} Asked;

// Of a device that is older than Vulkan 1.2 the structures stay 0. The answers live in the arena.
Asked *capabilities_ask(Arena *arena, const Api *api, VkPhysicalDevice physical);
// Class and capabilities, clamped, with the class's model; the name belongs to the answers.
Target capabilities_target(const Asked *asked);
// The text of a demanded capability that the device lacks; NULL: it has all.
const char *capabilities_lacking(const Target *target);
// What is to be enabled of a device with these capabilities: fills `wanted`, whose `core` is what a VkDeviceCreateInfo points to, and the names
// of extensions (room for CAPABILITY_COUNT). Returns how many there are.
uint32_t capabilities_enable(const Asked *asked, const Target *target, DeviceFeatures *wanted, const char **extensions);
