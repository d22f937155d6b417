// Layer: a function with weights, as nodes of networks use it ({ "op": "conv2d", … }). A layer expands to ops, so that it needs no gradient
// and no kernel of its own. One row of layers.def and one function make one.
#pragma once
#include "compiler/ir/module.h"

typedef enum { PART_WEIGHT, PART_BIAS, PART_SCALE, PART_SHIFT, PART_COUNT } LayerPart;

typedef enum {
    INITIAL_ZEROS,
    INITIAL_ONES,
    INITIAL_CONSTANT,
    INITIAL_NORMAL,
    INITIAL_UNIFORM,
    INITIAL_KAIMING_NORMAL,
    INITIAL_KAIMING_UNIFORM,
    INITIAL_XAVIER_NORMAL,
    INITIAL_XAVIER_UNIFORM,
    INITIAL_ICNR,
    INITIAL_COUNT
} Initial;

// An initialiser as written; init_resolve makes numbers of it once the shape is known.
typedef struct {
    Initial word;    // INITIAL_ICNR: uniform ±1/sqrt(fan-in), by its factor
    double a, b;     // constant: a; normal: mean, deviation; uniform: low, high
    uint32_t factor; // icnr: of the pixel shuffle that follows; 0: none
} Initialiser;

// By part, where one is given.
typedef struct {
    bool given[PART_COUNT];
    Initialiser parts[PART_COUNT];
} InitialiserSet;

// An attribute of a node: a number or several, a bool (as a number), a word, or a value.
typedef struct {
    const char *name;
    bool is_list, is_bool;
    bool is_paired;   // a list of pairs: [[1, 2], [0, 3]] as 1, 2, 0, 3
    const char *word; // "same"; NULL where it is none
    uint32_t count;
    const double *numbers;
    Value value;
} LayerOption;

// What a layer asks of the reader that builds it, which knows where the node stands. All get Layer.context; {0}: something was reported.
typedef struct {
    void (*report)(void *context, const char *message); // an error of this node
    Value (*parameter)(void *context, const char *name, const Init *init, uint32_t rank, const uint32_t *dims);
    Value (*state)(void *context, const char *name, double initial, uint32_t rank, const uint32_t *dims); // its value when read
    void (*store)(void *context, const char *name, Value value);
    Value (*uniform)(void *context, const Type *like);
} LayerHost;

typedef struct {
    Graph *graph;
    Arena *arena;
    bool training;
    const char *name;
    const LayerOption *options;
    uint32_t option_count;
    InitialiserSet init, out_init;
    bool failed; // something was reported
    const LayerHost *host;
    void *context; // the host's
} Layer;

typedef struct {
    const char *name;
    const char *summary;
    const char *options; // "channels kernel! bias" (spec.h)
    Value (*build)(Layer *layer, Value x);
} LayerDef;

const LayerDef *layer_find(const char *name); // NULL when there is none
const LayerDef *layer_defs(uint32_t *count);

// Reports an error of this node; gives {0}.
__attribute__((format(printf, 2, 3))) Value layer_error(Layer *layer, const char *format, ...);
bool layer_has(const Layer *layer, const char *option);
int64_t layer_int(Layer *layer, const char *option, int64_t low, int64_t fallback); // at least `low`
double layer_number(Layer *layer, const char *option, double fallback);
bool layer_bool(Layer *layer, const char *option, bool fallback);
void layer_pair(Layer *layer, const char *option, int64_t low, int64_t fallback, int64_t pair[2]); // k or [k, l]
// The same, or of one axis k alone: [1, k], or where `low` is 0 [0, k].
void layer_sizes(Layer *layer, const char *option, uint32_t axes, int64_t low, int64_t fallback, int64_t sizes[2]);
// Padding by axis, 0 when absent or a word: k, [k, l] or [[top, bottom], [left, right]]; of one axis k or [[left, right]], and pads[0] is 0.
void layer_pads(Layer *layer, const char *option, uint32_t axes, int64_t pads[2][2]);
const char *layer_word(const Layer *layer, const char *option); // NULL when absent, or no word
Value layer_value(const Layer *layer, const char *option);                                         // {0} when absent
// Axes of a tensor of this rank, sorted: one number or a list, negative ones from the end. 0 after an error.
uint32_t layer_axes(Layer *layer, const char *option, uint32_t rank, int64_t fallback, int64_t axes[MAX_RANK]);

// The node's own parameter, state and draw. `init` is what the node, its blocks and its network say, else the fallback.
Value layer_parameter(Layer *layer, const char *name, const InitialiserSet *init, LayerPart part, Initialiser fallback, uint32_t rank,
                      const uint32_t *dims);
Value layer_state(Layer *layer, const char *name, double initial, uint32_t rank, const uint32_t *dims); // without gradient
void layer_store(Layer *layer, const char *name, Value value);
Value layer_uniform(Layer *layer, const Type *like);

// Fan-in is the product of all axes but the first, fan-out as in PyTorch, with icnr of the channels that are drawn. Returns what does
// not fit the shape, or NULL.
const char *init_resolve(Arena *arena, const Initialiser *init, uint32_t rank, const uint32_t *dims, Init *out);
Initialiser init_fan_in(uint32_t rank, const uint32_t *dims); // uniform ±1/sqrt(fan-in)
