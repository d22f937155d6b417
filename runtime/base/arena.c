// Arena: chunks of host memory in a list; small pieces are cut from the newest chunk, large ones get a chunk of their own.
#include "runtime/base/arena.h"
#include <stdio.h>
#include <malloc.h>
#include <stdlib.h>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
enum { GUARD_SIZE = 16 };
#else
#define ASAN_POISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
enum { GUARD_SIZE = 0 };
#endif

enum { ALIGNMENT = 16, CHUNK_SIZE = 64 * 1024, CHUNK_SIZE_MAX = 1024 * 1024 };

typedef struct Chunk Chunk;
struct Chunk {
    Chunk *older;
    size_t size, used;
    size_t dirty; // bytes beyond this have been zero since calloc
    _Alignas(ALIGNMENT) char bytes[];
};

typedef struct Ending Ending;
struct Ending {
    Ending *older;
    void (*end)(void *context);
    void *context;
};

struct Arena {
    Chunk *newest;
    size_t next_size;
    Ending *endings;
};

static void out_of_memory(size_t size) {
    fprintf(stderr, "gcc-graph: out of host memory (%zu bytes more)\n", size);
    abort();
}

static Chunk *chunk_create(size_t size) {
    Chunk *chunk = size > SIZE_MAX - sizeof *chunk ? NULL : calloc(1, sizeof *chunk + size);
    if (!chunk)
        out_of_memory(size);
    chunk->size = size;
    ASAN_POISON_MEMORY_REGION(chunk->bytes, size);
    return chunk;
}

static void chunk_destroy(Chunk *chunk) {
    ASAN_UNPOISON_MEMORY_REGION(chunk->bytes, chunk->size);
    free(chunk);
}

static void *chunk_cut(Chunk *chunk, size_t size, size_t padded) {
    char *start = chunk->bytes + chunk->used;
    ASAN_UNPOISON_MEMORY_REGION(start, size);
    if (chunk->used < chunk->dirty) {
        size_t old = chunk->dirty - chunk->used;
        memset(start, 0, old < size ? old : size);
    }
    chunk->used += padded;
    if (chunk->used > chunk->dirty)
        chunk->dirty = chunk->used;
    return start;
}

Arena *arena_create(void) {
    Arena *arena = calloc(1, sizeof *arena);
    if (!arena)
        out_of_memory(sizeof *arena);
    arena->next_size = CHUNK_SIZE;
    return arena;
}

static void run_endings(Arena *arena) {
    for (const Ending *ending = arena->endings; ending; ending = ending->older)
        ending->end(ending->context);
    arena->endings = NULL;
}

void arena_at_end(Arena *arena, void (*end)(void *context), void *context) {
    Ending *ending = ARENA_NEW(arena, Ending, 1);
    *ending = (Ending){arena->endings, end, context};
    arena->endings = ending;
}

void arena_destroy(Arena **arena) {
    if (!arena || !*arena)
        return;
    run_endings(*arena);
    for (Chunk *chunk = (*arena)->newest; chunk;) {
        Chunk *older = chunk->older;
        chunk_destroy(chunk);
        chunk = older;
    }
    free(*arena);
    *arena = NULL;
}

void *arena_alloc(Arena *arena, size_t size) {
    if (size > SIZE_MAX / 2)
        out_of_memory(size);
    size_t padded = (size + GUARD_SIZE + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    Chunk *newest = arena->newest;
    if (newest && newest->size - newest->used >= padded)
        return chunk_cut(newest, size, padded);
    if (newest && padded > arena->next_size / 4) {
        // Behind the newest chunk, whose rest stays in use.
        Chunk *own = chunk_create(padded);
        own->older = newest->older;
        newest->older = own;
        return chunk_cut(own, size, padded);
    }
    Chunk *chunk = chunk_create(padded > arena->next_size ? padded : arena->next_size);
    if (arena->next_size < CHUNK_SIZE_MAX)
        arena->next_size *= 2;
    chunk->older = newest;
    arena->newest = chunk;
    return chunk_cut(chunk, size, padded);
}

void arena_reset(Arena *arena) {
    run_endings(arena);
    Chunk *kept = NULL;
    for (Chunk *chunk = arena->newest; chunk;) {
        Chunk *older = chunk->older;
        if (!kept && chunk->size <= CHUNK_SIZE_MAX)
            kept = chunk;
        else
            chunk_destroy(chunk);
        chunk = older;
    }
    arena->newest = kept;
    if (!kept)
        return;
    kept->older = NULL;
    kept->used = 0;
    ASAN_POISON_MEMORY_REGION(kept->bytes, kept->size);
}

char *arena_copy_text(Arena *arena, const char *text) { return text ? arena_copy_bytes(arena, text, strlen(text)) : NULL; }

char *arena_copy_bytes(Arena *arena, const void *bytes, size_t size) {
    if (size == SIZE_MAX)
        out_of_memory(size);
    char *copy = arena_alloc(arena, size + 1);
    if (size > 0)
        memcpy(copy, bytes, size);
    return copy;
}

char *arena_format(Arena *arena, const char *format, ...) {
    va_list list;
    va_start(list, format);
    char *text = arena_format_list(arena, format, list);
    va_end(list);
    return text;
}

char *arena_format_list(Arena *arena, const char *format, va_list list) {
    va_list again;
    va_copy(again, list);
    int length = vsnprintf(NULL, 0, format, list);
    if (length < 0)
        length = 0; // only a text of more than INT_MAX bytes gets here
    char *text = arena_alloc(arena, (size_t)length + 1);
    vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    return text;
}

void *array_grow(Arena *arena, void *items, size_t item_size, uint32_t count, uint32_t *capacity) {
    if (*capacity > UINT32_MAX / 2 || (size_t)*capacity * 2 > SIZE_MAX / 2 / item_size)
        out_of_memory(SIZE_MAX);
    uint32_t wanted = *capacity ? *capacity * 2 : 8;
    void *grown = arena_alloc(arena, item_size * wanted);
    if (count > 0)
        memcpy(grown, items, item_size * count);
    *capacity = wanted;
    return grown;
}

void arena_keep_freed(void) {
#ifdef __GLIBC__
    mallopt(M_TRIM_THRESHOLD, 256 << 20);
    mallopt(M_MMAP_THRESHOLD, 32 << 20); // the largest that it takes
#endif
}
