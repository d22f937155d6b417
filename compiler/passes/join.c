// Join: small maps of one wave become one kernel. What they compute stays what it is, each shape in workgroups of its own; a dispatch is saved.
#include "compiler/passes/passes.h"

// Where a kernel's loads have the value; their count where they do not.
static uint32_t find_load(const Kernel *kernel, Value value) {
    uint32_t at = 0;
    while (at < kernel->loads.count && kernel->loads.items[at].id != value.id)
        at++;
    return at;
}

static bool binds_too_much(const KernelList *list, const Target *target, const Kernel *a, const Kernel *b) {
    uint32_t storage = a->stores.count + b->stores.count + 1, texel = 0; // one: perhaps the numbers
    for (uint32_t i = 0; i < a->loads.count; i++)
        *(kernel_reads_texels(list, a, target, a->loads.items[i]) ? &texel : &storage) += 1;
    for (uint32_t i = 0; i < b->loads.count; i++)
        if (find_load(a, b->loads.items[i]) == a->loads.count)
            *(kernel_reads_texels(list, b, target, b->loads.items[i]) ? &texel : &storage) += 1;
    return storage > target->storage_bindings_max || texel > target->texel_bindings_max || storage + texel > target->bindings_max;
}

// Its time is about that of its dispatch. Maps of sets may run in windows, for which they stand alone.
static bool is_small(const KernelList *list, const Kernel *kernel, double small) {
    if (kernel->kernel_class != KERNEL_MAP)
        return false;
    for (uint32_t i = 0; i < kernel->stores.count; i++)
        if (graph_type(list->graph, kernel->stores.items[i]).set || (double)layout_count(&list->layouts[kernel->stores.items[i].id]) > small)
            return false;
    return true;
}

// After the stores of the same shape and layout, if there are any.
static void add_store(const KernelList *list, Kernel *kernel, Value value) {
    array_push(list->arena, &kernel->stores, value);
    uint32_t at = kernel->stores.count - 1;
    while (at > 0 && !layout_equal(&list->layouts[kernel->stores.items[at - 1].id], &list->layouts[value.id]))
        at--;
    if (at == 0)
        return;
    for (uint32_t i = kernel->stores.count - 1; i > at; i--)
        kernel->stores.items[i] = kernel->stores.items[i - 1];
    kernel->stores.items[at] = value;
}

static void join(KernelList *list, Kernel *into, const Kernel *from) {
    const char *reason = arena_format(list->arena, "%%%u is small too, and of the same wave", from->root.id);
    for (uint32_t i = 0; i < from->stores.count; i++)
        add_store(list, into, from->stores.items[i]);
    for (uint32_t i = 0; i < from->loads.count; i++) {
        uint32_t at = find_load(into, from->loads.items[i]);
        if (at < into->loads.count) {
            into->in_place.items[at] &= from->in_place.items[i];
            continue;
        }
        array_push(list->arena, &into->loads, from->loads.items[i]);
        array_push(list->arena, &into->in_place, from->in_place.items[i]);
    }
    const char *both = from->reason ? arena_format(list->arena, "%s; %s", reason, from->reason) : reason;
    into->reason = into->reason ? arena_format(list->arena, "%s; %s", into->reason, both) : both;
    array_push(list->arena, &list->decisions, arena_format(list->arena, "%%%u joins kernel of %%%u: %s", from->root.id, into->root.id, reason));
}

// No kernel that stores something can join it.
static bool is_full(const KernelList *list, const Target *target, const Kernel *kernel) {
    Kernel one = {.stores.count = 1};
    return binds_too_much(list, target, kernel, &one);
}

void join_kernels(KernelList *list, const PassContext *context) {
    if (context->no_fuse)
        return;
    Arena *scratch = arena_create();
    uint32_t kept = 0, open_count = 0;
    double small = context->target->model.small_elements;
    uint32_t *open = ARENA_NEW(scratch, uint32_t, list->kernels.count + 1); // small ones of this wave that are not full
    for (uint32_t k = 0; k < list->kernels.count; k++) {
        Kernel *kernel = &list->kernels.items[k];
        bool fits = false;
        if (kept == 0 || list->kernels.items[kept - 1].wave != kernel->wave)
            open_count = 0;
        if (!is_small(list, kernel, small)) {
            list->kernels.items[kept++] = *kernel;
            continue;
        }
        for (uint32_t o = 0; o < open_count && !fits; o++) {
            Kernel *host = &list->kernels.items[open[o]];
            fits = !binds_too_much(list, context->target, host, kernel);
            if (fits)
                join(list, host, kernel);
            if (fits && is_full(list, context->target, host)) {
                memmove(&open[o], &open[o + 1], (open_count - o - 1) * sizeof *open);
                open_count--;
            }
        }
        if (fits)
            continue;
        list->kernels.items[kept++] = *kernel;
        if (!is_full(list, context->target, &list->kernels.items[kept - 1]))
            open[open_count++] = kept - 1;
    }
    list->kernels.count = kept;
    arena_destroy(&scratch);
}
