// Cost: coarse figures; only their order of magnitude matters.
#include "compiler/cost.h"

uint32_t cost_of_node(const Node *node) {
    const OpDef *def = op_def(node->op);
    if (def->op_class == CLASS_MAP)
        return def->cost ? def->cost : 1;
    if (node->op == OP_random_normal || node->op == OP_random_uniform || node->op == OP_random_integer)
        return 120;
    return node->op == OP_gather || node->op == OP_pad || node->op == OP_concat ? 4 : 0;
}
