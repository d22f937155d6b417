// Alias: see alias.h.
#include "compiler/kernel/alias.h"

static bool is_row_major(const Layout *layout) {
    for (uint32_t place = 0; place < layout->rank; place++)
        if (layout->order[place] != place)
            return false;
    return layout->rank > 0;
}

bool alias_reshapes(const Layout *from, const Layout *to) {
    if (!is_row_major(from) || !is_row_major(to))
        return false;
    uint32_t a = from->dims[from->rank - 1], b = to->dims[to->rank - 1];
    return a == b || (a % 4 == 0 && b % 4 == 0);
}

bool alias_node(const Node *node, Value value, const Layout *layouts) {
    if (node->op == OP_unpack || node->op == OP_transpose)
        return true;
    return node->op == OP_reshape && alias_reshapes(&layouts[node->args[0].id], &layouts[value.id]);
}
