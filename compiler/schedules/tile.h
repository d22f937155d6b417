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
// The vec4 of an operand that is computed (kernel_computes) at an index with the lane along its innermost axis; beyond that axis, lanes hold anything.
const char *tile_operand(Emitter *emitter, Value operand, const Index *index);
// Channels or columns of one group: the four from `vector` on, counted in vec4s; of more groups those of `channel_group` in the text.
Index tile_elements(Emitter *emitter, const Contract *c, Index vector, uint32_t group_size);
// A tap along an axis, `ky` or `kx` in the text.
Index tile_tap(Emitter *emitter, const Contract *c, int axis);
// Of a convolution's weights, `channel` of a group and the four columns from `columns` vec4s on, at `ky` and a tap along the line.
void tile_weight(Emitter *emitter, const Contract *c, Index channel, Index columns, Index tap_x, Index index[4]);
// Axis indices of the batch of a matmul from the number of its matrix, `matrix` in the text.
void tile_unravel_matrix(Emitter *emitter, const Type *type, uint32_t batch, Index *index);
// All axis indices but the columns' of a row of a tile: `row3`, or `n3`, `y3` and `x3` in the text where its name is "3".
void tile_row_index(Emitter *emitter, const Contract *c, const Type *type, const char *name, uint32_t row_count, Index *index);
// Whether what follows a lane's sums is a loop over them in the text, instead of being repeated for each: some drivers for CPUs make a loop over lanes
// of every component that is stored, and take longer to compile 32 such stores than all else of a kernel.
bool tile_loops_sums(const Emitter *emitter, uint32_t sums);
// `vec4 sums[] = …`: sums a0_0, a0_1 … of so many rows and columns, those of a row beside each other.
void tile_gather_sums(Emitter *emitter, uint32_t rows, uint32_t columns);
// emit_open_loop over a constant of the kernel; the index of `name` goes to *index.
EmitScope tile_open_loop(Emitter *emitter, const char *name, const char *constant, uint32_t count, uint32_t turns, Index *index);
// Computes what follows the contraction from an accumulator, and stores it.
void tile_store(Emitter *emitter, const Index *index, const char *accumulator);
// Counts what an invocation reads of both operands, in vec4s: texels, or loads from storage, or what an operand that is computed takes.
void tile_count_loads(Work *work, const KernelView *view, const Schedule *schedule, double x, double w);
// Why no tile computes the contraction with these layouts or groups, with so many vec4 accumulators a lane, or whose text reads so many vec4s of
// each operand at once; NULL: some can.
const char *tile_misfit(const KernelView *view, uint32_t accumulators, uint32_t x, uint32_t w);
// The same of the text alone.
const char *tile_text_misfit(const KernelView *view, uint32_t accumulators, uint32_t x, uint32_t w);
