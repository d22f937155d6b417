// Coded rules on reductions: less is summed, and sums that differ by a factor become one sum.
#include "compiler/passes/simplify_rules.h"

#define NO_VALUE ((Value){0})
enum { FACTORS_MAX = 16, SUM_AT_ONCE = 4096 };

static bool is_folded(const Attr *axes, uint32_t axis) {
    for (uint32_t i = 0; i < axes->count; i++)
        if (axes->ints[i] == axis)
            return true;
    return false;
}

Value rule_reduce_ones(Graph *graph, Value value) {
    Node node = *graph_node(graph, value);
    Type from = graph_type(graph, node.args[0]);
    uint32_t dims[MAX_RANK], rank = 0, axis_count = 0;
    int64_t axes[MAX_RANK];
    for (uint32_t axis = 0; axis < from.rank; axis++) {
        bool folded = is_folded(attr_of(&node, ATTR_axes), axis);
        if (folded && from.dims[axis] == 1)
            continue;
        if (folded)
            axes[axis_count++] = rank;
        dims[rank++] = from.dims[axis];
    }
    if (rank == from.rank || from.set)
        return NO_VALUE;
    Value x = build_reshape(graph, node.args[0], rank, dims);
    return axis_count ? build_reduce(graph, node.op, x, axes, axis_count) : x;
}

Value rule_sum_sum(Graph *graph, Value value) {
    Node node = *graph_node(graph, value), inner = *graph_node(graph, node.args[0]);
    if (inner.op != OP_reduce_sum)
        return NO_VALUE;
    Type from = graph_type(graph, inner.args[0]);
    if (type_count(&from) > SUM_AT_ONCE)
        return NO_VALUE; // partial sums of large tensors are work shared out, and often shared between sums
    int64_t axes[MAX_RANK];
    uint32_t count = 0, kept = 0;
    for (uint32_t axis = 0; axis < from.rank; axis++)
        if (is_folded(attr_of(&inner, ATTR_axes), axis) || is_folded(attr_of(&node, ATTR_axes), kept++))
            axes[count++] = axis;
    return build_reduce(graph, OP_reduce_sum, inner.args[0], axes, count);
}

Value rule_sum_permuted(Graph *graph, Value value) {
    Node node = *graph_node(graph, value), arg = *graph_node(graph, node.args[0]);
    if (node.type.rank || (arg.op != OP_reshape && arg.op != OP_transpose && arg.op != OP_flip))
        return NO_VALUE;
    Type from = graph_type(graph, arg.args[0]);
    uint32_t dims[MAX_RANK], rank = 0;
    for (uint32_t axis = 0; axis < from.rank; axis++)
        if (from.dims[axis] != 1) // as reduce_ones would have it
            dims[rank++] = from.dims[axis];
    return build_reduce(graph, OP_reduce_sum, build_reshape(graph, arg.args[0], rank, dims), NULL, 0);
}

// The extent of a broadcast's source along an axis of the result.
static uint32_t source_extent(const Type *source, const Type *type, uint32_t axis) {
    uint32_t missing = (uint32_t)(type->rank - source->rank);
    return axis < missing ? 1 : source->dims[axis - missing];
}

// sum of a broadcast = sum of its source over what it does not repeat, times how often it repeats the rest.
Value rule_sum_broadcast(Graph *graph, Value value) {
    Node node = *graph_node(graph, value), arg = *graph_node(graph, node.args[0]);
    if (arg.op != OP_broadcast)
        return NO_VALUE;
    Type source = graph_type(graph, arg.args[0]);
    uint32_t dims[MAX_RANK], rank = 0, axis_count = 0;
    int64_t axes[MAX_RANK];
    double repeats = 1;
    for (uint32_t axis = 0; axis < arg.type.rank; axis++) {
        uint32_t extent = source_extent(&source, &arg.type, axis);
        bool folded = is_folded(attr_of(&node, ATTR_axes), axis);
        if (folded && extent == 1) {
            repeats *= arg.type.dims[axis];
            continue;
        }
        if (folded)
            axes[axis_count++] = rank;
        dims[rank++] = extent;
    }
    if (repeats == 1)
        return NO_VALUE;
    Value x = build_reshape(graph, arg.args[0], rank, dims);
    if (axis_count)
        x = build_reduce(graph, OP_reduce_sum, x, axes, axis_count);
    return build_broadcast(graph, build_number(graph, OP_mul, x, repeats), &node.type);
}

// A factor in the shape of the sum, when it is the same all along the folded axes; else {0}.
static Value move_out(Graph *graph, Value factor, const Node *sum) {
    Node node = *graph_node(graph, factor);
    if (node.op != OP_broadcast)
        return NO_VALUE;
    Type source = graph_type(graph, node.args[0]);
    uint32_t dims[MAX_RANK], rank = 0;
    for (uint32_t axis = 0; axis < node.type.rank; axis++) {
        uint32_t extent = source_extent(&source, &node.type, axis);
        if (!is_folded(attr_of(sum, ATTR_axes), axis))
            dims[rank++] = extent;
        else if (extent != 1)
            return NO_VALUE;
    }
    return build_broadcast(graph, build_reshape(graph, node.args[0], rank, dims), &sum->type);
}

typedef struct {
    Value value;
    bool divides;
    Value outside; // {0}: stays in the sum
} Factor;

typedef struct {
    Factor items[FACTORS_MAX];
    uint32_t count, outside_count;
    uint32_t reserved; // for second arguments that wait
    bool negative;
} Product;

// Takes a product apart, in the order in which it is written; where there are too many factors, a product is one of them.
static void take_apart(Graph *graph, Value value, bool divides, const Node *sum, Product *product) {
    Value outside = move_out(graph, value, sum);
    const Node *node = graph_node(graph, value);
    double number;
    if (is_constant(graph, value, &number) && number == 1)
        return; // put_together writes it where it is needed
    bool room = product->count + product->reserved + 2 <= FACTORS_MAX;
    if (node->op == OP_neg) {
        product->negative = !product->negative;
        take_apart(graph, node->args[0], divides, sum, product);
    } else if (room && (node->op == OP_mul || (node->op == OP_div && !divides))) {
        bool second_divides = divides != (node->op == OP_div);
        Value second = node->args[1];
        product->reserved++;
        take_apart(graph, node->args[0], divides, sum, product);
        product->reserved--;
        take_apart(graph, second, second_divides, sum, product);
    } else {
        product->outside_count += outside.id != 0;
        product->items[product->count++] = (Factor){value, divides, outside};
    }
}

static Value put_together(Graph *graph, Value product, Value factor, bool divides) {
    if (divides)
        return build_binary(graph, OP_div, product.id ? product : build_constant(graph, DTYPE_F32, 1), factor);
    return product.id ? build_binary(graph, OP_mul, product, factor) : factor;
}

// A factor moves out of sums that a derivative made, where passes over the data are saved by it; in those that a user wrote, an infinite factor,
// a zero or a sum that leaves the range of f32 would give another result.
static bool is_derived(const Node *sum) { return sum->origin.maker && strcmp(sum->origin.maker, "differentiate") == 0; }

Value rule_sum_factor(Graph *graph, Value value) {
    Node node = *graph_node(graph, value);
    Type from = graph_type(graph, node.args[0]);
    Product product = {0};
    if (node.type.dtype != DTYPE_F32)
        return NO_VALUE;
    take_apart(graph, node.args[0], false, &node, &product);
    if (product.outside_count == 0 && !product.negative)
        return NO_VALUE;
    if (!is_derived(&node))
        for (uint32_t i = 0; i < product.count; i++)
            product.items[i].outside = NO_VALUE;
    if (!is_derived(&node) && !product.negative)
        return NO_VALUE;
    Value inside = NO_VALUE, result;
    for (uint32_t i = 0; i < product.count; i++)
        if (!product.items[i].outside.id)
            inside = put_together(graph, inside, product.items[i].value, product.items[i].divides);
    if (inside.id)
        result = graph_add(graph, OP_reduce_sum, &inside, 1, node.attrs, 1);
    else
        result = build_full(graph, &node.type, (double)(type_count(&from) / type_count(&node.type)));
    for (uint32_t i = 0; i < product.count; i++)
        if (product.items[i].outside.id)
            result = put_together(graph, result, product.items[i].outside, product.items[i].divides);
    return product.negative ? build_unary(graph, OP_neg, result) : result;
}
