// Transposed: copies into a layout with another axis innermost. An invocation moves 4 x 4 elements: it reads four vec4s that lie along the source's
// innermost axis, and writes four along its own; element by element, each of them would be read four times.
#include "compiler/schedules/families.h"
#include "compiler/emit/emitter.h"
#include <math.h>

enum { BLOCK = 4 }; // of the source's innermost axis: a vec4

static uint8_t innermost(const Layout *layout) { return layout->rank ? layout->order[layout->rank - 1] : 0; } // a number alone has no axis: 0

typedef struct {
    const Layout *to;
    Layout blocks; // `to` with a vec4 of the source for one element of its axis
    Value from;
    uint8_t across, along; // the innermost axis of the source, and of the copy
} Copy;

static Copy copy_of(const KernelList *list, Value root) {
    Copy copy = {.to = &list->layouts[root.id], .from = graph_node(list->graph, root)->args[0]};
    copy.across = innermost(&list->layouts[copy.from.id]), copy.along = innermost(copy.to);
    uint32_t dims[LAYOUT_RANK_MAX];
    for (uint32_t axis = 0; axis < copy.to->rank; axis++)
        dims[axis] = axis == copy.across ? (copy.to->dims[axis] + BLOCK - 1) / BLOCK : copy.to->dims[axis];
    copy.blocks = layout_make(copy.to->rank, dims, copy.to->order);
    return copy;
}

// The vec4 of the source that begins the block's row of the copy's element number `element`.
static const char *row_of(Emitter *emitter, const Copy *copy, const Index *block, uint32_t element) {
    IndexPool *pool = emitter->pool;
    Index index[MAX_RANK];
    for (uint32_t axis = 0; axis < copy->to->rank; axis++)
        index[axis] = block[axis];
    uint32_t extent = copy->to->dims[copy->along];
    index[copy->across] = index_add(pool, index_scale(pool, block[copy->across], BLOCK), emitter->lane);
    index[copy->along] = index_substitute(pool, block[copy->along], emitter->lane_atom, index_constant(element));
    if (element && extent % BLOCK)
        index[copy->along] = emit_opaque_index(emitter, arena_format(emitter->arena, "min(%s, %u)", emit_index(emitter, index[copy->along]), extent - 1), 0, (int64_t)extent - 1);
    return emit_vector(emitter, emit_value(emitter, copy->from, index)).text;
}

static uint64_t emit(Emitter *emitter) {
    IndexPool *pool = emitter->pool;
    Value root = emitter->kernel->root;
    Copy copy = copy_of(emitter->list, root);
    uint64_t blocks = layout_count(&copy.blocks) / 4;
    uint32_t lanes = schedule_lanes(&emitter->kernel->schedule), extent = copy.to->dims[copy.across];
    Index block[MAX_RANK], index[MAX_RANK];
    emit_line(emitter, "if (gid >= %llu)", (unsigned long long)blocks);
    emit_line(emitter, "    return;");
    emit_unravel(emitter, &copy.blocks, index_variable(pool, "gid", 0, (int64_t)blocks - 1), block);
    const char *rows[BLOCK];
    for (uint32_t i = 0; i < BLOCK; i++)
        rows[i] = row_of(emitter, &copy, block, i);
    memcpy(index, block, sizeof index);
    for (uint32_t i = 0; i < BLOCK; i++) {
        index[copy.across] = index_add_constant(pool, index_scale(pool, block[copy.across], BLOCK), i);
        bool may_be_beyond = i && extent % BLOCK;
        EmitScope scope = {0};
        if (may_be_beyond)
            scope = emit_open(emitter, arena_format(emitter->arena, "if (%s < %u) {", emit_index(emitter, index[copy.across]), extent));
        char part = "xyzw"[i];
        const char *vector = arena_format(emitter->arena, "vec4(%s.%c, %s.%c, %s.%c, %s.%c)", rows[0], part, rows[1], part, rows[2], part, rows[3], part);
        emit_store_vector(emitter, root, index, (Code){vector, DTYPE_F32, true});
        if (may_be_beyond)
            emit_close(emitter, scope, true);
    }
    return (blocks + lanes - 1) / lanes;
}

static Work work(const KernelView *view, const Schedule *schedule) {
    Copy copy = copy_of(view->list, view->value);
    double lanes = schedule_lanes(schedule);
    return (Work){
        .groups = ceil((double)layout_count(&copy.blocks) / 4 / lanes),
        .lanes = lanes,
        .texel_loads = schedule->values[PARAM_TEXEL] ? BLOCK : 0,
        .storage_loads = schedule->values[PARAM_TEXEL] ? 0 : BLOCK,
        .stores = BLOCK,
    };
}

static bool fits(const KernelView *view, const Schedule *schedule, const Target *target, const char **why) {
    (void)schedule, (void)target;
    const Node *node = graph_node(view->list->graph, view->value);
    *why = NULL;
    if (view->kernel->stores.count != 1 || node->op != OP_materialise || node->type.set || node->type.dtype != DTYPE_F32)
        *why = "it is no copy of f32 into another layout alone";
    else if (innermost(&view->list->layouts[node->args[0].id]) == innermost(&view->list->layouts[view->value.id]))
        *why = "the same axis is innermost in what it copies";
    return !*why;
}

// clang-format off
//                lanes  texel
static const Candidate candidates[] = {
    {TARGET_CPU, {64,  1}},
};
// clang-format on

const Family transposed_family = {
    .name = "transposed",
    .summary = "a copy with another axis innermost: one invocation moves four vec4s that lie across each other",
    .kernel_class = KERNEL_MAP,
    .params = {FAMILY_LANES, FAMILY_TEXEL},
    .param_count = PARAM_OWN,
    .candidates = candidates,
    .candidate_count = sizeof candidates / sizeof *candidates,
    .fits = fits,
    .work = work,
    .emit = emit,
    .template_name = "map.comp",
};
