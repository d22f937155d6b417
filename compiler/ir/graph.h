// Graph: what is computed. Append-only and interned: always typed, always in topological order, no two equal nodes.
#pragma once
#include "compiler/ir/attr.h"
#include "runtime/base/diag.h"
#include "runtime/program/words.h"

typedef enum {
    OP_NONE,
#define OP(name, ...) OP_##name,
#include "compiler/ir/op_names.def"
#undef OP
    OP_COUNT
} Op;

// A value is the index of the node that computes it; 0 means "no value".
// A struct, so that it cannot be mixed up with a dimension or a count.
typedef struct {
    uint32_t id;
} Value;

typedef struct OpDef OpDef;
typedef struct Graph Graph;
struct Module;

// Where a node comes from: a place in the input, and the pass or rule that made it (NULL: the reader).
typedef struct {
    const char *pointer; // "/networks/unet/nodes/3"
    const char *maker;   // "differentiate"
} Origin;

typedef struct {
    Op op;
    uint16_t arg_count, attr_count;
    Type type;         // always set: a node without a type cannot exist
    const Value *args; // all smaller than this node's own id
    const Attr *attrs; // in the order of OpDef.attrs
    Origin origin;
} Node;

// What leaves a graph.
typedef enum {
    OUTPUT_STATE,  // `name` is a state of the module: its value when the phase ends
    OUTPUT_REPORT, // a scalar that is shown: f32, i32 or bool
    OUTPUT_EMIT,   // an image, rows or a tensor, written where `at` is true
    OUTPUT_VALUE,  // a named value that `run --get` may ask for; computed only on demand
} OutputKind;

typedef struct {
    OutputKind kind;
    const char *name;
    ResultFormat format; // OUTPUT_EMIT: not RESULT_REPORT
    Value value;
    Value at; // OUTPUT_EMIT: a bool scalar, or {0}: always
    bool counts_skips; // OUTPUT_REPORT: how many updates changed nothing, since their gradients were not finite
    Origin origin;
} Output;

struct Graph {
    Arena *arena;
    const struct Module *module; // states, sets and tables that sources refer to
    ARRAY(Node) nodes;           // nodes.items[0] is no node
    ARRAY(Output) outputs;
    Origin origin; // given to nodes that are added now
    Diag *diag;    // where infer errors go; NULL: an error is a bug, and aborts with the graph printed
    Place place;   // the user's place that goes with errors now
    bool failed;   // an infer error was reported since this was last cleared
    uint32_t *budget; // how many more nodes may be made, of all graphs that share it; NULL: as many as it takes
    uint32_t *table; // interning
    uint32_t table_size;
};

enum { GRAPH_NODES_MAX = 2000000 }; // of a document, and of a phase with its gradients

Graph *graph_create(Arena *arena, const struct Module *module);
// Infers the type, reports errors, returns the existing node if an equal one exists (whatever its origin). {0} after an error, or if an argument is {0}.
Value graph_add(Graph *graph, Op op, const Value *args, uint32_t arg_count, const Attr *attrs, uint32_t attr_count);
const Node *graph_node(const Graph *graph, Value value);
Type graph_type(const Graph *graph, Value value);
void graph_output(Graph *graph, Output output);
// For infer functions: reports `NAME: message` at graph->place and returns false.
__attribute__((format(printf, 3, 4))) bool graph_error(Graph *graph, const Node *node, const char *format, ...);
// Copies what the outputs of `from` reach into a new graph. moved[old id] is the new value ({0} where not reached); arena-allocated.
Graph *graph_copy(Arena *arena, const Graph *from, Value **moved);
// For passes that build the next graph: a node again with its arguments' new values, and all outputs; moved[old id] is the new value.
Value graph_copy_node(Graph *graph, const Node *node, const Value *moved);
void graph_copy_outputs(Graph *graph, const Graph *from, const Value *moved);
// reached[id] is true for what the outputs (or `roots`) need.
bool *graph_reached(Arena *arena, const Graph *graph);

// ---- print.c, verify.c
// A bug that concerns a node: as `bug` (runtime/base/bug.h), and then the node's line of a dump, with its place in the user's graph.
#define graph_bug(graph, value, ...) graph_bug_at(__FILE__, __LINE__, (graph), (value), __VA_ARGS__)
__attribute__((noreturn, cold, format(printf, 5, 6))) void graph_bug_at(const char *file, int line, const Graph *graph, Value value,
                                                                        const char *format, ...);
void graph_print(Text *text, const Graph *graph); // the text form of dumps
bool graph_verify(const Graph *graph, Text *problems);

// ---- Builders: shorthand for graph_add. Those of maps accept equal shapes only; the `_like` and scalar ones broadcast.
Value build_constant(Graph *graph, DType dtype, double number); // scalar
Value build_full(Graph *graph, const Type *type, double number); // a constant broadcast to the type's shape (also to a set)
Value build_broadcast(Graph *graph, Value x, const Type *like); // NumPy rules (right-aligned) to the shape of `like`; identity where equal
Value build_broadcast_dims(Graph *graph, Value x, uint32_t rank, const uint32_t *dims);
Value build_unary(Graph *graph, Op op, Value x);
Value build_binary(Graph *graph, Op op, Value x, Value y);     // broadcasts both to their common shape
Value build_select(Graph *graph, Value condition, Value x, Value y); // broadcasts all three
Value build_root(Graph *graph, Value x); // square root whose gradient at 0 is 0, as a norm's is
Value build_number(Graph *graph, Op op, Value x, double number); // x op constant of x's dtype
Value build_cast(Graph *graph, Value x, DType dtype);           // identity where equal
Value build_reshape(Graph *graph, Value x, uint32_t rank, const uint32_t *dims);
Value build_transpose(Graph *graph, Value x, const uint32_t *order); // out.dims[i] = x.dims[order[i]]
Value build_slice(Graph *graph, Value x, uint32_t axis, int64_t start, int64_t stop, int64_t step);
Value build_pad(Graph *graph, Value x, const int64_t *low, const int64_t *high, const int64_t *interior); // NULL: none
Value build_concat(Graph *graph, const Value *parts, uint32_t count, uint32_t axis);
Value build_flip(Graph *graph, Value x, const int64_t *axes, uint32_t axis_count);
Value build_gather(Graph *graph, Value data, Value index); // axis 0, clamped
Value build_take_along(Graph *graph, Value data, Value index, uint32_t axis, bool permutes); // permutes: each row of the index is a permutation
Value build_argsort(Graph *graph, Value x, uint32_t axis, bool descending); // i32, stable, NaN last (first where descending)
Value build_iota(Graph *graph, const Type *type, uint32_t axis);
Value build_reduce(Graph *graph, Op op, Value x, const int64_t *axes, uint32_t axis_count); // axes dropped; axis_count 0: all
Value build_sum_to(Graph *graph, Value x, const Type *like);   // the adjoint of build_broadcast
Value build_matmul(Graph *graph, Value a, Value b);             // [..., m, k] [..., k, n]; equal batch axes
Value build_softmax(Graph *graph, Value x, uint32_t axis);
Value build_attention(Graph *graph, Value q, Value k, Value v, Value mask, bool causal); // mask: {0} where there is none
Value build_pack(Graph *graph, uint32_t set, const Value *parts, uint32_t count);
Value build_unpack(Graph *graph, Value set, uint32_t part);     // the part itself where `set` is a pack
bool is_constant(const Graph *graph, Value value, double *number); // a constant, or one broadcast?
