// Api: opening the loader, and the report of a failed call.
#include "runtime/vk/api.h"
#include <dlfcn.h>
#include <stdatomic.h>

static _Atomic uint32_t calls_until_failure; // of the test hook, the only variable of the program

void device_fail_at(uint32_t n) { calls_until_failure = n; }

VkResult api_before(const Device *device, const char *call) {
    if (device->is_tracing)
        fprintf(stderr, "vk: %s\n", call);
    uint32_t left = atomic_load(&calls_until_failure);
    while (left > 0) {
        if (atomic_compare_exchange_weak(&calls_until_failure, &left, left - 1))
            return left == 1 ? VK_ERROR_OUT_OF_DEVICE_MEMORY : VK_SUCCESS;
    }
    return VK_SUCCESS;
}

const char *api_result_name(VkResult result) {
#define ROW(name)                                                                                                                          \
    case name:                                                                                                                             \
        return #name;
    switch ((int)result) {
        ROW(VK_SUCCESS)
        ROW(VK_NOT_READY)
        ROW(VK_TIMEOUT)
        ROW(VK_INCOMPLETE)
        ROW(VK_ERROR_OUT_OF_HOST_MEMORY)
        ROW(VK_ERROR_OUT_OF_DEVICE_MEMORY)
        ROW(VK_ERROR_INITIALIZATION_FAILED)
        ROW(VK_ERROR_DEVICE_LOST)
        ROW(VK_ERROR_MEMORY_MAP_FAILED)
        ROW(VK_ERROR_LAYER_NOT_PRESENT)
        ROW(VK_ERROR_EXTENSION_NOT_PRESENT)
        ROW(VK_ERROR_FEATURE_NOT_PRESENT)
        ROW(VK_ERROR_INCOMPATIBLE_DRIVER)
        ROW(VK_ERROR_TOO_MANY_OBJECTS)
        ROW(VK_ERROR_FORMAT_NOT_SUPPORTED)
        ROW(VK_ERROR_FRAGMENTED_POOL)
        ROW(VK_ERROR_UNKNOWN)
        ROW(VK_ERROR_OUT_OF_POOL_MEMORY)
        ROW(VK_ERROR_INVALID_EXTERNAL_HANDLE)
        ROW(VK_ERROR_FRAGMENTATION)
        ROW(VK_ERROR_INVALID_SHADER_NV)
    }
#undef ROW
    return "an unknown error";
}

void api_report(Device *device, const char *call, VkResult result, Diag *diag) {
    // "device->api.CreateBuffer(…)" reads as vkCreateBuffer(…).
    const char *start = strstr(call, "api.");
    const char *text = start ? start + strlen("api.") : call;
    const char *device_name = device->info.name[0] ? device->info.name : "Vulkan";
    if (result == VK_ERROR_DEVICE_LOST) {
        device->is_lost = true;
        diag_error(diag, NULL, "%s: the device was lost (the driver reset it, or it was taken away): vk%s: VK_ERROR_DEVICE_LOST",
                   device_name, text);
    } else if (result == VK_ERROR_OUT_OF_DEVICE_MEMORY) {
        diag_error(diag, NULL, "%s: out of device memory: vk%s: VK_ERROR_OUT_OF_DEVICE_MEMORY", device_name, text);
    } else {
        diag_error(diag, NULL, "%s: vk%s: %s (%d)", device_name, text, api_result_name(result), (int)result);
    }
}

void api_name(const Device *device, VkObjectType type, uint64_t handle, const char *name) {
    if (!device->api.SetDebugUtilsObjectNameEXT || !name)
        return;
    VkDebugUtilsObjectNameInfoEXT info = {
        .sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_OBJECT_NAME_INFO_EXT, .objectType = type, .objectHandle = handle, .pObjectName = name};
    device->api.SetDebugUtilsObjectNameEXT(device->handle, &info);
}

bool api_load(Api *api, Diag *diag) {
    // Never closed again: drivers leave threads and thread-local data behind.
    void *loader = dlopen("libvulkan.so.1", RTLD_NOW | RTLD_LOCAL);
    if (!loader) {
        diag_error(diag, NULL,
                   "no Vulkan on this machine (%s): install the Vulkan loader and a driver, e.g. apt-get install libvulkan1 "
                   "mesa-vulkan-drivers",
                   dlerror());
        return false;
    }
    // Posix gives function pointers as void *; the union is how C lets them through.
    union {
        void *object;
        PFN_vkGetInstanceProcAddr function;
    } symbol = {.object = dlsym(loader, "vkGetInstanceProcAddr")};
    api->GetInstanceProcAddr = symbol.function;
    if (!api->GetInstanceProcAddr) {
        diag_error(diag, NULL, "libvulkan.so.1 is no Vulkan loader: reinstall it, e.g. apt-get install --reinstall libvulkan1");
        return false;
    }
#define LOAD(name) api->name = (PFN_vk##name)api->GetInstanceProcAddr(NULL, "vk" #name);
    VK_GLOBAL_FUNCTIONS(LOAD)
#undef LOAD
    if (!api->CreateInstance || !api->EnumerateInstanceVersion) {
        diag_error(diag, NULL, "the Vulkan loader is older than Vulkan 1.1: install a newer libvulkan1");
        return false;
    }
    return true;
}

void api_load_instance(Api *api, VkInstance instance) {
#define LOAD(name) api->name = (PFN_vk##name)api->GetInstanceProcAddr(instance, "vk" #name);
    VK_INSTANCE_FUNCTIONS(LOAD)
    VK_DEBUG_FUNCTIONS(LOAD)
#undef LOAD
}

void api_load_device(Api *api, VkDevice device) {
#define LOAD(name) api->name = (PFN_vk##name)api->GetDeviceProcAddr(device, "vk" #name);
    VK_DEVICE_FUNCTIONS(LOAD)
    VK_EXECUTABLE_FUNCTIONS(LOAD)
#undef LOAD
}
