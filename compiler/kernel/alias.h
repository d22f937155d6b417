// Alias: nodes that compute nothing, since their values lie in the memory of their argument.
#pragma once
#include "compiler/ir/graph.h"
#include "runtime/program/layout.h"

// A reshape that moves nothing: row-major to row-major, and their rows are padded alike.
bool alias_reshapes(const Layout *from, const Layout *to);
// Does the node's value lie in its argument's memory? `layouts`: by value id.
bool alias_node(const Node *node, Value value, const Layout *layouts);
