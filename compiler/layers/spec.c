// Spec: see spec.h.
#include "compiler/layers/spec.h"
#include <string.h>

bool spec_next(const char **at, SpecItem *item) {
    *at += strspn(*at, " ");
    if (!**at)
        return false;
    *item = (SpecItem){.name = *at, .length = strcspn(*at, " !?:")};
    for (*at += item->length; **at == '!' || **at == '?'; ++*at) {
        item->is_required = item->is_required || **at == '!';
        item->is_optional = item->is_optional || **at == '?';
    }
    if (**at == ':') {
        item->kinds = ++*at;
        item->kinds_length = strcspn(*at, " ");
        *at += item->kinds_length;
    }
    return true;
}

bool spec_find(const char *spec, const char *name, SpecItem *item) {
    size_t length = strlen(name);
    while (spec_next(&spec, item))
        if (item->length == length && !strncmp(item->name, name, length))
            return true;
    return false;
}

// The next of the kinds: false after the last.
static bool next_kind(const SpecItem *item, size_t *at, const char **kind, size_t *length) {
    if (!item->kinds || *at >= item->kinds_length)
        return false;
    *kind = item->kinds + *at;
    *length = 0;
    while (*at + *length < item->kinds_length && (*kind)[*length] != '|')
        ++*length;
    *at += *length + 1;
    return true;
}

bool spec_takes(const SpecItem *item, const char *wanted) {
    const char *kind;
    size_t at = 0, length;
    while (next_kind(item, &at, &kind, &length))
        if (strlen(wanted) == length && !strncmp(kind, wanted, length))
            return true;
    return false;
}

bool spec_is_word(const SpecItem *item) { return item->kinds && !strchr("*@$", *item->kinds); }

bool spec_is_text(const SpecItem *item) { return spec_is_word(item) || spec_takes(item, "$"); }

const char *spec_words(Arena *arena, const SpecItem *item) {
    Text text = text_create(arena);
    const char *kind, *later;
    size_t at = 0, length, later_length;
    while (next_kind(item, &at, &kind, &length)) {
        size_t next = at;
        bool is_last = !next_kind(item, &next, &later, &later_length);
        if (!strchr("*@$", *kind))
            text_format(&text, "%s%.*s", !text.length ? "" : is_last ? " or " : ", ", (int)length, kind);
    }
    return text.data;
}

const char *spec_shown(Arena *arena, const char *spec, const char *separator) {
    Text text = text_create(arena);
    SpecItem item;
    while (spec_next(&spec, &item)) {
        const char *words = spec_words(arena, &item);
        text_format(&text, "%s%.*s%s%s", text.length ? separator : "", (int)item.length, item.name, item.is_required ? "!" : "",
                    item.is_optional ? "?" : "");
        if (*words)
            text_format(&text, " (%s%s)", spec_takes(&item, "*") ? "or " : "", words);
    }
    return text.data;
}
