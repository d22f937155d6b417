// Kinds of nodes: what a node in a list may be; the name is the key by which it is known. In check.c.
#pragma once

typedef enum {
    NODE_OP,
    NODE_EXPR,
    NODE_CALL,
    NODE_BLOCK,
    NODE_FOR,
    NODE_RANDOM,
    NODE_GRADIENT,
    NODE_PARAMETER,
    NODE_STATE,
    NODE_SET,
    NODE_UPDATE,
    NODE_SNAPSHOT,
    NODE_STEP,
    NODE_COMMIT,
    NODE_EMIT,
    NODE_KIND_COUNT
} NodeKind;
const char *node_kind_name(NodeKind kind);
