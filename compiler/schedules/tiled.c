// Tiled: for GPUs, a workgroup stages slices of both operands in shared memory; each lane keeps a tile of rows x one vec4 of columns.
#include "compiler/schedules/rounding.h"
#include "compiler/schedules/tile.h"

typedef struct {
    Emitter *emitter;
    Contract c;
    uint32_t lanes, rows, depth;             // lanes of the workgroup; rows of a lane; channels staged at once
    uint32_t across, down;                   // lanes along columns and along rows
    uint32_t tile_rows, vectors;             // rows of a workgroup; vec4s of columns in all
    uint32_t column_blocks, row_blocks, parities, plane_y, plane_x, row_count, shared_vectors;
    uint64_t groups;
} Tiled;

enum { ROWS = PARAM_OWN, ACROSS, DEPTH };

static Tiled tiled_of(Emitter *emitter, const Contract *contract, const Schedule *schedule) {
    const uint32_t *values = schedule->values;
    Tiled t = {.emitter = emitter, .c = *contract, .lanes = values[PARAM_LANES], .rows = values[ROWS], .across = values[ACROSS], .depth = values[DEPTH]};
    bool parity = t.c.kind == ROWS_INPUT;
    uint32_t sy = parity ? (uint32_t)t.c.stride[0] : 1, sx = parity ? (uint32_t)t.c.stride[1] : 1;
    t.down = t.lanes / t.across;
    t.tile_rows = t.down * t.rows;
    t.parities = sy * sx;
    t.plane_y = contract_ceil_div(t.c.height, sy), t.plane_x = contract_ceil_div(t.c.width, sx);
    t.row_count = t.c.images * t.plane_y * t.plane_x;
    t.vectors = contract_ceil_div(t.c.columns, 4);
    t.column_blocks = contract_ceil_div(t.vectors, t.across);
    t.row_blocks = contract_ceil_div(t.row_count, t.tile_rows);
    t.groups = (uint64_t)t.column_blocks * t.row_blocks * t.parities * t.c.batch * t.c.groups;
    t.shared_vectors = t.depth / 4 * t.tile_rows + t.depth * t.across;
    return t;
}

// n, y and x of a row: `int nNAME = …`.
static void decode(const Tiled *t, const char *name, const char *row) {
    Emitter *e = t->emitter;
    const Contract *c = &t->c;
    emit_line(e, "int row%s = min(%s, %u);", name, row, t->row_count - 1);
    if (c->kind == ROWS_PLAIN)
        return;
    emit_line(e, "int x%s = row%s %% %u, y%s = row%s / %u %% %u, n%s = row%s / %u;", name, name, t->plane_x, name, name, t->plane_x, t->plane_y, name, name, t->plane_x * t->plane_y);
    if (t->parities > 1)
        emit_line(e, "x%s = x%s * %lld + parity %% %lld; y%s = y%s * %lld + parity / %lld;", name, name, (long long)c->stride[1], (long long)c->stride[1], name, name,
                  (long long)c->stride[0], (long long)c->stride[1]);
}

static void begin(const Tiled *t) {
    Emitter *e = t->emitter;
    emit_line(e, "int part = group;");
    emit_line(e, "int first_column = part %% %u * %u; part /= %u; // vec4 of output channels", t->column_blocks, t->across, t->column_blocks);
    emit_line(e, "int first_row = part %% %u * %u; part /= %u;", t->row_blocks, t->tile_rows, t->row_blocks);
    if (t->parities > 1)
        emit_line(e, "int parity = part %% %u; part /= %u; // rows of one remainder of y and x by the stride use the same taps", t->parities, t->parities);
    if (t->c.batch > 1)
        emit_line(e, "int matrix = part;");
    if (t->c.groups > 1)
        emit_line(e, "int channel_group = part;");
    emit_line(e, "int across = lane_id %% %u, down = lane_id / %u;", t->across, t->across);
    emit_line(e, "int columns = first_column + across;");
    decode(t, "_staged", arena_format(e->arena, "first_row + lane_id %% %u", t->tile_rows));
    for (uint32_t p = 0; p < t->rows; p++)
        emit_line(e, "vec4 a%u = vec4(0.0);", p);
}

static uint32_t open_taps(const Tiled *t, EmitScope *scopes) {
    Emitter *e = t->emitter;
    const Contract *c = &t->c;
    static const char *const names[2] = {"ky", "kx"};
    uint32_t opened = 0;
    for (int i = 0; i < 2; i++) {
        uint32_t taps = i ? c->taps_x : c->taps_y;
        long long stride = c->stride[i];
        if (c->kind == ROWS_INPUT && stride > 1 && c->dilation[i] == 1)
            scopes[opened++] = emit_open(e, arena_format(e->arena, "for (int %s = (%s + %lld) %% %lld; %s < %u; %s += %lld) {", names[i],
                                                         arena_format(e->arena, i ? "parity %% %lld" : "parity / %lld", (long long)c->stride[1]), (long long)c->pad[i], stride,
                                                         names[i], taps, names[i], stride));
        else
            scopes[opened++] = emit_open(e, arena_format(e->arena, "for (int %s = 0; %s < %u; %s++) {", names[i], names[i], taps, names[i]));
    }
    return opened;
}

// Where this lane's staged row reads x at the tap, and whether that is inside.
static void place_row(const Tiled *t) {
    Emitter *e = t->emitter;
    const Contract *c = &t->c;
    if (c->kind == ROWS_PLAIN) {
        emit_line(e, "bool inside = true;");
        emit_line(e, "int at = row_staged * %u%s;", c->x_image / 4, c->batch > 1 ? arena_format(e->arena, " + matrix * %u", c->x_batch / 4) : "");
    } else {
        bool input = c->kind == ROWS_INPUT;
        for (int i = 0; i < 2; i++) {
            char axis = i ? 'x' : 'y';
            if (input)
                emit_line(e, "int i%c = %c_staged + %lld - k%c * %lld;", axis, axis, (long long)c->pad[i], axis, (long long)c->dilation[i]);
            else
                emit_line(e, "int i%c = %c_staged * %lld + k%c * %lld - %lld;", axis, axis, (long long)c->stride[i], axis, (long long)c->dilation[i], (long long)c->pad[i]);
        }
        emit_line(e, "bool inside = iy >= 0 && ix >= 0;");
        if (input && (c->stride[0] > 1 || c->stride[1] > 1)) {
            emit_line(e, "inside = inside && iy %% %lld == 0 && ix %% %lld == 0;", (long long)c->stride[0], (long long)c->stride[1]);
            emit_line(e, "iy /= %lld; ix /= %lld;", (long long)c->stride[0], (long long)c->stride[1]);
        }
        emit_line(e, "inside = inside && iy < %u && ix < %u;", c->x_height, c->x_width);
        emit_line(e, "int at = n_staged * %u + iy * %u + ix * %u%s;", c->x_image / 4, c->x_row / 4, c->x_column / 4,
                  c->groups > 1 ? arena_format(e->arena, " + channel_group * %u", c->channels / 4) : "");
    }
    Text weights = text_create(e->arena);
    text_format(&weights, "ky * %u + kx * %u", c->w_tap_y / 4, c->w_tap_x / 4);
    if (c->batch > 1)
        text_format(&weights, " + matrix * %u", c->w_batch / 4);
    if (c->groups > 1)
        text_format(&weights, " + channel_group * %u", c->kind == ROWS_INPUT ? c->channels * (c->w_channel / 4) : c->columns / 4);
    emit_line(e, "int weight = %s;", weights.data);
}

static void stage_and_multiply(const Tiled *t) {
    Emitter *e = t->emitter;
    const Contract *c = &t->c;
    uint32_t channel_vectors = contract_ceil_div(c->channels, 4), staged = t->depth / 4;
    EmitScope slices = emit_open(e, arena_format(e->arena, "for (int k = 0; k < %u; k += %u) {", channel_vectors, staged));
    EmitScope x = emit_open(e, arena_format(e->arena, "for (int s = lane_id / %u; s < %u; s += %u) {", t->tile_rows, staged, t->lanes / t->tile_rows));
    emit_line(e, "bool there = inside && k + s < %u;", channel_vectors);
    emit_line(e, "tile_x[s * %u + lane_id %% %u] = there ? %s : vec4(0.0);", t->tile_rows, t->tile_rows, emit_vector_load(e, c->x, "(there ? at + k + s : 0)"));
    emit_close(e, x, true);
    EmitScope w = emit_open(e, arena_format(e->arena, "for (int s = lane_id / %u; s < %u; s += %u) {", t->across, t->depth, t->down));
    emit_line(e, "bool there = 4 * k + s < %u && columns < %u;", c->channels, t->vectors);
    emit_line(e, "tile_w[s * %u + across] = there ? %s : vec4(0.0);", t->across,
              emit_vector_load(e, c->w, arena_format(e->arena, "(there ? weight + (4 * k + s) * %u + columns : 0)", c->w_channel / 4)));
    emit_close(e, w, true);
    emit_line(e, "barrier();");
    EmitScope inner = emit_open(e, arena_format(e->arena, "for (int s = 0; s < %u; s++) {", staged));
    for (int j = 0; j < 4; j++)
        emit_line(e, "vec4 w%d = tile_w[(4 * s + %d) * %u + across];", j, j, t->across);
    emit_line(e, "vec4 b;");
    for (uint32_t p = 0; p < t->rows; p++)
        emit_line(e, "b = tile_x[s * %u + down * %u + %u]; a%u += b.x * w0; a%u += b.y * w1; a%u += b.z * w2; a%u += b.w * w3;", t->tile_rows, t->rows, p, p, p, p, p);
    emit_close(e, inner, true);
    emit_line(e, "barrier();");
    emit_close(e, slices, true);
}

static void finish(const Tiled *t) {
    Emitter *e = t->emitter;
    const Contract *c = &t->c;
    Value root = e->kernel->root;
    Type type = graph_type(e->graph, root);
    bool plain = c->kind == ROWS_PLAIN;
    EmitScope columns = emit_open(e, arena_format(e->arena, "if (columns < %u) {", t->vectors));
    Index column = index_add(e->pool, index_scale(e->pool, index_opaque(e->pool, "columns", 0, (int64_t)t->vectors - 1), 4), e->lane), index[MAX_RANK];
    if (c->groups > 1)
        column = index_add(e->pool, column, index_scale(e->pool, index_opaque(e->pool, "channel_group", 0, (int64_t)c->groups - 1), c->columns));
    for (uint32_t p = 0; p < t->rows; p++) {
        const char *name = arena_format(e->arena, "%u", p), *row = arena_format(e->arena, "first_row + down * %u + %u", t->rows, p);
        decode(t, name, row);
        const char *rest = t->parities > 1 ? arena_format(e->arena, " && y%u < %u && x%u < %u", p, c->height, p, c->width) : "";
        EmitScope scope = emit_open(e, arena_format(e->arena, "if (%s < %u%s) {", row, t->row_count, rest));
        tile_row_index(e, c, &type, p, t->row_count, index);
        index[plain ? type.rank - 1 : 1] = column;
        tile_store(e, index, arena_format(e->arena, "a%u", p));
        emit_close(e, scope, true);
    }
    emit_close(e, columns, true);
}

static uint64_t emit(Emitter *emitter) {
    Contract c = contract_of(emitter->list, emitter->kernel->root);
    Tiled t = tiled_of(emitter, &c, &emitter->kernel->schedule);
    text_format(&emitter->functions, "shared vec4 tile_x[%u];\nshared vec4 tile_w[%u];\n", t.depth / 4 * t.tile_rows, t.depth * t.across);
    emitter->shared_bytes += 16 * t.shared_vectors;
    emit_line(emitter, "if (group >= %llu)", (unsigned long long)t.groups);
    emit_line(emitter, "    return; // the whole workgroup: no barrier is missed");
    begin(&t);
    EmitScope scopes[2];
    uint32_t opened = open_taps(&t, scopes);
    place_row(&t);
    stage_and_multiply(&t);
    while (opened-- > 0)
        emit_close(emitter, scopes[opened], true);
    finish(&t);
    return t.groups;
}

static Work work(const KernelView *view, const Schedule *schedule) {
    const Contract *c = &view->contract;
    Tiled t = tiled_of(NULL, c, schedule);
    double steps = contract_ceil_div(c->channels, 4) * c->taps_y * c->taps_x / (double)t.parities, staged = steps * (t.tile_rows + 4.0 * t.across) / t.lanes;
    return (Work){
        .groups = (double)t.groups,
        .lanes = t.lanes,
        .multiply_adds = steps * 4 * t.rows,
        .texel_loads = schedule->values[PARAM_TEXEL] ? staged : 0,
        .storage_loads = schedule->values[PARAM_TEXEL] ? 0 : staged,
        .shared_loads = steps * (t.rows + 4.0),
        .turns = steps,
        .sums = t.rows,
        .stores = t.rows,
    };
}

static bool fits(const KernelView *view, const Schedule *schedule, const Target *target, const char **why) {
    const uint32_t *values = schedule->values;
    Arena *arena = view->list->arena;
    *why = view->contract.is_outer ? "it sums over rows" : tile_misfit(view, values[ROWS]);
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

static double error(const KernelView *view, const Schedule *schedule) {
    (void)schedule;
    return rounding_of_sum(contract_terms(&view->contract), 1, true);
}

// clang-format off
//                lanes  texel  rows  across  depth
static const Candidate candidates[] = {
    {TARGET_GPU, {128, 0, 8, 16, 16}},
    {TARGET_GPU, {128, 0, 4, 8,  16}},
    {TARGET_GPU, {64,  0, 4, 8,  16}},
};
// clang-format on

const Family tiled_family = {
    .name = "tiled",
    .summary = "a workgroup stages slices of both operands in shared memory; a lane has several rows and one vec4 of columns",
    .kernel_class = KERNEL_CONTRACT,
    .params = {FAMILY_LANES_FROM_4,
               FAMILY_TEXEL,
               {"rows", "of a lane", {1, 2, 4, 8}, 4},
               {"across", "lanes beside each other along columns", {4, 8, 16, 32}, 4},
               {"depth", "channels that are staged at once", {4, 8, 16, 32}, 4}},
    .param_count = 5,
    .candidates = candidates,
    .candidate_count = sizeof candidates / sizeof *candidates,
    .fits = fits,
    .work = work,
    .emit = emit,
    .error = error,
    .template_name = "contract.comp",
};
