// Differentiate: reverse mode on graphs. The gradient of an op is ops (OpDef.vjp), so gradients of gradients need nothing more.
#pragma once
#include "compiler/ir/op.h"

// Gradients of a scalar by values it depends on, appended to the graph: ordinary values of the same types (zeros where it does not depend).
void differentiate(Graph *graph, Value scalar, const Value *targets, uint32_t target_count, Value *gradients);
// Does a path along which gradients flow lead from `target` to `value`?
bool depends_on(const Graph *graph, Value value, Value target);
// The same for all targets: by value id, up to that of `value`.
bool *dependences(Arena *arena, const Graph *graph, Value value);
// The pass: a copy in which every `gradient` node is replaced by the ops that compute it. Needs: a verified graph. Gives: no gradient nodes;
// detach stays. Gradients of one scalar are computed together; a scalar may itself contain gradients.
Graph *differentiate_graph(Arena *arena, const Graph *from);
