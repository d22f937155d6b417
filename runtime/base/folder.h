// Folder: a folder of files that takes the place of an older one in one step, as file_write does for a file.
#pragma once
#include "runtime/base/diag.h"

typedef struct FolderWriter FolderWriter;

// Makes an empty folder beside `path` (PATH.PROCESS-NUMBER.new), with the parents of both. A link is followed. `entries`, `entry_count`: the
// names that folders of this kind hold. What is at `path` must be such a folder - no other entry, and entries[0] among them - or nothing, else
// this is an error and nothing is touched. Removes, and looks at no others, what writers that were killed left beside `path`: folders of such
// a name that no living process holds, with no other entries. NULL after an error.
FolderWriter *folder_create(Arena *arena, const char *path, const char *const *entries, uint32_t entry_count, Diag *diag);
// Where the files go; write them with file_write_unsynced.
const char *folder_fresh(const FolderWriter *writer);
// Puts all on the disk, by one syncfs (where the system lacks it by an fsync of each file), then exchanges both folders and removes the old one.
// Killed at any moment, or failing, this leaves the old folder or the new one, whole. Where a file system cannot exchange (NFS, some FUSE), two
// renames do it: between them the old folder is PATH.PROCESS-NUMBER.old, and the next folder_create puts it back. Ends the writer in either case.
bool folder_commit(FolderWriter *writer, Diag *diag);
void folder_abandon(FolderWriter *writer);
