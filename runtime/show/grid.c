// Grid: see grid.h.
#include "runtime/show/grid.h"
#include <math.h>
#include <stdbool.h>

enum { COLUMNS_MAX = 32 };

uint32_t grid_near_square(uint32_t count) {
    uint32_t root = (uint32_t)ceil(sqrt((double)count)), most = count < 2 * root ? count : 2 * root;
    for (uint32_t columns = root; columns > 0 && columns <= most; columns++)
        if (count % columns == 0 && columns <= 3 * (count / columns))
            return columns;
    return root ? root : 1;
}

// Are the first `period` classes different, and all others theirs again?
static bool takes_turns(const double *classes, uint32_t count, uint32_t period) {
    for (uint32_t i = 0; i < period; i++)
        for (uint32_t k = 0; k < i; k++)
            if (classes[i] == classes[k])
                return false;
    for (uint32_t i = period; i < count; i++)
        if (classes[i] != classes[i - period])
            return false;
    return true;
}

static bool lies_in_blocks(const double *classes, uint32_t count, uint32_t block) {
    for (uint32_t i = 1; i < count; i++)
        if ((classes[i] == classes[i - 1]) != (i % block != 0))
            return false;
    return true;
}

// Of few classes several turns stand in a row, as many as leave it no gap and hardly longer than columns are.
static uint32_t several_turns(uint32_t count, uint32_t period) {
    uint32_t turns = 1;
    for (uint32_t i = 2; count % period == 0 && i <= count / period && i * period <= COLUMNS_MAX; i++)
        if (count / period % i == 0 && (double)i * period <= 1.5 * sqrt((double)count))
            turns = i;
    return turns * period;
}

uint32_t grid_by_class(const double *classes, uint32_t count) {
    for (uint32_t columns = 2; columns <= count && columns <= COLUMNS_MAX; columns++) {
        if (takes_turns(classes, count, columns))
            return several_turns(count, columns);
        if (columns < count && lies_in_blocks(classes, count, columns))
            return columns;
    }
    return 0;
}

GridNames grid_names(Arena *arena, const char *const *names, uint32_t count, uint32_t columns) {
    bool is_one = true, by_columns = true, by_rows = true;
    const char **rows = ARENA_NEW(arena, const char *, count + 1u);
    for (uint32_t i = 0; i < count; i++) {
        is_one &= strcmp(names[i], names[0]) == 0;
        by_columns &= strcmp(names[i], names[i % columns]) == 0;
        by_rows &= strcmp(names[i], names[i - i % columns]) == 0;
        rows[i / columns] = names[i - i % columns];
    }
    if (count == 0)
        return (GridNames){0};
    if (is_one)
        return (GridNames){.all = names[0]};
    return (GridNames){.columns = by_columns && count >= columns ? names : NULL, .rows = by_rows && !by_columns ? rows : NULL};
}
