// Winograd: transforms of tiles. One invocation transforms one block of a vec4 of channels, held in registers: columns first, then rows.
#include "compiler/ops/winograd.h"
#include "compiler/emit/glsl.h"
#include "compiler/schedules/families.h"
#include "compiler/schedules/rounding.h"
#include "compiler/schedules/tile.h"
#include <math.h>
#include <stdlib.h>

typedef struct {
    Emitter *emitter;
    Winograd w;
    Index image, row, channels;                 // of the invocation's block
    Index at[2][WINOGRAD_SIDE_MAX];             // of its pixels, along y and x
    const char *inside[2][WINOGRAD_SIDE_MAX];   // GLSL: whether the image has them; NULL: it has
} Block;

static uint32_t vectors_of(const Winograd *w) { return contract_ceil_div(w->channels, 4); }

static void name_block(Block *block) {
    Emitter *e = block->emitter;
    const Winograd *w = &block->w;
    bool has_image = w->from == WINOGRAD_IMAGE || w->to == WINOGRAD_IMAGE;
    const TileAxis axes[] = {{.name = "vector", .constant = "CHANNEL_VECTORS", .extent = vectors_of(w), .note = "// of channels"},
                             {.name = has_image ? "column" : "row", .constant = has_image ? "TILES_X" : "ROWS", .extent = has_image ? w->tiles[1] : w->rows},
                             {.name = "line", .constant = "TILES_Y", .extent = w->tiles[0]},
                             {.name = "image", .constant = "IMAGES", .extent = w->images}};
    tile_unravel(e, "gid", axes, has_image ? 4 : 2);
    if (has_image)
        emit_line(e, "int row = gid / %s; // of tiles", emit_constant(e, "CHANNEL_VECTORS", vectors_of(w)));
    block->image = index_opaque(e->pool, "image", 0, (int64_t)w->images - 1);
    block->row = index_opaque(e->pool, "row", 0, (int64_t)w->rows - 1);
    block->channels = index_add(e->pool, index_scale(e->pool, index_opaque(e->pool, "vector", 0, (int64_t)vectors_of(w) - 1), 4), e->lane);
}

// Where the block's pixels lie along an axis: what may lie outside is moved inside, to be read as 0 or not to be stored.
static void name_pixels(Block *block, int axis, uint32_t side) {
    Emitter *e = block->emitter;
    const Winograd *w = &block->w;
    const char *extent = emit_constant(e, axis ? "WIDTH" : "HEIGHT", w->extent[axis]), *tile = emit_constant(e, "TILE", w->tile);
    for (uint32_t i = 0; i < side; i++) {
        int64_t shift = (int64_t)i - w->pad[axis], last = (int64_t)(w->tiles[axis] - 1) * w->tile + shift;
        const char *name = arena_format(e->arena, "%c%u", axis ? 'x' : 'y', i);
        emit_line(e, "int %s = %s * %s%s;", name, axis ? "column" : "line", tile, shift ? arena_format(e->arena, " %c %lld", shift < 0 ? '-' : '+', llabs(shift)) : "");
        bool low = shift < 0, high = last >= w->extent[axis];
        if (low || high) {
            block->inside[axis][i] = arena_format(e->arena, "has_%s", name);
            const char *above = arena_format(e->arena, "%s >= 0", name), *below = arena_format(e->arena, "%s < %s", name, extent);
            emit_line(e, "bool has_%s = %s;", name, low && high ? arena_format(e->arena, "all(bvec2(%s, %s))", above, below) : low ? above : below);
            emit_line(e, "%s = mix(0, %s, %s);", name, name, block->inside[axis][i]);
        }
        block->at[axis][i] = index_opaque(e->pool, name, 0, (int64_t)w->extent[axis] - 1);
    }
}

// The place of element (y, x) in the tensor; gives the condition under which it exists, NULL: always.
static const char *place(const Block *block, WinogradPlace kind, uint32_t side, uint32_t y, uint32_t x, Index *index) {
    const Winograd *w = &block->w;
    Arena *arena = block->emitter->arena;
    uint32_t last = WINOGRAD_TAPS - 1;
    switch (kind) {
    case WINOGRAD_PRODUCTS: index[0] = index_constant(y * side + x), index[1] = block->row, index[2] = block->channels; return NULL;
    case WINOGRAD_TAPS_OF:
        index[0] = w->mirrored ? block->row : block->channels, index[1] = w->mirrored ? block->channels : block->row;
        index[2] = index_constant(w->mirrored ? last - y : y), index[3] = index_constant(w->mirrored ? last - x : x);
        return NULL;
    case WINOGRAD_IMAGE: break;
    }
    index[0] = block->image, index[1] = block->channels, index[2] = block->at[0][y], index[3] = block->at[1][x];
    const char *a = block->inside[0][y], *b = block->inside[1][x];
    return a && b ? arena_format(arena, "all(bvec2(%s, %s))", a, b) : a ? a : b;
}

static const char *load(const Block *block, Value x, uint32_t row, uint32_t column) {
    Emitter *e = block->emitter;
    Index index[MAX_RANK];
    const char *condition = place(block, block->w.from, block->w.matrix.columns, row, column, index);
    Code code = emit_vector(e, emit_value(e, x, index));
    if (!condition)
        return code.text;
    const char *name = arena_format(e->arena, "d%u%u", row, column);
    emit_line(e, "vec4 %s = mix(vec4(0.0), %s, bvec4(%s));", name, code.text, condition); // a select: some drivers compile no branch quickly
    return name;
}

// The sum of factors and names, which leaves out what is 0.
static const char *combine(Emitter *e, const double *factors, uint32_t count, const char *const *names) {
    Text text = text_create(e->arena);
    for (uint32_t i = 0; i < count; i++) {
        if (factors[i] == 0)
            continue;
        const char *sign = factors[i] < 0 ? (text.length ? " - " : "-") : text.length ? " + " : "";
        double factor = fabs(factors[i]);
        if (factor < 1 || factor > 1)
            text_format(&text, "%s%s * %s", sign, glsl_number(e->arena, DTYPE_F32, factor), names[i]);
        else
            text_format(&text, "%s%s", sign, names[i]);
    }
    return text.data;
}

static void store(const Block *block, uint32_t row, uint32_t column, const char *name) {
    Emitter *e = block->emitter;
    Index index[MAX_RANK];
    const char *condition = place(block, block->w.to, block->w.matrix.rows, row, column, index);
    EmitScope scope = emit_open(e, condition ? arena_format(e->arena, "if (%s) {", condition) : NULL);
    tile_store(e, index, name);
    emit_close(e, scope, condition != NULL);
}

static uint64_t emit(Emitter *e) {
    Value root = e->kernel->root;
    const Node *node = graph_node(e->graph, root);
    Block block = {.emitter = e, .w = winograd_of(e->graph, node)};
    const WinogradMatrix *t = &block.w.matrix;
    const char *columns[WINOGRAD_SIDE_MAX][WINOGRAD_SIDE_MAX]; // by row of the result: T block
    uint64_t count = (uint64_t)block.w.rows * vectors_of(&block.w);
    emit_line(e, "if (gid >= %llu)", (unsigned long long)count);
    emit_line(e, "    return;");
    name_block(&block);
    for (int axis = 0; axis < 2; axis++)
        if (block.w.from == WINOGRAD_IMAGE || block.w.to == WINOGRAD_IMAGE)
            name_pixels(&block, axis, block.w.from == WINOGRAD_IMAGE ? t->columns : t->rows);
    for (uint32_t x = 0; x < t->columns; x++) {
        const char *loaded[WINOGRAD_SIDE_MAX];
        for (uint32_t y = 0; y < t->columns; y++)
            loaded[y] = load(&block, node->args[0], y, x);
        for (uint32_t u = 0; u < t->rows; u++) {
            columns[u][x] = arena_format(e->arena, "c%u%u", u, x);
            emit_line(e, "vec4 %s = %s;", columns[u][x], combine(e, t->factors[u], t->columns, loaded));
        }
    }
    for (uint32_t u = 0; u < t->rows; u++)
        for (uint32_t v = 0; v < t->rows; v++) {
            const char *name = arena_format(e->arena, "r%u%u", u, v);
            emit_line(e, "vec4 %s = %s;", name, combine(e, t->factors[v], t->columns, columns[u]));
            store(&block, u, v, name);
        }
    uint32_t lanes = schedule_lanes(&e->kernel->schedule);
    return (count + lanes - 1) / lanes;
}

static Work work(const KernelView *view, const Schedule *schedule) {
    const Graph *graph = view->list->graph;
    const Node *node = graph_node(graph, view->value);
    Winograd w = winograd_of(graph, node);
    double terms = 0, lanes = schedule_lanes(schedule), side = w.matrix.columns, results = w.matrix.rows;
    for (uint32_t i = 0; i < w.matrix.rows; i++)
        for (uint32_t j = 0; j < w.matrix.columns; j++)
            terms += w.matrix.factors[i][j] < 0 || w.matrix.factors[i][j] > 0;
    Work work = {
        .groups = ceil((double)w.rows * vectors_of(&w) / lanes),
        .lanes = lanes,
        .multiply_adds = terms * (side + results),
        .places = side * side,
        .stores = results * results,
        .streams = w.places,
    };
    tile_count_loads(&work, view, schedule, side * side, 0);
    return work;
}

static bool fits(const KernelView *view, const Schedule *schedule, const Target *target, const char **why) {
    (void)schedule, (void)target;
    *why = winograd_is(graph_node(view->list->graph, view->value)->op) ? NULL : "it is no transform of tiles";
    return !*why;
}

// Sums of columns, then of rows, each with factors that are rounded, too.
static double error(const KernelView *view, const Schedule *schedule) {
    (void)schedule;
    const Graph *graph = view->list->graph;
    Winograd w = winograd_of(graph, graph_node(graph, view->value));
    return 2 * (rounding_of_sum(w.matrix.columns, 1, true) + 1);
}

// clang-format off
//                lanes  texel
static const Candidate candidates[] = {
    {TARGET_CPU, {64,  1}},
    {TARGET_GPU, {64,  0}},
    {TARGET_ANY, {64,  0}},
};
// clang-format on

const Family winograd_family = {
    .name = "winograd",
    .summary = "one invocation transforms one block of a vec4 of channels",
    .kernel_class = KERNEL_CONTRACT,
    .params = {FAMILY_LANES, FAMILY_TEXEL},
    .param_count = PARAM_OWN,
    .candidates = candidates,
    .candidate_count = sizeof candidates / sizeof *candidates,
    .fits = fits,
    .work = work,
    .emit = emit,
    .error = error,
    .template_name = "map.comp",
};
