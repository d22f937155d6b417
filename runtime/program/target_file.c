// Target's file: reading and writing.
#include "runtime/program/target_file.h"

// So that sums, products and quotients of figures stay finite.
#define MODEL_FIGURE_MIN 1e-18
#define MODEL_FIGURE_MAX 1e18

static bool is_written(Capability capability, bool whole) { return whole || capability_def(capability)->use == USE_KERNELS; }

static void write_model(JsonWriter *json, const DeviceModel *model) {
    json_begin_object(json, "model");
    json_write_bool(json, "is_measured", model->is_measured);
    for (ModelFigure i = 0; i < FIGURE_COUNT; i++)
        json_write_number(json, figure_def(i)->name, model_figure(model, i));
    json_end_object(json);
}

void target_write(JsonWriter *json, const Target *target, bool whole) {
    json_write_text(json, "class", target_class_name(target->target_class));
    if (target->device)
        json_write_text(json, "device", target->device);
    for (Capability i = 0; i < CAPABILITY_COUNT; i++) {
        const CapabilityDef *def = capability_def(i);
        if (!is_written(i, whole))
            continue;
        if (def->unit == UNIT_BOOL)
            json_write_bool(json, def->name, target_value(target, i) != 0);
        else
            json_write_uint(json, def->name, target_value(target, i));
    }
    DeviceModel usual = model_default(target->target_class);
    if (!whole || !model_is(&target->model, &usual))
        write_model(json, &target->model);
}

static uint64_t read_limit(Fields *fields, const Json *object, const CapabilityDef *def) {
    uint32_t errors = diag_error_count(fields->diag);
    uint64_t limit = field_uint(fields, object, def->name, def->size == sizeof(uint32_t) ? UINT32_MAX : TARGET_BYTES_MAX);
    const Json *place = json_get(object, def->name);
    if (diag_error_count(fields->diag) > errors)
        return limit;
    if (limit < def->least)
        field_complain(fields, place, "%s: at least %llu is needed", def->name, (unsigned long long)def->least);
    if (def->rule == RULE_MULTIPLE && (limit & (limit - 1)) != 0)
        field_complain(fields, place, "%s: a power of two is needed", def->name);
    return limit;
}

static DeviceModel read_model(Fields *fields, const Json *object, TargetClass target_class) {
    DeviceModel model = model_default(target_class);
    const Json *json = json_get(object, "model");
    if (!json)
        return model;
    model.is_measured = field_bool(fields, json, "is_measured");
    for (ModelFigure i = 0; i < FIGURE_COUNT; i++) {
        const ModelFigureDef *def = figure_def(i);
        const Json *member = json_get(json, def->name);
        if (!member)
            continue;
        double least = model_figure(&model, i) > 0 ? MODEL_FIGURE_MIN : 0, figure = member->kind == JSON_NUMBER ? member->number : -1;
        if (!(figure >= least && figure <= MODEL_FIGURE_MAX))
            field_complain(fields, member, "%s: a number from %g to %g is needed", def->name, least, MODEL_FIGURE_MAX);
        model_set(&model, i, figure);
    }
    return model;
}

Target target_read(Fields *fields, const Json *object, uint32_t format) {
    const char *const names[] = {"cpu", "gpu", "any"}; // in the order of TargetClass
    Target target = target_default(TARGET_ANY);
    target.target_class = (TargetClass)field_named(fields, object, "class", names, TARGET_CLASS_COUNT);
    target.device = field_optional_text(fields, object, "device");
    for (Capability i = 0; i < CAPABILITY_COUNT; i++) {
        const CapabilityDef *def = capability_def(i);
        bool is_stated = format ? def->since <= format : def->since == 0;
        if (!json_get(object, def->name) && !is_stated)
            continue;
        target_set(&target, i, def->unit == UNIT_BOOL ? field_bool(fields, object, def->name) : read_limit(fields, object, def));
    }
    target.model = read_model(fields, object, target.target_class);
    return target_clamp(&target);
}
