// The pass `winograd`.
// Needs: a graph without gradient and composites. Gives: convolutions of 3 x 3 taps as transforms of tiles and products of these, where the device's
// model says that it takes less time. Keeps: meaning but for rounding, which grows with the tile (and infinities spread over a tile as NaN), order of
// outputs, origins.
#include "compiler/passes/winograd.h"
#include "compiler/ir/module.h"
#include "compiler/ops/winograd.h"

// Of the direct convolution's time: both are estimates, and transforms add kernels and rounding. Products of few channels, which store nearly as much as
// they load, are estimated too well.
static const double SHARE_MAX = 0.8;

// The convolution alone, of feeds, computed by tiles of `tile` (0: directly).
static Graph *alone(Arena *arena, const Graph *from, const Node *node, uint32_t tile) {
    Graph *graph = graph_create(arena, from->module);
    Value args[2];
    for (uint32_t i = 0; i < 2; i++) {
        Type type = graph_type(from, node->args[i]);
        int64_t dims[4] = {type.dims[0], type.dims[1], type.dims[2], type.dims[3]};
        Attr attrs[] = {attr_text(arena_format(arena, "%u", i)), attr_text(dtype_name(type.dtype)), attr_ints(dims, 4)};
        args[i] = graph_add(graph, OP_feed, NULL, 0, attrs, 3);
    }
    Value y = tile ? winograd_build(graph, node, args[0], args[1], tile) : graph_add(graph, node->op, args, 2, node->attrs, node->attr_count);
    graph_output(graph, (Output){.kind = OUTPUT_EMIT, .name = "y", .format = RESULT_TENSOR, .value = y});
    return graph;
}

// Seconds that the contractions of a graph take, and what adds up their slices; negative: one of them has no schedule but the reference.
static double seconds_of(Arena *arena, const Graph *graph, const PassContext *context) {
    KernelList *list = layout_graph(arena, graph, context);
    const DeviceModel *model = &context->target->model;
    const bool *reached = graph_reached(arena, list->graph);
    double sum = 0;
    for (uint32_t id = 1; id < list->graph->nodes.count; id++) {
        const Node *node = &list->graph->nodes.items[id];
        OpClass class = op_def(node->op)->op_class;
        Work work = {0};
        if (!reached[id] || (class != CLASS_CONTRACT && class != CLASS_REDUCE))
            continue;
        if (class == CLASS_CONTRACT && !schedule_estimate(list, (Value){id}, (Operand[2]){{0}}, context, &work))
            return -1;
        Type x = graph_type(list->graph, node->args[0]);
        if (class == CLASS_REDUCE)
            work.bytes = (double)type_count(&x) * element_stored(dtype_element(x.dtype));
        work.dispatches = work.waves = 1;
        sum += model_seconds(&work, model) + model->handing_seconds;
    }
    return sum;
}

// The tile of least estimated time; 0: none pays.
static uint32_t choose(const Graph *from, const Node *node, const PassContext *context) {
    static const uint32_t tiles[] = {2, 4};
    if (!winograd_applies(from, node))
        return 0;
    if (context->winograd != WINOGRAD_AUTO)
        return context->winograd == WINOGRAD_TILE_2 ? 2 : 4;
    Arena *arena = arena_create();
    double least = seconds_of(arena, alone(arena, from, node, 0), context) * SHARE_MAX;
    uint32_t best = 0;
    for (uint32_t i = 0; i < sizeof tiles / sizeof *tiles; i++) {
        double seconds = seconds_of(arena, alone(arena, from, node, tiles[i]), context);
        if (seconds >= 0 && seconds < least)
            best = tiles[i], least = seconds;
    }
    arena_destroy(&arena);
    return best;
}

// Exact arithmetic is the direct convolution's. GPUs stage tiles in shared memory, and the model has no figures of what the transforms cost there.
static bool is_asked(const Graph *graph, const PassContext *context) {
    bool good = !graph->module->is_exact && !context->reference_schedule && context->winograd != WINOGRAD_NEVER;
    return good && (context->winograd != WINOGRAD_AUTO || context->target->target_class == TARGET_CPU);
}

Graph *winograd_graph(Arena *arena, const Graph *from, const PassContext *context, WinogradMoved *out) {
    out->ids.count = 0;
    if (!is_asked(from, context))
        return graph_copy(arena, from, NULL);
    const bool *reached = graph_reached(arena, from);
    Graph *graph = graph_create(arena, from->module);
    graph->diag = from->diag;
    Value *moved = ARENA_NEW(arena, Value, from->nodes.count);
    for (uint32_t id = 1; id < from->nodes.count; id++) {
        const Node *node = &from->nodes.items[id];
        if (!reached[id])
            continue;
        graph->origin = node->origin;
        uint32_t tile = out->refused[id] ? 0 : choose(from, node, context);
        moved[id] = tile ? winograd_build(graph, node, moved[node->args[0].id], moved[node->args[1].id], tile) : graph_copy_node(graph, node, moved);
        if (tile)
            array_push(arena, &out->ids, id);
    }
    graph_copy_outputs(graph, from, moved);
    return graph;
}

// ---- memory

static uint32_t peak_wave(const KernelList *list) {
    uint64_t *live = ARENA_NEW(list->arena, uint64_t, list->wave_count + 1);
    uint32_t peak = 0;
    for (uint32_t id = 1; id < list->graph->nodes.count; id++) {
        const Buffer *buffer = &list->buffers[id];
        for (uint32_t wave = buffer->first_wave; buffer->kind == BUFFER_SCRATCH && wave <= buffer->last_wave && wave < list->wave_count; wave++)
            live[wave] += buffer->size;
    }
    for (uint32_t wave = 0; wave < list->wave_count; wave++)
        peak = live[wave] > live[peak] ? wave : peak;
    return peak;
}

static bool is_live(const KernelList *list, Value value, uint32_t wave) {
    const Buffer *buffer = &list->buffers[buffer_root(list, value).id];
    return buffer->kind == BUFFER_SCRATCH && buffer->first_wave <= wave && wave <= buffer->last_wave;
}

bool winograd_refuse_peak(const KernelList *list, WinogradMoved *moved) {
    const Graph *graph = list->graph;
    uint32_t peak = peak_wave(list), number = 0;
    bool any = false;
    for (uint32_t id = 1; id < graph->nodes.count && number < moved->ids.count; id++) {
        const Node *node = graph_node(graph, (Value){id});
        if (node->op != OP_winograd_result && node->op != OP_winograd_taps)
            continue;
        const Node *product = graph_node(graph, node->args[0]);
        bool live = is_live(list, node->args[0], peak);
        for (uint32_t i = 0; i < product->arg_count; i++)
            live = live || is_live(list, product->args[i], peak);
        any = any || live;
        moved->refused[moved->ids.items[number++]] |= live;
    }
    return any;
}
