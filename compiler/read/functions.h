// Functions of expressions: f(x, …), those of elementwise.def first, then functions.def. Each is also an op of nodes, whose further
// arguments are attributes, unless a layer has its name.
#pragma once
#include "compiler/ir/graph.h"

typedef struct {
    const char *name;
    const char *arguments; // "x axis? slope?" (compiler/layers/spec.h)
    const char *summary;
    Op op; // of a row of elementwise.def, else OP_NONE
} FunctionInfo;

const FunctionInfo *function_list(uint32_t *count);
const FunctionInfo *function_find(const char *name); // NULL when there is none
bool function_is_op(const FunctionInfo *info);        // whether it is an op of nodes, too: no layer has its name
// Whether the argument at this place (the first is 0) is one of several words. NULL has none.
bool function_chooses(const FunctionInfo *info, uint32_t place);
// Whether an argument behind those before this place takes the word.
bool function_takes_word(const FunctionInfo *info, uint32_t place, const char *word);
// The arguments after the first, as options of a node: "axis! slope". NULL when there is no such function.
const char *function_options(Arena *arena, const char *name);
