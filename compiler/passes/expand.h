#pragma once
#include "compiler/ir/op.h"

// Whether a kernel of its own computes this node of the graph, so that it stays.
typedef bool (*ExpandClaimed)(const void *context, const Graph *graph, const Node *node);

// The pass; the contract is in expand.c. `claimed` NULL: nothing is.
Graph *expand_graph(Arena *arena, const Graph *from, ExpandClaimed claimed, const void *context);
