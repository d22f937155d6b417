// Rows: register tiles that give each lane several rows (pixels) and vec4s of columns (output channels). Tiles are unrolled in the
// text: no driver need promote an array.
#include "compiler/schedules/rows.h"
#include "compiler/schedules/rounding.h"

Rows rows_of(Emitter *emitter, const Contract *contract, uint32_t lanes, uint32_t rows, uint32_t columns, uint32_t across) {
    Rows t = {.emitter = emitter, .c = *contract, .rows = rows, .columns = columns, .lanes = lanes, .across = across, .down = lanes / across};
    const Contract *c = &t.c;
    bool parity = c->kind == ROWS_INPUT;
    uint32_t sy = parity ? (uint32_t)c->stride[0] : 1, sx = parity ? (uint32_t)c->stride[1] : 1;
    t.parities = sy * sx;
    t.plane_y = contract_ceil_div(c->height, sy), t.plane_x = contract_ceil_div(c->width, sx);
    t.row_count = c->images * t.plane_y * t.plane_x;
    t.vectors = contract_ceil_div(c->columns, 4);
    t.column_blocks = contract_ceil_div(t.vectors, t.columns * t.across);
    t.row_blocks = contract_ceil_div(t.row_count, t.rows * t.down);
    t.has_border = c->kind != ROWS_PLAIN && (c->taps_y > 1 || c->taps_x > 1 || c->pad[0] || c->pad[1] || parity);
    t.computes_x = emitter && kernel_computes(emitter->list, c->x), t.computes_w = emitter && kernel_computes(emitter->list, c->w);
    return t;
}

void rows_unravel(const Rows *t, TileAxis rows) {
    const Contract *c = &t->c;
    uint32_t count = 2;
    TileAxis axes[4] = {{"columns", "COLUMN_BLOCKS", t->column_blocks, "COLUMNS", t->columns * t->across, NULL, "// first vec4 of output channels"}, rows};
    if (t->across > 1)
        axes[0].plus = t->down > 1 ? " + lane_id % ACROSS" : " + lane_id";
    if (t->parities > 1)
        axes[count++] = (TileAxis){"parity", "PARITIES", t->parities, .note = "// rows of one remainder of y and x by the stride use the same taps"};
    if (c->batch > 1)
        axes[count++] = (TileAxis){.name = "matrix", .constant = "BATCH", .extent = c->batch};
    if (c->groups > 1)
        axes[count++] = (TileAxis){.name = "channel_group", .constant = "GROUPS", .extent = c->groups};
    tile_unravel(t->emitter, "group", axes, count);
}

TileAxis rows_axis(const Rows *t, const char *name, const char *constant, uint32_t scale) {
    const char *lane = t->across == 1 ? " + lane_id" : NULL;
    if (!lane && t->down > 1)
        lane = arena_format(t->emitter->arena, " + lane_id / %s", emit_constant(t->emitter, "ACROSS", t->across));
    return (TileAxis){name, "ROW_BLOCKS", t->row_blocks, constant, scale * t->down, lane, NULL};
}

// `name` of axis 0 (y) or 1 (x).
static const char *along(const Rows *t, const char *name, int axis) { return arena_format(t->emitter->arena, "%s_%c", name, "YX"[axis]); }

static const char *stride_of(const Rows *t, int axis) { return emit_constant(t->emitter, along(t, "STRIDE", axis), t->c.stride[axis]); }

void rows_decode(const Rows *t, const char *name) {
    Emitter *e = t->emitter;
    const char *y = "0", *x = "0", *row = arena_format(e->arena, "row%s", name), *rest = row;
    if (t->plane_x > 1) {
        x = t->plane_y * t->c.images == 1 ? rest : arena_format(e->arena, "%s %% %s", rest, emit_constant(e, "PLANE_X", t->plane_x));
        rest = arena_format(e->arena, "%s / PLANE_X", row);
    }
    if (t->plane_y > 1) {
        y = t->c.images == 1 ? rest : arena_format(e->arena, "%s %% %s", rest, emit_constant(e, "PLANE_Y", t->plane_y));
        rest = t->plane_x == 1 ? arena_format(e->arena, "%s / PLANE_Y", row) : arena_format(e->arena, "%s / (PLANE_X * PLANE_Y)", row);
    }
    emit_line(e, "int x%s = %s, y%s = %s, n%s = %s;", name, x, name, y, name, t->c.images == 1 ? "0" : rest);
}

// Of `parity`, what a workgroup's rows leave when they are divided by the stride along an axis.
const char *rows_remainder(const Rows *t, int axis) {
    if (t->c.stride[axis] == 1)
        return "0";
    if (t->c.stride[1 - axis] == 1)
        return "parity";
    return arena_format(t->emitter->arena, axis ? "parity %% %s" : "parity / %s", stride_of(t, 1));
}

void rows_spread(const Rows *t, const char *name) {
    if (t->parities == 1)
        return;
    Text line = text_create(t->emitter->arena);
    for (int axis = 1; axis >= 0; axis--)
        if (t->c.stride[axis] > 1)
            text_format(&line, "%s%c%s = %c%s * %s + %s;", line.length ? " " : "", "yx"[axis], name, "yx"[axis], name, stride_of(t, axis), rows_remainder(t, axis));
    emit_line(t->emitter, "%s", line.data);
}

// From one row of a lane to its next, where its rows are anywhere.
static const char *rows_step_name(const Rows *t) { return t->across == 1 ? "LANES" : "DOWN"; }

static const char *row_at(const Rows *t, uint32_t p) { return tile_at(t->emitter, "rows", &(TileStep){rows_step_name(t), t->down, p}, 1); }

// Pixels that a lane fetches: "b3" is that of its row 3 and, where lanes fetch for each other, "bf1" the second that it fetches for all.
static uint32_t fetch_count(const Rows *t) { return t->broadcasts ? contract_ceil_div(t->rows, t->lanes) : t->rows; }

static const char *fetch_name(const Rows *t, uint32_t i) { return arena_format(t->emitter->arena, t->broadcasts ? "f%u" : "%u", i); }

static bool is_cut(const Rows *t) { return t->row_count % (t->rows * t->down); }

// `int row3 = …` and, of a convolution, its pixel. Behind the last row it is the last.
static void locate_row(const Rows *t, const char *name, const char *row) {
    Emitter *e = t->emitter;
    if (is_cut(t))
        row = arena_format(e->arena, "min(%s, %s - 1)", row, emit_constant(e, "ROW_COUNT", t->row_count));
    emit_line(e, "int row%s = %s;", name, row);
    if (t->c.kind == ROWS_PLAIN)
        return;
    rows_decode(t, name);
    rows_spread(t, name);
}

// Which tile a workgroup has, and which row each is that a lane fetches.
static void rows_begin(const Rows *t) {
    Emitter *e = t->emitter;
    if (t->broadcasts)
        emit_line(e, "int pixel_lane = int(gl_SubgroupInvocationID); // lanes fetch pixels for each other");
    rows_unravel(t, rows_axis(t, "rows", "TILE_ROWS", t->rows));
    for (uint32_t i = 0; i < fetch_count(t); i++)
        locate_row(t, fetch_name(t, i), t->broadcasts ? tile_at(e, "rows + pixel_lane", &(TileStep){"ACROSS", t->lanes, i}, 1) : row_at(t, i));
    for (uint32_t p = 0; p < t->rows; p++)
        for (uint32_t q = 0; q < t->columns; q++)
            emit_line(e, "vec4 a%u_%u = vec4(0.0);", p, q);
}

// A workgroup's rows of a transposed convolution with a stride meet every stride-th tap.
static bool skips_taps(const Contract *c, int axis) { return c->kind == ROWS_INPUT && c->stride[axis] > 1 && c->dilation[axis] == 1; }

bool rows_tap_loop(const Rows *t, int axis, EmitScope *scope) {
    Emitter *e = t->emitter;
    const Contract *c = &t->c;
    const char *name = axis ? "kx" : "ky";
    uint32_t taps = axis ? c->taps_x : c->taps_y;
    if (taps == 1 && !skips_taps(c, axis))
        return false;
    const char *end = emit_constant(e, along(t, "TAPS", axis), taps);
    uint64_t turns = (uint64_t)taps * (axis ? 1 : c->taps_x) * contract_ceil_div(c->channels, 4);
    if (skips_taps(c, axis)) {
        const char *stride = stride_of(t, axis), *pad = tile_plus(e, along(t, "PAD", axis), c->pad[axis]);
        *scope = emit_open_steps(e, arena_format(e->arena, "for (int %s = (%s%s) %% %s; %s < %s; %s += %s) {", name, rows_remainder(t, axis), pad, stride, name, end, name, stride), turns);
    } else {
        *scope = emit_open_steps(e, arena_format(e->arena, "for (int %s = 0; %s < %s; %s++) {", name, name, end, name), turns);
    }
    return true;
}

// The number of the tap along an axis, NULL where there is but the first.
static const char *tap_of(const Rows *t, int axis) {
    uint32_t taps = axis ? t->c.taps_x : t->c.taps_y;
    return taps == 1 && !skips_taps(&t->c, axis) ? NULL : axis ? "kx" : "ky";
}

void rows_place_along(const Rows *t, int axis, const char *row, Text *signs, Text *rests) {
    Emitter *e = t->emitter;
    const Contract *c = &t->c;
    char name = "yx"[axis];
    bool input = c->kind == ROWS_INPUT;
    const char *own = arena_format(e->arena, "%c%s", name, row), *pad = tile_plus(e, along(t, "PAD", axis), input ? c->pad[axis] : -c->pad[axis]), *tap = "";
    if (tap_of(t, axis))
        tap = arena_format(e->arena, input ? " - %s" : " + %s", tile_times(e, tap_of(t, axis), along(t, "DILATION", axis), c->dilation[axis]));
    if (!input) {
        emit_line(e, "int i%s = %s%s%s;", own, tile_times(e, own, along(t, "STRIDE", axis), c->stride[axis]), tap, pad);
        return;
    }
    emit_line(e, "int i%s = %s%s%s;", own, own, pad, tap);
    if (c->stride[axis] > 1) {
        text_format(signs, "%si%s", signs->length ? " | " : "", own);
        if (c->dilation[axis] > 1)
            text_format(rests, "%si%s %% %s", rests->length ? " | " : "", own, stride_of(t, axis));
    }
}

void rows_divide(const Rows *t, int axis, const char *row) {
    if (t->c.stride[axis] > 1)
        emit_line(t->emitter, "i%c%s /= %s;", "yx"[axis], row, stride_of(t, axis));
}

// Conditions are all computed, without && and ?: - each of these would be a branch, and drivers
// take very long over many branches in a row (SwiftShader: twice as long for each).
bool rows_declare_whole(const Rows *t, const char *row, const Text *signs, const Text *rests) {
    if (rests->length)
        emit_line(t->emitter, "bool whole%s = all(bvec2((%s) >= 0, (%s) == 0));", row, signs->data, rests->data);
    else if (signs->length)
        emit_line(t->emitter, "bool whole%s = (%s) >= 0;", row, signs->data);
    return signs->length > 0;
}

const char *rows_weight_place(const Rows *t, const char *tap_x) {
    Emitter *e = t->emitter;
    const Contract *c = &t->c;
    Text weights = text_create(e->arena);
    if (tap_of(t, 0))
        tile_add(e, &weights, "ky", "W_TAP_Y", c->w_tap_y / 4);
    if (tap_x)
        tile_add(e, &weights, tap_x, "W_TAP_X", c->w_tap_x / 4);
    if (t->column_blocks * t->across > 1)
        tile_add(e, &weights, t->is_depthwise ? "channel" : "columns", NULL, 1);
    if (c->batch > 1)
        tile_add(e, &weights, "matrix", "W_BATCH", c->w_batch / 4);
    if (c->groups > 1)
        tile_add(e, &weights, "channel_group", "W_GROUP", c->kind == ROWS_INPUT ? c->channels * (c->w_channel / 4) : c->columns / 4);
    return tile_sum(&weights);
}

// Where a row's pixel lies in x.
static const char *pixel_place(const Rows *t, const char *row) {
    Emitter *e = t->emitter;
    const Contract *c = &t->c;
    Text place = text_create(e->arena);
    if (c->kind == ROWS_PLAIN) {
        tile_add(e, &place, arena_format(e->arena, "row%s", row), "X_ROW", c->x_image / 4);
    } else {
        if (c->images > 1)
            tile_add(e, &place, arena_format(e->arena, "n%s", row), "X_IMAGE", c->x_image / 4);
        tile_add(e, &place, arena_format(e->arena, "iy%s", row), "X_ROW", c->x_row / 4);
        tile_add(e, &place, arena_format(e->arena, "ix%s", row), "X_COLUMN", c->x_column / 4);
    }
    if (c->batch > 1)
        tile_add(e, &place, "matrix", "X_BATCH", c->x_batch / 4);
    if (c->groups > 1)
        tile_add(e, &place, "channel_group", "X_GROUP", c->channels / 4);
    return tile_sum(&place);
}

// Opens the loops over taps and says where each row's pixel lies in x: at0, at1 … in vec4s.
static uint32_t rows_open_taps(const Rows *t, EmitScope *scopes) {
    Emitter *e = t->emitter;
    const Contract *c = &t->c;
    uint32_t opened = 0;
    for (int axis = 0; axis < 2; axis++)
        opened += rows_tap_loop(t, axis, &scopes[opened]);
    for (uint32_t p = 0; p < fetch_count(t); p++) {
        Text signs = text_create(e->arena), rests = text_create(e->arena);
        const char *row = fetch_name(t, p), *place = t->computes_x ? NULL : pixel_place(t, row);
        bool is_divided = false;
        if (c->kind != ROWS_PLAIN) {
            for (int axis = 0; axis < 2; axis++)
                rows_place_along(t, axis, row, &signs, &rests);
            is_divided = rows_declare_whole(t, row, &signs, &rests);
            for (int axis = 0; is_divided && axis < 2; axis++)
                rows_divide(t, axis, row);
        }
        if (t->has_border)
            emit_line(e, "bool inside%s = all(bvec%d(uint(iy%s) < %s, uint(ix%s) < %s%s));", row, is_divided ? 3 : 2, row, rows_extent(t, 0), row, rows_extent(t, 1),
                      is_divided ? arena_format(e->arena, ", whole%s", row) : "");
        if (t->computes_x && t->has_border)
            emit_line(e, "iy%s = mix(0, iy%s, inside%s); ix%s = mix(0, ix%s, inside%s);", row, row, row, row, row, row);
        else if (t->has_border)
            emit_line(e, "int at%s = mix(0, %s, inside%s);", row, place, row);
        else if (!t->computes_x)
            emit_line(e, "int at%s = %s;", row, place);
    }
    if (!t->computes_w)
        emit_line(e, "int weight = %s;", rows_weight_place(t, tap_of(t, 1)));
    rows_declare_channel(t);
    return opened;
}

static const char *rows_weight_step(const Rows *t) {
    Emitter *e = t->emitter;
    return t->c.w_channel == 4 ? "4" : arena_format(e->arena, "4 * %s", emit_constant(e, "W_CHANNEL", t->c.w_channel / 4));
}

// Vec4s of channels are counted where an operand is computed, and where lanes fetch pixels for each other: one offset for all of them.
static bool counts_channels(const Rows *t) { return t->computes_x || t->computes_w || t->broadcasts; }

void rows_declare_channel(const Rows *t) {
    if (!t->is_depthwise && counts_channels(t))
        emit_line(t->emitter, "int channel = 0; // vec4 of them");
}

void rows_advance(const Rows *t) {
    if (!t->computes_w)
        emit_line(t->emitter, "weight += %s;", rows_weight_step(t));
    if (counts_channels(t))
        emit_line(t->emitter, "channel++;");
}

static Index channel_of(const Rows *t) {
    uint32_t count = t->is_depthwise ? t->vectors : contract_ceil_div(t->c.channels, 4);
    return index_opaque(t->emitter->pool, "channel", 0, (int64_t)count - 1);
}

static Index named(const Rows *t, const char *prefix, const char *name, uint32_t extent) {
    return index_opaque(t->emitter->pool, arena_format(t->emitter->arena, "%s%s", prefix, name), 0, (int64_t)extent - 1);
}

static const char *computed_pixel(const Rows *t, const char *line, const char *name) {
    const Contract *c = &t->c;
    Index index[MAX_RANK], channels = tile_elements(t->emitter, c, channel_of(t), c->channels);
    if (c->kind == ROWS_PLAIN) {
        Type type = graph_type(t->emitter->graph, c->x);
        tile_unravel_matrix(t->emitter, &type, c->batch, index);
        index[type.rank - 2] = named(t, "row", name, t->row_count), index[type.rank - 1] = channels;
    } else {
        index[0] = named(t, "n", line, c->images), index[1] = channels;
        index[2] = named(t, "iy", line, c->x_height), index[3] = named(t, "ix", name, c->x_width);
    }
    return tile_operand(t->emitter, c->x, index);
}

// Of channel j of the four in hand.
static const char *computed_weights(const Rows *t, uint32_t j, Index columns, Index tap_x) {
    const Contract *c = &t->c;
    IndexPool *pool = t->emitter->pool;
    Index index[MAX_RANK], channel = index_add_constant(pool, index_scale(pool, channel_of(t), 4), j);
    if (c->kind == ROWS_PLAIN) {
        Type type = graph_type(t->emitter->graph, c->w);
        tile_unravel_matrix(t->emitter, &type, c->batch, index);
        index[type.rank - 2] = channel, index[type.rank - 1] = tile_elements(t->emitter, c, columns, c->columns);
        return tile_operand(t->emitter, c->w, index);
    }
    tile_weight(t->emitter, c, channel, columns, tap_x, index);
    if (t->is_depthwise)
        index[0] = tile_elements(t->emitter, c, channel_of(t), c->columns), index[1] = index_constant(0);
    return tile_operand(t->emitter, c->w, index);
}

const char *rows_extent(const Rows *t, int axis) {
    return emit_constant(t->emitter, axis ? "X_WIDTH" : "X_HEIGHT", axis ? t->c.x_width : t->c.x_height);
}

void rows_fetch_pixel(const Rows *t, const char *line, const char *name) {
    const char *fetched = t->computes_x ? computed_pixel(t, line, name) : tile_load(t->emitter, t->c.x, t->broadcasts ? "at%s + channel" : "at%s", name);
    if (t->has_border)
        emit_line(t->emitter, "vec4 b%s = mix(vec4(0.0), %s, bvec4(inside%s));", name, fetched, name);
    else
        emit_line(t->emitter, "vec4 b%s = %s;", name, fetched);
}

// Of column q of a lane, whether some lanes have none.
static bool may_be_beyond(const Rows *t, uint32_t q) {
    uint32_t last = t->vectors % (t->columns * t->across); // vec4s of the last workgroup
    return last && last < (q + 1) * t->across;
}

// Column q of a lane, counted in vec4s.
static const char *column_at(const Rows *t, uint32_t q) { return tile_at(t->emitter, "columns", &(TileStep){"ACROSS", t->across, q}, 1); }

// A vec4 of the weights: of component j of the channels, and of column q; `tap` taps along a line behind the one at `weight`.
static const char *weight_at(const Rows *t, uint32_t tap, uint32_t j, uint32_t q) {
    Emitter *e = t->emitter;
    bool is_cut = may_be_beyond(t, q);
    TileStep steps[] = {{"W_TAP_X", t->c.w_tap_x / 4, tap}, {"W_CHANNEL", t->c.w_channel / 4, j}, {"ACROSS", t->across, is_cut ? 0 : q}};
    const char *at = tile_at(e, "weight", steps, 3);
    return is_cut ? arena_format(e->arena, "%s + min(%s, %s - 1 - columns)", at, tile_step(e, (TileStep){"ACROSS", t->across, q}),
                                 emit_constant(e, "COLUMN_VECTORS", t->vectors))
                  : at;
}

// Of column q; the last columns of a lane may be beyond all.
static Index columns_of(const Rows *t, uint32_t q) {
    Emitter *e = t->emitter;
    int64_t last = (int64_t)t->vectors - 1;
    if (may_be_beyond(t, q))
        return emit_opaque_index(e, arena_format(e->arena, "min(%s, %s - 1)", column_at(t, q), emit_constant(e, "COLUMN_VECTORS", t->vectors)), 0, last);
    return index_add_constant(e->pool, index_opaque(e->pool, "columns", 0, last), q * t->across);
}

// As rows_multiply_add, where each channel is multiplied by itself.
static void multiply_channels(const Rows *t, uint32_t tap, Index tap_x, const char *const *names) {
    Emitter *e = t->emitter;
    TileStep step = {"W_TAP_X", t->c.w_tap_x / 4, tap};
    emit_line(e, "w0 = %s;", t->computes_w ? computed_weights(t, 0, index_constant(0), tap_x) : tile_load(e, t->c.w, "%s", tile_at(e, "weight", &step, 1)));
    for (uint32_t p = 0; p < t->rows; p++)
        emit_line(e, "a%u_0 += b%s * w0;", p, names[p]);
}

void rows_multiply_add(const Rows *t, uint32_t components, uint32_t tap, Index tap_x, const char *const *names) {
    Emitter *e = t->emitter;
    if (t->is_depthwise) {
        multiply_channels(t, tap, tap_x, names);
        return;
    }
    for (uint32_t q = 0; q < t->columns; q++) {
        Index columns = index_constant(0);
        if (t->computes_w)
            columns = columns_of(t, q);
        for (uint32_t j = 0; j < components; j++)
            emit_line(e, "w%u = %s;", j, t->computes_w ? computed_weights(t, j, columns, tap_x) : tile_load(e, t->c.w, "%s", weight_at(t, tap, j, q)));
        for (uint32_t p = 0; p < t->rows; p++) {
            if (t->broadcasts && q == 0)
                emit_line(e, "vec4 b%u = subgroupBroadcast(bf%u, %u);", p, p / t->lanes, p % t->lanes);
            Text line = text_create(e->arena);
            for (uint32_t j = 0; j < components; j++)
                text_format(&line, "%sa%u_%u += b%s.%c * w%u;", j ? " " : "", p, q, names[p], "xyzw"[j], j);
            emit_line(e, "%s", line.data);
        }
    }
}

// One step of 4 (at the end: fewer) channels: rows x columns x components multiply-adds. The positions advance by themselves, since a
// multiplication for every fetch costs more than the fetch.
static void rows_step(const Rows *t, const void *context, uint32_t components, bool advances) {
    (void)context;
    Emitter *e = t->emitter;
    const char **names = ARENA_NEW(e->arena, const char *, t->rows);
    for (uint32_t p = 0; p < t->rows; p++)
        names[p] = arena_format(e->arena, "%u", p);
    for (uint32_t i = 0; i < fetch_count(t); i++)
        rows_fetch_pixel(t, fetch_name(t, i), fetch_name(t, i));
    emit_line(e, "vec4 w0, w1, w2, w3;");
    rows_multiply_add(t, components, 0, tile_tap(e, &t->c, 1), names);
    if (!advances)
        return;
    for (uint32_t p = 0; p < t->rows && !t->computes_x && !t->broadcasts; p++)
        emit_line(e, "at%u++;", p);
    rows_advance(t);
}

// The condition under which a row at `at` is one; NULL: all are.
static const char *row_limits(const Rows *t, const char *name, const char *at) {
    Emitter *e = t->emitter;
    const Contract *c = &t->c;
    Text text = text_create(e->arena);
    if (is_cut(t))
        text_format(&text, "%s < %s", at, emit_constant(e, "ROW_COUNT", t->row_count));
    if (t->plane_y * c->stride[0] > c->height && t->parities > 1)
        text_format(&text, "%sy%s < %s", text.length ? " && " : "", name, emit_constant(e, "HEIGHT", c->height));
    if (t->plane_x * c->stride[1] > c->width && t->parities > 1)
        text_format(&text, "%sx%s < %s", text.length ? " && " : "", name, emit_constant(e, "WIDTH", c->width));
    return text.length ? text.data : NULL;
}

// Stores a column of a row: vec4 number `vector` of columns, `at` in the text.
static void end_column(const Rows *t, Index *index, Index vector, const char *at, bool may_be_beyond, const char *sum) {
    Emitter *e = t->emitter;
    const Contract *c = &t->c;
    EmitScope scope = {0};
    if (may_be_beyond)
        scope = emit_open(e, arena_format(e->arena, "if (%s < %s) {", at, emit_constant(e, "COLUMN_VECTORS", t->vectors)));
    Index column = index_add(e->pool, index_scale(e->pool, vector, 4), e->lane);
    if (c->groups > 1)
        column = index_add(e->pool, column, index_scale(e->pool, index_opaque(e->pool, "channel_group", 0, (int64_t)c->groups - 1), c->columns));
    index[c->kind == ROWS_PLAIN ? graph_type(e->graph, e->kernel->root).rank - 1 : 1] = column;
    tile_store(e, index, sum);
    if (may_be_beyond)
        emit_close(e, scope, true);
}

static Index first_column(const Rows *t) { return index_opaque(t->emitter->pool, "columns", 0, (int64_t)t->vectors - 1); }

// Of the row that the text calls `name`.
static void end_row(const Rows *t, const char *name, const char *at, void (*columns)(const Rows *t, uint32_t row, Index *index), uint32_t row) {
    Emitter *e = t->emitter;
    Type type = graph_type(e->graph, e->kernel->root);
    EmitScope scope = {0};
    const char *limits = row_limits(t, name, at);
    if (limits)
        scope = emit_open(e, arena_format(e->arena, "if (%s) {", limits));
    Index index[MAX_RANK];
    tile_row_index(e, &t->c, &type, name, t->row_count, index);
    columns(t, row, index);
    if (limits)
        emit_close(e, scope, true);
}

static void unrolled_columns(const Rows *t, uint32_t row, Index *index) {
    Emitter *e = t->emitter;
    for (uint32_t q = 0; q < t->columns; q++)
        end_column(t, index, index_add_constant(e->pool, first_column(t), q * t->across), column_at(t, q), may_be_beyond(t, q), arena_format(e->arena, "a%u_%u", row, q));
}

static void looped_columns(const Rows *t, uint32_t row, Index *index) {
    (void)row;
    Emitter *e = t->emitter;
    bool beyond = may_be_beyond(t, t->columns - 1);
    if (t->columns == 1) {
        end_column(t, index, first_column(t), "columns", beyond, "sums[r]");
        return;
    }
    Index q;
    EmitScope scope = tile_open_loop(e, "q", "LANE_COLUMNS", t->columns, t->columns, &q);
    const char *at = arena_format(e->arena, "columns + %s", tile_times(e, "q", "ACROSS", t->across));
    emit_name_factor(e, q, t->across, "ACROSS");
    end_column(t, index, index_add(e->pool, first_column(t), index_scale(e->pool, q, t->across)), at, beyond, "sums[r * LANE_COLUMNS + q]");
    emit_close(e, scope, true);
}

static void loop_rows(const Rows *t) {
    Emitter *e = t->emitter;
    Index r;
    tile_gather_sums(e, t->rows, t->columns);
    EmitScope scope = tile_open_loop(e, "r", "LANE_ROWS", t->rows, t->rows * t->columns, &r);
    const char *at = arena_format(e->arena, "rows + %s", t->is_line ? "r" : tile_times(e, "r", rows_step_name(t), t->down));
    if (t->is_line)
        emit_line(e, "int x = x0 + %s, y = y0, n = n0;", t->c.kind == ROWS_INPUT ? tile_times(e, "r", "STRIDE_X", t->c.stride[1]) : "r");
    else
        locate_row(t, "", at);
    end_row(t, "", at, looped_columns, 0);
    emit_close(e, scope, true);
}

void rows_end(const Rows *t) {
    Emitter *e = t->emitter;
    first_column(t); // it stands first in places
    if (tile_loops_sums(e, t->rows * t->columns)) {
        loop_rows(t);
        return;
    }
    for (uint32_t p = 0; p < t->rows; p++) {
        const char *name = arena_format(e->arena, "%u", p), *at = t->is_line ? tile_at(e, "rows", &(TileStep){NULL, 1, p}, 1) : row_at(t, p);
        if (t->broadcasts)
            locate_row(t, name, at);
        end_row(t, name, at, unrolled_columns, p);
    }
}

// Steps that go into one turn: those that must, or more up to what is wished for, as they divide all.
static uint32_t unrolled(const Rows *t, uint32_t turns, uint32_t whole) {
    uint32_t steps = contract_unroll(turns, whole);
    for (uint32_t more = steps + 1; more <= t->unroll; more++)
        steps = whole % more ? steps : more;
    return steps;
}

void rows_all_channels(const Rows *t, uint32_t turns, void (*step)(const Rows *t, const void *context, uint32_t components, bool advances), const void *context) {
    Emitter *e = t->emitter;
    uint32_t whole = t->c.channels / 4;
    if (whole > 1) {
        uint32_t steps = unrolled(t, turns, whole);
        EmitScope scope = emit_open_steps(e, arena_format(e->arena, "for (int k = 0; k < %s; k++) {", emit_constant(e, "CHANNEL_STEPS", whole / steps)), whole);
        for (uint32_t i = 0; i < steps; i++) {
            EmitScope inner = emit_open(e, steps > 1 ? "{" : NULL);
            step(t, context, 4, true);
            emit_close(e, inner, steps > 1);
        }
        emit_close(e, scope, true);
    } else if (whole) {
        EmitScope scope = emit_open(e, "{");
        step(t, context, 4, t->c.channels % 4);
        emit_close(e, scope, true);
    }
    if (t->c.channels % 4)
        step(t, context, t->c.channels % 4, false);
}

uint64_t rows_begin_groups(const Rows *t) {
    uint64_t groups = (uint64_t)t->column_blocks * t->row_blocks * t->parities * t->c.batch * t->c.groups;
    emit_line(t->emitter, "if (group >= %s)", emit_constant(t->emitter, "WORKGROUPS", (int64_t)groups));
    emit_line(t->emitter, "    return;");
    return groups;
}

uint64_t rows_emit(const Rows *t) {
    uint64_t groups = rows_begin_groups(t);
    rows_begin(t);
    EmitScope scopes[2];
    EmitScope outer = emit_open(t->emitter, "{");
    uint32_t opened = rows_open_taps(t, scopes);
    rows_all_channels(t, t->c.taps_y * t->c.taps_x, rows_step, NULL);
    while (opened-- > 0)
        emit_close(t->emitter, scopes[opened], true);
    emit_close(t->emitter, outer, true);
    rows_end(t);
    return groups;
}

// Loads of a lane, for each step, that find their line pushed out: rows that lie whole pages apart share one set of lines of a CPU's first cache,
// and it takes several steps to read a line.
static double conflicts_of(const Rows *t, double reads) {
    enum { PAGE = 4096 / sizeof(float), WAYS = 8 };
    const Contract *c = &t->c;
    uint32_t apart = c->kind == ROWS_PLAIN ? c->x_image : c->x_column, rows = t->rows * t->down;
    if (!apart || apart % PAGE || rows <= WAYS)
        return 0;
    return (t->broadcasts ? reads : reads / t->across) * (1 - WAYS / (double)rows);
}

Work rows_work(const KernelView *view, const Schedule *schedule, const Rows *t, double reads) {
    const Contract *c = &view->contract;
    double taps = c->taps_y * c->taps_x / (double)t->parities, steps = contract_ceil_div(c->channels, 4) * taps;
    Work work = {
        .groups = (double)t->column_blocks * t->row_blocks * t->parities * c->batch * c->groups,
        .lanes = t->lanes,
        .multiply_adds = steps * 4 * t->rows * t->columns,
        .conflicts = view->x.is_computed ? 0 : steps * conflicts_of(t, reads),
        .broadcasts = t->broadcasts ? steps * t->rows : 0,
        .places = taps * reads,
        .sums = t->rows * t->columns,
        .stores = t->rows * t->columns,
    };
    tile_count_loads(&work, view, schedule, steps * reads, steps * 4 * t->columns);
    return work;
}

enum { ROWS = PARAM_OWN, COLUMNS };

static Rows tile_of(Emitter *emitter, const Contract *contract, const Schedule *schedule) {
    return rows_of(emitter, contract, schedule_lanes(schedule), schedule->values[ROWS], schedule->values[COLUMNS], 1);
}

static uint64_t emit(Emitter *emitter) {
    Contract c = contract_of(emitter->list, emitter->kernel->root);
    Rows t = tile_of(emitter, &c, &emitter->kernel->schedule);
    return rows_emit(&t);
}

static Work work(const KernelView *view, const Schedule *schedule) {
    Rows t = tile_of(NULL, &view->contract, schedule);
    return rows_work(view, schedule, &t, t.rows);
}

static bool fits(const KernelView *view, const Schedule *schedule, const Target *target, const char **why) {
    (void)target;
    uint32_t rows = schedule->values[ROWS], columns = schedule->values[COLUMNS];
    *why = view->contract.is_outer ? "it sums over rows" : tile_misfit(view, rows * columns, rows, 4 * columns);
    return !*why;
}

// clang-format off
//           lanes  texel  rows  columns
static const Candidate candidates[] = {
    {TARGET_CPU, {0,  1, 16, 2}},
    {TARGET_CPU, {0,  1, 16, 1}},
    {TARGET_CPU, {0,  1, 8,  4}},
    {TARGET_CPU, {0,  1, 8,  3}},
    {TARGET_CPU, {0,  1, 4,  6}},
    {TARGET_CPU, {0,  1, 8,  2}},
    {TARGET_CPU, {0,  1, 8,  1}},
    {TARGET_CPU, {0,  1, 2,  4}},
    {TARGET_CPU, {0,  1, 1,  4}},
    {TARGET_GPU, {64, 0, 4,  2}},
    {TARGET_GPU, {64, 0, 4,  1}},
    {TARGET_GPU, {64, 0, 1,  1}},
    {TARGET_ANY, {8,  0, 4,  4}},
    {TARGET_ANY, {8,  0, 4,  1}},
};
// clang-format on

const Family rows_family = {
    .name = "rows",
    .summary = "a lane has several rows (pixels) and vec4s of columns (output channels)",
    .kernel_class = KERNEL_CONTRACT,
    .params = {FAMILY_LANES,
               FAMILY_TEXEL,
               {"rows", "of a lane", {1, 2, 4, 8, 16}, 5},
               {"columns", "vec4s of output channels of a lane", {1, 2, 3, 4, 6}, 5}},
    .param_count = 4,
    .candidates = candidates,
    .candidate_count = sizeof candidates / sizeof *candidates,
    .fits = fits,
    .work = work,
    .emit = emit,
    .error = rounding_of_contraction,
    .template_name = "contract.comp",
};
