// Strip: register tiles, as rows.c has them, but a lane's rows are neighbouring pixels of one line, so that taps along it share what they read.
#include "compiler/schedules/rounding.h"
#include "compiler/schedules/strip.h"

enum {
    STRIP_MAX = 64, // of the text: what a strip reads is unrolled, a variable for each pixel
    HELD = 34       // vec4s that are loaded at once, without harm to any driver
};

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

static void strip_begin(const Rows *t) {
    Emitter *e = t->emitter;
    const Contract *c = &t->c;
    uint32_t strips = t->row_blocks * t->down;
    rows_unravel(t, rows_axis(t, "strips", t->across == 1 ? "LANES" : "DOWN", 1));
    if (t->is_depthwise)
        emit_line(e, "int channel = %s;", t->vectors % t->across ? arena_format(e->arena, "min(columns, %s - 1)", emit_constant(e, "COLUMN_VECTORS", t->vectors)) : "columns");
    emit_line(e, "int rows = strips * %s; // first pixel of the strip", emit_constant(e, "PIXELS", t->rows));
    bool is_cut = strips * t->rows > t->row_count;
    emit_line(e, "int row0 = %s;", is_cut ? arena_format(e->arena, "min(rows, %s - PIXELS)", emit_constant(e, "ROW_COUNT", t->row_count)) : "rows");
    rows_decode(t, "0");
    const char *stride = c->stride[1] > 1 ? emit_constant(e, "STRIDE_X", c->stride[1]) : NULL, *pad = tile_plus(e, "PAD_X", c->kind == ROWS_INPUT ? c->pad[1] : -c->pad[1]);
    if (c->kind == ROWS_FORWARD || !stride) {
        emit_line(e, "int base = %s%s;", tile_times(e, "x0", "STRIDE_X", c->stride[1]), pad);
    } else {
        emit_line(e, "int first_tap = (%s%s) %% %s;", rows_remainder(t, 1), pad, stride);
        emit_line(e, "int base = x0 + (%s%s - first_tap) / %s;", rows_remainder(t, 1), pad, stride);
    }
    rows_spread(t, "0");
    bool is_spread = c->kind == ROWS_INPUT && stride;
    for (uint32_t p = 1; p < t->rows && !tile_loops_sums(e, t->rows * t->columns); p++)
        emit_line(e, "int x%u = %s, y%u = y0, n%u = n0;", p, tile_at(e, "x0", &(TileStep){is_spread ? "STRIDE_X" : NULL, is_spread ? c->stride[1] : 1, p}, 1), p, p);
    for (uint32_t p = 0; p < t->rows; p++)
        for (uint32_t q = 0; q < t->columns; q++)
            emit_line(e, "vec4 a%u_%u = vec4(0.0);", p, q);
}

// Names what is read at a place of a strip: 3 -> "3", -2 -> "m2".
static const char *place_name(const Rows *t, int64_t at) { return arena_format(t->emitter->arena, at < 0 ? "m%lld" : "%lld", (long long)(at < 0 ? -at : at)); }

static void declare_line(const Rows *t) {
    Emitter *e = t->emitter;
    const Contract *c = &t->c;
    Text line = text_create(e->arena);
    if (c->images > 1)
        tile_add(e, &line, "n0", "X_IMAGE", c->x_image / 4);
    tile_add(e, &line, "iy0", "X_ROW", c->x_row / 4);
    if (t->is_depthwise)
        tile_add(e, &line, "channel", NULL, 1);
    if (c->groups > 1)
        tile_add(e, &line, "channel_group", "X_GROUP", c->channels / 4);
    emit_line(e, "int line = %s;", tile_sum(&line));
}

// `bool inside3 = …` and `int at3 = …` or, where x is computed, `int ix3 = …`: what is read at a place of the strip.
static void declare_place(const Rows *t, int64_t at) {
    Emitter *e = t->emitter;
    const char *name = place_name(t, at), *place = at ? arena_format(e->arena, "(base %c %lld)", at < 0 ? '-' : '+', (long long)(at < 0 ? -at : at)) : "base";
    const char *pixel = t->computes_x ? place : arena_format(e->arena, "line + %s", tile_times(e, place, "X_COLUMN", t->c.x_column / 4)), *kind = t->computes_x ? "ix" : "at";
    if (t->has_border) {
        emit_line(e, at ? "bool inside%s = all(bvec2(meets, uint%s < %s));" : "bool inside%s = all(bvec2(meets, uint(%s) < %s));", name, place, rows_extent(t, 1));
        emit_line(e, "int %s%s = mix(0, %s, inside%s);", kind, name, pixel, name);
    } else {
        emit_line(e, "int %s%s = %s;", kind, name, pixel);
    }
}

// Opens the loop over lines of taps and says where each pixel of the strip lies in x.
static bool strip_open_line(const Rows *t, const Strip *strip, EmitScope *scope) {
    Emitter *e = t->emitter;
    const Contract *c = &t->c;
    bool opened = rows_tap_loop(t, 0, scope);
    Text signs = text_create(e->arena), rests = text_create(e->arena);
    rows_place_along(t, 0, "0", &signs, &rests);
    bool is_divided = rows_declare_whole(t, "", &signs, &rests);
    if (is_divided)
        rows_divide(t, 0, "0");
    if (!t->computes_x)
        declare_line(t);
    if (t->has_border)
        emit_line(e, is_divided ? "bool meets = all(bvec2(uint(iy0) < %s, whole));" : "bool meets = uint(iy0) < %s;", rows_extent(t, 0));
    for (int64_t at = strip->low; at <= strip->high; at++)
        if (strip_reads(t, strip, at))
            declare_place(t, at);
    if (t->computes_x && t->has_border)
        emit_line(e, "iy0 = mix(0, iy0, meets);");
    bool every = c->kind == ROWS_INPUT && c->stride[1] > 1;
    if (!t->computes_w)
        emit_line(e, "int weight = %s;", rows_weight_place(t, every ? "first_tap" : NULL));
    rows_declare_channel(t);
    return opened;
}

// One step of 4 (at the end: fewer) channels, all taps of the line.
static void strip_step(const Rows *t, const void *context, uint32_t components, bool advances) {
    const Strip *strip = context;
    Emitter *e = t->emitter;
    const Contract *c = &t->c;
    uint32_t every = c->kind == ROWS_INPUT ? (uint32_t)c->stride[1] : 1;
    for (int64_t at = strip->low; at <= strip->high; at++)
        if (strip_reads(t, strip, at)) {
            const char *name = place_name(t, at);
            rows_fetch_pixel(t, "0", name);
        }
    emit_line(e, "vec4 w0, w1, w2, w3;");
    for (uint32_t m = 0; m < strip->taps; m++) {
        bool may_miss = strip->may_miss && m + 1 == strip->taps;
        EmitScope scope = {0};
        if (may_miss)
            scope = emit_open(e, arena_format(e->arena, "if (%s < %s) {", tile_at(e, "first_tap", &(TileStep){every > 1 ? "STRIDE_X" : NULL, every, m}, 1),
                                              emit_constant(e, "TAPS_X", c->taps_x)));
        const char *names[STRIP_MAX];
        for (uint32_t p = 0; p < t->rows; p++)
            names[p] = place_name(t, p * strip->step + m * strip->spread);
        Index tap_x = index_constant(m * every);
        if (every > 1)
            tap_x = index_add_constant(e->pool, index_opaque(e->pool, "first_tap", 0, (int64_t)every - 1), m * every);
        rows_multiply_add(t, components, m * every, tap_x, names);
        if (may_miss)
            emit_close(e, scope, true);
    }
    for (int64_t at = strip->low; advances && !t->computes_x && at <= strip->high; at++)
        if (strip_reads(t, strip, at))
            emit_line(e, "at%s++;", place_name(t, at));
    if (advances)
        rows_advance(t);
}

enum { PIXELS = PARAM_OWN, COLUMNS };

static Rows tile_of(Emitter *emitter, const Contract *contract, const Schedule *schedule) {
    Rows t = rows_of(emitter, contract, schedule_lanes(schedule), schedule->values[PIXELS], schedule->values[COLUMNS], 1);
    t.is_line = true;
    return t;
}

uint64_t strip_emit(const Rows *t) {
    Strip strip = strip_of(t);
    uint64_t groups = rows_begin_groups(t);
    strip_begin(t);
    EmitScope scope;
    EmitScope outer = emit_open(t->emitter, "{");
    bool opened = strip_open_line(t, &strip, &scope);
    rows_all_channels(t, t->c.taps_y, strip_step, &strip);
    if (opened)
        emit_close(t->emitter, scope, true);
    emit_close(t->emitter, outer, true);
    rows_end(t);
    return groups;
}

static uint64_t emit(Emitter *emitter) {
    Contract c = contract_of(emitter->list, emitter->kernel->root);
    Rows t = tile_of(emitter, &c, &emitter->kernel->schedule);
    return strip_emit(&t);
}

// Pixels that a lane reads for a line of taps.
static uint32_t reads_of(const Rows *t, const Strip *strip) {
    uint32_t count = 0;
    for (int64_t at = strip->low; at <= strip->high; at++)
        count += strip_reads(t, strip, at);
    return count;
}

double strip_reads_a_tap(const Rows *t) {
    const Contract *c = &t->c;
    Strip strip = strip_of(t);
    double taps = c->taps_y * c->taps_x / (double)t->parities;
    return reads_of(t, &strip) * c->taps_y / (c->kind == ROWS_INPUT ? (double)c->stride[0] : 1) / taps;
}

static Work work(const KernelView *view, const Schedule *schedule) {
    Rows t = tile_of(NULL, &view->contract, schedule);
    Work work = rows_work(view, schedule, &t, strip_reads_a_tap(&t));
    double held = strip_of(&t).taps * (strip_reads_a_tap(&t) + 4 * t.columns); // by one line of taps
    work.crowd = held > HELD ? work.multiply_adds * (held - HELD) : 0;
    return work;
}

// Lines that a lane's pixels divide.
static uint32_t width_of(const Contract *c) { return contract_ceil_div(c->width, c->kind == ROWS_INPUT ? (uint32_t)c->stride[1] : 1); }

static bool is_short(const Contract *c, uint32_t pixels) { return (pixels - 1) * c->stride[1] + (c->taps_x - 1) * c->dilation[1] < STRIP_MAX; }

uint32_t strip_longest(const Contract *c, uint32_t pixels) {
    while (pixels > 1 && (width_of(c) % pixels || !is_short(c, pixels)))
        pixels--;
    return pixels;
}

static bool settle(const KernelView *view, Schedule *schedule) {
    schedule->values[PIXELS] = strip_longest(&view->contract, schedule->values[PIXELS]);
    return schedule->values[PIXELS] > 1;
}

const char *strip_misfit(const KernelView *view, uint32_t pixels) {
    const Contract *c = &view->contract;
    if (c->is_outer)
        return "it sums over rows";
    if (c->kind == ROWS_PLAIN)
        return "a matmul has no lines of pixels";
    if (c->kind == ROWS_INPUT && c->stride[1] > 1 && c->dilation[1] > 1)
        return "of a transposed convolution with a stride and a dilation, neighbours share nothing";
    if (width_of(c) % pixels)
        return arena_format(view->list->arena, "lines of %u pixels do not divide into strips of %u", width_of(c), pixels);
    if (!is_short(c, pixels))
        return arena_format(view->list->arena, "a strip and its taps would reach over %u pixels or more", STRIP_MAX);
    return NULL;
}

void strip_count_reads(const Rows *t, uint32_t *x, uint32_t *taps) {
    Strip strip = strip_of(t);
    *x = reads_of(t, &strip), *taps = strip.taps;
}

static bool fits(const KernelView *view, const Schedule *schedule, const Target *target, const char **why) {
    (void)target;
    *why = strip_misfit(view, schedule->values[PIXELS]);
    if (*why)
        return false;
    Rows t = tile_of(NULL, &view->contract, schedule);
    uint32_t x, taps;
    strip_count_reads(&t, &x, &taps);
    *why = tile_misfit(view, t.rows * t.columns, x, 4 * t.columns * taps);
    return !*why;
}

// clang-format off
//           lanes  texel  pixels  columns
static const Candidate candidates[] = {
    {TARGET_CPU, {0, 1, 8,  4}},
    {TARGET_CPU, {0, 1, 8,  2}},
    {TARGET_CPU, {0, 1, 16, 2}},
    {TARGET_CPU, {0, 1, 16, 1}},
};
// clang-format on

const Family strip_family = {
    .name = "strip",
    .summary = "a lane has neighbouring pixels of a line, which share what they read, and vec4s of output channels",
    .kernel_class = KERNEL_CONTRACT,
    .params = {FAMILY_LANES,
               FAMILY_TEXEL,
               {"pixels", "of a lane", {2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}, 15},
               {"columns", "vec4s of output channels of a lane", {1, 2, 3, 4, 6}, 5}},
    .param_count = 4,
    .candidates = candidates,
    .candidate_count = sizeof candidates / sizeof *candidates,
    .fits = fits,
    .settle = settle,
    .work = work,
    .emit = emit,
    .error = rounding_of_contraction,
    .template_name = "contract.comp",
};
