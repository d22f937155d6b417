// Ring: points of the plane from a mixture of Gaussians (Metz et al. 2017, "Unrolled generative adversarial networks", appendix A).
#include "runtime/base/random.h"
#include "runtime/data/readers.h"
#include <math.h>

enum { RING_MODES = 8, GRID_SIDE = 5, TRAIN_COUNT = 65536, TEST_COUNT = 8192 };
static const double RADIUS = 2, SPREAD = 0.02;
static const uint64_t SEED = 1; // of the data, not of the training

// The draws of a record are told apart by the repetition.
enum { DRAW_MODE, DRAW_X, DRAW_Y };

typedef struct {
    bool is_grid;
    bool *is_mode; // by field: the number of the Gaussian, else its point
} RingData;

static bool fetch(const Dataset *dataset, uint32_t split, uint32_t record, uint32_t field, uint64_t draw, void *out, Diag *diag) {
    (void)diag, (void)draw;
    const RingData *data = dataset->data;
    uint64_t name = random_name(data->is_grid ? "grid" : "ring");
    uint32_t mode = random_below(random_element(SEED, name, split, DRAW_MODE, record), data->is_grid ? GRID_SIDE * GRID_SIDE : RING_MODES);
    if (data->is_mode[field]) {
        *(uint32_t *)out = mode;
        return true;
    }
    double angle = 2 * M_PI * mode / RING_MODES;
    double x = data->is_grid ? (double)(mode % GRID_SIDE) - GRID_SIDE / 2 : RADIUS * cos(angle);
    double y = data->is_grid ? (double)(mode / GRID_SIDE) - GRID_SIDE / 2 : RADIUS * sin(angle);
    float *point = out;
    point[0] = (float)(x + SPREAD * random_normal(random_element(SEED, name, split, DRAW_X, record)));
    point[1] = (float)(y + SPREAD * random_normal(random_element(SEED, name, split, DRAW_Y, record)));
    return true;
}

static bool open_points(Arena *arena, Dataset *dataset, bool is_grid, Diag *diag) {
    const ProgramData *declared = dataset->declared;
    RingData *data = ARENA_NEW(arena, RingData, 1);
    data->is_grid = is_grid;
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
    dataset->data = data;
    return true;
}

bool ring_open_ring(Arena *arena, const char *argument, Dataset *dataset, Diag *diag) {
    (void)argument;
    return open_points(arena, dataset, false, diag);
}

bool ring_open_grid(Arena *arena, const char *argument, Dataset *dataset, Diag *diag) {
    (void)argument;
    return open_points(arena, dataset, true, diag);
}

bool ring_natural(Arena *arena, const char *argument, ProgramData *declared, Diag *diag) {
    (void)argument;
    (void)diag;
    dataset_add_field(arena, declared, "point", ELEMENT_F32, 1, &(uint32_t){2});
    dataset_add_field(arena, declared, "mode", ELEMENT_I32, 0, NULL);
    return true;
}
