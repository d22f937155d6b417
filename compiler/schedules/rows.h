// Rows: what register tiles that give each lane several rows (pixels) and vec4s of columns (output channels) share, whether a lane's rows are
// anywhere (rows.c, wide.c, broadcast.c) or neighbours in a line (strip.c).
#pragma once
#include "compiler/schedules/tile.h"

typedef struct {
    Emitter *emitter;
    Contract c;
    uint32_t rows, columns, lanes;     // tile
    uint32_t across, down;             // lanes beside each other along columns, and along rows
    uint32_t vectors;                  // of columns
    uint32_t column_blocks, row_blocks, parities;
    uint32_t plane_y, plane_x, row_count; // rows of one parity
    bool is_line;                         // a lane's rows are neighbours; else `down` apart
    bool is_depthwise;                    // each column is made of the channel of its number alone, of which `channel` in the text is the vec4
    bool broadcasts;                      // lanes, all beside each other along columns, fetch pixels for each other: `channel` in the text says where
    uint32_t unroll;                      // steps of four channels wished for in a turn of the loop; 0: what the loop itself asks
    bool has_border;
    bool computes_x, computes_w; // else they lie in memory
} Rows;

// The tile of a kernel (emitter NULL: which is not emitted) whose lanes have `rows` rows and `columns` vec4s of columns; `across` of them, which
// divides them, lie beside each other along columns.
Rows rows_of(Emitter *emitter, const Contract *contract, uint32_t lanes, uint32_t rows, uint32_t columns, uint32_t across);
// The body of a kernel whose lanes' rows are anywhere; returns how many workgroups there are.
uint64_t rows_emit(const Rows *rows);
// Rows, or what a lane has of them, as a workgroup counts them: `scale` for each of its lanes along rows.
TileAxis rows_axis(const Rows *rows, const char *name, const char *constant, uint32_t scale);
// `int columns = …` and all else that the number of a workgroup says; rows: how it counts rows.
void rows_unravel(const Rows *rows, TileAxis axis);
// `int x3 = …, y3 = …, n3 = …` from row3; of a transposed convolution's stride, still divided by it.
void rows_decode(const Rows *rows, const char *row);
// `x3 = x3 * STRIDE_X + …`: the pixels of a transposed convolution whose remainder by the stride is the workgroup's.
void rows_spread(const Rows *rows, const char *row);
const char *rows_remainder(const Rows *rows, int axis); // that remainder, along an axis (0: y, 1: x)
const char *rows_extent(const Rows *rows, int axis);    // of x
// `if (group >= …) return;`: returns how many workgroups there are.
uint64_t rows_begin_groups(const Rows *rows);
// Opens the loop over taps along one axis (0: ky, 1: kx); false: there is but one.
bool rows_tap_loop(const Rows *rows, int axis, EmitScope *scope);
// `int iy3 = …`: where row 3 meets the tap in x along one axis, not yet divided by a transposed convolution's stride; appends what
// must not be negative, and what must be 0, for it to meet one at all.
void rows_place_along(const Rows *rows, int axis, const char *row, Text *signs, Text *rests);
// `bool whole3 = …` from what rows_place_along gave; false: there is nothing to ask.
bool rows_declare_whole(const Rows *rows, const char *row, const Text *signs, const Text *rests);
// `iy3 /= STRIDE_Y;` where there is a stride.
void rows_divide(const Rows *rows, int axis, const char *row);
// Where the weights of the tap (NULL: of kx = 0) begin, in vec4s.
const char *rows_weight_place(const Rows *rows, const char *tap_x);
// `int channel`, the vec4 of channels in hand, where the text asks for it; to the next one, in the weights too.
void rows_declare_channel(const Rows *rows);
void rows_advance(const Rows *rows);
// `vec4 b3 = …`, the pixel at `at3` or, where it is computed, at `ix3` of the line of row `line`.
void rows_fetch_pixel(const Rows *rows, const char *line, const char *name);
// The products of up to 4 channels of the fetched pixels (one name a row) with the weights `tap` taps along the line behind those at `weight`; tap_x:
// which tap that is.
void rows_multiply_add(const Rows *rows, uint32_t components, uint32_t tap, Index tap_x, const char *const *names);
// All channels; `turns`: of the loops around. step: of 4 (at the end: fewer) channels.
void rows_all_channels(const Rows *rows, uint32_t turns, void (*step)(const Rows *rows, const void *context, uint32_t components, bool advances), const void *context);
// What follows the contraction, of all rows, and the stores.
void rows_end(const Rows *rows);
// The counts of a tile of which a lane reads `reads` pixels for each tap.
Work rows_work(const KernelView *view, const Schedule *schedule, const Rows *rows, double reads);
