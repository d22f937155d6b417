// Eval modes: how many modes of a mixture of Gaussians a network's samples cover, and how many samples are good (runtime/data/modes.h).
#pragma once
#include "compiler/driver/arguments.h"

// By the command's operands and options; prints what it found. An exit code.
int eval_modes(Arguments *arguments);
