// What the files of reduce kernels share: the fold, and the text of its reductions (compiler/ir/reduction.h).
#pragma once
#include "compiler/emit/emitter.h"

typedef struct {
    Emitter *emitter;
    Value arg;
    Type space;            // of the argument
    Layout layout;         // of the argument
    bool folded[MAX_RANK];
    bool inner_folded;
    bool has_other_than_sums;
    bool tree;             // a workgroup shares the elements of one result
    bool is_part;          // of a kernel of joined reductions, or of a chain
    const char *result;    // number of the result, or of the four, that is folded
    Index number;          // the same
    Index index[MAX_RANK]; // of the argument, while inside the loops
    Index kept[MAX_RANK];  // of a result
    uint32_t kept_rank;
    double count;          // elements folded into one
} Fold;

enum { REDUCE_LOCALS_MAX = 4 };

// One block of a reduction's text, with the names that are its own.
typedef struct {
    Fold *fold;
    Value root;
    const Reduction *reduction;
    const char *x, *first;
    struct {
        const char *word, *name;
    } locals[REDUCE_LOCALS_MAX];
} Filling;

const char *reduce_type(const Fold *fold, DType dtype);
Filling reduce_filling(Fold *fold, Value root);
const char *reduce_choose(const Fold *fold, FoldText text);
const char *reduce_fill(Filling *filling, const char *template);
void reduce_lines(Filling *filling, const char *template); // each emitted; NULL: none
