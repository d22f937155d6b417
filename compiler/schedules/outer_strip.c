// Outer strip: as outer.c, but a lane has all taps along a line, which share the pixels that they read; a workgroup's lanes have one tap across lines. What
// lies outside of the image is known where the text is written, or where a workgroup begins: lines outside are left out, and a line is cut into blocks, of
// which those at its ends have no products with what is beyond them.
#include "compiler/schedules/outer.h"

// Of the text: sums of all taps are variables, 4 for each vec4 of channels and vec4 of columns, and all that they read is unrolled.
enum { LINE_TAPS_MAX = 5, BLOCKS_MAX = 8, UNROLLED_BLOCKS = 4 };

// Pixels of a line of g that are multiplied in one go; more than one turn: none of them is at an end of the line.
typedef struct {
    uint32_t first, count, turns;
} Block;

typedef struct {
    Outer outer;
    Block blocks[BLOCKS_MAX];
    uint32_t block_count; // more than BLOCKS_MAX: the text would be too long
    uint32_t loop_unroll; // turns that make one in the text
} Strip;

// The pixel of x, counted from the image's edge, that pixel p of g meets at a tap.
static int64_t pixel_of(const Contract *c, uint32_t p, uint32_t tap) { return p * c->stride[1] + tap * c->dilation[1] - c->pad[1]; }

static bool is_inside(const Contract *c, uint32_t p, uint32_t tap) { return pixel_of(c, p, tap) >= 0 && pixel_of(c, p, tap) < c->x_width; }

static bool is_all_inside(const Contract *c, uint32_t first, uint32_t count) {
    return pixel_of(c, first, 0) >= 0 && pixel_of(c, first + count - 1, c->taps_x - 1) < c->x_width;
}

// The pixel of x counted from the first that a block meets.
static uint32_t place_of(const Contract *c, uint32_t u, uint32_t tap) { return (uint32_t)(pixel_of(c, u, tap) - pixel_of(c, 0, 0)); }

static uint32_t place_end(const Contract *c, const Block *block) { return place_of(c, block->count - 1, c->taps_x - 1) + 1; }

static bool is_place_read(const Contract *c, const Block *block, uint32_t place) {
    for (uint32_t u = 0; u < block->count; u++)
        for (uint32_t tap = 0; tap < c->taps_x; tap++)
            if (place_of(c, u, tap) == place && is_inside(c, block->first + u, tap))
                return true;
    return false;
}

static void add_block(Strip *s, uint32_t first, uint32_t count, uint32_t turns) {
    if (s->block_count < BLOCKS_MAX)
        s->blocks[s->block_count] = (Block){first, count, turns};
    s->block_count++;
}

// Short lines are unrolled into blocks that are about equal; of long ones all blocks with nothing outside are one loop.
static void cut_line(Strip *s) {
    const Contract *c = &s->outer.c;
    uint32_t at_once = s->outer.at_once, count = contract_ceil_div(c->width, at_once);
    if (count <= UNROLLED_BLOCKS) {
        for (uint32_t i = 0, first = 0; i < count; i++) {
            uint32_t size = c->width / count + (i < c->width % count);
            add_block(s, first, size, 1);
            first += size;
        }
        return;
    }
    for (uint32_t first = 0; first < c->width;) {
        uint32_t turns = 0, size = c->width - first < at_once ? c->width - first : at_once;
        while (first + (turns + 1) * at_once <= c->width && is_all_inside(c, first + turns * at_once, at_once))
            turns++;
        add_block(s, first, size, turns ? turns : 1);
        first += size * (turns ? turns : 1);
        if (turns > 1)
            s->loop_unroll = contract_unroll((uint64_t)c->images / c->slices * c->height, turns);
    }
}

static Strip strip_of(Emitter *emitter, const Contract *contract, const Schedule *schedule) {
    Strip s = {.outer = outer_of(emitter, contract, schedule, contract->taps_x)};
    Outer *t = &s.outer;
    t->channels_by_lane = true;
    t->lane_count = t->column_groups * t->channel_blocks * t->c.slices;
    t->lane_blocks = contract_ceil_div(t->lane_count, t->lanes);
    t->groups = (uint64_t)t->lane_blocks * t->c.taps_y * t->c.groups;
    cut_line(&s);
    return s;
}

static void begin(const Outer *t) {
    Emitter *e = t->emitter;
    const Contract *c = &t->c;
    tile_unravel(e, "group", (TileAxis[]){{"lane_index", "LANE_BLOCKS", t->lane_blocks, "LANES", t->lanes, " + lane_id", NULL},
                                          {.name = "ky", .constant = "TAPS_Y", .extent = c->taps_y},
                                          {.name = "channel_group", .constant = "GROUPS", .extent = c->groups}}, 3);
    bool is_idle = t->lane_count % t->lanes;
    emit_line(e, "int chosen = %s;", is_idle ? arena_format(e->arena, "min(lane_index, %s - 1)", emit_constant(e, "LANE_COUNT", t->lane_count)) : "lane_index");
    tile_unravel(e, "chosen", (TileAxis[]){{.name = "columns", .constant = "COLUMN_STEP", .extent = t->column_groups},
                                           {"channels", "CHANNEL_BLOCKS", t->channel_blocks, "CHANNELS", t->rows, NULL, "// first vec4 of x's channels"},
                                           {.name = "slice", .constant = "SLICES", .extent = c->slices, .note = "// of the images"}}, 3);
    outer_zero(t, 'a');
}

static const char *offset_text(Emitter *e, int64_t offset) {
    return offset ? arena_format(e->arena, " %c %lld", offset < 0 ? '-' : '+', (long long)(offset < 0 ? -offset : offset)) : "";
}

// The vec4s of x that a block reads, of all channels of the lane.
static void fetch_x(const Strip *s, const Block *block) {
    const Outer *t = &s->outer;
    const Contract *c = &t->c;
    Emitter *e = t->emitter;
    for (uint32_t place = 0; t->computes_x && place < place_end(c, block); place++)
        if (is_place_read(c, block, place))
            emit_line(e, "int ix%u = %s%s;", place, tile_times(e, "x", "STRIDE_X", c->stride[1]), offset_text(e, (int64_t)place - c->pad[1]));
    for (uint32_t r = 0; r < t->rows; r++)
        for (uint32_t place = 0; place < place_end(c, block); place++) {
            if (!is_place_read(c, block, place))
                continue;
            bool is_cut = r && t->channel_vectors % t->rows;
            const char *fetched = NULL, *rest = is_cut ? arena_format(e->arena, "min(%u, %s - 1 - channels)", r, emit_constant(e, "CHANNEL_VECTORS", t->channel_vectors)) : "";
            if (t->computes_x)
                fetched = outer_computed_x(t, r, place, is_cut ? arena_format(e->arena, "channels + %s", rest) : tile_at(e, "channels", &(TileStep){NULL, 1, r}, 1));
            else
                fetched = tile_load(e, c->x, "%s%s%s", tile_at(e, "line", (TileStep[]){{"X_COLUMN", c->x_column / 4, place}, {NULL, 1, is_cut ? 0 : r}}, 2), is_cut ? " + " : "", rest);
            emit_line(e, "vec4 b%u_%u = %s;", r, place, fetched);
        }
}

// The products of a block: of x at `line` and further, of g at `from` and further. Each accumulator takes all of them in a row: a tile has more
// accumulators than a processor has registers, so each one is fetched and put away once for them all.
static void multiply_block(const Strip *s, const Block *block) {
    const Outer *t = &s->outer;
    const Contract *c = &t->c;
    Emitter *e = t->emitter;
    uint32_t channels = 4 * t->rows;
    fetch_x(s, block);
    for (uint32_t q = 0; q < t->columns; q++) {
        for (uint32_t u = 0; u < block->count; u++)
            emit_line(e, "vec4 g%u_%u = %s;", q, u, outer_g(t, q, u));
        for (uint32_t r = 0; r < outer_accumulators(t); r++) {
            Text line = text_create(e->arena);
            for (uint32_t u = 0; u < block->count; u++)
                if (is_inside(c, block->first + u, r / channels))
                    text_format(&line, "%sa%u_%u += b%u_%u.%c * g%u_%u;", line.length ? " " : "", r, q, r % channels / 4, place_of(c, u, r / channels), "xyzw"[r % 4], q, u);
            if (line.length)
                emit_line(e, "%s", line.data);
        }
    }
}

// To where the next block begins.
static void advance(const Outer *t, uint32_t count) {
    if (!t->computes_x)
        emit_line(t->emitter, "line += %s;", tile_step(t->emitter, (TileStep){"X_COLUMN", t->c.x_column / 4, count * t->c.stride[1]}));
    outer_advance_g(t, count);
    if (t->computes_x || t->computes_g)
        emit_line(t->emitter, "x += %u;", count);
}

static void line_blocks(const Strip *s) {
    Emitter *e = s->outer.emitter;
    for (uint32_t i = 0; i < s->block_count; i++) {
        const Block *block = &s->blocks[i];
        uint32_t steps = block->turns > 1 ? s->loop_unroll : 1;
        EmitScope loop = emit_open(e, block->turns > 1 ? arena_format(e->arena, "for (int turn = 0; turn < %s; turn++) {", emit_constant(e, "TURNS", block->turns / steps)) : "{");
        for (uint32_t step = 0; step < steps; step++) {
            EmitScope one = emit_open(e, steps > 1 ? "{" : NULL);
            multiply_block(s, block);
            if (i + 1 < s->block_count || block->turns > 1)
                advance(&s->outer, block->count);
            emit_close(e, one, steps > 1);
        }
        emit_close(e, loop, true);
    }
}

// "int y = ...; y < LAST": the lines of g that meet a line of x at the workgroup's tap.
static const char *lines_of(const Outer *t) {
    Emitter *e = t->emitter;
    const Contract *c = &t->c;
    const char *height = emit_constant(e, "HEIGHT", c->height), *first = "0", *last = height;
    const char *tap = c->taps_y > 1 ? arena_format(e->arena, " - %s", tile_times(e, "ky", "DILATION_Y", c->dilation[0])) : "";
    const char *rounded = c->stride[0] > 1 ? arena_format(e->arena, " + (%s - 1)) / %s", emit_constant(e, "STRIDE_Y", c->stride[0]), emit_constant(e, "STRIDE_Y", c->stride[0])) : "";
    const char *open = *rounded ? "(" : "", *pad = emit_constant(e, "PAD_Y", c->pad[0]);
    if (c->pad[0])
        first = arena_format(e->arena, "max(0, %s%s%s%s)", open, pad, tap, rounded);
    if (c->taps_y > 1 || c->pad[0])
        last = arena_format(e->arena, "min(%s, %s%s + %s%s%s)", height, open, emit_constant(e, "X_HEIGHT", c->x_height), pad, tap, rounded);
    emit_line(e, "int first_line = %s, end_line = %s;", first, last);
    return "for (int y = first_line; y < end_line; y++) {";
}

static void loops(const Strip *s) {
    const Outer *t = &s->outer;
    Emitter *e = t->emitter;
    const Contract *c = &t->c;
    bool parts = outer_sums_in_parts(t);
    if (parts)
        outer_zero(t, 't');
    uint32_t each = c->images / c->slices;
    const char *images_each = each == 1 ? "1" : emit_constant(e, "IMAGES", each), *first = c->slices > 1 ? tile_times(e, "slice", "IMAGES", each) : "0";
    const char *last = c->slices > 1 ? arena_format(e->arena, "%s + %s", first, images_each) : images_each, *each_line = lines_of(t);
    EmitScope images = emit_open(e, arena_format(e->arena, "for (int n = %s; n < %s; n++) {", first, last));
    EmitScope lines = emit_open(e, each_line);
    const char *tap = c->taps_y > 1 ? arena_format(e->arena, " + %s", tile_times(e, "ky", "DILATION_Y", c->dilation[0])) : "";
    emit_line(e, "int iy = %s%s%s;", tile_times(e, "y", "STRIDE_Y", c->stride[0]), tap, tile_plus(e, "PAD_Y", -c->pad[0]));
    if (t->computes_x || t->computes_g)
        emit_line(e, "int x = 0;");
    if (!t->computes_g)
        emit_line(e, "int from = %s;", outer_gradient_place(t, "n"));
    if (!t->computes_x) {
        Text line = text_create(e->arena);
        tile_add(e, &line, "n", "X_IMAGE", c->x_image / 4);
        tile_add(e, &line, "iy", "X_ROW", c->x_row / 4);
        tile_add(e, &line, "channels", NULL, 1);
        if (c->groups > 1)
            tile_add(e, &line, "channel_group", "X_GROUP", c->channels / 4);
        emit_line(e, "int line = %s%s;", tile_sum(&line), tile_plus(e, "X_PAD", -c->pad[1] * c->x_column / 4));
    }
    line_blocks(s);
    if (parts && c->width >= 32)
        outer_end_part(t, NULL);
    emit_close(e, lines, true);
    if (parts && c->width < 32)
        outer_end_part(t, NULL);
    emit_close(e, images, true);
}

static uint64_t emit(Emitter *emitter) {
    Contract c = contract_of(emitter->list, emitter->kernel->root);
    Strip s = strip_of(emitter, &c, &emitter->kernel->schedule);
    emit_line(emitter, "if (group >= %s)", emit_constant(emitter, "WORKGROUPS", (int64_t)s.outer.groups));
    emit_line(emitter, "    return;");
    begin(&s.outer);
    loops(&s);
    outer_store(&s.outer);
    return s.outer.groups;
}

// Lines of g that meet a line of x, of an image, over all taps.
static double lines_inside(const Contract *c) {
    double count = 0;
    for (uint32_t ky = 0; ky < c->taps_y; ky++)
        for (uint32_t y = 0; y < c->height; y++) {
            int64_t line = y * c->stride[0] + ky * c->dilation[0] - c->pad[0];
            count += line >= 0 && line < c->x_height;
        }
    return count;
}

static Work work(const KernelView *view, const Schedule *schedule) {
    const Contract *c = &view->contract;
    Strip s = strip_of(NULL, c, schedule);
    const Outer *t = &s.outer;
    double lines = lines_inside(c) / c->taps_y * c->images / c->slices, products = 0, places = 0, turns = 0;
    for (uint32_t i = 0; i < s.block_count && i < BLOCKS_MAX; i++) {
        const Block *block = &s.blocks[i];
        turns += block->turns;
        for (uint32_t place = 0; place < place_end(c, block); place++)
            places += block->turns * (double)is_place_read(c, block, place);
        for (uint32_t u = 0; u < block->count; u++)
            for (uint32_t tap = 0; tap < c->taps_x; tap++)
                products += block->turns * (double)is_inside(c, block->first + u, tap);
    }
    Work work = {
        .groups = (double)t->groups,
        .lanes = t->lanes,
        .multiply_adds = lines * products * 4 * t->rows * t->columns,
        .turns = lines * turns,
        .sums = outer_accumulators(t) * t->columns,
    };
    tile_count_loads(&work, view, schedule, lines * places * t->rows, lines * c->width * t->columns);
    return work;
}

static bool fits(const KernelView *view, const Schedule *schedule, const Target *target, const char **why) {
    (void)target;
    uint32_t taps = view->contract.taps_x;
    *why = "it does not sum over rows";
    if (!view->contract.is_outer)
        return false;
    *why = arena_format(view->list->arena, "it has %u taps along a line, 2 to %d can share what they read", taps, LINE_TAPS_MAX);
    if (taps < 2 || taps > LINE_TAPS_MAX)
        return false;
    Strip s = strip_of(NULL, &view->contract, schedule);
    *why = arena_format(view->list->arena, "its lines would have %u blocks with ends of their own, and may have %d", s.block_count, BLOCKS_MAX);
    if (s.block_count > BLOCKS_MAX)
        return false;
    uint32_t places = 0, pixels = 0;
    for (uint32_t i = 0; i < s.block_count; i++) {
        uint32_t steps = s.blocks[i].turns > 1 ? s.loop_unroll : 1;
        places += steps * place_end(&view->contract, &s.blocks[i]), pixels += steps * s.blocks[i].count;
    }
    *why = tile_misfit(view, outer_accumulators(&s.outer) * s.outer.columns, places * s.outer.rows, pixels * s.outer.columns);
    return !*why;
}

// clang-format off
//                lanes  texel  channels  columns  at_once
static const Candidate candidates[] = {
    {TARGET_CPU, {0, 1, 2, 2, 4}},
    {TARGET_CPU, {0, 1, 1, 2, 4}},
    {TARGET_CPU, {0, 1, 2, 1, 4}},
    {TARGET_CPU, {0, 1, 3, 1, 4}},
    {TARGET_CPU, {0, 1, 1, 3, 4}},
    {TARGET_CPU, {0, 1, 1, 1, 4}},
};
// clang-format on

const Family outer_strip_family = {
    .name = "outer_strip",
    .summary = "sums over rows; a lane has vec4s of channels for all taps along a line, which share what they read",
    .kernel_class = KERNEL_CONTRACT,
    .params = {FAMILY_LANES,
               FAMILY_TEXEL,
               OUTER_PARAMS,
               {"at_once", "pixels of a line that are multiplied in one go", {1, 2, 4, 7}, 4}},
    .param_count = 5,
    .candidates = candidates,
    .candidate_count = sizeof candidates / sizeof *candidates,
    .fits = fits,
    .work = work,
    .emit = emit,
    .error = outer_error,
    .template_name = "contract.comp",
};
