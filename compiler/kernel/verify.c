// Verify: the planner never checks itself. Structure after fuse; lifetimes and order after plan, by plain loops.
#include "compiler/ir/op.h"
#include "compiler/kernel/kernel.h"

typedef struct {
    const KernelList *list;
    Text *problems;
    uint32_t *writer; // by value id: kernel index + 1
    uint32_t *first, *last; // by value id: waves in which its memory is in use; first UINT32_MAX: none
    bool correct;
} Verify;

__attribute__((format(printf, 2, 3))) static void problem(Verify *verify, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    text_format(verify->problems, "%s\n", arena_format_list(verify->list->arena, format, arguments));
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

// A state's old value is read in no later wave than its new one is written; in the same wave only by the writer itself.
static void check_updates(Verify *verify) {
    const KernelList *list = verify->list;
    for (uint32_t k = 0; k < list->kernels.count; k++)
        for (uint32_t i = 0; i < list->kernels.items[k].loads.count; i++) {
            Value root = buffer_root(list, list->kernels.items[k].loads.items[i]);
            if (graph_node(list->graph, root)->op != OP_state)
                continue;
            for (uint32_t o = 0; o < list->graph->outputs.count; o++) {
                const Output *output = &list->graph->outputs.items[o];
                Value written = output->kind == OUTPUT_STATE ? buffer_root(list, output->value) : (Value){0};
                if (!written.id || strcmp(output->name, graph_node(list->graph, root)->attrs[0].text) || !verify->writer[written.id])
                    continue;
                uint32_t writer = verify->writer[written.id] - 1;
                Layout old = list->layouts[list->kernels.items[k].loads.items[i].id];
                bool whole = list->kernels.items[k].loads.items[i].id == root.id && layout_equal(&old, &list->layouts[output->value.id]);
                if (writer == k && !(list->kernels.items[k].in_place.items[i] && whole))
                    problem(verify, "kernel %u reads state %s elsewhere than at the element that it overwrites", k, output->name);
                if (writer != k && list->kernels.items[writer].wave <= list->kernels.items[k].wave)
                    problem(verify, "kernel %u in wave %u reads state %s, which kernel %u overwrites in wave %u", k, list->kernels.items[k].wave, output->name, writer,
                            list->kernels.items[writer].wave);
            }
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

// Lifetimes are taken from the kernels, not from the plan.
static void check_overlaps(Verify *verify) {
    const KernelList *list = verify->list;
    verify->first = ARENA_NEW(list->arena, uint32_t, list->graph->nodes.count);
    verify->last = ARENA_NEW(list->arena, uint32_t, list->graph->nodes.count);
    memset(verify->first, 0xff, sizeof *verify->first * list->graph->nodes.count);
    for (uint32_t k = 0; k < list->kernels.count; k++) {
        const Kernel *kernel = &list->kernels.items[k];
        for (uint32_t i = 0; i < kernel->stores.count; i++)
            live_at(verify, kernel->stores.items[i], kernel->wave);
        for (uint32_t i = 0; i < kernel->loads.count; i++)
            live_at(verify, kernel->loads.items[i], kernel->wave);
    }
    for (uint32_t a = 1; a < list->graph->nodes.count; a++) {
        const Buffer *x = &list->buffers[a];
        if (x->kind != BUFFER_SCRATCH || verify->first[a] == UINT32_MAX)
            continue;
        for (uint32_t b = a + 1; b < list->graph->nodes.count; b++) {
            const Buffer *y = &list->buffers[b];
            if (y->kind != BUFFER_SCRATCH || verify->first[b] == UINT32_MAX)
                continue;
            bool together = verify->first[a] <= verify->last[b] && verify->first[b] <= verify->last[a];
            if (together && x->offset < y->offset + y->size && y->offset < x->offset + x->size)
                problem(verify, "%%%u at %llu and %%%u at %llu overlap while both live", a, (unsigned long long)x->offset, b, (unsigned long long)y->offset);
        }
    }
}

bool kernel_verify(const KernelList *list, bool planned, Text *problems) {
    Verify verify = {.list = list, .problems = problems, .correct = true, .writer = ARENA_NEW(list->arena, uint32_t, list->graph->nodes.count)};
    check_stores(&verify);
    for (uint32_t k = 0; k < list->kernels.count; k++)
        for (uint32_t i = 0; i < list->kernels.items[k].loads.count; i++)
            check_load(&verify, k, list->kernels.items[k].loads.items[i], planned);
    if (planned) {
        check_updates(&verify);
        check_overlaps(&verify);
    }
    return verify.correct;
}
