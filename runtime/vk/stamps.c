// Stamps: query pools.
#include "runtime/vk/stamps.h"
#include "runtime/vk/objects.h"

bool stamps_are_available(const Device *device) { return device->timestamp_bits > 0 && device->timestamp_period > 0; }

Stamps *stamps_create(Arena *arena, Device *device, uint32_t count, Diag *diag) {
    Stamps *stamps = ARENA_NEW(arena, Stamps, 1);
    stamps->count = count;
    VkQueryPoolCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO, .queryType = VK_QUERY_TYPE_TIMESTAMP, .queryCount = count};
    VK(device->api.CreateQueryPool(device->handle, &info, NULL, &stamps->handle));
    return stamps;
fail:
    return NULL;
}

void stamps_destroy(Device *device, Stamps **stamps) {
    if (!stamps || !*stamps)
        return;
    device->api.DestroyQueryPool(device->handle, (*stamps)->handle, NULL);
    *stamps = NULL;
}

uint32_t stamps_count(const Stamps *stamps) { return stamps->count; }

double stamps_seconds(const Device *device, uint64_t begin, uint64_t end) {
    uint64_t mask = device->timestamp_bits >= 64 ? UINT64_MAX : (UINT64_C(1) << device->timestamp_bits) - 1;
    uint64_t ticks = (end - begin) & mask; // the counter may have wrapped
    double seconds = (double)ticks * (double)device->timestamp_period * 1e-9;
    return seconds < 3600 ? seconds : 0;
}
