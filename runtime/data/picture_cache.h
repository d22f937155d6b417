// Picture cache: decoded pictures by the hash of what they were made of, in one file of the cache folder that all processes share, or in
// memory where there is to be no file or none can be made. What is found is checked against its own hash, so that damage, a machine that
// stopped and a process that was killed while it wrote cost a picture, not a training.
#pragma once
#include "runtime/show/image.h"

typedef struct PictureCache PictureCache;

// 128 bits; of the source and all that was done to it.
typedef struct {
    uint64_t low, high;
} PictureHash;

PictureHash picture_cache_hash(const char *path, const uint64_t *numbers, uint32_t count);

// `name`: a file name, of the data set and the size of its pictures. count: how many pictures there are to keep. Lasts as long as the
// arena, but for its table, which is mapped, and the file that is open: these last as long as the process. A file that is damaged, of another version or
// for too few pictures is made anew (the first two with a warning).
PictureCache *picture_cache_open(Arena *arena, const char *name, uint64_t count, Diag *diag);
PictureCache *picture_cache_open_memory(Arena *arena, uint64_t count); // at most 1 GiB
bool picture_cache_is_file(const PictureCache *cache);
// Any thread. The pixels found lie in the arena, or in memory that stays.
bool picture_cache_find(PictureCache *cache, Arena *arena, PictureHash hash, Image *out, Diag *diag);
// False: not kept; the first time that is for want of room or a failing disk, a warning says so.
bool picture_cache_add(PictureCache *cache, PictureHash hash, const Image *picture, Diag *diag);
