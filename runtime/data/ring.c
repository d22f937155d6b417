// Ring: points of the plane from a mixture of Gaussians (Metz et al. 2017, "Unrolled generative adversarial networks", appendix A).
#include "runtime/base/random.h"
#include "runtime/data/readers.h"
#include <math.h>

enum { RING_MODES = 8, GRID_SIDE = 5, TRAIN_COUNT = 65536, TEST_COUNT = 8192 };
static const double RING_RADIUS = 2, RING_DEVIATION = 0.02;
static const double GRID_SPACING = 2, GRID_DEVIATION = 0.05; // Srivastava et al. 2017, "VEEGAN", section 4.1
static const uint64_t SEED = 1;                              // of the data, not of the training

// The draws of a record are told apart by the repetition.
enum { DRAW_MODE, DRAW_X, DRAW_Y };

typedef struct {
    uint64_t name; // of the draws
    DatasetModes modes;
    bool *is_mode; // by field: the number of the Gaussian, else its point
} RingData;

static bool fetch(const Dataset *dataset, uint32_t split, uint32_t record, uint32_t field, uint64_t draw, void *out, Diag *diag) {
    (void)diag, (void)draw;
    const RingData *data = dataset->data;
    uint32_t mode = random_below(random_element(SEED, data->name, split, DRAW_MODE, record), data->modes.count);
    if (data->is_mode[field]) {
        *(uint32_t *)out = mode;
        return true;
    }
    const double *centre = data->modes.centres[mode], deviation = data->modes.deviation;
    float *point = out;
    point[0] = (float)(centre[0] + deviation * random_normal(random_element(SEED, data->name, split, DRAW_X, record)));
    point[1] = (float)(centre[1] + deviation * random_normal(random_element(SEED, data->name, split, DRAW_Y, record)));
    return true;
}

static DatasetModes ring_modes(Arena *arena) {
    double(*centres)[2] = (double(*)[2])ARENA_NEW(arena, double, 2 * RING_MODES);
    for (uint32_t i = 0; i < RING_MODES; i++) {
        double angle = 2 * M_PI * i / RING_MODES;
        centres[i][0] = RING_RADIUS * cos(angle);
        centres[i][1] = RING_RADIUS * sin(angle);
    }
    return (DatasetModes){(const double(*)[2])centres, RING_MODES, RING_DEVIATION};
}

static DatasetModes grid_modes(Arena *arena) {
    double(*centres)[2] = (double(*)[2])ARENA_NEW(arena, double, 2 * GRID_SIDE * GRID_SIDE);
    for (uint32_t i = 0; i < GRID_SIDE * GRID_SIDE; i++) {
        centres[i][0] = GRID_SPACING * ((double)(i % GRID_SIDE) - GRID_SIDE / 2);
        centres[i][1] = GRID_SPACING * ((double)(i / GRID_SIDE) - GRID_SIDE / 2);
    }
    return (DatasetModes){(const double(*)[2])centres, GRID_SIDE * GRID_SIDE, GRID_DEVIATION};
}

static bool open_points(Arena *arena, Dataset *dataset, const char *name, DatasetModes modes, Diag *diag) {
    const ProgramData *declared = dataset->declared;
    RingData *data = ARENA_NEW(arena, RingData, 1);
    data->name = random_name(name);
    data->modes = modes;
    data->is_mode = ARENA_NEW(arena, bool, declared->field_count);
    for (uint32_t i = 0; i < declared->field_count; i++) {
        bool is_point = strcmp(declared->fields[i].name, "point") == 0;
        data->is_mode[i] = strcmp(declared->fields[i].name, "mode") == 0;
        bool fits = is_point ? declared->fields[i].type == ELEMENT_F32 && dataset_field_count(declared, i) == 2
                             : declared->fields[i].type != ELEMENT_F32 && declared->fields[i].type != ELEMENT_BOOL &&
                                   dataset_field_count(declared, i) == 1;
        if (fits && (is_point || data->is_mode[i]))
            continue;
        diag_error(diag, NULL, "%s has the fields point f32[2] and mode i32[], but the graph declares %s.%s", dataset->spec, declared->name,
                   dataset_field_text(arena, declared, i));
        return false;
    }
    dataset->splits[0].name = "train";
    dataset->splits[0].count = TRAIN_COUNT;
    dataset->splits[1].name = "test";
    dataset->splits[1].count = TEST_COUNT;
    dataset->split_count = 2;
    dataset->fetch = fetch;
    dataset->modes = &data->modes;
    dataset->data = data;
    return true;
}

bool ring_open_ring(Arena *arena, const char *argument, Dataset *dataset, Diag *diag) {
    (void)argument;
    return open_points(arena, dataset, "ring", ring_modes(arena), diag);
}

bool ring_open_grid(Arena *arena, const char *argument, Dataset *dataset, Diag *diag) {
    (void)argument;
    return open_points(arena, dataset, "grid", grid_modes(arena), diag);
}

bool ring_natural(Arena *arena, const char *argument, ProgramData *declared, Diag *diag) {
    (void)argument;
    (void)diag;
    dataset_add_field(arena, declared, "point", ELEMENT_F32, 1, &(uint32_t){2});
    dataset_add_field(arena, declared, "mode", ELEMENT_I32, 0, NULL);
    return true;
}
