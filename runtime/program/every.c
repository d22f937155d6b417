// Every: see every.h.
#include "runtime/program/every.h"

#define WORDS_TEXT(name, text) [name] = text,
const char *const every_kind_names[EVERY_KIND_COUNT] = {EVERY_KINDS(WORDS_TEXT)};

static bool is_value(EveryKind kind) { return kind <= EVERY_EPOCH_STEPS; }

bool every_is_whole(const Every *every) {
    uint32_t depth = 0;
    for (uint32_t i = 0; i < every->terms.count; i++) {
        if (is_value(every->terms.items[i].kind))
            depth++;
        else if (depth < 2)
            return false;
        else
            depth--;
        if (depth > EVERY_DEPTH_MAX)
            return false;
    }
    return depth == 1 && every->terms.count <= EVERY_TERMS_MAX;
}

static int64_t saturated(bool is_over, bool is_negative, int64_t value) { return !is_over ? value : is_negative ? INT64_MIN : INT64_MAX; }

static int64_t floor_div(int64_t a, int64_t b) {
    if (b == 0 || (a == INT64_MIN && b == -1))
        return b == 0 ? 0 : INT64_MAX;
    return a / b - (a % b != 0 && (a < 0) != (b < 0));
}

static int64_t floor_mod(int64_t a, int64_t b) {
    if (b == 0 || b == -1)
        return 0;
    int64_t rest = a % b;
    return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

static int64_t combine(EveryKind kind, int64_t a, int64_t b) {
    int64_t out = 0;
    bool is_over = false;
    switch (kind) {
    case EVERY_ADD:
        is_over = __builtin_add_overflow(a, b, &out);
        return saturated(is_over, a < 0, out);
    case EVERY_SUB:
        is_over = __builtin_sub_overflow(a, b, &out);
        return saturated(is_over, a < 0, out);
    case EVERY_MUL:
        is_over = __builtin_mul_overflow(a, b, &out);
        return saturated(is_over, (a < 0) != (b < 0), out);
    case EVERY_FLOOR_DIV:
        return floor_div(a, b);
    case EVERY_MOD:
        return floor_mod(a, b);
    case EVERY_MIN:
        return a < b ? a : b;
    case EVERY_MAX:
        return a > b ? a : b;
    case EVERY_NUMBER:
    case EVERY_STEPS:
    case EVERY_EPOCH_STEPS:
        break;
    }
    return 0;
}

int64_t every_value(const Every *every, uint32_t steps, uint32_t epoch_steps) {
    int64_t stack[EVERY_DEPTH_MAX + 1] = {0};
    uint32_t depth = 0;
    for (uint32_t i = 0; i < every->terms.count; i++) {
        const EveryTerm *term = &every->terms.items[i];
        if (term->kind == EVERY_NUMBER)
            stack[depth++] = term->number;
        else if (is_value(term->kind))
            stack[depth++] = term->kind == EVERY_STEPS ? steps : epoch_steps;
        else {
            depth--;
            stack[depth - 1] = combine(term->kind, stack[depth - 1], stack[depth]);
        }
    }
    return stack[0];
}

// A part of the formula as text, and how strongly it binds: 0 sums, 1 products, 2 whatever needs no brackets.
typedef struct {
    const char *text;
    int strength;
} Part;

static Part joined(Arena *arena, EveryKind kind, Part a, Part b) {
    const char *sign = every_kind_names[kind];
    if (kind == EVERY_MIN || kind == EVERY_MAX)
        return (Part){arena_format(arena, "%s(%s, %s)", sign, a.text, b.text), 2};
    int strength = kind == EVERY_ADD || kind == EVERY_SUB ? 0 : 1;
    const char *left = a.strength < strength ? arena_format(arena, "(%s)", a.text) : a.text;
    const char *right = b.strength <= strength ? arena_format(arena, "(%s)", b.text) : b.text;
    const char *space = kind == EVERY_MUL ? "" : " ";
    return (Part){arena_format(arena, "%s%s%s%s%s", left, space, sign, space, right), strength};
}

const char *every_text(Arena *arena, const Every *every) {
    Part stack[EVERY_DEPTH_MAX + 1] = {{"", 2}};
    uint32_t depth = 0;
    for (uint32_t i = 0; i < every->terms.count; i++) {
        const EveryTerm *term = &every->terms.items[i];
        if (term->kind == EVERY_NUMBER)
            stack[depth++] = (Part){arena_format(arena, "%d", term->number), term->number < 0 ? 0 : 2};
        else if (is_value(term->kind))
            stack[depth++] = (Part){every_kind_names[term->kind], 2};
        else {
            depth--;
            stack[depth - 1] = joined(arena, term->kind, stack[depth - 1], stack[depth]);
        }
    }
    return stack[0].text;
}
