// Tile: what the emitters of contractions share.
#pragma once
#include "compiler/emit/emitter.h"
#include "compiler/schedules/families.h"

// Pieces of int expressions as a person would write them: "x * 3", "x" for a factor of 1; " + 2", " - 1", "" for 0.
const char *tile_times(Arena *arena, const char *name, int64_t factor);
const char *tile_plus(Arena *arena, int64_t number);
// A vec4 of an operand at a vec4 offset.
const char *tile_load(Emitter *emitter, Value value, const char *format, ...) __attribute__((format(printf, 3, 4)));
// Axis indices of the batch of a matmul from the number of its matrix, `matrix` in the text.
void tile_unravel_matrix(Emitter *emitter, const Type *type, uint32_t batch, Index *index);
// All axis indices but the columns' of row p of a tile: `row3`, or `n3`, `y3` and `x3` in the text.
void tile_row_index(Emitter *emitter, const Contract *c, const Type *type, uint32_t p, uint32_t row_count, Index *index);
// Computes what follows the contraction from an accumulator, and stores it.
void tile_store(Emitter *emitter, const Index *index, const char *accumulator);
// Why no tile computes the contraction with these layouts or groups, or with so many vec4 accumulators a lane; NULL: some can.
const char *tile_misfit(const KernelView *view, uint32_t accumulators);
