// Commands: descriptor sets, recording, the queue's timeline.
#include "runtime/vk/commands.h"
#include "runtime/base/bug.h"
#include "runtime/vk/objects.h"

// Vulkan's handles are pointers or 64-bit numbers, whatever the machine: both fit.
#define SET_HANDLE(set) ((VkDescriptorSet)(uintptr_t)(set).handle)
#define COMMANDS_HANDLE(commands) ((VkCommandBuffer)(commands).handle)

// ---- descriptor sets

typedef struct {
    const Buffer *buffer;
    uint64_t offset, size;
    VkBufferView handle;
} View;

struct Bindings {
    VkDescriptorPool pool;
    ARRAY(View) views; // equal ones are one
};

Bindings *bindings_create(Arena *arena, Device *device, uint32_t sets, uint32_t storage, uint32_t texel, Diag *diag) {
    Bindings *bindings = ARENA_NEW(arena, Bindings, 1);
    VkDescriptorPoolSize sizes[] = {{VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, storage + 1}, {VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER, texel + 1}};
    VkDescriptorPoolCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO, .maxSets = sets + 1, .poolSizeCount = 2, .pPoolSizes = sizes};
    VK(device->api.CreateDescriptorPool(device->handle, &info, NULL, &bindings->pool));
    return bindings;
fail:
    return NULL;
}

void bindings_destroy(Device *device, Bindings **bindings) {
    if (!bindings || !*bindings)
        return;
    device->api.DestroyDescriptorPool(device->handle, (*bindings)->pool, NULL);
    for (uint32_t i = 0; i < (*bindings)->views.count; i++)
        device->api.DestroyBufferView(device->handle, (*bindings)->views.items[i].handle, NULL);
    *bindings = NULL;
}

static bool find_view(Arena *arena, Device *device, Bindings *bindings, const Buffer *buffer, const Range *range, VkBufferView *out,
                      Diag *diag) {
    for (uint32_t i = 0; i < bindings->views.count; i++) {
        const View *view = &bindings->views.items[i];
        if (view->buffer == buffer && view->offset == range->offset && view->size == range->size) {
            *out = view->handle;
            return true;
        }
    }
    View view = {.buffer = buffer, .offset = range->offset, .size = range->size};
    VkBufferViewCreateInfo info = {.sType = VK_STRUCTURE_TYPE_BUFFER_VIEW_CREATE_INFO,
                                   .buffer = buffer->handle,
                                   .format = VK_FORMAT_R32G32B32A32_SFLOAT,
                                   .offset = range->offset,
                                   .range = range->size};
    VK(device->api.CreateBufferView(device->handle, &info, NULL, &view.handle));
    array_push(arena, &bindings->views, view);
    *out = view.handle;
    return true;
fail:
    return false;
}

bool bindings_add(Arena *arena, Device *device, Bindings *bindings, const Pipeline *pipeline, const BindingKind *kinds, const Range *ranges,
                  uint32_t count, Buffer *const *buffers, BindingSet *out, Diag *diag) {
    VkWriteDescriptorSet writes[TARGET_BINDINGS_MAX];
    VkDescriptorBufferInfo infos[TARGET_BINDINGS_MAX];
    VkBufferView views[TARGET_BINDINGS_MAX];
    VkDescriptorSet set;
    CHECK(count <= TARGET_BINDINGS_MAX); // else there were no pipeline
    VkDescriptorSetAllocateInfo allocate = {.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
                                            .descriptorPool = bindings->pool,
                                            .descriptorSetCount = 1,
                                            .pSetLayouts = &pipeline->set_layout};
    VK(device->api.AllocateDescriptorSets(device->handle, &allocate, &set));
    for (uint32_t i = 0; i < count; i++) {
        const Buffer *buffer = buffers[ranges[i].memory];
        bool is_texel = kinds[i] == BINDING_TEXEL;
        infos[i] = (VkDescriptorBufferInfo){buffer->handle, ranges[i].offset, ranges[i].size};
        if (is_texel && !find_view(arena, device, bindings, buffer, &ranges[i], &views[i], diag))
            goto fail;
        writes[i] =
            (VkWriteDescriptorSet){.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
                                   .dstSet = set,
                                   .dstBinding = i,
                                   .descriptorCount = 1,
                                   .descriptorType = is_texel ? VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER : VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
                                   .pBufferInfo = is_texel ? NULL : &infos[i],
                                   .pTexelBufferView = is_texel ? &views[i] : NULL};
    }
    device->api.UpdateDescriptorSets(device->handle, count, writes, 0, NULL);
    out->handle = (uint64_t)(uintptr_t)set;
    return true;
fail:
    return false;
}

// ---- queue

struct Queue {
    VkCommandPool pool;
    VkSemaphore timeline;
    uint64_t last; // number of the last submission
};

Queue *queue_create(Arena *arena, Device *device, Diag *diag) {
    Queue *queue = ARENA_NEW(arena, Queue, 1);
    VkCommandPoolCreateInfo pool = {.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
                                    .flags = VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT,
                                    .queueFamilyIndex = device->queue_family};
    VK(device->api.CreateCommandPool(device->handle, &pool, NULL, &queue->pool));
    VkSemaphoreTypeCreateInfo type = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO, .semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE};
    VkSemaphoreCreateInfo semaphore = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO, .pNext = &type};
    VK(device->api.CreateSemaphore(device->handle, &semaphore, NULL, &queue->timeline));
    return queue;
fail:
    queue_destroy(device, &queue);
    return NULL;
}

void queue_destroy(Device *device, Queue **queue) {
    if (!queue || !*queue)
        return;
    device->api.DeviceWaitIdle(device->handle);
    device->api.DestroySemaphore(device->handle, (*queue)->timeline, NULL);
    device->api.DestroyCommandPool(device->handle, (*queue)->pool, NULL);
    *queue = NULL;
}

bool queue_submit(Device *device, Queue *queue, const Commands *commands, uint32_t count, uint64_t *ticket, Diag *diag) {
    enum { AT_ONCE = 32 };
    VkCommandBuffer handles[AT_ONCE];
    for (uint32_t first = 0; first < count; first += AT_ONCE) {
        uint32_t size = count - first < AT_ONCE ? count - first : AT_ONCE;
        bool signals = ticket && first + size == count;
        for (uint32_t i = 0; i < size; i++)
            handles[i] = COMMANDS_HANDLE(commands[first + i]);
        uint64_t number = queue->last + 1;
        VkTimelineSemaphoreSubmitInfo timeline = {
            .sType = VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO, .signalSemaphoreValueCount = 1, .pSignalSemaphoreValues = &number};
        VkSubmitInfo info = {.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
                             .pNext = signals ? &timeline : NULL,
                             .commandBufferCount = size,
                             .pCommandBuffers = handles,
                             .signalSemaphoreCount = signals ? 1 : 0,
                             .pSignalSemaphores = &queue->timeline};
        device->has_submitted = true;
        VK(device->api.QueueSubmit(device->queue, 1, &info, VK_NULL_HANDLE));
        if (signals)
            *ticket = queue->last = number;
    }
    return true;
fail:
    return false;
}

bool queue_wait(Device *device, Queue *queue, uint64_t ticket, Diag *diag) {
    VkSemaphoreWaitInfo info = {
        .sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO, .semaphoreCount = 1, .pSemaphores = &queue->timeline, .pValues = &ticket};
    VK(device->api.WaitSemaphores(device->handle, &info, UINT64_MAX));
    return true;
fail:
    return false;
}

bool queue_done(Device *device, Queue *queue, uint64_t *ticket, Diag *diag) {
    VK(device->api.GetSemaphoreCounterValue(device->handle, queue->timeline, ticket));
    return true;
fail:
    return false;
}

// ---- recording

bool commands_begin(Device *device, Queue *queue, bool many, const char *name, Commands *out, Diag *diag) {
    VkCommandBuffer handle;
    VkCommandBufferAllocateInfo allocate = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
                                            .commandPool = queue->pool,
                                            .level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
                                            .commandBufferCount = 1};
    VK(device->api.AllocateCommandBuffers(device->handle, &allocate, &handle));
    API_NAME(device, COMMAND_BUFFER, handle, name);
    out->handle = handle;
    VkCommandBufferBeginInfo begin = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
                                      .flags = many ? VK_COMMAND_BUFFER_USAGE_SIMULTANEOUS_USE_BIT : 0};
    VK(device->api.BeginCommandBuffer(handle, &begin));
    return true;
fail:
    return false;
}

bool commands_restart(Device *device, Commands commands, Diag *diag) {
    VkCommandBufferBeginInfo begin = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};
    VK(device->api.BeginCommandBuffer(COMMANDS_HANDLE(commands), &begin));
    return true;
fail:
    return false;
}

bool commands_end(Device *device, Commands commands, Diag *diag) {
    VK(device->api.EndCommandBuffer(COMMANDS_HANDLE(commands)));
    return true;
fail:
    return false;
}

void commands_dispatch(Device *device, Commands commands, const CommandDispatch *dispatch) {
    VkCommandBuffer handle = COMMANDS_HANDLE(commands);
    VkDescriptorSet set = SET_HANDLE(dispatch->set);
    const Pipeline *pipeline = dispatch->pipeline;
    const uint32_t *base = dispatch->base, *groups = dispatch->groups;
    device->api.CmdBindPipeline(handle, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline->handle);
    device->api.CmdBindDescriptorSets(handle, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline->layout, 0, 1, &set, 0, NULL);
    if (dispatch->push_words)
        device->api.CmdPushConstants(handle, pipeline->layout, VK_SHADER_STAGE_COMPUTE_BIT, 0, dispatch->push_words * 4, dispatch->push);
    if (dispatch->is_cut)
        device->api.CmdDispatchBase(handle, base[0], base[1], base[2], groups[0], groups[1], groups[2]);
    else
        device->api.CmdDispatch(handle, groups[0], groups[1], groups[2]);
}

void commands_copy(Device *device, Commands commands, Buffer *from, uint64_t from_offset, Buffer *to, uint64_t to_offset, uint64_t size) {
    VkBufferCopy region = {.srcOffset = from_offset, .dstOffset = to_offset, .size = size};
    device->api.CmdCopyBuffer(COMMANDS_HANDLE(commands), from->handle, to->handle, 1, &region);
}

void commands_fill(Device *device, Commands commands, Buffer *buffer, uint64_t offset, uint64_t size, uint32_t word) {
    device->api.CmdFillBuffer(COMMANDS_HANDLE(commands), buffer->handle, offset, size, word);
}

void commands_reset_stamps(Device *device, Commands commands, Stamps *stamps) {
    device->api.CmdResetQueryPool(COMMANDS_HANDLE(commands), stamps->handle, 0, stamps->count);
}

void commands_stamp(Device *device, Commands commands, Stamps *stamps, uint32_t index) {
    device->api.CmdWriteTimestamp(COMMANDS_HANDLE(commands), VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT, stamps->handle, index);
}

void commands_copy_stamps(Device *device, Commands commands, Stamps *stamps, uint32_t count, Buffer *to, uint64_t offset) {
    device->api.CmdCopyQueryPoolResults(COMMANDS_HANDLE(commands), stamps->handle, 0, count, to->handle, offset, sizeof(uint64_t),
                                        VK_QUERY_RESULT_64_BIT | VK_QUERY_RESULT_WAIT_BIT);
}

void commands_barrier(Device *device, Commands commands, Barrier barrier) {
    const VkPipelineStageFlags compute = VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, transfer = VK_PIPELINE_STAGE_TRANSFER_BIT;
    const VkAccessFlags shader_access = VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT;
    const VkAccessFlags transfer_access = VK_ACCESS_TRANSFER_READ_BIT | VK_ACCESS_TRANSFER_WRITE_BIT;
    const VkAccessFlags all_writes = VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_TRANSFER_WRITE_BIT;
    VkPipelineStageFlags from = compute | transfer, to = compute | transfer;
    VkMemoryBarrier memory = {
        .sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER, .srcAccessMask = all_writes, .dstAccessMask = shader_access | transfer_access};
    switch (barrier) {
    case BARRIER_WAVE:
        from = to = compute;
        memory.srcAccessMask = VK_ACCESS_SHADER_WRITE_BIT;
        memory.dstAccessMask = shader_access;
        break;
    case BARRIER_START:
        break;
    case BARRIER_LOADED:
        from = transfer;
        memory.srcAccessMask = VK_ACCESS_TRANSFER_WRITE_BIT;
        break;
    case BARRIER_STORED:
        to = transfer;
        memory.dstAccessMask = transfer_access;
        break;
    case BARRIER_HOST:
        to = VK_PIPELINE_STAGE_HOST_BIT;
        memory.dstAccessMask = VK_ACCESS_HOST_READ_BIT;
        break;
    }
    device->api.CmdPipelineBarrier(COMMANDS_HANDLE(commands), from, to, 0, 1, &memory, 0, NULL, 0, NULL);
}
