// Transfer: see transfer.h.
#include "compiler/passes/transfer.h"
#include "compiler/ir/op.h"
#include <math.h>

// The value that is stored under other shapes: what `materialise` moves, seen through views that give every element the same number.
static Value spread_of(const KernelList *list, Value value) {
    for (;;) {
        const Node *node = graph_node(list->graph, value);
        if (node->op != OP_materialise && node->op != OP_broadcast && node->op != OP_reshape && node->op != OP_transpose)
            return value;
        value = node->args[0];
    }
}

// Padding holds zero, always: so a buffer with padding is filled with zeros only.
static bool has_padding(const KernelList *list, Value value) {
    const Layout *layout = &list->layouts[value.id];
    return layout->rank == 0 || layout_count(layout) != layout_logical_count(layout) || graph_type(list->graph, value).set;
}

static bool is_fill(const KernelList *list, Value value, uint32_t *word) {
    const Node *node = graph_node(list->graph, spread_of(list, value));
    const Buffer *buffer = &list->buffers[value.id];
    if (node->op != OP_constant || element_stored(buffer->element) != ELEMENT_WORD)
        return false;
    double number = attr_of(node, ATTR_value)->number;
    *word = element_word(buffer->element, number);
    return isfinite(number) && (*word == 0 || !has_padding(list, value));
}

// A scalar's memory need hold nothing behind its first element.
static bool is_copy(const KernelList *list, const Kernel *kernel, Value value, Value *from) {
    const Node *node = graph_node(list->graph, value);
    if (node->op != OP_materialise || kernel->loads.count != 1 || kernel->loads.items[0].id != node->args[0].id)
        return false;
    *from = node->args[0];
    const Buffer *a = &list->buffers[from->id], *b = &list->buffers[value.id];
    return list->layouts[value.id].rank > 0 && layout_equal(&list->layouts[from->id], &list->layouts[value.id]) && a->element == b->element &&
           a->size == b->size;
}

bool transfer_of(const KernelList *list, const Kernel *kernel, Transfer *out) {
    *out = (Transfer){0};
    if (kernel->kernel_class != KERNEL_MAP || kernel->stores.count != 1)
        return false;
    Value value = kernel->stores.items[0];
    if (kernel->loads.count == 0 && is_fill(list, value, &out->word))
        out->kind = STEP_FILL;
    else if (is_copy(list, kernel, value, &out->from))
        out->kind = STEP_COPY;
    return out->kind != STEP_DISPATCH;
}
