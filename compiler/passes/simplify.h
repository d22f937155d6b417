// Simplify: applies rules until none fits.
#pragma once
#include "compiler/ir/op.h"

// Needs: a graph without gradient. Gives: a graph without detach, in which no rule fits any more. Keeps: meaning, order of outputs.
Graph *simplify_graph(Arena *arena, const Graph *from);
