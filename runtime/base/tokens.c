// Tokens: see tokens.h.
#include "runtime/base/tokens.h"
#include "runtime/base/text.h"
#include <stdlib.h>

static int by_bytes(const void *a, const void *b, void *words) {
    uint32_t i = *(const uint32_t *)a, k = *(const uint32_t *)b;
    int order = strcmp(((const char *const *)words)[i], ((const char *const *)words)[k]);
    return order ? order : i < k ? -1 : i > k;
}

static uint32_t *sorted(Arena *arena, const char *const *words, uint32_t count) {
    uint32_t *order = ARENA_NEW(arena, uint32_t, count + 1u);
    for (uint32_t i = 0; i < count; i++)
        order[i] = i;
    qsort_r(order, count, sizeof *order, by_bytes, (void *)(uintptr_t)words);
    return order;
}

const Tokens *tokens_create(Arena *arena, const char *of, const char *const *words, uint32_t count) {
    Tokens *tokens = ARENA_NEW(arena, Tokens, 1);
    uint32_t *order = sorted(arena, words, count), kept = 0;
    for (uint32_t i = 0; i < count; i++)
        if (words[order[i]][0] && (kept == 0 || strcmp(words[order[kept - 1]], words[order[i]])))
            order[kept++] = order[i];
    *tokens = (Tokens){of, words, count, order, kept};
    return tokens;
}

// ---- a file of tokens

static void warn_of_repeats(Arena *arena, const char *file, const char *const *words, uint32_t count, Diag *diag) {
    const uint32_t *order = sorted(arena, words, count);
    uint32_t repeats = 0, first = 0, second = 0;
    for (uint32_t i = 0, same = 0; i < count; i++) {
        same = i && !strcmp(words[order[i]], words[order[i - 1]]) ? same : i;
        if (same == i || !words[order[i]][0])
            continue;
        if (repeats++ == 0 || order[i] < second)
            first = order[same], second = order[i];
    }
    if (repeats)
        diag_warning(diag, &(Place){.file = file, .line = second + 1, .column = 1},
                     "%u line%s of tokens that were there before and are never found; this one is line %u again", repeats,
                     repeats > 1 ? "s" : "", first + 1);
}

const char **tokens_lines(Arena *arena, const char *file, const char *bytes, size_t size, uint32_t *count, Diag *diag) {
    ARRAY(const char *) lines = {0};
    Place place = {.file = file, .line = 1, .column = 1};
    size_t at = size >= 3 && !memcmp(bytes, "\xef\xbb\xbf", 3) ? 3 : 0;
    for (; at < size; place.line++) {
        size_t begin = at, step = 1;
        for (; at < size && bytes[at] != '\n'; at += step) {
            step = bytes[at] ? text_utf8_size(bytes + at, size - at) : 0;
            if (!step) {
                place.column = (uint32_t)(at - begin) + 1;
                diag_error(diag, &place, bytes[at] ? "a file of tokens is UTF-8, and this byte is not" : "no token holds a zero byte");
                return NULL;
            }
        }
        if (lines.count == TOKENS_WORDS_MAX) {
            diag_error(diag, &place, "at most %d tokens are allowed, one a line", TOKENS_WORDS_MAX);
            return NULL;
        }
        size_t end = at > begin && at < size && bytes[at - 1] == '\r' ? at - 1 : at;
        array_push(arena, &lines, arena_copy_bytes(arena, bytes + begin, end - begin));
        at++;
    }
    *count = lines.count;
    warn_of_repeats(arena, file, lines.items, lines.count, diag);
    return lines.items ? lines.items : ARENA_NEW(arena, const char *, 1);
}

// ---- a text

uint32_t tokens_below(const Tokens *tokens) { return TOKENS_WORDS_FIRST + tokens->count; }

// The first place from `low` on, before `high`, whose word has at `depth` a byte of at least `byte`; all share what is before.
static uint32_t first_from(const Tokens *tokens, uint32_t low, uint32_t high, size_t depth, int byte) {
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if ((unsigned char)tokens->words[tokens->order[middle]][depth] < byte)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

// The longest token that the text begins with and its bytes; TOKENS_WORDS_MAX: none.
static uint32_t longest(const Tokens *tokens, const char *text, size_t *size) {
    uint32_t low = 0, high = tokens->order_count, found = TOKENS_WORDS_MAX;
    for (size_t depth = 0; text[depth] && low < high; depth++) {
        low = first_from(tokens, low, high, depth, (unsigned char)text[depth]);
        high = first_from(tokens, low, high, depth, (unsigned char)text[depth] + 1);
        if (low < high && !tokens->words[tokens->order[low]][depth + 1]) { // the shortest of them comes first
            found = tokens->order[low];
            *size = depth + 1;
        }
    }
    return found;
}

uint32_t tokens_encode(const Tokens *tokens, const char *text, uint32_t size, int32_t *out) {
    uint32_t count = 0;
    while (*text && count < size) {
        size_t bytes = 1;
        uint32_t word = longest(tokens, text, &bytes);
        out[count++] = word < TOKENS_WORDS_MAX ? TOKENS_WORDS_FIRST + (int32_t)word : (unsigned char)*text + 1;
        text += bytes;
    }
    for (uint32_t i = count; i < size; i++)
        out[i] = 0;
    return count;
}
