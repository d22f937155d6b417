// Needs: layouts. Gives: kernels - which values are stored, and which share a shader. Keeps: the graph.
// A value is stored where it must be (sums, parts, outputs, operands that are not computed) or where several kernels would repeat more work than a store and loads cost.
// Stored values then join the kernel that makes their latest input, when they need it only at the element that it has in hand, or a sibling.
#include "compiler/kernel/alias.h"
#include "compiler/passes/fuse_parts.h"
#include "compiler/passes/passes.h"

bool fuse_is_alias(const Fuse *fuse, uint32_t id) { return alias_node(node_at(fuse, id), (Value){id}, fuse->list->layouts); }

// ---- kernels

bool fuse_has_buffer(const Fuse *fuse, uint32_t id) { return fuse->stored[id] || is_given(node_at(fuse, id)) || node_at(fuse, id)->op == OP_pack; }

// The stored or given value behind aliases and parts.
static uint32_t base_of(const Fuse *fuse, uint32_t id) {
    while (!fuse_has_buffer(fuse, id) && fuse_is_alias(fuse, id))
        id = node_at(fuse, id)->args[0].id;
    return id;
}

// moments are read through a slice of their first axis and a reshape that drops it: still the element in hand.
static bool picks_moment(const Fuse *fuse, const Node *node) {
    if (node->op != OP_reshape || node_at(fuse, node->args[0].id)->op != OP_slice)
        return false;
    const Node *slice = node_at(fuse, node->args[0].id), *moments = node_at(fuse, slice->args[0].id);
    if (moments->op != OP_moments || slice->type.dims[0] != 1 || node->type.rank + 1 != moments->type.rank)
        return false;
    for (uint32_t axis = 0; axis < node->type.rank; axis++)
        if (node->type.dims[axis] != moments->type.dims[axis + 1])
            return false;
    return true;
}

static void find_leaves(Fuse *fuse, uint32_t id, bool in_place, bool is_top, Leaves *leaves) {
    const Node *node = node_at(fuse, id);
    if (!fuse_visit(fuse, id, in_place ? 1 : 2) && !is_top)
        return;
    if (!is_top && (fuse_has_buffer(fuse, id) || node->op == OP_unpack)) {
        array_push(fuse->list->arena, leaves, ((Leaf){{id}, in_place}));
        return;
    }
    if (picks_moment(fuse, node)) {
        find_leaves(fuse, node_at(fuse, node->args[0].id)->args[0].id, in_place, false, leaves);
        return;
    }
    bool keeps = class_at(fuse, id) == CLASS_MAP;
    if (node->op == OP_materialise)
        keeps = layout_equal(&fuse->list->layouts[id], &fuse->list->layouts[node->args[0].id]);
    for (uint32_t i = 0; i < node->arg_count; i++)
        find_leaves(fuse, node->args[i].id, in_place && keeps, false, leaves);
}

static uint32_t producer_of(const Fuse *fuse, uint32_t id) {
    const Node *node = node_at(fuse, id);
    if (node->op == OP_unpack || (fuse_is_alias(fuse, id) && !fuse_has_buffer(fuse, id)))
        return producer_of(fuse, node->args[0].id);
    return fuse->kernel_of[id];
}

// The level of the latest kernel that makes a leaf (0: none), seen through packs.
static uint32_t level_of(const Fuse *fuse, uint32_t id) {
    uint32_t base = id;
    while (node_at(fuse, base)->op == OP_unpack || (fuse_is_alias(fuse, base) && !fuse_has_buffer(fuse, base)))
        base = node_at(fuse, base)->args[0].id;
    const Node *node = node_at(fuse, base);
    if (node->op == OP_pack) {
        uint32_t level = 0;
        for (uint32_t i = 0; i < node->arg_count; i++) {
            uint32_t part = level_of(fuse, node->args[i].id);
            level = part > level ? part : level;
        }
        return level;
    }
    return fuse->kernel_of[base] ? fuse->levels.items[fuse->kernel_of[base] - 1] : 0;
}

// The shape and layout that a kernel's stores have in common.
static Layout space_of(const Fuse *fuse, Value value) {
    const Layout *layout = &fuse->list->layouts[value.id];
    if (node_at(fuse, value.id)->op != OP_moments)
        return *layout;
    uint8_t order[LAYOUT_RANK_MAX];
    for (uint32_t i = 1; i < layout->rank; i++)
        order[i - 1] = (uint8_t)(layout->order[i] - 1);
    return layout_make(layout->rank - 1u, layout->dims + 1, order);
}

static bool is_loaded(const Leaves *leaves, Value value) {
    for (uint32_t i = 0; i < leaves->count; i++)
        if (leaves->items[i].value.id == value.id)
            return true;
    return false;
}

// Adds what is not there; a value that is needed elsewhere too is not in place.
static void add_leaves(Fuse *fuse, uint32_t kernel, const Leaves *more) {
    Leaves *have = &fuse->leaves.items[kernel];
    for (uint32_t i = 0; i < more->count; i++) {
        Leaf leaf = more->items[i];
        if (producer_of(fuse, leaf.value.id) == kernel + 1)
            continue;
        bool found = false;
        for (uint32_t j = 0; j < have->count; j++)
            if (have->items[j].value.id == leaf.value.id) {
                have->items[j].in_place &= leaf.in_place;
                found = true;
            }
        if (!found)
            array_push(fuse->list->arena, have, leaf);
    }
}

static uint32_t bindings_with(const Fuse *fuse, uint32_t kernel, const Leaves *more) {
    const Kernel *k = &fuse->list->kernels.items[kernel];
    const Leaves *have = &fuse->leaves.items[kernel];
    uint32_t count = k->stores.count + 2 + have->count; // one more store, and perhaps the numbers
    for (uint32_t i = 0; i < more->count; i++)
        count += !is_loaded(have, more->items[i].value);
    return count;
}

// For one more store and what it needs.
static bool has_room(const Fuse *fuse, uint32_t kernel, uint32_t id, const Leaves *leaves) {
    return bindings_with(fuse, kernel, leaves) <= kernel_bindings_max(fuse->context->target) && fuse->kernel_sizes.items[kernel] + fuse->sizes[id] <= KERNEL_VALUES_MAX;
}

static void join(Fuse *fuse, uint32_t kernel, uint32_t id, const Leaves *leaves, const char *reason) {
    Kernel *k = &fuse->list->kernels.items[kernel];
    array_push(fuse->list->arena, &k->stores, ((Value){id}));
    fuse->kernel_of[id] = kernel + 1;
    fuse->kernel_sizes.items[kernel] += fuse->sizes[id];
    add_leaves(fuse, kernel, leaves);
    k->reason = k->reason ? arena_format(fuse->list->arena, "%s; %s", k->reason, reason) : reason;
    array_push(fuse->list->arena, &fuse->list->decisions, arena_format(fuse->list->arena, "%%%u joins kernel of %%%u: %s", id, k->root.id, reason));
}

static uint32_t begin(Fuse *fuse, uint32_t id, KernelClass class, uint32_t level, const Leaves *leaves) {
    Kernel kernel = {.kernel_class = class, .root = {id}};
    Leaves none = {0};
    array_push(fuse->list->arena, &fuse->list->kernels, kernel);
    array_push(fuse->list->arena, &fuse->levels, level);
    array_push(fuse->list->arena, &fuse->leaves, none);
    array_push(fuse->list->arena, &fuse->kernel_sizes, fuse->sizes[id]);
    uint32_t index = fuse->list->kernels.count - 1;
    Kernel *k = &fuse->list->kernels.items[index];
    array_push(fuse->list->arena, &k->stores, ((Value){id}));
    if (class == KERNEL_REDUCE)
        array_push(fuse->list->arena, &k->roots, ((Value){id}));
    fuse->kernel_of[id] = index + 1;
    add_leaves(fuse, index, leaves);
    return index;
}

static bool same_reduction(const Fuse *fuse, const Node *a, const Node *b) {
    bool single = op_def(a->op)->reduction->again != AGAIN_ALWAYS && op_def(b->op)->reduction->again != AGAIN_ALWAYS;
    bool axes = op_attr(a->op, 0) == op_attr(b->op, 0) && attr_equal(&a->attrs[0], &b->attrs[0]);
    Type x = graph_type(fuse->graph, a->args[0]), y = graph_type(fuse->graph, b->args[0]);
    return single && axes && type_same_shape(&x, &y) && layout_equal(&fuse->list->layouts[a->args[0].id], &fuse->list->layouts[b->args[0].id]);
}

// The kernels of a class and level that may take one more store; others are forgotten.
static Indices *open_kernels(Fuse *fuse, KernelClass class, uint32_t level) {
    Indices none = {0}, *open;
    while (fuse->open[class].count <= level)
        array_push(fuse->list->arena, &fuse->open[class], none);
    open = &fuse->open[class].items[level];
    uint32_t kept = 0;
    for (uint32_t i = 0; i < open->count; i++) {
        const Kernel *kernel = &fuse->list->kernels.items[open->items[i]];
        bool full = kernel->stores.count + 2 + fuse->leaves.items[open->items[i]].count > kernel_bindings_max(fuse->context->target);
        if (!full)
            open->items[kept++] = open->items[i];
    }
    open->count = kept;
    return open;
}

static bool shares_load(const Fuse *fuse, uint32_t kernel, const Leaves *leaves) {
    for (uint32_t i = 0; i < leaves->count; i++)
        if (node_at(fuse, leaves->items[i].value.id)->type.rank && is_loaded(&fuse->leaves.items[kernel], leaves->items[i].value))
            return true;
    return false;
}

static void place_reduce(Fuse *fuse, uint32_t id, uint32_t level, const Leaves *leaves) {
    Indices *open = open_kernels(fuse, KERNEL_REDUCE, level);
    for (uint32_t i = 0; i < open->count && !fuse->context->no_fuse; i++) {
        uint32_t k = open->items[i], root = fuse->list->kernels.items[k].root.id;
        if (!same_reduction(fuse, node_at(fuse, root), node_at(fuse, id)) || !shares_load(fuse, k, leaves))
            continue;
        if (!has_room(fuse, k, id, leaves)) {
            fuse_refuse(fuse, id, root, "it folds the same space, but the kernel would bind or compute too much");
            continue;
        }
        join(fuse, k, id, leaves, arena_format(fuse->list->arena, "%%%u folds the same space and shares loads", id));
        array_push(fuse->list->arena, &fuse->list->kernels.items[k].roots, ((Value){id}));
        return;
    }
    array_push(fuse->list->arena, open, begin(fuse, id, KERNEL_REDUCE, level, leaves));
}

// A copy that plan asked for: it runs when all readers of the old value have, and nothing else may delay them.
static bool stands_alone(const Fuse *fuse, uint32_t id) { return node_at(fuse, id)->op == OP_materialise && attr_of(node_at(fuse, id), ATTR_copy)->integer % 2 == 1; }

// Why a map cannot follow in the kernel `host` that makes its latest input, of which there are `hosts`; NULL: it can.
static const char *misfit_of(const Fuse *fuse, uint32_t id, uint32_t host, uint32_t hosts, const Leaves *leaves) {
    uint32_t root = fuse->list->kernels.items[host - 1].root.id;
    if (hosts != 1)
        return "it needs results of several kernels";
    if (stands_alone(fuse, root))
        return "that is a copy, which runs alone";
    for (uint32_t i = 0; i < leaves->count; i++)
        if (producer_of(fuse, leaves->items[i].value.id) == host && !leaves->items[i].in_place)
            return "it needs other elements of the result than the one in hand";
    Layout theirs = space_of(fuse, (Value){root});
    if (!layout_equal(&theirs, &fuse->list->layouts[id]))
        return "its shape or layout is another";
    return has_room(fuse, host - 1, id, leaves) ? NULL : "the kernel would bind or compute too much";
}

// A map goes to the kernel that makes its latest input, as an epilogue, or beside a sibling.
static void place_map(Fuse *fuse, uint32_t id, uint32_t level, const Leaves *leaves) {
    Layout space = fuse->list->layouts[id];
    if (stands_alone(fuse, id)) {
        begin(fuse, id, KERNEL_MAP, level, leaves);
        return;
    }
    uint32_t host = 0, at_level = 0;
    for (uint32_t i = 0; i < leaves->count; i++)
        if (level_of(fuse, leaves->items[i].value.id) == level - 1) {
            uint32_t producer = producer_of(fuse, leaves->items[i].value.id);
            at_level += !host || host != producer;
            host = producer ? producer : host;
        }
    bool has_host = level > 1 && host && !fuse->context->no_fuse;
    const char *misfit = has_host ? misfit_of(fuse, id, host, at_level, leaves) : NULL;
    if (has_host && !misfit) {
        join(fuse, host - 1, id, leaves, arena_format(fuse->list->arena, "%%%u follows at the same element", id));
        return;
    }
    if (misfit)
        fuse_refuse(fuse, id, fuse->list->kernels.items[host - 1].root.id, misfit);
    Indices *open = open_kernels(fuse, KERNEL_MAP, level);
    for (uint32_t i = 0; i < open->count && !fuse->context->no_fuse; i++) {
        uint32_t k = open->items[i], root = fuse->list->kernels.items[k].root.id;
        if (!layout_equal(&fuse->list->layouts[root], &space) || !(space.rank == 0 || shares_load(fuse, k, leaves)))
            continue;
        if (!has_room(fuse, k, id, leaves)) {
            fuse_refuse(fuse, id, root, "the kernel of this sibling would bind or compute too much");
            continue;
        }
        join(fuse, k, id, leaves, arena_format(fuse->list->arena, "%%%u is a sibling of the same shape", id));
        return;
    }
    array_push(fuse->list->arena, open, begin(fuse, id, KERNEL_MAP, level, leaves));
}

static void make_kernels(Fuse *fuse) {
    for (uint32_t id = 1; id < fuse->graph->nodes.count; id++) {
        if (!fuse->reached[id] || !fuse->stored[id])
            continue;
        OpClass class = class_at(fuse, id);
        if (class == CLASS_SET || is_given(node_at(fuse, id)))
            continue;
        Leaves leaves = {0};
        fuse->visit++;
        find_leaves(fuse, id, class == CLASS_MAP || class == CLASS_VIEW, true, &leaves);
        uint32_t level = 0;
        for (uint32_t i = 0; i < leaves.count; i++) {
            uint32_t its = level_of(fuse, leaves.items[i].value.id);
            level = its > level ? its : level;
        }
        level++;
        if (class == CLASS_CONTRACT)
            begin(fuse, id, KERNEL_CONTRACT, level, &leaves);
        else if (class == CLASS_REDUCE)
            place_reduce(fuse, id, level, &leaves);
        else
            place_map(fuse, id, level, &leaves);
    }
}

// ---- buffers

static void make_buffers(Fuse *fuse) {
    KernelList *list = fuse->list;
    list->buffers = ARENA_NEW(list->arena, Buffer, fuse->graph->nodes.count);
    for (uint32_t id = 1; id < fuse->graph->nodes.count; id++) {
        const Node *node = node_at(fuse, id);
        Buffer *buffer = &list->buffers[id];
        *buffer = (Buffer){.value = {id}, .layout = list->layouts[id], .element = dtype_element(node->type.dtype)};
        buffer->size = layout_size(&buffer->layout, buffer->element);
        if (!fuse->reached[id])
            continue;
        if (node->op == OP_state || node->op == OP_feed)
            buffer->kind = node->op == OP_state ? BUFFER_STATE : BUFFER_FEED, buffer->name = attr_of(node, ATTR_name)->text;
        else if (node->op == OP_table)
            buffer->kind = BUFFER_CONSTANT, buffer->name = fuse->graph->module->tables.items[attr_of(node, ATTR_index)->integer].name;
        else if (node->op == OP_pack || fuse->stored[id])
            buffer->kind = BUFFER_SCRATCH;
    }
    for (uint32_t id = 1; id < fuse->graph->nodes.count; id++) {
        const Node *node = node_at(fuse, id);
        Buffer *buffer = &list->buffers[id];
        if (!fuse->reached[id] || buffer->kind != BUFFER_NONE || !fuse_is_alias(fuse, id) || list->buffers[node->args[0].id].kind == BUFFER_NONE)
            continue;
        buffer->kind = BUFFER_PART;
        buffer->parent = node->args[0].id;
        if (node->op == OP_unpack)
            buffer->offset = fuse->context->sets[node_at(fuse, node->args[0].id)->type.set - 1].offsets[attr_of(node, ATTR_part)->integer];
    }
    for (uint32_t id = 1; id < fuse->graph->nodes.count; id++) {
        const Node *node = node_at(fuse, id);
        if (!fuse->reached[id] || node->op != OP_pack)
            continue;
        for (uint32_t i = 0; i < node->arg_count; i++) {
            Buffer *part = &list->buffers[buffer_root(list, node->args[i]).id];
            if (part->kind != BUFFER_SCRATCH)
                graph_bug(fuse->graph, node->args[i], "a part of a set lies elsewhere");
            part->kind = BUFFER_PART;
            part->parent = id;
            part->offset = fuse->context->sets[node->type.set - 1].offsets[i];
        }
    }
}

static void make_outputs(Fuse *fuse) {
    KernelList *list = fuse->list;
    for (uint32_t i = 0; i < fuse->graph->outputs.count; i++) {
        const Output *output = &fuse->graph->outputs.items[i];
        if (output->kind == OUTPUT_VALUE)
            continue;
        Buffer *buffer = &list->buffers[buffer_root(list, output->value).id];
        buffer->kind = output->kind == OUTPUT_STATE ? BUFFER_STATE : BUFFER_RESULT;
        buffer->name = output->name;
        if (output->at.id)
            list->buffers[buffer_root(list, output->at).id].kind = BUFFER_RESULT;
    }
}

// A value that only its own kernel uses need not be stored after all.
static void drop_stores(Fuse *fuse) {
    KernelList *list = fuse->list;
    bool *read = ARENA_NEW(list->arena, bool, fuse->graph->nodes.count);
    for (uint32_t k = 0; k < list->kernels.count; k++)
        for (uint32_t i = 0; i < fuse->leaves.items[k].count; i++)
            read[base_of(fuse, fuse->leaves.items[k].items[i].value.id)] = true;
    for (uint32_t id = 1; id < fuse->graph->nodes.count; id++)
        if (fuse->reached[id] && node_at(fuse, id)->op == OP_pack)
            for (uint32_t i = 0; i < node_at(fuse, id)->arg_count; i++)
                read[base_of(fuse, node_at(fuse, id)->args[i].id)] = true;
    for (uint32_t i = 0; i < fuse->graph->outputs.count; i++) {
        read[base_of(fuse, fuse->graph->outputs.items[i].value.id)] = true;
        if (fuse->graph->outputs.items[i].at.id)
            read[base_of(fuse, fuse->graph->outputs.items[i].at.id)] = true;
    }
    for (uint32_t k = 0; k < list->kernels.count; k++) {
        Kernel *kernel = &list->kernels.items[k];
        uint32_t kept = 0;
        for (uint32_t i = 0; i < kernel->stores.count; i++) {
            Value value = kernel->stores.items[i];
            if (read[value.id] || kernel->stores.count == 1)
                kernel->stores.items[kept++] = value;
            else
                fuse->stored[value.id] = false;
        }
        kernel->stores.count = kept;
    }
}

void fuse_kernels(KernelList *list, const PassContext *context) {
    uint32_t count = list->graph->nodes.count;
    Fuse fuse = {.list = list, .context = context, .graph = list->graph};
    fuse.reached = graph_reached(list->arena, list->graph);
    fuse.stored = ARENA_NEW(list->arena, bool, count);
    fuse.required = ARENA_NEW(list->arena, bool, count);
    fuse.computed = ARENA_NEW(list->arena, bool, count);
    fuse.operand_reads = ARENA_NEW(list->arena, double, 2 * (size_t)count);
    fuse.consumers = ARENA_NEW(list->arena, Consumers, count);
    fuse.repeat_cost = ARENA_NEW(list->arena, double, count);
    fuse.use_count = ARENA_NEW(list->arena, uint32_t, count);
    fuse.kernel_of = ARENA_NEW(list->arena, uint32_t, count);
    fuse.sizes = ARENA_NEW(list->arena, uint32_t, count);
    fuse.visited = ARENA_NEW(list->arena, uint32_t, count);
    fuse_choose_stores(&fuse);
    fuse_limit_sizes(&fuse);
    fuse_limit_bindings(&fuse);
    make_kernels(&fuse);
    drop_stores(&fuse);
    make_buffers(&fuse);
    make_outputs(&fuse);
    for (uint32_t k = 0; k < list->kernels.count; k++)
        for (uint32_t i = 0; i < fuse.leaves.items[k].count; i++) {
            array_push(list->arena, &list->kernels.items[k].loads, fuse.leaves.items[k].items[i].value);
            array_push(list->arena, &list->kernels.items[k].in_place, fuse.leaves.items[k].items[i].in_place);
        }
    store_elements(list, context);
}
