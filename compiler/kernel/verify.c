// Verify: the planner never checks itself. Structure after fuse; lifetimes and order after plan, from the kernels alone.
#include "compiler/ir/op.h"
#include "compiler/kernel/schedule.h"
#include "runtime/base/name_table.h"
#include <stdlib.h>

typedef struct {
    const KernelList *list;
    Arena *arena; // of this check
    Text *problems;
    uint32_t *writer; // by value id: kernel index + 1
    uint32_t *first, *last; // by value id: waves in which its memory is in use; first UINT32_MAX: none
    bool correct;
} Verify;

__attribute__((format(printf, 2, 3))) static void problem(Verify *verify, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    text_format(verify->problems, "%s\n", arena_format_list(verify->arena, format, arguments));
    va_end(arguments);
    verify->correct = false;
}

static void check_stores(Verify *verify) {
    const KernelList *list = verify->list;
    for (uint32_t k = 0; k < list->kernels.count; k++) {
        const Kernel *kernel = &list->kernels.items[k];
        if (!kernel->stores.count)
            problem(verify, "kernel %u stores nothing", k);
        for (uint32_t i = 0; i < kernel->stores.count; i++) {
            uint32_t id = kernel->stores.items[i].id;
            if (verify->writer[id])
                problem(verify, "%%%u is stored by kernels %u and %u", id, verify->writer[id] - 1, k);
            verify->writer[id] = k + 1;
            if (list->buffers[id].kind == BUFFER_NONE)
                problem(verify, "kernel %u stores %%%u, which has no buffer", k, id);
        }
    }
}

// The kernels that write what a load reads ran in an earlier wave.
static void check_load(Verify *verify, uint32_t k, Value value, bool planned) {
    const KernelList *list = verify->list;
    Value root = buffer_root(list, value);
    const Node *node = graph_node(list->graph, root);
    if (list->buffers[root.id].kind == BUFFER_NONE)
        problem(verify, "kernel %u loads %%%u, which has no buffer", k, value.id);
    if (node->op == OP_pack) {
        for (uint32_t i = 0; i < node->arg_count; i++)
            check_load(verify, k, node->args[i], planned);
        return;
    }
    bool given = node->op == OP_state || node->op == OP_feed || node->op == OP_table;
    uint32_t writer = verify->writer[root.id];
    if (!given && !writer)
        problem(verify, "kernel %u loads %%%u, which nothing stores", k, value.id);
    if (planned && writer && list->kernels.items[writer - 1].wave >= list->kernels.items[k].wave)
        problem(verify, "kernel %u in wave %u loads %%%u, stored in wave %u", k, list->kernels.items[k].wave, value.id, list->kernels.items[writer - 1].wave);
}

static void check_update(Verify *verify, const Output *output, uint32_t k, uint32_t load) {
    const KernelList *list = verify->list;
    const Kernel *kernel = &list->kernels.items[k];
    Value root = buffer_root(list, kernel->loads.items[load]);
    uint32_t writer = verify->writer[buffer_root(list, output->value).id];
    if (!writer--)
        return;
    Layout old = list->layouts[kernel->loads.items[load].id];
    bool whole = kernel->loads.items[load].id == root.id && layout_equal(&old, &list->layouts[output->value.id]);
    if (writer == k && !(kernel->in_place.items[load] && whole))
        problem(verify, "kernel %u reads state %s elsewhere than at the element that it overwrites", k, output->name);
    if (writer != k && list->kernels.items[writer].wave <= kernel->wave)
        problem(verify, "kernel %u in wave %u reads state %s, which kernel %u overwrites in wave %u", k, kernel->wave, output->name, writer, list->kernels.items[writer].wave);
}

static bool is_of_links(const Kernel *chain, uint32_t count, Value value) {
    for (uint32_t i = 0; i < count; i++)
        if (kernel_stores(&chain->links.items[i], value))
            return true;
    return false;
}

static bool loads(const Kernel *kernel, Value value) {
    for (uint32_t i = 0; i < kernel->loads.count; i++)
        if (kernel->loads.items[i].id == value.id)
            return true;
    return false;
}

// What a link stores is the chain's, cut into its slices; what it loads an earlier link has stored, or the chain loads it.
static void check_links(Verify *verify, uint32_t k) {
    const KernelList *list = verify->list;
    const Kernel *chain = &list->kernels.items[k];
    for (uint32_t l = 0; l < chain->links.count; l++) {
        const Kernel *link = &chain->links.items[l];
        for (uint32_t i = 0; i < link->stores.count; i++) {
            Value value = link->stores.items[i];
            int axis = kernel_slice_axis(list, value);
            if (!kernel_stores(chain, value))
                problem(verify, "kernel %u: link %u stores %%%u, the chain does not", k, l, value.id);
            if (chain->slices != 1 && (axis < 0 || list->layouts[value.id].dims[axis] != chain->slices))
                problem(verify, "kernel %u: %%%u is not cut into %llu slices", k, value.id, (unsigned long long)chain->slices);
        }
        for (uint32_t i = 0; i < link->loads.count; i++) {
            Value value = link->loads.items[i], root = buffer_root(list, value);
            if (kernel_stores(chain, root) ? !is_of_links(chain, l, root) : !loads(chain, value))
                problem(verify, "kernel %u: link %u loads %%%u, which no link before it stores and the chain does not load", k, l, value.id);
        }
    }
}

// A state's old value is read in no later wave than its new one is written; in the same wave only by the writer itself.
static void check_updates(Verify *verify) {
    const KernelList *list = verify->list;
    NameTable *updates = name_table_create(verify->arena); // the last output of a state; `more` are those before it
    uint32_t *more = ARENA_NEW(verify->arena, uint32_t, list->graph->outputs.count + 1);
    for (uint32_t o = list->graph->outputs.count; o-- > 0;) {
        const Output *output = &list->graph->outputs.items[o];
        uint32_t later = output->kind == OUTPUT_STATE ? name_table_find(updates, output->name) : UINT32_MAX;
        more[o] = UINT32_MAX;
        if (output->kind == OUTPUT_STATE && !name_table_add(updates, output->name, o)) {
            while (more[later] != UINT32_MAX)
                later = more[later];
            more[later] = o;
        }
    }
    for (uint32_t k = 0; k < list->kernels.count; k++)
        for (uint32_t i = 0; i < list->kernels.items[k].loads.count; i++) {
            Value root = buffer_root(list, list->kernels.items[k].loads.items[i]);
            const Node *node = graph_node(list->graph, root);
            if (node->op == OP_state)
                for (uint32_t o = name_table_find(updates, attr_of(node, ATTR_name)->text); o != UINT32_MAX; o = more[o])
                    check_update(verify, &list->graph->outputs.items[o], k, i);
        }
}

// The value whose memory `value` lies in, seen through aliases, unpacks and packs.
static uint32_t owner_of(const KernelList *list, Value value) {
    while (list->buffers[value.id].kind == BUFFER_PART)
        value.id = list->buffers[value.id].parent;
    return value.id;
}

static void live_at(Verify *verify, Value value, uint32_t wave) {
    uint32_t id = owner_of(verify->list, value);
    verify->first[id] = wave < verify->first[id] ? wave : verify->first[id];
    verify->last[id] = wave > verify->last[id] ? wave : verify->last[id];
}

// What lives at a wave, by offset. No two of them overlap, so that a new one is compared with its neighbours alone.
typedef struct {
    uint32_t *items;
    uint32_t count;
} Live;

static uint32_t place_in(const Verify *verify, const Live *live, uint64_t offset) {
    uint32_t low = 0, high = live->count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (verify->list->buffers[live->items[middle]].offset < offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool overlap(Verify *verify, uint32_t a, uint32_t b) {
    const Buffer *x = &verify->list->buffers[a], *y = &verify->list->buffers[b];
    bool both = x->offset < y->offset + y->size && y->offset < x->offset + x->size;
    if (both)
        problem(verify, "%%%u at %llu and %%%u at %llu overlap while both live", a, (unsigned long long)x->offset, b, (unsigned long long)y->offset);
    return both;
}

// One that overlaps is reported and left out, so that the others stay apart.
static void enter(Verify *verify, Live *live, uint32_t id) {
    uint32_t at = place_in(verify, live, verify->list->buffers[id].offset);
    if ((at > 0 && overlap(verify, live->items[at - 1], id)) || (at < live->count && overlap(verify, live->items[at], id)))
        return;
    memmove(&live->items[at + 1], &live->items[at], (live->count - at) * sizeof *live->items);
    live->items[at] = id;
    live->count++;
}

static void leave(const Verify *verify, Live *live, uint32_t id) {
    uint32_t at = place_in(verify, live, verify->list->buffers[id].offset);
    if (at == live->count || live->items[at] != id)
        return;
    live->count--;
    memmove(&live->items[at], &live->items[at + 1], (live->count - at) * sizeof *live->items);
}

typedef struct {
    uint32_t wave, id;
} Moment;

static int by_moment(const void *a, const void *b) {
    const Moment *x = a, *y = b;
    if (x->wave != y->wave)
        return x->wave < y->wave ? -1 : 1;
    return (x->id > y->id) - (x->id < y->id);
}

// From wave to wave: what ends before it leaves, what begins with it enters.
static void sweep(Verify *verify, const Value *used, uint32_t count) {
    Moment *begins = ARENA_NEW(verify->arena, Moment, count + 1), *ends = ARENA_NEW(verify->arena, Moment, count + 1);
    Live live = {.items = ARENA_NEW(verify->arena, uint32_t, count + 1)};
    for (uint32_t i = 0; i < count; i++) {
        begins[i] = (Moment){verify->first[used[i].id], used[i].id};
        ends[i] = (Moment){verify->last[used[i].id], used[i].id};
    }
    qsort(begins, count, sizeof *begins, by_moment);
    qsort(ends, count, sizeof *ends, by_moment);
    for (uint32_t i = 0, ended = 0; i < count; i++) {
        for (; ended < count && ends[ended].wave < begins[i].wave; ended++)
            leave(verify, &live, ends[ended].id);
        enter(verify, &live, begins[i].id);
    }
}

// Lifetimes are taken from the kernels, not from the plan.
static void check_overlaps(Verify *verify) {
    const KernelList *list = verify->list;
    verify->first = ARENA_NEW(verify->arena, uint32_t, list->graph->nodes.count);
    verify->last = ARENA_NEW(verify->arena, uint32_t, list->graph->nodes.count);
    memset(verify->first, 0xff, sizeof *verify->first * list->graph->nodes.count);
    for (uint32_t k = 0; k < list->kernels.count; k++) {
        const Kernel *kernel = &list->kernels.items[k];
        for (uint32_t i = 0; i < kernel->stores.count; i++)
            live_at(verify, kernel->stores.items[i], kernel->wave);
        for (uint32_t i = 0; i < kernel->loads.count; i++)
            live_at(verify, kernel->loads.items[i], kernel->wave);
    }
    Value *used = ARENA_NEW(verify->arena, Value, list->graph->nodes.count);
    uint32_t count = 0;
    for (uint32_t id = 1; id < list->graph->nodes.count; id++)
        if (list->buffers[id].kind == BUFFER_SCRATCH && verify->first[id] != UINT32_MAX)
            used[count++] = (Value){id};
    sweep(verify, used, count);
}

static void check_schedules(Verify *verify, const Target *target) {
    for (uint32_t k = 0; k < verify->list->kernels.count; k++) {
        const Kernel *kernel = &verify->list->kernels.items[k];
        const char *why;
        KernelView view = schedule_view(verify->list, kernel, kernel->root);
        if (kernel->schedule.family && !schedule_fits(&view, &kernel->schedule, target, &why))
            problem(verify, "kernel %u cannot be computed by %s: %s", k, schedule_text(verify->arena, &kernel->schedule), why);
    }
}

bool kernel_verify(const KernelList *list, const Target *target, bool planned, Text *problems) {
    Verify verify = {.list = list, .arena = arena_create(), .problems = problems, .correct = true};
    verify.writer = ARENA_NEW(verify.arena, uint32_t, list->graph->nodes.count);
    check_stores(&verify);
    for (uint32_t k = 0; k < list->kernels.count; k++)
        for (uint32_t i = 0; i < list->kernels.items[k].loads.count; i++)
            check_load(&verify, k, list->kernels.items[k].loads.items[i], planned);
    for (uint32_t k = 0; k < list->kernels.count; k++)
        check_links(&verify, k);
    check_schedules(&verify, target);
    if (planned) {
        check_updates(&verify);
        check_overlaps(&verify);
    }
    arena_destroy(&verify.arena);
    return verify.correct;
}
