// Vocabulary: ops, layers, optimizers and functions as reference for people, made from the tables that define them.
#pragma once
#include "runtime/base/text.h"

void vocabulary_list(Text *out); // all of them, ops by class
// One of these, or a kind of node; a word may be several. False: it is none.
bool vocabulary_explain(Text *out, const char *name);
const char *vocabulary_suggestion(Arena *arena, const char *name); // text_suggestion among all words
