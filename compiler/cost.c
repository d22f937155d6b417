// Cost: coarse figures; only their order of magnitude matters.
#include "compiler/cost.h"

uint32_t cost_of_node(const Node *node) {
    const OpDef *def = op_def(node->op);
    if (def->op_class == CLASS_MAP)
        return def->cost ? def->cost : 1;
    if (node->op == OP_random_normal || node->op == OP_random_uniform || node->op == OP_random_integer)
        return 120;
    if (node->op == OP_merge) { // two elements compared for each halving of a block
        uint32_t cost = 16;
        for (int64_t width = attr_of(node, ATTR_width)->integer; width; width /= 2)
            cost += 16;
        return cost;
    }
    return op_chooses(node->op) || node->op == OP_pad || node->op == OP_concat ? 4 : 0;
}
