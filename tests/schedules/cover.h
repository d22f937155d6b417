// Cover: picks from a pool of rows of small numbers few that have every pair of two factors' numbers which the pool has (pairwise covering).
#pragma once
#include "runtime/base/arena.h"
#include <stdbool.h>
#include <stdint.h>

enum { COVER_FACTORS_MAX = 8, COVER_LEVELS_MAX = 128, COVER_TRIES = 40 };

typedef struct {
    uint8_t levels[COVER_FACTORS_MAX];
} CoverRow;

typedef ARRAY(CoverRow) CoverRows;

typedef struct {
    uint32_t factor_count;
    uint32_t alone; // bit i: of factor i each number is wanted, but no pair with it
    bool seen[COVER_FACTORS_MAX][COVER_FACTORS_MAX][COVER_LEVELS_MAX][COVER_LEVELS_MAX];
} Cover;

static inline uint32_t cover_gain(Cover *cover, const CoverRow *row, bool marks) {
    uint32_t gain = 0;
    for (uint32_t i = 0; i < cover->factor_count; i++)
        for (uint32_t k = i; k < cover->factor_count; k++) {
            if (k > i && ((cover->alone >> i | cover->alone >> k) & 1))
                continue;
            bool *seen = &cover->seen[i][k][row->levels[i]][row->levels[k]];
            gain += !*seen;
            *seen |= marks;
        }
    return gain;
}

// The row of the pool with the largest gain of some tries from a place on that the seed chooses; where these gain nothing, the first that does.
static inline const CoverRow *cover_next(Cover *cover, const CoverRows *pool, uint64_t *seed) {
    const CoverRow *best = NULL;
    uint32_t most = 0;
    for (uint32_t i = 0; i < pool->count && (i < COVER_TRIES || !best); i++) {
        *seed = *seed * 6364136223846793005u + 1442695040888963407u;
        const CoverRow *row = &pool->items[i < COVER_TRIES ? (*seed >> 33) % pool->count : i];
        uint32_t gain = cover_gain(cover, row, false);
        if (gain > most)
            best = row, most = gain;
    }
    for (uint32_t i = 0; !best && i < COVER_TRIES && i < pool->count; i++)
        best = cover_gain(cover, &pool->items[i], false) ? &pool->items[i] : NULL;
    if (best)
        cover_gain(cover, best, true);
    return best;
}

static inline CoverRows cover_pick(Arena *arena, const CoverRows *pool, uint32_t factor_count, uint32_t alone, uint64_t seed) {
    Cover *cover = ARENA_NEW(arena, Cover, 1);
    *cover = (Cover){.factor_count = factor_count, .alone = alone};
    CoverRows picked = {0};
    for (const CoverRow *row; (row = cover_next(cover, pool, &seed)) != NULL;)
        array_push(arena, &picked, *row);
    return picked;
}
