// Outer: weight gradients as register tiles: each lane has several channels and columns - of one tap, or (strips) of all taps along a line, which share
// the pixels that they read - and walks over the rows. Tiles are unrolled in the text.
#include "compiler/schedules/outer.h"
#include "compiler/schedules/rounding.h"
#include <math.h>

// How workgroups share out a weight gradient: lanes have columns and taps, and channels too where fewer lanes are idle then.
typedef struct {
    uint32_t lane_count; // lanes with work, over the workgroups of one part
    bool channels_by_lane;
    uint64_t groups;
} OuterGrid;

static OuterGrid grid_of(const Contract *c, uint32_t rows, uint32_t columns, uint32_t taps, uint32_t lanes) {
    uint32_t blocks = contract_ceil_div(contract_ceil_div(c->channels, 4), rows);
    uint32_t tiles = c->taps_y * c->taps_x / taps * contract_ceil_div(contract_ceil_div(c->columns, 4), columns);
    uint64_t apart = (uint64_t)contract_ceil_div(tiles, lanes) * blocks, together = ((uint64_t)tiles * blocks + lanes - 1) / lanes, parts = (uint64_t)c->slices * c->batch * c->groups;
    if (together < apart)
        return (OuterGrid){tiles * blocks, true, together * parts};
    return (OuterGrid){tiles, false, apart * parts};
}

typedef struct {
    Emitter *emitter;
    Contract c;
    uint32_t rows, columns, lanes; // vec4s of channels and of columns of a lane; lanes of a workgroup
    uint32_t taps;                 // along a line, of a lane: accumulators are numbered tap, channel; column
    uint32_t at_once;              // rows of x and g that are multiplied in one go
    uint32_t channel_vectors, column_vectors, channel_blocks, column_groups, lane_count, lane_blocks;
    uint64_t groups;
    bool channels_by_lane; // else a workgroup's lanes have the same channels
} Outer;

enum { CHANNELS = PARAM_OWN, COLUMNS, AT_ONCE };

static Outer outer_of(Emitter *emitter, const Contract *contract, const Schedule *schedule, uint32_t taps) {
    const uint32_t *values = schedule->values;
    Outer t = {.emitter = emitter, .c = *contract, .rows = values[CHANNELS], .columns = values[COLUMNS], .lanes = values[PARAM_LANES], .at_once = values[AT_ONCE], .taps = taps};
    t.channel_vectors = contract_ceil_div(t.c.channels, 4);
    t.column_vectors = contract_ceil_div(t.c.columns, 4);
    t.channel_blocks = contract_ceil_div(t.channel_vectors, t.rows);
    t.column_groups = contract_ceil_div(t.column_vectors, t.columns);
    OuterGrid grid = grid_of(&t.c, t.rows, t.columns, t.taps, t.lanes);
    t.channels_by_lane = grid.channels_by_lane;
    t.lane_count = grid.lane_count;
    t.lane_blocks = contract_ceil_div(t.lane_count, t.lanes);
    t.groups = grid.groups;
    return t;
}

static uint32_t accumulators(const Outer *t) { return 4 * t->rows * t->taps; } // for each vec4 of columns

static void outer_begin(const Outer *t) {
    Emitter *e = t->emitter;
    const Contract *c = &t->c;
    emit_line(e, "int part = group;");
    emit_line(e, "int lane_index = part %% %u * %u + lane_id; part /= %u;", t->lane_blocks, t->lanes, t->lane_blocks);
    if (!t->channels_by_lane)
        emit_line(e, "int channels = part %% %u * %u; part /= %u; // first vec4 of x's channels", t->channel_blocks, t->rows, t->channel_blocks);
    if (c->slices > 1)
        emit_line(e, "int slice = part %% %u; part /= %u; // of the images", c->slices, c->slices);
    if (c->batch > 1)
        emit_line(e, "int matrix = part;");
    if (c->groups > 1)
        emit_line(e, "int channel_group = part;");
    emit_line(e, "int chosen = min(lane_index, %u);", t->lane_count - 1);
    emit_line(e, "int columns = chosen %% %u; chosen /= %u;", t->column_groups, t->column_groups);
    if (t->channels_by_lane)
        emit_line(e, "int channels = chosen %% %u * %u; chosen /= %u; // first vec4 of x's channels", t->channel_blocks, t->rows, t->channel_blocks);
    if (t->taps > 1)
        emit_line(e, "int ky = chosen;");
    else
        emit_line(e, "int ky = chosen / %u, kx = chosen %% %u;", c->taps_x, c->taps_x);
    for (uint32_t r = 0; r < accumulators(t); r++)
        for (uint32_t q = 0; q < t->columns; q++)
            emit_line(e, "vec4 a%u_%u = vec4(0.0);", r, q);
}

// Where row u of `count` reads x for a tap, counted in pixels from what row 0 reads for tap 0: the rows of a matmul are their own places.
static uint32_t place_of(const Outer *t, uint32_t u, uint32_t tap) {
    return t->c.kind == ROWS_PLAIN || t->taps == 1 ? u : u * (uint32_t)t->c.stride[1] + tap * (uint32_t)t->c.dilation[1];
}

static uint32_t place_end(const Outer *t, uint32_t count) { return place_of(t, count - 1, t->taps - 1) + 1; }

static bool is_place_read(const Outer *t, uint32_t count, uint32_t place) {
    for (uint32_t u = 0; u < count; u++)
        for (uint32_t tap = 0; tap < t->taps; tap++)
            if (place_of(t, u, tap) == place)
                return true;
    return false;
}

// The products of `count` rows (pixels) that follow each other: of x at `at<place>`, of g at `from` and further. Each accumulator takes all of
// them in a row: a tile has more accumulators than a processor has registers, so each one is fetched and put away once for them all.
static void multiply_rows(const Outer *t, uint32_t count, bool has_border) {
    Emitter *e = t->emitter;
    const Contract *c = &t->c;
    uint32_t g_step = (c->kind == ROWS_PLAIN ? c->g_image : c->g_column) / 4, channels = 4 * t->rows;
    for (uint32_t r = 0; r < t->rows; r++)
        for (uint32_t place = 0; place < place_end(t, count); place++) {
            if (!is_place_read(t, count, place))
                continue;
            const char *channel = t->channel_vectors % t->rows ? arena_format(e->arena, "min(channels + %u, %u)", r, t->channel_vectors - 1) : arena_format(e->arena, "channels + %u", r);
            const char *fetched = tile_load(e, c->x, "at%u + %s", place, channel);
            if (has_border)
                emit_line(e, "vec4 b%u_%u = mix(vec4(0.0), %s, bvec4(inside%u));", r, place, fetched, place);
            else
                emit_line(e, "vec4 b%u_%u = %s;", r, place, fetched);
        }
    for (uint32_t q = 0; q < t->columns; q++) {
        for (uint32_t u = 0; u < count; u++) {
            const char *column = q == 0 ? "0" : t->column_vectors % t->columns ? arena_format(e->arena, "min(%u, %u - columns)", q * t->column_groups, t->column_vectors - 1)
                                                                            : arena_format(e->arena, "%u", q * t->column_groups);
            emit_line(e, "vec4 g%u_%u = %s;", q, u, tile_load(e, c->w, "from + %u + %s", u * g_step, column));
        }
        for (uint32_t r = 0; r < accumulators(t); r++) {
            Text line = text_create(e->arena);
            for (uint32_t u = 0; u < count; u++)
                text_format(&line, "%sa%u_%u += b%u_%u.%c * g%u_%u;", u ? " " : "", r, q, r % channels / 4, place_of(t, u, r / channels), "xyzw"[r % 4], q, u);
            emit_line(e, "%s", line.data);
        }
    }
    emit_line(e, "from += %u;", count * g_step);
}

// `count` images of a matmul's rows from number n on.
static void plain_rows(const Outer *t, uint32_t count) {
    Emitter *e = t->emitter;
    const Contract *c = &t->c;
    const char *batch = c->batch > 1 ? arena_format(e->arena, " + matrix * %u", c->x_batch / 4) : "";
    for (uint32_t u = 0; u < count; u++)
        emit_line(e, "int at%u = (n%s) * %u%s;", u, tile_plus(e->arena, u), c->x_image / 4, batch);
    multiply_rows(t, count, false);
}

// `count` pixels of a line from x on.
static void line_pixels(const Outer *t, uint32_t count) {
    Emitter *e = t->emitter;
    const Contract *c = &t->c;
    bool border = c->taps_y > 1 || c->taps_x > 1 || c->pad[0] || c->pad[1];
    for (uint32_t place = 0; place < place_end(t, count); place++) {
        if (!is_place_read(t, count, place))
            continue;
        const char *tap = t->taps > 1 ? "" : arena_format(e->arena, " + %s", tile_times(e->arena, "kx", c->dilation[1]));
        int64_t from_x = (t->taps > 1 ? place : place * c->stride[1]) - c->pad[1];
        emit_line(e, "int ix%u = %s%s%s;", place, tile_times(e->arena, "x", c->stride[1]), tap, tile_plus(e->arena, from_x));
        if (border) {
            emit_line(e, "bool inside%u = all(bvec2(meets, uint(ix%u) < %uu));", place, place, c->x_width);
            emit_line(e, "int at%u = mix(0, line + ix%u * %u, inside%u);", place, place, c->x_column / 4, place);
        } else {
            emit_line(e, "int at%u = line + ix%u * %u;", place, place, c->x_column / 4);
        }
    }
    multiply_rows(t, count, border);
}

// A running sum of very many terms loses digits: then each line, image or PART_ROWS rows are summed by themselves first.
enum { ROWS_AT_ONCE = 8192, PART_ROWS = 64 };

static uint64_t rows_of(const Contract *c) { return (uint64_t)c->images / c->slices * c->height * c->width; }

static bool sums_in_parts(const Outer *t) { return rows_of(&t->c) > ROWS_AT_ONCE; }

// Rows that are summed by themselves first; all of them where one sum runs over all.
static uint64_t part_of(const Contract *contract, uint32_t at_once) {
    uint64_t rows = rows_of(contract);
    if (rows <= ROWS_AT_ONCE)
        return rows;
    if (contract->kind == ROWS_PLAIN) { // as in_blocks ends them
        uint32_t steps = contract_unroll(1, (uint32_t)rows / at_once);
        return steps > 1 ? (uint64_t)steps * at_once : PART_ROWS;
    }
    return contract->width >= 32 ? contract->width : (uint64_t)contract->height * contract->width;
}

static void end_part(const Outer *t, const char *condition) {
    Emitter *e = t->emitter;
    EmitScope scope = {0};
    if (condition)
        scope = emit_open(e, condition);
    for (uint32_t r = 0; r < accumulators(t); r++)
        for (uint32_t q = 0; q < t->columns; q++)
            emit_line(e, "t%u_%u += a%u_%u; a%u_%u = vec4(0.0);", r, q, r, q, r, q);
    if (condition)
        emit_close(e, scope, true);
}

// Emits `rows` for `extent` numbers of `name` from `first` on, some at once; outer: how often this loop runs; part_every: the condition on
// `turn` under which a part of the sum ends.
static void in_blocks(const Outer *t, const char *name, const char *first, uint32_t extent, uint64_t outer, void (*rows)(const Outer *, uint32_t), const char *part_every) {
    Emitter *e = t->emitter;
    uint32_t at_once = t->at_once < extent ? t->at_once : extent, blocks = extent / at_once, tail = extent % at_once, steps = contract_unroll(outer, blocks);
    emit_line(e, "int %s = %s;", name, first);
    EmitScope loop = emit_open(e, arena_format(e->arena, "for (int turn = 0; turn < %u; turn++) {", blocks / steps));
    for (uint32_t step = 0; step < steps; step++) {
        EmitScope one = emit_open(e, steps > 1 ? "{" : NULL);
        rows(t, at_once);
        emit_line(e, "%s += %u;", name, at_once);
        emit_close(e, one, steps > 1);
    }
    if (part_every)
        end_part(t, steps > 1 ? NULL : part_every);
    emit_close(e, loop, true);
    if (tail) {
        EmitScope rest = emit_open(e, "{");
        rows(t, tail);
        emit_close(e, rest, true);
    }
}

static void outer_loops(const Outer *t) {
    Emitter *e = t->emitter;
    const Contract *c = &t->c;
    bool parts = sums_in_parts(t);
    for (uint32_t r = 0; parts && r < accumulators(t); r++)
        for (uint32_t q = 0; q < t->columns; q++)
            emit_line(e, "vec4 t%u_%u = vec4(0.0);", r, q);
    const char *x_group = c->groups > 1 ? arena_format(e->arena, " + channel_group * %u", c->channels / 4) : "";
    const char *g_group = c->groups > 1 ? arena_format(e->arena, " + channel_group * %u", c->columns / 4) : "";
    uint32_t each = c->images / c->slices;
    const char *first = c->slices > 1 ? arena_format(e->arena, "slice * %u", each) : "0";
    if (c->kind == ROWS_PLAIN) {
        const char *other = c->batch > 1 ? arena_format(e->arena, " + matrix * %u", c->w_batch / 4) : "";
        emit_line(e, "int from = %s * %u + columns%s;", first, c->g_image / 4, other);
        uint32_t turns = PART_ROWS / t->at_once;
        in_blocks(t, "n", first, each, 1, plain_rows, parts ? arena_format(e->arena, "if (turn %% %u == %u) {", turns, turns - 1) : NULL);
        return;
    }
    EmitScope images = emit_open(e, arena_format(e->arena, "for (int n = %s; n < %s + %u; n++) {", first, first, each));
    EmitScope lines = emit_open(e, arena_format(e->arena, "for (int y = 0; y < %u; y++) {", c->height));
    emit_line(e, "int iy = %s + %s%s;", tile_times(e->arena, "y", c->stride[0]), tile_times(e->arena, "ky", c->dilation[0]), tile_plus(e->arena, -c->pad[0]));
    emit_line(e, "int line = n * %u + iy * %u%s, from = n * %u + y * %u + columns%s;", c->x_image / 4, c->x_row / 4, x_group, c->g_image / 4, c->g_row / 4, g_group);
    emit_line(e, "bool meets = uint(iy) < %uu;", c->x_height);
    in_blocks(t, "x", "0", c->width, (uint64_t)each * c->height, line_pixels, NULL);
    if (parts && c->width >= 32)
        end_part(t, NULL);
    emit_close(e, lines, true);
    if (parts && c->width < 32)
        end_part(t, NULL);
    emit_close(e, images, true);
}

static void outer_index(const Outer *t, uint32_t r, uint32_t q, Index *index) {
    Emitter *e = t->emitter;
    const Contract *c = &t->c;
    IndexPool *pool = e->pool;
    Type type = graph_type(e->graph, e->kernel->root);
    Index columns = index_opaque(pool, "columns", 0, (int64_t)t->column_vectors - 1), channels = index_opaque(pool, "channels", 0, (int64_t)t->channel_vectors - 1);
    Index column = index_add(pool, index_scale(pool, index_add_constant(pool, columns, q * t->column_groups), 4), e->lane);
    Index channel = index_add_constant(pool, index_scale(pool, channels, 4), r % (4 * t->rows));
    if (c->kind == ROWS_PLAIN) {
        tile_unravel_matrix(e, &type, c->batch, index);
        index[type.rank - 2] = channel, index[type.rank - 1] = column;
        return;
    }
    if (c->groups > 1)
        column = index_add(pool, column, index_scale(pool, index_opaque(pool, "channel_group", 0, (int64_t)c->groups - 1), c->columns));
    uint32_t base = type.rank - 4;
    if (base)
        index[0] = c->slices > 1 ? index_opaque(pool, "slice", 0, (int64_t)c->slices - 1) : index_constant(0);
    index[base] = column, index[base + 1] = channel;
    index[base + 2] = c->taps_y > 1 ? index_opaque(pool, "ky", 0, (int64_t)c->taps_y - 1) : index_constant(0);
    index[base + 3] = t->taps > 1 ? index_constant(r / (4 * t->rows)) : c->taps_x > 1 ? index_opaque(pool, "kx", 0, (int64_t)c->taps_x - 1) : index_constant(0);
}

// Vec4s that a lane reads for `at_once` rows.
static uint32_t loads_of(const Outer *t) {
    uint32_t count = 0;
    for (uint32_t place = 0; place < place_end(t, t->at_once); place++)
        count += is_place_read(t, t->at_once, place);
    return count * t->rows + t->at_once * t->columns;
}

uint64_t outer_emit(Emitter *emitter, bool whole_lines) {
    Contract c = contract_of(emitter->list, emitter->kernel->root);
    Outer t = outer_of(emitter, &c, &emitter->kernel->schedule, whole_lines ? c.taps_x : 1);
    emit_line(emitter, "if (group >= %llu)", (unsigned long long)t.groups);
    emit_line(emitter, "    return;");
    outer_begin(&t);
    outer_loops(&t);
    for (uint32_t r = 0; sums_in_parts(&t) && r < accumulators(&t); r++)
        for (uint32_t q = 0; q < t.columns; q++)
            emit_line(emitter, "a%u_%u += t%u_%u;", r, q, r, q);
    EmitScope lanes = {0};
    bool idle = t.lane_count % t.lanes != 0;
    if (idle)
        lanes = emit_open(emitter, arena_format(emitter->arena, "if (lane_index < %u) {", t.lane_count));
    for (uint32_t r = 0; r < accumulators(&t); r++) {
        bool channel_tail = t.channel_blocks * t.rows * 4 != t.c.channels;
        EmitScope rows = {0};
        if (channel_tail)
            rows = emit_open(emitter, arena_format(emitter->arena, "if (4 * channels + %u < %u) {", r % (4 * t.rows), t.c.channels));
        for (uint32_t q = 0; q < t.columns; q++) {
            bool column_tail = q && t.column_vectors % t.columns;
            EmitScope columns = {0};
            if (column_tail)
                columns = emit_open(emitter, arena_format(emitter->arena, "if (columns + %u < %u) {", q * t.column_groups, t.column_vectors));
            Index index[MAX_RANK];
            outer_index(&t, r, q, index);
            tile_store(emitter, index, arena_format(emitter->arena, "a%u_%u", r, q));
            if (column_tail)
                emit_close(emitter, columns, true);
        }
        if (channel_tail)
            emit_close(emitter, rows, true);
    }
    if (idle)
        emit_close(emitter, lanes, true);
    return t.groups;
}

Work outer_work(const KernelView *view, const Schedule *schedule, bool whole_lines) {
    const Contract *c = &view->contract;
    Outer t = outer_of(NULL, c, schedule, whole_lines ? c->taps_x : 1);
    double steps = (double)c->images / c->slices * c->height * c->width, sums = accumulators(&t) * t.columns;
    double loads = steps * (loads_of(&t) / (double)t.at_once);
    return (Work){
        .groups = (double)t.groups,
        .lanes = t.lanes,
        .multiply_adds = steps * sums,
        .texel_loads = schedule->values[PARAM_TEXEL] ? loads : 0,
        .storage_loads = schedule->values[PARAM_TEXEL] ? 0 : loads,
        .turns = steps,
        .sums = sums,
    };
}

const char *outer_misfit(const KernelView *view, const Schedule *schedule, uint32_t taps) {
    if (!view->contract.is_outer)
        return "it does not sum over rows";
    return tile_misfit(view, 4 * schedule->values[CHANNELS] * schedule->values[COLUMNS] * taps);
}

double outer_error(const KernelView *view, const Schedule *schedule) {
    double rows = contract_terms(&view->contract), part = (double)part_of(&view->contract, schedule->values[AT_ONCE]);
    return rounding_of_sum(part, ceil(rows / part), true);
}

static uint64_t emit(Emitter *emitter) { return outer_emit(emitter, false); }

static Work work(const KernelView *view, const Schedule *schedule) { return outer_work(view, schedule, false); }

static bool fits(const KernelView *view, const Schedule *schedule, const Target *target, const char **why) {
    (void)target;
    *why = outer_misfit(view, schedule, 1);
    return !*why;
}

// clang-format off
//                lanes  texel  channels  columns  at_once
static const Candidate candidates[] = {
    {TARGET_CPU, {0,  1, 4, 2, 4}},
    {TARGET_CPU, {0,  1, 3, 2, 4}},
    {TARGET_CPU, {0,  1, 2, 3, 4}},
    {TARGET_CPU, {0,  1, 4, 1, 4}},
    {TARGET_CPU, {0,  1, 2, 1, 4}},
    {TARGET_CPU, {0,  1, 1, 2, 4}},
    {TARGET_CPU, {0,  1, 1, 1, 4}},
    {TARGET_GPU, {64, 0, 2, 2, 1}},
    {TARGET_GPU, {64, 0, 1, 1, 1}},
    {TARGET_ANY, {8,  0, 2, 2, 1}},
    {TARGET_ANY, {8,  0, 1, 1, 1}},
};
// clang-format on

const Family outer_family = {
    .name = "outer",
    .summary = "sums over rows; a lane has several vec4s of input channels and of output channels",
    .kernel_class = KERNEL_CONTRACT,
    .params = {FAMILY_LANES,
               FAMILY_TEXEL,
               OUTER_PARAMS},
    .param_count = 5,
    .candidates = candidates,
    .candidate_count = sizeof candidates / sizeof *candidates,
    .fits = fits,
    .work = work,
    .emit = emit,
    .error = outer_error,
    .template_name = "contract.comp",
};
