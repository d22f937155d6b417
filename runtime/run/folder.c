// Run folder: see run_folder.h.
#include "runtime/run/folder.h"
#include "runtime/base/file.h"
#include "runtime/base/text.h"
#include "runtime/run/checkpoint.h"
#include "runtime/run/run.h"
#include <string.h>
#include <unistd.h>

bool run_folder_take(RunFolder *folder, Arena *arena, const char *path, bool goes_on, Diag *diag) {
    *folder = (RunFolder){.path = path, .is_new = !file_exists(path)};
    if (!file_make_folders(path, diag) || !(folder->lock = run_lock_take(arena, path, diag)))
        return false;
    if (goes_on || !run_exists(path))
        return true;
    diag_error(diag, &(Place){.file = path}, "another process began a run there just now");
    return false;
}

void run_folder_leave(RunFolder *folder) {
    run_lock_release(&folder->lock);
    if (folder->is_new)
        rmdir(folder->path); // does nothing where something is in it
    folder->is_new = false;
}

// NAME.PROCESS-NUMBER.tmp, as file_create calls it, of a NAME that a training writes.
bool run_folder_is_unfinished(const char *name) {
    static const char *const written[] = {"run.json", "architecture.txt", "fork.txt", "metrics.jsonl", "metrics.csv", "loss.png"};
    const char *const end = name + strlen(name) - (text_ends_with(name, ".tmp") ? 4 : 0), *at = end;
    int length = 0;
    while (at > name && at[-1] != '.')
        at--;
    if (at == name || sscanf(at, "%*9[0-9]-%*9[0-9]%n", &length) != 0 || length == 0 || at + length != end || !*end)
        return false;
    Arena *arena = arena_create();
    const char *base = arena_copy_bytes(arena, name, (size_t)(at - 1 - name));
    uint32_t step;
    bool is_ours = checkpoint_is_name(base, &step);
    for (uint32_t i = 0; i < sizeof written / sizeof *written; i++)
        is_ours |= strcmp(base, written[i]) == 0;
    arena_destroy(&arena);
    return is_ours;
}

void run_folder_remove_unfinished(const RunFolder *folder) {
    Arena *arena = arena_create();
    uint32_t count = 0;
    const char **names = file_list(arena, folder->path, &count, diag_create(arena));
    for (uint32_t i = 0; names && i < count; i++)
        if (run_folder_is_unfinished(names[i]))
            unlink(file_join(arena, folder->path, names[i]));
    arena_destroy(&arena);
}

bool run_folder_is_empty(const char *path) {
    Arena *arena = arena_create();
    uint32_t count = 0;
    const char **names = file_is_folder(path) ? file_list(arena, path, &count, diag_create(arena)) : NULL;
    bool is_empty = names != NULL;
    for (uint32_t i = 0; is_empty && i < count; i++)
        is_empty = run_folder_is_unfinished(names[i]) || run_lock_is_its_file(names[i]);
    arena_destroy(&arena);
    return is_empty;
}
