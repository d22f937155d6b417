// Prepare: rewrites that must come before gradients are taken, so that every gradient profits from them.
#pragma once
#include "compiler/ir/op.h"

// Needs: a verified graph. Gives: a graph in which no convolution reads a nearest upsampling where reading what it repeats costs fewer
// multiplications. Keeps: meaning up to rounding, order of outputs, `gradient` nodes.
Graph *prepare_graph(Arena *arena, const Graph *from);
