// Cache folder: where decoded pictures are kept between trainings (pictures/ in the cache folder), and how many bytes they may take. Any
// number of processes use it at once: a file that one has open is locked (flock, shared) and not removed.
#pragma once
#include "runtime/base/file.h"

#define CACHE_FOLDER_BUDGET_DEFAULT (UINT64_C(8) << 30)

typedef struct {
    const char *path;  // of the folder, which need not exist
    uint64_t budget;   // bytes; 0: nothing is kept on the disk
    uint64_t used;     // bytes on the disk
    uint32_t count;    // files
} CacheFolder;

// Never fails: what cannot be read is taken as empty, a budget that is none as the default (with a warning).
CacheFolder cache_folder_state(Arena *arena, Diag *diag);
bool cache_folder_set_budget(uint64_t bytes, Diag *diag); // and removes what is too much
// Removes files, those first that were opened the longest time ago, until no more than `bytes` are taken, but for those in use. Gives what
// is taken then.
uint64_t cache_folder_shrink(uint64_t bytes);
bool cache_folder_has_disk(void); // the disk has room beside what is left free for others: a twentieth of it, but 1 to 10 GiB
const char *cache_folder_file(Arena *arena, const char *name); // of that name
