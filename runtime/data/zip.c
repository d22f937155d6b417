// Zip: see zip.h.
#include "runtime/data/zip.h"
#include "runtime/base/text.h"
#include "runtime/data/inflate.h"

enum { END_SIZE = 22, END64_SIZE = 56, LOCATOR_SIZE = 20, CENTRAL_SIZE = 46, LOCAL_SIZE = 30, COMMENT_MAX = UINT16_MAX };
enum { END_MARK = 0x06054b50, END64_MARK = 0x06064b50, LOCATOR_MARK = 0x07064b50, CENTRAL_MARK = 0x02014b50, LOCAL_MARK = 0x04034b50 };
enum { EXTRA_64 = 1, FLAG_ENCRYPTED = 1, METHOD_STORED = 0, METHOD_DEFLATED = 8, DIRECTORY_MAX = 64 * 1024 * 1024 };

static uint64_t number(const uint8_t *at, uint32_t size) {
    uint64_t out = 0;
    for (uint32_t i = 0; i < size; i++)
        out |= (uint64_t)at[i] << 8 * i;
    return out;
}

typedef struct {
    uint64_t offset, size, entries;
} Directory;

// The 64-bit numbers where the others are full.
static bool read_end64(const char *path, const FileView *view, uint64_t end, Directory *out, Diag *diag) {
    uint8_t bytes[END64_SIZE];
    if (end < LOCATOR_SIZE)
        return true;
    if (!file_read_at(view, end - LOCATOR_SIZE, bytes, LOCATOR_SIZE, diag))
        return false;
    if (number(bytes, 4) != LOCATOR_MARK)
        return true;
    uint64_t at = number(bytes + 8, 8);
    if (at > end || end - at < END64_SIZE)
        return diag_refuse_file(diag, path, "damaged zip archive: its 64-bit end lies outside of it");
    if (!file_read_at(view, at, bytes, END64_SIZE, diag))
        return false;
    if (number(bytes, 4) != END64_MARK)
        return diag_refuse_file(diag, path, "damaged zip archive: no 64-bit end where one is said to be");
    *out = (Directory){number(bytes + 48, 8), number(bytes + 40, 8), number(bytes + 32, 8)};
    return true;
}

static bool find_directory(Arena *scratch, const char *path, const FileView *view, Directory *out, Diag *diag) {
    uint64_t size = file_size(view);
    size_t tail_size = size < END_SIZE + COMMENT_MAX ? (size_t)size : END_SIZE + COMMENT_MAX;
    uint8_t *tail = arena_alloc(scratch, tail_size + 1);
    if (!file_read_at(view, size - tail_size, tail, tail_size, diag))
        return false;
    for (size_t at = tail_size < END_SIZE ? 0 : tail_size - END_SIZE + 1; at-- > 0;) {
        const uint8_t *end = tail + at;
        if (number(end, 4) != END_MARK || number(end + 20, 2) > tail_size - at - END_SIZE)
            continue;
        *out = (Directory){number(end + 16, 4), number(end + 12, 4), number(end + 10, 2)};
        if (!read_end64(path, view, size - tail_size + at, out, diag))
            return false;
        if (out->offset > size || out->size > size - out->offset || out->size > DIRECTORY_MAX || out->entries > out->size / CENTRAL_SIZE)
            return diag_refuse_file(diag, path, "damaged zip archive: its directory does not lie in it");
        return true;
    }
    return diag_refuse_file(diag, path, "no zip archive, or cut off");
}

// Sizes and offset that do not fit 32 bits come from the extra field, in this order.
static bool widen(const uint8_t *extra, uint64_t size, uint64_t *numbers[3]) {
    for (uint64_t at = 0; size - at >= 4;) {
        uint64_t kind = number(extra + at, 2), length = number(extra + at + 2, 2);
        if (length > size - at - 4)
            return false;
        if (kind == EXTRA_64) {
            uint64_t from = at + 4;
            for (uint32_t i = 0; i < 3; i++) {
                if (*numbers[i] != UINT32_MAX)
                    continue;
                if (at + 4 + length - from < 8)
                    return false;
                *numbers[i] = number(extra + from, 8);
                from += 8;
            }
            return true;
        }
        at += 4 + length;
    }
    return true;
}

// Where the bytes of an entry begin stands in front of them only.
static bool find_bytes(const char *path, const FileView *view, uint64_t local, ZipEntry *entry, Diag *diag) {
    uint8_t bytes[LOCAL_SIZE];
    uint64_t size = file_size(view);
    if (local > size || size - local < LOCAL_SIZE)
        return diag_refuse_file(diag, path, "damaged zip archive: the entry \"%.100s\" lies outside of it", entry->name);
    if (!file_read_at(view, local, bytes, LOCAL_SIZE, diag))
        return false;
    entry->offset = local + LOCAL_SIZE + number(bytes + 26, 2) + number(bytes + 28, 2);
    if (number(bytes, 4) != LOCAL_MARK || entry->offset > size || entry->packed > size - entry->offset)
        return diag_refuse_file(diag, path, "damaged zip archive: the entry \"%.100s\" is not where it is said to be", entry->name);
    return true;
}

static bool read_entry(Arena *arena, const char *path, const FileView *view, const uint8_t **at, uint64_t *left, ZipEntry *entry,
                       Diag *diag) {
    const uint8_t *bytes = *at;
    if (*left < CENTRAL_SIZE || number(bytes, 4) != CENTRAL_MARK)
        return diag_refuse_file(diag, path, "damaged zip archive: its directory ends too early");
    uint64_t name = number(bytes + 28, 2), extra = number(bytes + 30, 2), all = CENTRAL_SIZE + name + extra + number(bytes + 32, 2);
    uint64_t local = number(bytes + 42, 4), method = number(bytes + 10, 2);
    if (all > *left)
        return diag_refuse_file(diag, path, "damaged zip archive: its directory ends too early");
    *entry = (ZipEntry){.packed = number(bytes + 20, 4), .size = number(bytes + 24, 4), .checksum = (uint32_t)number(bytes + 16, 4)};
    entry->name = text_printable(arena, arena_copy_bytes(arena, bytes + CENTRAL_SIZE, name));
    entry->is_packed = method == METHOD_DEFLATED;
    if (!widen(bytes + CENTRAL_SIZE + name, extra, (uint64_t *[]){&entry->size, &entry->packed, &local}))
        return diag_refuse_file(diag, path, "damaged zip archive: the 64-bit numbers of \"%.100s\"", entry->name);
    if (number(bytes + 8, 2) & FLAG_ENCRYPTED)
        return diag_refuse_file(diag, path, "\"%.100s\" is encrypted", entry->name);
    if (method != METHOD_STORED && method != METHOD_DEFLATED)
        return diag_refuse_file(diag, path, "\"%.100s\" is packed by zip's method %llu; stored and deflated ones are read", entry->name,
                      (unsigned long long)method);
    if (method == METHOD_STORED && entry->size != entry->packed)
        return diag_refuse_file(diag, path, "damaged zip archive: two sizes of \"%.100s\", which is not packed", entry->name);
    *at += all;
    *left -= all;
    return find_bytes(path, view, local, entry, diag);
}

bool zip_list(Arena *arena, const char *path, const FileView *view, ZipEntry **out, uint32_t *count, Diag *diag) {
    Arena *scratch = arena_create();
    Directory directory = {0};
    bool ok = find_directory(scratch, path, view, &directory, diag);
    const uint8_t *at = NULL;
    *count = 0;
    if (ok) {
        uint8_t *bytes = arena_alloc(scratch, directory.size + 1);
        ok = file_read_at(view, directory.offset, bytes, directory.size, diag);
        at = bytes;
        *out = ARENA_NEW(arena, ZipEntry, directory.entries);
    }
    for (uint64_t left = ok ? directory.size : 0; ok && *count < directory.entries; ++*count)
        ok = read_entry(arena, path, view, &at, &left, &(*out)[*count], diag);
    arena_destroy(&scratch);
    return ok;
}

const uint8_t *zip_read(Arena *arena, const char *path, const FileView *view, const ZipEntry *entry, uint64_t size, bool is_whole,
                        Diag *diag) {
    uint8_t *out = NULL;
    if (!entry->is_packed) {
        out = arena_alloc(arena, size + 1);
        return file_read_at(view, entry->offset, out, size, diag) ? out : NULL;
    }
    if (entry->size / INFLATE_RATIO_MAX > entry->packed) {
        diag_refuse_file(diag, path, "\"%.100s\": %llu packed bytes cannot hold %llu", entry->name, (unsigned long long)entry->packed,
               (unsigned long long)entry->size);
        return NULL;
    }
    Arena *scratch = arena_create();
    uint64_t wanted = is_whole || entry->packed < 2 * size + 1024 ? entry->packed : 2 * size + 1024, got = 0; // packing may add a little
    uint8_t *packed = arena_alloc(scratch, wanted + 1);
    Inflater *inflater =
        file_read_at(view, entry->offset, packed, wanted, diag) ? inflater_create(scratch, path, INFLATE_RAW, packed, wanted, diag) : NULL;
    if (inflater) {
        out = arena_alloc(arena, size + 1);
        bool ok = inflater_take(inflater, out, size, &got, diag);
        if (ok && got < size)
            ok = diag_refuse_file(diag, path, "truncated: \"%.100s\" has %llu of %llu bytes", entry->name, (unsigned long long)got,
                        (unsigned long long)size);
        if (ok && is_whole)
            ok = inflater_end(inflater, diag) && (inflate_checksum(out, size) == entry->checksum ||
                                                  diag_refuse_file(diag, path, "\"%.100s\" is damaged: wrong checksum", entry->name));
        out = ok ? out : NULL;
    }
    arena_destroy(&scratch);
    return out;
}
