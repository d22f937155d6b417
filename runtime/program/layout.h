// Layout: how a tensor lies in device memory. Every element is 4 bytes there (bool and u8 are u32).
#pragma once
#include "runtime/base/arena.h"
#include <stdbool.h>

enum { LAYOUT_RANK_MAX = 6 };

// The physical order of the logical axes, outermost first. The innermost axis is padded to a multiple of 4 elements, and its padding holds
// zero, always. A scalar (rank 0) occupies 4 elements, of which the first is it.
typedef struct {
    uint8_t rank;
    uint8_t order[LAYOUT_RANK_MAX];
    uint32_t dims[LAYOUT_RANK_MAX]; // logical
} Layout;

Layout layout_make(uint32_t rank, const uint32_t *dims, const uint8_t *order); // order NULL: row-major
uint64_t layout_count(const Layout *layout);                                   // physical elements, padding included
uint64_t layout_size(const Layout *layout);                   // bytes; like the counts UINT64_MAX where it does not fit 64 bits
uint64_t layout_logical_count(const Layout *layout);          // elements without padding
uint32_t layout_inner(const Layout *layout);                  // the padded extent of the innermost axis, 4 for a scalar
void layout_strides(const Layout *layout, uint32_t *strides); // by logical axis, in elements
bool layout_equal(const Layout *a, const Layout *b);
// Logical row-major 4-byte elements to physical ones (padding zeroed), and back.
void layout_store(const Layout *layout, const void *logical, void *physical);
void layout_load(const Layout *layout, const void *physical, void *logical);
