// Verify sample: cuts a contraction's arguments down to a few indices along some axes, interprets that, and puts the results into place.
#include "compiler/verify/sample.h"
#include "runtime/base/random.h"

enum { SAMPLE_MAX = 6 };

// Which indices of an axis are kept; count 0: all.
typedef struct {
    uint32_t count;
    uint32_t index[SAMPLE_MAX];
} Pick;

typedef struct {
    Pick axes[MAX_RANK];
} Picks;

static Pick pick(uint32_t extent, uint32_t wanted, uint64_t seed, uint32_t number) {
    Pick out = {0};
    if (wanted >= extent)
        return out;
    for (uint32_t i = 0; i < wanted; i++) {
        RandomWords words = random_element(seed, number, 0, 2, i);
        // one index of each of `wanted` stretches, the first of the first and the last of the last
        uint32_t low = (uint32_t)((uint64_t)extent * i / wanted), high = (uint32_t)((uint64_t)extent * (i + 1) / wanted);
        out.index[i] = i == 0 ? 0 : i + 1 == wanted ? extent - 1 : low + random_below(words, high - low);
    }
    out.count = wanted;
    return out;
}

static Type picked_type(Type type, const Picks *picks) {
    for (uint32_t i = 0; i < type.rank; i++)
        if (picks->axes[i].count)
            type.dims[i] = picks->axes[i].count;
    return type;
}

// The element of the whole tensor that element `number` of the picked one is.
static uint64_t whole_index(const Type *whole, const Type *small, const Picks *picks, uint64_t number) {
    uint64_t index = 0, stride = 1;
    for (uint32_t axis = whole->rank; axis > 0; axis--) {
        uint32_t at = (uint32_t)(number % small->dims[axis - 1]);
        number /= small->dims[axis - 1];
        index += stride * (picks->axes[axis - 1].count ? picks->axes[axis - 1].index[at] : at);
        stride *= whole->dims[axis - 1];
    }
    return index;
}

static Tensor take(Arena *arena, const Tensor *tensor, const Picks *picks) {
    Type type = picked_type(tensor->type, picks);
    Tensor out = tensor_create(arena, &type);
    for (uint64_t i = 0, count = type_count(&type); i < count; i++)
        out.data[i] = tensor->data[whole_index(&tensor->type, &type, picks, i)];
    return out;
}

static void pick_matmul(const Node *node, const Tensor *const *args, uint64_t seed, Picks *x, Picks *y, Picks *out) {
    uint32_t rank = node->type.rank;
    (void)args;
    for (uint32_t i = 0; i + 2 < rank; i++)
        x->axes[i] = y->axes[i] = out->axes[i] = pick(node->type.dims[i], 2, seed, i);
    x->axes[rank - 2] = out->axes[rank - 2] = pick(node->type.dims[rank - 2], SAMPLE_MAX, seed, 6);
    y->axes[rank - 1] = out->axes[rank - 1] = pick(node->type.dims[rank - 1], SAMPLE_MAX, seed, 7);
}

// Images and channels that the sum does not run over; with groups the channels stay whole.
static void pick_convolution(const Node *node, const Tensor *const *args, uint64_t seed, Picks *x, Picks *y, Picks *out) {
    bool grouped = attr_of(node, ATTR_groups)->integer > 1;
    uint32_t channels = grouped ? UINT32_MAX : 4;
    if (node->op == OP_conv2d_weight) {
        uint32_t first = node->type.rank == 5 ? 1 : 0; // after the slices
        Pick outputs = pick(node->type.dims[first], channels, seed, 1), inputs = pick(node->type.dims[first + 1], channels, seed, 2);
        x->axes[1] = out->axes[first + 1] = inputs;
        y->axes[1] = out->axes[first] = outputs;
        return;
    }
    x->axes[0] = out->axes[0] = pick(args[0]->type.dims[0], 2, seed, 0);
    out->axes[1] = pick(node->type.dims[1], channels, seed, 1);
    y->axes[node->op == OP_conv2d ? 0 : 1] = out->axes[1];
}

Tensor verify_sample_contract(Arena *arena, const Graph *graph, const Node *node, const Tensor *const *args, uint64_t seed, double fill) {
    Picks x = {0}, y = {0}, out = {0};
    if (node->op == OP_matmul)
        pick_matmul(node, args, seed, &x, &y, &out);
    else
        pick_convolution(node, args, seed, &x, &y, &out);
    Tensor small_x = take(arena, args[0], &x), small_y = take(arena, args[1], &y);
    // References ask the graph for the arguments' types, so it is a graph of its own: x, y and the contraction.
    const Value small_args[] = {{1}, {2}};
    Node nodes[4] = {[1] = {.type = small_x.type}, [2] = {.type = small_y.type}, [3] = *node};
    nodes[3].type = picked_type(node->type, &out);
    nodes[3].args = small_args;
    Graph view = *graph;
    view.nodes.items = nodes;
    view.nodes.count = 4;
    Tensor part = interpret_node(arena, &view, &nodes[3], (const Tensor *const[]){&small_x, &small_y});
    Type small_type = nodes[3].type;
    Tensor whole = tensor_create(arena, &node->type);
    for (uint64_t i = 0, count = type_count(&node->type); i < count; i++)
        whole.data[i] = fill;
    for (uint64_t i = 0, count = type_count(&small_type); i < count; i++)
        whole.data[whole_index(&node->type, &small_type, &out, i)] = part.data[i];
    return whole;
}
