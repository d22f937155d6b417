// Memory: choice of memory types, allocation, mapping.
#include "runtime/vk/memory.h"
#include "runtime/base/text.h"
#include "runtime/vk/objects.h"

static uint32_t find_type(const Device *device, uint32_t allowed, VkMemoryPropertyFlags flags) {
    for (uint32_t i = 0; i < device->memory.memoryTypeCount; i++) {
        if ((allowed >> i & 1) && (device->memory.memoryTypes[i].propertyFlags & flags) == flags)
            return i;
    }
    return UINT32_MAX;
}

static uint32_t choose_type(const Device *device, BufferKind kind, uint32_t allowed) {
    const VkMemoryPropertyFlags local = VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT, cached = VK_MEMORY_PROPERTY_HOST_CACHED_BIT;
    const VkMemoryPropertyFlags host = VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
    VkMemoryPropertyFlags wishes[3] = {0}; // best first
    switch (kind) {
    case BUFFER_DEVICE:
        wishes[0] = device->is_unified ? local | host | cached : local;
        wishes[1] = device->is_unified ? local | host : local;
        wishes[2] = local;
        break;
    case BUFFER_UPLOAD:
        wishes[0] = wishes[1] = wishes[2] = host;
        break;
    case BUFFER_READBACK:
        wishes[0] = wishes[1] = host | cached;
        wishes[2] = host;
        break;
    }
    for (uint32_t i = 0; i < 3; i++) {
        uint32_t type = find_type(device, allowed, wishes[i]);
        if (type != UINT32_MAX)
            return type;
    }
    return kind == BUFFER_DEVICE ? find_type(device, allowed, 0) : UINT32_MAX;
}

static void report_memory(Device *device, uint64_t size, const char *name, Diag *diag) {
    Arena *arena = arena_create();
    diag_error(diag, NULL, "%s: out of device memory: %s needs %s, %s of %s are left; a smaller batch needs less (-D batch=…)",
               device->info.name, name, text_bytes(arena, size), text_bytes(arena, device_memory_left(device)),
               text_bytes(arena, device->info.memory_total));
    arena_destroy(&arena);
}

Buffer *buffer_create(Arena *arena, Device *device, BufferKind kind, uint64_t size, const char *name, Diag *diag) {
    Buffer *buffer = ARENA_NEW(arena, Buffer, 1);
    buffer->size = size;
    if (size > device->info.target.allocation_max) {
        diag_error(diag, NULL, "%s: %s needs %s, but the device allocates at most %s at once", device->info.name, name,
                   text_bytes(arena, size), text_bytes(arena, device->info.target.allocation_max));
        return NULL;
    }
    VkBufferUsageFlags usage = VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT;
    if (kind == BUFFER_DEVICE)
        usage |= VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_UNIFORM_TEXEL_BUFFER_BIT;
    VkBufferCreateInfo info = {.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO, .size = size, .usage = usage};
    VK(device->api.CreateBuffer(device->handle, &info, NULL, &buffer->handle));
    API_NAME(device, BUFFER, buffer->handle, name);
    VkMemoryRequirements needs;
    device->api.GetBufferMemoryRequirements(device->handle, buffer->handle, &needs);
    uint32_t type = choose_type(device, kind, needs.memoryTypeBits);
    if (type == UINT32_MAX) {
        diag_error(diag, NULL, "%s: the device has no memory type for %s", device->info.name, name);
        goto fail;
    }
    VkMemoryAllocateInfo allocate = {
        .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO, .allocationSize = needs.size, .memoryTypeIndex = type};
    VkResult result = api_before(device, "api.AllocateMemory");
    if (result == VK_SUCCESS)
        result = device->api.AllocateMemory(device->handle, &allocate, NULL, &buffer->memory);
    if (result == VK_ERROR_OUT_OF_DEVICE_MEMORY || result == VK_ERROR_OUT_OF_HOST_MEMORY) {
        report_memory(device, needs.size, name, diag);
        goto fail;
    }
    if (result < 0) {
        api_report(device, "api.AllocateMemory", result, diag);
        goto fail;
    }
    API_NAME(device, DEVICE_MEMORY, buffer->memory, name);
    VK(device->api.BindBufferMemory(device->handle, buffer->handle, buffer->memory, 0));
    VkMemoryPropertyFlags flags = device->memory.memoryTypes[type].propertyFlags;
    if ((flags & VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT) && (flags & VK_MEMORY_PROPERTY_HOST_COHERENT_BIT) &&
        (kind != BUFFER_DEVICE || device->is_unified))
        VK(device->api.MapMemory(device->handle, buffer->memory, 0, VK_WHOLE_SIZE, 0, &buffer->bytes));
    return buffer;
fail:
    buffer_destroy(device, &buffer);
    return NULL;
}

void buffer_destroy(Device *device, Buffer **buffer) {
    if (!buffer || !*buffer)
        return;
    device->api.DestroyBuffer(device->handle, (*buffer)->handle, NULL);
    device->api.FreeMemory(device->handle, (*buffer)->memory, NULL); // unmaps
    *buffer = NULL;
}

void *buffer_bytes(const Buffer *buffer) { return buffer->bytes; }
uint64_t buffer_size(const Buffer *buffer) { return buffer->size; }
