#pragma once
#include "compiler/passes/passes.h"

// The pass; the contract is in split.c.
Graph *split_graph(Arena *arena, const Graph *from, const PassContext *context);
