// Index: integer arithmetic on loop variables, kept in a canonical form so that the index maps of views compose and vanish. An index is a
// sum of coefficient x atom plus a constant; atoms are variables, quotients, remainders, and opaque GLSL names. All atoms are >= their low.
#pragma once
#include "runtime/base/text.h"

typedef enum { ATOM_VARIABLE, ATOM_DIVIDE, ATOM_MODULO, ATOM_OPAQUE } AtomKind;

typedef struct Atom Atom;

typedef struct {
    int64_t coefficient; // never 0
    const Atom *atom;
} IndexTerm;

// Immutable; terms ascend by atom id, so equal indices have equal fields.
typedef struct {
    int64_t constant;
    uint32_t count;
    const IndexTerm *terms;
} Index;

struct Atom {
    AtomKind kind;
    uint32_t id;
    const char *name;  // ATOM_VARIABLE, ATOM_OPAQUE: as GLSL
    Index base;        // ATOM_DIVIDE, ATOM_MODULO
    int64_t divisor;
    int64_t low, high; // bounds, inclusive
};

typedef struct {
    Arena *arena;
    ARRAY(const Atom *) atoms;
} IndexPool;

IndexPool *index_pool_create(Arena *arena);
Index index_constant(int64_t number);
Index index_variable(IndexPool *pool, const char *name, int64_t low, int64_t high); // the same name gives the same atom
Index index_opaque(IndexPool *pool, const char *name, int64_t low, int64_t high);
Index index_add(IndexPool *pool, Index a, Index b);
Index index_add_constant(IndexPool *pool, Index a, int64_t number);
Index index_scale(IndexPool *pool, Index a, int64_t factor);
// Floor quotient and remainder by a positive constant; the index must be >= 0 wherever the value is used.
Index index_divide(IndexPool *pool, Index a, int64_t divisor);
Index index_modulo(IndexPool *pool, Index a, int64_t divisor);
bool index_equal(Index a, Index b);
void index_bounds(Index a, int64_t *low, int64_t *high);
bool index_is_constant(Index a, int64_t *number);
bool index_mentions(Index a, const Atom *atom); // also inside quotients and remainders
// Replaces a variable by an index.
Index index_substitute(IndexPool *pool, Index a, const Atom *variable, Index by);
const Atom *index_atom(Index variable); // of an index that is one atom with coefficient 1, else NULL
// a = lane * stride + rest, where rest does not mention lane: true, and the parts; false when lane sits inside a quotient or remainder.
bool index_split(IndexPool *pool, Index a, const Atom *lane, int64_t *stride, Index *rest);
bool index_is_multiple(Index a, int64_t factor); // provably
// As GLSL int arithmetic. Quotients and remainders are asked from `name_of` (which may give a temporary's name, or NULL: print it in full).
void index_print(Text *text, Index a, const char *(*name_of)(void *context, const Atom *atom), void *context);
