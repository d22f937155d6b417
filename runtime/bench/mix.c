// Mix: lines of assembly to loops.
#include "runtime/bench/mix.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

const char *const mix_class_names[MIX_CLASS_COUNT] = {"multiply-add", "matrix", "vector", "shared", "memory", "scalar"};

enum { MIX_BRANCH = MIX_CLASS_COUNT, MIX_NONE };

typedef enum {
#define DIALECT(name, ...) DIALECT_##name,
#include "runtime/bench/mix.def"
    DIALECT_COUNT
} Dialect;

static const struct {
    const char *text;
    int unknown; // the class of words that no row knows
} dialects[DIALECT_COUNT] = {
#define DIALECT(name, text, unknown) {text, MIX_##unknown},
#include "runtime/bench/mix.def"
};

static const struct {
    Dialect dialect;
    int kind;
    const char *begin;
} rows[] = {
#define INSTRUCTION(dialect, kind, begin) {DIALECT_##dialect, MIX_##kind, begin},
#include "runtime/bench/mix.def"
};

typedef struct {
    const char *text; // not 0-terminated
    size_t length;
} Word;

static bool same_word(Word a, Word b) { return a.length == b.length && memcmp(a.text, b.text, a.length) == 0; }
static bool is_word(Word word, const char *text) { return word.length == strlen(text) && memcmp(word.text, text, word.length) == 0; }

static int kind_of(Dialect dialect, Word word) {
    int kind = MIX_NONE;
    size_t longest = 0;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t length = strlen(rows[i].begin);
        if (rows[i].dialect == dialect && length > longest && length <= word.length && memcmp(word.text, rows[i].begin, length) == 0)
            kind = rows[i].kind, longest = length;
    }
    return kind == MIX_NONE && word.length && islower((unsigned char)word.text[0]) ? dialects[dialect].unknown : kind;
}

// One line of the text: a label, or instructions, of which RDNA 3 may have two.
typedef struct {
    Word label, target; // length 0: none. The last operand, where it is a branch
    uint8_t counts[MIX_CLASS_COUNT];
} Line;

static bool ends_line(char c) { return !c || c == '\n' || c == ';' || c == '/'; }

static Word next_word(const char **at) {
    *at += strspn(*at, " \t,");
    Word word = {*at, ends_line(**at) ? 0 : strcspn(*at, " \t,;/\n")};
    *at += word.length;
    return word;
}

// Flags in parentheses before an instruction; returns how often it is repeated.
static uint32_t strip_flags(Word *word) {
    uint32_t times = 1;
    while (word->length && word->text[0] == '(') {
        size_t length = strcspn(word->text, ")") + 1;
        if (length > word->length)
            break;
        if (memcmp(word->text, "(rpt", 4) == 0)
            times += (uint32_t)strtoul(word->text + 4, NULL, 10);
        word->text += length;
        word->length -= length;
    }
    return times;
}

// `block.u 12 L16 [10, 11] -> {` begins what is called L16.
static bool read_block(const char *at, Line *line) {
    if (strncmp(at, "block", 5) != 0)
        return false;
    for (int i = 0; i < 3; i++)
        line->label = next_word(&at);
    return true;
}

// The number of the word that is the instruction: the first, or the one behind `=`.
static uint32_t place_of_instruction(Dialect dialect, const char *at) {
    Word word = next_word(&at);
    uint32_t place = 0;
    for (uint32_t i = 1; dialect == DIALECT_NAK && word.length; i++) {
        if (i == 1 && word.text[0] == '@')
            place = 1;
        if (is_word(word, "="))
            place = i;
        word = next_word(&at);
    }
    return place;
}

static void read_line(Dialect dialect, const char *at, Line *line) {
    *line = (Line){0};
    if (dialect == DIALECT_NAK && read_block(at, line))
        return;
    uint32_t place = place_of_instruction(dialect, at), number = 0;
    bool is_branch = false, is_scalar = false;
    for (Word word = next_word(&at); word.length; word = next_word(&at), number++) {
        if (is_word(word, "::")) { // another instruction follows
            place = number + 1;
            continue;
        }
        if (number == place && word.text[word.length - 1] == ':') {
            line->label = (Word){word.text, word.length - 1};
            place++;
            continue;
        }
        if (number < place)
            is_scalar |= dialect == DIALECT_NAK && word.text[0] == 'u'; // what a warp has in common
        if (is_branch)
            line->target = word.text[0] == '#' ? (Word){word.text + 1, word.length - 1} : word;
        if (number != place)
            continue;
        uint32_t times = strip_flags(&word);
        if (!word.length) { // flags stand apart
            place++;
            continue;
        }
        int kind = kind_of(dialect, word);
        is_branch |= kind == MIX_BRANCH;
        kind = kind == MIX_BRANCH || (is_scalar && kind == MIX_VECTOR) ? MIX_SCALAR : kind;
        if (kind < MIX_CLASS_COUNT)
            line->counts[kind] = (uint8_t)(line->counts[kind] + times);
    }
}

// The line of the label that a branch jumps back to; `from` itself: it jumps on.
static uint32_t line_of(const Line *lines, uint32_t from, Word target) {
    for (uint32_t i = 0; i < from; i++)
        if (lines[i].label.length && same_word(lines[i].label, target))
            return i;
    return from;
}

typedef struct {
    uint32_t first, last; // lines
    uint32_t own;         // multiply-adds and matrix operations that stand in no loop within
} Loop;

static uint32_t work_of(const uint32_t *counts) { return counts[MIX_MULTIPLY_ADD] + counts[MIX_MATRIX]; }

static uint32_t vector_of(const uint32_t *counts) { return work_of(counts) + counts[MIX_VECTOR] + counts[MIX_SHARED] + counts[MIX_MEMORY]; }

// Loops end in the order of their last lines, so those within come before.
static Loop loop_between(const Line *lines, const Loop *loops, uint32_t count, uint32_t first, uint32_t last) {
    Loop loop = {first, last, 0};
    for (uint32_t i = first; i <= last; i++)
        loop.own += lines[i].counts[MIX_MULTIPLY_ADD] + lines[i].counts[MIX_MATRIX];
    for (uint32_t i = 0; i < count; i++)
        if (loops[i].first >= first && loops[i].last < last)
            loop.own -= loops[i].own;
    return loop;
}

static Mix mix_of(const Line *lines, const Loop *loop) {
    Mix mix = {.first = loop->first + 1, .last = loop->last + 1};
    for (uint32_t i = loop->first; i <= loop->last; i++)
        for (uint32_t k = 0; k < MIX_CLASS_COUNT; k++)
            mix.counts[k] += lines[i].counts[k];
    return mix;
}

// Of two loops that multiply and add as much, the one that does more besides: where none does, it is the kernel's work.
static bool is_better(const Line *lines, const Loop *a, const Loop *b) {
    Mix x = mix_of(lines, a), y = mix_of(lines, b);
    return a->own != b->own ? a->own > b->own : vector_of(x.counts) > vector_of(y.counts);
}

bool mix_of_loop(Arena *arena, const char *name, const char *text, Mix *out) {
    Dialect dialect = 0;
    while (dialect < DIALECT_COUNT && strcmp(dialects[dialect].text, name) != 0)
        dialect++;
    *out = (Mix){0};
    if (dialect == DIALECT_COUNT)
        return false;
    uint32_t count = 1, loop_count = 0, best = 0;
    for (const char *at = text; *at; at++)
        count += *at == '\n';
    Line *lines = ARENA_NEW(arena, Line, count);
    Loop *loops = ARENA_NEW(arena, Loop, count);
    uint32_t i = 0;
    for (const char *at = text; i < count; i++, at += *at == '\n') {
        read_line(dialect, at, &lines[i]);
        at += strcspn(at, "\n");
    }
    for (i = 0; i < count; i++) {
        uint32_t start = lines[i].target.length ? line_of(lines, i, lines[i].target) : i;
        if (start == i)
            continue;
        loops[loop_count] = loop_between(lines, loops, loop_count, start, i);
        if (is_better(lines, &loops[loop_count], &loops[best]))
            best = loop_count;
        loop_count++;
    }
    *out = loop_count ? mix_of(lines, &loops[best]) : (Mix){0};
    return loop_count > 0;
}

double mix_share(const Mix *mix) { return vector_of(mix->counts) ? (double)work_of(mix->counts) / vector_of(mix->counts) : 0; }
