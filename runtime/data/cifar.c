// Cifar: CIFAR-10's binary version (Krizhevsky 2009): records of a label and 3 x 32 x 32 bytes, in data_batch_1.bin … and test_batch.bin;
// the names of the classes, a line each, in batches.meta.txt.
#include "runtime/base/text.h"
#include "runtime/data/columns.h"
#include <stdlib.h>

enum { SIDE = 32, CHANNELS = 3, RECORD = 1 + CHANNELS * SIDE * SIDE, CLASSES = 10, NAMES_MAX = 1 << 16 };

typedef ARRAY(ColumnPart) Parts;

static bool add_part(Arena *arena, const char *path, Parts *parts, uint64_t *records, Diag *diag) {
    const FileView *view = file_open(arena, path, diag);
    if (!view)
        return false;
    if (file_size(view) == 0 || file_size(view) % RECORD != 0 || file_size(view) / RECORD > UINT32_MAX / 2) {
        diag_error(diag, &(Place){.file = path}, "%llu bytes; expected records of %d bytes each", (unsigned long long)file_size(view),
                   RECORD);
        return false;
    }
    array_push(arena, parts, ((ColumnPart){.view = view, .records = file_size(view) / RECORD}));
    *records += file_size(view) / RECORD;
    return true;
}

// Both fields of a split: the same files, at another place of each record.
static void add_columns(Arena *arena, Columns *columns, const char *folder, int split, const Parts *parts, uint64_t records) {
    ColumnPart *images = ARENA_NEW(arena, ColumnPart, parts->count);
    for (uint32_t i = 0; i < parts->count; i++) {
        images[i] = parts->items[i];
        images[i].offset = 1;
    }
    Column image = {.name = "image", .path = folder, .split = split, .stride = RECORD, .parts = images, .part_count = parts->count};
    image.place = (TensorPlace){.type = ELEMENT_U8, .rank = 4, .dims = {records, CHANNELS, SIDE, SIDE}};
    Column label = {.name = "label", .path = folder, .split = split, .stride = RECORD, .parts = parts->items, .part_count = parts->count};
    label.place = (TensorPlace){.type = ELEMENT_U8, .rank = 1, .dims = {records}};
    array_push(arena, &columns->known, ((ColumnName){image.name, split}));
    array_push(arena, &columns->known, ((ColumnName){label.name, split}));
    array_push(arena, columns, image);
    array_push(arena, columns, label);
}

static bool list(Arena *arena, const char *folder, Columns *columns, Diag *diag) {
    Text missing = text_create(arena);
    for (int split = SPLIT_TRAIN; split <= SPLIT_TEST; split += SPLIT_TEST - SPLIT_TRAIN) {
        Parts parts = {0};
        uint64_t records = 0;
        for (uint32_t batch = 1; batch <= (split == SPLIT_TRAIN ? 5 : 1); batch++) {
            const char *name = split == SPLIT_TRAIN ? arena_format(arena, "data_batch_%u.bin", batch) : "test_batch.bin";
            const char *path = file_join(arena, folder, name);
            if (!file_exists(path))
                text_format(&missing, "%s%s", missing.length ? ", " : "", name);
            else if (!add_part(arena, path, &parts, &records, diag))
                return false;
        }
        if (parts.count)
            add_columns(arena, columns, folder, split, &parts, records);
    }
    if (columns->count && missing.length)
        diag_warning(diag, &(Place){.file = folder}, "of CIFAR-10's files these are missing: %s", missing.data);
    if (columns->count)
        return true;
    diag_error(diag, &(Place){.file = folder},
               file_is_folder(folder) ? "no data_batch_1.bin … data_batch_5.bin and no test_batch.bin in this folder" : "no such folder");
    return false;
}

// The folder, or the one in it that the published archive unpacks to.
static const char *find_folder(Arena *arena, const char *folder) {
    const char *inner = file_join(arena, folder, "cifar-10-batches-bin");
    return file_is_folder(inner) ? inner : folder;
}

static bool read_names(Arena *arena, const char *folder, Dataset *dataset, Diag *diag) {
    const char *path = file_join(arena, folder, "batches.meta.txt");
    const char **names = ARENA_NEW(arena, const char *, CLASSES);
    size_t size;
    dataset->class_count = CLASSES;
    if (!file_exists(path))
        return true;
    const FileView *view = file_open(arena, path, diag);
    if (!view)
        return false;
    size = file_size(view) < NAMES_MAX ? (size_t)file_size(view) : NAMES_MAX;
    char *rest = arena_alloc(arena, size + 1);
    if (!file_read_at(view, 0, rest, size, diag))
        return false;
    uint32_t count = 0;
    for (char *line; rest && count < CLASSES && (line = strsep(&rest, "\r\n"));)
        if (*line)
            names[count++] = line;
    dataset->class_names = count == CLASSES ? names : NULL;
    if (count < CLASSES)
        diag_warning(diag, &(Place){.file = path}, "%u names for %d classes are passed over", count, CLASSES);
    return true;
}

bool cifar_open(Arena *arena, const char *argument, Dataset *dataset, Diag *diag) {
    Columns columns = {0};
    const char *folder = find_folder(arena, argument);
    return list(arena, folder, &columns, diag) && read_names(arena, folder, dataset, diag) && columns_open(arena, dataset, &columns, diag);
}

bool cifar_natural(Arena *arena, const char *argument, ProgramData *declared, Diag *diag) {
    Arena *scratch = arena_create();
    Columns columns = {0};
    bool ok = list(scratch, find_folder(scratch, argument), &columns, diag) && columns_natural(arena, argument, &columns, declared, diag);
    arena_destroy(&scratch);
    return ok;
}
