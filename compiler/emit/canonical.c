// Canonical: names are found by their declarations, so that no emitter has to say which prefixes it uses.
#include "compiler/emit/canonical.h"
#include <ctype.h>

typedef struct {
    const char *start;
    uint32_t length, number; // number 0: not met yet
} Name;

typedef struct {
    Name *slots;
    uint32_t slot_count; // a power of two
    uint32_t count, numbered;
} Names;

typedef struct {
    const char *start;
    size_t length;
    bool is_word, has_digit;
} Token;

static bool is_word_byte(char c) { return isalnum((unsigned char)c) || c == '_'; }

// The next token, behind comments; of what is neither a word nor a number one byte, of a directive the line. Length 0: the end.
static Token next_token(const char *at, bool line_begins) {
    while (at[0] == '/' && at[1] == '/')
        at += strcspn(at, "\n");
    Token token = {.start = at, .length = *at ? 1 : 0};
    if (*at == '#' && line_begins)
        token.length = strcspn(at, "\n");
    if (!is_word_byte(*at))
        return token;
    token.is_word = !isdigit((unsigned char)*at);
    for (token.length = 0; is_word_byte(at[token.length]) || (!token.is_word && at[token.length] == '.'); token.length++)
        token.has_digit |= isdigit((unsigned char)at[token.length]) != 0;
    return token;
}

static bool is_one_of(const Token *token, const char *const *words, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        if (strlen(words[i]) == token->length && !memcmp(words[i], token->start, token->length))
            return true;
    return false;
}

// A word behind another one is declared there, unless the first is one of these.
static bool is_type(const Token *token) {
    static const char *const words[] = {"return", "else", "do", "case", "const", "uniform", "shared", "readonly", "writeonly", "restrict", "coherent", "in", "out", "inout",
                                        "highp", "mediump", "lowp", "precise", "flat"};
    return token->is_word && !is_one_of(token, words, sizeof words / sizeof *words);
}

static Name *find(const Names *names, const Token *token) {
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < token->length; i++)
        hash = (hash ^ (unsigned char)token->start[i]) * 16777619u;
    for (uint32_t at = hash & (names->slot_count - 1);; at = (at + 1) & (names->slot_count - 1)) {
        Name *name = &names->slots[at];
        if (!name->length || (name->length == token->length && !memcmp(name->start, token->start, token->length)))
            return name;
    }
}

static void grow(Arena *arena, Names *names) {
    Names larger = {.slot_count = names->slot_count ? names->slot_count * 2 : 256, .count = names->count};
    larger.slots = ARENA_NEW(arena, Name, larger.slot_count);
    for (uint32_t i = 0; i < names->slot_count; i++)
        if (names->slots[i].length)
            *find(&larger, &(Token){.start = names->slots[i].start, .length = names->slots[i].length}) = names->slots[i];
    *names = larger;
}

static void declare(Arena *arena, Names *names, const Token *token) {
    Name *name = find(names, token);
    names->count += name->length == 0;
    *name = (Name){.start = token->start, .length = (uint32_t)token->length};
    if (names->count > names->slot_count / 2)
        grow(arena, names);
}

// The next token that is no space.
static Token next_visible(const char *at, bool *line_begins) {
    for (;;) {
        Token token = next_token(at, *line_begins);
        *line_begins = *token.start == '\n' || (*line_begins && isspace((unsigned char)*token.start));
        if (!token.length || !isspace((unsigned char)*token.start))
            return token;
        at = token.start + token.length;
    }
}

// `int x0 = …, y0 = …;`: a word behind a type is declared, and so is one behind a comma of the same declaration.
static Names declared_names(Arena *arena, const char *source) {
    Names names = {0};
    Token before = {0};
    bool line_begins = true, in_list = false;
    int depth = 0, list_depth = 0;
    grow(arena, &names);
    for (Token token = next_visible(source, &line_begins), next; token.length; before = token, token = next) {
        char c = *token.start;
        next = next_visible(token.start + token.length, &line_begins);
        depth += (c == '(' || c == '[' || c == '{') - (c == ')' || c == ']' || c == '}');
        bool is_first = token.is_word && is_type(&before), is_next = token.is_word && in_list && depth == list_depth && before.start && *before.start == ',' && !next.is_word;
        if ((is_first || is_next) && token.has_digit)
            declare(arena, &names, &token);
        if (is_first)
            in_list = true, list_depth = depth;
        else if (c == ';' || depth < list_depth)
            in_list = false;
    }
    return names;
}

const char *canonical_text(Arena *arena, const char *source) {
    Names names = declared_names(arena, source);
    Text text = text_create(arena);
    bool line_begins = true;
    for (Token token = next_token(source, true); token.length; token = next_token(token.start + token.length, line_begins)) {
        line_begins = *token.start == '\n' || (line_begins && isspace((unsigned char)*token.start));
        Name *name = token.is_word && token.has_digit ? find(&names, &token) : NULL;
        if (!name || !name->length) {
            text_append_bytes(&text, token.start, token.length);
            continue;
        }
        if (!name->number)
            name->number = ++names.numbered;
        text_format(&text, "$%u", name->number);
    }
    return text.data;
}
