// Layout: sizes, strides, and moving elements between logical row-major order and a layout.
#include "runtime/program/layout.h"
#include "runtime/base/bug.h"

Layout layout_make(uint32_t rank, const uint32_t *dims, const uint8_t *order) {
    CHECK(rank <= LAYOUT_RANK_MAX);
    Layout layout = {.rank = (uint8_t)rank};
    for (uint32_t i = 0; i < rank; i++) {
        layout.dims[i] = dims[i];
        layout.order[i] = order ? order[i] : (uint8_t)i;
    }
    return layout;
}

// Saturates: a size that does not fit 64 bits fits no memory either.
static uint64_t times(uint64_t a, uint64_t b) {
    uint64_t product;
    return __builtin_mul_overflow(a, b, &product) ? UINT64_MAX : product;
}

static uint64_t inner_extent(const Layout *layout) {
    if (layout->rank == 0)
        return ELEMENT_LANES;
    uint64_t inner = layout->dims[layout->order[layout->rank - 1]];
    return (inner + ELEMENT_LANES - 1) / ELEMENT_LANES * ELEMENT_LANES;
}

uint64_t layout_count(const Layout *layout) {
    uint64_t count = inner_extent(layout);
    for (uint32_t i = 0; i + 1 < layout->rank; i++)
        count = times(count, layout->dims[layout->order[i]]);
    return count;
}

uint64_t layout_logical_count(const Layout *layout) {
    uint64_t count = 1;
    for (uint32_t i = 0; i < layout->rank; i++)
        count = times(count, layout->dims[i]);
    return count;
}

uint64_t layout_size(const Layout *layout, ElementType type) { return times(layout_count(layout), element_stored(type)); }

uint32_t layout_inner(const Layout *layout) { return (uint32_t)inner_extent(layout); }

void layout_strides(const Layout *layout, uint32_t *strides) {
    uint64_t stride = 1;
    for (uint32_t i = layout->rank; i-- > 0;) {
        strides[layout->order[i]] = (uint32_t)stride;
        stride *= i + 1u == layout->rank ? inner_extent(layout) : layout->dims[layout->order[i]];
    }
}

bool layout_equal(const Layout *a, const Layout *b) {
    if (a->rank != b->rank)
        return false;
    for (uint32_t i = 0; i < a->rank; i++) {
        if (a->dims[i] != b->dims[i] || a->order[i] != b->order[i])
            return false;
    }
    return true;
}

// A walk over the rows of a layout (its elements along the innermost axis), in physical order.
typedef struct {
    uint32_t rank;
    uint64_t rows;                     // rows in all
    uint64_t length, padded;           // of a row
    size_t step;                       // logical elements between neighbours of a row
    uint64_t extents[LAYOUT_RANK_MAX]; // of the outer axes, outermost first
    size_t steps[LAYOUT_RANK_MAX];     // their logical strides
    uint64_t counters[LAYOUT_RANK_MAX];
    size_t logical; // where the current row starts
} Walk;

static Walk walk_start(const Layout *layout) {
    Walk walk = {.rank = layout->rank, .rows = 1, .length = 1, .padded = inner_extent(layout), .step = 1};
    if (layout->rank == 0)
        return walk;
    size_t strides[LAYOUT_RANK_MAX], stride = 1;
    for (uint32_t i = layout->rank; i-- > 0;) {
        strides[i] = stride;
        stride *= layout->dims[i];
    }
    for (uint32_t i = 0; i + 1 < layout->rank; i++) {
        walk.extents[i] = layout->dims[layout->order[i]];
        walk.steps[i] = strides[layout->order[i]];
        walk.rows *= walk.extents[i];
    }
    uint32_t inner = layout->order[layout->rank - 1];
    walk.length = layout->dims[inner];
    walk.step = strides[inner];
    return walk;
}

static void walk_next(Walk *walk) {
    for (uint32_t i = walk->rank ? walk->rank - 1 : 0; i-- > 0;) {
        walk->logical += walk->steps[i];
        if (++walk->counters[i] < walk->extents[i])
            return;
        walk->logical -= walk->steps[i] * walk->extents[i];
        walk->counters[i] = 0;
    }
}

void layout_store(const Layout *layout, ElementType type, const void *words, void *physical) {
    const uint32_t *from = words;
    char *to = physical;
    size_t size = element_stored(type);
    Walk walk = walk_start(layout);
    for (uint64_t row = 0; row < walk.rows; row++, walk_next(&walk), to += walk.padded * size) {
        element_store(type, from + walk.logical, walk.step, walk.length, to);
        memset(to + walk.length * size, 0, (walk.padded - walk.length) * size);
    }
}

void layout_load(const Layout *layout, ElementType type, const void *physical, void *words) {
    const char *from = physical;
    uint32_t *to = words;
    size_t size = element_stored(type);
    Walk walk = walk_start(layout);
    for (uint64_t row = 0; row < walk.rows; row++, walk_next(&walk), from += walk.padded * size)
        element_load(type, from, walk.length, to + walk.logical, walk.step);
}
