// Folder: the fresh folder is held by a lock, by which a living writer is told from one that was killed.
#include "runtime/base/folder.h"
#include "runtime/base/file.h"
#include "runtime/base/file_parts.h"
#include "runtime/base/text.h"
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

struct FolderWriter {
    Arena *arena;
    const char *path, *fresh, *old; // old: where there is no exchange
    int descriptor;                 // of `fresh`, locked
};

// ---- what may be replaced or removed

// Also what file_write leaves of such a file when it is killed.
static bool is_entry(const char *name, const char *const *entries, uint32_t entry_count) {
    for (uint32_t i = 0; i < entry_count; i++)
        if (text_starts_with(name, entries[i]) && (!name[strlen(entries[i])] || text_ends_with(name, ".tmp")))
            return true;
    return false;
}

// The first entry that such folders do not have; NULL: none.
static const char *find_alien(Arena *arena, const char *folder, const char *const *entries, uint32_t entry_count) {
    uint32_t count = 0;
    const char **names = file_list(arena, folder, &count, diag_create(arena));
    if (!names)
        return "what cannot be listed";
    for (uint32_t i = 0; i < count; i++)
        if (!is_entry(names[i], entries, entry_count))
            return names[i];
    return NULL;
}

static bool may_replace(Arena *arena, const char *path, const char *const *entries, uint32_t entry_count, Diag *diag) {
    Place place = {.file = path};
    if (!file_exists(path))
        return true;
    if (!file_is_folder(path) || !file_exists(file_join(arena, path, entries[0]))) {
        diag_error(diag, &place, file_is_folder(path) ? "is there, and holds no %s; nothing was written" : "is there, and is no folder that holds %s; nothing was written", entries[0]);
        return false;
    }
    const char *alien = find_alien(arena, path, entries, entry_count);
    if (alien)
        diag_error(diag, &place, "is there, and holds %s, which would be lost; nothing was written", alien);
    return !alien;
}

// NAME.PROCESS-NUMBER.new or .old: what such a name ends in, else NULL.
static const char *left_over_kind(const char *name, const char *of) {
    if (!text_starts_with(name, of) || name[strlen(of)] != '.')
        return NULL;
    const char *at = name + strlen(of) + 1, *dash = strchr(at, '-');
    size_t process = strspn(at, "0123456789"), number = dash ? strspn(dash + 1, "0123456789") : 0;
    if (!process || !number || at + process != dash)
        return NULL;
    const char *kind = dash + 1 + number;
    return !strcmp(kind, ".new") || !strcmp(kind, ".old") ? kind : NULL;
}

// Complaints are dropped: a folder that stays costs space, nothing else.
static void remove_left_overs(Arena *arena, const char *path, const char *const *entries, uint32_t entry_count) {
    uint32_t count = 0;
    Diag *quiet = diag_create(arena);
    const char *parent = file_folder(arena, path), **names = file_list(arena, parent, &count, quiet);
    for (uint32_t i = 0; names && i < count; i++) {
        const char *kind = left_over_kind(names[i], file_name(path)), *left = file_join(arena, parent, names[i]);
        int descriptor = kind ? open(left, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
        if (descriptor < 0)
            continue;
        bool is_alone = flock(descriptor, LOCK_EX | LOCK_NB) == 0, is_kept = find_alien(arena, left, entries, entry_count) != NULL;
        if (is_alone && !is_kept && !strcmp(kind, ".old") && !file_exists(path))
            is_kept = rename(left, path) == 0;
        if (is_alone && !is_kept)
            file_remove_tree(left, quiet);
        close(descriptor);
    }
}

// ---- writing

static const char *without_slashes(Arena *arena, const char *path) {
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/')
        length--;
    return arena_copy_bytes(arena, path, length);
}

static bool is_same(int descriptor, const char *path) {
    struct stat a, b;
    return fstat(descriptor, &a) == 0 && stat(path, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

// Somebody who cleans up may see the folder before it is locked, and remove it: then the next name is tried.
static bool make_fresh(FolderWriter *writer, Diag *diag) {
    for (uint32_t n = 0; n < 1000; n++) {
        const char *name = arena_format(writer->arena, "%s.%ld-%u", writer->path, (long)getpid(), n);
        writer->fresh = arena_format(writer->arena, "%s.new", name);
        writer->old = arena_format(writer->arena, "%s.old", name);
        if (file_must_fail() || mkdir(writer->fresh, 0777) != 0) {
            if (errno == EEXIST)
                continue;
            break;
        }
        writer->descriptor = file_must_fail() ? -1 : open(writer->fresh, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (writer->descriptor >= 0) {
            flock(writer->descriptor, LOCK_EX); // without locks, as on some network file systems, nobody cleans up either
            if (is_same(writer->descriptor, writer->fresh))
                return true;
            close(writer->descriptor);
            continue;
        }
        int reason = errno;
        rmdir(writer->fresh);
        if (reason != ENOENT) {
            errno = reason;
            break;
        }
    }
    return file_failed(diag, writer->fresh, "make the folder");
}

FolderWriter *folder_create(Arena *arena, const char *path, const char *const *entries, uint32_t entry_count, Diag *diag) {
    FolderWriter *writer = ARENA_NEW(arena, FolderWriter, 1);
    const char *plain = without_slashes(arena, path), *real = file_real_path(arena, plain);
    *writer = (FolderWriter){.arena = arena, .path = real ? real : plain, .descriptor = -1};
    if (!may_replace(arena, writer->path, entries, entry_count, diag) || !file_make_folders(file_folder(arena, writer->path), diag))
        return NULL;
    remove_left_overs(arena, writer->path, entries, entry_count);
    return make_fresh(writer, diag) ? writer : NULL;
}

const char *folder_fresh(const FolderWriter *writer) { return writer->fresh; }

static bool sync_each(Arena *arena, const char *path, Diag *diag) {
    int descriptor = file_must_fail() ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    bool good = descriptor >= 0 && !file_must_fail() && (fsync(descriptor) == 0 || (errno == EINVAL && file_is_folder(path)));
    if (!good)
        file_failed(diag, path, "write");
    if (descriptor >= 0)
        close(descriptor);
    uint32_t count = 0;
    const char **names = good && file_is_folder(path) ? file_list(arena, path, &count, diag) : NULL;
    for (uint32_t i = 0; names && good && i < count; i++)
        good = sync_each(arena, file_join(arena, path, names[i]), diag);
    return good && (names || !file_is_folder(path));
}

static bool sync_all(FolderWriter *writer, Diag *diag) {
    if (!file_must_fail() && syncfs(writer->descriptor) == 0)
        return true;
    return errno == ENOSYS ? sync_each(writer->arena, writer->fresh, diag) : file_failed(diag, writer->path, "write");
}

// What was at the path is at `fresh` or `old` then, if there was anything.
static bool put_in_place(FolderWriter *writer) {
    if (file_must_fail())
        return false;
    if (!file_exists(writer->path))
        return rename(writer->fresh, writer->path) == 0;
    if (renameat2(AT_FDCWD, writer->fresh, AT_FDCWD, writer->path, RENAME_EXCHANGE) == 0)
        return true;
    if ((errno != EINVAL && errno != ENOSYS) || rename(writer->path, writer->old) != 0)
        return false;
    if (rename(writer->fresh, writer->path) == 0)
        return true;
    int reason = errno;
    if (rename(writer->old, writer->path) != 0)
        return false;
    errno = reason;
    return false;
}

bool folder_commit(FolderWriter *writer, Diag *diag) {
    const char *parent = file_folder(writer->arena, writer->path);
    int folder = file_must_fail() ? -1 : open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool good = folder >= 0 ? sync_all(writer, diag) : file_failed(diag, parent, "read");
    if (good && !put_in_place(writer))
        good = file_failed(diag, writer->path, "replace");
    if (good && (file_must_fail() || fsync(folder) != 0) && errno != EINVAL)
        diag_warning(diag, &(Place){.file = writer->path}, "written, but its folder cannot be synced: %s", strerror(errno));
    if (folder >= 0)
        close(folder);
    Diag *quiet = diag_create(writer->arena); // the new folder is in place: what stays of the old one, the next writer removes
    file_remove_tree(writer->fresh, quiet);
    if (good)
        file_remove_tree(writer->old, quiet);
    close(writer->descriptor);
    return good;
}

void folder_abandon(FolderWriter *writer) {
    file_remove_tree(writer->fresh, diag_create(writer->arena));
    close(writer->descriptor);
}
