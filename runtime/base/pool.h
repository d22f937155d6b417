// Pool: threads. The one file that starts them: those that share a piece of work, and one that goes on in the background. Signals are the
// main thread's alone.
#pragma once
#include "runtime/base/diag.h"
#include <pthread.h>

// ---- one thread in the background

typedef struct {
    pthread_t handle;
    bool is_running; // started and not joined yet
} PoolThread;

// An error number, or 0. The thread is to be joined.
int pool_thread_start(PoolThread *thread, void *(*work)(void *context), void *context);
void pool_thread_join(PoolThread *thread); // returns at once where it does not run

// ---- a piece of work, item by item

typedef enum {
    POOL_COMPUTES, // a worker a core
    POOL_WAITS,    // several: each waits for the disk
} PoolKind;

uint32_t pool_workers(PoolKind kind); // how many suit the machine

typedef struct Pool Pool;

typedef struct {
    uint32_t count;        // items
    const uint32_t *order; // in which they are begun; NULL: 0, 1, …
    // Any thread of the pool. `scratch` is the item's own. False: reported, and no further item is begun.
    bool (*work)(void *context, uint32_t item, Arena *scratch, Diag *diag);
    void *context;
    // May be NULL. Told by the thread that calls pool_run, which then leaves the work to the helpers: `done` of `total` items.
    void (*progress)(void *context, uint32_t done, uint32_t total);
    void *progress_context;
} PoolWork;

// Starts threads beside the caller's; they sleep until there is work. Where fewer are to be had, the work takes longer.
Pool *pool_create(Arena *arena, uint32_t helpers);
void pool_destroy(Pool **pool); // NULL-safe
uint32_t pool_helpers(const Pool *pool); // that were started
// Returns when all items are done. What they reported comes in the order in which they were begun; where one failed, what the first such
// one reported, whichever thread was faster.
bool pool_run(Pool *pool, const PoolWork *work, Diag *diag);
// With a pool of its own.
bool pool_run_once(PoolKind kind, const PoolWork *work, Diag *diag);
