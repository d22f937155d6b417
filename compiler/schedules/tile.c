// Tile: what the emitters of contractions share.
#include "compiler/schedules/tile.h"

const char *tile_times(Emitter *emitter, const char *name, const char *constant, int64_t factor) {
    if (factor == 0 || factor == 1)
        return factor ? name : "0";
    return arena_format(emitter->arena, "%s * %s", name, emit_constant(emitter, constant, factor));
}

const char *tile_plus(Emitter *emitter, const char *constant, int64_t number) {
    if (number == 0)
        return "";
    return arena_format(emitter->arena, number < 0 ? " - %s" : " + %s", emit_constant(emitter, constant, number < 0 ? -number : number));
}

void tile_add(Emitter *emitter, Text *sum, const char *name, const char *constant, int64_t factor) {
    if (factor)
        text_format(sum, "%s%s", sum->length ? " + " : "", tile_times(emitter, name, constant, factor));
}

const char *tile_sum(const Text *sum) { return sum->length ? sum->data : "0"; }

const char *tile_step(Emitter *emitter, TileStep step) {
    if (!step.constant || step.size <= 1 || step.count == 0)
        return arena_format(emitter->arena, "%lld", (long long)(step.count * step.size));
    const char *name = emit_constant(emitter, step.constant, step.size);
    return step.count == 1 ? name : arena_format(emitter->arena, "%lld * %s", (long long)step.count, name);
}

const char *tile_at(Emitter *emitter, const char *base, const TileStep *steps, uint32_t count) {
    Text text = text_create(emitter->arena);
    uint32_t terms = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (steps[i].count * steps[i].size == 0)
            continue;
        text_append(&text, terms++ ? " + " : "");
        text_append(&text, tile_step(emitter, steps[i]));
    }
    if (!terms)
        return base;
    return arena_format(emitter->arena, terms > 1 ? "%s + (%s)" : "%s + %s", base, text.data);
}

void tile_unravel(Emitter *emitter, const char *number, const TileAxis *axes, uint32_t count) {
    uint32_t left = 0;
    for (uint32_t i = 0; i < count; i++)
        left += axes[i].extent > 1;
    const char *rest = number;
    bool is_taken = left > 2; // the axes read so far are divided off
    if (is_taken) {
        rest = arena_format(emitter->arena, "%s_rest", number);
        emit_line(emitter, "int %s = %s;", rest, number);
    }
    for (uint32_t i = 0; i < count; i++) {
        const TileAxis *axis = &axes[i];
        const char *plus = axis->plus ? axis->plus : "", *note = axis->note ? arena_format(emitter->arena, " %s", axis->note) : "";
        if (axis->extent == 1) {
            emit_line(emitter, "%sint %s = %s;%s", *plus ? "" : "const ", axis->name, *plus ? plus + strlen(" + ") : "0", note);
            continue;
        }
        bool is_last = --left == 0;
        const char *extent = is_last ? "" : emit_constant(emitter, axis->constant, axis->extent);
        const char *part = is_last ? rest : arena_format(emitter->arena, "%s %% %s", rest, extent);
        if (axis->scale_constant)
            part = tile_times(emitter, part, axis->scale_constant, axis->scale);
        const char *divided = is_taken && !is_last ? arena_format(emitter->arena, " %s /= %s;", rest, extent) : "";
        emit_line(emitter, "int %s = %s%s;%s%s", axis->name, part, plus, divided, note);
        if (!is_last && !is_taken)
            rest = arena_format(emitter->arena, "%s / %s", rest, extent);
    }
}

const char *tile_load(Emitter *emitter, Value value, const char *format, ...) {
    va_list list;
    va_start(list, format);
    const char *offset = arena_format_list(emitter->arena, format, list);
    va_end(list);
    return emit_vector_load(emitter, value, offset);
}

const char *tile_operand(Emitter *emitter, Value operand, const Index *index) { return emit_vector(emitter, emit_value(emitter, operand, index)).text; }

Index tile_elements(Emitter *emitter, const Contract *c, Index vector, uint32_t group_size) {
    IndexPool *pool = emitter->pool;
    Index elements = index_add(pool, index_scale(pool, vector, 4), emitter->lane);
    if (c->groups > 1)
        elements = index_add(pool, elements, index_scale(pool, index_opaque(pool, "channel_group", 0, (int64_t)c->groups - 1), group_size));
    return elements;
}

Index tile_tap(Emitter *emitter, const Contract *c, int axis) { return index_opaque(emitter->pool, axis ? "kx" : "ky", 0, (int64_t)(axis ? c->taps_x : c->taps_y) - 1); }

void tile_weight(Emitter *emitter, const Contract *c, Index channel, Index columns, Index tap_x, Index index[4]) {
    IndexPool *pool = emitter->pool;
    if (c->kind == ROWS_FORWARD) {
        index[0] = tile_elements(emitter, c, columns, c->columns), index[1] = channel;
    } else {
        index[0] = channel, index[1] = index_add(pool, index_scale(pool, columns, 4), emitter->lane);
        if (c->groups > 1)
            index[0] = index_add(pool, channel, index_scale(pool, index_opaque(pool, "channel_group", 0, (int64_t)c->groups - 1), c->channels));
    }
    index[2] = tile_tap(emitter, c, 0), index[3] = tap_x;
}

static void count_operand(Work *work, const Operand *operand, bool texel, double count) {
    double loads = operand->is_computed ? operand->loads * count : count;
    *(texel ? &work->tile_loads : &work->storage_loads) += loads;
    if (operand->is_computed)
        work->multiply_adds += operand->adds * count, work->places += loads;
}

void tile_count_loads(Work *work, const KernelView *view, const Schedule *schedule, double x, double w) {
    bool texel = schedule->values[PARAM_TEXEL];
    count_operand(work, &view->x, texel, x);
    count_operand(work, &view->w, texel, w);
}

void tile_unravel_matrix(Emitter *emitter, const Type *type, uint32_t batch, Index *index) {
    Index matrix = index_opaque(emitter->pool, "matrix", 0, (int64_t)batch - 1);
    for (uint32_t axis = type->rank - 2; axis-- > 0;) {
        index[axis] = axis ? index_modulo(emitter->pool, matrix, type->dims[axis]) : matrix;
        matrix = index_divide(emitter->pool, matrix, type->dims[axis]);
    }
}

// Rows' places in the result, and in all that lies like it, by name.
static void name_factors(Emitter *emitter, const Contract *c, const Type *type, const Index *index) {
    static const char *const names[] = {"OUT_IMAGE", NULL, "OUT_ROW", "OUT_COLUMN"};
    uint32_t strides[LAYOUT_RANK_MAX];
    layout_strides(&emitter->list->layouts[c->out.id], strides);
    if (c->kind == ROWS_PLAIN)
        emit_name_factor(emitter, index[type->rank - 2], strides[type->rank - 2] / 4, "OUT_ROW");
    if (c->kind == ROWS_PLAIN && type->rank > 2)
        emit_name_factor(emitter, index[type->rank - 3], strides[type->rank - 3] / 4, "OUT_BATCH");
    for (uint32_t axis = 0; c->kind != ROWS_PLAIN && axis < 4; axis++)
        if (names[axis])
            emit_name_factor(emitter, index[axis], strides[axis] / 4, names[axis]);
}

void tile_row_index(Emitter *emitter, const Contract *c, const Type *type, const char *name, uint32_t row_count, Index *index) {
    if (c->kind == ROWS_PLAIN) {
        tile_unravel_matrix(emitter, type, c->batch, index);
        index[type->rank - 2] = index_opaque(emitter->pool, arena_format(emitter->arena, "row%s", name), 0, (int64_t)row_count - 1);
    } else {
        index[0] = index_opaque(emitter->pool, arena_format(emitter->arena, "n%s", name), 0, (int64_t)c->images - 1);
        index[2] = index_opaque(emitter->pool, arena_format(emitter->arena, "y%s", name), 0, (int64_t)c->height - 1);
        index[3] = index_opaque(emitter->pool, arena_format(emitter->arena, "x%s", name), 0, (int64_t)c->width - 1);
    }
    name_factors(emitter, c, type, index);
}

bool tile_loops_sums(const Emitter *emitter, uint32_t sums) {
    double least = emitter->target->model.looped_sums;
    return least > 0 && sums >= least;
}

void tile_gather_sums(Emitter *emitter, uint32_t rows, uint32_t columns) {
    enum { IN_A_LINE = 16 };
    uint32_t count = rows * columns;
    emit_line(emitter, "vec4 sums[%u] = vec4[](", count);
    for (uint32_t first = 0; first < count; first += IN_A_LINE) {
        Text line = text_create(emitter->arena);
        for (uint32_t i = first; i < count && i < first + IN_A_LINE; i++)
            text_format(&line, "%sa%u_%u%s", i == first ? "    " : " ", i / columns, i % columns, i + 1 < count ? "," : ");");
        emit_line(emitter, "%s", line.data);
    }
}

EmitScope tile_open_loop(Emitter *emitter, const char *name, const char *constant, uint32_t count, uint32_t turns, Index *index) {
    *index = index_opaque(emitter->pool, name, 0, (int64_t)count - 1);
    return emit_open_loop(emitter, name, emit_constant(emitter, constant, count), turns);
}

void tile_store(Emitter *emitter, const Index *index, const char *accumulator) {
    const Kernel *kernel = emitter->kernel;
    emit_remember(emitter, kernel->root, index, (Code){accumulator, DTYPE_F32, true});
    for (uint32_t i = 0; i < kernel->stores.count; i++)
        emit_value(emitter, kernel->stores.items[i], index); // all are computed before any is stored: a store may be over what another reads
    for (uint32_t i = 0; i < kernel->stores.count; i++)
        emit_store_vector(emitter, kernel->stores.items[i], index, emit_value(emitter, kernel->stores.items[i], index));
}

// Of the text: each is a variable and its tile is unrolled, so that more make shaders that drivers take long to compile, whatever registers a
// device has; what a tile that large costs is the estimate's to say.
enum { ACCUMULATORS_MAX = 96 };
enum { INLINE_MAX = 2048 }; // values of operands that are computed where they are read: for the same reason

const char *tile_misfit(const KernelView *view, uint32_t accumulators, uint32_t x, uint32_t w) {
    if (!contract_is_tileable(view->list, view->value))
        return "tiles need operands and result with channels (columns) innermost, and groups of whole vec4s";
    return tile_text_misfit(view, accumulators, x, w);
}

const char *tile_text_misfit(const KernelView *view, uint32_t accumulators, uint32_t x, uint32_t w) {
    if (accumulators > ACCUMULATORS_MAX)
        return arena_format(view->list->arena, "a lane would hold %u vec4s of sums, and may hold %u", accumulators, ACCUMULATORS_MAX);
    uint64_t count = (uint64_t)view->x.nodes * x + (uint64_t)view->w.nodes * w;
    if (count > INLINE_MAX)
        return arena_format(view->list->arena, "operands are computed where they are read: its text would have %llu of their values, and may have %d", (unsigned long long)count,
                            INLINE_MAX);
    return NULL;
}
