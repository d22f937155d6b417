// Model: the table of figures, and the estimate.
#include "runtime/program/model.h"
#include "runtime/program/work.h"
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

// By so many times a measurement must differ before the compiler decides by it: measurements vary, and their variation must not change what is
// compiled.
static const double CLEAR_MARGIN = 4;

// Further than this from what is usual no device is: the measurement, or the file that holds it, is wrong.
static const double PLAUSIBLE = 1e6;

enum { VECTOR = 4, LANES = 8 }; // the unit of what invocations cost: a vec4 multiply-add of eight lanes

static const ModelFigureDef defs[FIGURE_COUNT] = {
#define FIGURE(member, how, cpu, gpu, any, what) {.name = #member, .unit = what, .taken = TAKEN_##how},
#include "runtime/program/model.def"
#undef FIGURE
};

static const size_t places[FIGURE_COUNT] = {
#define FIGURE(member, ...) offsetof(DeviceModel, member),
#include "runtime/program/model.def"
#undef FIGURE
};

static const DeviceModel defaults[TARGET_CLASS_COUNT] = {
    [TARGET_CPU] = {
#define FIGURE(member, how, cpu, gpu, any, what) .member = cpu,
#include "runtime/program/model.def"
#undef FIGURE
    },
    [TARGET_GPU] = {
#define FIGURE(member, how, cpu, gpu, any, what) .member = gpu,
#include "runtime/program/model.def"
#undef FIGURE
    },
    [TARGET_ANY] = {
#define FIGURE(member, how, cpu, gpu, any, what) .member = any,
#include "runtime/program/model.def"
#undef FIGURE
    }};

const ModelFigureDef *figure_def(ModelFigure figure) { return &defs[figure]; }

double model_figure(const DeviceModel *model, ModelFigure figure) {
    double value;
    memcpy(&value, (const char *)model + places[figure], sizeof value);
    return value;
}

void model_set(DeviceModel *model, ModelFigure figure, double value) { memcpy((char *)model + places[figure], &value, sizeof value); }

DeviceModel model_default(TargetClass target_class) { return defaults[target_class]; }

DeviceModel model_of_driver(TargetClass target_class, const char *driver) {
    static const struct {
        const char *begin;
        unsigned long since;
        ModelFigure figure;
        double value;
    } rows[] = {
#define DRIVER_FIGURE(begin, since, figure, value) {begin, since, FIGURE_##figure, value},
#include "runtime/program/drivers.def"
#undef DRIVER_FIGURE
    };
    DeviceModel model = defaults[target_class];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t length = strlen(rows[i].begin);
        if (strncmp(driver, rows[i].begin, length) == 0 && strtoul(driver + length, NULL, 10) >= rows[i].since)
            model_set(&model, rows[i].figure, rows[i].value);
    }
    return model;
}

bool model_is(const DeviceModel *a, const DeviceModel *b) {
    bool same = a->is_measured == b->is_measured;
    for (ModelFigure i = 0; i < FIGURE_COUNT; i++)
        same = same && model_figure(a, i) == model_figure(b, i);
    return same;
}

DeviceModel model_measured(const DeviceModel *usual, const DeviceModel *measured) {
    DeviceModel model = *usual;
    model.is_measured = true;
    for (ModelFigure i = 0; i < FIGURE_COUNT; i++) {
        double known = model_figure(&model, i), found = model_figure(measured, i);
        bool is_clear = found > known * CLEAR_MARGIN || found < known / CLEAR_MARGIN;
        bool is_plausible = found > 0 && (known <= 0 || (found < known * PLAUSIBLE && found > known / PLAUSIBLE));
        if (is_plausible && (defs[i].taken == TAKEN_FREE || (defs[i].taken == TAKEN_FIRM && is_clear)))
            model_set(&model, i, found);
    }
    return model;
}

static double round_up(double number) {
    double whole = (double)(int64_t)number;
    return whole < number ? whole + 1 : whole;
}

static double loads_cost(const Work *work, const DeviceModel *model) {
    return model->texel_load * work->texel_loads + model->tile_load * work->tile_loads + model->storage_load * work->storage_loads + model->shared_load * work->shared_loads +
           model->broadcast * work->broadcasts + model->conflict * work->conflicts + model->crowd * work->crowd;
}

// Cores are idle where there are few workgroups.
static double lanes_cost(const Work *work, const DeviceModel *model) {
    if (work->groups <= 0)
        return 0;
    double lane = work->multiply_adds + loads_cost(work, model) + model->place * work->places + model->turn * work->turns +
                  model->sum * work->sums + model->store * work->stores + model->stream * work->streams + model->invocation;
    double cost = work->groups * (work->lanes / LANES) * lane;
    return cost * round_up(work->groups / model->cores) * model->cores / work->groups;
}

// Lanes are idle where there are few results: these can share what makes a result, and combine what they have. Where none is idle, sharing
// is no gain.
static double chain_cost(const Work *work, const DeviceModel *model) {
    double turns = work->chain, lanes = work->shared_by, levels = 0;
    bool are_idle = work->at_once < model->full_results;
    if (are_idle)
        turns /= lanes < model->shared_lanes ? lanes : model->shared_lanes;
    for (double rest = lanes; rest > 1; rest /= 2)
        levels++;
    if (lanes > 1)
        turns += model->combine + model->combine_level * levels + model->combine_lane * (lanes - 1);
    return turns * (model->turn + loads_cost(work, model)) * (are_idle ? 1 : work->at_once / model->full_results) * model->cores;
}

double model_seconds(const Work *work, const DeviceModel *model) {
    double speed = work->bytes <= model->cache_size ? model->cache_bytes : model->memory_bytes;
    double cost = work->chain > 0 ? chain_cost(work, model) : lanes_cost(work, model);
    return cost * (VECTOR * LANES) / model->multiply_adds +
           work->all_multiply_adds / (model->multiply_adds * model->arithmetic_share) + work->bytes / (speed * model->bytes_share) +
           work->dispatches * model->dispatch_seconds + work->waves * model->wave_seconds;
}
