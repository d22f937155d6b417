// Expansion: what a composite op means in other ops (OpDef.expand).
#pragma once
#include "compiler/ir/op.h"

// Appends the expansion of a node, whose arguments are values of the same graph; checked to be of the node's type.
Value expansion_build(Graph *graph, const Node *node);
// A graph of its own with the expansion as `*result`, whose feeds "0", "1" … are the arguments; `from` has the node. Composites in it are left.
Graph *expansion_graph(Arena *arena, const Graph *from, const Node *node, Value *result);
