#pragma once
#include "compiler/ir/graph.h"

// The pass; the contract is in split.c.
Graph *split_graph(Arena *arena, const Graph *from);
