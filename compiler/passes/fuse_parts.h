// What the files of fuse have in common.
#pragma once
#include "compiler/passes/passes.h"

// Values that a kernel computes for one of its stores; passes that walk down from a store may recurse as deep.
enum { FUSE_STORE_SIZE_MAX = 512 };

// A stored value whose kernel evaluates another one, and at which place beside its own element: 0 there, else a number made of the views between.
// At one place a kernel evaluates a value once, however often it needs it.
typedef struct {
    uint32_t consumer, place;
    double evaluations; // elements
} Need;

enum { NEEDS_MAX = 8 };

typedef struct {
    Need items[NEEDS_MAX]; // the last stands for all that follow it, too
    uint32_t count;
    double evaluations; // over all of them
} Consumers;

typedef struct {
    Value value;
    bool in_place; // needed only at the element being computed
} Leaf;

typedef ARRAY(Leaf) Leaves;
typedef ARRAY(uint32_t) Indices;

typedef struct {
    KernelList *list;
    const PassContext *context;
    const Graph *graph;
    bool *reached, *stored, *required;
    bool *computed;        // by value id: an operand that is computed wherever contractions read it
    double *operand_reads; // by contraction: elements that it reads of its first and second operand, where these are computed
    Consumers *consumers;
    double *repeat_cost;   // of evaluating one element inline, a forward estimate
    uint32_t *use_count;
    uint32_t *kernel_of;   // by value id: index + 1
    ARRAY(uint32_t) levels; // by kernel
    ARRAY(Leaves) leaves;   // by kernel: everything that its values need from other kernels' buffers
    uint32_t *sizes;        // by value id: values computed inline to make it, itself among them
    ARRAY(uint32_t) kernel_sizes; // by kernel: the sum of its stores' sizes
    ARRAY(Indices) open[KERNEL_CONTRACT]; // by class (maps, reductions) and level: kernels that others may join
    uint32_t *visited, visit; // by value id: number and marks of the last visit
} Fuse;

static inline const Node *node_at(const Fuse *fuse, uint32_t id) { return &fuse->graph->nodes.items[id]; }
static inline OpClass class_at(const Fuse *fuse, uint32_t id) { return op_def(node_at(fuse, id)->op)->op_class; }

// In memory before the phase begins.
static inline bool is_given(const Node *node) { return node->op == OP_state || node->op == OP_feed || node->op == OP_table; }
// Reads its argument's buffer as it is.
bool fuse_is_alias(const Fuse *fuse, uint32_t id);
bool fuse_has_buffer(const Fuse *fuse, uint32_t id);

// True the first time that `id` gets this mark (1 or 2) since fuse->visit was raised.
static inline bool fuse_visit(Fuse *fuse, uint32_t id, uint32_t mark) {
    uint32_t seen = fuse->visited[id] >> 2 == fuse->visit ? fuse->visited[id] & 3 : 0;
    fuse->visited[id] = fuse->visit << 2 | seen | mark;
    return !(seen & mark);
}

// ---- fuse_store.c: what must be stored, and what costs less when it is
void fuse_choose_stores(Fuse *fuse);

// ---- fuse_operands.c: which operands of contractions are computed; the others must be stored
void fuse_choose_operands(Fuse *fuse);

// A line of `inspect --decisions`: why value `id` is not computed in the kernel of `root`.
void fuse_refuse(Fuse *fuse, uint32_t id, uint32_t root, const char *reason);

// ---- fuse_limit.c: after what is stored was decided, stores more.
// No store needs more values than FUSE_STORE_SIZE_MAX computed inline, but for views that cannot be stored.
void fuse_limit_sizes(Fuse *fuse);
// No kernel binds more than the target allows.
void fuse_limit_bindings(Fuse *fuse);
