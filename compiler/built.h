// Built: a graph compiled in memory, with the compiler's view of its kernels.
#pragma once
#include "compiler/compile.h"

typedef struct {
    const Module *module;
    const Compiled *compiled;
    const Program *program;
} Built;

bool built_make(Arena *arena, const Module *module, const CompileOptions *options, Built *out, Diag *diag); // false: reported
// Looks at a bundle through the compiler: its graph compiled with the options that give the same dispatches; `program` stays the bundle's
// own.
bool built_look(Arena *arena, const char *bundle, const Program *program, Built *out, Diag *diag);
