// Chain: links, which a workgroup runs one after the other. Nobody else writes or reads what they leave for each other, since a slice is one
// place along an axis of all of it.
#include "compiler/emit/emitter.h"

EmitScope emit_open_link(Emitter *emitter, uint64_t invocations, Index *number) {
    uint64_t count = invocations / emitter->chain->kernel->slices;
    const char *name = emit_name(emitter, "t");
    EmitScope scope = emit_open(emitter, arena_format(emitter->arena, "for (int %s = lane_id; %s < %llu; %s += LANES) {", name, name, (unsigned long long)count, name));
    *number = index_add(emitter->pool, index_scale(emitter->pool, emitter->chain->slice, (int64_t)count), index_variable(emitter->pool, name, 0, (int64_t)count - 1));
    return scope;
}

bool emit_is_linked(const Emitter *emitter, Value value) {
    return emitter->chain && kernel_stores(emitter->chain->kernel, buffer_base(emitter->list, value));
}

void emit_check_slice(Emitter *emitter, Value value, const Index *index) {
    if (!emit_is_linked(emitter, value) || emitter->chain->kernel->slices == 1)
        return;
    int axis = kernel_slice_axis(emitter->list, value);
    bool is_whole = kernel_stores(emitter->chain->kernel, value); // no view
    emitter->chain->strays |= !is_whole || axis < 0 || !index_equal(index[axis], emitter->chain->slice);
}
