// Strip: register tiles, as rows.c has them, but a lane's rows are neighbouring pixels of one line, so that taps along it share what they read.
#include "compiler/schedules/rounding.h"
#include "compiler/schedules/rows.h"

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
        emit_line(e, "int base = %s%s;", tile_times(e->arena, "x0", c->stride[1]), tile_plus(e->arena, -c->pad[1]));
    } else if (c->stride[1] > 1) {
        emit_line(e, "int first_tap = (%s%s) %% %lld;", remainder, tile_plus(e->arena, c->pad[1]), (long long)c->stride[1]);
        emit_line(e, "int base = x0 + (%s%s - first_tap) / %lld;", remainder, tile_plus(e->arena, c->pad[1]), (long long)c->stride[1]);
    } else {
        emit_line(e, "int base = x0%s;", tile_plus(e->arena, c->pad[1]));
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
    bool opened = rows_tap_loop(t, 0, scope);
    Text signs = text_create(e->arena), rests = text_create(e->arena);
    rows_place_along(t, 0, "0", &signs, &rests);
    bool is_divided = rows_declare_whole(t, "", &signs, &rests);
    if (is_divided)
        emit_line(e, "iy0 /= %lld;", (long long)c->stride[0]);
    const char *group = c->groups > 1 ? arena_format(e->arena, " + channel_group * %u", c->channels / 4) : "";
    emit_line(e, "int line = n0 * %u + iy0 * %u%s;", c->x_image / 4, c->x_row / 4, group);
    if (t->has_border)
        emit_line(e, is_divided ? "bool meets = all(bvec2(uint(iy0) < %uu, whole));" : "bool meets = uint(iy0) < %uu;", c->x_height);
    for (int64_t at = strip->low; at <= strip->high; at++) {
        if (!strip_reads(t, strip, at))
            continue;
        const char *name = place_name(t, at), *place = arena_format(e->arena, "base%s", tile_plus(e->arena, at));
        if (t->has_border) {
            emit_line(e, "bool inside%s = all(bvec2(meets, uint(%s) < %uu));", name, place, c->x_width);
            emit_line(e, "int at%s = mix(0, line + (%s) * %u, inside%s);", name, place, c->x_column / 4, name);
        } else {
            emit_line(e, "int at%s = line + (%s) * %u;", name, place, c->x_column / 4);
        }
    }
    bool every = c->kind == ROWS_INPUT && c->stride[1] > 1;
    emit_line(e, "int weight = %s;", rows_weight_place(t, every ? "first_tap" : NULL));
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
            rows_fetch_pixel(t, name);
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
        rows_multiply_add(t, components, m * every * (c->w_tap_x / 4), names);
        if (may_miss)
            emit_close(e, scope, true);
    }
    for (int64_t at = strip->low; advances && at <= strip->high; at++)
        if (strip_reads(t, strip, at))
            emit_line(e, "at%s++;", place_name(t, at));
    if (advances)
        emit_line(e, "weight += %u;", c->w_channel);
}

enum { PIXELS = PARAM_OWN, COLUMNS };

static Rows tile_of(Emitter *emitter, const Contract *contract, const Schedule *schedule) {
    return rows_of(emitter, contract, schedule_lanes(schedule), schedule->values[PIXELS], schedule->values[COLUMNS], 1);
}

static uint64_t emit(Emitter *emitter) {
    Contract c = contract_of(emitter->list, emitter->kernel->root);
    Rows t = tile_of(emitter, &c, &emitter->kernel->schedule);
    Strip strip = strip_of(&t);
    uint64_t groups = rows_begin_groups(&t);
    strip_begin(&t);
    EmitScope scope;
    EmitScope outer = emit_open(emitter, "{");
    bool opened = strip_open_line(&t, &strip, &scope);
    rows_all_channels(&t, t.c.taps_y, strip_step, &strip);
    if (opened)
        emit_close(emitter, scope, true);
    emit_close(emitter, outer, true);
    rows_end(&t);
    return groups;
}

static Work work(const KernelView *view, const Schedule *schedule) {
    const Contract *c = &view->contract;
    Rows t = tile_of(NULL, c, schedule);
    Strip strip = strip_of(&t);
    double count = 0;
    for (int64_t at = strip.low; at <= strip.high; at++)
        count += strip_reads(&t, &strip, at);
    double taps = c->taps_y * c->taps_x / (double)t.parities;
    double reads = count * c->taps_y / (c->kind == ROWS_INPUT ? (double)c->stride[0] : 1) / taps; // a tap's share
    return rows_work(view, schedule, t.rows, t.columns, reads);
}

// Lines that a lane's pixels divide.
static uint32_t width_of(const Contract *c) { return contract_ceil_div(c->width, c->kind == ROWS_INPUT ? (uint32_t)c->stride[1] : 1); }

static bool is_short(const Contract *c, uint32_t pixels) { return (pixels - 1) * c->stride[1] + (c->taps_x - 1) * c->dilation[1] < STRIP_MAX; }

static bool settle(const KernelView *view, Schedule *schedule) {
    const Contract *c = &view->contract;
    uint32_t *pixels = &schedule->values[PIXELS];
    while (*pixels > 1 && (width_of(c) % *pixels || !is_short(c, *pixels)))
        --*pixels;
    return *pixels > 1;
}

static bool fits(const KernelView *view, const Schedule *schedule, const Target *target, const char **why) {
    (void)target;
    const Contract *c = &view->contract;
    uint32_t pixels = schedule->values[PIXELS], width = width_of(c);
    if (c->is_outer)
        *why = "it sums over rows";
    else if (c->kind == ROWS_PLAIN)
        *why = "a matmul has no lines of pixels";
    else if (c->kind == ROWS_INPUT && c->stride[1] > 1 && c->dilation[1] > 1)
        *why = "of a transposed convolution with a stride and a dilation, neighbours share nothing";
    else if (width % pixels)
        *why = arena_format(view->list->arena, "lines of %u pixels do not divide into strips of %u", width, pixels);
    else if (!is_short(c, pixels))
        *why = arena_format(view->list->arena, "a strip and its taps would reach over %u pixels or more", STRIP_MAX);
    else
        *why = tile_misfit(view, pixels * schedule->values[COLUMNS]);
    return !*why;
}

static double error(const KernelView *view, const Schedule *schedule) {
    (void)schedule;
    return rounding_of_sum(contract_terms(&view->contract), 1, true);
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
    .error = error,
    .template_name = "contract.comp",
};
