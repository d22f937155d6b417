// The rules of the pass `simplify`, as a table that its tests walk, too.
#pragma once
#include "compiler/passes/pattern.h"

typedef enum { EXACT, APPROXIMATE } RuleKind;

typedef struct {
    const char *name, *match, *result;
    RuleKind kind;
} Rule;

// An equal value that is simpler, made with builders; {0}: the rule does not fit.
typedef Value (*CodedRule)(Graph *graph, Value value);

const Rule *simplify_rules(uint32_t *count);

#define RULE(name, match, result, kind)
#define CODED(name, op) Value rule_##name(Graph *graph, Value value);
#include "compiler/passes/simplify.def"
#undef RULE
#undef CODED
