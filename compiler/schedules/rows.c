// Rows: register tiles that give each lane several rows (pixels) and vec4s of columns (output channels). Tiles are unrolled in the
// text: no driver need promote an array.
#include "compiler/schedules/rows.h"
#include "compiler/schedules/rounding.h"

Rows rows_of(Emitter *emitter, const Contract *contract, uint32_t lanes, uint32_t rows, uint32_t columns, uint32_t row_step) {
    Rows t = {.emitter = emitter, .c = *contract, .rows = rows, .columns = columns, .lanes = lanes, .row_step = row_step};
    const Contract *c = &t.c;
    bool parity = c->kind == ROWS_INPUT;
    uint32_t sy = parity ? (uint32_t)c->stride[0] : 1, sx = parity ? (uint32_t)c->stride[1] : 1;
    t.parities = sy * sx;
    t.plane_y = contract_ceil_div(c->height, sy), t.plane_x = contract_ceil_div(c->width, sx);
    t.row_count = c->images * t.plane_y * t.plane_x;
    t.vectors = contract_ceil_div(c->columns, 4);
    t.column_blocks = contract_ceil_div(t.vectors, t.columns);
    t.row_blocks = contract_ceil_div(t.row_count, t.rows * t.lanes);
    t.has_border = c->kind != ROWS_PLAIN && (c->taps_y > 1 || c->taps_x > 1 || c->pad[0] || c->pad[1] || parity);
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

bool rows_tap_loop(const Rows *t, int axis, EmitScope *scope) {
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

void rows_place_along(const Rows *t, int axis, const char *row, Text *signs, Text *rests) {
    Emitter *e = t->emitter;
    const Contract *c = &t->c;
    const char *tap = axis ? "kx" : "ky";
    char name = axis ? 'x' : 'y';
    if (c->kind == ROWS_FORWARD) {
        emit_line(e, "int i%c%s = %s + %s%s;", name, row, tile_times(e->arena, arena_format(e->arena, "%c%s", name, row), c->stride[axis]),
                  tile_times(e->arena, tap, c->dilation[axis]), tile_plus(e->arena, -c->pad[axis]));
        return;
    }
    emit_line(e, "int i%c%s = %c%s%s - %s;", name, row, name, row, tile_plus(e->arena, c->pad[axis]), tile_times(e->arena, tap, c->dilation[axis]));
    if (c->stride[axis] > 1) {
        text_format(signs, "%si%c%s", signs->length ? " | " : "", name, row);
        if (c->dilation[axis] > 1)
            text_format(rests, "%si%c%s %% %lld", rests->length ? " | " : "", name, row, (long long)c->stride[axis]);
    }
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
        opened += rows_tap_loop(t, axis, &scopes[opened]);
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
            rows_place_along(t, axis, row, &signs, &rests);
        bool is_divided = rows_declare_whole(t, row, &signs, &rests);
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
    emit_line(e, "int weight = %s;", rows_weight_place(t, "kx"));
    return opened;
}

void rows_fetch_pixel(const Rows *t, const char *name) {
    const char *fetched = tile_load(t->emitter, t->c.x, "at%s", name);
    if (t->has_border)
        emit_line(t->emitter, "vec4 b%s = mix(vec4(0.0), %s, bvec4(inside%s));", name, fetched, name);
    else
        emit_line(t->emitter, "vec4 b%s = %s;", name, fetched);
}

void rows_multiply_add(const Rows *t, uint32_t components, uint32_t first, const char *const *names) {
    Emitter *e = t->emitter;
    const Contract *c = &t->c;
    for (uint32_t q = 0; q < t->columns; q++) {
        for (uint32_t j = 0; j < components; j++) {
            uint32_t base = first + j * (c->w_channel / 4);
            const char *column = t->vectors % t->columns && q ? arena_format(e->arena, "%u + min(%u, %u - columns)", base, q, t->vectors - 1) : arena_format(e->arena, "%u", base + q);
            emit_line(e, "w%u = %s;", j, tile_load(e, c->w, "weight + %s", column));
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
static void rows_step(const Rows *t, const void *context, uint32_t components, bool advances) {
    (void)context;
    Emitter *e = t->emitter;
    const char **names = ARENA_NEW(e->arena, const char *, t->rows);
    for (uint32_t p = 0; p < t->rows; p++) {
        names[p] = arena_format(e->arena, "%u", p);
        rows_fetch_pixel(t, names[p]);
    }
    emit_line(e, "vec4 w0, w1, w2, w3;");
    rows_multiply_add(t, components, 0, names);
    if (!advances)
        return;
    for (uint32_t p = 0; p < t->rows; p++)
        emit_line(e, "at%u++;", p);
    emit_line(e, "weight += %u;", t->c.w_channel);
}

void rows_end(const Rows *t) {
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
        tile_row_index(e, c, &type, p, t->row_count, index);
        for (uint32_t q = 0; q < t->columns; q++) {
            bool tail = t->vectors % t->columns && q >= t->vectors % t->columns;
            EmitScope inner = {0};
            if (tail)
                inner = emit_open(e, arena_format(e->arena, "if (columns + %u < %u) {", q, t->vectors));
            Index column = index_add(e->pool, index_scale(e->pool, index_add_constant(e->pool, first, q), 4), e->lane);
            if (c->groups > 1)
                column = index_add(e->pool, column, index_scale(e->pool, index_opaque(e->pool, "channel_group", 0, (int64_t)c->groups - 1), c->columns));
            index[plain ? type.rank - 1 : 1] = column;
            tile_store(e, index, arena_format(e->arena, "a%u_%u", p, q));
            if (tail)
                emit_close(e, inner, true);
        }
        if (t->may_exceed)
            emit_close(e, scope, true);
    }
}

void rows_all_channels(const Rows *t, uint32_t turns, void (*step)(const Rows *t, const void *context, uint32_t components, bool advances), const void *context) {
    Emitter *e = t->emitter;
    uint32_t whole = t->c.channels / 4;
    if (whole > 1) {
        uint32_t steps = contract_unroll(turns, whole);
        EmitScope scope = emit_open(e, arena_format(e->arena, "for (int k = 0; k < %u; k++) {", whole / steps));
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
    emit_line(t->emitter, "if (group >= %llu)", (unsigned long long)groups);
    emit_line(t->emitter, "    return;");
    return groups;
}

enum { ROWS = PARAM_OWN, COLUMNS };

static uint64_t emit(Emitter *emitter) {
    const uint32_t *values = emitter->kernel->schedule.values;
    Contract c = contract_of(emitter->list, emitter->kernel->root);
    Rows t = rows_of(emitter, &c, values[PARAM_LANES], values[ROWS], values[COLUMNS], values[PARAM_LANES]);
    uint64_t groups = rows_begin_groups(&t);
    rows_begin(&t);
    EmitScope scopes[2];
    EmitScope outer = emit_open(emitter, "{");
    uint32_t opened = rows_open_taps(&t, scopes);
    rows_all_channels(&t, t.c.taps_y * t.c.taps_x, rows_step, NULL);
    while (opened-- > 0)
        emit_close(emitter, scopes[opened], true);
    emit_close(emitter, outer, true);
    rows_end(&t);
    return groups;
}

Work rows_work(const KernelView *view, const Schedule *schedule, uint32_t rows, uint32_t columns, double reads) {
    const Contract *c = &view->contract;
    Rows t = rows_of(NULL, c, schedule_lanes(schedule), rows, columns, 1);
    double taps = c->taps_y * c->taps_x / (double)t.parities, steps = contract_ceil_div(c->channels, 4) * taps, loads = steps * (reads + 4.0 * columns);
    return (Work){
        .groups = (double)t.column_blocks * t.row_blocks * t.parities * c->batch * c->groups,
        .lanes = t.lanes,
        .multiply_adds = steps * 4 * rows * columns,
        .texel_loads = schedule->values[PARAM_TEXEL] ? loads : 0,
        .storage_loads = schedule->values[PARAM_TEXEL] ? 0 : loads,
        .places = taps * reads,
        .sums = rows * columns,
        .stores = rows * columns,
    };
}

static Work work(const KernelView *view, const Schedule *schedule) { return rows_work(view, schedule, schedule->values[ROWS], schedule->values[COLUMNS], schedule->values[ROWS]); }

static bool fits(const KernelView *view, const Schedule *schedule, const Target *target, const char **why) {
    (void)target;
    *why = view->contract.is_outer ? "it sums over rows" : tile_misfit(view, schedule->values[ROWS] * schedule->values[COLUMNS]);
    return !*why;
}

static double error(const KernelView *view, const Schedule *schedule) {
    (void)schedule;
    return rounding_of_sum(contract_terms(&view->contract), 1, true);
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
    .error = error,
    .template_name = "contract.comp",
};
