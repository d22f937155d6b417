// Layout: how the elements of a tensor lie in device memory; how many bytes each has there, their type says.
#pragma once
#include "runtime/tensor/element.h"

enum { LAYOUT_RANK_MAX = 6 };

// The physical order of the logical axes, outermost first. The innermost axis is padded to a multiple of ELEMENT_LANES, and its padding holds
// zero, always. A scalar (rank 0) occupies ELEMENT_LANES, of which the first is it.
typedef struct {
    uint8_t rank;
    uint8_t order[LAYOUT_RANK_MAX];
    uint32_t dims[LAYOUT_RANK_MAX]; // logical
} Layout;

Layout layout_make(uint32_t rank, const uint32_t *dims, const uint8_t *order); // order NULL: row-major
uint64_t layout_count(const Layout *layout);                                   // physical elements, padding included
uint64_t layout_size(const Layout *layout, ElementType type); // bytes; like the counts UINT64_MAX where it does not fit 64 bits
uint64_t layout_logical_count(const Layout *layout);          // elements without padding
uint32_t layout_inner(const Layout *layout);                  // the padded extent of the innermost axis, ELEMENT_LANES for a scalar
void layout_strides(const Layout *layout, uint32_t *strides); // by logical axis, in elements
bool layout_equal(const Layout *a, const Layout *b);
// Logical row-major words (see element_word) to what lies on the device (padding zeroed), and back.
void layout_store(const Layout *layout, ElementType type, const void *words, void *physical);
void layout_load(const Layout *layout, ElementType type, const void *physical, void *words);
