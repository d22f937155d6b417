// Reduction: how an op of CLASS_REDUCE folds, as text of shaders. emit/reduce.c fills it in, pass by pass, and knows no reduction by name.
//
// Accumulators are $a, $b, $c, in vec4s: of four neighbouring results, or (where the innermost axis is folded, FoldText.folded) of four parts
// of one. Other words: $x the element (see `element`), $T the elements' type, $E that of one of them, $R the result's, $id the value's number,
// $lowest, $position along ATTR_axis, $greater ($x > $a, the first NaN being largest), $or_nan_x … $or_nan_w (of $a's lanes), $inverse_count,
// $scale (a power of two: squares of what is scaled stay in range), $unscale (of their sum, to the mean), $limit (of their root), and once
// folded $sum_a, $sum_b, $max_a: of the lanes. Any other word is a name of its own.
#pragma once
#include <stdbool.h>
#include <stdint.h>

typedef struct {
    const char *text, *folded; // folded NULL: the same
} FoldText;

// How the lanes of a workgroup become one: `name` by `expression` of $mine and $theirs. NULL: $a goes along with its position $b.
typedef struct {
    const char *name, *type, *expression, *helper;
    bool after[2]; // the first, the second pass
} FoldCombine;

typedef enum { AGAIN_NEVER, AGAIN_ALWAYS, AGAIN_IF } FoldAgain;

typedef struct {
    bool adds_zeros;       // zeros change nothing, so that padding need not be left out
    uint32_t result_count; // more than one: along a new first axis
    const char *start;     // lines; $first is the element at index 0
    const char *neutral;   // what padding counts as
    const char *element;   // of $x, what padding is masked in; NULL: $x itself
    const char *step, *step_again, *helper; // lines in the loop; step_again NULL: the same in the second pass
    FoldCombine combines[2];
    uint32_t combine_count;
    FoldAgain again;                     // a second pass over the elements; AGAIN_ALWAYS has no siblings in its kernel
    FoldText prelude, condition, before; // of it: lines, an expression (AGAIN_IF), lines
    const char *again_note;
    FoldText finish, results[2]; // lines, expressions
    const char *finish_helper;
} Reduction;
