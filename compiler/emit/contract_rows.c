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

// Opens the loops over taps and says where each row's pixel lies in x: at0, at1 … in vec4s.
static uint32_t rows_open_taps(const Rows *t, EmitScope *scopes) {
    Emitter *e = t->emitter;
    const Contract *c = &t->c;
    uint32_t opened = 0;
    const char *names[2] = {"ky", "kx"};
    for (int i = 0; i < 2; i++) {
        uint32_t taps = i ? c->taps_x : c->taps_y;
        long long stride = c->stride[i];
        if (c->kind == ROWS_INPUT && stride > 1 && c->dilation[i] == 1) {
            const char *parity = arena_format(e->arena, i ? "parity %% %lld" : "parity / %lld", (long long)c->stride[1]);
            scopes[opened++] = emit_open(e, arena_format(e->arena, "for (int %s = (%s + %lld) %% %lld; %s < %u; %s += %lld) {", names[i], parity, (long long)c->pad[i],
                                                         stride, names[i], taps, names[i], stride));
        } else if (taps > 1) {
            scopes[opened++] = emit_open(e, arena_format(e->arena, "for (int %s = 0; %s < %u; %s++) {", names[i], names[i], taps, names[i]));
        } else {
            emit_line(e, "const int %s = 0;", names[i]);
        }
    }
    const char *group = c->groups > 1 ? arena_format(e->arena, " + channel_group * %u", c->channels / 4) : "";
    const char *batch = c->batch > 1 ? arena_format(e->arena, " + matrix * %u", c->x_batch / 4) : "";
    for (uint32_t p = 0; p < t->rows; p++) {
        if (c->kind == ROWS_PLAIN) {
            emit_line(e, "int at%u = row%u * %u%s;", p, p, c->x_image / 4, batch);
            continue;
        }
        Text inside = text_create(e->arena);
        for (int i = 0; i < 2; i++) {
            const char axis = i ? 'x' : 'y';
            if (c->kind == ROWS_FORWARD) {
                emit_line(e, "int i%c%u = %s + %s%s;", axis, p, contract_times(e->arena, arena_format(e->arena, "%c%u", axis, p), c->stride[i]),
                          contract_times(e->arena, names[i], c->dilation[i]), contract_plus(e->arena, -c->pad[i]));
            } else {
                emit_line(e, "int i%c%u = %c%u%s - %s;", axis, p, axis, p, contract_plus(e->arena, c->pad[i]), contract_times(e->arena, names[i], c->dilation[i]));
                if (c->stride[i] > 1) {
                    text_format(&inside, " && i%c%u >= 0", axis, p);
                    if (c->dilation[i] > 1)
                        text_format(&inside, " && i%c%u %% %lld == 0", axis, p, (long long)c->stride[i]);
                }
            }
        }
        if (c->kind == ROWS_INPUT && (c->stride[0] > 1 || c->stride[1] > 1)) {
            emit_line(e, "bool whole%u = true%s;", p, inside.data);
            emit_line(e, "iy%u /= %lld; ix%u /= %lld;", p, (long long)c->stride[0], p, (long long)c->stride[1]);
        }
        const char *place = arena_format(e->arena, "n%u * %u + iy%u * %u + ix%u * %u%s", p, c->x_image / 4, p, c->x_row / 4, p, c->x_column / 4, group);
        if (t->has_border) {
            emit_line(e, "bool inside%u = uint(iy%u) < %uu && uint(ix%u) < %uu%s;", p, p, c->x_height, p, c->x_width,
                      inside.length ? arena_format(e->arena, " && whole%u", p) : "");
            emit_line(e, "int at%u = inside%u ? %s : 0;", p, p, place);
        } else {
            emit_line(e, "int at%u = %s;", p, place);
        }
    }
    Text weights = text_create(e->arena);
    text_format(&weights, "ky * %u + kx * %u + columns", c->w_tap_y / 4, c->w_tap_x / 4);
    if (c->batch > 1)
        text_format(&weights, " + matrix * %u", c->w_batch / 4);
    if (c->groups > 1 && c->kind == ROWS_FORWARD)
        text_format(&weights, " + channel_group * %u", c->columns / 4);
    if (c->groups > 1 && c->kind == ROWS_INPUT)
        text_format(&weights, " + channel_group * %u", c->channels * (c->w_channel / 4));
    emit_line(e, "int weight = %s;", weights.data);
    return opened;
}

// One step of 4 (at the end: fewer) channels: rows x columns x components multiply-adds. The positions advance by themselves, since a
// multiplication for every fetch costs more than the fetch.
static void rows_step(const Rows *t, uint32_t components, bool advances) {
    Emitter *e = t->emitter;
    const Contract *c = &t->c;
    for (uint32_t p = 0; p < t->rows; p++) {
        const char *fetched = contract_load(e, c->x, "at%u", p);
        if (t->has_border)
            emit_line(e, "vec4 b%u = inside%u ? %s : vec4(0.0);", p, p, fetched);
        else
            emit_line(e, "vec4 b%u = %s;", p, fetched);
    }
    emit_line(e, "vec4 w;");
    for (uint32_t j = 0; j < components; j++)
        for (uint32_t q = 0; q < t->columns; q++) {
            uint32_t base = j * (c->w_channel / 4);
            const char *column = t->vectors % t->columns && q ? arena_format(e->arena, "%u + min(%u, %u - columns)", base, q, t->vectors - 1) : arena_format(e->arena, "%u", base + q);
            Text line = text_create(e->arena);
            text_format(&line, "w = %s;", contract_load(e, c->w, "weight + %s", column));
            for (uint32_t p = 0; p < t->rows; p++)
                text_format(&line, " a%u_%u += b%u.%c * w;", p, q, p, "xyzw"[j]);
            emit_line(e, "%s", line.data);
        }
    if (!advances)
        return;
    for (uint32_t p = 0; p < t->rows; p++)
        emit_line(e, "at%u++;", p);
    emit_line(e, "weight += %u;", c->w_channel);
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
            scope = emit_open(e, arena_format(e->arena, t->parities > 1 ? "if (rows + %u < %u && y%u < %u && x%u < %u) {" : "if (rows + %u < %u) {", p * t->lanes, t->row_count, p,
                                              c->height, p, c->width));
        if (plain) {
            contract_unravel_matrix(e, &type, c->batch, index);
            index[type.rank - 2] = index_opaque(e->pool, arena_format(e->arena, "row%u", p), 0, (int64_t)t->row_count - 1);
        } else {
            index[0] = index_opaque(e->pool, arena_format(e->arena, "n%u", p), 0, (int64_t)c->images - 1);
            index[2] = index_opaque(e->pool, arena_format(e->arena, "y%u", p), 0, (int64_t)c->height - 1);
            index[3] = index_opaque(e->pool, arena_format(e->arena, "x%u", p), 0, (int64_t)c->width - 1);
        }
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

uint64_t emit_rows_contraction(Emitter *emitter) {
    Rows t = rows_of(emitter);
    uint64_t groups = (uint64_t)t.column_blocks * t.row_blocks * t.parities * t.c.batch * t.c.groups;
    emit_line(emitter, "if (group >= %llu)", (unsigned long long)groups);
    emit_line(emitter, "    return;");
    rows_begin(&t);
    EmitScope scopes[2];
    EmitScope outer = emit_open(emitter, "{");
    uint32_t opened = rows_open_taps(&t, scopes), whole = t.c.channels / 4;
    if (whole > 1) {
        uint32_t steps = contract_unroll((uint64_t)t.c.taps_y * t.c.taps_x, whole);
        EmitScope scope = emit_open(emitter, arena_format(emitter->arena, "for (int k = 0; k < %u; k++) {", whole / steps));
        for (uint32_t step = 0; step < steps; step++) {
            EmitScope inner = emit_open(emitter, steps > 1 ? "{" : NULL);
            rows_step(&t, 4, true);
            emit_close(emitter, inner, steps > 1);
        }
        emit_close(emitter, scope, true);
    } else if (whole) {
        EmitScope scope = emit_open(emitter, "{");
        rows_step(&t, 4, t.c.channels % 4);
        emit_close(emitter, scope, true);
    }
    if (t.c.channels % 4)
        rows_step(&t, t.c.channels % 4, false);
    while (opened-- > 0)
        emit_close(emitter, scopes[opened], true);
    emit_close(emitter, outer, true);
    rows_end(&t);
    return groups;
}
