// File: whole files in and out, folders, digests. Every failure is reported with the path and the system's reason.
#pragma once
#include "runtime/base/diag.h"

// The whole file, followed by a 0 byte that `size` does not count. NULL on failure.
char *file_read(Arena *arena, const char *path, size_t *size, Diag *diag);
// A file that is read in places, however large it is: only what is asked for is read. Closed when the arena ends. Any thread may read.
typedef struct FileView FileView;
FileView *file_open(Arena *arena, const char *path, Diag *diag); // NULL on failure, and of what is no regular file
uint64_t file_size(const FileView *view);                        // when it was opened
// False (reported) also where the file has become shorter since it was opened.
bool file_read_at(const FileView *view, uint64_t offset, void *out, size_t size, Diag *diag);
// As file_read, of a regular file of at most `most` bytes; anything else is refused. For files of strangers.
char *file_read_most(Arena *arena, const char *path, uint64_t most, size_t *size, Diag *diag);

// Replaces the file as one step: writes to a temporary name beside it, fsyncs, renames, fsyncs the folder. On failure the old file is
// untouched and the temporary one removed. A folder that cannot be fsynced is only a warning: the new file is in place by then. A link is
// followed; what is no regular file (/dev/null) is refused.
bool file_write(const char *path, const void *bytes, size_t size, Diag *diag);
// The same without fsync: whole against a process that is killed, not against a machine that stops. For caches that find damage out, and for
// folders that are synced as a whole.
bool file_write_unsynced(const char *path, const void *bytes, size_t size, Diag *diag);

// The same in pieces, for large files. file_commit ends it in success, file_abandon in failure; one of both must be called. After a
// failed file_put, file_commit abandons too and returns false.
typedef struct FileWriter FileWriter;
FileWriter *file_create(Arena *arena, const char *path, Diag *diag);
bool file_put(FileWriter *writer, const void *bytes, size_t size, Diag *diag);
bool file_commit(FileWriter *writer, Diag *diag);
void file_abandon(FileWriter *writer);

bool file_exists(const char *path);
bool file_is_folder(const char *path);
bool file_make_folders(const char *path, Diag *diag); // with parents; an existing folder is fine
bool file_remove_tree(const char *path, Diag *diag);
// Names in a folder, sorted, without . and ..; NULL on failure.
const char **file_list(Arena *arena, const char *path, uint32_t *count, Diag *diag);
const char *file_join(Arena *arena, const char *folder, const char *name); // an absolute name stays itself
const char *file_folder(Arena *arena, const char *path);                    // "a/b" -> "a"; "b" -> "."
const char *file_name(const char *path);                                    // "a/b" -> "b"
const char *file_real_path(Arena *arena, const char *path);                 // NULL when it does not exist (not reported)
// XDG_CACHE_HOME/gcc-graph, or HOME/.cache/gcc-graph; made on demand by those who write there.
const char *file_cache_folder(Arena *arena);

// XXH3, 128 bits, as 32 hexadecimal digits: guards against damage and names cache entries (no protection against forgery).
const char *digest_bytes(Arena *arena, const void *bytes, size_t size);
uint64_t digest_hash(const void *bytes, size_t size); // XXH3, 64 bits: for tables in memory

// Test hook: the n-th file operation from now on fails with ENOSPC (0: none). Counts every open, write, fsync and rename, and those of folders.
void file_fail_at(uint32_t n);
