// Pattern: parse, match, build.
#include "compiler/passes/pattern.h"
#include "runtime/base/bug.h"
#include <ctype.h>
#include <stdlib.h>

// ---- parse

static const char *skip_space(const char *at) {
    while (*at == ' ')
        at++;
    return at;
}

static const char *parse(Arena *arena, const char *at, const Pattern **out) {
    static const char variables[] = "xyzw";
    Pattern *pattern = ARENA_NEW(arena, Pattern, 1);
    *out = pattern;
    at = skip_space(at);
    if (*at == '(') {
        size_t length = strcspn(++at, " )");
        bool known = op_find(arena_copy_bytes(arena, at, length), &pattern->op);
        if (!known)
            bug("pattern: no such op: %s", at);
        pattern->kind = PATTERN_OP;
        for (at = skip_space(at + length); *at != ')'; at = skip_space(at)) {
            CHECK(*at && pattern->arg_count < 3);
            at = parse(arena, at, &pattern->args[pattern->arg_count++]);
        }
        CHECK(pattern->arg_count == op_def(pattern->op)->arg_count);
        return at + 1;
    }
    if (isalpha((unsigned char)*at)) {
        CHECK(strchr(variables, *at) && !isalpha((unsigned char)at[1]));
        pattern->kind = PATTERN_VARIABLE;
        pattern->variable = (uint32_t)(strchr(variables, *at) - variables);
        return at + 1;
    }
    char *end;
    pattern->kind = PATTERN_NUMBER;
    pattern->number = strtod(at, &end);
    if (end == at)
        bug("pattern: neither an op, a variable nor a number: %s", at);
    return end;
}

const Pattern *pattern_parse(Arena *arena, const char *text) {
    const Pattern *pattern;
    const char *rest = parse(arena, text, &pattern);
    CHECK(!*skip_space(rest));
    return pattern;
}

// ---- match

static bool match_args(const Pattern *pattern, const Graph *graph, const Node *node, bool swapped, Value *variables) {
    Value kept[PATTERN_VARIABLES];
    memcpy(kept, variables, sizeof kept);
    for (uint32_t i = 0; i < pattern->arg_count; i++)
        if (!pattern_match(pattern->args[i], graph, node->args[swapped ? 1 - i : i], variables)) {
            memcpy(variables, kept, sizeof kept);
            return false;
        }
    return true;
}

bool pattern_match(const Pattern *pattern, const Graph *graph, Value value, Value *variables) {
    double number;
    switch (pattern->kind) {
    case PATTERN_VARIABLE:
        if (variables[pattern->variable].id)
            return variables[pattern->variable].id == value.id;
        variables[pattern->variable] = value;
        return true;
    case PATTERN_NUMBER:
        return is_constant(graph, value, &number) && number == pattern->number;
    case PATTERN_OP:
        break;
    }
    const Node *node = graph_node(graph, value);
    return node->op == pattern->op && (match_args(pattern, graph, node, false, variables) ||
                                       (op_def(node->op)->commutes && match_args(pattern, graph, node, true, variables)));
}

// ---- build

Value pattern_build(const Pattern *pattern, Graph *graph, const Value *variables, const Type *type) {
    Value args[3] = {{0}};
    if (pattern->kind == PATTERN_VARIABLE)
        return variables[pattern->variable];
    if (pattern->kind == PATTERN_NUMBER)
        return build_full(graph, type, pattern->number);
    DType dtype = pattern->op == OP_logical_and || pattern->op == OP_logical_or || pattern->op == OP_logical_not ? DTYPE_BOOL : type->dtype;
    uint32_t first = pattern->op == OP_select ? 1 : 0; // its condition has a dtype of its own
    for (uint32_t i = 0; i < pattern->arg_count; i++)
        if (pattern->args[i]->kind != PATTERN_NUMBER) {
            args[i] = pattern_build(pattern->args[i], graph, variables, type);
            if (i >= first && args[i].id)
                dtype = graph_type(graph, args[i]).dtype;
        }
    for (uint32_t i = 0; i < pattern->arg_count; i++)
        if (pattern->args[i]->kind == PATTERN_NUMBER) {
            Type full = type_with_dtype(*type, i < first ? DTYPE_BOOL : dtype);
            args[i] = build_full(graph, &full, pattern->args[i]->number);
        }
    return graph_add(graph, pattern->op, args, pattern->arg_count, NULL, 0);
}
