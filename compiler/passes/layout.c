// Needs: a graph without gradient and detach.
// Gives: every value's physical layout; `materialise` before contractions, packs and outputs that ask for another layout or for a buffer.
// Keeps: meaning, order of outputs.
#include "compiler/kernel/alias.h"
#include "compiler/kernel/contract.h"
#include "compiler/kernel/operand.h"
#include "compiler/ops/winograd.h"
#include "compiler/passes/passes.h"

typedef struct {
    Arena *arena;
    const PassContext *context;
    Graph *graph;
    ARRAY(Layout) layouts; // by new id
    ARRAY(bool) claimed;   // by new id: its buffer belongs to a pack's part or an output
    uint32_t copies;
} Pass;

Layout layout_default(const Type *type) {
    static const uint8_t image[4] = {0, 2, 3, 1};
    return layout_make(type->rank, type->dims, type->rank == 4 ? image : NULL);
}

// Convolution weights: output channels innermost, then input channels; matrices [out, in] likewise.
static Layout canonical_part(const Type *type) {
    static const uint8_t kernel[4] = {2, 3, 1, 0}, matrix[2] = {1, 0};
    return layout_make(type->rank, type->dims, type->rank == 4 ? kernel : type->rank == 2 ? matrix : NULL);
}

SetLayout *layout_sets(Arena *arena, const Module *module, const Target *target) {
    SetLayout *sets = ARENA_NEW(arena, SetLayout, module->sets.count + 1);
    for (uint32_t s = 0; s < module->sets.count; s++) {
        const Set *set = &module->sets.items[s];
        sets[s].layouts = ARENA_NEW(arena, Layout, set->parts.count + 1);
        sets[s].offsets = ARENA_NEW(arena, uint64_t, set->parts.count + 1);
        for (uint32_t p = 0; p < set->parts.count; p++) {
            sets[s].layouts[p] = canonical_part(&set->parts.items[p].type);
            // A part begins where a binding may; gaps between parts hold anything (see emit_set_mask).
            uint64_t size = layout_size(&sets[s].layouts[p], SET_ELEMENT), grain = target->offset_alignment;
            sets[s].offsets[p] = (sets[s].size + grain - 1) / grain * grain;
            sets[s].size = sets[s].offsets[p] + size;
        }
    }
    return sets;
}

static Layout set_layout(const SetLayout *set) {
    uint32_t count = (uint32_t)(set->size / element_stored(SET_ELEMENT));
    return layout_make(1, &count, NULL);
}

Layout layout_of_state(const State *state, const SetLayout *sets) {
    return state->type.set ? set_layout(&sets[state->type.set - 1]) : layout_default(&state->type);
}

// ---- the layout of each op's result

static Layout with_order_of(const Layout *order, const Type *type) { return layout_make(type->rank, type->dims, order->order); }

static Layout transposed(const Node *node, const Layout *arg) {
    uint8_t order[LAYOUT_RANK_MAX];
    for (uint32_t place = 0; place < arg->rank; place++)
        for (uint32_t axis = 0; axis < arg->rank; axis++)
            if (attr_of(node, ATTR_order)->ints[axis] == arg->order[place])
                order[place] = (uint8_t)axis;
    return layout_make(node->type.rank, node->type.dims, order);
}

// Where it moves nothing it is row-major, as its argument is.
static Layout reshaped(const Node *node, const Layout *arg) {
    Layout plain = layout_make(node->type.rank, node->type.dims, NULL);
    return alias_reshapes(arg, &plain) ? plain : layout_default(&node->type);
}

static Layout reduced(const Node *node, const Layout *arg) {
    uint32_t number[LAYOUT_RANK_MAX], next = op_def(node->op)->reduction->result_count > 1 ? 1 : 0, place = 0;
    uint8_t order[LAYOUT_RANK_MAX];
    if (next)
        order[place++] = 0;
    for (uint32_t axis = 0; axis < arg->rank; axis++)
        number[axis] = op_folds(node, axis) ? 0 : next++;
    for (uint32_t i = 0; i < arg->rank; i++)
        if (!op_folds(node, arg->order[i]))
            order[place++] = (uint8_t)number[arg->order[i]];
    return layout_make(node->type.rank, node->type.dims, order);
}

// A map lies like its most substantial argument: one that a kernel computes, else one in memory, else any.
static Layout mapped(const Pass *pass, const Node *node) {
    int best = -1;
    Layout layout = layout_default(&node->type);
    for (uint32_t i = 0; i < node->arg_count; i++) {
        const Node *arg = graph_node(pass->graph, node->args[i]);
        OpClass class = op_def(arg->op)->op_class;
        int rank = arg->op == OP_broadcast || arg->op == OP_constant ? 0 : class == CLASS_VIEW ? 2 : class == CLASS_SOURCE ? 1 : class == CLASS_MAP ? 3 : 4;
        if (rank > best && arg->type.rank == node->type.rank && rank > 0) {
            best = rank;
            layout = pass->layouts.items[node->args[i].id];
            layout = with_order_of(&layout, &node->type);
        }
    }
    return layout;
}

static Layout conv_weight_layout(const Type *type) {
    static const uint8_t whole[4] = {2, 3, 1, 0}, sliced[5] = {0, 3, 4, 2, 1};
    return layout_make(type->rank, type->dims, type->rank == 5 ? sliced : whole);
}

static Layout layout_of(const Pass *pass, const Node *node) {
    const SetLayout *sets = pass->context->sets;
    const Layout *arg = node->arg_count ? &pass->layouts.items[node->args[0].id] : NULL;
    if (node->type.set)
        return set_layout(&sets[node->type.set - 1]);
    switch ((int)node->op) {
    case OP_unpack: return sets[graph_node(pass->graph, node->args[0])->type.set - 1].layouts[attr_of(node, ATTR_part)->integer];
    case OP_transpose: return transposed(node, arg);
    case OP_reshape: return reshaped(node, arg);
    case OP_broadcast: return arg->rank == node->type.rank ? with_order_of(arg, &node->type) : layout_default(&node->type);
    case OP_slice:
    case OP_pad:
    case OP_flip:
    case OP_concat: return with_order_of(arg, &node->type);
    case OP_materialise: {
        const int64_t *axes = attr_of(node, ATTR_order)->ints;
        uint8_t order[LAYOUT_RANK_MAX];
        for (uint32_t i = 0; i < LAYOUT_RANK_MAX && i < node->type.rank; i++)
            order[i] = (uint8_t)axes[i];
        return layout_make(node->type.rank, node->type.dims, order);
    }
    case OP_matmul: return layout_make(node->type.rank, node->type.dims, NULL);
    case OP_winograd_taps:
    case OP_conv2d_weight: return conv_weight_layout(&node->type);
    }
    switch (op_def(node->op)->op_class) {
    case CLASS_MAP: return mapped(pass, node);
    case CLASS_REDUCE: return reduced(node, arg);
    case CLASS_SOURCE:
        if (node->op == OP_table || node->op == OP_iota)
            return layout_make(node->type.rank, node->type.dims, NULL);
        return layout_default(&node->type);
    case CLASS_VIEW:
    case CLASS_CONTRACT:
    case CLASS_SET:
    case CLASS_COMPOSITE:
    case CLASS_META: break;
    }
    return layout_default(&node->type);
}

static Value add(Pass *pass, Op op, const Value *args, uint32_t arg_count, const Attr *attrs, uint32_t attr_count) {
    Value value = graph_add(pass->graph, op, args, arg_count, attrs, attr_count);
    while (pass->layouts.count < pass->graph->nodes.count) {
        Layout none = {0};
        uint32_t id = pass->layouts.count;
        array_push(pass->arena, &pass->layouts, none);
        array_push(pass->arena, &pass->claimed, false);
        if (id)
            pass->layouts.items[id] = layout_of(pass, &pass->graph->nodes.items[id]);
    }
    return value;
}

// Copy 0 is shared by all who ask for this layout; other numbers are memory of their own, odd ones by a kernel of their own.
enum { COPY_SHARED, COPY_OWN, COPY_OWN_KERNEL };
static Value materialise(Pass *pass, Value value, const Layout *layout, int kind) {
    int64_t order[LAYOUT_RANK_MAX];
    for (uint32_t i = 0; i < layout->rank; i++)
        order[i] = layout->order[i];
    Attr attrs[2] = {attr_ints(order, layout->rank), attr_int(kind == COPY_SHARED ? 0 : 2 * (int64_t)++pass->copies + (kind == COPY_OWN_KERNEL))};
    Origin before = pass->graph->origin;
    pass->graph->origin = (Origin){graph_node(pass->graph, value)->origin.pointer, "layout"};
    Value copy = add(pass, OP_materialise, &value, 1, attrs, 2);
    pass->graph->origin = before;
    return copy;
}

// ---- buffers

// Follows aliases (views that move nothing) to the value whose buffer it is.
static Value alias_base(const Pass *pass, Value value) {
    for (;;) {
        const Node *node = graph_node(pass->graph, value);
        if (node->op == OP_unpack || !alias_node(node, value, pass->layouts.items))
            return value;
        value = node->args[0];
    }
}

// Can the value be read as a buffer, given that whoever computes it stores it?
static bool is_bufferable(const Pass *pass, Value value) {
    const Node *node = graph_node(pass->graph, alias_base(pass, value));
    switch (op_def(node->op)->op_class) {
    case CLASS_MAP:
    case CLASS_REDUCE:
    case CLASS_CONTRACT:
    case CLASS_SET: return true;
    case CLASS_SOURCE: return node->op == OP_state || node->op == OP_feed || node->op == OP_table;
    case CLASS_VIEW: return node->op == OP_materialise;
    case CLASS_COMPOSITE:
    case CLASS_META: break;
    }
    return false;
}

static Value operand(Pass *pass, Value value, const Layout *wanted) {
    return layout_equal(&pass->layouts.items[value.id], wanted) && is_bufferable(pass, value) ? value : materialise(pass, value, wanted, COPY_SHARED);
}

// Whether the axis lies innermost in the matrices of a buffer, and these lie as tiles need them.
static bool is_matrices(const Pass *pass, Value value, uint32_t innermost) {
    const Layout *layout = &pass->layouts.items[value.id];
    return layout->order[layout->rank - 1] == innermost && contract_has_even_batch(layout) && is_bufferable(pass, value);
}

// Operands of contractions; see contract_is_tileable for what the tiles need.
static void fix_operands(Pass *pass, const Node *node, Value *args) {
    static const uint8_t forward[4] = {2, 3, 1, 0}, backward[4] = {2, 3, 0, 1};
    if (winograd_is(node->op)) {
        Type x = graph_type(pass->graph, args[0]);
        bool is_weight = node->op == OP_winograd_weight;
        Layout wanted = is_weight ? layout_make(4, x.dims, attr_of(node, ATTR_mirrored)->integer ? backward : forward) : layout_default(&x);
        args[0] = operand(pass, args[0], &wanted);
        return;
    }
    Type a = graph_type(pass->graph, args[0]), b = graph_type(pass->graph, args[1]);
    if (node->op == OP_matmul) {
        Layout rows = layout_make(a.rank, a.dims, NULL), columns = layout_make(b.rank, b.dims, NULL);
        if (!is_matrices(pass, args[0], a.rank - 1u) && !is_matrices(pass, args[0], a.rank - 2u))
            args[0] = materialise(pass, args[0], &rows, COPY_SHARED);
        if (!is_matrices(pass, args[1], b.rank - 1u))
            args[1] = materialise(pass, args[1], &columns, COPY_SHARED);
        return;
    }
    Layout image = layout_default(&a), other = layout_default(&b);
    if (node->op != OP_conv2d_weight) {
        bool is_forward = node->op == OP_conv2d || contract_has_own_kernels(&b, attr_of(node, ATTR_groups)->integer);
        other = layout_make(4, b.dims, is_forward ? forward : backward);
    }
    args[0] = operand(pass, args[0], &image);
    args[1] = operand(pass, args[1], &other);
}

// A small view that is spread over something larger, such as a group's mean over its channels and then over pixels: put into memory, it is one load of a
// vec4 wherever it is read, where its elements do not lie side by side now. Fuse decides whether that pays.
enum { SPREAD_GROWTH_MIN = 4 };
static Value spread_operand(Pass *pass, const Node *node, Value value) {
    Type small = graph_type(pass->graph, value);
    KernelList list = {.graph = pass->graph, .layouts = pass->layouts.items};
    if (small.rank == 0 || type_count(&node->type) < SPREAD_GROWTH_MIN * type_count(&small) || is_bufferable(pass, value) || !operand_is_scattered(&list, value))
        return value;
    return materialise(pass, value, &pass->layouts.items[value.id], COPY_SHARED);
}

// How many parts of the batch a weight gradient is summed in: enough workgroups to share out, and slices that stay in the cache together.
static uint32_t weight_slices(const PassContext *context, const Node *node, const Type *x, const Type *g) {
    double bytes = element_stored(dtype_element(node->type.dtype));
    double images = (double)(type_count(x) + type_count(g)) * bytes, partial = (double)type_count(&node->type) * bytes;
    uint32_t lanes = (uint32_t)(attr_of(node, ATTR_kernel)->ints[0] * attr_of(node, ATTR_kernel)->ints[1]) * ((g->dims[1] + 7) / 8) * ((x->dims[1] + 15) / 16);
    uint32_t groups = (lanes + context->target->subgroup_size - 1) / context->target->subgroup_size;
    const DeviceModel *model = &context->target->model;
    for (uint32_t slices = 1; slices < x->dims[0]; slices++)
        if (x->dims[0] % slices == 0 && (partial * (2 * slices) > model->cache_size || (groups * slices >= model->full_groups && images / slices <= model->core_cache_size)))
            return slices;
    return partial * x->dims[0] > model->cache_size ? 1 : x->dims[0];
}

static Value add_weight_gradient(Pass *pass, const Node *node, const Value *args) {
    Type x = graph_type(pass->graph, args[0]), g = graph_type(pass->graph, args[1]);
    uint32_t slices = pass->context->reference_schedule || attr_of(node, ATTR_slices)->integer > 1 ? 1 : weight_slices(pass->context, node, &x, &g);
    if (slices == 1)
        return add(pass, node->op, args, 2, node->attrs, node->attr_count);
    Attr attrs[MAX_ATTRS];
    memcpy(attrs, node->attrs, sizeof *attrs * node->attr_count);
    attrs[op_attr_place(node->op, ATTR_slices)] = attr_int(slices);
    Value parts = add(pass, node->op, args, 2, attrs, node->attr_count);
    Attr axes = attr_ints((int64_t[]){0}, 1);
    return add(pass, OP_reduce_sum, &parts, 1, &axes, 1);
}

// A value that gets a buffer of its own inside something larger, or at a fixed place.
static Value claim(Pass *pass, Value value, const Layout *wanted, bool forced) {
    Value base = alias_base(pass, value);
    const Node *node = graph_node(pass->graph, base);
    OpClass class = op_def(node->op)->op_class;
    bool computed = class == CLASS_MAP || class == CLASS_REDUCE || class == CLASS_CONTRACT || (node->op == OP_materialise) || (node->op == OP_pack);
    if (computed && !forced && !pass->claimed.items[base.id] && layout_equal(&pass->layouts.items[value.id], wanted)) {
        pass->claimed.items[base.id] = true;
        return value;
    }
    bool stored = class == CLASS_REDUCE || class == CLASS_CONTRACT;
    if (forced && !stored)
        value = materialise(pass, value, wanted, COPY_OWN);
    Value copy = materialise(pass, value, wanted, forced ? COPY_OWN_KERNEL : COPY_OWN);
    pass->claimed.items[copy.id] = true;
    return copy;
}

static void fix_pack(Pass *pass, const Node *node, Value *args) {
    const SetLayout *set = &pass->context->sets[attr_of(node, ATTR_set)->integer - 1];
    for (uint32_t i = 0; i < node->arg_count; i++)
        args[i] = claim(pass, args[i], &set->layouts[i], graph_node(pass->graph, alias_base(pass, args[i]))->op == OP_pack);
}

// A kernel binds so many parts at most: more are joined in steps, of which fuse may store each.
static Value add_concat(Pass *pass, const Node *node, const Value *args) {
    uint32_t most = kernel_loads_max(pass->context->target), count = 0;
    if (node->arg_count <= most)
        return add(pass, OP_concat, args, node->arg_count, node->attrs, node->attr_count);
    Value *parts = ARENA_NEW(pass->arena, Value, node->arg_count);
    for (uint32_t i = 0; i < node->arg_count; i += most) {
        uint32_t some = node->arg_count - i < most ? node->arg_count - i : most;
        parts[count++] = some == 1 ? args[i] : add(pass, OP_concat, args + i, some, node->attrs, node->attr_count);
    }
    Node joined = *node;
    joined.arg_count = (uint16_t)count;
    return add_concat(pass, &joined, parts);
}

KernelList *layout_graph(Arena *arena, const Graph *graph, const PassContext *context) {
    Pass pass = {.arena = arena, .context = context, .graph = graph_create(arena, graph->module)};
    bool *reached = graph_reached(arena, graph);
    Value *moved = ARENA_NEW(arena, Value, graph->nodes.count);
    for (uint32_t id = 1; id < graph->nodes.count; id++) {
        const Node *node = &graph->nodes.items[id];
        if (!reached[id])
            continue;
        Value *args = ARENA_NEW(arena, Value, node->arg_count + 1u);
        for (uint32_t i = 0; i < node->arg_count; i++)
            args[i] = moved[node->args[i].id];
        pass.graph->origin = node->origin;
        if (op_def(node->op)->op_class == CLASS_CONTRACT)
            fix_operands(&pass, node, args);
        if (node->op == OP_pack)
            fix_pack(&pass, node, args);
        if (node->op == OP_broadcast)
            args[0] = spread_operand(&pass, node, args[0]);
        moved[id] = node->op == OP_conv2d_weight ? add_weight_gradient(&pass, node, args)
                    : node->op == OP_concat      ? add_concat(&pass, node, args)
                                                 : add(&pass, node->op, args, node->arg_count, node->attrs, node->attr_count);
    }
    for (uint32_t i = 0; i < graph->outputs.count; i++) {
        Output output = graph->outputs.items[i];
        output.value = moved[output.value.id];
        output.at = moved[output.at.id];
        pass.graph->origin = output.origin;
        if (output.kind == OUTPUT_VALUE)
            continue;
        Layout wanted = pass.layouts.items[output.value.id];
        if (output.kind == OUTPUT_STATE)
            wanted = layout_of_state(module_state(context->module, output.name), context->sets);
        output.value = claim(&pass, output.value, &wanted, context->copied && context->copied[pass.graph->outputs.count]);
        if (output.kind == OUTPUT_EMIT && output.at.id) {
            wanted = pass.layouts.items[output.at.id];
            output.at = claim(&pass, output.at, &wanted, false);
        }
        graph_output(pass.graph, output);
    }
    KernelList *list = ARENA_NEW(arena, KernelList, 1);
    *list = (KernelList){.graph = pass.graph, .arena = arena, .sets = context->sets, .layouts = pass.layouts.items};
    return list;
}
