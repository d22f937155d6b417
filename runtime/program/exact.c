// Exact: which instructions are decorated NoContraction.
#include "runtime/program/exact.h"
#include <stdlib.h>

bool exact_is_arithmetic(uint32_t op) {
    enum { F_ADD = 129, F_SUB = 131, F_MUL = 133, F_DIV = 136, F_REM = 140, F_MOD = 141, VECTOR_TIMES_SCALAR = 142, DOT = 148 };
    return op == F_ADD || op == F_SUB || op == F_MUL || op == F_DIV || op == F_REM || op == F_MOD ||
           (op >= VECTOR_TIMES_SCALAR && op <= DOT);
}

bool exact_holds(const uint32_t *words, size_t size) {
    size_t count = size / sizeof *words;
    uint32_t bound = count >= EXACT_HEADER_WORDS ? words[3] : 0; // all ids are smaller
    bool *decorated = bound > 0 && bound <= count ? calloc(bound, 1) : NULL;
    bool holds = decorated != NULL;
    for (size_t i = EXACT_HEADER_WORDS; holds && i < count;) {
        uint32_t length = words[i] >> 16, op = words[i] & 0xFFFF;
        holds = length > 0 && length <= count - i;
        if (holds && op == EXACT_OP_DECORATE && length == 3 && words[i + 2] == EXACT_NO_CONTRACTION && words[i + 1] < bound)
            decorated[words[i + 1]] = true;
        if (holds && exact_is_arithmetic(op)) // decorations come before all functions
            holds = length >= 3 && words[i + 2] < bound && decorated[words[i + 2]];
        i += length;
    }
    free(decorated);
    return holds;
}
