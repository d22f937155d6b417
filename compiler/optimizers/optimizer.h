// Optimizer: one step of a rule as graph, on a network's flat parameter set. The rules and the names of their options are torch.optim's.
// One row of optimizers.def and one function make one.
#pragma once
#include "compiler/ir/graph.h"

// A number of the optimizer: known when compiling, or a scalar of the graph (`value`).
typedef struct {
    const char *name;
    bool is_static;
    double number;
    Value value;
} OptimizerOption;

typedef struct {
    Graph *graph;
    bool is_differentiated; // a look-ahead step: the derivative of sqrt at 0 must be 0, since a dead unit has v = 0 exactly
    const OptimizerOption *options;
    uint32_t option_count;
    Value count; // i32 scalar: steps including this one
    void *context;
    Value (*bias_correction)(void *context, const OptimizerOption *beta, Value count); // 1 - beta^count
} OptimizerStep;

// Of one network, all of its set's type.
typedef struct {
    Value parameters, gradient;
    Value moments[2]; // in the order of OptimizerRule.moments; {0}: not kept
} OptimizerState;

typedef struct {
    const char *name, *summary;
    const char *options;     // "lr! beta_1": '!' after required ones
    const char *moments;     // a letter each: "mv"
    const char *if_momentum; // those that are kept only where "momentum" is not 0
    const char *moments_of;  // "adam" of adamw too: rules that name the same keep the same statistics
    void (*advance)(const OptimizerStep *step, OptimizerState *state);
} OptimizerRule;

const OptimizerRule *optimizer_rule(const char *name); // NULL when there is none
const OptimizerRule *optimizer_rules(uint32_t *count);

// ---- for the rules
OptimizerOption optimizer_option(const OptimizerStep *step, const char *name, double fallback);
bool optimizer_is_zero(OptimizerOption option);
OptimizerOption optimizer_one_minus(const OptimizerStep *step, OptimizerOption option);
OptimizerOption optimizer_scalar(Value value);
OptimizerOption optimizer_times(const OptimizerStep *step, Op op, OptimizerOption a, OptimizerOption b); // of two numbers
Value optimizer_scale(const OptimizerStep *step, Op op, Value x, OptimizerOption number);                // each element op the number
Value optimizer_root(const OptimizerStep *step, Value x);
// keep * old + (1 - keep) * x
Value optimizer_mix(const OptimizerStep *step, OptimizerOption keep, Value old, Value x);
Value optimizer_mix_square(const OptimizerStep *step, OptimizerOption keep, Value old, Value g); // of g^2
