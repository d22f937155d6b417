// Layer: the table of layers, their options, weights and initialisers.
#include "compiler/layers/layers.h"
#include <math.h>
#include <stdarg.h>

static const LayerDef defs[] = {
#define LAYER(name, options, summary) {#name, summary, options, layer_##name},
#include "compiler/layers/layers.def"
#undef LAYER
};

const Initialiser init_zeros = {.word = INITIAL_ZEROS}, init_ones = {.word = INITIAL_ONES};

const LayerDef *layer_defs(uint32_t *count) {
    *count = sizeof defs / sizeof *defs;
    return defs;
}

const LayerDef *layer_find(const char *name) {
    for (size_t i = 0; i < sizeof defs / sizeof *defs; i++)
        if (!strcmp(defs[i].name, name))
            return &defs[i];
    return NULL;
}

// ---- the host

Value layer_error(Layer *layer, const char *format, ...) {
    va_list list;
    va_start(list, format);
    const char *message = arena_format_list(layer->arena, format, list);
    va_end(list);
    layer->host->report(layer->context, arena_format(layer->arena, "%s: %s", layer->name, message));
    layer->failed = true;
    return (Value){0};
}

static Value kept(Layer *layer, Value value) {
    layer->failed = layer->failed || !value.id;
    return value;
}

Value layer_parameter(Layer *layer, const char *name, const InitialiserSet *init, LayerPart part, Initialiser fallback, uint32_t rank,
                      const uint32_t *dims) {
    Init resolved;
    const char *misfit = init_resolve(layer->arena, init->given[part] ? &init->parts[part] : &fallback, rank, dims, &resolved);
    return misfit ? layer_error(layer, "%s", misfit) : kept(layer, layer->host->parameter(layer->context, name, &resolved, rank, dims));
}

Value layer_state(Layer *layer, const char *name, double initial, uint32_t rank, const uint32_t *dims) {
    Value value = kept(layer, layer->host->state(layer->context, name, initial, rank, dims));
    return graph_add(layer->graph, OP_detach, &value, 1, NULL, 0);
}

void layer_store(Layer *layer, const char *name, Value value) {
    if (value.id)
        layer->host->store(layer->context, name, value);
}

Value layer_uniform(Layer *layer, const Type *like) { return kept(layer, layer->host->uniform(layer->context, like)); }

// ---- options

static const LayerOption *find(const Layer *layer, const char *name) {
    for (uint32_t i = 0; i < layer->option_count; i++)
        if (!strcmp(layer->options[i].name, name))
            return &layer->options[i];
    return NULL;
}

const char *layer_word(const Layer *layer, const char *option) {
    const LayerOption *found = find(layer, option);
    return found ? found->word : NULL;
}

bool layer_has(const Layer *layer, const char *option) { return find(layer, option) != NULL; }

Value layer_value(const Layer *layer, const char *option) {
    const LayerOption *found = find(layer, option);
    return found ? found->value : (Value){0};
}

static bool check_number(Layer *layer, const LayerOption *option, uint32_t index, int64_t low) {
    double number = option->numbers[index];
    if (option->is_bool || number != floor(number) || number < (double)low || number > INT32_MAX) {
        bool is_large = number > INT32_MAX;
        layer_error(layer, "\"%s\" is %s%.10g, an integer of %s expected", option->name, option->is_bool ? "bool " : "", number,
                    text_bound(layer->arena, is_large ? INT64_MAX : INT64_MIN, low, INT32_MAX));
        return false;
    }
    return true;
}

int64_t layer_int(Layer *layer, const char *option, int64_t low, int64_t fallback) {
    const LayerOption *found = find(layer, option);
    if (!found)
        return fallback;
    if (found->is_list || found->count != 1) {
        layer_error(layer, "\"%s\" is a list, one integer expected", option);
        return fallback;
    }
    return check_number(layer, found, 0, low) ? (int64_t)found->numbers[0] : fallback;
}

double layer_number(Layer *layer, const char *option, double fallback) {
    const LayerOption *found = find(layer, option);
    if (!found)
        return fallback;
    if (!found->is_list && !found->is_bool && found->count == 1)
        return found->numbers[0];
    layer_error(layer, "\"%s\": one number expected", option);
    return fallback;
}

bool layer_bool(Layer *layer, const char *option, bool fallback) {
    const LayerOption *found = find(layer, option);
    if (!found)
        return fallback;
    if (found->is_bool && !found->is_list)
        return found->numbers[0] != 0;
    layer_error(layer, "\"%s\": true or false expected", option);
    return fallback;
}

void layer_pair(Layer *layer, const char *option, int64_t low, int64_t fallback, int64_t pair[2]) {
    const LayerOption *found = find(layer, option);
    pair[0] = pair[1] = fallback;
    if (!found)
        return;
    if (found->is_paired || (found->count != 1 && found->count != 2)) {
        layer_error(layer, "\"%s\": one integer, or a list of two (height, width) expected", option);
        return;
    }
    for (uint32_t i = 0; i < 2; i++) {
        uint32_t at = found->count == 2 ? i : 0;
        if (check_number(layer, found, at, low))
            pair[i] = (int64_t)found->numbers[at];
    }
}

void layer_sizes(Layer *layer, const char *option, uint32_t axes, int64_t low, int64_t fallback, int64_t sizes[2]) {
    if (axes == 2) {
        layer_pair(layer, option, low, fallback, sizes);
        return;
    }
    sizes[0] = low;
    sizes[1] = layer_int(layer, option, low, fallback);
}

void layer_pads(Layer *layer, const char *option, uint32_t axes, int64_t pads[2][2]) {
    const LayerOption *found = find(layer, option);
    memset(pads, 0, 2 * sizeof *pads);
    if (!found || found->word)
        return;
    if (!found->is_paired) {
        int64_t sizes[2];
        if (axes == 1 && found->is_list) {
            layer_error(layer, "\"%s\" is one integer or [[left, right]]", option);
            return;
        }
        if (found->count > 2) {
            layer_error(layer, "\"%s\" is one integer, [height, width], or [[top, bottom], [left, right]], not %u numbers", option,
                        found->count);
            return;
        }
        layer_sizes(layer, option, axes, 0, 0, sizes);
        for (uint32_t i = 0; i < 4; i++)
            pads[i / 2][i % 2] = sizes[i / 2];
        return;
    }
    if (found->count != 2 * axes)
        layer_error(layer, "\"%s\" has %u pairs, %s expected", option, found->count / 2,
                    axes == 2 ? "[[top, bottom], [left, right]]" : "[[left, right]]");
    for (uint32_t i = 0; i < 2 * axes && !layer->failed; i++)
        if (check_number(layer, found, i, 0))
            pads[2 - axes + i / 2][i % 2] = (int64_t)found->numbers[i];
}

uint32_t layer_axes(Layer *layer, const char *option, uint32_t rank, int64_t fallback, int64_t axes[MAX_RANK]) {
    const LayerOption *found = find(layer, option);
    bool taken[MAX_RANK] = {false};
    for (uint32_t i = 0; i < (found ? found->count : 1); i++) {
        double axis = found ? found->numbers[i] : (double)fallback;
        if (axis != floor(axis) || axis < -(double)rank || axis >= rank) {
            layer_error(layer, "no axis %.10g in a tensor of %u axes", axis, rank);
            return 0;
        }
        taken[(int64_t)axis < 0 ? (int64_t)axis + rank : (int64_t)axis] = true;
    }
    uint32_t count = 0;
    for (uint32_t i = 0; i < rank; i++)
        if (taken[i])
            axes[count++] = i;
    return count;
}

// ---- initialisers

static double product(const uint32_t *dims, uint32_t count) {
    double result = 1;
    for (uint32_t i = 0; i < count; i++)
        result *= dims[i];
    return result;
}

Initialiser init_fan_in(uint32_t rank, const uint32_t *dims) {
    double bound = 1 / sqrt(rank > 1 ? product(dims + 1, rank - 1) : 1);
    return (Initialiser){.word = INITIAL_UNIFORM, .a = -bound, .b = bound};
}

const char *init_resolve(Arena *arena, const Initialiser *init, uint32_t rank, const uint32_t *dims, Init *out) {
    uint32_t copies = init->factor ? init->factor * init->factor : 1;
    *out = (Init){.kind = INIT_CONSTANT};
    if (init->factor && rank < 2)
        return "icnr is for the weight before a pixel shuffle; a bias may be \"zeros\"";
    if (init->factor && dims[0] % copies != 0)
        return arena_format(arena, "icnr with factor %u needs a multiple of %u output channels, not %u", init->factor, copies, dims[0]);
    double fan_in = rank > 1 ? product(dims + 1, rank - 1) : 1;
    double fan_out = rank ? dims[0] / copies * (rank > 2 ? product(dims + 2, rank - 2) : 1) : 1;
    double spread = sqrt(2 / (init->word == INITIAL_XAVIER_NORMAL || init->word == INITIAL_XAVIER_UNIFORM ? fan_in + fan_out : fan_in));
    switch (init->word) {
    case INITIAL_ZEROS:
        break;
    case INITIAL_ONES:
        out->a = 1;
        break;
    case INITIAL_CONSTANT:
        out->a = init->a;
        break;
    case INITIAL_NORMAL:
        *out = (Init){.kind = INIT_NORMAL, .a = init->a, .b = init->b};
        break;
    case INITIAL_KAIMING_NORMAL:
    case INITIAL_XAVIER_NORMAL:
        *out = (Init){.kind = INIT_NORMAL, .a = 0, .b = spread};
        break;
    case INITIAL_UNIFORM:
        *out = (Init){.kind = INIT_UNIFORM, .a = init->a, .b = init->b};
        break;
    case INITIAL_KAIMING_UNIFORM:
    case INITIAL_XAVIER_UNIFORM:
        *out = (Init){.kind = INIT_UNIFORM, .a = -spread * sqrt(3), .b = spread * sqrt(3)};
        break;
    case INITIAL_ICNR:
        *out = (Init){.kind = INIT_UNIFORM, .a = -1 / sqrt(fan_in), .b = 1 / sqrt(fan_in)};
        break;
    case INITIAL_COUNT:
        break;
    }
    out->factor = out->kind == INIT_CONSTANT ? 0 : init->factor;
    return NULL;
}

// ---- weights

bool float_expected(Layer *layer, Value x) {
    Type type = graph_type(layer->graph, x);
    if (type.dtype == DTYPE_F32)
        return true;
    layer_error(layer, "an f32 input expected, not %s; convert it with f32(…)", type_text(layer->arena, &type));
    return false;
}

bool line_expected(Layer *layer, Value x) {
    Type type = graph_type(layer->graph, x);
    if (type.rank != 3)
        layer_error(layer, "[n, c, w] expected, not %s", type_text(layer->arena, &type));
    return type.rank == 3 && float_expected(layer, x);
}

bool image_expected(Layer *layer, Value x) {
    Type type = graph_type(layer->graph, x);
    if (type.rank != 4)
        layer_error(layer, "an image [n, c, h, w] expected, not %s", type_text(layer->arena, &type));
    return type.rank == 4 && float_expected(layer, x);
}

bool weight_and_bias(Layer *layer, const char *count_option, WeightShape *shape, Value *weight, Value *bias) {
    *weight = layer_value(layer, "weight");
    Type given = weight->id ? graph_type(layer->graph, *weight) : (Type){0};
    if (weight->id && given.rank != shape->rank) {
        layer_error(layer, "the weight is %s, %u axes expected", type_text(layer->arena, &given), shape->rank);
        return false;
    }
    const char *missing = !layer_has(layer, count_option)                   ? count_option
                          : shape->rank > 2 && !layer_has(layer, "kernel") ? "kernel"
                                                                            : NULL;
    if (!weight->id && missing) {
        layer_error(layer, "needs \"%s\"", missing);
        return false;
    }
    if (shape->inputs % shape->groups) {
        layer_error(layer, "%u input channels do not divide into %u groups", shape->inputs, shape->groups);
        return false;
    }
    uint32_t own = weight->id ? given.dims[shape->outputs_at] * (shape->outputs_are_grouped ? shape->groups : 1) : 0;
    shape->outputs = (uint32_t)layer_int(layer, count_option, 1, own);
    if (shape->rank > 2) {
        int64_t kernel[2] = {shape->rank == 3 ? 1 : given.dims[2], given.dims[shape->rank - 1]};
        if (layer_has(layer, "kernel"))
            layer_sizes(layer, "kernel", shape->rank - 2, 1, 1, kernel);
        shape->kernel[0] = (uint32_t)kernel[0];
        shape->kernel[1] = (uint32_t)kernel[1];
    }
    if (!layer->failed && shape->outputs % shape->groups)
        layer_error(layer, "%u channels do not divide into %u groups", shape->outputs, shape->groups);
    if (layer->failed)
        return false;
    uint32_t dims[4] = {0, 0, shape->kernel[shape->rank == 3], shape->kernel[1]};
    dims[shape->inputs_at] = shape->outputs_are_grouped ? shape->inputs : shape->inputs / shape->groups;
    dims[shape->outputs_at] = shape->outputs_are_grouped ? shape->outputs / shape->groups : shape->outputs;
    Type wanted = type_make(DTYPE_F32, shape->rank, dims);
    if (weight->id && !type_equal(&wanted, &given)) {
        layer_error(layer, "the weight is %s, %s expected", type_text(layer->arena, &given), type_text(layer->arena, &wanted));
        return false;
    }
    Initialiser fallback = init_fan_in(shape->rank, dims);
    if (!weight->id)
        *weight = layer_parameter(layer, "weight", &layer->init, PART_WEIGHT, fallback, shape->rank, dims);
    *bias = (Value){0};
    if (layer_bool(layer, "bias", true))
        *bias = layer_parameter(layer, "bias", &layer->init, PART_BIAS, fallback, 1, &shape->outputs);
    return !layer->failed && weight->id;
}
