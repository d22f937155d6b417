// Grid: how many pictures a row of a grid has.
#pragma once
#include "runtime/base/arena.h"

// Nearly square and, where that is near enough, without a gap in the last row: 8 -> 4, 10 -> 5, 16 -> 4. At least 1.
uint32_t grid_near_square(uint32_t count);
// Of pictures whose classes are known: classes that take turns (0 1 2 0 1 2 …) are a column each, or several columns where there are few
// (32 of two classes: 8 columns), those in blocks (0 0 0 1 1 1 …) a row each.
// 0: they lie in neither order, there is one class only, or a row would be longer than 32.
uint32_t grid_by_class(const double *classes, uint32_t count);

// Names that pictures share, `columns` a row: of all, else of each column, else of each row; the others are NULL.
typedef struct {
    const char *all;
    const char *const *columns, *const *rows;
} GridNames;
GridNames grid_names(Arena *arena, const char *const *names, uint32_t count, uint32_t columns);
