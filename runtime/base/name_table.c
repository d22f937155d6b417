// Name table: open addressing, half full at most.
#include "runtime/base/name_table.h"
#include "runtime/base/file.h"

typedef struct {
    const char *name; // NULL: empty
    uint64_t hash;
    uint32_t number;
} Slot;

struct NameTable {
    Arena *arena;
    Slot *slots;
    uint32_t size, count; // size: a power of two
};

enum { SIZE_FIRST = 64 };

NameTable *name_table_create(Arena *arena) {
    NameTable *table = ARENA_NEW(arena, NameTable, 1);
    *table = (NameTable){.arena = arena, .slots = ARENA_NEW(arena, Slot, SIZE_FIRST), .size = SIZE_FIRST};
    return table;
}

// The name's slot, or the empty one where it would go.
static Slot *find(const NameTable *table, const char *name, uint64_t hash) {
    for (uint32_t at = (uint32_t)hash & (table->size - 1);; at = (at + 1) & (table->size - 1)) {
        Slot *slot = &table->slots[at];
        if (!slot->name || (slot->hash == hash && !strcmp(slot->name, name)))
            return slot;
    }
}

static void grow(NameTable *table) {
    Slot *old = table->slots;
    table->size *= 2;
    table->slots = ARENA_NEW(table->arena, Slot, table->size);
    for (uint32_t i = 0; i < table->size / 2; i++)
        if (old[i].name)
            *find(table, old[i].name, old[i].hash) = old[i];
}

bool name_table_add(NameTable *table, const char *name, uint32_t number) {
    uint64_t hash = digest_hash(name, strlen(name));
    Slot *slot = find(table, name, hash);
    if (slot->name)
        return false;
    *slot = (Slot){name, hash, number};
    if (++table->count > table->size / 2)
        grow(table);
    return true;
}

uint32_t name_table_find(const NameTable *table, const char *name) {
    const Slot *slot = find(table, name, digest_hash(name, strlen(name)));
    return slot->name ? slot->number : UINT32_MAX;
}
