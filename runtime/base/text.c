// Text: growth by doubling, edit distance for suggestions, numbers for people.
#include "runtime/base/text.h"
#include <ctype.h>
#include <math.h>
#include <stdio.h>

enum {
    WORD_MAX = 64,     // longer words are never compared
    EXCERPT_SIDE = 60, // bytes shown before and after a place in a long text
};

Text text_create(Arena *arena) {
    Text text = {.arena = arena, .capacity = 64};
    text.data = arena_alloc(arena, text.capacity);
    return text;
}

static void reserve(Text *text, size_t more) {
    size_t free_bytes = text->capacity - text->length - 1;
    if (more <= free_bytes)
        return;
    size_t capacity = text->capacity * 2;
    if (capacity - text->length - 1 < more)
        capacity = text->length + more + 1;
    char *data = arena_alloc(text->arena, capacity);
    memcpy(data, text->data, text->length + 1);
    text->data = data;
    text->capacity = capacity;
}

void text_append(Text *text, const char *piece) { text_append_bytes(text, piece, strlen(piece)); }

void text_append_bytes(Text *text, const char *bytes, size_t count) {
    if (count == 0)
        return;
    reserve(text, count);
    memcpy(text->data + text->length, bytes, count);
    text->length += count;
    text->data[text->length] = 0;
}

void text_format(Text *text, const char *format, ...) {
    va_list list;
    va_start(list, format);
    size_t room = text->capacity - text->length;
    int length = vsnprintf(text->data + text->length, room, format, list);
    va_end(list);
    if (length < 0) {
        text->data[text->length] = 0;
        return;
    }
    if ((size_t)length >= room) {
        reserve(text, (size_t)length);
        va_start(list, format);
        vsnprintf(text->data + text->length, (size_t)length + 1, format, list);
        va_end(list);
    }
    text->length += (size_t)length;
}

void text_clear(Text *text) {
    text->length = 0;
    text->data[0] = 0;
}

bool text_starts_with(const char *text, const char *prefix) { return strncmp(text, prefix, strlen(prefix)) == 0; }

bool text_ends_with(const char *text, const char *suffix) {
    size_t length = strlen(text), tail = strlen(suffix);
    return length >= tail && memcmp(text + length - tail, suffix, tail) == 0;
}

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

// Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours, letters compared without case.
static size_t edit_distance(const char *a, size_t a_length, const char *b, size_t b_length) {
    size_t rows[3][WORD_MAX + 1];
    for (size_t j = 0; j <= b_length; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a_length; i++) {
        size_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *above_that = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            int x = tolower((unsigned char)a[i - 1]), y = tolower((unsigned char)b[j - 1]);
            row[j] = least(least(above[j], row[j - 1]) + 1, above[j - 1] + (x != y));
            if (i > 1 && j > 1 && x == tolower((unsigned char)b[j - 2]) && y == tolower((unsigned char)a[i - 2]))
                row[j] = least(row[j], above_that[j - 2] + 1);
        }
    }
    return rows[a_length % 3][b_length];
}

// A third of the longer word may differ; more would suggest words that have nothing to do with it.
static size_t distance_allowed(size_t a, size_t b) {
    size_t longer = a > b ? a : b, shorter = least(a, b);
    if (longer <= 1)
        return 0;
    if (longer - shorter <= 1)
        return longer < 3 ? 1 : longer / 3;
    return (longer + 2) / 3;
}

const char *text_nearest(const char *word, const char *const *known, size_t count) {
    size_t length = strlen(word), best_distance = SIZE_MAX;
    const char *best = NULL;
    if (length > WORD_MAX)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        size_t known_length = strlen(known[i]);
        if (known_length > WORD_MAX)
            continue;
        size_t distance = edit_distance(word, length, known[i], known_length);
        if (distance <= distance_allowed(length, known_length) && distance < best_distance) {
            best_distance = distance;
            best = known[i];
        }
    }
    return best;
}

const char *text_suggestion(Arena *arena, const char *word, const char *const *known, size_t count) {
    const char *nearest = text_nearest(word, known, count);
    if (nearest)
        return arena_format(arena, "; did you mean \"%s\"?", nearest);
    if (count == 0)
        return "";
    Text text = text_create(arena);
    text_append(&text, "; known: ");
    for (size_t i = 0; i < count; i++) {
        text_append(&text, i ? ", " : "");
        text_append(&text, known[i]);
    }
    return text.data;
}

static bool is_continuation(unsigned char byte) { return (byte & 0xC0) == 0x80; }

const char *text_excerpt(Arena *arena, const char *text, size_t offset) {
    size_t length = strlen(text), begin = 0, end = length;
    if (length <= 2 * EXCERPT_SIDE)
        return text;
    offset = least(offset, length);
    if (offset > EXCERPT_SIDE)
        begin = least(offset, length - EXCERPT_SIDE) - EXCERPT_SIDE;
    end = least(begin + 2 * EXCERPT_SIDE, length);
    while (begin > 0 && is_continuation((unsigned char)text[begin]))
        begin--;
    while (end < length && is_continuation((unsigned char)text[end]))
        end++;
    return arena_format(arena, "%s%.*s%s", begin ? "…" : "", (int)(end - begin), text + begin, end < length ? "…" : "");
}

const char *text_thousands(Arena *arena, uint64_t number) {
    char digits[24];
    int length = snprintf(digits, sizeof digits, "%llu", (unsigned long long)number);
    Text text = text_create(arena);
    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            text_append(&text, ",");
        text_append_bytes(&text, &digits[i], 1);
    }
    return text.data;
}

const char *text_bound(Arena *arena, int64_t number, int64_t low, int64_t high) {
    return number > high ? arena_format(arena, "at most %s", text_thousands(arena, (uint64_t)high))
                         : arena_format(arena, "at least %lld", (long long)low);
}

const char *text_bytes(Arena *arena, uint64_t bytes) {
    static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    if (bytes < 1024)
        return arena_format(arena, "%llu B", (unsigned long long)bytes);
    double amount = (double)bytes / 1024.0;
    size_t unit = 0;
    for (; amount >= 1023.95; unit++) // what would print as 1024.0
        amount /= 1024.0;
    return arena_format(arena, "%.1f %s", amount, units[unit]);
}

size_t text_utf8_size(const char *bytes, size_t count) {
    const unsigned char *b = (const unsigned char *)bytes;
    if (count == 0)
        return 0;
    if (b[0] < 0x80)
        return 1;
    if (count >= 2 && b[0] >= 0xC2 && b[0] <= 0xDF && is_continuation(b[1]))
        return 2;
    if (count >= 3 && (b[0] & 0xF0) == 0xE0 && is_continuation(b[1]) && is_continuation(b[2])) {
        bool overlong = b[0] == 0xE0 && b[1] < 0xA0, surrogate = b[0] == 0xED && b[1] >= 0xA0;
        return overlong || surrogate ? 0 : 3;
    }
    if (count >= 4 && b[0] >= 0xF0 && b[0] <= 0xF4 && is_continuation(b[1]) && is_continuation(b[2]) && is_continuation(b[3])) {
        bool overlong = b[0] == 0xF0 && b[1] < 0x90, too_large = b[0] == 0xF4 && b[1] >= 0x90;
        return overlong || too_large ? 0 : 4;
    }
    return 0;
}

// Bytes of the character at `at` that can be shown as it is; 0: a control character, also of Unicode's second block, or no UTF-8.
static size_t printable_size(const char *at, size_t left) {
    size_t size = text_utf8_size(at, left);
    unsigned char first = (unsigned char)at[0], second = size > 1 ? (unsigned char)at[1] : 0;
    return first < ' ' || first == 0x7F || (first == 0xC2 && second < 0xA0) ? 0 : size;
}

const char *text_printable(Arena *arena, const char *text) {
    size_t left = strlen(text), size;
    const char *at = text;
    for (; left > 0 && (size = printable_size(at, left)) > 0; at += size)
        left -= size;
    if (left == 0)
        return text;
    Text out = text_create(arena);
    text_append_bytes(&out, text, (size_t)(at - text));
    while (left > 0) {
        size = printable_size(at, left);
        if (size)
            text_append_bytes(&out, at, size);
        else
            text_format(&out, "\\x%02x", (unsigned char)*at);
        at += size ? size : 1;
        left -= size ? size : 1;
    }
    return out.data;
}

const char *text_flops(Arena *arena, double flops) {
    static const char *const units[] = {"FLOP", "kFLOP", "MFLOP", "GFLOP", "TFLOP"};
    uint32_t unit = 0;
    while (fabs(flops) >= 999.5 && unit + 1 < sizeof units / sizeof *units) {
        flops /= 1000;
        unit++;
    }
    return arena_format(arena, unit == 0 ? "%.0f %s" : "%.3g %s", flops, units[unit]);
}

const char *text_shape(Arena *arena, const char *prefix, uint32_t rank, const uint32_t *dims) {
    Text text = text_create(arena);
    text_format(&text, "%s[", prefix);
    for (uint32_t i = 0; i < rank; i++)
        text_format(&text, "%s%u", i ? ", " : "", dims[i]);
    text_append(&text, "]");
    return text.data;
}
