// Picture cache: a header, a table of slots by hash (open addressing), pixels one after the other. Header and slots are mapped shared, room
// on the disk reserved; pixels are written and read with pwrite and pread, which say where there is no room, the disk fails or the file was
// cut off: a mapping would end the process. All that processes
// and threads share is atomic: the end of the pixels, and a slot's tag and state.
#include "runtime/data/picture_cache.h"
#include "runtime/base/text.h"
#include "runtime/data/cache_folder.h"
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { VERSION = 1, ALIGNMENT = 64, PROBES_MAX = 128, TRIES = 4, PAGE = 4096, PIXELS_MAX = 1 << 28 };
#define MEMORY_MAX (UINT64_C(1) << 30)
#define PORTION_MAX (UINT64_C(64) << 20)
enum { PORTIONS = 16 }; // of the budget: after each of them, and after PORTION_MAX, it looks again how full the folder is
static const char MAGIC[8] = "ggpics\r\n";

typedef enum { SLOT_EMPTY, SLOT_WRITING, SLOT_READY, SLOT_BAD } SlotState;

typedef struct {
    uint64_t high, offset, sum;
    uint32_t height, width, channels, unused;
} Entry;

typedef struct {
    _Atomic uint64_t tag; // the hash's low half; 0: nobody's. Whoever sets it, or changes BAD to WRITING, owns the slot until it is READY
    _Atomic uint64_t state;
    Entry entry;
} Slot;

typedef struct {
    char magic[sizeof MAGIC];
    uint32_t version, slot_size;
    uint64_t slot_count; // a power of two
    uint64_t data;       // where pixels begin
    uint64_t sum;        // of the above
    _Atomic uint64_t end; // of the pixels, from `data`
} Header;

struct PictureCache {
    const char *path; // NULL: in memory
    int file;
    Header *header;
    Slot *slots;
    uint8_t *pixels;        // in memory
    uint64_t room;          // bytes of pixels
    uint64_t budget;        // of the folder
    _Atomic uint64_t known; // bytes of pixels that the file is known to have
    _Atomic uint64_t added; // since the folder was looked at
    atomic_bool is_full, has_told_damage;
};

PictureHash picture_cache_hash(const char *path, const uint64_t *numbers, uint32_t count) {
    size_t length = strlen(path);
    uint64_t parts[] = {digest_hash(path, length), digest_hash(path, length + 1), digest_hash(numbers, count * sizeof *numbers), 0};
    PictureHash hash = {.low = digest_hash(parts, sizeof parts)};
    parts[3] = 1;
    hash.high = digest_hash(parts, sizeof parts);
    hash.low += hash.low == 0;
    return hash;
}

static uint64_t header_sum(const Header *header) { return digest_hash(header, offsetof(Header, sum)); }

static uint64_t size_of(const Entry *entry) { return (uint64_t)entry->height * entry->width * entry->channels; }

static uint64_t entry_sum(const Entry *entry, uint64_t tag, const uint8_t *pixels) {
    uint64_t parts[] = {digest_hash(pixels, size_of(entry)), tag, entry->high, entry->height, entry->width, entry->channels};
    return digest_hash(parts, sizeof parts);
}

static uint64_t data_start(uint64_t slot_count) {
    return (sizeof(Header) + slot_count * sizeof(Slot) + PAGE - 1) / PAGE * PAGE;
}

static uint64_t slots_for(uint64_t count) {
    uint64_t slots = 1024;
    while (slots < 2 * count && slots < UINT64_C(1) << 40)
        slots *= 2;
    return slots;
}

static Header make_header(uint64_t slot_count) {
    Header header = {.version = VERSION, .slot_size = sizeof(Slot), .slot_count = slot_count, .data = data_start(slot_count)};
    memcpy(header.magic, MAGIC, sizeof MAGIC);
    header.sum = header_sum(&header);
    return header;
}

// ---- files

// A new file under a name of this process, then under its own unless another process was faster.
static bool make_file(Arena *scratch, const char *path, uint64_t slot_count, Diag *diag) {
    static _Atomic uint32_t number;
    Header header = make_header(slot_count);
    const char *temporary = arena_format(scratch, "%s.%d.%u", path, (int)getpid(), atomic_fetch_add(&number, 1));
    int file = open(temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600), error = file < 0 ? errno : 0;
    if (file >= 0) {
        error = posix_fallocate(file, 0, (off_t)header.data);
        if (!error && pwrite(file, &header, sizeof header, 0) != (ssize_t)sizeof header)
            error = errno ? errno : EIO;
        if (!error && link(temporary, path) != 0 && errno != EEXIST)
            error = errno;
        unlink(temporary);
        close(file);
    }
    if (error)
        diag_warning(diag, &(Place){.file = path}, "no cache of pictures can be made (%s): decoded pictures are kept in memory",
                     strerror(error));
    return error == 0;
}

typedef enum { FILE_GOOD, FILE_NONE, FILE_FOREIGN, FILE_SMALL } FileVerdict;

static FileVerdict judge(int file, uint64_t slot_count, Header *header) {
    struct stat status;
    if (fstat(file, &status) != 0 || !S_ISREG(status.st_mode) || pread(file, header, sizeof *header, 0) != (ssize_t)sizeof *header ||
        memcmp(header->magic, MAGIC, sizeof MAGIC) != 0 || header->version != VERSION || header->sum != header_sum(header) ||
        header->slot_size != sizeof(Slot) || header->data != data_start(header->slot_count) || (uint64_t)status.st_size < header->data)
        return FILE_FOREIGN;
    return header->slot_count < slot_count ? FILE_SMALL : FILE_GOOD;
}

// Opens and locks what is there, by itself where no other process has it (is_alone); a file that is not to be used is taken away.
static FileVerdict open_file(const char *path, uint64_t slot_count, int *out, Header *header, bool *is_alone) {
    int file = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    struct stat here, there;
    if (file < 0)
        return errno == ENOENT ? FILE_NONE : FILE_FOREIGN;
    *is_alone = flock(file, LOCK_EX | LOCK_NB) == 0;
    if ((!*is_alone && flock(file, LOCK_SH) != 0) || fstat(file, &here) != 0 || stat(path, &there) != 0 || here.st_ino != there.st_ino) {
        close(file); // somebody removed it meanwhile
        return FILE_NONE;
    }
    FileVerdict verdict = judge(file, slot_count, header);
    if (verdict == FILE_GOOD) {
        *out = file;
        futimens(file, NULL);
        return FILE_GOOD;
    }
    unlink(path);
    close(file);
    return verdict;
}

static bool map_file(PictureCache *cache, int file, const Header *header) {
    void *head = mmap(NULL, header->data, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (head == MAP_FAILED)
        return false;
    cache->file = file;
    cache->header = head;
    cache->slots = (Slot *)(cache->header + 1);
    cache->room = cache->budget;
    return true;
}

// Whether its pixels lie in the file as it is now.
static bool is_there(PictureCache *cache, const Entry *entry) {
    if (entry->height == 0 || entry->width == 0 || entry->height > PIXELS_MAX / entry->width || entry->channels == 0 || entry->channels > 3)
        return false;
    uint64_t size = size_of(entry);
    if (size > cache->room || entry->offset > cache->room - size)
        return false;
    uint64_t end = entry->offset + size;
    if (!cache->path || end <= atomic_load(&cache->known))
        return true;
    struct stat status;
    if (fstat(cache->file, &status) != 0 || (uint64_t)status.st_size < cache->header->data + end)
        return false;
    atomic_store(&cache->known, (uint64_t)status.st_size - cache->header->data);
    return true;
}

// While no other process has the file: slots that a killed one was writing are to be written again, and pixels end where the last ones do.
static void repair(PictureCache *cache) {
    uint64_t end = 0;
    for (uint64_t i = 0; i < cache->header->slot_count; i++) {
        Slot *slot = &cache->slots[i];
        if (slot->tag == 0)
            continue;
        if (slot->state != SLOT_READY || !is_there(cache, &slot->entry))
            slot->state = SLOT_BAD;
        else if (slot->entry.offset + size_of(&slot->entry) > end)
            end = slot->entry.offset + size_of(&slot->entry);
    }
    cache->header->end = (end + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    flock(cache->file, LOCK_SH);
}

PictureCache *picture_cache_open_memory(Arena *arena, uint64_t count) {
    PictureCache *cache = ARENA_NEW(arena, PictureCache, 1);
    uint64_t slot_count = slots_for(count);
    void *pixels = mmap(NULL, MEMORY_MAX, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    cache->file = -1;
    cache->header = ARENA_NEW(arena, Header, 1);
    *cache->header = make_header(slot_count);
    cache->slots = ARENA_NEW(arena, Slot, slot_count);
    cache->pixels = pixels == MAP_FAILED ? NULL : pixels;
    cache->room = pixels == MAP_FAILED ? 0 : MEMORY_MAX;
    return cache;
}

PictureCache *picture_cache_open(Arena *arena, const char *name, uint64_t count, Diag *diag) {
    CacheFolder folder = cache_folder_state(arena, diag);
    PictureCache *cache = ARENA_NEW(arena, PictureCache, 1);
    uint64_t slot_count = slots_for(count);
    cache->budget = folder.budget / PAGE * PAGE;
    cache->path = cache_folder_file(arena, name);
    Diag *unheard = diag_create(arena);
    if (cache->budget == 0 || data_start(slot_count) > cache->budget)
        return picture_cache_open_memory(arena, count);
    if (!file_make_folders(folder.path, unheard)) {
        diag_warning(diag, &(Place){.file = folder.path}, "no cache of pictures can be made: decoded pictures are kept in memory");
        return picture_cache_open_memory(arena, count);
    }
    if (!cache_folder_has_disk()) {
        diag_warning(diag, &(Place){.file = folder.path}, "the disk is nearly full: decoded pictures are kept in memory");
        return picture_cache_open_memory(arena, count);
    }
    for (uint32_t i = 0; i < TRIES; i++) {
        Header header;
        int file;
        bool is_alone;
        switch (open_file(cache->path, slot_count, &file, &header, &is_alone)) {
        case FILE_GOOD:
            if (map_file(cache, file, &header)) {
                if (is_alone)
                    repair(cache);
                cache_folder_shrink(cache->budget);
                return cache;
            }
            close(file);
            return picture_cache_open_memory(arena, count);
        case FILE_FOREIGN:
            if (i > 0) // what is there stays there
                break;
            diag_warning(diag, &(Place){.file = cache->path}, "damaged, or no cache of pictures of this gcc-graph: made anew");
            break;
        case FILE_SMALL:
        case FILE_NONE:
            break;
        }
        if (!make_file(arena, cache->path, slot_count, diag))
            return picture_cache_open_memory(arena, count);
    }
    diag_warning(diag, &(Place){.file = cache->path}, "cannot be opened and locked: decoded pictures are kept in memory");
    return picture_cache_open_memory(arena, count);
}

bool picture_cache_is_file(const PictureCache *cache) { return cache->file >= 0; }

// ---- slots

// The slot of that hash; where there is none an empty one, or NULL.
static Slot *look(PictureCache *cache, PictureHash hash) {
    uint64_t mask = cache->header->slot_count - 1;
    for (uint64_t i = 0; i < PROBES_MAX; i++) {
        Slot *slot = &cache->slots[(hash.low + i) & mask];
        uint64_t tag = atomic_load_explicit(&slot->tag, memory_order_acquire);
        if (tag == 0 || tag == hash.low)
            return slot;
    }
    return NULL;
}

static void tell_damage(PictureCache *cache, Diag *diag) {
    if (!atomic_exchange(&cache->has_told_damage, true))
        diag_warning(diag, &(Place){.file = cache->path}, "a picture in this cache is damaged; it is decoded again, and so are others");
}

// The pixels of an entry that is there, as its sum says; NULL: damaged.
static uint8_t *get(const PictureCache *cache, Arena *arena, const Entry *entry, uint64_t tag) {
    if (!cache->path)
        return cache->pixels + entry->offset;
    uint64_t size = size_of(entry);
    uint8_t *pixels = arena_alloc(arena, size);
    for (uint64_t done = 0; done < size;) {
        ssize_t got = pread(cache->file, pixels + done, size - done, (off_t)(cache->header->data + entry->offset + done));
        if (got <= 0 && !(got < 0 && errno == EINTR))
            return NULL;
        done += got > 0 ? (uint64_t)got : 0;
    }
    return entry_sum(entry, tag, pixels) == entry->sum ? pixels : NULL;
}

bool picture_cache_find(PictureCache *cache, Arena *arena, PictureHash hash, Image *out, Diag *diag) {
    Slot *slot = look(cache, hash);
    if (!slot || atomic_load_explicit(&slot->tag, memory_order_acquire) != hash.low ||
        atomic_load_explicit(&slot->state, memory_order_acquire) != SLOT_READY)
        return false;
    Entry entry = slot->entry; // another process may be rewriting a damaged one: the sum tells
    uint8_t *pixels = is_there(cache, &entry) ? get(cache, arena, &entry, hash.low) : NULL;
    if (!pixels) {
        uint64_t ready = SLOT_READY;
        if (atomic_compare_exchange_strong(&slot->state, &ready, SLOT_BAD))
            tell_damage(cache, diag);
        return false;
    }
    *out = (Image){.width = entry.width, .height = entry.height, .channels = entry.channels, .pixels = pixels};
    return entry.high == hash.high;
}

// ---- adding

static void stop_adding(PictureCache *cache, const char *why, Diag *diag) {
    if (!atomic_exchange(&cache->is_full, true) && cache->path)
        diag_warning(diag, &(Place){.file = cache->path}, "%s: pictures that are not in it yet are decoded each time", why);
}

// Now and then: whether the folder and its disk have room for more; older files make place.
static bool has_room(PictureCache *cache, uint64_t size, Diag *diag) {
    if (!cache->path)
        return true;
    uint64_t portion = cache->budget / PORTIONS < PORTION_MAX ? cache->budget / PORTIONS : PORTION_MAX, room = cache->budget - portion;
    uint64_t before = atomic_fetch_add(&cache->added, size);
    if (before > 0 && before / portion == (before + size) / portion)
        return true;
    if (cache_folder_shrink(room) > room) {
        Arena *scratch = arena_create();
        stop_adding(cache, arena_format(scratch, "the cache of pictures holds the %s that it may (`gcc-graph data cache --budget`)",
                                        text_bytes(scratch, cache->budget)), diag);
        arena_destroy(&scratch);
        return false;
    }
    if (!cache_folder_has_disk()) {
        stop_adding(cache, "the disk is nearly full", diag);
        return false;
    }
    return true;
}

static bool put(PictureCache *cache, uint64_t offset, const uint8_t *pixels, uint64_t size, Diag *diag) {
    if (!cache->path) {
        memcpy(cache->pixels + offset, pixels, size);
        return true;
    }
    while (size > 0) {
        ssize_t written = pwrite(cache->file, pixels, size, (off_t)(cache->header->data + offset));
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0) {
            stop_adding(cache, strerror(written < 0 ? errno : ENOSPC), diag);
            return false;
        }
        pixels += written, offset += (uint64_t)written, size -= (uint64_t)written;
    }
    return true;
}

static bool own(Slot *slot, PictureHash hash) {
    uint64_t nobody = 0;
    uint64_t bad = SLOT_BAD;
    if (atomic_compare_exchange_strong(&slot->tag, &nobody, hash.low)) {
        atomic_store(&slot->state, SLOT_WRITING);
        return true;
    }
    return nobody == hash.low && atomic_compare_exchange_strong(&slot->state, &bad, SLOT_WRITING);
}

bool picture_cache_add(PictureCache *cache, PictureHash hash, const Image *picture, Diag *diag) {
    uint64_t size = (uint64_t)picture->height * picture->width * picture->channels;
    Slot *slot = atomic_load(&cache->is_full) ? NULL : look(cache, hash);
    if (!slot || size == 0)
        return false;
    if (atomic_load(&slot->state) == SLOT_READY) // another thread, or process
        return true;
    if (!has_room(cache, size, diag) || !own(slot, hash))
        return false;
    uint64_t room = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT, offset = atomic_fetch_add(&cache->header->end, room);
    if (room > cache->room || offset > cache->room - room) {
        stop_adding(cache, "the cache of pictures is full", diag);
        atomic_store(&slot->state, SLOT_BAD);
        return false;
    }
    if (!put(cache, offset, picture->pixels, size, diag)) {
        atomic_store(&slot->state, SLOT_BAD);
        return false;
    }
    slot->entry = (Entry){.high = hash.high, .offset = offset};
    slot->entry.height = picture->height, slot->entry.width = picture->width, slot->entry.channels = picture->channels;
    slot->entry.sum = entry_sum(&slot->entry, hash.low, picture->pixels);
    atomic_store_explicit(&slot->state, SLOT_READY, memory_order_release);
    return true;
}
