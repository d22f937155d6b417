// Api: Vulkan's functions as the machine's loader gives them, how their results are checked, and what a Device is inside. Only for
// runtime/vk. The loader is opened when it is first asked for, so that the compiler runs where there is none.
#pragma once
#define VK_NO_PROTOTYPES
#include "runtime/vk/device.h"
#include <pthread.h>
#include <vulkan/vulkan.h>

// clang-format off
#define VK_GLOBAL_FUNCTIONS(X) \
    X(CreateInstance) X(EnumerateInstanceVersion) X(EnumerateInstanceLayerProperties) X(EnumerateInstanceExtensionProperties)

#define VK_INSTANCE_FUNCTIONS(X) \
    X(DestroyInstance) X(EnumeratePhysicalDevices) X(GetPhysicalDeviceProperties) X(GetPhysicalDeviceProperties2) \
    X(GetPhysicalDeviceFeatures2) X(GetPhysicalDeviceMemoryProperties2) X(GetPhysicalDeviceQueueFamilyProperties) \
    X(GetPhysicalDeviceFormatProperties) X(EnumerateDeviceExtensionProperties) X(CreateDevice) X(GetDeviceProcAddr)

// Absent without VK_KHR_pipeline_executable_properties.
#define VK_EXECUTABLE_FUNCTIONS(X) \
    X(GetPipelineExecutablePropertiesKHR) X(GetPipelineExecutableStatisticsKHR) X(GetPipelineExecutableInternalRepresentationsKHR)

// Absent without VK_EXT_debug_utils.
#define VK_DEBUG_FUNCTIONS(X) X(CreateDebugUtilsMessengerEXT) X(DestroyDebugUtilsMessengerEXT) X(SetDebugUtilsObjectNameEXT)

#define VK_DEVICE_FUNCTIONS(X) \
    X(DestroyDevice) X(GetDeviceQueue) X(DeviceWaitIdle) X(CreateBuffer) X(DestroyBuffer) X(GetBufferMemoryRequirements) \
    X(AllocateMemory) X(FreeMemory) X(BindBufferMemory) X(MapMemory) X(CreateBufferView) X(DestroyBufferView) \
    X(CreateDescriptorSetLayout) X(DestroyDescriptorSetLayout) X(CreateDescriptorPool) X(DestroyDescriptorPool) \
    X(AllocateDescriptorSets) X(UpdateDescriptorSets) X(CreatePipelineLayout) X(DestroyPipelineLayout) X(CreateShaderModule) \
    X(DestroyShaderModule) X(CreateComputePipelines) X(DestroyPipeline) X(CreatePipelineCache) X(DestroyPipelineCache) \
    X(GetPipelineCacheData) X(CreateCommandPool) X(DestroyCommandPool) X(AllocateCommandBuffers) X(FreeCommandBuffers) \
    X(BeginCommandBuffer) X(EndCommandBuffer) X(CmdBindPipeline) X(CmdBindDescriptorSets) X(CmdPushConstants) X(CmdDispatch) \
    X(CmdDispatchBase) X(CmdPipelineBarrier) X(CmdCopyBuffer) X(CmdFillBuffer) X(CmdResetQueryPool) X(CmdWriteTimestamp) \
    X(CmdCopyQueryPoolResults) X(CreateQueryPool) X(DestroyQueryPool) X(CreateSemaphore) X(DestroySemaphore) X(WaitSemaphores) \
    X(GetSemaphoreCounterValue) X(QueueSubmit)
// clang-format on

#define VK_MEMBER(name) PFN_vk##name name;
typedef struct {
    PFN_vkGetInstanceProcAddr GetInstanceProcAddr;
    VK_GLOBAL_FUNCTIONS(VK_MEMBER)
    VK_INSTANCE_FUNCTIONS(VK_MEMBER)
    VK_DEBUG_FUNCTIONS(VK_MEMBER)
    VK_DEVICE_FUNCTIONS(VK_MEMBER)
    VK_EXECUTABLE_FUNCTIONS(VK_MEMBER)
} Api;

struct Device {
    Api api;
    VkInstance instance;
    VkDebugUtilsMessengerEXT messenger;
    VkPhysicalDevice physical;
    VkDevice handle;
    VkQueue queue;
    uint32_t queue_family;
    DeviceInfo info;
    VkPhysicalDeviceMemoryProperties memory;
    bool is_unified; // memory that is both device-local and host-visible is as good as any
    bool is_lost, is_tracing;
    bool has_submitted; // ever: a driver without its GPU cannot even wait
    float timestamp_period;  // nanoseconds
    uint32_t timestamp_bits; // 0: no timestamps
    uint8_t cache_uuid[VK_UUID_SIZE];
    pthread_mutex_t lock; // of the messages
    uint32_t message_count;
    uint32_t *message_sink; // DeviceOptions.validation_messages
    char messages[4096];
};

// Runs a Vulkan call that can fail. A failure is reported with the call's text and goes to `fail`. Needs `device` and `diag` in scope.
#define VK(call)                                                                                                                           \
    do {                                                                                                                                   \
        VkResult vk_result = api_before(device, #call);                                                                                    \
        if (vk_result == VK_SUCCESS)                                                                                                       \
            vk_result = (call);                                                                                                            \
        if (vk_result < 0) {                                                                                                               \
            api_report(device, #call, vk_result, diag);                                                                                    \
            goto fail;                                                                                                                     \
        }                                                                                                                                  \
    } while (0)

VkResult api_before(const Device *device, const char *call); // traces; VK_SUCCESS, or the failure that device_fail_at asked for
void api_report(Device *device, const char *call, VkResult result, Diag *diag);
const char *api_result_name(VkResult result);                                              // "VK_ERROR_DEVICE_LOST"
void api_name(const Device *device, VkObjectType type, uint64_t handle, const char *name); // for validation messages and debuggers
#define API_NAME(device, TYPE, handle, name) api_name((device), VK_OBJECT_TYPE_##TYPE, (uint64_t)(uintptr_t)(handle), (name))

bool api_load(Api *api, Diag *diag); // the loader and the global functions
void api_load_instance(Api *api, VkInstance instance);
void api_load_device(Api *api, VkDevice device);
