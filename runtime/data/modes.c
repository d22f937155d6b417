// Modes: the nearest centre of each sample, and the counts.
#include "runtime/data/modes.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

// The nearest mode where the point is good, else modes->count.
static uint32_t find_mode(const DatasetModes *modes, double x, double y) {
    double least = MODES_DEVIATIONS * modes->deviation;
    uint32_t nearest = modes->count;
    for (uint32_t i = 0; i < modes->count; i++) {
        double distance = hypot(x - modes->centres[i][0], y - modes->centres[i][1]);
        if (distance <= least) {
            least = distance;
            nearest = i;
        }
    }
    return nearest;
}

static int compare_counts(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

ModesFound modes_find(Arena *arena, const DatasetModes *modes, const float *points, uint32_t count) {
    ModesFound found = {.count = count, .per_mode = ARENA_NEW(arena, uint32_t, modes->count + 1)};
    for (uint32_t i = 0; i < count; i++) {
        double x = (double)points[2 * i], y = (double)points[2 * i + 1];
        uint32_t mode = isfinite(x) && isfinite(y) ? find_mode(modes, x, y) : modes->count;
        found.not_finite += !isfinite(x) || !isfinite(y);
        if (mode == modes->count)
            continue;
        found.good++;
        found.hit += found.per_mode[mode]++ == 0;
    }
    if (modes->count == 0)
        return found;
    uint32_t *sorted = ARENA_NEW(arena, uint32_t, modes->count), middle = modes->count / 2;
    memcpy(sorted, found.per_mode, sizeof *sorted * modes->count);
    qsort(sorted, modes->count, sizeof *sorted, compare_counts);
    found.least = sorted[0];
    found.most = sorted[modes->count - 1];
    found.median = modes->count % 2 ? sorted[middle] : ((double)sorted[middle - 1] + sorted[middle]) / 2;
    return found;
}
