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

uint32_t grid_by_class(const double *classes, uint32_t count) {
    for (uint32_t columns = 2; columns <= count && columns <= COLUMNS_MAX; columns++)
        if (takes_turns(classes, count, columns) || (columns < count && lies_in_blocks(classes, count, columns)))
            return columns;
    return 0;
}
