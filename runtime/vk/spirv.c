// Spirv: looks for single instructions, whose first word is length and opcode.
#include "runtime/vk/spirv.h"
#include <string.h>

enum { HEADER_WORDS = 5, OP_ENTRY_POINT = 15, OP_EXECUTION_MODE = 16, OP_CAPABILITY = 17, OP_DECORATE = 71 };

bool spirv_reads_group_count(const uint32_t *spirv, size_t size) {
    enum { DECORATION_BUILT_IN = 11, BUILT_IN_NUM_WORKGROUPS = 24 };
    size_t words = size / 4;
    for (size_t i = HEADER_WORDS; i < words;) {
        uint32_t length = spirv[i] >> 16, op = spirv[i] & 0xFFFF;
        if (length == 0 || length > words - i)
            return true; // damaged: be careful
        if (op == OP_DECORATE && length >= 4 && spirv[i + 2] == DECORATION_BUILT_IN && spirv[i + 3] == BUILT_IN_NUM_WORKGROUPS)
            return true;
        i += length;
    }
    return false;
}

// Whether the text at a word of an instruction begins so.
static bool begins_with(const uint32_t *instruction, uint32_t length, uint32_t word, const char *start) {
    size_t size = strlen(start);
    return length > word && (length - word) * sizeof *instruction > size && memcmp(instruction + word, start, size) == 0;
}

const uint32_t *spirv_strip_non_semantic(Arena *arena, const uint32_t *spirv, size_t *size) {
    enum { OP_EXTENSION = 10, OP_EXT_INST_IMPORT = 11, OP_EXT_INST = 12, BOUND_AT = 3 };
    size_t words = *size / 4, kept = HEADER_WORDS;
    if (words <= HEADER_WORDS || spirv[BOUND_AT] > words) // each id has an instruction
        return spirv;
    bool *is_set = arena_alloc(arena, spirv[BOUND_AT]); // by id
    uint32_t *out = arena_alloc(arena, *size);
    memcpy(out, spirv, HEADER_WORDS * 4);
    for (size_t i = HEADER_WORDS; i < words;) {
        const uint32_t *at = spirv + i;
        uint32_t length = at[0] >> 16, op = at[0] & 0xFFFF;
        if (length == 0 || length > words - i)
            return spirv;
        bool drops = op == OP_EXTENSION && begins_with(at, length, 1, "SPV_KHR_non_semantic_info");
        if (op == OP_EXT_INST_IMPORT && begins_with(at, length, 2, "NonSemantic.") && at[1] < spirv[BOUND_AT])
            drops = is_set[at[1]] = true;
        if (op == OP_EXT_INST && length > 3 && at[3] < spirv[BOUND_AT] && is_set[at[3]])
            drops = true;
        if (!drops) {
            memcpy(out + kept, at, length * sizeof *at);
            kept += length;
        }
        i += length;
    }
    if (kept == words)
        return spirv;
    *size = kept * 4;
    return out;
}

const uint32_t *spirv_preserve_specials(Arena *arena, const uint32_t *spirv, size_t *size) {
    enum { PRESERVE_CAPABILITY = 4466, PRESERVE_MODE = 4461 };
    size_t words = *size / 4, modes_at = 0;
    uint32_t entry = 0;
    for (size_t i = HEADER_WORDS; i < words;) {
        uint32_t length = spirv[i] >> 16, op = spirv[i] & 0xFFFF;
        if (length == 0 || length > words - i)
            return spirv;
        if (op == OP_ENTRY_POINT && length > 2) {
            entry = spirv[i + 2];
            modes_at = i + length;
        }
        if (op == OP_EXECUTION_MODE && length > 2 && spirv[i + 2] == PRESERVE_MODE)
            return spirv;
        i += length;
    }
    if (!modes_at)
        return spirv;
    const uint32_t capability[] = {2u << 16 | OP_CAPABILITY, PRESERVE_CAPABILITY};
    const uint32_t mode[] = {4u << 16 | OP_EXECUTION_MODE, entry, PRESERVE_MODE, 32};
    uint32_t *out = arena_alloc(arena, *size + sizeof capability + sizeof mode), *at = out;
    memcpy(at, spirv, HEADER_WORDS * 4);
    memcpy(at += HEADER_WORDS, capability, sizeof capability);
    memcpy(at += 2, spirv + HEADER_WORDS, (modes_at - HEADER_WORDS) * 4);
    memcpy(at += modes_at - HEADER_WORDS, mode, sizeof mode);
    memcpy(at += 4, spirv + modes_at, (words - modes_at) * 4);
    *size += sizeof capability + sizeof mode;
    return out;
}
