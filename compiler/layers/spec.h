// Spec: what a row of layers.def or functions.def says of options or arguments: "channels kernel! pad:*|**|same mode?:zeros|reflect". '!'
// stands after those that are required (of layers), '?' after those that may be left out (of functions). After ':' stands what it may be
// where that is not just a value: "*" (any value), "**" (a list of pairs), "@" (a tensor), "$" (any text), and then words.
#pragma once
#include "runtime/base/text.h"

typedef struct {
    const char *name; // not zero-terminated
    size_t length;
    bool is_required, is_optional; // '!', '?'
    const char *kinds;             // "zeros|reflect": not zero-terminated; NULL where it may be any value
    size_t kinds_length;
} SpecItem;

bool spec_next(const char **at, SpecItem *item);                               // false after the last; *at begins as the spec
bool spec_find(const char *spec, const char *name, SpecItem *item);            // false where there is none of this name
bool spec_takes(const SpecItem *item, const char *kind);                       // a word, "*", "**" or "@"
bool spec_is_word(const SpecItem *item);                                       // words alone
bool spec_is_text(const SpecItem *item);                                       // words alone, or any text
const char *spec_words(Arena *arena, const SpecItem *item);                    // "zeros, reflect or replicate"
const char *spec_shown(Arena *arena, const char *spec, const char *separator); // for people: "pads, mode? (zeros or reflect)"
