// Tensors: data sets in the files that tensors are kept in - .npy, .npz (a zip archive of them, as numpy.savez writes it) and safetensors.
#include "runtime/base/text.h"
#include "runtime/data/columns.h"
#include "runtime/data/zip.h"

#define UNPACKED_MAX (UINT64_C(4) << 30)

typedef struct {
    Arena *arena;
    const ProgramData *wanted; // NULL: all arrays are
    bool is_described;         // only types and shapes are asked for
    Columns columns;
    Diag *diag;
} Reader;

static const char *without_end(Arena *arena, const char *name) {
    return arena_copy_bytes(arena, name, strlen(name) - (text_ends_with(name, ".npy") ? 4 : 0));
}

// Where the elements of a .npy lie. Described, one of several that is no array of numbers is told and left out (*is_left_out).
static bool locate(Reader *reader, const char *path, const uint8_t *front, uint64_t front_size, uint64_t size, bool is_only,
                   TensorPlace *out, bool *is_left_out) {
    Arena *scratch = arena_create();
    Diag *why = diag_create(scratch);
    bool ok = npy_locate(path, front, front_size, size, out, why);
    *is_left_out = !ok && reader->is_described && !is_only;
    if (*is_left_out)
        diag_warning(reader->diag, NULL, "%s; left out", diag_text(why, scratch) + strlen("error: "));
    else
        diag_merge(reader->diag, why);
    arena_destroy(&scratch);
    return ok || *is_left_out;
}

// ---- .npy

static bool add_npy(Reader *reader, const char *path, const char *name, int split, bool is_only) {
    Arena *scratch = arena_create();
    array_push(reader->arena, &reader->columns.known, ((ColumnName){name, split}));
    bool ok = !columns_want(reader->wanted, name);
    if (!ok) {
        const FileView *view = file_open(reader->arena, path, reader->diag);
        size_t size = !view ? 0 : file_size(view) < NPY_FRONT ? (size_t)file_size(view) : NPY_FRONT;
        uint8_t *front = arena_alloc(scratch, size + 1);
        TensorPlace place;
        bool is_left_out = false;
        ok = view && file_read_at(view, 0, front, size, reader->diag) &&
             locate(reader, path, front, size, file_size(view), is_only, &place, &is_left_out) &&
             (is_left_out || columns_add(reader->arena, &reader->columns, path, name, split, &place, reader->is_described ? NULL : view, NULL,
                                         reader->diag));
    }
    arena_destroy(&scratch);
    return ok;
}

// The folders of splits, or with `split` one of them.
static bool add_folder(Reader *reader, const char *folder, int split) {
    uint32_t count = 0;
    const char **names = file_list(reader->arena, folder, &count, reader->diag), *field;
    for (uint32_t i = 0; names && i < count; i++) {
        const char *path = file_join(reader->arena, folder, names[i]);
        int own = split_of_name(names[i], strlen(names[i]));
        if (split < 0 && own >= 0 && file_is_folder(path)) {
            if (!add_folder(reader, path, own))
                return false;
            continue;
        }
        if (!text_ends_with(names[i], ".npy") || names[i][0] == '.')
            continue;
        field = without_end(reader->arena, names[i]);
        own = split;
        if (split < 0)
            columns_name(reader->arena, field, &field, &own);
        if (!add_npy(reader, path, field, own, false))
            return false;
    }
    return names != NULL;
}

static bool read_npy(Reader *reader, const char *path) {
    if (file_is_folder(path))
        return add_folder(reader, path, -1);
    return add_npy(reader, path, without_end(reader->arena, file_name(path)), -1, true);
}

// ---- .npz

// A member that is not packed is read in place.
static bool add_member(Reader *reader, const char *path, const FileView *view, const ZipEntry *entry, uint64_t *unpacked) {
    const char *name;
    int split;
    columns_name(reader->arena, without_end(reader->arena, entry->name), &name, &split);
    array_push(reader->arena, &reader->columns.known, ((ColumnName){name, split}));
    if (!columns_want(reader->wanted, name))
        return true;
    const char *shown = arena_format(reader->arena, "%s:%s", path, entry->name);
    Arena *scratch = arena_create();
    uint64_t front_size = entry->size < NPY_FRONT ? entry->size : NPY_FRONT;
    const uint8_t *front = zip_read(scratch, path, view, entry, front_size, false, reader->diag), *bytes = NULL;
    TensorPlace place;
    bool is_left_out = false, ok = front && locate(reader, shown, front, front_size, entry->size, false, &place, &is_left_out);
    if (is_left_out) {
        arena_destroy(&scratch);
        return true;
    }
    if (ok && entry->is_packed && !reader->is_described) {
        *unpacked += entry->size;
        if (*unpacked > UNPACKED_MAX) {
            diag_error(reader->diag, &(Place){.file = path},
                       "unpacks to more than %s; an archive that is not packed (numpy.savez) is read in place",
                       text_bytes(reader->arena, UNPACKED_MAX));
            ok = false;
        } else {
            bytes = zip_read(reader->arena, path, view, entry, entry->size, true, reader->diag);
            ok = bytes != NULL;
        }
    }
    if (bytes)
        bytes += place.offset;
    else
        place.offset += entry->offset;
    ok = ok && columns_add(reader->arena, &reader->columns, shown, name, split, &place, reader->is_described ? NULL : view, bytes, reader->diag);
    arena_destroy(&scratch);
    return ok;
}

static bool read_npz(Reader *reader, const char *path) {
    const FileView *view = file_open(reader->arena, path, reader->diag);
    ZipEntry *entries;
    uint32_t count;
    uint64_t unpacked = 0;
    if (!view || !zip_list(reader->arena, path, view, &entries, &count, reader->diag))
        return false;
    for (uint32_t i = 0; i < count; i++)
        if (text_ends_with(entries[i].name, ".npy") && !add_member(reader, path, view, &entries[i], &unpacked))
            return false;
    return true;
}

// ---- safetensors

static bool read_safetensors(Reader *reader, const char *path) {
    const FileView *view = file_open(reader->arena, path, reader->diag);
    TensorPlace *places;
    uint32_t count;
    if (!view || !safetensors_locate(reader->arena, path, view, &places, &count, reader->diag))
        return false;
    for (uint32_t i = 0; i < count; i++) {
        const char *name;
        int split;
        columns_name(reader->arena, places[i].name, &name, &split);
        array_push(reader->arena, &reader->columns.known, ((ColumnName){name, split}));
        if (columns_want(reader->wanted, name) &&
            !columns_add(reader->arena, &reader->columns, path, name, split, &places[i], view, NULL, reader->diag))
            return false;
    }
    return true;
}

// ---- what all have in common

static bool open_by(bool (*read)(Reader *reader, const char *path), Arena *arena, const char *path, Dataset *dataset, Diag *diag) {
    Reader reader = {.arena = arena, .wanted = dataset->declared, .diag = diag};
    if (!read(&reader, path))
        return false;
    if (reader.columns.count == 0 && columns_has_one(dataset->declared, &reader.columns)) {
        reader = (Reader){.arena = arena, .diag = diag};
        if (!read(&reader, path))
            return false;
    }
    return columns_found(arena, dataset->declared, path, &reader.columns, diag) && columns_open(arena, dataset, &reader.columns, diag);
}

static bool natural_by(bool (*read)(Reader *reader, const char *path), Arena *arena, const char *path, ProgramData *declared, Diag *diag) {
    Arena *scratch = arena_create();
    Reader reader = {.arena = scratch, .is_described = true, .diag = diag};
    bool ok = read(&reader, path) && columns_found(scratch, NULL, path, &reader.columns, diag) &&
              columns_natural(arena, path, &reader.columns, declared, diag);
    arena_destroy(&scratch);
    return ok;
}

bool tensors_open_npy(Arena *arena, const char *path, Dataset *dataset, Diag *diag) {
    return open_by(read_npy, arena, path, dataset, diag);
}
bool tensors_open_npz(Arena *arena, const char *path, Dataset *dataset, Diag *diag) {
    return open_by(read_npz, arena, path, dataset, diag);
}
bool tensors_open_safetensors(Arena *arena, const char *path, Dataset *dataset, Diag *diag) {
    return open_by(read_safetensors, arena, path, dataset, diag);
}
bool tensors_natural_npy(Arena *arena, const char *path, ProgramData *declared, Diag *diag) {
    return natural_by(read_npy, arena, path, declared, diag);
}
bool tensors_natural_npz(Arena *arena, const char *path, ProgramData *declared, Diag *diag) {
    return natural_by(read_npz, arena, path, declared, diag);
}
bool tensors_natural_safetensors(Arena *arena, const char *path, ProgramData *declared, Diag *diag) {
    return natural_by(read_safetensors, arena, path, declared, diag);
}
