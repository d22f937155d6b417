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
// It breaks off, and has no outputs, where it would have more than GRAPH_NODES_MAX nodes.
Graph *differentiate_graph(Arena *arena, const Graph *from);
// The same for a phase that a user wrote: NULL where it has too many nodes, with an error that names the place.
Graph *differentiate_phase(Arena *arena, const Graph *from, const char *phase, Diag *diag);
