// Text: a string that grows at its end. Used by every printer and by the GLSL emitter.
#pragma once
#include "runtime/base/arena.h"
#include <stdbool.h>

typedef struct {
    Arena *arena;
    char *data; // always 0-terminated; "" when empty
    size_t length, capacity;
} Text;

Text text_create(Arena *arena);
void text_append(Text *text, const char *piece);
void text_append_bytes(Text *text, const char *bytes, size_t count);
__attribute__((format(printf, 2, 3))) void text_format(Text *text, const char *format, ...);
void text_clear(Text *text);

bool text_starts_with(const char *text, const char *prefix);
bool text_ends_with(const char *text, const char *suffix);
// The known word nearest to `word` by edit distance, or NULL when none is near enough to be a likely misspelling.
const char *text_nearest(const char *word, const char *const *known, size_t count);
// `; did you mean "x"?`, or `; known: a, b, c` where none is near. Lives in the arena.
const char *text_suggestion(Arena *arena, const char *word, const char *const *known, size_t count);
// The text, or of a long one what is around the byte at `offset`, with "…" where it is cut; never within a character.
const char *text_excerpt(Arena *arena, const char *text, size_t offset);
// 1234567 -> "1,234,567"; 1536 -> "1.5 KiB".
const char *text_thousands(Arena *arena, uint64_t number);
// What a number that is none of low … high should have been: "at least 1", or "at most 2,147,483,647".
const char *text_bound(Arena *arena, int64_t number, int64_t low, int64_t high);
const char *text_bytes(Arena *arena, uint64_t bytes);
const char *text_flops(Arena *arena, double flops); // "1.23 GFLOP"
// "f32[2, 3]" of the prefix "f32".
const char *text_shape(Arena *arena, const char *prefix, uint32_t rank, const uint32_t *dims);
// The text as it can stand in a message, whatever a file is called: control characters and bytes that are no UTF-8 become \xHH. The text
// itself where there are none.
const char *text_printable(Arena *arena, const char *text);
// Bytes of the UTF-8 character that `bytes` starts with; 0 when it is not well-formed (Unicode, table 3-7) or `count` is 0.
size_t text_utf8_size(const char *bytes, size_t count);
