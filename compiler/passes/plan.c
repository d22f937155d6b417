// Needs: kernels with buffers. Gives: waves (with the edges that keep an update behind the readers of the old value), offsets in scratch.
// Kernels run as early as may be, or later where that takes less memory.
// Keeps: what kernels compute; small maps of one wave become one kernel, and small reductions (join.c).
#include "compiler/passes/passes.h"
#include "runtime/base/name_table.h"
#include <stdlib.h>

typedef KernelIndices Indices;

typedef struct {
    KernelList *list;
    const PassContext *context;
    uint32_t *writer;   // by value id: kernel index + 1
    Indices *after;     // by kernel: kernels that must run later
    uint32_t *level, *order; // by kernel; and kernels, each behind those that it waits for
    Indices *readers;   // by value id, of states: kernels with a load that lies in it, and where in their loads, two numbers each
    bool *writes, *later; // by kernel, for one update: it writes, it must run after a writer
    Arena *scratch;
} Plan;

// The same edge twice does no harm; edges to one kernel are mostly added in a row.
static void add_edge(Plan *plan, uint32_t from, uint32_t to) {
    Indices *after = &plan->after[from];
    if (!after->count || after->items[after->count - 1] != to)
        array_push(plan->scratch, after, to);
}

static void add_writers(Plan *plan, Value value, uint32_t reader) {
    Indices writers = {0};
    buffer_writers(plan->scratch, plan->list, plan->writer, value, &writers);
    for (uint32_t i = 0; i < writers.count; i++)
        if (writers.items[i] != reader)
            add_edge(plan, writers.items[i], reader);
}

// Marks what must run after the kernel, which itself is not marked.
static void mark_later(const Plan *plan, uint32_t from, Indices *waiting) {
    waiting->count = 0;
    array_push(plan->scratch, waiting, from);
    while (waiting->count) {
        const Indices *after = &plan->after[waiting->items[--waiting->count]];
        for (uint32_t i = 0; i < after->count; i++)
            if (!plan->later[after->items[i]]) {
                plan->later[after->items[i]] = true;
                array_push(plan->scratch, waiting, after->items[i]);
            }
    }
}

static bool reads_in_place(const Plan *plan, const Output *output, Value state, uint32_t kernel, uint32_t load) {
    const Kernel *reader = &plan->list->kernels.items[kernel];
    Value value = reader->loads.items[load];
    Layout old = plan->list->layouts[value.id];
    return reader->in_place.items[load] && value.id == state.id && layout_equal(&old, &plan->list->layouts[output->value.id]);
}

// No update may overtake a reader of the old value; where it would have to, it gets a copy. Edges from readers to writers lead to nothing
// that writers do not lead to already, but to other writers.
static bool order_update(Plan *plan, const Output *output, Value state) {
    Indices writers = {0}, waiting = {0};
    const Indices *readers = &plan->readers[state.id];
    if (!readers->count)
        return true;
    buffer_writers(plan->scratch, plan->list, plan->writer, output->value, &writers);
    memset(plan->writes, 0, plan->list->kernels.count);
    memset(plan->later, 0, plan->list->kernels.count);
    for (uint32_t w = 0; w < writers.count; w++) {
        plan->writes[writers.items[w]] = true;
        mark_later(plan, writers.items[w], &waiting);
    }
    for (uint32_t r = 0; r < readers->count; r += 2) {
        uint32_t k = readers->items[r];
        if (plan->later[k] || (plan->writes[k] && !reads_in_place(plan, output, state, k, readers->items[r + 1])))
            return false;
        for (uint32_t w = 0; w < writers.count; w++)
            if (writers.items[w] != k) {
                add_edge(plan, k, writers.items[w]);
                plan->later[writers.items[w]] |= plan->writes[k];
            }
    }
    return true;
}

static void note_reader(Plan *plan, uint32_t kernel, uint32_t load) {
    KernelList *list = plan->list;
    uint32_t id = list->kernels.items[kernel].loads.items[load].id;
    while (list->buffers[id].kind == BUFFER_PART)
        id = list->buffers[id].parent;
    if (list->buffers[id].kind != BUFFER_STATE || graph_node(list->graph, (Value){id})->op != OP_state)
        return;
    array_push(plan->scratch, &plan->readers[id], kernel);
    array_push(plan->scratch, &plan->readers[id], load);
}

static bool order_updates(Plan *plan, uint32_t *copy) {
    const Graph *graph = plan->list->graph;
    plan->readers = ARENA_NEW(plan->scratch, Indices, graph->nodes.count);
    plan->writes = ARENA_NEW(plan->scratch, bool, plan->list->kernels.count + 1);
    plan->later = ARENA_NEW(plan->scratch, bool, plan->list->kernels.count + 1);
    for (uint32_t k = 0; k < plan->list->kernels.count; k++)
        for (uint32_t i = 0; i < plan->list->kernels.items[k].loads.count; i++)
            note_reader(plan, k, i);
    NameTable *states = name_table_create(plan->scratch);
    for (uint32_t id = 1; id < graph->nodes.count; id++)
        if (graph->nodes.items[id].op == OP_state && plan->list->buffers[id].kind == BUFFER_STATE)
            name_table_add(states, attr_of(&graph->nodes.items[id], ATTR_name)->text, id);
    for (uint32_t i = 0; i < graph->outputs.count; i++) {
        const Output *output = &graph->outputs.items[i];
        uint32_t state = output->kind == OUTPUT_STATE ? name_table_find(states, output->name) : UINT32_MAX;
        if (state != UINT32_MAX && !order_update(plan, output, (Value){state})) {
            *copy = i;
            return false;
        }
    }
    return true;
}

// Wave = longest path. The graph of kernels has no cycle, so this ends.
static void find_waves(Plan *plan) {
    KernelList *list = plan->list;
    uint32_t count = list->kernels.count;
    uint32_t *waiting = ARENA_NEW(plan->scratch, uint32_t, count + 1), *queue = plan->order, first = 0, last = 0;
    for (uint32_t k = 0; k < count; k++)
        for (uint32_t i = 0; i < plan->after[k].count; i++)
            waiting[plan->after[k].items[i]]++;
    for (uint32_t k = 0; k < count; k++)
        if (!waiting[k])
            queue[last++] = k;
    while (first < last) {
        uint32_t k = queue[first++];
        for (uint32_t i = 0; i < plan->after[k].count; i++) {
            uint32_t next = plan->after[k].items[i];
            if (plan->level[next] < plan->level[k] + 1)
                plan->level[next] = plan->level[k] + 1;
            if (--waiting[next] == 0)
                queue[last++] = next;
        }
    }
    list->wave_count = 0;
    for (uint32_t k = 0; k < count; k++) {
        list->kernels.items[k].wave = plan->level[k];
        if (plan->level[k] + 1 > list->wave_count)
            list->wave_count = plan->level[k] + 1;
    }
}

static int by_wave(const void *a, const void *b) {
    const Kernel *x = a, *y = b;
    if (x->wave != y->wave)
        return x->wave < y->wave ? -1 : 1;
    return x->root.id < y->root.id ? -1 : x->root.id > y->root.id;
}

// ---- memory

static void touch(KernelList *list, Value value, uint32_t wave) {
    uint32_t id = value.id;
    while (list->buffers[id].kind == BUFFER_PART)
        id = list->buffers[id].parent;
    Buffer *buffer = &list->buffers[id];
    if (wave < buffer->first_wave)
        buffer->first_wave = wave;
    if (wave > buffer->last_wave)
        buffer->last_wave = wave;
}

typedef struct {
    Buffer *buffer;
    uint64_t size;
} Block;

static int by_size(const void *a, const void *b) {
    const Block *x = a, *y = b;
    if (x->size != y->size)
        return x->size > y->size ? -1 : 1;
    return x->buffer->value.id < y->buffer->value.id ? -1 : 1;
}

// Bytes of one allocation of scratch.
static uint64_t piece_size(const Target *target) { return target->allocation_max - target->allocation_max % target->offset_alignment; }

Range plan_scratch_range(const Target *target, uint64_t offset, uint64_t size) {
    uint64_t piece = offset / piece_size(target);
    return (Range){piece ? MEMORY_KIND_COUNT - 1 + (uint32_t)piece : MEMORY_SCRATCH, offset % piece_size(target), size};
}

// At `at`, or where the next piece begins: a buffer lies in one piece, unless it is larger (which is reported later).
static uint64_t keep_in_piece(uint64_t at, uint64_t size, uint64_t piece) {
    return at % piece + size > piece && at % piece ? (at / piece + 1) * piece : at;
}

// A block that has its place; what is asked of all of them for every block lies together.
typedef struct {
    uint64_t offset, end;
    uint32_t first_wave, last_wave;
} Placed;

// Largest first, first gap that fits. `placed` ascends by offset.
static void place(KernelList *list, Arena *scratch, Block *blocks, uint32_t count, uint64_t piece) {
    Placed *placed = ARENA_NEW(scratch, Placed, count + 1);
    for (uint32_t i = 0; i < count; i++) {
        Buffer *buffer = blocks[i].buffer;
        uint64_t at = keep_in_piece(0, blocks[i].size, piece);
        uint32_t next = 0;
        for (; next < i && at + blocks[i].size > placed[next].offset; next++) {
            const Placed *other = &placed[next];
            if (buffer->first_wave > other->last_wave || other->first_wave > buffer->last_wave || other->end <= at)
                continue;
            at = keep_in_piece(other->end, blocks[i].size, piece);
        }
        buffer->offset = at;
        if (at + blocks[i].size > list->scratch_size)
            list->scratch_size = at + blocks[i].size;
        while (next > 0 && placed[next - 1].offset > at)
            next--;
        memmove(&placed[next + 1], &placed[next], (i - next) * sizeof *placed);
        placed[next] = (Placed){at, at + blocks[i].size, buffer->first_wave, buffer->last_wave};
    }
}

typedef struct {
    uint64_t bytes;
    uint32_t wave;
} Peak;

// When each buffer is first and last in use; returns the most bytes of scratch that are in use at once, and when that is.
static Peak find_lives(KernelList *list, Arena *scratch, uint64_t grain) {
    uint32_t count = list->graph->nodes.count;
    for (uint32_t id = 1; id < count; id++)
        list->buffers[id].first_wave = UINT32_MAX, list->buffers[id].last_wave = 0;
    for (uint32_t k = 0; k < list->kernels.count; k++) {
        const Kernel *kernel = &list->kernels.items[k];
        for (uint32_t i = 0; i < kernel->loads.count; i++)
            touch(list, kernel->loads.items[i], kernel->wave);
        for (uint32_t i = 0; i < kernel->stores.count; i++)
            touch(list, kernel->stores.items[i], kernel->wave);
    }
    Peak peak = {0};
    uint64_t live = 0, *change = ARENA_NEW(scratch, uint64_t, list->wave_count + 1);
    for (uint32_t id = 1; id < count; id++) {
        const Buffer *buffer = &list->buffers[id];
        if (buffer->kind != BUFFER_SCRATCH || buffer->first_wave == UINT32_MAX)
            continue;
        uint64_t size = (buffer->size + grain - 1) / grain * grain;
        change[buffer->first_wave] += size;
        change[buffer->last_wave + 1] -= size; // modulo 2^64: the sums are right
    }
    for (uint32_t wave = 0; wave < list->wave_count; wave++) {
        live += change[wave];
        peak = live > peak.bytes ? (Peak){live, wave} : peak;
    }
    return peak;
}

// ---- kernels that run later than they could

static uint32_t root_of(const KernelList *list, Value value) { return buffer_root(list, value).id; }

// What becomes live by the kernel's own stores; 0: something that it stores lives otherwise.
static uint64_t bytes_given(const KernelList *list, const Kernel *kernel) {
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < kernel->stores.count; i++) {
        const Buffer *buffer = &list->buffers[kernel->stores.items[i].id];
        if (buffer->kind != BUFFER_SCRATCH)
            return 0;
        bytes += buffer->size;
    }
    return bytes;
}

static uint32_t last_use_by_others(const Plan *plan, const Indices *users, uint32_t kernel) {
    uint32_t last = 0;
    for (uint32_t i = 0; i < users->count; i++)
        if (users->items[i] != kernel && plan->level[users->items[i]] > last)
            last = plan->level[users->items[i]];
    return last;
}

// What would be live longer if the kernel ran in a later wave.
static uint64_t bytes_kept(const Plan *plan, const Indices *users, uint32_t k, uint32_t wave) {
    const KernelList *list = plan->list;
    const Kernel *kernel = &list->kernels.items[k];
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < kernel->loads.count; i++) {
        uint32_t root = root_of(list, kernel->loads.items[i]);
        bool is_seen = false;
        for (uint32_t j = 0; j < i; j++)
            is_seen |= root_of(list, kernel->loads.items[j]) == root;
        if (!is_seen && list->buffers[root].kind == BUFFER_SCRATCH && last_use_by_others(plan, &users[root], k) < wave)
            bytes += list->buffers[root].size;
    }
    return bytes;
}

// The kernels that use each buffer, by the value that it is of.
static Indices *find_users(const Plan *plan) {
    const KernelList *list = plan->list;
    Indices *users = ARENA_NEW(plan->scratch, Indices, list->graph->nodes.count);
    for (uint32_t k = 0; k < list->kernels.count; k++) {
        const Kernel *kernel = &list->kernels.items[k];
        for (uint32_t i = 0; i < kernel->loads.count; i++)
            array_push(plan->scratch, &users[root_of(list, kernel->loads.items[i])], k);
        for (uint32_t i = 0; i < kernel->stores.count; i++)
            array_push(plan->scratch, &users[root_of(list, kernel->stores.items[i])], k);
    }
    return users;
}

// What gives more than it takes - weights and images transformed, copies of parameters in another layout - runs just before the first that needs it,
// instead of in one of the first waves. Small kernels stay, which meet others of their wave.
static void delay_givers(Plan *plan) {
    KernelList *list = plan->list;
    uint64_t grain = plan->context->target->offset_alignment, before = find_lives(list, plan->scratch, grain).bytes;
    uint32_t *early = ARENA_NEW(plan->scratch, uint32_t, list->kernels.count + 1);
    memcpy(early, plan->level, sizeof *early * list->kernels.count);
    const Indices *users = find_users(plan);
    for (uint32_t i = list->kernels.count; i-- > 0;) { // those that need it first
        uint32_t k = plan->order[i], wave = list->wave_count;
        Kernel *kernel = &list->kernels.items[k];
        for (uint32_t j = 0; j < plan->after[k].count; j++)
            wave = plan->level[plan->after[k].items[j]] < wave ? plan->level[plan->after[k].items[j]] : wave;
        wave--;
        if (!plan->after[k].count || wave <= plan->level[k] || join_may(list, kernel, plan->context) || join_may_wait(list, kernel, plan->context) ||
            bytes_given(list, kernel) <= bytes_kept(plan, users, k, wave))
            continue;
        plan->level[k] = kernel->wave = wave;
    }
    if (find_lives(list, plan->scratch, grain).bytes <= before)
        return;
    memcpy(plan->level, early, sizeof *early * list->kernels.count);
    for (uint32_t k = 0; k < list->kernels.count; k++)
        list->kernels.items[k].wave = early[k];
}

typedef struct {
    uint32_t kernel, latest; // the last wave in which it may run
} Waiting;

static int by_latest(const void *a, const void *b) {
    const Waiting *x = a, *y = b;
    if (x->latest != y->latest)
        return x->latest < y->latest ? -1 : 1;
    return x->kernel < y->kernel ? -1 : x->kernel > y->kernel;
}

// The kernels that may wait, and until when: first those that run first.
static uint32_t find_waiting(const Plan *plan, Waiting *waiting) {
    const KernelList *list = plan->list;
    uint32_t count = 0, *wave = ARENA_NEW(plan->scratch, uint32_t, list->kernels.count + 1); // as late as may be
    for (uint32_t i = list->kernels.count; i-- > 0;) {
        uint32_t k = plan->order[i], next = list->wave_count;
        for (uint32_t j = 0; j < plan->after[k].count; j++) {
            uint32_t its = wave[plan->after[k].items[j]];
            next = its < next ? its : next;
        }
        bool may_wait = join_may_wait(list, &list->kernels.items[k], plan->context);
        wave[k] = may_wait ? next - 1 : plan->level[k];
        if (may_wait)
            waiting[count++] = (Waiting){k, next - 1};
    }
    qsort(waiting, count, sizeof *waiting, by_latest);
    return count;
}

// Small reductions meet in as few waves as those who need them allow: so those of many layers, of which an optimizer's step needs all, become one
// kernel. Each goes to the wave where the one before it went, if it still can; else it waits as long as it may. Not where more would be in memory at once.
static void delay_reductions(Plan *plan) {
    KernelList *list = plan->list;
    Waiting *waiting = ARENA_NEW(plan->scratch, Waiting, list->kernels.count + 1);
    uint32_t *first = ARENA_NEW(plan->scratch, uint32_t, list->kernels.count + 1), count = find_waiting(plan, waiting), meeting = 0;
    uint64_t grain = plan->context->target->offset_alignment, before = find_lives(list, plan->scratch, grain).bytes;
    memcpy(first, plan->level, sizeof *first * list->kernels.count);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t k = waiting[i].kernel;
        meeting = i > 0 && first[k] <= meeting ? meeting : waiting[i].latest;
        list->kernels.items[k].wave = meeting;
        for (uint32_t j = 0; j < plan->after[k].count; j++) {
            uint32_t next = plan->after[k].items[j];
            first[next] = first[next] > meeting ? first[next] : meeting + 1;
        }
    }
    if (find_lives(list, plan->scratch, grain).bytes > before)
        for (uint32_t k = 0; k < list->kernels.count; k++)
            list->kernels.items[k].wave = plan->level[k];
}

static void plan_memory(KernelList *list, Arena *scratch, const PassContext *context) {
    uint32_t count = list->graph->nodes.count, block_count = 0;
    uint64_t grain = context->target->offset_alignment;
    list->scratch_lower_bound = find_lives(list, scratch, grain).bytes;
    Block *blocks = ARENA_NEW(scratch, Block, count);
    for (uint32_t id = 1; id < count; id++) {
        Buffer *buffer = &list->buffers[id];
        if (buffer->kind == BUFFER_SCRATCH && buffer->first_wave != UINT32_MAX)
            blocks[block_count++] = (Block){buffer, (buffer->size + grain - 1) / grain * grain};
    }
    qsort(blocks, block_count, sizeof *blocks, by_size);
    place(list, scratch, blocks, block_count, piece_size(context->target));
}

static void find_edges(Plan *plan) {
    KernelList *list = plan->list;
    plan->writer = kernel_writers(plan->scratch, list);
    plan->after = ARENA_NEW(plan->scratch, Indices, list->kernels.count + 1);
    plan->level = ARENA_NEW(plan->scratch, uint32_t, list->kernels.count + 1);
    plan->order = ARENA_NEW(plan->scratch, uint32_t, list->kernels.count + 1);
    for (uint32_t k = 0; k < list->kernels.count; k++)
        for (uint32_t i = 0; i < list->kernels.items[k].loads.count; i++)
            add_writers(plan, list->kernels.items[k].loads.items[i], k);
}

uint64_t plan_peak(KernelList *list, const PassContext *context, uint32_t *wave) {
    Plan plan = {.list = list, .context = context, .scratch = arena_create()};
    find_edges(&plan);
    find_waves(&plan);
    Peak peak = find_lives(list, plan.scratch, context->target->offset_alignment);
    arena_destroy(&plan.scratch);
    list->wave_count = 0; // nothing is planned yet
    *wave = peak.wave;
    return peak.bytes;
}

static bool plan_in(Plan *plan, uint32_t *copy) {
    KernelList *list = plan->list;
    find_edges(plan);
    if (!order_updates(plan, copy))
        return false;
    find_waves(plan);
    if (!plan->context->no_fuse) {
        delay_givers(plan);
        delay_reductions(plan);
    }
    qsort(list->kernels.items, list->kernels.count, sizeof *list->kernels.items, by_wave);
    join_kernels(list, plan->context);
    plan_memory(list, plan->scratch, plan->context);
    return true;
}

bool plan_kernels(KernelList *list, const PassContext *context, uint32_t *copy) {
    Plan plan = {.list = list, .context = context, .scratch = arena_create()};
    bool planned = plan_in(&plan, copy);
    arena_destroy(&plan.scratch);
    return planned;
}
