// Tokens: a text as numbers, for networks that read it.
//
// 0 pads; byte b of the text is b + 1. Of a list of tokens, token k (from 0) is 257 + k: at each place the longest one that the text goes on
// with is taken, and where there is none, its byte. Nothing is normalised: a list that shall know "a" and "A" holds both.
#pragma once
#include "runtime/base/diag.h"

enum { TOKENS_WORDS_FIRST = 257, TOKENS_WORDS_MAX = 1 << 20 };
#define TOKENS_BYTES "bytes" // where there is no list

typedef struct {
    const char *of;           // TOKENS_BYTES, or the file that the list came from
    const char *const *words; // by number
    uint32_t count;
    const uint32_t *order; // of those that can be found, by their bytes: no empty ones, and of equal ones the first
    uint32_t order_count;
} Tokens;

// The words must outlive it. Of bytes there are none.
const Tokens *tokens_create(Arena *arena, const char *of, const char *const *words, uint32_t count);
// The lines of a file of tokens: a token a line, which ends with LF or CR LF; all else, blanks too, is the token's. A byte order mark at the
// beginning is none of it. Empty lines take a number, and are never found. NULL (reported with its line): text that is no UTF-8, a zero
// byte, more than TOKENS_WORDS_MAX lines; a warning for lines that are there twice, of which the first counts.
const char **tokens_lines(Arena *arena, const char *file, const char *bytes, size_t size, uint32_t *count, Diag *diag);
uint32_t tokens_below(const Tokens *tokens); // all are less than this
// Exactly `size` numbers: the text's first ones, then zeros. How many are the text's.
uint32_t tokens_encode(const Tokens *tokens, const char *text, uint32_t size, int32_t *out);
