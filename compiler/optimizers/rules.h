// The functions that optimizers.def names.
#pragma once
#include "compiler/optimizers/optimizer.h"

#define RULE(name, options, moments, if_momentum, moments_of, function, summary) void function(const OptimizerStep *step, OptimizerState *state);
#include "compiler/optimizers/optimizers.def"
#undef RULE
