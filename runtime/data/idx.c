// Idx: the format of MNIST (yann.lecun.com/exdb/mnist): 0 0 TYPE RANK, the axes as big-endian 32-bit numbers, the elements, big-endian.
// Plain or gzip.
#include "runtime/base/text.h"
#include "runtime/data/columns.h"
#include "runtime/data/inflate.h"

enum { HEADER_MAX = 4 + 4 * HOST_RANK_MAX };

static uint32_t big_endian(const uint8_t *bytes) {
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static bool find_type(uint8_t code, ElementType *out) {
    static const struct {
        uint8_t code;
        ElementType type;
    } types[] = {{0x08, ELEMENT_U8},  {0x09, ELEMENT_I8},  {0x0B, ELEMENT_I16},
                 {0x0C, ELEMENT_I32}, {0x0D, ELEMENT_F32}, {0x0E, ELEMENT_F64}};
    for (uint32_t i = 0; i < sizeof types / sizeof *types; i++)
        if (types[i].code == code) {
            *out = types[i].type;
            return true;
        }
    return false;
}

// Reads the header in `bytes` (of which `size` are there); the elements follow it, and end with the file.
static bool parse_header(const char *path, const uint8_t *bytes, size_t size, TensorPlace *place, Diag *diag) {
    *place = (TensorPlace){.is_big = true};
    if (size < 4)
        return diag_refuse_file(diag, path, "%zu bytes are no IDX file: truncated?", size);
    if (bytes[0] != 0 || bytes[1] != 0 || bytes[3] == 0 || bytes[3] > HOST_RANK_MAX)
        return diag_refuse_file(diag, path, "no IDX file: it begins with %02x%02x%02x%02x, expected 0000, the type and the number of axes (1 to %d)",
                      bytes[0], bytes[1], bytes[2], bytes[3], HOST_RANK_MAX);
    if (!find_type(bytes[2], &place->type))
        return diag_refuse_file(diag, path, "elements of IDX type 0x%02x; there are 08 (u8), 09 (i8), 0b (i16), 0c (i32), 0d (f32) and 0e (f64)",
                      bytes[2]);
    place->rank = bytes[3];
    place->offset = 4 + 4 * (uint64_t)place->rank;
    if (size < place->offset)
        return diag_refuse_file(diag, path, "truncated: the header has %zu of %u bytes", size, (unsigned)place->offset);
    place->size = element_bytes(place->type);
    for (uint32_t i = 0; i < place->rank; i++) {
        place->dims[i] = big_endian(bytes + 4 + 4 * i);
        if (__builtin_mul_overflow(place->size, place->dims[i], &place->size) || place->size > (uint64_t)1 << 48)
            return diag_refuse_file(diag, path, "its header asks for more elements than any file holds");
    }
    return place->size > 0 || diag_refuse_file(diag, path, "it holds no records");
}

// The elements in the arena.
static const uint8_t *unpack(Arena *arena, const char *path, const uint8_t *packed, size_t packed_size, TensorPlace *place, Diag *diag) {
    Arena *scratch = arena_create();
    uint8_t head[HEADER_MAX], *bytes = NULL;
    uint64_t got = 0, more = 0;
    Inflater *inflater = inflater_create(scratch, path, INFLATE_GZIP, packed, packed_size, diag);
    bool ok = inflater && inflater_take(inflater, head, 4, &got, diag);
    uint64_t rest = ok && got == 4 && head[3] >= 1 && head[3] <= HOST_RANK_MAX ? 4 * (uint64_t)head[3] : 0;
    ok = ok && inflater_take(inflater, head + 4, rest, &more, diag) && parse_header(path, head, (size_t)(got + more), place, diag);
    if (ok && place->size / INFLATE_RATIO_MAX > packed_size)
        ok = diag_refuse_file(diag, path, "truncated: %zu packed bytes cannot hold the %llu that the header asks for", packed_size,
                    (unsigned long long)place->size);
    if (ok) {
        bytes = ARENA_NEW(arena, uint8_t, place->size);
        ok = inflater_take(inflater, bytes, place->size, &got, diag);
    }
    if (ok && got < place->size)
        ok = diag_refuse_file(diag, path, "truncated: %llu of %llu bytes", (unsigned long long)got, (unsigned long long)place->size);
    ok = ok && inflater_end(inflater, diag);
    arena_destroy(&scratch);
    return ok ? bytes : NULL;
}

static bool read_packed(Arena *arena, const char *path, TensorPlace *place, const uint8_t **bytes, Diag *diag) {
    Arena *scratch = arena_create();
    size_t size;
    const uint8_t *packed = (const uint8_t *)file_read(scratch, path, &size, diag);
    *bytes = packed ? unpack(arena, path, packed, size, place, diag) : NULL;
    arena_destroy(&scratch);
    return *bytes != NULL;
}

static bool add_file(Arena *arena, Columns *columns, const char *path, const char *field, int split, Diag *diag) {
    const FileView *view = file_open(arena, path, diag);
    uint8_t head[HEADER_MAX];
    size_t size = !view ? 0 : file_size(view) < HEADER_MAX ? (size_t)file_size(view) : HEADER_MAX;
    if (!view || !file_read_at(view, 0, head, size, diag))
        return false;
    TensorPlace place;
    const uint8_t *bytes = NULL;
    if (inflate_is_gzip(head, size)) {
        if (!read_packed(arena, path, &place, &bytes, diag))
            return false;
    } else if (!parse_header(path, head, size, &place, diag))
        return false;
    else if (place.offset + place.size != file_size(view))
        return diag_refuse_file(diag, path, "%s: %llu bytes, %llu expected by its header",
                      file_size(view) < place.offset + place.size ? "truncated" : "too long", (unsigned long long)file_size(view),
                      (unsigned long long)(place.offset + place.size));
    return columns_add(arena, columns, path, field, split, &place, view, bytes, diag);
}

// ---- folders

// "train-images-idx3-ubyte", "t10k-labels.idx1-ubyte.gz": split, field and the rest; false: no such name.
static bool parse_name(Arena *arena, const char *name, const char **field, int *split) {
    const char *end = NULL;
    for (const char *at = strstr(name, "idx"); at; at = strstr(at + 1, "idx"))
        if (at > name + 1 && (at[-1] == '-' || at[-1] == '.') && at[3] >= '1' && at[3] <= '0' + HOST_RANK_MAX)
            end = at - 1;
    if (!end)
        return false;
    const char *whole = arena_copy_bytes(arena, name, (size_t)(end - name));
    *field = whole;
    if (text_starts_with(whole, "t10k-")) {
        *split = SPLIT_TEST;
        *field = whole + strlen("t10k-");
    } else
        columns_name(arena, whole, field, split);
    *field = strcmp(*field, "images") == 0 ? "image" : strcmp(*field, "labels") == 0 ? "label" : *field;
    return **field != 0;
}

static bool is_taken(const Columns *columns, const char *field, int split) {
    for (uint32_t i = 0; i < columns->count; i++)
        if (columns->items[i].split == split && strcmp(columns->items[i].name, field) == 0)
            return true;
    return false;
}

// The arrays of a folder; those that no field is called after are passed over (`declared` NULL: none is). A plain file comes before a
// packed one.
static bool list_folder(Arena *arena, const char *folder, const ProgramData *declared, Columns *columns, Diag *diag) {
    uint32_t count = 0;
    if (!file_is_folder(folder))
        return diag_refuse_file(diag, folder, "no such folder");
    const char **names = file_list(arena, folder, &count, diag);
    if (!names)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        const char *field;
        int split;
        if (!parse_name(arena, names[i], &field, &split))
            continue;
        array_push(arena, &columns->known, ((ColumnName){field, split}));
        if (columns_want(declared, field) && !is_taken(columns, field, split) &&
            !add_file(arena, columns, file_join(arena, folder, names[i]), field, split, diag))
            return false;
    }
    if (columns->known.count == 0)
        return diag_refuse_file(diag, folder, "no train-images-idx3-ubyte (or .gz) in this folder");
    if (columns->count == 0 && declared && columns_has_one(declared, columns))
        return list_folder(arena, folder, NULL, columns, diag);
    return columns_found(arena, declared, folder, columns, diag);
}

bool idx_open_folder(Arena *arena, const char *folder, Dataset *dataset, Diag *diag) {
    Columns columns = {0};
    return list_folder(arena, folder, dataset->declared, &columns, diag) && columns_open(arena, dataset, &columns, diag);
}

bool idx_natural_folder(Arena *arena, const char *folder, ProgramData *declared, Diag *diag) {
    Arena *scratch = arena_create();
    Columns columns = {0};
    bool ok = list_folder(scratch, folder, NULL, &columns, diag) && columns_natural(arena, folder, &columns, declared, diag);
    arena_destroy(&scratch);
    return ok;
}

// ---- MNIST and its like

static bool has_train_images(Arena *arena, const char *folder) {
    uint32_t count = 0;
    const char **names = file_is_folder(folder) ? file_list(arena, folder, &count, diag_create(arena)) : NULL, *field;
    for (uint32_t i = 0; names && i < count; i++) {
        int split;
        if (parse_name(arena, names[i], &field, &split) && split == SPLIT_TRAIN && strcmp(field, "image") == 0)
            return true;
    }
    return false;
}

static const char *known_folder(Arena *arena, const char *name, const char *system_folder, const char *how, Diag *diag) {
    const char *folder = file_join(arena, file_join(arena, file_cache_folder(arena), "data"), name);
    if (!has_train_images(arena, folder) && system_folder && file_is_folder(system_folder))
        folder = system_folder;
    if (has_train_images(arena, folder))
        return folder;
    diag_error(diag, NULL, "%s is not in %s; get it with %s", name, folder, how);
    return NULL;
}

static const char *mnist_folder(Arena *arena, Diag *diag) {
    return known_folder(arena, "mnist", NULL, "`gcc-graph data fetch mnist`, or use --data idx:DIR or --data fashion-mnist", diag);
}

static const char *fashion_folder(Arena *arena, Diag *diag) {
    return known_folder(arena, "fashion-mnist", "/usr/share/datasets/fashion-mnist",
                        "`apt install dataset-fashion-mnist`, or use --data idx:DIR", diag);
}

bool idx_open_mnist(Arena *arena, const char *argument, Dataset *dataset, Diag *diag) {
    (void)argument;
    const char *folder = mnist_folder(arena, diag);
    return folder && idx_open_folder(arena, folder, dataset, diag);
}

bool idx_open_fashion(Arena *arena, const char *argument, Dataset *dataset, Diag *diag) {
    (void)argument;
    const char *folder = fashion_folder(arena, diag);
    return folder && idx_open_folder(arena, folder, dataset, diag);
}

bool idx_natural_mnist(Arena *arena, const char *argument, ProgramData *declared, Diag *diag) {
    (void)argument;
    const char *folder = mnist_folder(arena, diag);
    return folder && idx_natural_folder(arena, folder, declared, diag);
}

bool idx_natural_fashion(Arena *arena, const char *argument, ProgramData *declared, Diag *diag) {
    (void)argument;
    const char *folder = fashion_folder(arena, diag);
    return folder && idx_natural_folder(arena, folder, declared, diag);
}
