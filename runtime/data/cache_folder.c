// Cache folder: see cache_folder.h.
#include "runtime/data/cache_folder.h"
#include "runtime/base/text.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { BLOCK = 512, FREE_SHARE = 20 };
#define FREE_LEAST (UINT64_C(1) << 30)
#define FREE_MOST (UINT64_C(10) << 30)
#define BUDGET_FILE "budget"

typedef struct {
    const char *path;
    uint64_t bytes;
    struct timespec opened; // picture_cache.c sets the file's date
} Entry;

static const char *folder_path(Arena *arena) { return file_join(arena, file_cache_folder(arena), "pictures"); }

const char *cache_folder_file(Arena *arena, const char *name) { return file_join(arena, folder_path(arena), name); }

static int by_date(const void *a, const void *b) {
    const struct timespec *x = &((const Entry *)a)->opened, *y = &((const Entry *)b)->opened;
    return x->tv_sec != y->tv_sec ? (x->tv_sec < y->tv_sec ? -1 : 1) : (x->tv_nsec > y->tv_nsec) - (x->tv_nsec < y->tv_nsec);
}

// Sorted by date, the oldest first.
static Entry *list(Arena *arena, uint32_t *count, uint64_t *bytes) {
    uint32_t name_count = 0;
    const char **names = file_list(arena, folder_path(arena), &name_count, diag_create(arena));
    Entry *entries = ARENA_NEW(arena, Entry, name_count + 1);
    *count = 0;
    *bytes = 0;
    for (uint32_t i = 0; names && i < name_count; i++) {
        struct stat status;
        const char *path = cache_folder_file(arena, names[i]);
        if (strcmp(names[i], BUDGET_FILE) == 0 || lstat(path, &status) != 0 || !S_ISREG(status.st_mode))
            continue;
        entries[*count] = (Entry){path, (uint64_t)status.st_blocks * BLOCK, status.st_mtim};
        *bytes += entries[(*count)++].bytes;
    }
    qsort(entries, *count, sizeof *entries, by_date);
    return entries;
}

static bool parse_budget(const char *text, uint64_t *out) {
    char *end;
    errno = 0;
    *out = strtoull(text, &end, 10);
    return errno == 0 && end != text && text[0] >= '0' && text[0] <= '9' && (strcmp(end, "\n") == 0 || !*end);
}

CacheFolder cache_folder_state(Arena *arena, Diag *diag) {
    CacheFolder state = {.path = folder_path(arena), .budget = CACHE_FOLDER_BUDGET_DEFAULT};
    Arena *scratch = arena_create();
    const char *path = cache_folder_file(scratch, BUDGET_FILE);
    size_t size;
    const char *text = file_exists(path) ? file_read(scratch, path, &size, diag_create(scratch)) : NULL;
    if (file_exists(path) && (!text || !parse_budget(text, &state.budget))) {
        state.budget = CACHE_FOLDER_BUDGET_DEFAULT;
        diag_warning(diag, &(Place){.file = path},
                     "no number of bytes: %s are taken as the budget; `gcc-graph data cache --budget` sets it",
                     text_bytes(scratch, state.budget));
    }
    list(scratch, &state.count, &state.used);
    arena_destroy(&scratch);
    return state;
}

bool cache_folder_set_budget(uint64_t bytes, Diag *diag) {
    Arena *scratch = arena_create();
    const char *text = arena_format(scratch, "%" PRIu64 "\n", bytes);
    bool ok = file_make_folders(folder_path(scratch), diag) &&
              file_write(cache_folder_file(scratch, BUDGET_FILE), text, strlen(text), diag);
    arena_destroy(&scratch);
    if (ok)
        cache_folder_shrink(bytes);
    return ok;
}

// Not where a process has it open.
static bool remove_unused(const char *path) {
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    bool ok = file >= 0 && flock(file, LOCK_EX | LOCK_NB) == 0 && unlink(path) == 0;
    if (file >= 0)
        close(file);
    return ok;
}

uint64_t cache_folder_shrink(uint64_t bytes) {
    Arena *scratch = arena_create();
    uint32_t count;
    uint64_t used;
    const Entry *entries = list(scratch, &count, &used);
    for (uint32_t i = 0; i < count && used > bytes; i++)
        if (remove_unused(entries[i].path))
            used -= entries[i].bytes;
    arena_destroy(&scratch);
    return used;
}

bool cache_folder_has_disk(void) {
    Arena *scratch = arena_create();
    struct statvfs disk;
    bool ok = statvfs(folder_path(scratch), &disk) == 0;
    arena_destroy(&scratch);
    if (!ok)
        return true; // the write will tell
    uint64_t share = (uint64_t)disk.f_blocks * disk.f_frsize / FREE_SHARE, left = (uint64_t)disk.f_bavail * disk.f_frsize;
    return left >= (share < FREE_LEAST ? FREE_LEAST : share > FREE_MOST ? FREE_MOST : share);
}
