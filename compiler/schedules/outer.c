// Outer: weight gradients as register tiles: each lane has several channels and columns of one tap, and walks over the rows. Tiles are unrolled in the
// text. With what it shares with strips of taps (outer_strip.c).
#include "compiler/schedules/outer.h"
#include "compiler/schedules/rounding.h"
#include <math.h>

// How workgroups share out a weight gradient: lanes have columns and taps, and channels too where fewer lanes are idle then.
typedef struct {
    uint32_t lane_count; // lanes with work, over the workgroups of one part
    bool channels_by_lane;
    uint64_t groups;
} OuterGrid;

static OuterGrid grid_of(const Contract *c, uint32_t rows, uint32_t columns, uint32_t lanes) {
    uint32_t blocks = contract_ceil_div(contract_ceil_div(c->channels, 4), rows);
    uint32_t tiles = c->taps_y * c->taps_x * contract_ceil_div(contract_ceil_div(c->columns, 4), columns);
    uint64_t apart = (uint64_t)contract_ceil_div(tiles, lanes) * blocks, together = ((uint64_t)tiles * blocks + lanes - 1) / lanes, parts = (uint64_t)c->slices * c->batch * c->groups;
    if (together < apart)
        return (OuterGrid){tiles * blocks, true, together * parts};
    return (OuterGrid){tiles, false, apart * parts};
}

enum { CHANNELS = PARAM_OWN, COLUMNS, AT_ONCE };

Outer outer_of(Emitter *emitter, const Contract *contract, const Schedule *schedule, uint32_t taps) {
    const uint32_t *values = schedule->values;
    Outer t = {.emitter = emitter, .c = *contract, .rows = values[CHANNELS], .columns = values[COLUMNS], .lanes = values[PARAM_LANES], .at_once = values[AT_ONCE], .taps = taps};
    t.channel_vectors = contract_ceil_div(t.c.channels, 4);
    t.column_vectors = contract_ceil_div(t.c.columns, 4);
    t.channel_blocks = contract_ceil_div(t.channel_vectors, t.rows);
    t.column_groups = contract_ceil_div(t.column_vectors, t.columns);
    t.computes_x = emitter && kernel_computes(emitter->list, t.c.x), t.computes_g = emitter && kernel_computes(emitter->list, t.c.w);
    return t;
}

uint32_t outer_accumulators(const Outer *t) { return 4 * t->rows * t->taps; }

static Outer one_tap(Emitter *emitter, const Contract *contract, const Schedule *schedule) {
    Outer t = outer_of(emitter, contract, schedule, 1);
    OuterGrid grid = grid_of(&t.c, t.rows, t.columns, t.lanes);
    t.channels_by_lane = grid.channels_by_lane;
    t.lane_count = grid.lane_count;
    t.lane_blocks = contract_ceil_div(t.lane_count, t.lanes);
    t.groups = grid.groups;
    return t;
}

void outer_zero(const Outer *t, char name) {
    for (uint32_t r = 0; r < outer_accumulators(t); r++)
        for (uint32_t q = 0; q < t->columns; q++)
            emit_line(t->emitter, "vec4 %c%u_%u = vec4(0.0);", name, r, q);
}

static void begin(const Outer *t) {
    Emitter *e = t->emitter;
    const Contract *c = &t->c;
    uint32_t count = 0;
    TileAxis axes[4], channels = {"channels", "CHANNEL_BLOCKS", t->channel_blocks, "CHANNELS", t->rows, NULL, "// first vec4 of x's channels"};
    axes[count++] = (TileAxis){"lane_index", "LANE_BLOCKS", t->lane_blocks, "LANES", t->lanes, " + lane_id", NULL};
    if (!t->channels_by_lane)
        axes[count++] = channels;
    if (c->slices > 1)
        axes[count++] = (TileAxis){"slice", "SLICES", c->slices, .note = "// of the images"};
    if (c->batch > 1 || c->groups > 1)
        axes[count++] = c->batch > 1 ? (TileAxis){.name = "matrix", .constant = "BATCH", .extent = c->batch} : (TileAxis){.name = "channel_group", .constant = "GROUPS", .extent = c->groups};
    tile_unravel(e, "group", axes, count);
    bool is_idle = t->lane_count % t->lanes;
    emit_line(e, "int chosen = %s;", is_idle ? arena_format(e->arena, "min(lane_index, %s - 1)", emit_constant(e, "LANE_COUNT", t->lane_count)) : "lane_index");
    count = 0;
    axes[count++] = (TileAxis){.name = "columns", .constant = "COLUMN_STEP", .extent = t->column_groups};
    if (t->channels_by_lane)
        axes[count++] = channels;
    axes[count++] = (TileAxis){.name = "kx", .constant = "TAPS_X", .extent = c->taps_x};
    axes[count++] = (TileAxis){.name = "ky", .constant = "TAPS_Y", .extent = c->taps_y};
    tile_unravel(e, "chosen", axes, count);
    outer_zero(t, 'a');
}

const char *outer_computed_x(const Outer *t, uint32_t r, uint32_t place, const char *channel) {
    Emitter *e = t->emitter;
    const Contract *c = &t->c;
    IndexPool *pool = e->pool;
    Index index[MAX_RANK], vector = index_add_constant(pool, index_opaque(pool, "channels", 0, (int64_t)t->channel_vectors - 1), r);
    if (r && t->channel_vectors % t->rows)
        vector = emit_opaque_index(e, channel, 0, (int64_t)t->channel_vectors - 1);
    Index channels = tile_elements(e, c, vector, c->channels), n = index_opaque(pool, "n", 0, (int64_t)c->images - 1);
    if (c->kind == ROWS_PLAIN) {
        Type type = graph_type(e->graph, c->x);
        tile_unravel_matrix(e, &type, c->batch, index);
        index[type.rank - 2] = channels, index[type.rank - 1] = index_add_constant(pool, n, place);
    } else {
        index[0] = n, index[1] = channels, index[2] = index_opaque(pool, "iy", 0, (int64_t)c->x_height - 1);
        index[3] = index_opaque(pool, arena_format(e->arena, "ix%u", place), 0, (int64_t)c->x_width - 1);
    }
    return tile_operand(e, c->x, index);
}

static const char *computed_g(const Outer *t, uint32_t q, uint32_t u) {
    Emitter *e = t->emitter;
    const Contract *c = &t->c;
    IndexPool *pool = e->pool;
    Index index[MAX_RANK], vector = index_add_constant(pool, index_opaque(pool, "columns", 0, (int64_t)t->column_vectors - 1), q * t->column_groups);
    if (q && t->column_vectors % t->columns)
        vector = emit_opaque_index(e, arena_format(e->arena, "min(columns + %u, %u)", q * t->column_groups, t->column_vectors - 1), 0, (int64_t)t->column_vectors - 1);
    Index columns = tile_elements(e, c, vector, c->columns), n = index_opaque(pool, "n", 0, (int64_t)c->images - 1);
    if (c->kind == ROWS_PLAIN) {
        Type type = graph_type(e->graph, c->w);
        tile_unravel_matrix(e, &type, c->batch, index);
        index[type.rank - 2] = index_add_constant(pool, n, u), index[type.rank - 1] = columns;
    } else {
        index[0] = n, index[1] = columns, index[2] = index_opaque(pool, "y", 0, (int64_t)c->height - 1);
        index[3] = index_add_constant(pool, index_opaque(pool, "x", 0, (int64_t)c->width - 1), u);
    }
    return tile_operand(e, c->w, index);
}

static const char *loaded_g(const Outer *t, uint32_t q, uint32_t u) {
    Emitter *e = t->emitter;
    const Contract *c = &t->c;
    bool is_cut = q && t->column_vectors % t->columns, plain = c->kind == ROWS_PLAIN;
    TileStep steps[] = {{plain ? "G_ROW" : "G_COLUMN", (plain ? c->g_image : c->g_column) / 4, u}, {"COLUMN_STEP", t->column_groups, is_cut ? 0 : q}};
    const char *at = tile_at(e, "from", steps, 2);
    if (is_cut)
        at = arena_format(e->arena, "%s + min(%s, %s - 1 - columns)", at, tile_step(e, (TileStep){"COLUMN_STEP", t->column_groups, q}),
                          emit_constant(e, "COLUMN_VECTORS", t->column_vectors));
    return tile_load(e, c->w, "%s", at);
}

const char *outer_g(const Outer *t, uint32_t q, uint32_t u) { return t->computes_g ? computed_g(t, q, u) : loaded_g(t, q, u); }

void outer_advance_g(const Outer *t, uint32_t count) {
    bool plain = t->c.kind == ROWS_PLAIN;
    if (!t->computes_g)
        emit_line(t->emitter, "from += %s;", tile_step(t->emitter, (TileStep){plain ? "G_ROW" : "G_COLUMN", (plain ? t->c.g_image : t->c.g_column) / 4, count}));
}

// The products of `count` rows (pixels) that follow each other: of x at `at<place>`, of g at `from` and further. Each accumulator takes all of
// them in a row: a tile has more accumulators than a processor has registers, so each one is fetched and put away once for them all.
static void multiply_rows(const Outer *t, uint32_t count, bool has_border) {
    Emitter *e = t->emitter;
    const Contract *c = &t->c;
    for (uint32_t r = 0; r < t->rows; r++)
        for (uint32_t u = 0; u < count; u++) {
            const char *channel = tile_at(e, "channels", &(TileStep){NULL, 1, r}, 1);
            if (r && t->channel_vectors % t->rows)
                channel = arena_format(e->arena, "min(%s, %s - 1)", channel, emit_constant(e, "CHANNEL_VECTORS", t->channel_vectors));
            const char *fetched = t->computes_x ? outer_computed_x(t, r, u, channel) : tile_load(e, c->x, "at%u + %s", u, channel);
            if (has_border)
                emit_line(e, "vec4 b%u_%u = mix(vec4(0.0), %s, bvec4(inside%u));", r, u, fetched, u);
            else
                emit_line(e, "vec4 b%u_%u = %s;", r, u, fetched);
        }
    for (uint32_t q = 0; q < t->columns; q++) {
        for (uint32_t u = 0; u < count; u++)
            emit_line(e, "vec4 g%u_%u = %s;", q, u, outer_g(t, q, u));
        for (uint32_t r = 0; r < outer_accumulators(t); r++) {
            Text line = text_create(e->arena);
            for (uint32_t u = 0; u < count; u++)
                text_format(&line, "%sa%u_%u += b%u_%u.%c * g%u_%u;", u ? " " : "", r, q, r / 4, u, "xyzw"[r % 4], q, u);
            emit_line(e, "%s", line.data);
        }
    }
    outer_advance_g(t, count);
}

// `count` images of a matmul's rows from number n on.
static void plain_rows(const Outer *t, uint32_t count) {
    Emitter *e = t->emitter;
    const Contract *c = &t->c;
    for (uint32_t u = 0; u < count && !t->computes_x; u++) {
        Text place = text_create(e->arena);
        tile_add(e, &place, u ? arena_format(e->arena, "(n + %u)", u) : "n", "X_ROW", c->x_image / 4);
        if (c->batch > 1)
            tile_add(e, &place, "matrix", "X_BATCH", c->x_batch / 4);
        emit_line(e, "int at%u = %s;", u, tile_sum(&place));
    }
    multiply_rows(t, count, false);
}

// `count` pixels of a line from x on.
static void line_pixels(const Outer *t, uint32_t count) {
    Emitter *e = t->emitter;
    const Contract *c = &t->c;
    bool border = c->taps_y > 1 || c->taps_x > 1 || c->pad[0] || c->pad[1];
    for (uint32_t place = 0; place < count; place++) {
        Text along = text_create(e->arena);
        tile_add(e, &along, "x", "STRIDE_X", c->stride[1]);
        if (c->taps_x > 1)
            tile_add(e, &along, "kx", "DILATION_X", c->dilation[1]);
        int64_t from_x = place * c->stride[1] - c->pad[1];
        if (from_x)
            text_format(&along, " %c %lld", from_x < 0 ? '-' : '+', (long long)(from_x < 0 ? -from_x : from_x));
        emit_line(e, "int ix%u = %s;", place, along.data);
        const char *pixel = t->computes_x ? NULL : arena_format(e->arena, "line + %s", tile_times(e, arena_format(e->arena, "ix%u", place), "X_COLUMN", c->x_column / 4));
        if (border)
            emit_line(e, "bool inside%u = all(bvec2(meets, uint(ix%u) < %s));", place, place, emit_constant(e, "X_WIDTH", c->x_width));
        if (t->computes_x && border)
            emit_line(e, "ix%u = mix(0, ix%u, inside%u);", place, place, place);
        else if (border)
            emit_line(e, "int at%u = mix(0, %s, inside%u);", place, pixel, place);
        else if (!t->computes_x)
            emit_line(e, "int at%u = %s;", place, pixel);
    }
    multiply_rows(t, count, border);
}

enum { ROWS_AT_ONCE = 8192, PART_ROWS = 64 };

static uint64_t rows_of(const Contract *c) { return (uint64_t)c->images / c->slices * c->height * c->width; }

bool outer_sums_in_parts(const Outer *t) { return rows_of(&t->c) > ROWS_AT_ONCE; }

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

void outer_end_part(const Outer *t, const char *condition) {
    Emitter *e = t->emitter;
    EmitScope scope = {0};
    if (condition)
        scope = emit_open(e, condition);
    for (uint32_t r = 0; r < outer_accumulators(t); r++)
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
    EmitScope loop = emit_open_steps(e, arena_format(e->arena, "for (int turn = 0; turn < %s; turn++) {", emit_constant(e, "TURNS", blocks / steps)), blocks);
    for (uint32_t step = 0; step < steps; step++) {
        EmitScope one = emit_open(e, steps > 1 ? "{" : NULL);
        rows(t, at_once);
        emit_line(e, "%s += %u;", name, at_once);
        emit_close(e, one, steps > 1);
    }
    if (part_every)
        outer_end_part(t, steps > 1 ? NULL : part_every);
    emit_close(e, loop, true);
    if (tail) {
        EmitScope rest = emit_open(e, "{");
        rows(t, tail);
        emit_close(e, rest, true);
    }
}

const char *outer_gradient_place(const Outer *t, const char *image) {
    Emitter *e = t->emitter;
    const Contract *c = &t->c;
    Text place = text_create(e->arena);
    if (strcmp(image, "0"))
        tile_add(e, &place, image, c->kind == ROWS_PLAIN ? "G_ROW" : "G_IMAGE", c->g_image / 4);
    if (c->kind != ROWS_PLAIN)
        tile_add(e, &place, "y", "G_LINE", c->g_row / 4);
    tile_add(e, &place, "columns", NULL, 1);
    if (c->batch > 1)
        tile_add(e, &place, "matrix", "W_BATCH", c->w_batch / 4);
    if (c->groups > 1)
        tile_add(e, &place, "channel_group", "G_GROUP", c->columns / 4);
    return tile_sum(&place);
}

// Where the lines of x and g begin that are in memory.
static void declare_line(const Outer *t) {
    Emitter *e = t->emitter;
    const Contract *c = &t->c;
    Text line = text_create(e->arena);
    if (!t->computes_x) {
        tile_add(e, &line, "n", "X_IMAGE", c->x_image / 4);
        tile_add(e, &line, "iy", "X_ROW", c->x_row / 4);
        if (c->groups > 1)
            tile_add(e, &line, "channel_group", "X_GROUP", c->channels / 4);
    }
    if (!t->computes_x && !t->computes_g)
        emit_line(e, "int line = %s, from = %s;", tile_sum(&line), outer_gradient_place(t, "n"));
    else if (!t->computes_x)
        emit_line(e, "int line = %s;", tile_sum(&line));
    else if (!t->computes_g)
        emit_line(e, "int from = %s;", outer_gradient_place(t, "n"));
}

static void loops(const Outer *t) {
    Emitter *e = t->emitter;
    const Contract *c = &t->c;
    bool parts = outer_sums_in_parts(t);
    if (parts)
        outer_zero(t, 't');
    uint32_t each = c->images / c->slices;
    const char *images_each = each == 1 ? "1" : emit_constant(e, "IMAGES", each), *first = c->slices > 1 ? tile_times(e, "slice", "IMAGES", each) : "0";
    if (c->kind == ROWS_PLAIN) {
        if (!t->computes_g)
            emit_line(e, "int from = %s;", outer_gradient_place(t, first));
        uint32_t turns = PART_ROWS / t->at_once;
        in_blocks(t, "n", first, each, 1, plain_rows, parts ? arena_format(e->arena, "if (turn %% %u == %u) {", turns, turns - 1) : NULL);
        return;
    }
    const char *last = c->slices > 1 ? arena_format(e->arena, "%s + %s", first, images_each) : images_each;
    uint64_t turns = (uint64_t)c->height * c->width;
    EmitScope images = emit_open_steps(e, arena_format(e->arena, "for (int n = %s; n < %s; n++) {", first, last), each * turns);
    EmitScope lines = emit_open_steps(e, arena_format(e->arena, "for (int y = 0; y < %s; y++) {", emit_constant(e, "HEIGHT", c->height)), turns);
    const char *tap = c->taps_y > 1 ? arena_format(e->arena, " + %s", tile_times(e, "ky", "DILATION_Y", c->dilation[0])) : "";
    emit_line(e, "int iy = %s%s%s;", tile_times(e, "y", "STRIDE_Y", c->stride[0]), tap, tile_plus(e, "PAD_Y", -c->pad[0]));
    declare_line(t);
    emit_line(e, "bool meets = uint(iy) < %s;", emit_constant(e, "X_HEIGHT", c->x_height));
    if (t->computes_x)
        emit_line(e, "iy = mix(0, iy, meets);");
    in_blocks(t, "x", "0", c->width, (uint64_t)each * c->height, line_pixels, NULL);
    if (parts && c->width >= 32)
        outer_end_part(t, NULL);
    emit_close(e, lines, true);
    if (parts && c->width < 32)
        outer_end_part(t, NULL);
    emit_close(e, images, true);
}

// One of a lane's sums: the element number `row` of its channels, vec4 number `column` of its columns and, where it has all taps of a line, `tap`.
typedef struct {
    Index row, column, tap;
    const char *row_at, *column_at; // in the text, where its channel or its vec4 of columns may be beyond the last; else NULL
    const char *name; // of its accumulator
} Sum;

static void index_of(const Outer *t, const Sum *sum, Index *index) {
    Emitter *e = t->emitter;
    const Contract *c = &t->c;
    IndexPool *pool = e->pool;
    Type type = graph_type(e->graph, e->kernel->root);
    uint32_t strides[LAYOUT_RANK_MAX];
    layout_strides(&e->list->layouts[e->kernel->root.id], strides);
    Index columns = index_opaque(pool, "columns", 0, (int64_t)t->column_vectors - 1), channels = index_opaque(pool, "channels", 0, (int64_t)t->channel_vectors - 1);
    Index column = index_add(pool, index_scale(pool, index_add(pool, columns, index_scale(pool, sum->column, t->column_groups)), 4), e->lane);
    Index channel = index_add(pool, index_scale(pool, channels, 4), sum->row);
    if (c->kind == ROWS_PLAIN) {
        tile_unravel_matrix(e, &type, c->batch, index);
        index[type.rank - 2] = channel, index[type.rank - 1] = column;
        emit_name_factor(e, channels, strides[type.rank - 2], "OUT_CHANNELS"); // of a vec4
        emit_name_factor(e, sum->row, strides[type.rank - 2] / 4, "OUT_CHANNEL");
        if (type.rank > 2)
            emit_name_factor(e, index[type.rank - 3], strides[type.rank - 3] / 4, "OUT_BATCH");
        return;
    }
    if (c->groups > 1)
        column = index_add(pool, column, index_scale(pool, index_opaque(pool, "channel_group", 0, (int64_t)c->groups - 1), c->columns));
    uint32_t base = type.rank - 4;
    if (base)
        index[0] = c->slices > 1 ? index_opaque(pool, "slice", 0, (int64_t)c->slices - 1) : index_constant(0);
    index[base] = column, index[base + 1] = channel;
    index[base + 2] = c->taps_y > 1 ? index_opaque(pool, "ky", 0, (int64_t)c->taps_y - 1) : index_constant(0);
    index[base + 3] = t->taps > 1 ? sum->tap : c->taps_x > 1 ? index_opaque(pool, "kx", 0, (int64_t)c->taps_x - 1) : index_constant(0);
    if (base)
        emit_name_factor(e, index[0], strides[0] / 4, "OUT_SLICE");
    emit_name_factor(e, channels, strides[base + 1], "OUT_CHANNELS");
    emit_name_factor(e, sum->row, strides[base + 1] / 4, "OUT_CHANNEL");
    emit_name_factor(e, index[base + 2], strides[base + 2] / 4, "OUT_TAP_Y");
    emit_name_factor(e, index[base + 3], strides[base + 3] / 4, "OUT_TAP_X");
    emit_name_factor(e, sum->column, t->column_groups, "COLUMN_STEP");
}

static EmitScope open_limit(const Outer *t, const char *at, const char *constant, uint32_t count) {
    return at ? emit_open(t->emitter, arena_format(t->emitter->arena, "if (%s < %s) {", at, emit_constant(t->emitter, constant, count))) : (EmitScope){0};
}

static void store_column(const Outer *t, const Sum *sum) {
    EmitScope scope = open_limit(t, sum->column_at, "COLUMN_VECTORS", t->column_vectors);
    Index index[MAX_RANK];
    index_of(t, sum, index);
    tile_store(t->emitter, index, sum->name);
    if (sum->column_at)
        emit_close(t->emitter, scope, true);
}

static bool has_cut_channels(const Outer *t) { return t->channel_blocks * t->rows * 4 != t->c.channels; }

static bool has_cut_columns(const Outer *t) { return t->column_vectors % t->columns; }

static void store_unrolled(const Outer *t) {
    Emitter *e = t->emitter;
    for (uint32_t r = 0; r < outer_accumulators(t); r++) {
        uint32_t row = r % (4 * t->rows);
        Sum sum = {.row = index_constant(row), .tap = index_constant(r / (4 * t->rows))};
        sum.row_at = has_cut_channels(t) ? tile_at(e, "4 * channels", &(TileStep){NULL, 1, row}, 1) : NULL;
        EmitScope scope = open_limit(t, sum.row_at, "X_CHANNELS", t->c.channels);
        for (uint32_t q = 0; q < t->columns; q++) {
            sum.column = index_constant(q);
            sum.column_at = q && has_cut_columns(t) ? tile_at(e, "columns", &(TileStep){"COLUMN_STEP", t->column_groups, q}, 1) : NULL;
            sum.name = arena_format(e->arena, "a%u_%u", r, q);
            store_column(t, &sum);
        }
        if (sum.row_at)
            emit_close(e, scope, true);
    }
}

static void store_looped(const Outer *t) {
    Emitter *e = t->emitter;
    tile_gather_sums(e, outer_accumulators(t), t->columns);
    EmitScope taps = {0}, rows, columns = {0};
    Sum sum = {.tap = index_constant(0), .column = index_constant(0)};
    const char *number = "r";
    if (t->taps > 1) {
        taps = tile_open_loop(e, "kx", "TAPS_X", t->taps, outer_accumulators(t) * t->columns, &sum.tap);
        number = "kx * LANE_CHANNELS + r";
    }
    rows = tile_open_loop(e, "r", "LANE_CHANNELS", 4 * t->rows, 4 * t->rows * t->columns, &sum.row);
    EmitScope scope = open_limit(t, has_cut_channels(t) ? "4 * channels + r" : NULL, "X_CHANNELS", t->c.channels);
    if (t->columns > 1) {
        columns = tile_open_loop(e, "q", "LANE_COLUMNS", t->columns, t->columns, &sum.column);
        number = arena_format(e->arena, t->taps > 1 ? "(%s) * LANE_COLUMNS + q" : "%s * LANE_COLUMNS + q", number);
        if (has_cut_columns(t))
            sum.column_at = arena_format(e->arena, "columns + %s", tile_times(e, "q", "COLUMN_STEP", t->column_groups));
    }
    sum.name = arena_format(e->arena, "sums[%s]", number);
    store_column(t, &sum);
    if (t->columns > 1)
        emit_close(e, columns, true);
    if (has_cut_channels(t))
        emit_close(e, scope, true);
    emit_close(e, rows, true);
    if (t->taps > 1)
        emit_close(e, taps, true);
}

void outer_store(const Outer *t) {
    Emitter *e = t->emitter;
    for (uint32_t r = 0; outer_sums_in_parts(t) && r < outer_accumulators(t); r++)
        for (uint32_t q = 0; q < t->columns; q++)
            emit_line(e, "a%u_%u += t%u_%u;", r, q, r, q);
    EmitScope lanes = {0};
    bool idle = t->lane_count % t->lanes != 0;
    if (idle)
        lanes = emit_open(e, arena_format(e->arena, "if (lane_index < %s) {", emit_constant(e, "LANE_COUNT", t->lane_count)));
    (tile_loops_sums(e, outer_accumulators(t) * t->columns) ? store_looped : store_unrolled)(t);
    if (idle)
        emit_close(e, lanes, true);
}

static uint64_t emit(Emitter *emitter) {
    Contract c = contract_of(emitter->list, emitter->kernel->root);
    Outer t = one_tap(emitter, &c, &emitter->kernel->schedule);
    emit_line(emitter, "if (group >= %s)", emit_constant(emitter, "WORKGROUPS", (int64_t)t.groups));
    emit_line(emitter, "    return;");
    begin(&t);
    loops(&t);
    outer_store(&t);
    return t.groups;
}

static Work work(const KernelView *view, const Schedule *schedule) {
    const Contract *c = &view->contract;
    Outer t = one_tap(NULL, c, schedule);
    double steps = (double)c->images / c->slices * c->height * c->width, sums = outer_accumulators(&t) * t.columns;
    Work work = {
        .groups = (double)t.groups,
        .lanes = t.lanes,
        .multiply_adds = steps * sums,
        .turns = steps,
        .sums = sums,
    };
    tile_count_loads(&work, view, schedule, steps * t.rows, steps * t.columns);
    return work;
}

double outer_error(const KernelView *view, const Schedule *schedule) {
    double rows = contract_terms(&view->contract), part = (double)part_of(&view->contract, schedule->values[AT_ONCE]);
    return rounding_of_sum(part, ceil(rows / part), true);
}

static bool fits(const KernelView *view, const Schedule *schedule, const Target *target, const char **why) {
    (void)target;
    *why = "it does not sum over rows";
    if (!view->contract.is_outer)
        return false;
    Outer t = one_tap(NULL, &view->contract, schedule);
    *why = tile_misfit(view, outer_accumulators(&t) * t.columns, t.at_once * t.rows, t.at_once * t.columns);
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
               OUTER_PARAMS,
               {"at_once", "rows that are multiplied in one go", {1, 2, 4}, 3}},
    .param_count = 5,
    .candidates = candidates,
    .candidate_count = sizeof candidates / sizeof *candidates,
    .fits = fits,
    .work = work,
    .emit = emit,
    .error = outer_error,
    .template_name = "contract.comp",
};
