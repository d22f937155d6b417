// Tiled: for GPUs, a workgroup stages slices of both operands in shared memory; each lane keeps a tile of rows x vec4s of columns.
#include "compiler/schedules/rounding.h"
#include "compiler/schedules/tile.h"

typedef struct {
    Emitter *emitter;
    Contract c;
    uint32_t lanes, rows, columns, depth;    // lanes of the workgroup; rows and vec4s of columns of a lane; channels staged at once
    uint32_t across, down;                   // lanes along columns and along rows
    uint32_t tile_rows, vectors;             // rows of a workgroup; vec4s of columns in all
    uint32_t column_blocks, row_blocks, plane_y, plane_x, row_count, shared_vectors;
    uint32_t parity[2], parities;            // remainders of y and of x; of both
    uint64_t groups;
} Tiled;

enum { ROWS = PARAM_OWN, ACROSS, DEPTH, COLUMNS };

static Tiled tiled_of(Emitter *emitter, const Contract *contract, const Schedule *schedule) {
    const uint32_t *values = schedule->values;
    Tiled t = {.emitter = emitter, .c = *contract, .lanes = values[PARAM_LANES], .rows = values[ROWS], .across = values[ACROSS], .depth = values[DEPTH], .columns = values[COLUMNS]};
    bool parity = t.c.kind == ROWS_INPUT;
    uint32_t sy = parity ? (uint32_t)t.c.stride[0] : 1, sx = parity ? (uint32_t)t.c.stride[1] : 1;
    t.down = t.lanes / t.across;
    t.tile_rows = t.down * t.rows;
    t.parity[0] = sy, t.parity[1] = sx, t.parities = sy * sx;
    t.plane_y = contract_ceil_div(t.c.height, sy), t.plane_x = contract_ceil_div(t.c.width, sx);
    t.row_count = t.c.images * t.plane_y * t.plane_x;
    t.vectors = contract_ceil_div(t.c.columns, 4);
    t.column_blocks = contract_ceil_div(t.vectors, t.across * t.columns);
    t.row_blocks = contract_ceil_div(t.row_count, t.tile_rows);
    t.groups = (uint64_t)t.column_blocks * t.row_blocks * t.parities * t.c.batch * t.c.groups;
    t.shared_vectors = t.depth / 4 * t.tile_rows + t.depth * t.across * t.columns;
    return t;
}

// The template has a constant for every number.
static void set_tile(const Tiled *t) {
    Emitter *e = t->emitter;
    const Contract *c = &t->c;
    const Constant constants[] = {{"LANES", t->lanes},
                                  {"ROWS", t->rows},
                                  {"COLUMNS", t->columns},
                                  {"ACROSS", t->across},
                                  {"DEPTH", t->depth},
                                  {"WORKGROUPS", (int64_t)t->groups},
                                  {"COLUMN_BLOCKS", t->column_blocks},
                                  {"ROW_BLOCKS", t->row_blocks},
                                  {"PARITIES_Y", t->parity[0]},
                                  {"PARITIES_X", t->parity[1]},
                                  {"BATCH", c->batch},
                                  {"ROW_COUNT", t->row_count},
                                  {"PLANE_Y", t->plane_y},
                                  {"PLANE_X", t->plane_x},
                                  {"HEIGHT", c->height},
                                  {"WIDTH", c->width},
                                  {"COLUMN_VECTORS", t->vectors},
                                  {"CHANNELS", c->channels}};
    for (uint32_t i = 0; i < sizeof constants / sizeof *constants; i++)
        emit_constant(e, constants[i].name, constants[i].value);
}

// Of a transposed convolution with a stride, a row meets every stride-th tap, unless dilation makes it irregular.
static int64_t tap_step(const Contract *c, int axis) { return c->kind == ROWS_INPUT && c->dilation[axis] == 1 ? c->stride[axis] : 1; }

static void set_operands(const Tiled *t) {
    Emitter *e = t->emitter;
    const Contract *c = &t->c;
    const Constant constants[] = {{"TRANSPOSED", c->kind == ROWS_INPUT},
                                  {"TAPS_Y", c->taps_y},
                                  {"TAPS_X", c->taps_x},
                                  {"TAP_STEP_Y", tap_step(c, 0)},
                                  {"TAP_STEP_X", tap_step(c, 1)},
                                  {"STRIDE_Y", c->stride[0]},
                                  {"STRIDE_X", c->stride[1]},
                                  {"DILATION_Y", c->dilation[0]},
                                  {"DILATION_X", c->dilation[1]},
                                  {"PAD_Y", c->pad[0]},
                                  {"PAD_X", c->pad[1]},
                                  {"X_HEIGHT", c->x_height},
                                  {"X_WIDTH", c->x_width},
                                  {"X_IMAGE", c->x_image / 4},
                                  {"X_ROW", c->x_row / 4},
                                  {"X_COLUMN", c->x_column / 4},
                                  {"X_BATCH", c->x_batch / 4},
                                  {"X_GROUP", c->groups > 1 ? c->channels / 4 : 0},
                                  {"W_TAP_Y", c->w_tap_y / 4},
                                  {"W_TAP_X", c->w_tap_x / 4},
                                  {"W_CHANNEL", c->w_channel / 4},
                                  {"W_BATCH", c->w_batch / 4},
                                  {"W_GROUP", c->groups == 1 ? 0 : c->kind == ROWS_INPUT ? c->channels * (c->w_channel / 4) : c->columns / 4}};
    for (uint32_t i = 0; i < sizeof constants / sizeof *constants; i++)
        emit_constant(e, constants[i].name, constants[i].value);
}

// What follows the contraction, of `sum` at `row`, and the stores.
static void write_epilogue(const Tiled *t) {
    Emitter *e = t->emitter;
    const Contract *c = &t->c;
    Type type = graph_type(e->graph, e->kernel->root);
    Index column = index_add(e->pool, index_scale(e->pool, index_opaque(e->pool, "columns", 0, (int64_t)t->vectors - 1), 4), e->lane), index[MAX_RANK];
    if (c->groups > 1)
        column = index_add(e->pool, column, index_scale(e->pool, index_opaque(e->pool, "channel_group", 0, (int64_t)c->groups - 1), c->columns));
    tile_row_index(e, c, &type, "", t->row_count, index);
    index[c->kind == ROWS_PLAIN ? type.rank - 1 : 1] = column;
    tile_store(e, index, "sum");
}

// The four channels from `k + s` on of the staged pixel: those beyond the last are zero, as they are in memory. What they are multiplied with is
// zero, too, but what is computed of them may be no number.
static const char *computed_x(const Tiled *t) {
    Emitter *e = t->emitter;
    const Contract *c = &t->c;
    Index index[MAX_RANK], vector = emit_opaque_index(e, "k + s", 0, (int64_t)contract_ceil_div(c->channels, 4) - 1), channels = tile_elements(e, c, vector, c->channels);
    if (c->kind == ROWS_PLAIN) {
        Type type = graph_type(e->graph, c->x);
        tile_unravel_matrix(e, &type, c->batch, index);
        index[type.rank - 2] = index_opaque(e->pool, "staged_row", 0, (int64_t)t->row_count - 1), index[type.rank - 1] = channels;
    } else {
        index[0] = index_opaque(e->pool, "staged.x", 0, (int64_t)c->images - 1), index[1] = channels;
        index[2] = index_opaque(e->pool, "iy", 0, (int64_t)c->x_height - 1), index[3] = index_opaque(e->pool, "ix", 0, (int64_t)c->x_width - 1);
    }
    const char *value = tile_operand(e, c->x, index);
    return c->channels % 4 ? arena_format(e->arena, "mix(vec4(0.0), %s, lessThan(4 * (k + s) + ivec4(0, 1, 2, 3), ivec4(CHANNELS)))", value) : value;
}

// Four columns of channel 4 * k + s.
static const char *computed_w(const Tiled *t) {
    Emitter *e = t->emitter;
    const Contract *c = &t->c;
    IndexPool *pool = e->pool;
    Index index[MAX_RANK], channel = emit_opaque_index(e, "4 * k + s", 0, (int64_t)c->channels - 1), vector = index_opaque(pool, "columns", 0, (int64_t)t->vectors - 1);
    if (c->kind == ROWS_PLAIN) {
        Type type = graph_type(e->graph, c->w);
        tile_unravel_matrix(e, &type, c->batch, index);
        index[type.rank - 2] = channel, index[type.rank - 1] = tile_elements(e, c, vector, c->columns);
        return tile_operand(e, c->w, index);
    }
    tile_weight(e, c, channel, vector, tile_tap(e, c, 1), index);
    return tile_operand(e, c->w, index);
}

// What an operand is at `at`, or wherever it is computed; names and indices end with the slot.
static void write_load(Emitter *emitter, Value operand, const char *name, const char *(*computed)(const Tiled *t), const Tiled *t) {
    EmitScope scope = emit_open(emitter, NULL);
    emit_line(emitter, "%s = %s;", name, kernel_computes(emitter->list, operand) ? computed(t) : tile_load(emitter, operand, "at"));
    emit_close(emitter, scope, false);
    emit_slot(emitter, arena_format(emitter->arena, "load_%s", name));
}

static uint64_t emit(Emitter *emitter) {
    Contract c = contract_of(emitter->list, emitter->kernel->root);
    Tiled t = tiled_of(emitter, &c, &emitter->kernel->schedule);
    set_tile(&t);
    set_operands(&t);
    emitter->shared_bytes += 16 * t.shared_vectors;
    write_load(emitter, c.x, "x", computed_x, &t);
    write_load(emitter, c.w, "w", computed_w, &t);
    write_epilogue(&t);
    emit_slot(emitter, "epilogue");
    return t.groups;
}

static Work work(const KernelView *view, const Schedule *schedule) {
    const Contract *c = &view->contract;
    Tiled t = tiled_of(NULL, c, schedule);
    uint32_t staged = contract_ceil_div(c->channels, t.depth); // times for a tap, the last perhaps of zeros
    double steps = staged * (t.depth / 4.0) * c->taps_y * c->taps_x / (double)t.parities, tile = t.rows * t.columns;
    Work work = {
        .groups = (double)t.groups,
        .lanes = t.lanes,
        .multiply_adds = steps * 4 * tile,
        .shared_loads = steps * (t.rows + 4.0 * t.columns),
        .turns = steps,
        .sums = tile,
        .stores = tile,
    };
    tile_count_loads(&work, view, schedule, steps * t.tile_rows / t.lanes, steps * 4 * t.across * t.columns / t.lanes);
    return work;
}

static bool fits(const KernelView *view, const Schedule *schedule, const Target *target, const char **why) {
    const uint32_t *values = schedule->values;
    Arena *arena = view->list->arena;
    *why = view->contract.is_outer ? "it sums over rows" : tile_misfit(view, values[ROWS] * values[COLUMNS], 1, 1);
    if (!*why && (values[PARAM_LANES] % values[ACROSS] || values[ACROSS] % values[ROWS]))
        *why = arena_format(arena, "across (%u) must divide lanes (%u) and be a multiple of rows (%u), so that lanes stage whole rows", values[ACROSS], values[PARAM_LANES],
                            values[ROWS]);
    if (*why)
        return false;
    uint32_t bytes = 16 * tiled_of(NULL, &view->contract, schedule).shared_vectors;
    if (bytes > target->shared_bytes_max)
        *why = arena_format(arena, "its tiles take %u bytes of shared memory, the target has %u", bytes, target->shared_bytes_max);
    return !*why;
}

// clang-format off
//                lanes  texel  rows  across  depth  columns
static const Candidate candidates[] = {
    {TARGET_GPU, {256, 0, 8, 16, 16, 2}},
    {TARGET_GPU, {128, 0, 8, 8,  16, 2}},
    {TARGET_GPU, {64,  0, 8, 8,  16, 2}},
    {TARGET_GPU, {64,  0, 8, 8,  8,  2}},
    {TARGET_GPU, {64,  0, 8, 8,  8,  1}},
    {TARGET_GPU, {128, 0, 8, 16, 16, 1}},
    {TARGET_GPU, {128, 0, 4, 8,  16, 1}},
    {TARGET_GPU, {64,  0, 4, 8,  16, 1}},
    {TARGET_GPU, {64,  0, 4, 8,  8,  1}},
};
// clang-format on

const Family tiled_family = {
    .name = "tiled",
    .summary = "a workgroup stages slices of both operands in shared memory; a lane has several rows and vec4s of columns",
    .kernel_class = KERNEL_CONTRACT,
    .params = {FAMILY_LANES_FROM_4,
               FAMILY_TEXEL,
               {"rows", "of a lane", {1, 2, 4, 8}, 4},
               {"across", "lanes beside each other along columns", {4, 8, 16, 32}, 4},
               {"depth", "channels that are staged at once", {4, 8, 16, 32}, 4},
               {"columns", "vec4s of columns of a lane", {1, 2, 4}, 3, .before = 1}},
    .param_count = 6,
    .candidates = candidates,
    .candidate_count = sizeof candidates / sizeof *candidates,
    .fits = fits,
    .work = work,
    .emit = emit,
    .error = rounding_of_contraction,
    .template_name = "contract_tiled.comp",
};
