// Version: what this program says of files whose format it does not read. A file carries the number of its format, and, where it is JSON,
// the version of the program that wrote it.
#pragma once
#include "runtime/base/arena.h"
#include <stdint.h>

// "format 3 of gcc-graph 0.9.0 is newer than this gcc-graph 0.2.0, which reads formats 1 to 2: gcc-graph 0.9.0 or later reads it".
// NULL: it reads that format. writer NULL: the file does not say.
const char *version_misfit(Arena *arena, double format, uint32_t oldest, uint32_t newest, const char *writer);
