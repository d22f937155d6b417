// Summary: a graph for people - its networks layer by layer, optimizers, programs and memory.
#pragma once
#include "compiler/ir/module.h"
#include "runtime/program/program.h"

// In the arena. `program` NULL: without the memory plan.
const char *summary_text(Arena *arena, const Module *module, const Program *program);
const char *summary_json(Arena *arena, const Module *module, const Program *program);
