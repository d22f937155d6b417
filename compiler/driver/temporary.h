// Temporary: bundles that a command makes for itself, in a folder of its own that it removes.
#pragma once
#include "compiler/driver/common.h"
#include "runtime/session.h"

// A graph compiled and loaded, with the compiler's view of it.
typedef struct {
    const Module *module;
    const Compiled *compiled;
    const Program *program;
    const char *folder; // to remove; NULL: the program is the user's own bundle
} Temporary;

// Compiles into a folder of its own below the cache and reads that back. False: reported, and nothing is left behind.
bool temporary_create(Arguments *arguments, const Module *module, const CompileOptions *options, Temporary *out);
void temporary_destroy(Arguments *arguments, Temporary *temporary); // removes the folder

// Looks at a bundle through the compiler: its graph compiled in memory with the options that give the same dispatches. False: reported.
bool temporary_look(Arguments *arguments, const char *bundle, const Program *program, Temporary *out);
