// The digest of file.h; the only user of xxhash.
#include "runtime/base/file.h"
#include <xxhash.h>

const char *digest_bytes(Arena *arena, const void *bytes, size_t size) {
    XXH128_hash_t hash = XXH3_128bits(bytes, size);
    return arena_format(arena, "%016llx%016llx", (unsigned long long)hash.high64, (unsigned long long)hash.low64);
}

uint64_t digest_hash(const void *bytes, size_t size) { return XXH3_64bits(bytes, size); }
