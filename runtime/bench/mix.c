// Mix: lines of assembly to loops.
#include "runtime/bench/mix.h"
#include <string.h>

const char *const mix_class_names[MIX_CLASS_COUNT] = {"multiply-add", "matrix", "vector", "shared", "memory", "scalar"};

enum { MIX_BRANCH = MIX_CLASS_COUNT, MIX_NONE };

static const struct {
    int kind;
    const char *begin;
} rows[] = {
#define INSTRUCTION(kind, begin) {MIX_##kind, begin},
#include "runtime/bench/mix.def"
};

static int kind_of(const char *word) {
    int kind = MIX_NONE;
    size_t longest = 0;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t length = strlen(rows[i].begin);
        if (length > longest && strncmp(word, rows[i].begin, length) == 0)
            kind = rows[i].kind, longest = length;
    }
    return kind;
}

typedef struct {
    const char *text; // not 0-terminated
    size_t length;
} Word;

static bool same_word(Word a, Word b) { return a.length == b.length && memcmp(a.text, b.text, a.length) == 0; }

// One line of the text: a label, or instructions, of which RDNA 3 may have two.
typedef struct {
    Word label, target; // length 0: none. The last operand, where it is a branch
    uint8_t counts[MIX_CLASS_COUNT];
} Line;

static bool ends_line(char c) { return !c || c == '\n' || c == ';' || c == '/'; }

static void read_line(const char *at, Line *line) {
    *line = (Line){0};
    bool is_first = true, is_branch = false;
    while (!ends_line(*at)) {
        at += strspn(at, " \t,");
        Word word = {at, strcspn(at, " \t,;/\n")};
        if (word.length == 0)
            break;
        at += word.length;
        if (word.length == 2 && memcmp(word.text, "::", 2) == 0) { // another instruction follows
            is_first = true;
            continue;
        }
        if (is_first && word.text[word.length - 1] == ':') {
            line->label = (Word){word.text, word.length - 1};
            continue;
        }
        int kind = is_first ? kind_of(word.text) : MIX_NONE;
        is_branch |= kind == MIX_BRANCH;
        if (kind < MIX_CLASS_COUNT)
            line->counts[kind]++;
        if (kind == MIX_BRANCH)
            line->counts[MIX_SCALAR]++;
        if (!is_first && is_branch)
            line->target = word;
        is_first = false;
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

bool mix_of_loop(Arena *arena, const char *text, Mix *out) {
    uint32_t count = 1, loop_count = 0, best = 0;
    for (const char *at = text; *at; at++)
        count += *at == '\n';
    Line *lines = ARENA_NEW(arena, Line, count);
    Loop *loops = ARENA_NEW(arena, Loop, count);
    uint32_t i = 0;
    for (const char *at = text; i < count; i++, at += *at == '\n') {
        read_line(at, &lines[i]);
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
