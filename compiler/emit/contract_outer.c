// Weight gradients as register tiles: each lane has several channels and columns and walks over the rows. Tiles are unrolled in the text.
#include "compiler/emit/contract.h"
#include "compiler/emit/glsl.h"

typedef struct {
    Emitter *emitter;
    Contract c;
    uint32_t rows, columns, lanes; // vec4s of channels and of columns of a lane; lanes of a workgroup
    uint32_t channel_vectors, column_vectors, channel_blocks, column_groups, lane_count, lane_blocks;
} Outer;

static Outer outer_of(Emitter *emitter) {
    const Schedule *schedule = &emitter->kernel->schedule;
    Outer t = {.emitter = emitter, .c = contract_of(emitter->list, emitter->kernel->root), .rows = schedule->rows, .columns = schedule->columns, .lanes = schedule->lanes};
    t.channel_vectors = contract_ceil_div(t.c.channels, 4);
    t.column_vectors = contract_ceil_div(t.c.columns, 4);
    t.channel_blocks = contract_ceil_div(t.channel_vectors, t.rows);
    t.column_groups = contract_ceil_div(t.column_vectors, t.columns);
    t.lane_count = t.c.taps_y * t.c.taps_x * t.column_groups;
    t.lane_blocks = contract_ceil_div(t.lane_count, t.lanes);
    return t;
}

static void outer_begin(const Outer *t) {
    Emitter *e = t->emitter;
    const Contract *c = &t->c;
    emit_line(e, "int part = group;");
    emit_line(e, "int lane_index = part %% %u * %u + lane_id; part /= %u;", t->lane_blocks, t->lanes, t->lane_blocks);
    emit_line(e, "int channels = part %% %u * %u; part /= %u; // first vec4 of x's channels", t->channel_blocks, t->rows, t->channel_blocks);
    if (c->slices > 1)
        emit_line(e, "int slice = part %% %u; part /= %u; // of the images", c->slices, c->slices);
    if (c->batch > 1)
        emit_line(e, "int matrix = part;");
    if (c->groups > 1)
        emit_line(e, "int channel_group = part;");
    emit_line(e, "int chosen = min(lane_index, %u);", t->lane_count - 1);
    emit_line(e, "int columns = chosen %% %u, tap = chosen / %u, ky = tap / %u, kx = tap %% %u;", t->column_groups, t->column_groups, c->taps_x, c->taps_x);
    for (uint32_t r = 0; r < 4 * t->rows; r++)
        for (uint32_t q = 0; q < t->columns; q++)
            emit_line(e, "vec4 a%u_%u = vec4(0.0);", r, q);
}

static void outer_step(const Outer *t, bool has_border) {
    Emitter *e = t->emitter;
    const Contract *c = &t->c;
    for (uint32_t q = 0; q < t->columns; q++) {
        const char *column = q == 0 ? "0" : t->column_vectors % t->columns ? arena_format(e->arena, "min(%u, %u - columns)", q * t->column_groups, t->column_vectors - 1)
                                                                        : arena_format(e->arena, "%u", q * t->column_groups);
        emit_line(e, "vec4 g%u = %s;", q, contract_load(e, c->w, "from + %s", column));
    }
    for (uint32_t r = 0; r < t->rows; r++) {
        const char *channel = t->channel_vectors % t->rows ? arena_format(e->arena, "min(channels + %u, %u)", r, t->channel_vectors - 1) : arena_format(e->arena, "channels + %u", r);
        const char *fetched = contract_load(e, c->x, "at + %s", channel);
        if (has_border)
            emit_line(e, "vec4 b%u = inside ? %s : vec4(0.0);", r, fetched);
        else
            emit_line(e, "vec4 b%u = %s;", r, fetched);
        for (uint32_t j = 0; j < 4; j++) {
            Text line = text_create(e->arena);
            for (uint32_t q = 0; q < t->columns; q++)
                text_format(&line, "%sa%u_%u += b%u.%c * g%u;", q ? " " : "", 4 * r + j, q, r, "xyzw"[j], q);
            emit_line(e, "%s", line.data);
        }
    }
}

// A running sum of very many terms loses digits: then each line, image or 64 rows are summed by themselves first.
enum { ROWS_AT_ONCE = 8192 };

static bool sums_in_parts(const Outer *t) { return (uint64_t)t->c.images / t->c.slices * t->c.height * t->c.width > ROWS_AT_ONCE; }

static void end_part(const Outer *t, const char *condition) {
    Emitter *e = t->emitter;
    EmitScope scope = {0};
    if (condition)
        scope = emit_open(e, condition);
    for (uint32_t r = 0; r < 4 * t->rows; r++)
        for (uint32_t q = 0; q < t->columns; q++)
            emit_line(e, "t%u_%u += a%u_%u; a%u_%u = vec4(0.0);", r, q, r, q, r, q);
    if (condition)
        emit_close(e, scope, true);
}

static void outer_loops(const Outer *t) {
    Emitter *e = t->emitter;
    const Contract *c = &t->c;
    bool parts = sums_in_parts(t);
    for (uint32_t r = 0; parts && r < 4 * t->rows; r++)
        for (uint32_t q = 0; q < t->columns; q++)
            emit_line(e, "vec4 t%u_%u = vec4(0.0);", r, q);
    const char *x_group = c->groups > 1 ? arena_format(e->arena, " + channel_group * %u", c->channels / 4) : "";
    const char *g_group = c->groups > 1 ? arena_format(e->arena, " + channel_group * %u", c->columns / 4) : "";
    uint32_t each = c->images / c->slices;
    const char *first = c->slices > 1 ? arena_format(e->arena, "slice * %u", each) : "0";
    if (c->kind == ROWS_PLAIN) {
        uint32_t steps = contract_unroll(1, each);
        EmitScope images = emit_open(e, arena_format(e->arena, "for (int n = %s; n < %s + %u; n += %u) {", first, first, each, steps));
        const char *batch = c->batch > 1 ? arena_format(e->arena, " + matrix * %u", c->x_batch / 4) : "", *other = c->batch > 1 ? arena_format(e->arena, " + matrix * %u", c->w_batch / 4) : "";
        for (uint32_t step = 0; step < steps; step++) {
            EmitScope one = emit_open(e, steps > 1 ? "{" : NULL);
            const char *n = step ? arena_format(e->arena, "(n + %u)", step) : "n";
            emit_line(e, "int at = %s * %u%s, from = %s * %u + columns%s;", n, c->x_image / 4, batch, n, c->g_image / 4, other);
            outer_step(t, false);
            emit_close(e, one, steps > 1);
        }
        if (parts)
            end_part(t, steps > 1 ? NULL : "if (n % 64 == 63) {");
        emit_close(e, images, true);
        return;
    }
    uint32_t steps = contract_unroll((uint64_t)each * c->height, c->width);
    EmitScope images = emit_open(e, arena_format(e->arena, "for (int n = %s; n < %s + %u; n++) {", first, first, each));
    bool border = c->taps_y > 1 || c->taps_x > 1 || c->pad[0] || c->pad[1];
    EmitScope lines = emit_open(e, arena_format(e->arena, "for (int y = 0; y < %u; y++) {", c->height));
    emit_line(e, "int iy = %s + %s%s;", contract_times(e->arena, "y", c->stride[0]), contract_times(e->arena, "ky", c->dilation[0]), contract_plus(e->arena, -c->pad[0]));
    emit_line(e, "int line = n * %u + iy * %u%s, from = n * %u + y * %u + columns%s;", c->x_image / 4, c->x_row / 4, x_group, c->g_image / 4, c->g_row / 4, g_group);
    EmitScope pixels = emit_open(e, arena_format(e->arena, "for (int x = 0; x < %u; x += %u) {", c->width, steps));
    for (uint32_t step = 0; step < steps; step++) {
        EmitScope one = {0};
        if (steps > 1)
            one = emit_open(e, "{");
        const char *x = step ? arena_format(e->arena, "(x + %u)", step) : "x";
        emit_line(e, "int ix = %s + %s%s;", contract_times(e->arena, x, c->stride[1]), contract_times(e->arena, "kx", c->dilation[1]), contract_plus(e->arena, -c->pad[1]));
        if (border) {
            emit_line(e, "bool inside = uint(iy) < %uu && uint(ix) < %uu;", c->x_height, c->x_width);
            emit_line(e, "int at = inside ? line + ix * %u : 0;", c->x_column / 4);
        } else {
            emit_line(e, "int at = line + ix * %u;", c->x_column / 4);
        }
        outer_step(t, border);
        emit_line(e, "from += %u;", c->g_column / 4);
        if (steps > 1)
            emit_close(e, one, true);
    }
    emit_close(e, pixels, true);
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
    Index channel = index_add_constant(pool, index_scale(pool, channels, 4), r);
    if (c->kind == ROWS_PLAIN) {
        contract_unravel_matrix(e, &type, c->batch, index);
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
    index[base + 3] = c->taps_x > 1 ? index_opaque(pool, "kx", 0, (int64_t)c->taps_x - 1) : index_constant(0);
}

uint64_t emit_outer_contraction(Emitter *emitter) {
    Outer t = outer_of(emitter);
    uint64_t groups = (uint64_t)t.lane_blocks * t.channel_blocks * t.c.slices * t.c.batch * t.c.groups;
    emit_line(emitter, "if (group >= %llu)", (unsigned long long)groups);
    emit_line(emitter, "    return;");
    outer_begin(&t);
    outer_loops(&t);
    for (uint32_t r = 0; sums_in_parts(&t) && r < 4 * t.rows; r++)
        for (uint32_t q = 0; q < t.columns; q++)
            emit_line(emitter, "a%u_%u += t%u_%u;", r, q, r, q);
    EmitScope lanes = {0};
    bool idle = t.lane_count % t.lanes != 0;
    if (idle)
        lanes = emit_open(emitter, arena_format(emitter->arena, "if (lane_index < %u) {", t.lane_count));
    for (uint32_t r = 0; r < 4 * t.rows; r++) {
        bool channel_tail = t.channel_blocks * t.rows * 4 != t.c.channels;
        EmitScope rows = {0};
        if (channel_tail)
            rows = emit_open(emitter, arena_format(emitter->arena, "if (4 * channels + %u < %u) {", r, t.c.channels));
        for (uint32_t q = 0; q < t.columns; q++) {
            bool column_tail = q && t.column_vectors % t.columns;
            EmitScope columns = {0};
            if (column_tail)
                columns = emit_open(emitter, arena_format(emitter->arena, "if (columns + %u < %u) {", q * t.column_groups, t.column_vectors));
            Index index[MAX_RANK];
            outer_index(&t, r, q, index);
            contract_store(emitter, index, arena_format(emitter->arena, "a%u_%u", r, q));
            if (column_tail)
                emit_close(emitter, columns, true);
        }
        if (channel_tail)
            emit_close(emitter, rows, true);
    }
    if (idle)
        emit_close(emitter, lanes, true);
    return groups;
}
