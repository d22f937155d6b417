// A map kernel: one invocation computes one vec4 of every value that it stores; all have the same shape and layout.
#include "compiler/emit/glsl.h"

uint64_t emit_map_kernel(Emitter *emitter) {
    const Kernel *kernel = emitter->kernel;
    const Layout *layout = &emitter->list->layouts[kernel->stores.items[0].id];
    EmitWindow window = emitter->window;
    uint64_t vectors = window.count ? window.count : layout_count(layout) / 4;
    const char *vector = window.first ? "vector" : "gid";
    emit_line(emitter, "if (gid >= %llu)", (unsigned long long)vectors);
    emit_line(emitter, "    return;");
    if (window.first)
        emit_line(emitter, "int vector = gid + %llu; // of the whole set; a binding holds no more than a window of it", (unsigned long long)window.first);
    Index index[MAX_RANK];
    emit_unravel(emitter, layout, index_variable(emitter->pool, vector, (int64_t)window.first, (int64_t)(window.first + vectors) - 1), index);
    for (uint32_t i = 0; i < kernel->stores.count; i++)
        emit_store_vector(emitter, kernel->stores.items[i], index, emit_value(emitter, kernel->stores.items[i], index));
    return vectors;
}
