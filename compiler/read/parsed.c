// Parsed: the trees of texts, found by where a text lies, as texts of documents stay where they are.
#include "compiler/read/reader.h"

static uint32_t slot_of(const Reader *reader, const char *text) {
    uint32_t at = (uint32_t)((uintptr_t)text * UINT64_C(0x9e3779b97f4a7c15) >> 32) & (reader->tree_room - 1);
    while (reader->tree_texts[at] && reader->tree_texts[at] != text)
        at = (at + 1) & (reader->tree_room - 1);
    return at;
}

static void make_room(Reader *reader) {
    const char **texts = reader->tree_texts;
    const Tree **trees = reader->trees;
    uint32_t old = reader->tree_room;
    reader->tree_room = old ? 2 * old : 256;
    reader->tree_texts = ARENA_NEW(reader->arena, const char *, reader->tree_room);
    reader->trees = ARENA_NEW(reader->arena, const Tree *, reader->tree_room);
    for (uint32_t i = 0; i < old; i++)
        if (texts[i]) {
            uint32_t at = slot_of(reader, texts[i]);
            reader->tree_texts[at] = texts[i];
            reader->trees[at] = trees[i];
        }
}

const Tree *parsed_tree(Reader *reader, const char *text, ExpressionProblem *problem) {
    if (2 * reader->tree_count >= reader->tree_room)
        make_room(reader);
    uint32_t at = slot_of(reader, text);
    if (!reader->trees[at] && (reader->trees[at] = expression_parse(reader->arena, text, problem))) {
        reader->tree_texts[at] = text;
        reader->tree_count++;
    }
    return reader->trees[at];
}
