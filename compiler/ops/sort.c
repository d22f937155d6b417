// Sort: the order of the elements along the last axis. Blocks are ordered by counting what comes before each element, then merged in pairs.
#include "compiler/ops/ops.h"

enum { BLOCK_MIN = 32, BLOCK_MAX = 64 }; // counting compares each element with all of its block: two dispatches instead of five or six merges

static bool infer_argsort(Graph *graph, const Node *node, Type *out) {
    Type x = arg_type(graph, node, 0);
    int64_t descending = attr_of(node, ATTR_descending)->integer;
    if (!needs_plain(graph, node, 0))
        return false;
    if (x.dtype != DTYPE_F32 && x.dtype != DTYPE_I32 && x.dtype != DTYPE_U32)
        return graph_error(graph, node, "takes f32, i32 or u32, got %s", shown(graph, node->args[0]));
    if (x.rank == 0)
        return graph_error(graph, node, "a scalar has no axis to sort along");
    if (descending != 0 && descending != 1)
        return graph_error(graph, node, "\"descending\" is 0 or 1");
    if (type_count(&x) > ELEMENTS_MAX / 4)
        return graph_error(graph, node, "%s has %s elements, at most %s can be sorted", shown(graph, node->args[0]), text_thousands(graph->arena, type_count(&x)),
                           text_thousands(graph->arena, ELEMENTS_MAX / 4));
    *out = type_with_dtype(x, DTYPE_I32);
    return true;
}

// ---- argsort

// i32 in the order that is asked for.
static Value key_of(Graph *graph, Value x, bool descending) {
    DType dtype = graph_type(graph, x).dtype;
    if (dtype == DTYPE_F32)
        x = build_unary(graph, OP_order_key, x);
    if (dtype == DTYPE_U32) { // the upper half, then the lower one, from which 2^31 is taken
        Value upper = build_cast(graph, build_number(graph, OP_sub, x, 2147483648.0), DTYPE_I32);
        Value lower = build_number(graph, OP_add, build_cast(graph, x, DTYPE_I32), INT32_MIN);
        x = build_select(graph, build_number(graph, OP_ge, x, 2147483648.0), upper, lower);
    }
    return descending ? build_number(graph, OP_sub, build_unary(graph, OP_neg, x), 1) : x; // the smallest integer has no negative, and is its own
}

// The order within each block of keys [rows, blocks * size], as positions in the row. An element's place is the count of those that come before it; the
// element at a place is the one that has it.
static Value order_blocks(Graph *graph, Value key, uint32_t size) {
    Type type = graph_type(graph, key);
    uint32_t rows = type.dims[0], blocks = type.dims[1] / size;
    Type square = type_make(DTYPE_I32, 2, (uint32_t[]){size, size}), starts = type_make(DTYPE_I32, 3, (uint32_t[]){1, blocks, 1});
    Value own = build_reshape(graph, key, 4, (uint32_t[]){rows, blocks, size, 1}), other = build_reshape(graph, key, 4, (uint32_t[]){rows, blocks, 1, size});
    Value row = build_iota(graph, &square, 0), column = build_iota(graph, &square, 1);
    Value is_before = build_select(graph, build_binary(graph, OP_lt, column, row), build_binary(graph, OP_le, other, own), build_binary(graph, OP_lt, other, own));
    Value place = build_reduce(graph, OP_reduce_sum, build_cast(graph, is_before, DTYPE_I32), (int64_t[]){3}, 1);
    Value is_here = build_binary(graph, OP_eq, build_reshape(graph, place, 4, (uint32_t[]){rows, blocks, 1, size}), row);
    Value order = build_reduce(graph, OP_reduce_sum, build_select(graph, is_here, column, build_constant(graph, DTYPE_I32, 0)), (int64_t[]){3}, 1);
    order = build_binary(graph, OP_add, order, build_number(graph, OP_mul, build_iota(graph, &starts, 1), size));
    return build_reshape(graph, order, 2, (uint32_t[]){rows, blocks * size});
}

// A size that divides the row leaves no smaller block at its end, which would be ordered by dispatches of its own.
static uint32_t block_of(uint32_t count, uint64_t total) {
    uint32_t most = count < BLOCK_MAX ? count : BLOCK_MAX;
    while (most > 2 && total * most > ELEMENTS_MAX) // what a block compares is one tensor
        most /= 2;
    for (uint32_t size = most; size >= BLOCK_MIN; size--)
        if (count % size == 0)
            return size;
    return most;
}

static Value expand(Graph *graph, const Node *node) {
    Type type = graph_type(graph, node->args[0]);
    uint32_t count = type.dims[type.rank - 1], rows = (uint32_t)(type_count(&type) / count), size = block_of(count, type_count(&type)), whole = count - count % size;
    Value key = build_reshape(graph, key_of(graph, node->args[0], attr_of(node, ATTR_descending)->integer), 2, (uint32_t[]){rows, count});
    Value order = order_blocks(graph, build_slice(graph, key, 1, 0, whole, 1), size);
    if (whole < count) {
        Value rest = order_blocks(graph, build_slice(graph, key, 1, whole, count, 1), count - whole);
        order = build_concat(graph, (Value[]){order, build_number(graph, OP_add, rest, whole)}, 2, 1);
    }
    for (uint64_t width = size; width < count; width *= 2)
        order = graph_add(graph, OP_merge, (Value[]){key, order}, 2, (Attr[]){attr_int((int64_t)width)}, 1);
    return build_reshape(graph, order, type.rank, type.dims);
}

const OpDef op_argsort = {
    .name = "argsort",
    .summary = "the order of the elements along the last axis: the first of equals first, NaN last (first where descending)",
    .op_class = CLASS_COMPOSITE,
    .arg_count = 1,
    .infer = infer_argsort,
    .expand = expand,
    .example_count = 7,
    .examples = {{{F32(3, 5)}, 1, {EXAMPLE_INT(0)}, -2, 2, 0},
                 {{F32(2, 2, 70)}, 1, {EXAMPLE_INT(1)}, -2, 2, 0},
                 {{F32(3, 67)}, 1, {EXAMPLE_INT(0)}, -2, 2, 0},
                 {{I32(2, 333)}, 1, {EXAMPLE_INT(0)}, -9, 9, 0},
                 {{I32(7)}, 1, {EXAMPLE_INT(1)}, -3, 3, 0},
                 {{F32(1)}, 1, {EXAMPLE_INT(0)}, -2, 2, 0},
                 {{{DTYPE_U32, 1, 0, {130}}}, 1, {EXAMPLE_INT(1)}, 0, 9, 0}},
};

// ---- merge

static bool infer_merge(Graph *graph, const Node *node, Type *out) {
    Type key = arg_type(graph, node, 0), order = arg_type(graph, node, 1);
    int64_t width = attr_of(node, ATTR_width)->integer;
    if (!needs_plain(graph, node, 0) || !needs_plain(graph, node, 1))
        return false;
    if (key.dtype != DTYPE_I32 || order.dtype != DTYPE_I32 || key.rank == 0 || !type_same_shape(&key, &order))
        return graph_error(graph, node, "i32 keys along an axis and an order of them expected, not %s and %s", shown(graph, node->args[0]), shown(graph, node->args[1]));
    *out = key;
    return (width >= 1 && width <= ELEMENTS_MAX / 4) || graph_error(graph, node, "blocks of %lld, at least 1 and at most %d expected", (long long)width, ELEMENTS_MAX / 4);
}

static double key_at(const double *key, const double *order, int64_t place, int64_t count) {
    double at = order[place];
    return key[at < 0 ? 0 : at >= (double)count ? count - 1 : (int64_t)at];
}

// For each place of a pair of blocks, how many before it are of the left block is found by bisection; from which block it comes itself follows.
// This is what kernels do, so that the two agree on blocks that are in no order, too.
static void reference_merge(const Graph *graph, const Node *node, const Tensor *const *args, Tensor *out) {
    (void)graph;
    const Type *type = &out->type;
    int64_t count = type->dims[type->rank - 1], width = attr_of(node, ATTR_width)->integer, total = (int64_t)type_count(type);
    for (int64_t i = 0; i < total; i++) {
        const double *key = args[0]->data + i / count * count, *order = args[1]->data + i / count * count;
        int64_t at = i % count % (2 * width), base = i % count - at, left = count - base < width ? count - base : width;
        int64_t right = count - base - left < width ? count - base - left : width, low = at > right ? at - right : 0, high = at < left ? at : left;
        while (low < high) {
            int64_t middle = (low + high) / 2;
            if (key_at(key, order, base + left + at - 1 - middle, count) < key_at(key, order, base + middle, count))
                high = middle;
            else
                low = middle + 1;
        }
        int64_t rest = at - low;
        bool is_left = rest >= right || (low < left && key_at(key, order, base + low, count) <= key_at(key, order, base + left + rest, count));
        out->data[i] = order[base + (is_left ? low : left + rest)];
    }
}

const OpDef op_merge = {
    .name = "merge",
    .summary = "an order of keys along the last axis, in which blocks of a width are sorted, to one in which pairs of blocks are; equals stay in order",
    .op_class = CLASS_VIEW,
    .arg_count = 2,
    .infer = infer_merge,
    .reference = reference_merge,
    .example_count = 5,
    .examples = {{{I32(3, 8), I32(3, 8)}, 2, {EXAMPLE_INT(4)}, -2, 9, 0},
                 {{I32(2, 11), I32(2, 11)}, 2, {EXAMPLE_INT(2)}, -2, 12, 0},
                 {{I32(13), I32(13)}, 2, {EXAMPLE_INT(8)}, -2, 15, 0},
                 {{I32(2, 2, 9), I32(2, 2, 9)}, 2, {EXAMPLE_INT(1)}, -2, 9, 0},
                 {{I32(5), I32(5)}, 2, {EXAMPLE_INT(8)}, -2, 5, 0}},
};
