// Kernel: buffers seen through aliases, text form.
#include "compiler/kernel/schedule.h"
#include "compiler/ir/op.h"

Kernel kernel_part(const Kernel *kernel, uint32_t part) {
    Kernel one = *kernel;
    if (!kernel->parts.count)
        return one;
    KernelPart end = kernel->parts.items[part], begin = part ? kernel->parts.items[part - 1] : (KernelPart){0};
    one.root = kernel->roots.items[begin.roots_end];
    one.roots.items += begin.roots_end, one.roots.count = end.roots_end - begin.roots_end;
    one.stores.items += begin.stores_end, one.stores.count = end.stores_end - begin.stores_end;
    one.parts.count = 0;
    return one;
}

Value buffer_root(const KernelList *list, Value value) {
    while (list->buffers[value.id].kind == BUFFER_PART) {
        // A part of a pack is written by its own kernel; an alias or unpack by its argument's.
        const Node *node = graph_node(list->graph, value);
        if (node->op != OP_unpack && list->buffers[value.id].parent != (node->arg_count ? node->args[0].id : 0))
            return value;
        value.id = list->buffers[value.id].parent;
    }
    return value;
}

Value buffer_base(const KernelList *list, Value value) {
    while (list->buffers[value.id].kind == BUFFER_PART && (graph_node(list->graph, value)->op == OP_reshape || graph_node(list->graph, value)->op == OP_transpose) &&
           list->buffers[value.id].parent == graph_node(list->graph, value)->args[0].id)
        value.id = list->buffers[value.id].parent;
    return value;
}

uint32_t kernel_bindings_max(const Target *target) {
    uint32_t storage = target->storage_bindings_max, texel = target->texel_bindings_max;
    uint32_t least = target->target_class == TARGET_CPU && texel < storage ? texel : storage;
    return target->bindings_max < least ? target->bindings_max : least;
}

uint32_t kernel_loads_max(const Target *target) { return kernel_bindings_max(target) - 2; }

bool kernel_reads_texels(const KernelList *list, const Kernel *kernel, const Target *target, Value value) {
    const Buffer *buffer = &list->buffers[value.id];
    return kernel->schedule.values[PARAM_TEXEL] && element_row(buffer->element)->texel != TEXEL_NONE &&
           buffer->size / element_vector(buffer->element) <= target->texel_elements_max;
}

static void print_buffer(Text *text, const KernelList *list, Value value) {
    const Buffer *buffer = &list->buffers[value.id];
    static const char *const kinds[] = {"none", "scratch", "state", "feed", "constant", "result", "part"};
    Type type = graph_type(list->graph, value);
    text_format(text, " %%%u:%s", value.id, kinds[buffer->kind]);
    if (buffer->kind == BUFFER_PART)
        text_format(text, " of %%%u", buffer->parent);
    if (buffer->name)
        text_format(text, " \"%s\"", buffer->name);
    text_format(text, " %s", type_text(list->arena, &type));
    if (buffer->element != dtype_element(type.dtype))
        text_format(text, " as %s", element_name(buffer->element));
    if (buffer->layout.rank > 1) {
        text_append(text, " order ");
        for (uint32_t i = 0; i < buffer->layout.rank; i++)
            text_format(text, "%u", buffer->layout.order[i]);
    }
}

void kernel_print(Text *text, const KernelList *list) {
    for (uint32_t k = 0; k < list->kernels.count; k++) {
        const Kernel *kernel = &list->kernels.items[k];
        text_format(text, "kernel %u: %s %%%u %s", k, kernel_class_names[kernel->kernel_class], kernel->root.id, op_def(graph_node(list->graph, kernel->root)->op)->name);
        if (kernel->schedule.family)
            text_format(text, "; schedule %s", schedule_text(list->arena, &kernel->schedule));
        if (list->wave_count)
            text_format(text, "; wave %u", kernel->wave);
        text_append(text, "\n");
        for (uint32_t i = 0; i < kernel->loads.count; i++) {
            text_append(text, "  load");
            print_buffer(text, list, kernel->loads.items[i]);
            text_append(text, kernel->in_place.items[i] ? "; in place\n" : "\n");
        }
        for (uint32_t i = 0; i < kernel->stores.count; i++) {
            text_append(text, "  store");
            print_buffer(text, list, kernel->stores.items[i]);
            text_append(text, "\n");
        }
        if (kernel->reason)
            text_format(text, "  because %s\n", kernel->reason);
    }
    if (list->wave_count)
        text_format(text, "waves %u; scratch %llu bytes, lower bound %llu\n", list->wave_count, (unsigned long long)list->scratch_size,
                    (unsigned long long)list->scratch_lower_bound);
}
