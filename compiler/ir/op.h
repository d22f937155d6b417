// Op: the table of operations. One row of ops.def or elementwise.def is one op; everything that knows ops loops over them.
#pragma once
#include "compiler/ir/graph.h"
#include "compiler/ir/reduction.h"

// How an op becomes GPU code. A closed list: a new op picks one.
typedef enum {
    CLASS_SOURCE,   // already in memory (state, feed, number, table, constant), or computed from the index alone (iota, random)
    CLASS_VIEW,     // only renames indices: broadcast, reshape, transpose, slice, pad, concat, flip; gather, take_along and merge rename them by a tensor
    CLASS_MAP,      // one element from the same element of each argument
    CLASS_REDUCE,   // folds axes away: sum, max, moments, logsumexp, argmax
    CLASS_CONTRACT, // sums products: matmul, the convolutions, the transforms of Winograd's, whose second factors are constants
    CLASS_COMPOSITE, // other ops that mean the same (OpDef.expand), or one kernel where a family of schedules claims it
    CLASS_SET,      // a flat parameter set from its parts (pack) and back (unpack): memory in place
    CLASS_META,     // gone before fusion: gradient, detach
} OpClass;

// How the language calls a map (elementwise.def).
typedef enum { WORD_INTERNAL, WORD_FUNCTION, WORD_WHOLE, WORD_OPERATOR, WORD_OWN } WordKind;

// What a map makes of padding lanes, which hold zero, or are at least finite, or may hold anything.
typedef enum {
    MAP_NONZERO,  // f(0, …, 0) is not 0: anything
    MAP_ZERO,     // zero where all arguments are, else anything
    MAP_FINITE,   // also finite where all arguments are
    MAP_PRODUCT,  // as MAP_FINITE, and zero where one argument is and the other is finite
    MAP_QUOTIENT, // zero where the first is zero and the second finite; 0 / 0 is no number
    MAP_CHOSEN,   // as MAP_FINITE, of the second and third
} MapPadding;

typedef enum { RESULT_SAME, RESULT_F32, RESULT_I32, RESULT_U32, RESULT_BOOL } MapResult;

enum { MAX_ATTRS = 8, MAX_EXAMPLES = 8 };

// A case that drives all tests of an op: argument types, attributes, and the range in which inputs are drawn.
// avoid: inputs (and differences of two inputs) stay at least this far from 0, so that central differences do not cross a kink.
typedef struct {
    Type args[4];
    uint32_t arg_count;
    Attr attrs[MAX_ATTRS];
    double low, high, avoid;
} OpExample;

// The types of a result: fills `out` and returns true, or reports through graph_error and returns false.
typedef bool (*OpInfer)(Graph *graph, const Node *node, Type *out);
// Vector-Jacobian product, in ops: given the gradient of the result, appends to the graph the gradient of each argument that is
// differentiable. grads[i] stays {0} where it is zero. `out` is the node's own value.
typedef void (*OpVjp)(Graph *graph, Value out, Value grad, Value *grads);

// The same in other ops, appended to the graph: of the node's type, made of its arguments alone. Reference, gradient and kernels derive from it.
typedef Value (*OpExpand)(Graph *graph, const Node *node);

// A tensor of the judge: every dtype as doubles, row-major. bool is 0 or 1; integers are exact.
typedef struct {
    Type type;
    double *data;
} Tensor;

// Plain loops in double: computes the result from the arguments. `out` has its type and zeroed data.
typedef void (*OpReference)(const Graph *graph, const Node *node, const Tensor *const *args, Tensor *out);

struct OpDef {
    const char *name;
    const char *summary; // one line, for `gcc-graph ops`
    OpClass op_class;
    uint32_t arg_count; // ANY_COUNT: one or more
    OpInfer infer;
    OpVjp vjp;             // NULL: no gradient flows (integers, comparisons, random)
    OpReference reference; // NULL: a source, whose values come from outside, or a composite
    OpExpand expand;       // CLASS_COMPOSITE: instead of vjp and reference
    const Reduction *reduction; // CLASS_REDUCE
    const char *glsl;      // CLASS_MAP: expression of $x, $y, $z in float or the dtype's GLSL type, valid for vec4 too unless glsl_scalar
    const char *glsl_helper; // CLASS_MAP: the file of shaders/ with the functions that `glsl` calls, or NULL; printed once, before main
    bool glsl_scalar;      // the expression works on scalars only: vec4 code applies it to each component
    uint32_t cost;         // CLASS_MAP: about how many additions an element costs (exp 8, pow 16 …), for fusion
    bool glsl_folds;       // drivers fold it where an argument is a constant 0, whatever stands beside it: such a 0 is hidden from them
    WordKind word_kind;    // CLASS_MAP: how the language calls it,
    const char *word;      // by which word
    bool commutes;         // CLASS_MAP: f(x, y) = f(y, x)
    uint32_t operands;     // CLASS_MAP: the dtypes that it takes, a bit each
    bool has_condition;    // CLASS_MAP: the first argument is a bool, whatever the others are
    MapResult result;      // CLASS_MAP
    MapPadding padding;    // CLASS_MAP
    uint32_t example_count;
    OpExample examples[MAX_EXAMPLES];
};

enum { ANY_COUNT = 255 };

const OpDef *op_def(Op op);
bool op_find(const char *name, Op *out);
bool op_of_operator(const char *word, uint32_t arg_count, Op *out); // of expressions: "+", "and" …
bool op_keeps_zero(const OpDef *def);                               // CLASS_MAP: f(0, …, 0) = 0
bool op_chooses(Op op); // CLASS_VIEW: by numbers of a tensor which element stands where
bool op_folds(const Node *node, uint32_t axis); // CLASS_REDUCE: of its argument
uint32_t op_attr_count(Op op);
AttrName op_attr(Op op, uint32_t place);
uint32_t op_attr_place(Op op, AttrName name);         // in Node.attrs; a bug where the op has none of this name
const Attr *attr_of(const Node *node, AttrName name); // likewise
