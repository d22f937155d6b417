// Module: a document after reading - its states, parameter sets, tables, data sets, networks and programs, each phase one Graph.
#pragma once
#include "compiler/ir/graph.h"
#include "runtime/base/name_table.h"
#include "runtime/base/tokens.h"
#include "runtime/program/accumulate.h"
#include "runtime/program/augment.h"
#include "runtime/program/every.h"

// How a state's numbers begin. Fan-in is the product of all axes but the first; fan-out as in PyTorch.
typedef struct {
    InitKind kind;
    double a, b;      // constant: a; normal: mean, standard deviation; uniform: low, high (kaiming … are already resolved to these)
    uint32_t factor;  // icnr, where not 0: the pixel shuffle's factor; factor^2 rows of the first axis in a row are one draw
    const char *copy; // copy: of this state (an EMA of its parameters)
} Init;

// A part of a parameter set.
typedef struct {
    const char *name; // "unet.l.0.r.0.resblock.conv2d.weight"
    Type type;        // set 0
    Init init;
    uint64_t offset; // in elements, in the flat logical order
} Part;

// Parameters of one network that are updated alike, in the order in which they are declared: all of them, or those of one part of an optimizer,
// or those that no optimizer has.
typedef struct {
    const char *network; // its name, with which the names of the parts begin
    ARRAY(Part) parts;
    NameTable *names; // parts by name; NULL: there are none
    uint64_t count;   // elements of all parts
} Set;

// The only thing that outlives a phase. A parameter set's name is its network's ("unet"; of a second set "unet/1", as nothing else can be called);
// an optimizer's moments are "opt.m.unet", "opt.v.unet", "opt.ema.unet", its count "opt.count"; a program's state "sample.x". Parameters,
// moments and averages have type.set != 0.
typedef struct {
    const char *name;
    const char *stem; // of a set's: what stands for the network in its parts' names ("opt.m.unet"); see module_part_name
    StateKind kind;
    Type type;
    Init init; // of set states: INIT_COPY, or INIT_CONSTANT; STATE_PARAMETERS that copy nothing: by part
    const char *network; // the network it belongs to, or NULL
    const char *pointer;
    const char *rule; // of a count: OptimizerRule.moments_of
} State;

// Numbers computed when compiling, kept in double; the device gets them rounded.
typedef struct {
    const char *name;
    Type type;
    const double *data;
} Table;

typedef struct {
    const char *name; // "image"
    Type type;        // of one record
    bool has_range;
    double low, high; // u8 data is mapped from 0 … 255 to this
    uint32_t below;   // an integer field's values are 0 … below - 1 (0: not said)
    const Tokens *tokens; // a text as numbers, of which it is made; NULL: it is not
} Field;

typedef struct {
    const char *name; // "images"
    uint32_t batch;
    ARRAY(Field) fields;
    bool has_augment; // of its pictures, the fields f32[1 or 3, h, w]
    ProgramAugment augment;
} DataSet;

// A batch that a phase takes at each repetition. The graph's `feed` op names it.
typedef struct {
    const char *name;  // "x0"
    const char *data;  // "images"; NULL: a program's input, given by the user
    const char *field; // "image"
    const char *split; // "train"
    bool shuffled, pad;
    uint32_t batch;
    Type type; // of the batch
    // Of a program's input:
    Field declared;         // its range and its labels' bound
    const double *defaults; // a number fills, several repeat along the first axis
    uint32_t default_count; // 0: it must be given
} Feed;

typedef struct {
    const char *name;
    uint32_t repeat;   // 1 or more; 0: "epoch" - as many as the first feed has batches
    PhasePart part;    // these three as in ProgramPhase
    uint32_t batches, level;
    const char *title;
    ARRAY(Feed) feeds;
    Graph *graph;
    ARRAY(const char *) updates; // optimizers that it updates
    const char *pointer;
    bool skips, trains; // GraphProgram.skips, .training
    bool is_eval;       // "mode": "eval" in a program that trains
    Every every;        // see ProgramPhase
    const char *when;   // the expression; NULL: none. What it computes is the conditions' report "NAME.when"
    bool is_conditions; // the reader's own, the last of its program: see conditions.h
} Phase;

typedef struct {
    const char *name;
    bool training;
    bool skips;     // "not_finite": "skip" - an update whose gradients are not finite changes nothing
    uint32_t steps; // default length of `train`; 0: not said
    const char *stop; // the expression that ends a training; NULL: none. The conditions' report "stop"
    ARRAY(Feed) inputs;
    ARRAY(const char *) requires_trained; // networks and states
    ARRAY(Phase) phases;
} GraphProgram;

// One layer of `summary`.
typedef struct {
    const char *path; // "unet.l.0.r.0.resblock.conv2d"
    const char *op;
    Type type; // of its result, at dimension variables = 8 (shown as the variable's name)
    uint64_t parameters;
    uint64_t macs; // multiply-adds for one record
} LayerRow;

typedef struct {
    const char *name;
    const char *shown; // "x [n, 1, 28, 28], t [n] -> [n, 1, 28, 28]"
    uint64_t count, optimized; // elements of its parameters; of those that an optimizer has
    const char *shares; // whose parameters it uses, having none of its own; or NULL
    const char *copy;   // as whose its parameters begin, or NULL
    uint64_t state_count; // elements of running state
    ARRAY(LayerRow) layers;
} NetworkInfo;

// One of an optimizer's "parts".
typedef struct {
    const char *of;   // "*.bias, *.shift"
    const char *said; // "weight_decay 0"
    uint64_t count;   // elements of its parameters
} PartRow;

typedef struct {
    const char *name, *rule; // "opt", "adam"
    ARRAY(const char *) of;  // networks, and patterns of parameters
    ARRAY(PartRow) parts;
    uint64_t count; // elements of its parameters
    bool has_ema;
} OptimizerInfo;

typedef struct Module {
    Arena *arena;
    const char *name, *doc, *file;
    bool is_exact; // kernels may only multiply and add in f32, in the order of their schedule, each result rounded
    ARRAY(State) states;
    ARRAY(Set) sets;
    ARRAY(Table) tables;
    ARRAY(DataSet) data;
    ARRAY(NetworkInfo) networks;
    ARRAY(OptimizerInfo) optimizers;
    ARRAY(GraphProgram) programs;
    const char *resolved; // JSON text of the input after includes, presets and -D, for the bundle's graph.json
} Module;

const State *module_state(const Module *module, const char *name); // NULL when absent
const GraphProgram *module_program(const Module *module, const char *name);
const Field *module_field(const Module *module, const Feed *feed); // of the data set that feeds it, or as the input is declared
// "opt.m.unet" and the part "unet.conv2d.weight" make "opt.m.unet.conv2d.weight": how a part of a state is saved.
const char *module_part_name(Arena *arena, const State *state, const Set *set, const Part *part);
const Part *module_part(Arena *arena, const Module *module, const char *name); // a parameter by its name; NULL when absent
uint32_t module_state_index(const Module *module, const char *name); // UINT32_MAX when absent
