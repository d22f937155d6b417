// Join: small maps of one wave become one kernel, and so do reductions that are no longer than what waiting for a dispatch is worth. What they compute stays
// what it is, each shape in workgroups of its own; a dispatch is saved.
#include "compiler/passes/passes.h"
#include "compiler/schedules/families.h"
#include "compiler/schedules/fold.h"

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

// The schedule by which a map can share a dispatch: family NULL: none.
static Schedule elements_schedule(const Kernel *kernel) {
    if (kernel->schedule.family == &elements_family)
        return kernel->schedule;
    return kernel->runner_up.family == &elements_family ? kernel->runner_up : (Schedule){0};
}

// Its time is about that of its dispatch. Maps of sets may run in windows, for which they stand alone.
static bool is_small_map(const KernelList *list, const Kernel *kernel, double small) {
    if (!elements_schedule(kernel).family)
        return false;
    for (uint32_t i = 0; i < kernel->stores.count; i++)
        if (graph_type(list->graph, kernel->stores.items[i]).set || (double)layout_count(&list->layouts[kernel->stores.items[i].id]) > small)
            return false;
    return true;
}

// The schedule by which a reduction can share a dispatch, where that costs it little: family NULL: none.
static Schedule shared_schedule(const KernelList *list, const Kernel *kernel, const DeviceModel *model) {
    KernelView view = schedule_view(list, kernel, kernel->root);
    Value folded = graph_node(list->graph, kernel->root)->args[0];
    bool is_long = (double)layout_count(&list->layouts[folded.id]) > model->joined_elements || graph_type(list->graph, folded).set;
    if (!is_long && kernel->schedule.family == &fold_family)
        return kernel->schedule;
    if (!is_long && kernel->runner_up.family == &fold_family && fold_turns(&view) <= model->joined_turns)
        return kernel->runner_up;
    return (Schedule){0};
}

static bool is_small(const KernelList *list, const Kernel *kernel, const DeviceModel *model) {
    if (kernel->kernel_class == KERNEL_MAP)
        return is_small_map(list, kernel, model->small_elements);
    bool is_shared = kernel->kernel_class == KERNEL_REDUCE && shared_schedule(list, kernel, model).family;
    return is_shared && (!kernel->is_given || kernel->schedule.family == &fold_family);
}

bool join_may(const KernelList *list, const Kernel *kernel, const PassContext *context) { return is_small(list, kernel, &context->target->model); }

bool join_may_wait(const KernelList *list, const Kernel *kernel, const PassContext *context) {
    const DeviceModel *model = &context->target->model;
    double elements = 0;
    for (uint32_t i = 0; i < kernel->loads.count; i++)
        elements += (double)layout_count(&list->layouts[kernel->loads.items[i].id]);
    return kernel->kernel_class == KERNEL_REDUCE && elements <= model->small_elements && shared_schedule(list, kernel, model).family;
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

// Reductions keep their order; every part has stores and roots of its own.
static void add_part(const KernelList *list, Kernel *into, const Kernel *from) {
    if (!into->parts.count)
        array_push(list->arena, &into->parts, ((KernelPart){into->roots.count, into->stores.count}));
    for (uint32_t i = 0; i < from->roots.count; i++)
        array_push(list->arena, &into->roots, from->roots.items[i]);
    for (uint32_t i = 0; i < from->stores.count; i++)
        array_push(list->arena, &into->stores, from->stores.items[i]);
    array_push(list->arena, &into->parts, ((KernelPart){into->roots.count, into->stores.count}));
}

static void join(KernelList *list, Kernel *into, const Kernel *from, const DeviceModel *model) {
    const char *reason = arena_format(list->arena, "%%%u is small too, and of the same wave", from->root.id);
    into->work = NULL; // it does several
    if (into->kernel_class == KERNEL_REDUCE) {
        into->schedule = shared_schedule(list, into, model);
        into->runner_up.family = NULL;
        add_part(list, into, from);
    }
    if (into->kernel_class == KERNEL_MAP)
        into->schedule = elements_schedule(into);
    for (uint32_t i = 0; i < from->stores.count && into->kernel_class == KERNEL_MAP; i++)
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

// A bundle records a schedule for each of its kernels, and is built again by them: one that stood alone has one of its own then, and joins none; others join
// it as they did.
static bool can_join(const KernelList *list, const Target *target, const Kernel *into, const Kernel *from) {
    if (into->kernel_class != from->kernel_class || binds_too_much(list, target, into, from))
        return false;
    if (into->kernel_class == KERNEL_MAP)
        return true;
    if (from->is_given)
        return false;
    Schedule a = shared_schedule(list, into, &target->model), b = shared_schedule(list, from, &target->model);
    return schedule_equal(&a, &b);
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
    const DeviceModel *model = &context->target->model;
    uint32_t *open = ARENA_NEW(scratch, uint32_t, list->kernels.count + 1); // small ones of this wave that are not full
    for (uint32_t k = 0; k < list->kernels.count; k++) {
        Kernel *kernel = &list->kernels.items[k];
        bool fits = false;
        if (kept == 0 || list->kernels.items[kept - 1].wave != kernel->wave)
            open_count = 0;
        if (!is_small(list, kernel, model)) {
            list->kernels.items[kept++] = *kernel;
            continue;
        }
        for (uint32_t o = 0; o < open_count && !fits; o++) {
            Kernel *host = &list->kernels.items[open[o]];
            fits = can_join(list, context->target, host, kernel);
            if (fits)
                join(list, host, kernel, model);
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
