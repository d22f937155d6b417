// Limit: how deep a document may nest and how much it may make, so that none ends in a crash or without end. Every list of nodes, every
// node that is run and every part of an expression passes here.
#include "compiler/read/reader.h"

enum { DEPTH_MAX = 100, EXPRESSION_DEPTH_MAX = 400, STEPS_MAX = 5000000, DOCUMENTS_MAX = 1000 };

// Nothing that is read after the first of these errors means anything, and there may be no end to it.
static bool refuse(Reader *reader, const char *message) {
    if (!reader->exhausted)
        reader_error(reader, "%s", message);
    reader->exhausted = true;
    return false;
}

bool limit_enter(Reader *reader, const char *what) {
    if (reader->exhausted)
        return false;
    if (reader->depth == DEPTH_MAX)
        return refuse(reader, arena_format(reader->arena, "%s more than %d deep; what contains itself needs an \"if\" that ends it", what,
                                           DEPTH_MAX));
    reader->depth++;
    return true;
}

void limit_leave(Reader *reader) { reader->depth--; }

bool limit_turn(Reader *reader) {
    if (reader->exhausted)
        return false;
    if (reader->turns >= GRAPH_NODES_MAX)
        return refuse(reader, arena_format(reader->arena, "more than %s nodes have been run here, the most that a document may have",
                                           text_thousands(reader->arena, GRAPH_NODES_MAX)));
    reader->turns++;
    return true;
}

bool limit_document(Reader *reader, const Json *place) {
    ReaderPlace old = reader_enter(reader, place, NULL);
    const char *message = arena_format(reader->arena, "more than %d documents are included", DOCUMENTS_MAX);
    bool fits = reader->documents++ < DOCUMENTS_MAX ? limit_enter(reader, "documents are included") : refuse(reader, message);
    reader_leave(reader, old);
    return fits;
}

bool limit_step(Reader *reader) {
    if (reader->exhausted)
        return false;
    if (reader->steps >= STEPS_MAX)
        return refuse(reader, arena_format(reader->arena, "more than %s steps of evaluation; do lets use one another again and again?",
                                           text_thousands(reader->arena, STEPS_MAX)));
    reader->steps++;
    return true;
}

bool limit_enter_expression(Reader *reader) {
    if (!limit_step(reader))
        return false;
    if (reader->expression_depth == EXPRESSION_DEPTH_MAX)
        return refuse(reader, arena_format(reader->arena, "expressions and the lets that they use are nested more than %d deep",
                                           EXPRESSION_DEPTH_MAX));
    reader->expression_depth++;
    return true;
}

void limit_leave_expression(Reader *reader) { reader->expression_depth--; }
