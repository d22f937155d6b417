// Winograd: convolutions of 3 x 3 taps with stride 1 through transformed tiles - what the transforms have in common. A tile of m x m pixels of a
// convolution takes (m + 2)² products of each pair of channels instead of 9 m²:  Y = A^T [sum over channels of (G w G^T) · (B^T x B)] A,  where x are the
// (m + 2)² pixels that the tile's taps reach (Lavin and Gray, Fast Algorithms for Convolutional Neural Networks, 2015, section 4; m = 2 and 4). All
// transforms are linear; what is in between, a matrix product of its own for each of the (m + 2)² places, is a batched matmul.
#pragma once
#include "compiler/ir/op.h"

enum { WINOGRAD_TAPS = 3, WINOGRAD_SIDE_MAX = 6 };

// A block of columns x columns numbers, of which T block T^T makes one of rows x rows.
typedef struct {
    uint32_t rows, columns;
    double factors[WINOGRAD_SIDE_MAX][WINOGRAD_SIDE_MAX]; // T
} WinogradMatrix;

// Where the blocks of a tensor lie.
typedef enum {
    WINOGRAD_IMAGE,    // of [n, channels, h, w]: those of a tile
    WINOGRAD_TAPS_OF,  // of [out, in, 3, 3]: all taps of a pair of channels
    WINOGRAD_PRODUCTS, // of [places, rows, channels]: place after place
} WinogradPlace;

typedef struct {
    WinogradMatrix matrix;
    WinogradPlace from, to;
    uint32_t tile;             // m
    uint32_t places;           // (m + 2)²
    uint32_t rows, channels;   // of the products: tiles, or the channels that a matmul sums over, and those beside them
    uint32_t images, extent[2]; // of the image: its number, its height and width
    uint32_t tiles[2];         // along y and x of an image
    int64_t pad[2];            // block (i, j) of the image begins at (i m - pad, j m - pad)
    bool mirrored;             // taps: of [rows, channels], backwards; else of [channels, rows]
} Winograd;

// Which convolutions are computed so: those of which an estimate says it, none, or all that can be, by tiles of 2 x 2 or of 4 x 4.
typedef enum { WINOGRAD_AUTO, WINOGRAD_NEVER, WINOGRAD_TILE_2, WINOGRAD_TILE_4, WINOGRAD_CHOICES } WinogradChoice;

bool winograd_is(Op op);
Winograd winograd_of(const Graph *graph, const Node *node);
// The sums of the magnitudes of each result's terms, given those of the argument.
void winograd_magnitudes(const Graph *graph, const Node *node, const Tensor *argument, Tensor *out);

// ---- the convolution node, which must be one of the three ops with 3 x 3 taps, made of transforms of m x m tiles; values of `graph`
bool winograd_applies(const Graph *graph, const Node *node);
Value winograd_build(Graph *graph, const Node *node, Value first, Value second, uint32_t tile);
