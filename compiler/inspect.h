// Inspect: what a bundle's kernels compute, why they are as they are, and what became of each node.
#pragma once
#include "compiler/built.h"

// By its whole name or by the number that it begins with; NULL: there is none.
const ProgramKernel *inspect_find_kernel(const Program *program, const char *name);
void inspect_kernels(Text *out, const Built *built, const char *only); // of all programs, or of one by name
void inspect_decisions(Text *out, const Built *built);                 // the log of fusion
// What became of "%12" or "/networks/unet/nodes/3" in every phase. False: there is no such value or node.
bool inspect_node(Text *out, const Built *built, const char *name);
const char *inspect_suggestion(Arena *arena, const Program *program, const char *name); // "; did you mean 007_x?", or ""
