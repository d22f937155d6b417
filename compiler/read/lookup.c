// Look-ups: what a name in a document ("G", or "s1.G" of a document included as s1) stands for.
#include "compiler/read/reader.h"

// The included document that the dots of the name lead to; the name becomes the rest.
static Document *follow(Document *document, const char **name) {
    for (const char *dot; (dot = strchr(*name, '.'));) {
        Document *next = NULL;
        for (uint32_t i = 0; i < document->children.count && !next; i++) {
            const struct NamedDocument *child = &document->children.items[i];
            if (strlen(child->name) == (size_t)(dot - *name) && !strncmp(child->name, *name, (size_t)(dot - *name)))
                next = child->document;
        }
        if (!next)
            break;
        document = next;
        *name = dot + 1;
    }
    return document;
}

// The index of the name in a list of structs that begin with a name; -1 where there is none, reported where a place is given.
static int64_t find(Reader *reader, const void *items, uint32_t count, size_t size, const char *word, const char *name, const Json *place) {
    ARRAY(const char *) names = {0};
    for (uint32_t i = 0; i < count; i++) {
        const char *own = *(const char *const *)((const char *)items + i * size);
        if (!strcmp(own, name))
            return i;
        array_push(reader->arena, &names, own);
    }
    if (place)
        reader_error_at(reader, place, "no %s \"%s\"%s", word, name, reader_suggest_words(reader, name, names.items, names.count));
    return -1;
}

#define FIND(list, word) find(reader, (list).items, (list).count, sizeof *(list).items, word, name, place)

Network *document_network(Reader *reader, Document *document, const char *name, const Json *place) {
    document = follow(document, &name);
    int64_t i = FIND(document->networks, "network");
    return i < 0 ? NULL : document->networks.items[i].network;
}

OptimizerDecl *document_optimizer(Reader *reader, Document *document, const char *name, const Json *place) {
    document = follow(document, &name);
    int64_t i = FIND(document->optimizers, "optimizer");
    return i < 0 ? NULL : document->optimizers.items[i].optimizer;
}

BlockDecl *document_block(Reader *reader, Document *document, const char *name, const Json *place) {
    document = follow(document, &name);
    int64_t i = FIND(document->blocks, "block");
    return i < 0 ? NULL : &document->blocks.items[i];
}

const Json *document_program(Reader *reader, const Document *document, const char *name, const Json *place) {
    ARRAY(const char *) names = {0};
    for (uint32_t i = 0; i < document->programs.count; i++)
        array_push(reader->arena, &names, document->programs.items[i]->key);
    int64_t i = FIND(names, "program");
    return i < 0 ? NULL : document->programs.items[i];
}
