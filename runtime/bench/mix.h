// Mix: what the loop that a kernel works in consists of, by the text of its machine code.
#pragma once
#include "runtime/base/text.h"

typedef enum { MIX_MULTIPLY_ADD, MIX_MATRIX, MIX_VECTOR, MIX_SHARED, MIX_MEMORY, MIX_SCALAR, MIX_CLASS_COUNT } MixClass;

typedef struct {
    uint32_t counts[MIX_CLASS_COUNT];
    uint32_t first, last; // lines of the text, from 1
} Mix;

extern const char *const mix_class_names[MIX_CLASS_COUNT]; // "multiply-add"
// The loop in which most multiply-adds and matrix operations stand, those of loops within not counted; what it consists of includes loops within,
// each turn of which counts once. `name`: what the driver calls the text. False: there is no loop, or it is of no assembler that mix.def knows.
bool mix_of_loop(Arena *arena, const char *name, const char *text, Mix *out);
// Multiply-adds and matrix operations among all vector instructions (arithmetic, shared memory, memory); 0: there are none.
double mix_share(const Mix *mix);
