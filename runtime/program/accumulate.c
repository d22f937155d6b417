// Accumulate: see accumulate.h.
#include "runtime/program/accumulate.h"

uint32_t accumulate_levels(uint32_t batches) {
    uint32_t levels = 0;
    while ((uint64_t)1 << levels < batches)
        levels++;
    return levels;
}

// Of the last batch, levels that no add has emptied: the digits of `batches` above its lowest.
static bool is_left_over(uint32_t level, uint32_t batches) {
    uint32_t lowest = batches & -batches, digit = (uint32_t)1 << level;
    return digit > lowest && (batches & digit) != 0;
}

bool accumulate_runs(PhasePart part, uint32_t level, uint32_t batches, uint32_t done) {
    uint32_t digit = level < 32 ? (uint32_t)1 << level : 0, below = digit | (digit - 1); // of a number: the digits up to `level`
    switch (part) {
    case PART_WHOLE:
    case PART_BATCH:
        return true;
    case PART_ADD:
        return (done & below) == 0 || (done == batches && is_left_over(level, batches));
    case PART_KEEP:
        return (done & below) == digit && done < batches;
    case PART_FINISH:
        return done == batches;
    }
    return false;
}

uint32_t accumulate_times(PhasePart part, uint32_t level, uint32_t batches) {
    uint32_t times = 0;
    for (uint32_t done = 1; done <= batches; done++)
        times += accumulate_runs(part, level, batches, done);
    return times;
}

bool accumulate_is_led(PhasePart part) { return part == PART_ADD || part == PART_KEEP || part == PART_FINISH; }
