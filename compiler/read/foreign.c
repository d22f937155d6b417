// Foreign words: see foreign.h.
#include "compiler/read/foreign.h"
#include <string.h>

// Columns: the word elsewhere; the word here, which tells the lists that this is about; how it is written here, where that is no word alone.
static const struct {
    const char *word, *here, *written;
} rows[] = {
#define FOREIGN(word, here, written) {word, here, written},
#include "compiler/read/foreign.def"
#undef FOREIGN
};

bool foreign_row(uint32_t i, const char **word, const char **here, const char **written) {
    if (i >= sizeof rows / sizeof *rows)
        return false;
    *word = rows[i].word;
    *here = rows[i].here;
    *written = rows[i].written;
    return true;
}

static bool is_among(const char *word, const char *const *words, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        if (!strcmp(words[i], word))
            return true;
    return false;
}

const char *foreign_suggestion(Arena *arena, const char *word, const char *const *words, uint32_t count) {
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (!strcmp(rows[i].word, word) && is_among(rows[i].here, words, count))
            return rows[i].written ? arena_format(arena, "; here that is %s", rows[i].written)
                                   : arena_format(arena, "; did you mean \"%s\"?", rows[i].here);
    return NULL;
}
