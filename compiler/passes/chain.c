// Chain: a kernel joins that of whose results it needs no more than the slice that it computes itself. What they compute stays what it is; a
// workgroup does it for its slice alone, and need not wait for the others.
#include "compiler/passes/passes.h"
#include "compiler/passes/transfer.h"
#include "compiler/schedules/fold.h"
#include "compiler/schedules/links.h"
#include <math.h>

typedef struct {
    KernelList *list;
    const PassContext *context;
    EmitTables *tables;
    uint32_t *writer;     // by value id: the kernel that stores it, once, + 1
    uint32_t *host;       // by kernel: which it has joined; itself: none
    KernelIndices *needs; // by kernel: those whose stores it loads
    bool *refused;        // by value id: the kernel of this root joins no other
    uint32_t *sharing;    // by value id: see count_sharing, of the kernel of this root
    uint32_t *seen, turn; // by kernel, for walks: in which turn it was last seen
    KernelIndices waiting;
    bool has_record;      // which chains there are it says, and no estimate
    Arena *arena;
} Chains;

static uint32_t host_of(const Chains *chains, uint32_t kernel) {
    while (chains->host[kernel] != kernel)
        kernel = chains->host[kernel];
    return kernel;
}

static Kernel *kernel_at(const Chains *chains, uint32_t kernel) { return &chains->list->kernels.items[kernel]; }

// ---- what can be a link

static bool is_plain(const KernelList *list, Value value) {
    const Buffer *buffer = &list->buffers[value.id];
    return (buffer->kind == BUFFER_SCRATCH || buffer->kind == BUFFER_RESULT) && !graph_type(list->graph, value).set;
}

// By the estimate, so that what was measured of it elsewhere does not decide what it is part of.
static bool can_be_link(const Chains *chains, const Kernel *kernel) {
    const KernelList *list = chains->list;
    Transfer transfer;
    Schedule best;
    if (kernel->kernel_class == KERNEL_CONTRACT || kernel->is_given || transfer_of(list, kernel, &transfer))
        return false;
    for (uint32_t i = 0; i < kernel->stores.count; i++)
        if (!is_plain(list, kernel->stores.items[i]))
            return false;
    for (uint32_t i = 0; i < kernel->loads.count; i++)
        if (graph_type(list->graph, kernel->loads.items[i]).set)
            return false;
    KernelView view = schedule_view(list, kernel, kernel->root);
    if (kernel->kernel_class != KERNEL_MAP)
        return true;
    for (uint32_t i = 1; i < kernel->stores.count; i++)
        if (!layout_equal(&list->layouts[kernel->stores.items[0].id], &list->layouts[kernel->stores.items[i].id]))
            return false;
    return schedule_choose(&view, chains->context->target, &best) && best.family == &elements_family;
}

// Into how many slices the kernel's stores can be cut; 1: no way.
static uint64_t slices_of(const KernelList *list, const Kernel *kernel) {
    uint64_t slices = 0;
    for (uint32_t i = 0; i < kernel->stores.count; i++) {
        int axis = kernel_slice_axis(list, kernel->stores.items[i]);
        uint64_t extent = axis < 0 ? 1 : list->layouts[kernel->stores.items[i].id].dims[axis];
        slices = slices && extent != slices ? 1 : extent;
    }
    return slices;
}

// ---- cost, in multiply-adds: what was measured of a device decides nothing

static double cost_of(const Work *work, const DeviceModel *model) { return model_seconds(work, model) * model->multiply_adds; }

// Lanes are idle where there are fewer than keep a device busy, or more than slices that divide among its cores.
static double idle_factor(const Kernel *chain, const DeviceModel *model, double lanes) {
    double slices = (double)chain->slices, turns = ceil(slices / model->cores);
    return fmax(turns * model->cores / slices, model->full_results / (slices * lanes));
}

// A reduction's turns follow each other in any case, a map's only where they fill a core.
static double link_cost(const Chains *chains, const Kernel *chain, uint32_t number) {
    const DeviceModel *model = &chains->context->target->model;
    Kernel link = chain_link(chain, number);
    KernelView view = schedule_view(chains->list, &link, link.root);
    double lanes = schedule_lanes(&chain->schedule), turns = ceil((double)chain_invocations(chains->list, &link) / (double)chain->slices / lanes), own = 0;
    for (uint32_t i = 0; i < link.loads.count; i++)
        own += kernel_stores(chain, buffer_base(chains->list, link.loads.items[i]));
    Work work = link.schedule.family->work(&view, &link.schedule);
    if (work.texel_loads > 0)
        work.texel_loads -= own, work.storage_loads += own;
    if (link.kernel_class == KERNEL_REDUCE) {
        work.at_once = model->full_results * turns * ceil((double)chain->slices / model->cores);
        return cost_of(&work, model);
    }
    work.groups = (double)chain->slices * turns;
    return cost_of(&work, model) * idle_factor(chain, model, lanes);
}

// One that others would join has its share of a dispatch.
static double kernel_cost(const Chains *chains, const Kernel *kernel) {
    const DeviceModel *model = &chains->context->target->model;
    double cost = kernel->links.count ? model->dispatch_work : model->dispatch_work / chains->sharing[kernel->root.id];
    for (uint32_t i = 0; i < kernel->links.count; i++)
        cost += link_cost(chains, kernel, i);
    if (kernel->links.count)
        return cost;
    KernelView view = schedule_view(chains->list, kernel, kernel->root);
    Schedule best = kernel->schedule;
    schedule_choose(&view, chains->context->target, &best);
    Work work = best.family->work(&view, &best);
    return cost + cost_of(&work, model);
}

// Needs waves. How many kernels share a dispatch with each, itself included.
static void count_sharing(Chains *chains) {
    const KernelList *list = chains->list;
    uint32_t *count = ARENA_NEW(chains->arena, uint32_t, KERNEL_CLASS_COUNT * (list->kernels.count + 1));
    chains->sharing = ARENA_NEW(chains->arena, uint32_t, list->graph->nodes.count);
    for (int stage = 0; stage < 2; stage++)
        for (uint32_t k = 0; k < list->kernels.count; k++) {
            const Kernel *kernel = &list->kernels.items[k];
            uint32_t *its = &count[KERNEL_CLASS_COUNT * kernel->wave + (uint32_t)kernel->kernel_class];
            bool shares = join_may(list, kernel, chains->context);
            if (stage == 0)
                *its += shares;
            else
                chains->sharing[kernel->root.id] = shares ? *its : 1;
        }
}

// ---- two kernels as one

static void add_loads(const KernelList *list, Kernel *into, const Kernel *from) {
    for (uint32_t i = 0; i < from->loads.count; i++) {
        Value value = from->loads.items[i];
        uint32_t at = 0;
        while (at < into->loads.count && into->loads.items[at].id != value.id)
            at++;
        if (at < into->loads.count) {
            into->in_place.items[at] = false;
        } else if (!kernel_stores(into, buffer_root(list, value))) {
            array_push(list->arena, &into->loads, value);
            array_push(list->arena, &into->in_place, false);
        }
    }
}

static void add_link(const KernelList *list, Kernel *chain, const Kernel *link) {
    array_push(list->arena, &chain->links, *link);
    add_loads(list, chain, link);
    for (uint32_t i = 0; i < link->stores.count; i++)
        array_push(list->arena, &chain->stores, link->stores.items[i]);
    for (uint32_t i = 0; i < link->roots.count; i++)
        array_push(list->arena, &chain->roots, link->roots.items[i]);
}

static bool binds_too_much(const KernelList *list, const Target *target, const Kernel *kernel) {
    uint32_t storage = kernel->stores.count + 1, texel = 0; // one: perhaps the numbers
    for (uint32_t i = 0; i < kernel->loads.count; i++)
        *(kernel_reads_texels(list, kernel, target, kernel->loads.items[i]) ? &texel : &storage) += 1;
    return storage > target->storage_bindings_max || texel > target->texel_bindings_max || storage + texel > target->bindings_max;
}

static bool computes_too_much(const Chains *chains, const Kernel *kernel) {
    KernelIndices values = {0};
    kernel_values(chains->arena, chains->list, kernel, chains->tables->seen, &values);
    return values.count > KERNEL_VALUES_MAX;
}

// What links leave for each other is not rounded to another type on the way, which a check of the whole chain could not follow.
static bool hands_over_plainly(const KernelList *list, const Kernel *first, const Kernel *second) {
    for (uint32_t i = 0; i < second->loads.count; i++) {
        Value value = buffer_root(list, second->loads.items[i]);
        if (kernel_stores(first, value) && list->buffers[value.id].element != dtype_element(graph_type(list->graph, value).dtype))
            return false;
    }
    return true;
}

// Family NULL: they cannot be one kernel, or better are not.
static Kernel chained(const Chains *chains, const Kernel *first, const Kernel *second, uint64_t slices) {
    const KernelList *list = chains->list;
    const Target *target = chains->context->target;
    Kernel chain = {.kernel_class = KERNEL_CHAIN, .root = first->root, .slices = slices};
    for (uint32_t i = 0; i < first->links.count; i++)
        add_link(list, &chain, &first->links.items[i]);
    if (!first->links.count)
        add_link(list, &chain, first);
    add_link(list, &chain, second);
    KernelView view = schedule_view(list, &chain, chain.root);
    Schedule schedule = {0};
    for (uint32_t i = 0; i < chain_family.candidate_count && !schedule.family; i++)
        if (!schedule_settle(&view, target, &chain_family, &chain_family.candidates[i], &schedule))
            schedule.family = NULL;
    chain.schedule = schedule;
    if (!schedule.family || binds_too_much(list, target, &chain) || !hands_over_plainly(list, first, second) || computes_too_much(chains, &chain) ||
        (!chains->has_record && kernel_cost(chains, &chain) > kernel_cost(chains, first) + kernel_cost(chains, second)) || !chain_is_local(chains->arena, chains->tables, list, &chain, target))
        chain.schedule.family = NULL;
    return chain;
}

// ---- which

// Whether `from` needs what `kernel` stores by way of others.
static bool needs_otherwise(Chains *chains, uint32_t from, uint32_t kernel) {
    KernelIndices *waiting = &chains->waiting;
    chains->turn++;
    waiting->count = 0;
    array_push(chains->arena, waiting, from);
    while (waiting->count) {
        uint32_t at = waiting->items[--waiting->count];
        for (uint32_t i = 0; i < chains->needs[at].count; i++) {
            uint32_t next = host_of(chains, chains->needs[at].items[i]);
            if (next == kernel && at != from)
                return true;
            if (next == kernel || next == at || chains->seen[next] == chains->turn)
                continue;
            chains->seen[next] = chains->turn;
            array_push(chains->arena, waiting, next);
        }
    }
    return false;
}

// The step of which the record says that it is a chain and stores what the kernel stores.
static const Step *recorded_chain(const Chains *chains, const Kernel *kernel) {
    for (uint32_t i = 0; i < chains->context->given_count; i++) {
        const GivenSchedule *given = &chains->context->given[i];
        for (uint32_t v = 0; given->step && schedule_is_chain(given) && v < given->step->value_count; v++)
            if (given->step->values[v] == kernel->stores.items[0].id)
                return given->step;
    }
    return NULL;
}

// By as many slices as can be, or by one.
static Kernel choose_chain(const Chains *chains, const Kernel *a, const Kernel *b) {
    const Step *step = chains->has_record ? recorded_chain(chains, a) : NULL;
    uint64_t slices = a->links.count ? a->slices : slices_of(chains->list, a);
    if (chains->has_record)
        return step && recorded_chain(chains, b) == step ? chained(chains, a, b, step->groups[0] == 1 ? 1 : slices) : (Kernel){0};
    Kernel chain = {0};
    if (slices > 1 && slices_of(chains->list, b) == slices)
        chain = chained(chains, a, b, slices);
    return chain.schedule.family || (slices != 1 && a->links.count) ? chain : chained(chains, a, b, 1);
}

static bool try_chain(Chains *chains, uint32_t first, uint32_t second) {
    KernelList *list = chains->list;
    Kernel *a = kernel_at(chains, first), *b = kernel_at(chains, second);
    Kernel chain = choose_chain(chains, a, b);
    if (!chain.schedule.family)
        return false;
    chain.reason = arena_format(list->arena, "%u kernels follow each other on %llu slice%s", chain.links.count, (unsigned long long)chain.slices, chain.slices == 1 ? "" : "s of their own");
    array_push(list->arena, &list->decisions, arena_format(list->arena, "%%%u joins the chain of %%%u: it needs nothing of other slices", b->root.id, a->root.id));
    for (uint32_t i = 0; i < chains->needs[first].count; i++)
        array_push(chains->arena, &chains->needs[second], chains->needs[first].items[i]);
    chains->host[first] = second;
    *b = chain;
    return true;
}

static void find_needs(Chains *chains, uint32_t kernel) {
    const Kernel *own = kernel_at(chains, kernel);
    for (uint32_t i = 0; i < own->loads.count; i++)
        buffer_writers(chains->arena, chains->list, chains->writer, own->loads.items[i], &chains->needs[kernel]);
}

static void chain_all(Chains *chains) {
    KernelList *list = chains->list;
    uint32_t count = list->kernels.count, kept = 0;
    bool *can = ARENA_NEW(chains->arena, bool, count + 1);
    chains->needs = ARENA_NEW(chains->arena, KernelIndices, count + 1);
    for (uint32_t k = 0; k < count; k++) {
        chains->host[k] = k;
        find_needs(chains, k);
    }
    for (uint32_t k = 0; k < count; k++) {
        can[k] = can_be_link(chains, kernel_at(chains, k)) && !chains->refused[kernel_at(chains, k)->root.id];
        for (uint32_t i = 0; can[k] && i < chains->needs[k].count; i++) {
            uint32_t first = host_of(chains, chains->needs[k].items[i]);
            if (first != k && can[first] && !needs_otherwise(chains, k, first) && try_chain(chains, first, k))
                break; // its needs are others now; it is a link, and takes no second chain
        }
    }
    for (uint32_t k = 0; k < count; k++)
        if (chains->host[k] == k)
            list->kernels.items[kept++] = list->kernels.items[k];
    list->kernels.count = kept;
}

// Bytes of its results that are in memory in the wave.
static uint64_t live_bytes(const Chains *chains, const Kernel *kernel, uint32_t wave) {
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < kernel->stores.count && kernel->kernel_class == KERNEL_CHAIN && kernel->wave <= wave; i++) {
        const Buffer *buffer = &chains->list->buffers[kernel->stores.items[i].id];
        bytes += buffer->last_wave >= wave ? buffer->size : 0;
    }
    return bytes;
}

// Gives up the last link of the chain that has most in memory in the wave, or those of all.
static void refuse(Chains *chains, uint32_t wave, bool all) {
    const Kernel *most = NULL;
    uint64_t bytes = 0;
    for (uint32_t k = 0; k < chains->list->kernels.count; k++) {
        const Kernel *kernel = kernel_at(chains, k);
        if (all && kernel->kernel_class == KERNEL_CHAIN)
            chains->refused[kernel->links.items[kernel->links.count - 1].root.id] = true;
        if (live_bytes(chains, kernel, wave) > bytes)
            most = kernel, bytes = live_bytes(chains, kernel, wave);
    }
    if (most)
        chains->refused[most->links.items[most->links.count - 1].root.id] = true;
}

enum { REFUSALS_MAX = 16 }; // one by one

static void chain_in(Chains *chains) {
    KernelList *list = chains->list;
    uint32_t count = list->kernels.count, decided = list->decisions.count, wave;
    Kernel *plain = ARENA_NEW(chains->arena, Kernel, count + 1);
    memcpy(plain, list->kernels.items, count * sizeof *plain);
    uint64_t before = plan_peak(list, chains->context, &wave);
    count_sharing(chains);
    for (uint32_t refusals = 0;; refusals++) {
        chain_all(chains);
        if (chains->has_record || list->kernels.count == count || plan_peak(list, chains->context, &wave) <= before)
            return;
        refuse(chains, wave, refusals >= REFUSALS_MAX || wave == 0);
        memcpy(list->kernels.items, plain, count * sizeof *plain);
        list->kernels.count = count, list->decisions.count = decided;
    }
}

static Kernel *chain_of(const KernelList *list, uint32_t root) {
    for (uint32_t k = 0; k < list->kernels.count; k++)
        if (list->kernels.items[k].kernel_class == KERNEL_CHAIN && list->kernels.items[k].root.id == root)
            return &list->kernels.items[k];
    return NULL;
}

// False: the user asked for what cannot be, which is reported.
static bool give_chains(KernelList *list, const PassContext *context, const char *where, Diag *diag) {
    bool good = true;
    for (uint32_t i = 0; i < context->given_count; i++) {
        const GivenSchedule *given = &context->given[i];
        Kernel *chain = chain_of(list, given->root);
        if (chain)
            good &= schedule_give(list, chain, context, where, diag);
        else if (given->option && schedule_is_chain(given)) {
            diag_error(diag, NULL, "--schedule %s: %s: %%%u begins no chain; without --schedule, `gcc-graph inspect BUNDLE` shows which do", given->option, where, given->root);
            good = false;
        }
    }
    return good;
}

static void find_chains(KernelList *list, const PassContext *context) {
    Arena *arena = arena_create();
    uint32_t count = list->kernels.count;
    Chains chains = {.list = list, .context = context, .tables = emit_tables(arena, list), .writer = kernel_writers(arena, list), .arena = arena};
    chains.host = ARENA_NEW(arena, uint32_t, count + 1), chains.seen = ARENA_NEW(arena, uint32_t, count + 1);
    chains.refused = ARENA_NEW(arena, bool, list->graph->nodes.count);
    for (uint32_t i = 0; i < context->given_count; i++)
        chains.has_record |= context->given[i].option == NULL;
    chain_in(&chains);
    arena_destroy(&arena);
}

bool chain_kernels(KernelList *list, const PassContext *context, const char *where, Diag *diag) {
    if (!context->no_fuse && !context->no_chain && !context->reference_schedule)
        find_chains(list, context);
    return give_chains(list, context, where, diag);
}
