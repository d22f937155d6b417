// Expression: the text of a formula as a tree. Nothing is computed here.
#pragma once
#include "runtime/base/text.h"

typedef enum {
    TREE_NUMBER, // number, or integer where is_integer
    TREE_BOOL,   // true, false: integer
    TREE_NONE,   // None
    TREE_TEXT,   // 'name'
    TREE_NAME,   // name
    TREE_ATTR,   // children[0].name
    TREE_INDEX,  // children[0][children[1], …]
    TREE_CALL,   // name(children …)
    TREE_LIST,   // [children …]
    TREE_UNARY,  // sign children[0]
    TREE_BINARY, // children[0] sign children[1]
    TREE_SLICE,  // as an index: children[0]:children[1]:children[2], each may be NULL
} TreeKind;

typedef enum {
    SIGN_OR,
    SIGN_AND,
    SIGN_NOT,
    SIGN_EQUAL,
    SIGN_NOT_EQUAL,
    SIGN_LESS,
    SIGN_LESS_EQUAL,
    SIGN_GREATER,
    SIGN_GREATER_EQUAL,
    SIGN_ADD,
    SIGN_SUB,
    SIGN_MUL,
    SIGN_DIV,
    SIGN_FLOOR_DIV,
    SIGN_MOD,
    SIGN_POW,
} Sign;

typedef struct Tree Tree;
struct Tree {
    TreeKind kind;
    Sign sign;
    uint32_t offset; // of the token it is named after, in the text
    bool is_integer;
    int64_t integer;
    double number;
    const char *name;
    ARRAY(const Tree *) children;
};

// What is wrong with a text, and where.
typedef struct {
    const char *message;
    uint32_t offset;
} ExpressionProblem;

// NULL when the text is no expression; then `problem` is filled. `-x^2` is `-(x^2)`; `^` groups to the right; comparisons do not chain.
const Tree *expression_parse(Arena *arena, const char *text, ExpressionProblem *problem);
const char *sign_text(Sign sign); // "//"
