// Emit: planned kernels of all phases to a Program and its shaders.
#pragma once
#include "compiler/passes/passes.h"

typedef struct {
    Program *program;
    ARRAY(const char *) sources; // GLSL by kernel index
} Emitted;

// phases[p][i] are the kernels of module->programs[p]'s phase i.
void emit_program(Arena *arena, const Module *module, KernelList *const *const *phases, const PassContext *context, Emitted *out);
