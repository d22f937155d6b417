// Every: how often a phase runs, an integer of the run's lengths that the host computes before a training begins.
#pragma once
#include "runtime/base/text.h"
#include "runtime/program/words.h"

enum { EVERY_TERMS_MAX = 64, EVERY_DEPTH_MAX = 16 };

// What stands in a formula, in the order of a stack: a number, a length of the run, or what is done with the two values on top.
#define EVERY_KINDS(WORD)                                                                                                                \
    WORD(EVERY_NUMBER, "number")                                                                                                         \
    WORD(EVERY_STEPS, "steps")                                                                                                           \
    WORD(EVERY_EPOCH_STEPS, "epoch_steps")                                                                                               \
    WORD(EVERY_ADD, "+")                                                                                                                 \
    WORD(EVERY_SUB, "-")                                                                                                                 \
    WORD(EVERY_MUL, "*")                                                                                                                 \
    WORD(EVERY_FLOOR_DIV, "//") /* rounds down; by 0: 0 */                                                                               \
    WORD(EVERY_MOD, "%")        /* the sign of the divisor; by 0: 0 */                                                                   \
    WORD(EVERY_MIN, "min")                                                                                                               \
    WORD(EVERY_MAX, "max")
typedef enum { EVERY_KINDS(WORDS_ENUMERATOR) } EveryKind;
enum { EVERY_KIND_COUNT = 0 EVERY_KINDS(WORDS_ONE) };
extern const char *const every_kind_names[EVERY_KIND_COUNT];

typedef struct {
    EveryKind kind;
    int32_t number; // EVERY_NUMBER
} EveryTerm;

// Steps that it divides, from step 0 on. No terms: each step.
typedef struct {
    ARRAY(EveryTerm) terms;
} Every;

// Whether the terms are one formula: two values for whatever takes two, one left at the end, within the bounds above.
bool every_is_whole(const Every *every);
// Of a whole formula; what leaves 64 bits stays at their end.
int64_t every_value(const Every *every, uint32_t steps, uint32_t epoch_steps);
// "2*epoch_steps", with brackets where they are needed. Of a whole formula with terms.
const char *every_text(Arena *arena, const Every *every);
