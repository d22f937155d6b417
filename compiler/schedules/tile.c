// Tile: what the emitters of contractions share.
#include "compiler/schedules/tile.h"

const char *tile_times(Arena *arena, const char *name, int64_t factor) {
    return factor == 1 ? name : arena_format(arena, "%s * %lld", name, (long long)factor);
}

const char *tile_plus(Arena *arena, int64_t number) {
    return number == 0 ? "" : arena_format(arena, number < 0 ? " - %lld" : " + %lld", (long long)(number < 0 ? -number : number));
}

const char *tile_load(Emitter *emitter, Value value, const char *format, ...) {
    va_list list;
    va_start(list, format);
    const char *offset = arena_format_list(emitter->arena, format, list);
    va_end(list);
    return emit_vector_load(emitter, value, offset);
}

void tile_unravel_matrix(Emitter *emitter, const Type *type, uint32_t batch, Index *index) {
    Index matrix = index_opaque(emitter->pool, "matrix", 0, (int64_t)batch - 1);
    for (uint32_t axis = type->rank - 2; axis-- > 0;) {
        index[axis] = axis ? index_modulo(emitter->pool, matrix, type->dims[axis]) : matrix;
        matrix = index_divide(emitter->pool, matrix, type->dims[axis]);
    }
}

void tile_row_index(Emitter *emitter, const Contract *c, const Type *type, uint32_t p, uint32_t row_count, Index *index) {
    if (c->kind == ROWS_PLAIN) {
        tile_unravel_matrix(emitter, type, c->batch, index);
        index[type->rank - 2] = index_opaque(emitter->pool, arena_format(emitter->arena, "row%u", p), 0, (int64_t)row_count - 1);
        return;
    }
    index[0] = index_opaque(emitter->pool, arena_format(emitter->arena, "n%u", p), 0, (int64_t)c->images - 1);
    index[2] = index_opaque(emitter->pool, arena_format(emitter->arena, "y%u", p), 0, (int64_t)c->height - 1);
    index[3] = index_opaque(emitter->pool, arena_format(emitter->arena, "x%u", p), 0, (int64_t)c->width - 1);
}

void tile_store(Emitter *emitter, const Index *index, const char *accumulator) {
    const Kernel *kernel = emitter->kernel;
    emit_remember(emitter, kernel->root, index, (Code){accumulator, DTYPE_F32, true});
    for (uint32_t i = 0; i < kernel->stores.count; i++)
        emit_value(emitter, kernel->stores.items[i], index); // all are computed before any is stored: a store may be over what another reads
    for (uint32_t i = 0; i < kernel->stores.count; i++)
        emit_store_vector(emitter, kernel->stores.items[i], index, emit_value(emitter, kernel->stores.items[i], index));
}

enum { ACCUMULATORS_MAX = 96 }; // more would only be spilled

const char *tile_misfit(const KernelView *view, uint32_t accumulators) {
    if (!contract_is_tileable(view->list, view->value))
        return "tiles need operands and result with channels (columns) innermost, and groups of whole vec4s";
    if (accumulators > ACCUMULATORS_MAX)
        return arena_format(view->list->arena, "a lane would hold %u vec4s of sums, and may hold %u", accumulators, ACCUMULATORS_MAX);
    return NULL;
}
