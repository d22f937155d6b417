// Kernel: buffers seen through aliases, text form.
#include "compiler/kernel/schedule.h"
#include "compiler/ir/op.h"
#include <stdlib.h>

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

bool kernel_stores(const Kernel *kernel, Value value) {
    for (uint32_t i = 0; i < kernel->stores.count; i++)
        if (kernel->stores.items[i].id == value.id)
            return true;
    return false;
}

static bool is_root(const Kernel *kernel, Value value) {
    for (uint32_t i = 0; i < kernel->roots.count; i++)
        if (kernel->roots.items[i].id == value.id)
            return true;
    return kernel->root.id == value.id;
}

static void find_values(Arena *arena, const KernelList *list, const Kernel *kernel, Value value, bool *seen, KernelIndices *found) {
    if (seen[value.id] || (list->buffers[value.id].kind != BUFFER_NONE && !kernel_stores(kernel, value) && !is_root(kernel, value)))
        return;
    seen[value.id] = true;
    array_push(arena, found, value.id);
    const Node *node = graph_node(list->graph, value);
    for (uint32_t i = 0; i < node->arg_count; i++)
        find_values(arena, list, kernel, node->args[i], seen, found);
}

static int ascending(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

void kernel_values(Arena *arena, const KernelList *list, const Kernel *kernel, bool *seen, KernelIndices *found) {
    uint32_t first = found->count;
    for (uint32_t i = 0; i < kernel->stores.count; i++)
        find_values(arena, list, kernel, kernel->stores.items[i], seen, found);
    for (uint32_t i = first; i < found->count; i++)
        seen[found->items[i]] = false;
    if (found->count > first)
        qsort(&found->items[first], found->count - first, sizeof *found->items, ascending);
}

int kernel_slice_axis(const KernelList *list, Value value) {
    const Layout *layout = &list->layouts[value.id];
    const Reduction *reduction = op_def(graph_node(list->graph, value)->op)->reduction;
    uint32_t place = reduction && reduction->result_count > 1 ? 1 : 0; // behind the axis of its several results
    while (place < layout->rank && layout->dims[layout->order[place]] == 1)
        place++;
    return place + 1 < layout->rank ? layout->order[place] : -1;
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

uint32_t *kernel_writers(Arena *arena, const KernelList *list) {
    uint32_t *writer = ARENA_NEW(arena, uint32_t, list->graph->nodes.count);
    for (uint32_t k = 0; k < list->kernels.count; k++)
        for (uint32_t i = 0; i < list->kernels.items[k].stores.count; i++)
            writer[list->kernels.items[k].stores.items[i].id] = k + 1;
    return writer;
}

void buffer_writers(Arena *arena, const KernelList *list, const uint32_t *writer, Value value, KernelIndices *found) {
    Value root = buffer_root(list, value);
    const Node *node = graph_node(list->graph, root);
    if (writer[root.id])
        array_push(arena, found, writer[root.id] - 1);
    else if (node->op == OP_pack)
        for (uint32_t i = 0; i < node->arg_count; i++)
            buffer_writers(arena, list, writer, node->args[i], found);
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
