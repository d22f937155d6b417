// Inflate: packed bytes in memory, unpacked piece by piece. inflate.c is the only user of zlib.
#pragma once
#include "runtime/base/diag.h"

typedef enum {
    INFLATE_GZIP, // any number of members, one after the other (RFC 1952)
    INFLATE_RAW,  // a stream of deflate (RFC 1951), as a zip file has it
} InflateKind;

enum { INFLATE_RATIO_MAX = 1032 }; // bytes that one packed byte can become at most

typedef struct Inflater Inflater;

bool inflate_is_gzip(const void *bytes, size_t size);
// The bytes are borrowed until the arena ends, which ends the inflater. `path` is for messages.
Inflater *inflater_create(Arena *arena, const char *path, InflateKind kind, const void *bytes, size_t size, Diag *diag);
// The next `size` bytes; *got is less where the data ends before. False (reported) where it is damaged or cut off.
bool inflater_take(Inflater *inflater, void *out, uint64_t size, uint64_t *got, Diag *diag);
// Nothing may follow; checksums are right.
bool inflater_end(Inflater *inflater, Diag *diag);
uint32_t inflate_checksum(const void *bytes, size_t size); // CRC-32, as zip files have it
