// Emit: planned kernels of all phases to a Program and its shaders.
#pragma once
#include "compiler/passes/passes.h"

typedef struct {
    Program *program;
    ARRAY(const char *) sources; // GLSL by kernel index
} Emitted;

// phases[p][i] are the kernels of module->programs[p]'s phase i.
void emit_program(Arena *arena, const Module *module, KernelList *const *const *phases, const PassContext *context, Emitted *out);
// The GLSL without comments, with its own names numbered in order of appearance: equal for equal kernels, wherever they stand.
const char *emit_canonical(Arena *arena, const char *source);
