// Contractions as register tiles that give each lane several rows (pixels) and vec4s of columns (output channels). Tiles are unrolled in the
// text: no driver need promote an array.
#include "compiler/emit/contract.h"
#include "compiler/emit/glsl.h"

typedef struct {
    Emitter *emitter;
    Contract c;
    uint32_t rows, columns, lanes;     // tile
    uint32_t vectors;                  // of columns
    uint32_t column_blocks, row_blocks, parities;
    uint32_t plane_y, plane_x, row_count; // rows of one parity
    uint32_t row_step;                    // from one row of a lane to its next
    bool has_border, may_exceed;
} Rows;

static Rows rows_of(Emitter *emitter) {
    const Schedule *schedule = &emitter->kernel->schedule;
    Rows t = {.emitter = emitter, .c = contract_of(emitter->list, emitter->kernel->root), .rows = schedule->rows, .columns = schedule->columns, .lanes = schedule->lanes};
    Contract *c = &t.c;
    bool parity = c->kind == ROWS_INPUT;
    uint32_t sy = parity ? (uint32_t)c->stride[0] : 1, sx = parity ? (uint32_t)c->stride[1] : 1;
    t.parities = sy * sx;
    t.plane_y = contract_ceil_div(c->height, sy), t.plane_x = contract_ceil_div(c->width, sx);
    t.row_count = c->images * t.plane_y * t.plane_x;
    t.vectors = contract_ceil_div(c->columns, 4);
    t.column_blocks = contract_ceil_div(t.vectors, t.columns);
    t.row_blocks = contract_ceil_div(t.row_count, t.rows * t.lanes);
    t.has_border = c->kind != ROWS_PLAIN && (c->taps_y > 1 || c->taps_x > 1 || c->pad[0] || c->pad[1] || parity);
    t.row_step = schedule->kind == SCHEDULE_STRIP ? 1 : t.lanes;
    t.may_exceed = t.row_count % (t.rows * t.lanes) || c->height % sy || c->width % sx;
    return t;
}

// Which tile a workgroup has, and which row each of a lane's rows is.
static void rows_begin(const Rows *t) {
    Emitter *e = t->emitter;
    const Contract *c = &t->c;
    emit_line(e, "int part = group;");
    emit_line(e, "int columns = part %% %u * %u; part /= %u; // first vec4 of output channels", t->column_blocks, t->columns, t->column_blocks);
    emit_line(e, "int rows = part %% %u * %u + lane_id; part /= %u;", t->row_blocks, t->rows * t->lanes, t->row_blocks);
    if (t->parities > 1)
        emit_line(e, "int parity = part %% %u; part /= %u; // rows of one remainder of y and x by the stride use the same taps", t->parities, t->parities);
    if (c->batch > 1)
        emit_line(e, "int matrix = part;");
    if (c->groups > 1)
        emit_line(e, "int channel_group = part;");
    for (uint32_t p = 0; p < t->rows; p++) {
        emit_line(e, "int row%u = min(rows + %u, %u);", p, p * t->lanes, t->row_count - 1);
        if (c->kind == ROWS_PLAIN)
            continue;
        emit_line(e, "int x%u = row%u %% %u, y%u = row%u / %u %% %u, n%u = row%u / %u;", p, p, t->plane_x, p, p, t->plane_x, t->plane_y, p, p, t->plane_x * t->plane_y);
        if (t->parities > 1)
            emit_line(e, "x%u = x%u * %lld + parity %% %lld; y%u = y%u * %lld + parity / %lld;", p, p, (long long)c->stride[1], (long long)c->stride[1], p, p,
                      (long long)c->stride[0], (long long)c->stride[1]);
    }
    for (uint32_t p = 0; p < t->rows; p++)
        for (uint32_t q = 0; q < t->columns; q++)
            emit_line(e, "vec4 a%u_%u = vec4(0.0);", p, q);
}

// Opens the loop over taps along one axis (0: ky, 1: kx); false: there is but one.
static bool tap_loop(const Rows *t, int axis, EmitScope *scope) {
    Emitter *e = t->emitter;
    const Contract *c = &t->c;
    const char *name = axis ? "kx" : "ky";
    uint32_t taps = axis ? c->taps_x : c->taps_y;
    long long stride = c->stride[axis];
    if (c->kind == ROWS_INPUT && stride > 1 && c->dilation[axis] == 1) {
        const char *parity = arena_format(e->arena, axis ? "parity %% %lld" : "parity / %lld", (long long)c->stride[1]);
        *scope = emit_open(e, arena_format(e->arena, "for (int %s = (%s + %lld) %% %lld; %s < %u; %s += %lld) {", name, parity, (long long)c->pad[axis], stride, name, taps, name,
                                           stride));
        return true;
    }
    if (taps > 1)
        *scope = emit_open(e, arena_format(e->arena, "for (int %s = 0; %s < %u; %s++) {", name, name, taps, name));
    else
        emit_line(e, "const int %s = 0;", name);
    return taps > 1;
}

// `int iy3 = …`: where row 3 meets the tap in x along one axis, not yet divided by a transposed convolution's stride; appends what
// must not be negative, and what must be 0, for it to meet one at all.
static void place_along(const Rows *t, int axis, const char *row, Text *signs, Text *rests) {
    Emitter *e = t->emitter;
    const Contract *c = &t->c;
    const char *tap = axis ? "kx" : "ky";
    char name = axis ? 'x' : 'y';
    if (c->kind == ROWS_FORWARD) {
        emit_line(e, "int i%c%s = %s + %s%s;", name, row, contract_times(e->arena, arena_format(e->arena, "%c%s", name, row), c->stride[axis]),
                  contract_times(e->arena, tap, c->dilation[axis]), contract_plus(e->arena, -c->pad[axis]));
        return;
    }
    emit_line(e, "int i%c%s = %c%s%s - %s;", name, row, name, row, contract_plus(e->arena, c->pad[axis]), contract_times(e->arena, tap, c->dilation[axis]));
    if (c->stride[axis] > 1) {
        text_format(signs, "%si%c%s", signs->length ? " | " : "", name, row);
        if (c->dilation[axis] > 1)
            text_format(rests, "%si%c%s %% %lld", rests->length ? " | " : "", name, row, (long long)c->stride[axis]);
    }
}

// `bool whole3 = …` from what place_along gave. Conditions are all computed, without && and ?: - each of these would be a branch, and drivers
// take very long over many branches in a row (SwiftShader: twice as long for each).
static bool declare_whole(const Rows *t, const char *row, const Text *signs, const Text *rests) {
    if (rests->length)
        emit_line(t->emitter, "bool whole%s = all(bvec2((%s) >= 0, (%s) == 0));", row, signs->data, rests->data);
    else if (signs->length)
        emit_line(t->emitter, "bool whole%s = (%s) >= 0;", row, signs->data);
    return signs->length > 0;
}

// Where the weights of the tap (NULL: of kx = 0) begin, in vec4s.
static const char *weight_place(const Rows *t, const char *tap_x) {
    const Contract *c = &t->c;
    Text weights = text_create(t->emitter->arena);
    text_format(&weights, "ky * %u", c->w_tap_y / 4);
    if (tap_x)
        text_format(&weights, " + %s * %u", tap_x, c->w_tap_x / 4);
    text_format(&weights, " + columns");
    if (c->batch > 1)
        text_format(&weights, " + matrix * %u", c->w_batch / 4);
    if (c->groups > 1 && c->kind == ROWS_FORWARD)
        text_format(&weights, " + channel_group * %u", c->columns / 4);
    if (c->groups > 1 && c->kind == ROWS_INPUT)
        text_format(&weights, " + channel_group * %u", c->channels * (c->w_channel / 4));
    return weights.data;
}

// Opens the loops over taps and says where each row's pixel lies in x: at0, at1 … in vec4s.
static uint32_t rows_open_taps(const Rows *t, EmitScope *scopes) {
    Emitter *e = t->emitter;
    const Contract *c = &t->c;
    uint32_t opened = 0;
    for (int axis = 0; axis < 2; axis++)
        opened += tap_loop(t, axis, &scopes[opened]);
    const char *group = c->groups > 1 ? arena_format(e->arena, " + channel_group * %u", c->channels / 4) : "";
    const char *batch = c->batch > 1 ? arena_format(e->arena, " + matrix * %u", c->x_batch / 4) : "";
    for (uint32_t p = 0; p < t->rows; p++) {
        if (c->kind == ROWS_PLAIN) {
            emit_line(e, "int at%u = row%u * %u%s;", p, p, c->x_image / 4, batch);
            continue;
        }
        Text signs = text_create(e->arena), rests = text_create(e->arena);
        const char *row = arena_format(e->arena, "%u", p);
        for (int axis = 0; axis < 2; axis++)
            place_along(t, axis, row, &signs, &rests);
        bool is_divided = declare_whole(t, row, &signs, &rests);
        if (is_divided)
            emit_line(e, "iy%u /= %lld; ix%u /= %lld;", p, (long long)c->stride[0], p, (long long)c->stride[1]);
        const char *place = arena_format(e->arena, "n%u * %u + iy%u * %u + ix%u * %u%s", p, c->x_image / 4, p, c->x_row / 4, p, c->x_column / 4, group);
        if (t->has_border) {
            emit_line(e, "bool inside%u = all(bvec%d(uint(iy%u) < %uu, uint(ix%u) < %uu%s));", p, is_divided ? 3 : 2, p, c->x_height, p, c->x_width,
                      is_divided ? arena_format(e->arena, ", whole%u", p) : "");
            emit_line(e, "int at%u = mix(0, %s, inside%u);", p, place, p);
        } else {
            emit_line(e, "int at%u = %s;", p, place);
        }
    }
    emit_line(e, "int weight = %s;", weight_place(t, "kx"));
    return opened;
}

static void fetch_pixel(const Rows *t, const char *name) {
    const char *fetched = contract_load(t->emitter, t->c.x, "at%s", name);
    if (t->has_border)
        emit_line(t->emitter, "vec4 b%s = mix(vec4(0.0), %s, bvec4(inside%s));", name, fetched, name);
    else
        emit_line(t->emitter, "vec4 b%s = %s;", name, fetched);
}

// The products of up to 4 channels of the fetched pixels (one name a row) with the weights from `first` vec4s after `weight`.
static void multiply_add(const Rows *t, uint32_t components, uint32_t first, const char *const *names) {
    Emitter *e = t->emitter;
    const Contract *c = &t->c;
    for (uint32_t q = 0; q < t->columns; q++) {
        for (uint32_t j = 0; j < components; j++) {
            uint32_t base = first + j * (c->w_channel / 4);
            const char *column = t->vectors % t->columns && q ? arena_format(e->arena, "%u + min(%u, %u - columns)", base, q, t->vectors - 1) : arena_format(e->arena, "%u", base + q);
            emit_line(e, "w%u = %s;", j, contract_load(e, c->w, "weight + %s", column));
        }
        for (uint32_t p = 0; p < t->rows; p++) {
            Text line = text_create(e->arena);
            for (uint32_t j = 0; j < components; j++)
                text_format(&line, "%sa%u_%u += b%s.%c * w%u;", j ? " " : "", p, q, names[p], "xyzw"[j], j);
            emit_line(e, "%s", line.data);
        }
    }
}

// One step of 4 (at the end: fewer) channels: rows x columns x components multiply-adds. The positions advance by themselves, since a
// multiplication for every fetch costs more than the fetch.
static void rows_step(const Rows *t, uint32_t components, bool advances) {
    Emitter *e = t->emitter;
    const char **names = ARENA_NEW(e->arena, const char *, t->rows);
    for (uint32_t p = 0; p < t->rows; p++) {
        names[p] = arena_format(e->arena, "%u", p);
        fetch_pixel(t, names[p]);
    }
    emit_line(e, "vec4 w0, w1, w2, w3;");
    multiply_add(t, components, 0, names);
    if (!advances)
        return;
    for (uint32_t p = 0; p < t->rows; p++)
        emit_line(e, "at%u++;", p);
    emit_line(e, "weight += %u;", t->c.w_channel);
}

static void rows_end(const Rows *t) {
    Emitter *e = t->emitter;
    const Contract *c = &t->c;
    Value root = e->kernel->root;
    Type type = graph_type(e->graph, root);
    Index first = index_opaque(e->pool, "columns", 0, (int64_t)t->vectors - 1), index[MAX_RANK];
    for (uint32_t p = 0; p < t->rows; p++) {
        bool plain = c->kind == ROWS_PLAIN;
        EmitScope scope = {0};
        if (t->may_exceed)
            scope = emit_open(e, arena_format(e->arena, t->parities > 1 ? "if (rows + %u < %u && y%u < %u && x%u < %u) {" : "if (rows + %u < %u) {", p * t->row_step, t->row_count, p,
                                              c->height, p, c->width));
        contract_row_index(e, c, &type, p, t->row_count, index);
        for (uint32_t q = 0; q < t->columns; q++) {
            bool tail = t->vectors % t->columns && q >= t->vectors % t->columns;
            EmitScope inner = {0};
            if (tail)
                inner = emit_open(e, arena_format(e->arena, "if (columns + %u < %u) {", q, t->vectors));
            Index column = index_add(e->pool, index_scale(e->pool, index_add_constant(e->pool, first, q), 4), e->lane);
            if (c->groups > 1)
                column = index_add(e->pool, column, index_scale(e->pool, index_opaque(e->pool, "channel_group", 0, (int64_t)c->groups - 1), c->columns));
            index[plain ? type.rank - 1 : 1] = column;
            contract_store(e, index, arena_format(e->arena, "a%u_%u", p, q));
            if (tail)
                emit_close(e, inner, true);
        }
        if (t->may_exceed)
            emit_close(e, scope, true);
    }
}

// ---- strips: a lane's rows are neighbouring pixels of one line, so taps along it share what they read

enum { STRIP_MAX = 64 };

// Pixel p of a strip meets tap number m of its line at `at(p, m)`, counted from the strip's first pixel of x ("base" in the text). Of a
// transposed convolution with a stride, a workgroup's pixels have one remainder by the stride, and meet every stride-th tap.
typedef struct {
    uint32_t taps;        // that a pixel meets along the line, at most
    int64_t step, spread; // at(p, m) = p step + m spread
    int64_t low, high;    // of at
    bool may_miss;        // some remainders meet a tap less
} Strip;

static Strip strip_of(const Rows *t) {
    const Contract *c = &t->c;
    bool input = c->kind == ROWS_INPUT;
    uint32_t every = input ? (uint32_t)c->stride[1] : 1;
    Strip strip = {.taps = contract_ceil_div(c->taps_x, every), .step = input ? 1 : c->stride[1], .may_miss = c->taps_x % every != 0};
    strip.spread = input ? (every > 1 ? -1 : -c->dilation[1]) : c->dilation[1];
    int64_t reach = (strip.taps - 1) * strip.spread;
    strip.low = reach < 0 ? reach : 0;
    strip.high = (t->rows - 1) * strip.step + (reach > 0 ? reach : 0);
    return strip;
}

static bool strip_reads(const Rows *t, const Strip *strip, int64_t at) {
    for (uint32_t p = 0; p < t->rows; p++)
        for (uint32_t m = 0; m < strip->taps; m++)
            if (p * strip->step + m * strip->spread == at)
                return true;
    return false;
}

uint32_t contract_strip_loads(const Contract *contract, uint32_t pixels) {
    Rows t = {.c = *contract, .rows = pixels};
    Strip strip = strip_of(&t);
    uint32_t count = 0;
    for (int64_t at = strip.low; at <= strip.high; at++)
        count += strip_reads(&t, &strip, at);
    return count;
}

uint32_t contract_strip_pixels(const Contract *c, uint32_t most) {
    uint32_t stride_x = c->kind == ROWS_INPUT ? (uint32_t)c->stride[1] : 1, width = contract_ceil_div(c->width, stride_x);
    bool fits = c->kind != ROWS_PLAIN && !c->is_outer && (c->kind == ROWS_FORWARD || c->stride[1] == 1 || c->dilation[1] == 1);
    for (uint32_t pixels = most; fits && pixels > 1; pixels--)
        if (width % pixels == 0 && (pixels - 1) * c->stride[1] + (c->taps_x - 1) * c->dilation[1] < STRIP_MAX)
            return pixels;
    return 0;
}

static void strip_begin(const Rows *t) {
    Emitter *e = t->emitter;
    const Contract *c = &t->c;
    emit_line(e, "int part = group;");
    emit_line(e, "int columns = part %% %u * %u; part /= %u; // first vec4 of output channels", t->column_blocks, t->columns, t->column_blocks);
    emit_line(e, "int rows = (part %% %u * %u + lane_id) * %u; part /= %u; // first pixel of the strip", t->row_blocks, t->lanes, t->rows, t->row_blocks);
    if (t->parities > 1)
        emit_line(e, "int parity = part %% %u; part /= %u; // pixels of one remainder of y and x by the stride use the same taps", t->parities, t->parities);
    if (c->groups > 1)
        emit_line(e, "int channel_group = part;");
    emit_line(e, "int row0 = min(rows, %u);", t->row_count - t->rows);
    emit_line(e, "int x0 = row0 %% %u, y0 = row0 / %u %% %u, n0 = row0 / %u;", t->plane_x, t->plane_x, t->plane_y, t->plane_x * t->plane_y);
    const char *remainder = arena_format(e->arena, "parity %% %lld", (long long)c->stride[1]);
    if (c->kind == ROWS_FORWARD) {
        emit_line(e, "int base = %s%s;", contract_times(e->arena, "x0", c->stride[1]), contract_plus(e->arena, -c->pad[1]));
    } else if (c->stride[1] > 1) {
        emit_line(e, "int first_tap = (%s%s) %% %lld;", remainder, contract_plus(e->arena, c->pad[1]), (long long)c->stride[1]);
        emit_line(e, "int base = x0 + (%s%s - first_tap) / %lld;", remainder, contract_plus(e->arena, c->pad[1]), (long long)c->stride[1]);
    } else {
        emit_line(e, "int base = x0%s;", contract_plus(e->arena, c->pad[1]));
    }
    if (t->parities > 1)
        emit_line(e, "x0 = x0 * %lld + parity %% %lld; y0 = y0 * %lld + parity / %lld;", (long long)c->stride[1], (long long)c->stride[1], (long long)c->stride[0],
                  (long long)c->stride[1]);
    for (uint32_t p = 1; p < t->rows; p++)
        emit_line(e, "int x%u = x0 + %lld, y%u = y0, n%u = n0;", p, p * (t->parities > 1 ? (long long)c->stride[1] : 1), p, p);
    for (uint32_t p = 0; p < t->rows; p++)
        for (uint32_t q = 0; q < t->columns; q++)
            emit_line(e, "vec4 a%u_%u = vec4(0.0);", p, q);
}

// Names what is read at a place of a strip: 3 -> "3", -2 -> "m2".
static const char *place_name(const Rows *t, int64_t at) { return arena_format(t->emitter->arena, at < 0 ? "m%lld" : "%lld", (long long)(at < 0 ? -at : at)); }

// Opens the loop over lines of taps and says where each pixel of the strip lies in x.
static bool strip_open_line(const Rows *t, const Strip *strip, EmitScope *scope) {
    Emitter *e = t->emitter;
    const Contract *c = &t->c;
    bool opened = tap_loop(t, 0, scope);
    Text signs = text_create(e->arena), rests = text_create(e->arena);
    place_along(t, 0, "0", &signs, &rests);
    bool is_divided = declare_whole(t, "", &signs, &rests);
    if (is_divided)
        emit_line(e, "iy0 /= %lld;", (long long)c->stride[0]);
    const char *group = c->groups > 1 ? arena_format(e->arena, " + channel_group * %u", c->channels / 4) : "";
    emit_line(e, "int line = n0 * %u + iy0 * %u%s;", c->x_image / 4, c->x_row / 4, group);
    if (t->has_border)
        emit_line(e, is_divided ? "bool meets = all(bvec2(uint(iy0) < %uu, whole));" : "bool meets = uint(iy0) < %uu;", c->x_height);
    for (int64_t at = strip->low; at <= strip->high; at++) {
        if (!strip_reads(t, strip, at))
            continue;
        const char *name = place_name(t, at), *place = arena_format(e->arena, "base%s", contract_plus(e->arena, at));
        if (t->has_border) {
            emit_line(e, "bool inside%s = all(bvec2(meets, uint(%s) < %uu));", name, place, c->x_width);
            emit_line(e, "int at%s = mix(0, line + (%s) * %u, inside%s);", name, place, c->x_column / 4, name);
        } else {
            emit_line(e, "int at%s = line + (%s) * %u;", name, place, c->x_column / 4);
        }
    }
    bool every = c->kind == ROWS_INPUT && c->stride[1] > 1;
    emit_line(e, "int weight = %s;", weight_place(t, every ? "first_tap" : NULL));
    return opened;
}

// One step of 4 (at the end: fewer) channels, all taps of the line.
static void strip_step(const Rows *t, const Strip *strip, uint32_t components, bool advances) {
    Emitter *e = t->emitter;
    const Contract *c = &t->c;
    uint32_t every = c->kind == ROWS_INPUT ? (uint32_t)c->stride[1] : 1;
    for (int64_t at = strip->low; at <= strip->high; at++)
        if (strip_reads(t, strip, at)) {
            const char *name = place_name(t, at);
            fetch_pixel(t, name);
        }
    emit_line(e, "vec4 w0, w1, w2, w3;");
    for (uint32_t m = 0; m < strip->taps; m++) {
        bool may_miss = strip->may_miss && m + 1 == strip->taps;
        EmitScope scope = {0};
        if (may_miss)
            scope = emit_open(e, arena_format(e->arena, "if (first_tap + %u < %u) {", m * every, c->taps_x));
        const char *names[STRIP_MAX];
        for (uint32_t p = 0; p < t->rows; p++)
            names[p] = place_name(t, p * strip->step + m * strip->spread);
        multiply_add(t, components, m * every * (c->w_tap_x / 4), names);
        if (may_miss)
            emit_close(e, scope, true);
    }
    for (int64_t at = strip->low; advances && at <= strip->high; at++)
        if (strip_reads(t, strip, at))
            emit_line(e, "at%s++;", place_name(t, at));
    if (advances)
        emit_line(e, "weight += %u;", c->w_channel);
}

// ---- the kernels

static void step(const Rows *t, const Strip *strip, uint32_t components, bool advances) {
    if (strip)
        strip_step(t, strip, components, advances);
    else
        rows_step(t, components, advances);
}

static void all_channels(const Rows *t, const Strip *strip, uint32_t turns) {
    Emitter *e = t->emitter;
    uint32_t whole = t->c.channels / 4;
    if (whole > 1) {
        uint32_t steps = contract_unroll(turns, whole);
        EmitScope scope = emit_open(e, arena_format(e->arena, "for (int k = 0; k < %u; k++) {", whole / steps));
        for (uint32_t i = 0; i < steps; i++) {
            EmitScope inner = emit_open(e, steps > 1 ? "{" : NULL);
            step(t, strip, 4, true);
            emit_close(e, inner, steps > 1);
        }
        emit_close(e, scope, true);
    } else if (whole) {
        EmitScope scope = emit_open(e, "{");
        step(t, strip, 4, t->c.channels % 4);
        emit_close(e, scope, true);
    }
    if (t->c.channels % 4)
        step(t, strip, t->c.channels % 4, false);
}

static uint64_t begin_groups(const Rows *t) {
    uint64_t groups = (uint64_t)t->column_blocks * t->row_blocks * t->parities * t->c.batch * t->c.groups;
    emit_line(t->emitter, "if (group >= %llu)", (unsigned long long)groups);
    emit_line(t->emitter, "    return;");
    return groups;
}

uint64_t emit_rows_contraction(Emitter *emitter) {
    Rows t = rows_of(emitter);
    uint64_t groups = begin_groups(&t);
    rows_begin(&t);
    EmitScope scopes[2];
    EmitScope outer = emit_open(emitter, "{");
    uint32_t opened = rows_open_taps(&t, scopes);
    all_channels(&t, NULL, t.c.taps_y * t.c.taps_x);
    while (opened-- > 0)
        emit_close(emitter, scopes[opened], true);
    emit_close(emitter, outer, true);
    rows_end(&t);
    return groups;
}

uint64_t emit_strip_contraction(Emitter *emitter) {
    Rows t = rows_of(emitter);
    Strip strip = strip_of(&t);
    uint64_t groups = begin_groups(&t);
    strip_begin(&t);
    EmitScope scope;
    EmitScope outer = emit_open(emitter, "{");
    bool opened = strip_open_line(&t, &strip, &scope);
    all_channels(&t, &strip, t.c.taps_y);
    if (opened)
        emit_close(emitter, scope, true);
    emit_close(emitter, outer, true);
    rows_end(&t);
    return groups;
}
