// Tile: what the emitters of contractions share.
#pragma once
#include "compiler/emit/emitter.h"
#include "compiler/schedules/families.h"

// Pieces of int expressions as a person would write them: what is as large as a constant is called by its name, and factors of 1, divisors of 1 and
// terms of 0 are left out.
const char *tile_times(Emitter *emitter, const char *name, const char *constant, int64_t factor); // "x * STRIDE_X", "x"
const char *tile_plus(Emitter *emitter, const char *constant, int64_t number);                    // " + PAD_X", " - PAD_X", ""
// Appends " + x * X_COLUMN" to a sum that begins empty, nothing where the factor is 0.
void tile_add(Emitter *emitter, Text *sum, const char *name, const char *constant, int64_t factor);
const char *tile_sum(const Text *sum); // "0" if it is empty

// Some steps of a constant's size. constant NULL: of 1.
typedef struct {
    const char *constant;
    int64_t size, count;
} TileStep;

const char *tile_step(Emitter *emitter, TileStep step); // "3 * W_CHANNEL"
// "weight + (3 * W_CHANNEL + 1)": one addition, since what stands in parentheses is constant.
const char *tile_at(Emitter *emitter, const char *base, const TileStep *steps, uint32_t count);

// An axis that a number is made of.
typedef struct {
    const char *name, *constant; // `int NAME = number % CONSTANT`
    uint32_t extent;
    const char *scale_constant;  // NULL: by 1
    uint32_t scale;
    const char *plus, *note;     // " + lane_id", "// of the images"; or NULL
} TileAxis;

// Declares the axes' indices, innermost first; the number must be less than the product of their extents.
void tile_unravel(Emitter *emitter, const char *number, const TileAxis *axes, uint32_t count);
// A vec4 of an operand at a vec4 offset.
const char *tile_load(Emitter *emitter, Value value, const char *format, ...) __attribute__((format(printf, 3, 4)));
// Axis indices of the batch of a matmul from the number of its matrix, `matrix` in the text.
void tile_unravel_matrix(Emitter *emitter, const Type *type, uint32_t batch, Index *index);
// All axis indices but the columns' of a row of a tile: `row3`, or `n3`, `y3` and `x3` in the text where its name is "3".
void tile_row_index(Emitter *emitter, const Contract *c, const Type *type, const char *name, uint32_t row_count, Index *index);
// Computes what follows the contraction from an accumulator, and stores it.
void tile_store(Emitter *emitter, const Index *index, const char *accumulator);
// Why no tile computes the contraction with these layouts or groups, or with so many vec4 accumulators a lane; NULL: some can.
const char *tile_misfit(const KernelView *view, uint32_t accumulators);
