// Model: figures of how fast a device is. The only numbers of that kind; everything that weighs or estimates time asks them.
#pragma once
#include <stdbool.h>
#include <stdint.h>

// cpu: software drivers - texel loads, register tiles, no shared memory or barriers. gpu: shared-memory tiles. any: storage loads, smallest
// limits.
typedef enum { TARGET_CPU, TARGET_GPU, TARGET_ANY } TargetClass;
enum { TARGET_CLASS_COUNT = TARGET_ANY + 1 };

// model.def says what each is.
typedef struct {
    bool is_measured; // some of them, on the device itself
#define FIGURE(name, ...) double name;
#include "runtime/program/model.def"
#undef FIGURE
} DeviceModel;

typedef enum {
#define FIGURE(name, ...) FIGURE_##name,
#include "runtime/program/model.def"
#undef FIGURE
    FIGURE_COUNT
} ModelFigure;

typedef enum { TAKEN_FREE, TAKEN_FIRM, TAKEN_GIVEN } ModelTaken;

typedef struct {
    const char *name, *unit;
    ModelTaken taken;
} ModelFigureDef;

const ModelFigureDef *figure_def(ModelFigure figure);
double model_figure(const DeviceModel *model, ModelFigure figure);
void model_set(DeviceModel *model, ModelFigure figure, double value);

DeviceModel model_default(TargetClass target_class);
// The class's figures with what drivers.def knows of a driver, by what it says of itself: "llvmpipe Mesa 25.0.7 (...)".
DeviceModel model_of_driver(TargetClass target_class, const char *driver);
// Whether all figures are the same.
bool model_is(const DeviceModel *a, const DeviceModel *b);
// `usual`, what is known without measuring, with what was measured of one device, as model.def says; figures of `measured` that are not above 0
// were not measured.
DeviceModel model_measured(const DeviceModel *usual, const DeviceModel *measured);
