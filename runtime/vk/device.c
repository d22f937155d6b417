// Device: instance, choice of the device, its limits, validation.
#include "runtime/base/text.h"
#include "runtime/vk/capabilities.h"
#include <ctype.h>
#include <stdlib.h>

enum { DEVICES_MAX = 32, FAMILIES_MAX = 32 };

static const char validation_layer[] = "VK_LAYER_KHRONOS_validation";

// Drivers that are known to be bad. `vendor` 0: any.
static const struct {
    VkDriverId driver;
    uint32_t vendor;
    const char *warning;
} bad_drivers[] = {
    {VK_DRIVER_ID_INTEL_OPEN_SOURCE_MESA, 0,
     "the kernel driver i915 cancels work that waited 20 s and may report success: results are checked "
     "by the numbers that they end with"},
    {VK_DRIVER_ID_MOLTENVK, 0x1002, "MoltenVK on AMD reports a subgroup size of 64 where only 32 lanes share values"},
    {VK_DRIVER_ID_GOOGLE_SWIFTSHADER, 0, "SwiftShader is made for tests: about a tenth of llvmpipe's speed"},
};

// ---- instance

static VKAPI_ATTR VkBool32 VKAPI_CALL on_message(VkDebugUtilsMessageSeverityFlagBitsEXT severity, VkDebugUtilsMessageTypeFlagsEXT types,
                                                 const VkDebugUtilsMessengerCallbackDataEXT *data, void *context) {
    (void)severity;
    (void)types;
    Device *device = context;
    pthread_mutex_lock(&device->lock);
    device->message_count++;
    if (device->message_sink)
        (*device->message_sink)++;
    size_t length = strlen(device->messages);
    snprintf(device->messages + length, sizeof device->messages - length, "%s\n", data->pMessage);
    pthread_mutex_unlock(&device->lock);
    return VK_FALSE;
}

static bool has_layer(Device *device, const char *name) {
    VkLayerProperties layers[64];
    uint32_t count = 64;
    if (device->api.EnumerateInstanceLayerProperties(&count, layers) < 0)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(layers[i].layerName, name) == 0)
            return true;
    }
    return false;
}

static bool has_extension(const VkExtensionProperties *extensions, uint32_t count, const char *name) {
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(extensions[i].extensionName, name) == 0)
            return true;
    }
    return false;
}

static bool has_instance_extension(Device *device, const char *layer, const char *name) {
    VkExtensionProperties extensions[64];
    uint32_t count = 64;
    return device->api.EnumerateInstanceExtensionProperties(layer, &count, extensions) >= 0 && has_extension(extensions, count, name);
}

static bool report_instance(Device *device, VkResult result, Diag *diag) {
    if (result == VK_ERROR_INCOMPATIBLE_DRIVER)
        diag_error(diag, NULL,
                   "no Vulkan driver on this machine: install the driver of your GPU, or a software driver: apt-get install "
                   "mesa-vulkan-drivers");
    else
        api_report(device, "api.CreateInstance", result, diag);
    return false;
}

static bool create_instance(Device *device, bool validation, Diag *diag) {
    Api *api = &device->api;
    if (!api_load(api, diag))
        return false;
    if (validation && !has_layer(device, validation_layer)) {
        diag_error(diag, NULL, "the validation layer %s is not installed: apt-get install vulkan-validationlayers", validation_layer);
        return false;
    }
    VkApplicationInfo application = {.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
                                     .pApplicationName = "gcc-graph",
                                     .pEngineName = "gcc-graph",
                                     .apiVersion = VK_API_VERSION_1_2};
    VkDebugUtilsMessengerCreateInfoEXT messenger = {.sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CREATE_INFO_EXT,
                                                    .messageSeverity = VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT |
                                                                       VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT,
                                                    .messageType = VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT,
                                                    .pfnUserCallback = on_message,
                                                    .pUserData = device};
    VkValidationFeatureEnableEXT checks[] = {VK_VALIDATION_FEATURE_ENABLE_SYNCHRONIZATION_VALIDATION_EXT};
    VkValidationFeaturesEXT features = {.sType = VK_STRUCTURE_TYPE_VALIDATION_FEATURES_EXT,
                                        .pNext = &messenger,
                                        .enabledValidationFeatureCount = 1,
                                        .pEnabledValidationFeatures = checks};
    const char *layers[] = {validation_layer}, *extensions[2];
    uint32_t extension_count = 0;
    bool has_debug = has_instance_extension(device, NULL, "VK_EXT_debug_utils") ||
                     (validation && has_instance_extension(device, validation_layer, "VK_EXT_debug_utils"));
    if (has_debug)
        extensions[extension_count++] = "VK_EXT_debug_utils";
    if (validation)
        extensions[extension_count++] = "VK_EXT_validation_features";
    VkInstanceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
                                 .pNext = validation ? &features : NULL,
                                 .pApplicationInfo = &application,
                                 .enabledLayerCount = validation ? 1 : 0,
                                 .ppEnabledLayerNames = layers,
                                 .enabledExtensionCount = extension_count,
                                 .ppEnabledExtensionNames = extensions};
    VkResult result = api_before(device, "api.CreateInstance");
    if (result == VK_SUCCESS)
        result = api->CreateInstance(&info, NULL, &device->instance);
    if (result < 0)
        return report_instance(device, result, diag);
    api_load_instance(api, device->instance);
    if (!has_debug) { // some loaders give the functions all the same
        api->CreateDebugUtilsMessengerEXT = NULL;
        api->SetDebugUtilsObjectNameEXT = NULL;
    }
    if (!validation || !api->CreateDebugUtilsMessengerEXT)
        return true;
    VK(api->CreateDebugUtilsMessengerEXT(device->instance, &messenger, NULL, &device->messenger));
    return true;
fail:
    return false;
}

static void destroy_instance(Device *device) {
    if (device->messenger)
        device->api.DestroyDebugUtilsMessengerEXT(device->instance, device->messenger, NULL);
    if (device->instance)
        device->api.DestroyInstance(device->instance, NULL);
    device->messenger = VK_NULL_HANDLE;
    device->instance = VK_NULL_HANDLE;
}

// ---- what a device is

static void uuid_text(const uint8_t *bytes, char *out) {
    static const char digits[] = "0123456789abcdef";
    for (uint32_t i = 0; i < VK_UUID_SIZE; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *out++ = '-';
        *out++ = digits[bytes[i] >> 4];
        *out++ = digits[bytes[i] & 15];
    }
    *out = 0;
}

static bool find_queue(Device *device, VkPhysicalDevice physical, uint32_t *family, uint32_t *timestamp_bits) {
    VkQueueFamilyProperties families[FAMILIES_MAX];
    uint32_t count = FAMILIES_MAX;
    device->api.GetPhysicalDeviceQueueFamilyProperties(physical, &count, families);
    bool found = false;
    for (uint32_t i = 0; i < count; i++) {
        bool is_compute = (families[i].queueFlags & VK_QUEUE_COMPUTE_BIT) != 0 && families[i].queueCount > 0;
        bool is_pure = (families[i].queueFlags & VK_QUEUE_GRAPHICS_BIT) == 0; // does not stall the desktop
        if (!is_compute || (found && !is_pure))
            continue;
        *family = i;
        *timestamp_bits = families[i].timestampValidBits;
        found = true;
        if (is_pure)
            break;
    }
    return found;
}

// What the kernel says that programs can still have; false where it says nothing.
static bool host_memory(uint64_t *total, uint64_t *left) {
    FILE *file = fopen("/proc/meminfo", "r");
    unsigned long long kib;
    char line[128];
    *total = *left = 0;
    while (file && fgets(line, sizeof line, file)) {
        if (sscanf(line, "MemTotal: %llu", &kib) == 1)
            *total = kib << 10;
        if (sscanf(line, "MemAvailable: %llu", &kib) == 1)
            *left = kib << 10;
    }
    if (file)
        fclose(file);
    return *total > 0 && *left > 0;
}

static void fill_memory(const Device *device, VkPhysicalDevice physical, bool has_budget, bool is_cpu,
                        VkPhysicalDeviceMemoryProperties *memory, uint64_t *total, uint64_t *left) {
    VkPhysicalDeviceMemoryBudgetPropertiesEXT budget = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_BUDGET_PROPERTIES_EXT};
    VkPhysicalDeviceMemoryProperties2 properties = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2,
                                                    .pNext = has_budget ? &budget : NULL};
    device->api.GetPhysicalDeviceMemoryProperties2(physical, &properties);
    *memory = properties.memoryProperties;
    // A software driver's heap is a nominal figure (lavapipe: always 2 GiB): it has the machine's memory.
    if (is_cpu && host_memory(total, left))
        return;
    *total = 0;
    *left = 0;
    for (uint32_t i = 0; i < memory->memoryHeapCount; i++) {
        if ((memory->memoryHeaps[i].flags & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT) == 0 || memory->memoryHeaps[i].size <= *total)
            continue;
        *total = memory->memoryHeaps[i].size;
        if (has_budget)
            *left = budget.heapBudget[i] > budget.heapUsage[i] ? budget.heapBudget[i] - budget.heapUsage[i] : 0;
    }
}

static const char *driver_warning(VkDriverId driver, uint32_t vendor) {
    for (size_t i = 0; i < sizeof bad_drivers / sizeof *bad_drivers; i++) {
        if (bad_drivers[i].driver == driver && (bad_drivers[i].vendor == 0 || bad_drivers[i].vendor == vendor))
            return bad_drivers[i].warning;
    }
    return NULL;
}

static void fill_info(Arena *arena, Device *device, VkPhysicalDevice physical, uint32_t index, DeviceInfo *info) {
    const Asked *asked = capabilities_ask(arena, &device->api, physical);
    const VkPhysicalDeviceProperties *plain = &asked->core.properties;
    *info = (DeviceInfo){.index = index, .target = capabilities_target(asked)};
    uint32_t family, bits;
    info->usable = plain->apiVersion >= VK_API_VERSION_1_2 && find_queue(device, physical, &family, &bits);
    snprintf(info->name, sizeof info->name, "%s", plain->deviceName);
    snprintf(info->driver, sizeof info->driver, "%.120s %.120s", asked->vulkan12.driverName, asked->vulkan12.driverInfo);
    uuid_text(asked->vulkan11.deviceUUID, info->uuid);
    info->is_cpu = plain->deviceType == VK_PHYSICAL_DEVICE_TYPE_CPU;
    info->is_discrete = plain->deviceType == VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU;
    info->vulkan_major = VK_API_VERSION_MAJOR(plain->apiVersion);
    info->vulkan_minor = VK_API_VERSION_MINOR(plain->apiVersion);
    info->vendor_id = plain->vendorID;
    info->device_id = plain->deviceID;
    info->driver_version = plain->driverVersion;
    VkPhysicalDeviceMemoryProperties memory;
    fill_memory(device, physical, info->target.has_memory_budget, info->is_cpu, &memory, &info->memory_total, &info->memory_left);
    info->target.device = info->name;
    info->target.model = model_of_driver(info->target.target_class, info->driver);
    info->compiles_at_launch = asked->vulkan12.driverID == VK_DRIVER_ID_MESA_LLVMPIPE;
    info->warning = driver_warning(asked->vulkan12.driverID, plain->vendorID);
}

static bool enumerate(Device *device, VkPhysicalDevice *physicals, uint32_t *count, Diag *diag) {
    *count = DEVICES_MAX;
    VK(device->api.EnumeratePhysicalDevices(device->instance, count, physicals));
    if (*count > 0)
        return true;
    diag_error(diag, NULL,
               "no Vulkan device on this machine: install the driver of your GPU, or a software driver: apt-get install "
               "mesa-vulkan-drivers");
fail:
    return false;
}

bool device_list(Arena *arena, DeviceInfo **infos, uint32_t *count, Diag *diag) {
    Device *device = ARENA_NEW(arena, Device, 1);
    VkPhysicalDevice physicals[DEVICES_MAX];
    bool good = create_instance(device, false, diag) && enumerate(device, physicals, count, diag);
    if (good) {
        *infos = ARENA_NEW(arena, DeviceInfo, *count);
        for (uint32_t i = 0; i < *count; i++)
            fill_info(arena, device, physicals[i], i, &(*infos)[i]);
    }
    destroy_instance(device);
    return good;
}

// ---- choice

static bool contains_text(const char *text, const char *part) {
    size_t length = strlen(part);
    for (; *text; text++) {
        size_t i = 0;
        while (i < length && text[i] && tolower((unsigned char)text[i]) == tolower((unsigned char)part[i]))
            i++;
        if (i == length)
            return true;
    }
    return false;
}

static uint32_t default_device(const DeviceInfo *infos, uint32_t count) {
    uint32_t best = count, best_rank = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t rank = !infos[i].usable ? 0 : infos[i].is_discrete ? 3 : !infos[i].is_cpu ? 2 : 1;
        if (rank > best_rank) {
            best = i;
            best_rank = rank;
        }
    }
    return best;
}

static uint32_t find_device(const DeviceInfo *infos, uint32_t count, const char *choice) {
    char *end;
    unsigned long index = strtoul(choice, &end, 10);
    if (choice[0] && !*end)
        return index < count ? (uint32_t)index : count;
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(infos[i].uuid, choice) == 0)
            return i;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (choice[0] && contains_text(infos[i].name, choice))
            return i;
    }
    return count;
}

static bool choose(const DeviceInfo *infos, uint32_t count, const char *choice, uint32_t *out, Diag *diag) {
    *out = choice ? find_device(infos, count, choice) : default_device(infos, count);
    if (*out < count && infos[*out].usable)
        return true;
    if (*out < count) {
        diag_error(diag, NULL, "device %s offers Vulkan %u.%u; Vulkan 1.2 with a compute queue is needed: update its driver",
                   infos[*out].name, infos[*out].vulkan_major, infos[*out].vulkan_minor);
        return false;
    }
    Arena *arena = arena_create();
    Text text = text_create(arena);
    for (uint32_t i = 0; i < count; i++)
        text_format(&text, "%s%u: %s%s", i ? ", " : "", i, infos[i].name, infos[i].usable ? "" : " (older than Vulkan 1.2)");
    if (choice)
        diag_error(diag, NULL, "there is no device \"%s\"; known: %s", choice, text.data);
    else
        diag_error(diag, NULL, "no device offers Vulkan 1.2 with a compute queue; found: %s", text.data);
    arena_destroy(&arena);
    return false;
}

// ---- device

static bool create_device(Arena *arena, Device *device, Diag *diag) {
    Api *api = &device->api;
    const Target *target = &device->info.target;
    find_queue(device, device->physical, &device->queue_family, &device->timestamp_bits);
    if (capabilities_lacking(target)) {
        diag_error(diag, NULL, "%s: the driver has no %s: update it", device->info.name, capabilities_lacking(target));
        return false;
    }
    DeviceFeatures wanted;
    const char *extensions[CAPABILITY_COUNT];
    uint32_t extension_count = capabilities_enable(capabilities_ask(arena, api, device->physical), target, &wanted, extensions);
    float priority = 1;
    VkDeviceQueueCreateInfo queue = {.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
                                     .queueFamilyIndex = device->queue_family,
                                     .queueCount = 1,
                                     .pQueuePriorities = &priority};
    VkDeviceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
                               .pNext = &wanted.core,
                               .queueCreateInfoCount = 1,
                               .pQueueCreateInfos = &queue,
                               .enabledExtensionCount = extension_count,
                               .ppEnabledExtensionNames = extensions};
    VK(api->CreateDevice(device->physical, &info, NULL, &device->handle));
    api_load_device(api, device->handle);
    api->GetDeviceQueue(device->handle, device->queue_family, 0, &device->queue);
    return true;
fail:
    return false;
}

static void fill_device(Device *device, bool discrete) {
    VkPhysicalDeviceProperties properties;
    device->api.GetPhysicalDeviceProperties(device->physical, &properties);
    device->timestamp_period = properties.limits.timestampPeriod;
    memcpy(device->cache_uuid, properties.pipelineCacheUUID, VK_UUID_SIZE);
    bool shares_memory =
        properties.deviceType == VK_PHYSICAL_DEVICE_TYPE_CPU || properties.deviceType == VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU;
    device->is_unified = shares_memory && !discrete;
    uint64_t total, left;
    fill_memory(device, device->physical, device->info.target.has_memory_budget, device->info.is_cpu, &device->memory, &total, &left);
}

Device *device_create(Arena *arena, const DeviceOptions *options, Diag *diag) {
    static const DeviceOptions none = {0};
    options = options ? options : &none;
    Device *device = ARENA_NEW(arena, Device, 1);
    pthread_mutex_init(&device->lock, NULL);
    device->is_tracing = options->trace;
    device->message_sink = options->validation_messages;
    if (options->one_thread)
        setenv("LP_NUM_THREADS", "0", 0); // read when the driver is loaded; 0: the thread that submits computes
    VkPhysicalDevice physicals[DEVICES_MAX];
    uint32_t count, chosen;
    if (!create_instance(device, options->validation, diag) || !enumerate(device, physicals, &count, diag))
        goto fail;
    DeviceInfo *infos = ARENA_NEW(arena, DeviceInfo, count);
    for (uint32_t i = 0; i < count; i++)
        fill_info(arena, device, physicals[i], i, &infos[i]);
    if (!choose(infos, count, options->choice, &chosen, diag))
        goto fail;
    device->physical = physicals[chosen];
    device->info = infos[chosen];
    device->info.target.device = device->info.name;
    if (!create_device(arena, device, diag))
        goto fail;
    fill_device(device, options->discrete);
    return device;
fail:
    device_destroy(&device);
    return NULL;
}

Device *device_create_twin(Arena *arena, const Device *device, Diag *diag) {
    Device *twin = ARENA_NEW(arena, Device, 1);
    *twin = *device;
    pthread_mutex_init(&twin->lock, NULL);
    twin->instance = VK_NULL_HANDLE; // the first's
    twin->messenger = VK_NULL_HANDLE;
    twin->handle = VK_NULL_HANDLE;
    twin->is_lost = false;
    twin->has_submitted = false;
    if (!create_device(arena, twin, diag))
        device_destroy(&twin);
    return twin;
}

void device_destroy(Device **device) {
    if (!device || !*device)
        return;
    Device *dying = *device;
    if (dying->handle) {
        if (dying->has_submitted)
            dying->api.DeviceWaitIdle(dying->handle);
        dying->api.DestroyDevice(dying->handle, NULL);
    }
    destroy_instance(dying);
    pthread_mutex_destroy(&dying->lock);
    *device = NULL;
}

const DeviceInfo *device_info(const Device *device) { return &device->info; }
bool device_is_lost(const Device *device) { return device->is_lost; }
uint32_t device_validation_messages(const Device *device) { return device->message_count; }
const char *device_validation_text(const Device *device) { return device->messages; }

uint64_t device_memory_left(const Device *device) {
    VkPhysicalDeviceMemoryProperties memory;
    uint64_t total, left;
    fill_memory(device, device->physical, device->info.target.has_memory_budget, device->info.is_cpu, &memory, &total, &left);
    return left ? left : total;
}
