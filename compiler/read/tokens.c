// Tokens: what a document says of fields and inputs that are texts as numbers.
#include "compiler/read/reader.h"
#include "runtime/base/file.h"

static const Tokens *find_list(Reader *reader, const char *of) {
    for (uint32_t i = 0; i < reader->tokens.count; i++)
        if (!strcmp(reader->tokens.items[i]->of, of))
            return reader->tokens.items[i];
    return NULL;
}

// Lists are called by their file as the main document's folder sees it, so that two documents' are two.
static const Tokens *read_list(Reader *reader, const Json *of) {
    const char *name = of->string;
    const char *const *words = NULL;
    uint32_t count = 0;
    if (strcmp(name, TOKENS_BYTES) != 0) {
        const Json *text = document_text(reader, of, "; \"" TOKENS_BYTES "\" takes bytes alone", &name);
        const Tokens *known = text ? find_list(reader, name) : NULL;
        if (!text || known)
            return known;
        if (!strcmp(name, TOKENS_BYTES)) {
            reader_error_at(reader, of, "a list of tokens cannot be called \"" TOKENS_BYTES "\"");
            return NULL;
        }
        words = tokens_lines(reader->arena, name, text->string, strlen(text->string), &count, reader->diag);
        if (!words)
            return NULL;
        if (count == 0) {
            reader_error_at(reader, of, "\"%s\" holds no tokens: one a line is expected; \"" TOKENS_BYTES "\" takes bytes alone", name);
            return NULL;
        }
    } else if (find_list(reader, name))
        return find_list(reader, name);
    const Tokens *tokens = tokens_create(reader->arena, name, words, count);
    array_push(reader->arena, &reader->tokens, tokens);
    return tokens;
}

bool tokens_read(Reader *reader, const Json *json, uint32_t most, Field *out) {
    const Json *tokens = json_get(json, "tokens"), *range = json_get(json, "range"), *below = json_get(json, "below"),
               *dtype = json_get(json, "dtype");
    if (!tokens)
        return true;
    if (out->type.dtype != DTYPE_I32)
        return reader_error_at(reader, dtype ? dtype : tokens, "tokens are i32; \"%s\" is %s: write \"dtype\": \"i32\"", json->key,
                               dtype_name(out->type.dtype));
    if (range)
        return reader_error_at(reader, range, "tokens have no range");
    if (out->type.rank < 1 || out->type.rank > most)
        return reader_error_at(reader, json_get(json, "shape"), "%u axes; tokens are %s, N being how many of them a text has at most",
                               out->type.rank, most == 1 ? "[N]" : "[N] or [count, N]");
    out->tokens = read_list(reader, json_get(tokens, "of"));
    if (!out->tokens)
        return false;
    uint32_t bound = tokens_below(out->tokens);
    if (below && out->below != bound)
        return reader_error_at(reader, below, "\"below\" is %u, but the tokens of \"%s\" are below %u; it may be left out", out->below,
                               out->tokens->of, bound);
    out->below = bound;
    return true;
}
