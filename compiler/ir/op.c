// The table of ops.
#include "compiler/ir/op_rows.h"
#include "runtime/base/bug.h"

static const OpDef *const op_defs[OP_COUNT] = {
#define OP(name, ...) [OP_##name] = &op_##name,
#include "compiler/ir/op_names.def"
#undef OP
};

const OpDef *op_def(Op op) {
    CHECK(op > OP_NONE && op < OP_COUNT);
    return op_defs[op];
}

bool op_find(const char *name, Op *out) {
    for (uint32_t op = OP_NONE + 1; op < OP_COUNT; op++)
        if (strcmp(op_defs[op]->name, name) == 0) {
            *out = (Op)op;
            return true;
        }
    return false;
}

bool op_of_operator(const char *word, uint32_t arg_count, Op *out) {
    for (uint32_t op = OP_NONE + 1; op < OP_COUNT; op++)
        if (op_defs[op]->word_kind == WORD_OPERATOR && op_defs[op]->arg_count == arg_count && strcmp(op_defs[op]->word, word) == 0) {
            *out = (Op)op;
            return true;
        }
    return false;
}

bool op_keeps_zero(const OpDef *def) { return def->padding != MAP_NONZERO && def->padding != MAP_QUOTIENT; }

bool op_chooses(Op op) { return op == OP_gather || op == OP_take_along || op == OP_merge; }

// ---- attributes

typedef struct {
    uint32_t count;
    AttrName names[MAX_ATTRS];
} OpAttrs;

static const OpAttrs op_attrs[OP_COUNT] = {
#define A(name) +1
#define STRUCTURED(name, attributes) [OP_##name].count = 0 attributes,
#include "compiler/ir/ops.def"
#undef STRUCTURED
#undef A
#define A(name) ATTR_##name,
#define STRUCTURED(name, attributes) [OP_##name].names = {attributes},
#include "compiler/ir/ops.def"
#undef STRUCTURED
#undef A
};

uint32_t op_attr_count(Op op) { return op_attrs[op].count; }

AttrName op_attr(Op op, uint32_t place) {
    CHECK(place < op_attrs[op].count);
    return op_attrs[op].names[place];
}

uint32_t op_attr_place(Op op, AttrName name) {
    for (uint32_t i = 0; i < op_attrs[op].count; i++)
        if (op_attrs[op].names[i] == name)
            return i;
    bug("%s has no attribute %s", op_def(op)->name, attr_name(name));
}

const Attr *attr_of(const Node *node, AttrName name) { return &node->attrs[op_attr_place(node->op, name)]; }

bool op_folds(const Node *node, uint32_t axis) {
    const Attr *axes = &node->attrs[0];
    bool folds = op_attr(node->op, 0) == ATTR_axis && axes->integer == axis;
    for (uint32_t i = 0; i < axes->count; i++)
        folds = folds || axes->ints[i] == axis;
    return folds;
}
