// Needs: kernels with buffers, without schedules. Gives: buffers of scratch in the element types that are chosen for them.
// Keeps: meaning, but for the rounding of what is stored.
#include "compiler/passes/passes.h"

static void store_as(KernelList *list, Value value, ElementType type) {
    Buffer *buffer = &list->buffers[value.id];
    buffer->element = type;
    buffer->size = layout_size(&buffer->layout, type);
}

void store_elements(KernelList *list, const PassContext *context) {
    if (!context->stored_as)
        return;
    for (uint32_t k = 0; k < list->kernels.count; k++) {
        const Kernel *kernel = &list->kernels.items[k];
        for (uint32_t i = 0; i < kernel->stores.count && kernel->kernel_class != KERNEL_REDUCE; i++) {
            Value value = kernel->stores.items[i];
            Type type = graph_type(list->graph, value);
            if (list->buffers[value.id].kind != BUFFER_SCRATCH || type.set || type.dtype != DTYPE_F32)
                continue;
            ElementType chosen = context->stored_as(context->stored_context, list->graph, value);
            if (element_row(chosen)->word != ELEMENT_F32 || !element_stored(chosen))
                graph_bug(list->graph, value, "stored as what no f32 is");
            store_as(list, value, chosen);
        }
    }
    for (uint32_t id = 1; id < list->graph->nodes.count; id++) { // other shapes of the same memory
        Value base = buffer_base(list, (Value){id});
        if (base.id != id && list->buffers[id].kind == BUFFER_PART)
            store_as(list, (Value){id}, list->buffers[base.id].element);
    }
}
