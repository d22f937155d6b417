// Spiral: points of the plane on Archimedes' spiral.
#include "runtime/data/readers.h"
#include <math.h>

enum { TRAIN_COUNT = 1000, TEST_COUNT = 200 };
static const double TURNS = 3;

static bool fetch(const Dataset *dataset, uint32_t split, uint32_t record, uint32_t field, uint64_t draw, void *out, Diag *diag) {
    (void)field, (void)draw, (void)diag;
    double share = (record + 0.5) / dataset->splits[split].count, angle = 2 * M_PI * TURNS * share;
    float *point = out;
    point[0] = (float)(share * cos(angle));
    point[1] = (float)(share * sin(angle));
    return true;
}

bool spiral_open(Arena *arena, const char *argument, Dataset *dataset, Diag *diag) {
    (void)arena, (void)argument;
    if (dataset->declared->field_count != 1 || dataset_field_count(dataset->declared, 0) != 2) {
        diag_error(diag, NULL, "%s has the field point f32[2] alone", dataset->spec);
        return false;
    }
    dataset->splits[0].name = "train";
    dataset->splits[0].count = TRAIN_COUNT;
    dataset->splits[1].name = "test";
    dataset->splits[1].count = TEST_COUNT;
    dataset->split_count = 2;
    dataset->fetch = fetch;
    return true;
}

bool spiral_natural(Arena *arena, const char *argument, ProgramData *declared, Diag *diag) {
    (void)argument, (void)diag;
    dataset_add_field(arena, declared, "point", ELEMENT_F32, 1, &(uint32_t){2});
    return true;
}
