// Memory: buffers, each with an allocation of its own. There are few, and the plan cuts them.
#pragma once
#include "runtime/vk/device.h"

typedef struct Buffer Buffer;

typedef enum {
    BUFFER_DEVICE,   // what kernels work on: storage, uniform texel, transfer. Host-visible only where memory is unified.
    BUFFER_UPLOAD,   // host-visible; copied from
    BUFFER_READBACK, // host-visible, cached where possible; copied to
} BufferKind;

// NULL (reported, with what is needed and what is left) when the memory is not there.
Buffer *buffer_create(Arena *arena, Device *device, BufferKind kind, uint64_t size, const char *name, Diag *diag);
void buffer_destroy(Device *device, Buffer **buffer);
void *buffer_bytes(const Buffer *buffer); // host address, coherent; NULL when not host-visible
uint64_t buffer_size(const Buffer *buffer);
