// Encoder: see encoder.h for the formula.
#include "runtime/data/encoder.h"
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

enum { SIZE = 1024, LENGTH = 64, WEIGHT_WORD = 2, WEIGHT_PAIR = 8, WEIGHT_RUN = 1, RUN_MIN = 3, RUN_MAX = 4, REACH = 2 };
enum { WORD_MAX = 64, WORDS_MAX = 512 }; // longer words are cut, later words left out: a caption is a sentence or two

typedef enum { KIND_WORD = 1, KIND_PAIR = 2, KIND_RUN = 3 } Kind;

static const char *const function_words[] = {"a",    "an",  "are",   "as",    "at",   "be",   "been", "by", "for",
                                             "from", "has", "have",  "in",    "is",   "its",  "of",   "on", "s",
                                             "that", "the", "there", "these", "they", "this", "to",   "was"};
static const char *const connecting_words[] = {"and", "but", "it", "or", "which", "while", "whose", "with"};
static const char clause_ends[] = ".,;:!?()";

typedef enum { ROLE_CONTENT, ROLE_FUNCTION, ROLE_CONNECTION } Role;

typedef struct {
    char text[WORD_MAX + 3]; // "^word$"
    size_t length;           // of the word
    Role role;
    bool begins_clause; // a clause ended before it
} Word;

static bool is_letter(unsigned char byte) {
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') || byte >= 0x80;
}

static bool is_among(const Word *word, const char *const *list, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i], word->text + 1) == 0)
            return true;
    return false;
}

// The next word at or after *from; false at the end.
static bool next_word(const char **from, Word *out) {
    const char *at = *from;
    out->begins_clause = false;
    for (; *at && !is_letter((unsigned char)*at); at++)
        out->begins_clause |= strchr(clause_ends, *at) != NULL;
    if (!*at)
        return false;
    out->text[0] = '^';
    for (out->length = 0; is_letter((unsigned char)*at); at++)
        if (out->length < WORD_MAX)
            out->text[1 + out->length++] = *at >= 'A' && *at <= 'Z' ? (char)(*at + ('a' - 'A')) : *at;
    out->text[out->length + 1] = 0;
    out->role = is_among(out, function_words, sizeof function_words / sizeof *function_words)         ? ROLE_FUNCTION
                : is_among(out, connecting_words, sizeof connecting_words / sizeof *connecting_words) ? ROLE_CONNECTION
                                                                                                      : ROLE_CONTENT;
    out->text[out->length + 1] = '$';
    out->text[out->length + 2] = 0;
    *from = at;
    return true;
}

static uint64_t hash_bytes(uint64_t hash, const char *bytes, size_t count) {
    for (size_t i = 0; i < count; i++)
        hash = (hash ^ (unsigned char)bytes[i]) * 0x100000001b3u;
    return hash;
}

static uint64_t hash_begin(Kind kind) { return (0xcbf29ce484222325u ^ (uint64_t)kind) * 0x100000001b3u; }

static void add(int32_t *sums, uint64_t hash, int32_t weight) {
    hash = (hash ^ hash >> 30) * 0xbf58476d1ce4e5b9u;
    hash = (hash ^ hash >> 27) * 0x94d049bb133111ebu;
    hash ^= hash >> 31;
    sums[hash % SIZE] += hash >> 63 ? -weight : weight;
}

static void add_pair(int32_t *sums, const Word *first, const Word *second) {
    uint64_t hash = hash_bytes(hash_begin(KIND_PAIR), first->text + 1, first->length);
    add(sums, hash_bytes(hash_bytes(hash, " ", 1), second->text + 1, second->length), WEIGHT_PAIR);
}

static void add_word(int32_t *sums, const Word *word) {
    add(sums, hash_bytes(hash_begin(KIND_WORD), word->text + 1, word->length), WEIGHT_WORD);
    for (size_t size = RUN_MIN; size <= RUN_MAX; size++)
        for (size_t i = 0; i + size <= word->length + 2; i++)
            add(sums, hash_bytes(hash_begin(KIND_RUN), word->text + i, size), WEIGHT_RUN);
}

static bool add_words(int32_t *sums, const char *caption, bool with_all_words) {
    Word words[REACH + 1]; // the clause's latest
    uint32_t count = 0, clause = 0;
    for (const char *at = caption; count < WORDS_MAX;) {
        Word *word = &words[clause % (REACH + 1)];
        if (!next_word(&at, word))
            break;
        bool counts = word->role == ROLE_CONTENT || with_all_words;
        if (clause > 0 && (word->begins_clause || (!counts && word->role == ROLE_CONNECTION))) {
            words[0] = *word;
            word = &words[0];
            clause = 0;
        }
        if (!counts)
            continue;
        add_word(sums, word);
        for (uint32_t i = 1; i <= REACH && i <= clause; i++)
            add_pair(sums, &words[(clause - i) % (REACH + 1)], word);
        clause++;
        count++;
    }
    return count > 0;
}

static void encode_ngrams(const char *caption, float *out) {
    int32_t sums[SIZE] = {0};
    int64_t square = 0;
    if (!add_words(sums, caption, false))
        add_words(sums, caption, true);
    for (uint32_t i = 0; i < SIZE; i++)
        square += (int64_t)sums[i] * sums[i];
    double scale = square ? LENGTH / sqrt((double)square) : 0;
    for (uint32_t i = 0; i < SIZE; i++)
        out[i] = (float)(sums[i] * scale);
}

static const TextEncoder encoders[] = {
    {"ngrams-2", "hashed words, pairs of words and runs of letters", SIZE, encode_ngrams},
};
enum { ENCODER_COUNT = sizeof encoders / sizeof *encoders };

const TextEncoder *encoder_default(void) { return &encoders[0]; }

const TextEncoder *encoder_find(const char *name) {
    for (uint32_t i = 0; i < ENCODER_COUNT; i++)
        if (strcmp(encoders[i].name, name) == 0)
            return &encoders[i];
    return NULL;
}
