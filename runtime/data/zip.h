// Zip: what an archive of the zip format holds (PKWARE's APPNOTE 6.3, with the 64-bit fields), found without unpacking anything. Nothing is
// ever written: names are names.
#pragma once
#include "runtime/base/file.h"

typedef struct {
    const char *name;
    uint64_t offset; // of its bytes in the file
    uint64_t packed; // bytes there
    uint64_t size;   // unpacked
    uint32_t checksum;
    bool is_packed; // by deflate; else stored as it is
} ZipEntry;

// Checks every offset and size against the file. Entries that are encrypted or packed in another way are refused.
bool zip_list(Arena *arena, const char *path, const FileView *view, ZipEntry **out, uint32_t *count, Diag *diag);
// The first `size` bytes of an entry, unpacked, in the arena; with `is_whole` all of them (size is the entry's), and the checksum is right.
const uint8_t *zip_read(Arena *arena, const char *path, const FileView *view, const ZipEntry *entry, uint64_t size, bool is_whole,
                        Diag *diag);
