// Commands: descriptor sets, command buffers, one queue and the order of what it does.
#pragma once
#include "runtime/program/program.h"
#include "runtime/vk/memory.h"
#include "runtime/vk/pipeline.h"
#include "runtime/vk/stamps.h"

typedef struct {
    uint64_t handle;
} BindingSet; // a descriptor set
typedef struct {
    void *handle;
} Commands; // a command buffer

// ---- descriptor sets, all from one pool
typedef struct Bindings Bindings;
// Room for `sets` descriptor sets with so many bindings of each type in all.
Bindings *bindings_create(Arena *arena, Device *device, uint32_t sets, uint32_t storage, uint32_t texel, Diag *diag);
void bindings_destroy(Device *device, Bindings **bindings);
// One set for a pipeline of this kernel: ranges[i], inside buffers[ranges[i].memory], at binding i.
bool bindings_add(Arena *arena, Device *device, Bindings *bindings, const Pipeline *pipeline, const BindingKind *kinds, const Range *ranges,
                  uint32_t count, Buffer *const *buffers, BindingSet *out, Diag *diag);

// ---- queue: command buffers and their submission. Work is done in the order of submission where barriers say so.
typedef struct Queue Queue;
Queue *queue_create(Arena *arena, Device *device, Diag *diag);
void queue_destroy(Device *device, Queue **queue); // waits for the device first
// Sends command buffers; with `ticket` the submission gets the next number, which queue_done reaches when it is finished.
bool queue_submit(Device *device, Queue *queue, const Commands *commands, uint32_t count, uint64_t *ticket, Diag *diag);
bool queue_wait(Device *device, Queue *queue, uint64_t ticket, Diag *diag);
bool queue_done(Device *device, Queue *queue, uint64_t *ticket, Diag *diag); // the last number that was reached

// ---- recording. `many`: may be in flight more than once at a time.
bool commands_begin(Device *device, Queue *queue, bool many, const char *name, Commands *out, Diag *diag);
bool commands_end(Device *device, Commands commands, Diag *diag);
bool commands_restart(Device *device, Commands commands, Diag *diag); // records it anew; it must not be in flight
typedef struct {
    const Pipeline *pipeline;
    BindingSet set;
    const uint32_t *push;
    uint32_t push_words;
    uint32_t base[3], groups[3]; // base other than 0 only where the pipeline's source was cut
    bool is_cut;
} CommandDispatch;
void commands_dispatch(Device *device, Commands commands, const CommandDispatch *dispatch);
void commands_copy(Device *device, Commands commands, Buffer *from, uint64_t from_offset, Buffer *to, uint64_t to_offset, uint64_t size);
void commands_fill(Device *device, Commands commands, Buffer *buffer, uint64_t offset, uint64_t size, uint32_t word);
void commands_reset_stamps(Device *device, Commands commands, Stamps *stamps);
void commands_stamp(Device *device, Commands commands, Stamps *stamps, uint32_t index);
void commands_copy_stamps(Device *device, Commands commands, Stamps *stamps, uint32_t count, Buffer *to, uint64_t offset); // 8 bytes each

typedef enum {
    BARRIER_WAVE,   // compute to compute
    BARRIER_START,  // anything earlier to transfers and compute
    BARRIER_LOADED, // transfers to compute and transfers
    BARRIER_STORED, // compute and transfers to transfers
    BARRIER_HOST,   // anything to the host's reading
} Barrier;
void commands_barrier(Device *device, Commands commands, Barrier barrier);
