// Foreign words: what a person writes who comes from PyTorch or NumPy, and what it is called here. An unknown word of a document is looked up
// among them before the nearest in spelling is: "pow" is no misspelt "pop".
#pragma once
#include "runtime/base/arena.h"
#include <stdbool.h>

// "; did you mean "clip"?" or "; here that is a^b": of the first row of `word` whose word here is among `words`. NULL: there is none.
const char *foreign_suggestion(Arena *arena, const char *word, const char *const *words, uint32_t count);
bool foreign_row(uint32_t i, const char **word, const char **here, const char **written); // false: there are no more
