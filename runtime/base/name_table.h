// Name table: texts to numbers, found without searching.
#pragma once
#include "runtime/base/arena.h"
#include <stdbool.h>

typedef struct NameTable NameTable;

NameTable *name_table_create(Arena *arena);
// The name is borrowed. False where it is there already; its number stays what it was.
bool name_table_add(NameTable *table, const char *name, uint32_t number);
uint32_t name_table_find(const NameTable *table, const char *name); // UINT32_MAX: not there
