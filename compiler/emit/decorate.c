// Decorate: puts NoContraction before a module's own decorations. GLSL has `precise` for that, but on each variable: one might be forgotten.
#include "compiler/emit/decorate.h"
#include "runtime/base/bug.h"
#include "runtime/program/exact.h"

const uint32_t *decorate_exact(Arena *arena, const uint32_t *words, size_t *size) {
    size_t count = *size / 4, first = 0; // first: where decorations begin
    bool *decorated = ARENA_NEW(arena, bool, words[3]);
    ARRAY(uint32_t) out = {0};
    for (size_t i = EXACT_HEADER_WORDS; i < count; i += words[i] >> 16) {
        if ((words[i] & 0xFFFF) != EXACT_OP_DECORATE)
            continue;
        first = first ? first : i;
        if (words[i + 2] == EXACT_NO_CONTRACTION)
            decorated[words[i + 1]] = true;
    }
    CHECK(first); // a kernel has bindings
    for (size_t i = 0; i < first; i++)
        array_push(arena, &out, words[i]);
    for (size_t i = EXACT_HEADER_WORDS; i < count; i += words[i] >> 16) {
        if (!exact_is_arithmetic(words[i] & 0xFFFF) || decorated[words[i + 2]])
            continue;
        array_push(arena, &out, 3u << 16 | EXACT_OP_DECORATE);
        array_push(arena, &out, words[i + 2]);
        array_push(arena, &out, EXACT_NO_CONTRACTION);
    }
    for (size_t i = first; i < count; i++)
        array_push(arena, &out, words[i]);
    *size = 4 * (size_t)out.count;
    return out.items;
}
