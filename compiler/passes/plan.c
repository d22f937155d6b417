// Needs: kernels with buffers. Gives: waves (with the edges that keep an update behind the readers of the old value), offsets in scratch.
// Keeps: what kernels compute; small maps of one wave become one kernel (join.c).
#include "compiler/passes/passes.h"
#include <stdlib.h>

typedef ARRAY(uint32_t) Indices;

typedef struct {
    KernelList *list;
    const PassContext *context;
    uint32_t *writer;   // by value id: kernel index + 1
    Indices *after;     // by kernel: kernels that must run later
    uint32_t *level;
} Plan;

static bool lies_in(const KernelList *list, uint32_t id, uint32_t whole) {
    while (id != whole && list->buffers[id].kind == BUFFER_PART)
        id = list->buffers[id].parent;
    return id == whole;
}

static void add_edge(Plan *plan, uint32_t from, uint32_t to) {
    for (uint32_t i = 0; i < plan->after[from].count; i++)
        if (plan->after[from].items[i] == to)
            return;
    array_push(plan->list->arena, &plan->after[from], to);
}

// Every kernel that writes part of the memory in which `value` lies.
static void add_writers(Plan *plan, Value value, uint32_t reader) {
    KernelList *list = plan->list;
    Value root = buffer_root(list, value);
    if (plan->writer[root.id]) {
        if (plan->writer[root.id] - 1 != reader)
            add_edge(plan, plan->writer[root.id] - 1, reader);
        return;
    }
    const Node *node = graph_node(list->graph, root);
    if (node->op == OP_pack)
        for (uint32_t i = 0; i < node->arg_count; i++)
            add_writers(plan, node->args[i], reader);
}

static bool reaches(const Plan *plan, uint32_t from, uint32_t to, bool *seen) {
    if (from == to)
        return true;
    if (seen[from])
        return false;
    seen[from] = true;
    for (uint32_t i = 0; i < plan->after[from].count; i++)
        if (reaches(plan, plan->after[from].items[i], to, seen))
            return true;
    return false;
}

// The kernels that write an output's memory.
static void writers_of(const Plan *plan, Value value, Indices *writers) {
    Value root = buffer_root(plan->list, value);
    const Node *node = graph_node(plan->list->graph, root);
    if (plan->writer[root.id])
        array_push(plan->list->arena, writers, plan->writer[root.id] - 1);
    else if (node->op == OP_pack)
        for (uint32_t i = 0; i < node->arg_count; i++)
            writers_of(plan, node->args[i], writers);
}

// No update may overtake a reader of the old value; where it would have to, it gets a copy.
static bool order_update(Plan *plan, const Output *output, Value state) {
    KernelList *list = plan->list;
    Indices writers = {0};
    writers_of(plan, output->value, &writers);
    for (uint32_t k = 0; k < list->kernels.count; k++) {
        const Kernel *kernel = &list->kernels.items[k];
        for (uint32_t i = 0; i < kernel->loads.count; i++) {
            if (!lies_in(list, kernel->loads.items[i].id, state.id))
                continue;
            for (uint32_t w = 0; w < writers.count; w++) {
                if (writers.items[w] == k) {
                    Layout old = list->layouts[kernel->loads.items[i].id];
                    bool whole = kernel->loads.items[i].id == state.id && layout_equal(&old, &list->layouts[output->value.id]);
                    if (!kernel->in_place.items[i] || !whole)
                        return false;
                    continue;
                }
                bool *seen = ARENA_NEW(list->arena, bool, list->kernels.count);
                if (reaches(plan, writers.items[w], k, seen))
                    return false;
                add_edge(plan, k, writers.items[w]);
            }
        }
    }
    return true;
}

static bool order_updates(Plan *plan, uint32_t *copy) {
    const Graph *graph = plan->list->graph;
    for (uint32_t i = 0; i < graph->outputs.count; i++) {
        const Output *output = &graph->outputs.items[i];
        if (output->kind != OUTPUT_STATE)
            continue;
        for (uint32_t id = 1; id < graph->nodes.count; id++) {
            const Node *node = &graph->nodes.items[id];
            if (node->op == OP_state && !strcmp(node->attrs[0].text, output->name) && plan->list->buffers[id].kind == BUFFER_STATE && !order_update(plan, output, (Value){id})) {
                *copy = i;
                return false;
            }
        }
    }
    return true;
}

// Wave = longest path. The graph of kernels has no cycle, so this ends.
static void find_waves(Plan *plan) {
    KernelList *list = plan->list;
    uint32_t count = list->kernels.count;
    uint32_t *waiting = ARENA_NEW(list->arena, uint32_t, count + 1), *queue = ARENA_NEW(list->arena, uint32_t, count + 1), first = 0, last = 0;
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

static int by_offset(const void *a, const void *b) {
    const Block *x = a, *y = b;
    return x->buffer->offset < y->buffer->offset ? -1 : x->buffer->offset > y->buffer->offset;
}

static bool lives_together(const Buffer *a, const Buffer *b) { return a->first_wave <= b->last_wave && b->first_wave <= a->last_wave; }

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

// Largest first, first gap that fits.
static void place(KernelList *list, Block *blocks, uint32_t count, uint64_t piece) {
    Block *near = ARENA_NEW(list->arena, Block, count + 1);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t near_count = 0;
        for (uint32_t j = 0; j < i; j++)
            if (lives_together(blocks[i].buffer, blocks[j].buffer))
                near[near_count++] = blocks[j];
        qsort(near, near_count, sizeof *near, by_offset);
        uint64_t at = 0;
        for (uint32_t j = 0; j < near_count; j++) {
            at = keep_in_piece(at, blocks[i].size, piece);
            if (at + blocks[i].size <= near[j].buffer->offset)
                break;
            uint64_t end = near[j].buffer->offset + near[j].size;
            at = end > at ? end : at;
        }
        at = keep_in_piece(at, blocks[i].size, piece);
        blocks[i].buffer->offset = at;
        if (at + blocks[i].size > list->scratch_size)
            list->scratch_size = at + blocks[i].size;
    }
}

static void plan_memory(KernelList *list, const PassContext *context) {
    uint32_t count = list->graph->nodes.count;
    for (uint32_t id = 1; id < count; id++)
        list->buffers[id].first_wave = UINT32_MAX;
    for (uint32_t k = 0; k < list->kernels.count; k++) {
        const Kernel *kernel = &list->kernels.items[k];
        for (uint32_t i = 0; i < kernel->loads.count; i++)
            touch(list, kernel->loads.items[i], kernel->wave);
        for (uint32_t i = 0; i < kernel->stores.count; i++)
            touch(list, kernel->stores.items[i], kernel->wave);
    }
    Block *blocks = ARENA_NEW(list->arena, Block, count);
    uint32_t block_count = 0;
    uint64_t grain = context->target->offset_alignment, *live = ARENA_NEW(list->arena, uint64_t, list->wave_count + 1);
    for (uint32_t id = 1; id < count; id++) {
        Buffer *buffer = &list->buffers[id];
        if (buffer->kind != BUFFER_SCRATCH || buffer->first_wave == UINT32_MAX)
            continue;
        Block block = {buffer, (buffer->size + grain - 1) / grain * grain};
        blocks[block_count++] = block;
        for (uint32_t wave = buffer->first_wave; wave <= buffer->last_wave; wave++)
            live[wave] += block.size;
    }
    for (uint32_t wave = 0; wave < list->wave_count; wave++)
        if (live[wave] > list->scratch_lower_bound)
            list->scratch_lower_bound = live[wave];
    qsort(blocks, block_count, sizeof *blocks, by_size);
    place(list, blocks, block_count, piece_size(context->target));
}

bool plan_kernels(KernelList *list, const PassContext *context, uint32_t *copy) {
    Plan plan = {.list = list, .context = context};
    plan.writer = ARENA_NEW(list->arena, uint32_t, list->graph->nodes.count);
    plan.after = ARENA_NEW(list->arena, Indices, list->kernels.count + 1);
    plan.level = ARENA_NEW(list->arena, uint32_t, list->kernels.count + 1);
    for (uint32_t k = 0; k < list->kernels.count; k++)
        for (uint32_t i = 0; i < list->kernels.items[k].stores.count; i++)
            plan.writer[list->kernels.items[k].stores.items[i].id] = k + 1;
    for (uint32_t k = 0; k < list->kernels.count; k++)
        for (uint32_t i = 0; i < list->kernels.items[k].loads.count; i++)
            add_writers(&plan, list->kernels.items[k].loads.items[i], k);
    if (!order_updates(&plan, copy))
        return false;
    find_waves(&plan);
    qsort(list->kernels.items, list->kernels.count, sizeof *list->kernels.items, by_wave);
    join_kernels(list, context);
    plan_memory(list, context);
    return true;
}
