// Read: a graph document to a Module - includes, expressions, blocks, layers, programs. The semantics are those of graphs/README.md.
#pragma once
#include "compiler/ir/module.h"

typedef struct {
    const char *path;           // a document, or a bundle's graph.json (see Module.resolved)
    const char *preset;         // NULL: none
    const char *const *defines; // "NAME=VALUE", VALUE being JSON or else an expression
    uint32_t define_count;
    const char *const *programs; // only these; NULL: all
    uint32_t program_count;
    bool keep_values; // every named value of a phase and every gradient of an update becomes an OUTPUT_VALUE ("values/train.both.fake",
                      // "gradients/opt.unet.conv2d.weight")
} ReadOptions;

// NULL after an error, which is reported. Warnings (a state never read, a let never used) do not fail.
Module *read_document(Arena *arena, const ReadOptions *options, Diag *diag);
