// Objects: what the opaque types of runtime/vk are inside. Only for runtime/vk.
#pragma once
#include "runtime/vk/api.h"
#include "runtime/vk/commands.h"
#include "runtime/vk/memory.h"
#include "runtime/vk/pipeline.h"
#include "runtime/vk/stamps.h"

struct Buffer {
    VkBuffer handle;
    VkDeviceMemory memory;
    void *bytes;
    uint64_t size;
};

struct Pipeline {
    VkDescriptorSetLayout set_layout;
    VkPipelineLayout layout;
    VkPipeline handle;
};

struct Stamps {
    VkQueryPool handle;
    uint32_t count;
};
