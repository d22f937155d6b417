// Arena: memory that is freed all at once. Also growable arrays that live in an arena.
#pragma once
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct Arena Arena;

Arena *arena_create(void);
void arena_destroy(Arena **arena); // NULL-safe; sets the pointer to NULL
// For a program's beginning: what arenas give back stays with the process up to 256 MiB a thread, since asking the system for it again with
// every picture costs a tenth of decoding it.
void arena_keep_freed(void);
// Zeroed, 16-byte aligned, valid until the arena is reset or destroyed. Never NULL: aborts when the host is out of memory.
void *arena_alloc(Arena *arena, size_t size);
// Frees everything allocated so far; under AddressSanitizer the memory is poisoned.
void arena_reset(Arena *arena);
// Has `end` called when the arena is reset or destroyed, before its memory goes; the last one first. For what is no memory: open files.
void arena_at_end(Arena *arena, void (*end)(void *context), void *context);
char *arena_copy_text(Arena *arena, const char *text);                // NULL stays NULL
char *arena_copy_bytes(Arena *arena, const void *bytes, size_t size); // followed by a 0 byte
__attribute__((format(printf, 2, 3))) char *arena_format(Arena *arena, const char *format, ...);
__attribute__((format(printf, 2, 0))) char *arena_format_list(Arena *arena, const char *format, va_list list);

#define ARENA_NEW(arena, T, count) ((T *)arena_alloc((arena), sizeof(T) * (size_t)(count)))

// A growable array: `ARRAY(Node) nodes;` is a struct { items, count, capacity }; all zero is empty.
#define ARRAY(T)         \
    struct {             \
        T *items;        \
        uint32_t count;  \
        uint32_t capacity; \
    }
// Appends an item; the storage comes from the arena (old storage is left there until the arena ends).
#define array_push(arena, array, item)                                                                                                     \
    do {                                                                                                                                   \
        if ((array)->count == (array)->capacity)                                                                                           \
            (array)->items = array_grow((arena), (array)->items, sizeof *(array)->items, (array)->count, &(array)->capacity);              \
        (array)->items[(array)->count++] = (item);                                                                                         \
    } while (0)
void *array_grow(Arena *arena, void *items, size_t item_size, uint32_t count, uint32_t *capacity);
