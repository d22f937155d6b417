// Links: kernels as links of a chain, by the families that can be one.
#pragma once
#include "compiler/emit/emitter.h"
#include "compiler/schedules/families.h"

// A link by itself, with the schedule that it has in its chain: elements or fold.
Kernel chain_link(const Kernel *chain, uint32_t link);
// Invocations that a map of one layout, or a reduction without parts, has by itself; those of all slices together.
uint64_t chain_invocations(const KernelList *list, const Kernel *link);
// Whether each workgroup stores, and reads of what the chain stores, nothing but what lies in its own slice. All but the last link are known to, where there are more than two.
bool chain_is_local(Arena *arena, EmitTables *tables, const KernelList *list, const Kernel *chain, const Target *target);
// Writes emitter->kernel, a map, as a link of emitter->chain: what its invocation number `vector` does.
void elements_emit_link(Emitter *emitter, Index vector);
// How a reduction by one invocation adds; see Family.error.
double fold_error(const KernelView *view, const Schedule *schedule);
