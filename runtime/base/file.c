// File: POSIX calls with their failures reported, and the writer that replaces a file in one step.
#include "runtime/base/file.h"
#include "runtime/base/file_parts.h"
#include "runtime/base/text.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIECE_SIZE = 64 * 1024, CALL_SIZE_MAX = 1 << 30 };

struct FileWriter {
    char *path; // of the file that is replaced, behind links
    char *temporary;
    int descriptor;
    bool has_failed, is_unsynced;
    size_t buffered;
    char buffer[PIECE_SIZE];
};

// The one variable of this layer: a test hook cannot be an argument of every call.
static _Atomic uint32_t calls_until_failure;

void file_fail_at(uint32_t n) { atomic_store(&calls_until_failure, n); }

bool file_must_fail(void) {
    uint32_t left = atomic_load(&calls_until_failure);
    while (left > 0 && !atomic_compare_exchange_weak(&calls_until_failure, &left, left - 1))
        continue;
    if (left != 1)
        return false;
    errno = ENOSPC;
    return true;
}

static int checked_open(const char *path, int flags) { return file_must_fail() ? -1 : open(path, flags | O_CLOEXEC, 0666); }

static ssize_t checked_write(int descriptor, const void *bytes, size_t size) {
    return file_must_fail() ? -1 : write(descriptor, bytes, size < CALL_SIZE_MAX ? size : CALL_SIZE_MAX);
}

static int checked_fsync(int descriptor) { return file_must_fail() ? -1 : fsync(descriptor); }

static int checked_rename(const char *from, const char *to) { return file_must_fail() ? -1 : rename(from, to); }

bool file_failed(Diag *diag, const char *path, const char *what) {
    diag_error(diag, &(Place){.file = path}, "cannot %s: %s", what, strerror(errno));
    return false;
}

static ssize_t read_piece(int descriptor, char *bytes, size_t size) {
    ssize_t got;
    do
        got = read(descriptor, bytes, size < CALL_SIZE_MAX ? size : CALL_SIZE_MAX);
    while (got < 0 && errno == EINTR);
    return got;
}

// `expected` is the size that the file system names; the file may be a pipe, or grow meanwhile.
static char *read_all(Arena *arena, int descriptor, size_t expected, size_t *size) {
    size_t capacity = expected + 2, length = 0; // room for the 0 byte and to see the end without growing
    char *bytes = arena_alloc(arena, capacity);
    for (;;) {
        ssize_t got = read_piece(descriptor, bytes + length, capacity - length - 1);
        if (got < 0)
            return NULL;
        if (got == 0)
            break;
        length += (size_t)got;
        if (length + 1 < capacity)
            continue;
        char *grown = arena_alloc(arena, capacity * 2 + PIECE_SIZE);
        memcpy(grown, bytes, length);
        bytes = grown;
        capacity = capacity * 2 + PIECE_SIZE;
    }
    bytes[length] = 0;
    *size = length;
    return bytes;
}

char *file_read(Arena *arena, const char *path, size_t *size, Diag *diag) {
    int descriptor = checked_open(path, O_RDONLY);
    struct stat status;
    char *bytes = NULL;
    if (descriptor >= 0 && fstat(descriptor, &status) == 0)
        bytes = read_all(arena, descriptor, S_ISREG(status.st_mode) ? (size_t)status.st_size : 0, size);
    if (!bytes)
        file_failed(diag, path, "read");
    if (descriptor >= 0)
        close(descriptor);
    return bytes;
}

struct FileView {
    const char *path;
    int descriptor;
    uint64_t size;
};

static void close_view(void *context) { close(((FileView *)context)->descriptor); }

FileView *file_open(Arena *arena, const char *path, Diag *diag) {
    int descriptor = checked_open(path, O_RDONLY | O_NONBLOCK); // a pipe must not wait for its other end
    struct stat status;
    bool ok = descriptor >= 0 && fstat(descriptor, &status) == 0;
    if (!ok)
        file_failed(diag, path, "read");
    else if (!S_ISREG(status.st_mode)) {
        diag_error(diag, &(Place){.file = path}, S_ISDIR(status.st_mode) ? "is a folder, not a file" : "is no regular file");
        ok = false;
    }
    if (!ok) {
        if (descriptor >= 0)
            close(descriptor);
        return NULL;
    }
    FileView *view = ARENA_NEW(arena, FileView, 1);
    *view = (FileView){arena_copy_text(arena, path), descriptor, (uint64_t)status.st_size};
    arena_at_end(arena, close_view, view);
    return view;
}

uint64_t file_size(const FileView *view) { return view->size; }

bool file_read_at(const FileView *view, uint64_t offset, void *out, size_t size, Diag *diag) {
    for (size_t done = 0; done < size;) {
        size_t piece = size - done < CALL_SIZE_MAX ? size - done : CALL_SIZE_MAX;
        ssize_t got = pread(view->descriptor, (char *)out + done, piece, (off_t)(offset + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return file_failed(diag, view->path, "read");
        if (got == 0) {
            diag_error(diag, &(Place){.file = view->path}, "it has become shorter since it was opened");
            return false;
        }
        done += (size_t)got;
    }
    return true;
}

char *file_read_most(Arena *arena, const char *path, uint64_t most, size_t *size, Diag *diag) {
    Arena *own = arena_create(); // closes the file
    const FileView *view = file_open(own, path, diag);
    char *bytes = NULL;
    if (view && file_size(view) > most)
        diag_error(diag, &(Place){.file = path}, "%llu bytes are too many; at most %llu are read", (unsigned long long)file_size(view),
                   (unsigned long long)most);
    else if (view) {
        *size = (size_t)file_size(view);
        bytes = arena_alloc(arena, *size + 1);
        bytes = file_read_at(view, 0, bytes, *size, diag) ? bytes : NULL;
    }
    arena_destroy(&own);
    return bytes;
}

static bool write_whole(const char *path, const void *bytes, size_t size, bool is_unsynced, Diag *diag) {
    Arena *arena = arena_create();
    FileWriter *writer = file_create(arena, path, diag);
    if (writer)
        writer->is_unsynced = is_unsynced;
    bool is_written = false;
    if (writer && file_put(writer, bytes, size, diag))
        is_written = file_commit(writer, diag);
    else if (writer)
        file_abandon(writer);
    arena_destroy(&arena);
    return is_written;
}

bool file_write(const char *path, const void *bytes, size_t size, Diag *diag) { return write_whole(path, bytes, size, false, diag); }

bool file_write_unsynced(const char *path, const void *bytes, size_t size, Diag *diag) { return write_whole(path, bytes, size, true, diag); }

FileWriter *file_create(Arena *arena, const char *path, Diag *diag) {
    struct stat status;
    const char *real = path;
    if (stat(path, &status) == 0) {
        if (!S_ISREG(status.st_mode)) {
            diag_error(diag, &(Place){.file = path}, "cannot write: not a regular file");
            return NULL;
        }
        real = file_real_path(arena, path);
    }
    FileWriter *writer = ARENA_NEW(arena, FileWriter, 1);
    writer->path = arena_copy_text(arena, real ? real : path);
    // The process and a number keep apart all who write this file at the same time; what a crash left behind is stepped over.
    for (uint32_t n = 0;; n++) {
        writer->temporary = arena_format(arena, "%s.%ld-%u.tmp", writer->path, (long)getpid(), n);
        writer->descriptor = checked_open(writer->temporary, O_WRONLY | O_CREAT | O_EXCL);
        if (writer->descriptor >= 0)
            return writer;
        if (errno != EEXIST || n >= 1000) {
            file_failed(diag, path, "write");
            return NULL;
        }
    }
}

static bool write_all(FileWriter *writer, const char *bytes, size_t size) {
    while (size > 0) {
        ssize_t put = checked_write(writer->descriptor, bytes, size);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return false;
        bytes += put;
        size -= (size_t)put;
    }
    return true;
}

static bool flush(FileWriter *writer) {
    size_t size = writer->buffered;
    writer->buffered = 0;
    return write_all(writer, writer->buffer, size);
}

bool file_put(FileWriter *writer, const void *bytes, size_t size, Diag *diag) {
    if (writer->has_failed) {
        diag_error(diag, &(Place){.file = writer->path}, "not written, since an earlier part failed");
        return false;
    }
    bool is_put = size <= PIECE_SIZE - writer->buffered || flush(writer);
    if (is_put && size > PIECE_SIZE - writer->buffered) {
        is_put = write_all(writer, bytes, size);
    } else if (is_put && size > 0) {
        memcpy(writer->buffer + writer->buffered, bytes, size);
        writer->buffered += size;
    }
    if (is_put)
        return true;
    writer->has_failed = true;
    return file_failed(diag, writer->path, "write");
}

// The folder is opened before the rename, so that as little as possible can fail behind it.
static bool replace(FileWriter *writer, Diag *diag) {
    if (writer->is_unsynced)
        return checked_rename(writer->temporary, writer->path) == 0 || file_failed(diag, writer->path, "replace");
    Arena *scratch = arena_create();
    int folder = checked_open(file_folder(scratch, writer->path), O_RDONLY | O_DIRECTORY);
    arena_destroy(&scratch);
    bool is_renamed = folder >= 0 && checked_rename(writer->temporary, writer->path) == 0;
    if (!is_renamed)
        file_failed(diag, writer->path, "replace");
    else if (checked_fsync(folder) != 0 && errno != EINVAL) // EINVAL: a file system without this
        diag_warning(diag, &(Place){.file = writer->path}, "written, but its folder cannot be synced: %s", strerror(errno));
    if (folder >= 0)
        close(folder);
    return is_renamed;
}

bool file_commit(FileWriter *writer, Diag *diag) {
    if (writer->has_failed) {
        file_abandon(writer);
        diag_error(diag, &(Place){.file = writer->path}, "not written, since an earlier part failed");
        return false;
    }
    bool is_stored = flush(writer) && (writer->is_unsynced || checked_fsync(writer->descriptor) == 0);
    if (is_stored) {
        is_stored = close(writer->descriptor) == 0;
        writer->descriptor = -1;
    }
    if (is_stored ? replace(writer, diag) : file_failed(diag, writer->path, "write"))
        return true;
    file_abandon(writer);
    return false;
}

void file_abandon(FileWriter *writer) {
    if (writer->descriptor >= 0)
        close(writer->descriptor);
    writer->descriptor = -1;
    unlink(writer->temporary);
}

bool file_exists(const char *path) {
    struct stat status;
    return stat(path, &status) == 0;
}

bool file_is_folder(const char *path) {
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static bool make_folder(const char *path, Diag *diag) {
    if (mkdir(path, 0777) == 0)
        return true;
    int reason = errno;
    if (file_is_folder(path))
        return true;
    errno = reason == EEXIST ? ENOTDIR : reason;
    return file_failed(diag, path, "make the folder");
}

bool file_make_folders(const char *path, Diag *diag) {
    Arena *scratch = arena_create();
    char *part = arena_copy_text(scratch, path);
    bool is_made = true;
    for (char *slash = part[0] ? strchr(part + 1, '/') : NULL; slash && is_made; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        is_made = make_folder(part, diag);
        *slash = '/';
    }
    is_made = is_made && make_folder(part, diag);
    arena_destroy(&scratch);
    return is_made;
}

static bool remove_tree(Arena *scratch, const char *path, Diag *diag) {
    struct stat status;
    if (lstat(path, &status) != 0)
        return errno == ENOENT || file_failed(diag, path, "remove");
    bool is_folder = S_ISDIR(status.st_mode);
    if (is_folder) {
        uint32_t count;
        const char **names = file_list(scratch, path, &count, diag);
        if (!names)
            return false;
        for (uint32_t i = 0; i < count; i++)
            if (!remove_tree(scratch, file_join(scratch, path, names[i]), diag))
                return false;
    }
    return (is_folder ? rmdir(path) : unlink(path)) == 0 || errno == ENOENT || file_failed(diag, path, "remove");
}

bool file_remove_tree(const char *path, Diag *diag) {
    Arena *scratch = arena_create();
    bool is_removed = remove_tree(scratch, path, diag);
    arena_destroy(&scratch);
    return is_removed;
}

static int compare_names(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

const char **file_list(Arena *arena, const char *path, uint32_t *count, Diag *diag) {
    ARRAY(const char *) names = {0};
    array_push(arena, &names, NULL); // an empty folder is not NULL
    names.count = 0;
    DIR *folder = file_must_fail() ? NULL : opendir(path);
    if (!folder) {
        file_failed(diag, path, "list");
        return NULL;
    }
    errno = 0;
    for (struct dirent *entry = readdir(folder); entry; errno = 0, entry = readdir(folder))
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            array_push(arena, &names, arena_copy_text(arena, entry->d_name));
    bool is_read = errno == 0 || file_failed(diag, path, "list");
    closedir(folder);
    if (!is_read)
        return NULL;
    qsort(names.items, names.count, sizeof *names.items, compare_names);
    *count = names.count;
    return names.items;
}

const char *file_join(Arena *arena, const char *folder, const char *name) {
    if (name[0] == '/' || !folder[0])
        return arena_copy_text(arena, name);
    return arena_format(arena, "%s%s%s", folder, text_ends_with(folder, "/") ? "" : "/", name);
}

const char *file_folder(Arena *arena, const char *path) {
    const char *slash = strrchr(path, '/');
    if (!slash)
        return ".";
    return slash == path ? "/" : arena_copy_bytes(arena, path, (size_t)(slash - path));
}

const char *file_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

const char *file_real_path(Arena *arena, const char *path) {
    char *real = realpath(path, NULL);
    const char *copy = arena_copy_text(arena, real);
    free(real);
    return copy;
}

const char *file_cache_folder(Arena *arena) {
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    if (cache && cache[0] == '/') // the XDG base directory specification: a relative one is ignored
        return file_join(arena, cache, "gcc-graph");
    return file_join(arena, home && home[0] ? home : ".", ".cache/gcc-graph");
}
