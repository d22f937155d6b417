// How schedules add: the rounding error of a sum, from the additions that follow each other in it.
#include "compiler/emit/contract.h"
#include "compiler/passes/passes.h"
#include <math.h>

// A sum by parts: each of them is a running sum, and so is the sum of the parts.
typedef struct {
    double terms, parts; // additions that follow each other
} Sum;

// Of a running sum, in units of 2^-24 and of the sum of the terms' magnitudes. Each addition errs by at most a unit of the partial sum that
// it gives, and no partial sum exceeds the magnitudes: never more than `additions` (Higham, Accuracy and Stability of Numerical Algorithms,
// 2nd ed., section 4.2). That takes partial sums as large as the last one from the beginning on, all rounded to one side. Terms that are
// alike are rounded to one side, but their partial sums grow: at worst 3/8 of the additions (in each binade half a unit of its lower end a
// term). Others are rounded to either side, which grows like the root of the additions (section 2.8). Short sums are allowed twice their
// bound: Vulkan lets a device round to either neighbour, and GLSL lets a driver add in another order.
static double running_error(double additions) { return fmin(2 * additions, additions / 2 + 4 * sqrt(additions)); }

static double logarithm(uint32_t lanes) {
    double levels = 0;
    for (; lanes > 1; lanes /= 2)
        levels++;
    return levels;
}

static Sum contraction_sum(const KernelList *list, const Kernel *kernel, Value value) {
    Contract c = contract_of(list, value);
    bool strided = c.kind == ROWS_INPUT;
    double rows = (double)c.images / c.slices * c.height * c.width;
    double taps_y = contract_ceil_div(c.taps_y, strided ? (uint32_t)c.stride[0] : 1);
    double taps_x = contract_ceil_div(c.taps_x, strided ? (uint32_t)c.stride[1] : 1);
    switch (kernel->schedule.kind) {
    case SCHEDULE_OUTER:
    case SCHEDULE_OUTER_STRIP: {
        double part = (double)contract_outer_part(&c, kernel->schedule.depth);
        return (Sum){part, ceil(rows / part)};
    }
    case SCHEDULE_REFERENCE:
    case SCHEDULE_ROWS:
    case SCHEDULE_STRIP:
    case SCHEDULE_TILED:
    case SCHEDULE_TREE: break;
    }
    return (Sum){c.is_outer ? rows : taps_y * taps_x * c.channels, 1};
}

static bool is_folded(const Node *node, uint32_t axis) {
    if (node->op == OP_argmax)
        return node->attrs[0].integer == axis;
    for (uint32_t i = 0; i < node->attrs[0].count; i++)
        if (node->attrs[0].ints[i] == axis)
            return true;
    return false;
}

// Where the innermost axis is folded, four sums run beside each other.
static Sum reduction_sum(const KernelList *list, const Kernel *kernel, Value value) {
    const Node *node = graph_node(list->graph, value);
    const Layout *layout = &list->layouts[node->args[0].id];
    double turns = 1, parts = 1;
    for (uint32_t place = 0; place < layout->rank; place++) {
        uint32_t axis = layout->order[place];
        bool is_inner = place + 1 == layout->rank;
        if (!is_folded(node, axis))
            continue;
        turns *= is_inner ? contract_ceil_div(layout->dims[axis], 4) : layout->dims[axis];
        parts += is_inner ? 2 : 0;
    }
    if (kernel->schedule.kind != SCHEDULE_TREE)
        return (Sum){turns, parts};
    return (Sum){ceil(turns / kernel->schedule.lanes), parts + logarithm(kernel->schedule.lanes)};
}

double schedule_error(const KernelList *list, const Kernel *kernel, Value value) {
    bool contracts = op_def(graph_node(list->graph, value)->op)->op_class == CLASS_CONTRACT;
    Sum sum = contracts ? contraction_sum(list, kernel, value) : reduction_sum(list, kernel, value);
    return running_error(sum.terms) + running_error(sum.parts) + (contracts ? 1 : 0); // a product is rounded, too
}
