// Cost: coarse figures, from the ratios that software drivers and GPUs show; only their order of magnitude matters.
#include "compiler/cost.h"

Cost cost_of(TargetClass target_class) {
    switch (target_class) {
    case TARGET_CPU: return (Cost){.load = 6, .store = 10, .dispatch = 4000, .small = 16384};
    case TARGET_GPU: return (Cost){.load = 12, .store = 12, .dispatch = 20000, .small = 131072};
    case TARGET_ANY: break;
    }
    return (Cost){.load = 10, .store = 10, .dispatch = 8000, .small = 16384};
}

uint32_t cost_of_node(const Node *node) {
    const OpDef *def = op_def(node->op);
    if (def->op_class == CLASS_MAP)
        return def->cost ? def->cost : 1;
    if (node->op == OP_random_normal || node->op == OP_random_uniform || node->op == OP_random_integer)
        return 120;
    return node->op == OP_gather || node->op == OP_pad || node->op == OP_concat ? 4 : 0;
}
