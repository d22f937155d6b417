// Random: whatever fields a graph declares, filled with noise. f32 is uniform in the field's range, else standard normal.
#include "runtime/base/random.h"
#include "runtime/data/readers.h"
#include <errno.h>
#include <stdlib.h>

static const uint64_t SEED = 2; // of the data, not of the training
static const char *const SPLIT_NAMES[] = {"train", "test"};
enum { SPLIT_COUNT = 2 };

static uint32_t levels_of(const ProgramData *declared, uint32_t field) {
    if (declared->fields[field].below)
        return declared->fields[field].below;
    return declared->fields[field].type == ELEMENT_BOOL ? 2 : 256;
}

static bool fetch(const Dataset *dataset, uint32_t split, uint32_t record, uint32_t field, uint64_t draw, void *out, Diag *diag) {
    (void)diag, (void)draw;
    const ProgramData *declared = dataset->declared;
    uint64_t name = random_name(declared->fields[field].name) ^ random_name(dataset->name), count = dataset_field_count(declared, field);
    double low = declared->fields[field].low, high = declared->fields[field].high;
    float *reals = out;
    uint32_t *integers = out;
    for (uint64_t i = 0; i < count; i++) {
        RandomWords words = random_element(SEED, name, split, record, (uint32_t)i);
        if (declared->fields[field].type != ELEMENT_F32)
            integers[i] = random_below(words, levels_of(declared, field));
        else if (declared->fields[field].has_range)
            reals[i] = (float)(low + (high - low) * (double)random_uniform(words));
        else
            reals[i] = (float)random_normal(words);
    }
    return true;
}

bool random_open(Arena *arena, const char *argument, Dataset *dataset, Diag *diag) {
    (void)arena;
    unsigned long count = dataset->declared->batch ? dataset->declared->batch * 5ul / 2 : 1; // some batches and a half, to meet the rest
    if (*argument) {
        char *end;
        errno = 0;
        count = strtoul(argument, &end, 10);
        if (*end || errno || count == 0 || count > UINT32_MAX || argument[0] == '-') {
            diag_error(diag, NULL, "--data %s: \"%s\" is no number of records", dataset->spec, argument);
            return false;
        }
    }
    for (uint32_t i = 0; i < SPLIT_COUNT; i++) {
        dataset->splits[i].name = SPLIT_NAMES[i];
        dataset->splits[i].count = (uint32_t)count;
    }
    dataset->split_count = SPLIT_COUNT;
    dataset->fetch = fetch;
    return true;
}

bool random_natural(Arena *arena, const char *argument, ProgramData *declared, Diag *diag) {
    (void)argument;
    (void)diag;
    dataset_add_field(arena, declared, "image", ELEMENT_F32, 3, (const uint32_t[]){1, 28, 28});
    declared->fields[0].has_range = true;
    declared->fields[0].low = -1;
    declared->fields[0].high = 1;
    return true;
}
