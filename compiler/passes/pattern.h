// Pattern: the two sides of a rule of simplify.def, as trees.
#pragma once
#include "compiler/ir/op.h"

enum { PATTERN_VARIABLES = 4 }; // x, y, z, w

typedef enum { PATTERN_VARIABLE, PATTERN_NUMBER, PATTERN_OP } PatternKind;

typedef struct Pattern Pattern;
struct Pattern {
    PatternKind kind;
    uint32_t variable;
    double number;
    Op op;
    uint32_t arg_count;
    const Pattern *args[3];
};

// Text to tree. Wrong syntax is a bug of simplify.def, and asserts.
const Pattern *pattern_parse(Arena *arena, const char *text);
// Does the value look like this? Variables that are {0} are bound; others must be that very value.
bool pattern_match(const Pattern *pattern, const Graph *graph, Value value, Value *variables);
// The pattern as nodes; numbers take their dtype from the values beside them, and the shape (and at the root the dtype) of `type`.
Value pattern_build(const Pattern *pattern, Graph *graph, const Value *variables, const Type *type);
