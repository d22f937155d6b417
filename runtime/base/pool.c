// Pool: helpers wait for a piece of work and take its items one by one; so does the thread that runs it, unless it tells the progress.
#include "runtime/base/pool.h"
#include "runtime/base/bug.h"
#include "runtime/base/machine.h"
#include <signal.h>

enum { WORKERS_MAX = 64, WAITING_A_CORE = 4 };

// ---- one thread

int pool_thread_start(PoolThread *thread, void *(*work)(void *context), void *context) {
    CHECK(!thread->is_running);
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&thread->handle, NULL, work, context);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    thread->is_running = error == 0;
    return error;
}

void pool_thread_join(PoolThread *thread) {
    if (thread->is_running)
        pthread_join(thread->handle, NULL);
    thread->is_running = false;
}

// ---- many

// What an item said.
typedef struct {
    uint32_t place; // in the order of work
    bool has_failed;
    const Diag *diag;
} Said;

typedef struct {
    Pool *pool;
    PoolThread thread; // of the first worker, who is the caller: none
    Arena *scratch, *kept; // kept: until the piece of work is done
    ARRAY(Said) said;
} Worker;

struct Pool {
    Worker workers[WORKERS_MAX];
    uint32_t worker_count; // with the caller
    pthread_mutex_t lock;
    pthread_cond_t work;    // there is some, or the pool ends
    pthread_cond_t changed; // an item is done
    // Guarded by the lock; piece is read without it while its items are done:
    const PoolWork *piece; // NULL: none
    uint32_t next, busy, done;
    bool has_failed, is_stopping;
};

uint32_t pool_workers(PoolKind kind) {
    uint32_t wanted = machine_cores() * (kind == POOL_WAITS ? WAITING_A_CORE : 1);
    return wanted < WORKERS_MAX ? wanted : WORKERS_MAX;
}

static bool run_item(Worker *worker, const PoolWork *piece, uint32_t place) {
    Diag *diag = diag_create(worker->kept);
    bool good = piece->work(piece->context, piece->order ? piece->order[place] : place, worker->scratch, diag);
    if (!good || diag_text(diag, worker->scratch)[0])
        array_push(worker->kept, &worker->said, ((Said){place, !good, diag}));
    arena_reset(worker->scratch);
    return good;
}

// False where no item is left. The lock is held before and after.
static bool take_item(Worker *worker) {
    Pool *pool = worker->pool;
    const PoolWork *piece = pool->piece;
    if (!piece || pool->has_failed || pool->next == piece->count)
        return false;
    uint32_t place = pool->next++;
    pool->busy++;
    pthread_mutex_unlock(&pool->lock);
    bool good = run_item(worker, piece, place);
    pthread_mutex_lock(&pool->lock);
    pool->busy--;
    pool->done++;
    pool->has_failed |= !good;
    pthread_cond_signal(&pool->changed);
    return true;
}

static void *help(void *context) {
    Worker *worker = context;
    Pool *pool = worker->pool;
    pthread_mutex_lock(&pool->lock);
    while (!pool->is_stopping)
        if (!take_item(worker))
            pthread_cond_wait(&pool->work, &pool->lock);
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

Pool *pool_create(Arena *arena, uint32_t helpers) {
    Pool *pool = ARENA_NEW(arena, Pool, 1);
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->work, NULL);
    pthread_cond_init(&pool->changed, NULL);
    for (uint32_t i = 0; i <= helpers && i < WORKERS_MAX; i++) {
        Worker *worker = &pool->workers[i];
        *worker = (Worker){.pool = pool, .scratch = arena_create(), .kept = arena_create()};
        pool->worker_count = i + 1;
        if (i > 0 && pool_thread_start(&worker->thread, help, worker) != 0) {
            arena_destroy(&worker->scratch);
            arena_destroy(&worker->kept);
            pool->worker_count = i;
            break;
        }
    }
    return pool;
}

void pool_destroy(Pool **pointer) {
    Pool *pool = *pointer;
    *pointer = NULL;
    if (!pool)
        return;
    pthread_mutex_lock(&pool->lock);
    pool->is_stopping = true;
    pthread_cond_broadcast(&pool->work);
    pthread_mutex_unlock(&pool->lock);
    for (uint32_t i = 0; i < pool->worker_count; i++) {
        pool_thread_join(&pool->workers[i].thread);
        arena_destroy(&pool->workers[i].scratch);
        arena_destroy(&pool->workers[i].kept);
    }
    pthread_cond_destroy(&pool->changed);
    pthread_cond_destroy(&pool->work);
    pthread_mutex_destroy(&pool->lock);
}

uint32_t pool_helpers(const Pool *pool) { return pool->worker_count - 1; }

static bool is_over(const Pool *pool) { return pool->busy == 0 && (pool->has_failed || pool->next == pool->piece->count); }

// The lock is held, but not while progress is told.
static void run_and_tell(Pool *pool) {
    const PoolWork *piece = pool->piece;
    for (uint32_t told = 0; !is_over(pool) || told < pool->done;) {
        if (pool->worker_count == 1)
            take_item(&pool->workers[0]);
        else if (pool->done == told)
            pthread_cond_wait(&pool->changed, &pool->lock);
        if (pool->done == told)
            continue;
        told = pool->done;
        pthread_mutex_unlock(&pool->lock);
        piece->progress(piece->progress_context, told, piece->count);
        pthread_mutex_lock(&pool->lock);
    }
}

static void run_along(Pool *pool) {
    while (take_item(&pool->workers[0]))
        ;
    while (!is_over(pool))
        pthread_cond_wait(&pool->changed, &pool->lock);
}

// What comes next of all that was said: at `place` or after it.
static const Said *next_said(const Pool *pool, uint32_t place) {
    const Said *next = NULL;
    for (uint32_t i = 0; i < pool->worker_count; i++)
        for (uint32_t k = 0; k < pool->workers[i].said.count; k++) {
            const Said *said = &pool->workers[i].said.items[k];
            if (said->place >= place && (!pool->has_failed || said->has_failed) && (!next || said->place < next->place))
                next = said;
        }
    return next;
}

static void report(const Pool *pool, Diag *diag) {
    const Said *said = next_said(pool, 0);
    for (; said && !pool->has_failed; said = next_said(pool, said->place + 1))
        diag_merge(diag, said->diag);
    if (said)
        diag_merge(diag, said->diag);
}

bool pool_run(Pool *pool, const PoolWork *work, Diag *diag) {
    for (uint32_t i = 0; i < pool->worker_count; i++) { // they sleep
        arena_reset(pool->workers[i].kept);
        memset(&pool->workers[i].said, 0, sizeof pool->workers[i].said);
    }
    pthread_mutex_lock(&pool->lock);
    CHECK(!pool->piece);
    pool->piece = work;
    pool->next = pool->done = 0;
    pool->has_failed = false;
    if (work->count > 1 || work->progress)
        pthread_cond_broadcast(&pool->work);
    if (work->progress)
        run_and_tell(pool);
    else
        run_along(pool);
    pool->piece = NULL;
    bool good = !pool->has_failed;
    pthread_mutex_unlock(&pool->lock);
    report(pool, diag);
    return good;
}

bool pool_run_once(PoolKind kind, const PoolWork *work, Diag *diag) {
    uint32_t workers = pool_workers(kind);
    if (workers > work->count)
        workers = work->count;
    Arena *arena = arena_create();
    Pool *pool = pool_create(arena, work->progress || workers == 0 ? workers : workers - 1);
    bool good = pool_run(pool, work, diag);
    pool_destroy(&pool);
    arena_destroy(&arena);
    return good;
}
