// Parts: kernels that plan joined to save a dispatch have invocations of their own, one part after the other.
#include "compiler/emit/emitter.h"

static bool jumps_over_branches(const Emitter *emitter) { return emitter->target->target_class == TARGET_GPU; }

void emit_parts_note(Emitter *emitter) {
    if (!jumps_over_branches(emitter))
        emit_line(emitter, "// loops of one turn or none: software drivers run both sides of a branch");
}

EmitScope emit_open_part(Emitter *emitter, uint64_t first, uint64_t count) {
    const char *here = first ? arena_format(emitter->arena, "gid >= %llu && gid < %llu", (unsigned long long)first, (unsigned long long)(first + count))
                             : arena_format(emitter->arena, "gid < %llu", (unsigned long long)count);
    return emit_open(emitter, arena_format(emitter->arena, jumps_over_branches(emitter) ? "if (%s) {" : "for (bool here = %s; here; here = false) {", here));
}
