// Columns: the arrays that are there, and which of them are worth reading.
#include "runtime/base/text.h"
#include "runtime/data/columns.h"

enum { NAMES_SHOWN = 50 };
#define TURNED_MAX (UINT64_C(4) << 30)

static bool is_part_of_name(char c) { return c == '/' || c == '_' || c == '.' || c == '-'; }

void columns_name(Arena *arena, const char *name, const char **field, int *split) {
    size_t size = strlen(name), front = strcspn(name, "/_.-"), back = size;
    while (back > 0 && !is_part_of_name(name[back - 1]))
        back--;
    *field = name;
    *split = front < size && front + 1 < size ? split_of_name(name, front) : -1;
    if (*split >= 0) {
        *field = name + front + 1;
        return;
    }
    if (back > 1)
        *split = split_of_name(name + back, size - back);
    if (*split >= 0)
        *field = arena_copy_bytes(arena, name, back - 1);
}

bool columns_want(const ProgramData *declared, const char *field) {
    for (uint32_t i = 0; declared && i < declared->field_count; i++)
        if (strcmp(declared->fields[i].name, field) == 0)
            return true;
    return !declared;
}

bool columns_has_one(const ProgramData *declared, const Columns *columns) {
    for (uint32_t i = 1; i < columns->known.count; i++)
        if (strcmp(columns->known.items[i].name, columns->known.items[0].name) != 0)
            return false;
    return columns->known.count > 0 && declared->field_count == 1;
}

const char *columns_suggestion(Arena *arena, const ProgramData *declared, uint32_t field, const Columns *columns, const int *split) {
    const char **names = ARENA_NEW(arena, const char *, columns->known.count + 1);
    uint32_t count = 0;
    for (uint32_t i = 0; i < columns->known.count; i++) {
        bool is_new = !split || columns->known.items[i].split == *split;
        for (uint32_t k = 0; k < count && is_new; k++)
            is_new = strcmp(names[k], columns->known.items[i].name) != 0;
        if (is_new && count < NAMES_SHOWN)
            names[count++] = text_printable(arena, columns->known.items[i].name);
    }
    const char *name = declared->fields[field].name, *suggestion = text_suggestion(arena, name, names, count);
    if (!columns->is_table || declared->fields[field].rank != 1)
        return suggestion;
    uint32_t size = declared->fields[field].dims[0];
    return arena_format(arena, "%s; its %u numbers are the columns %s_0 … %s_%u", suggestion, size, name, name, size - 1);
}

bool columns_found(Arena *arena, const ProgramData *declared, const char *path, const Columns *columns, Diag *diag) {
    if (columns->count)
        return true;
    bool is_named = columns->known.count == 0 || !declared || columns_has_one(declared, columns);
    for (uint32_t i = 0; i < columns->known.count && !is_named; i++)
        is_named = columns_want(declared, columns->known.items[i].name);
    if (is_named)
        diag_error(diag, &(Place){.file = path}, "it holds no records");
    else
        diag_error(diag, &(Place){.file = path}, "the graph declares %s.%s, but no array here is called so%s", declared->name,
                   declared->fields[0].name, columns_suggestion(arena, declared, 0, columns, NULL));
    return false;
}

// An array whose first axis is the fastest, as records lie: in memory.
static const uint8_t *turn(Arena *arena, Arena *scratch, const char *path, const TensorPlace *place, const FileView *view,
                           const uint8_t *bytes, Diag *diag) {
    if (!bytes && place->size > TURNED_MAX) {
        diag_error(diag, &(Place){.file = path},
                   "%s in Fortran order, the first axis the fastest; at most %s are turned in memory: save it in C order "
                   "(numpy.ascontiguousarray)",
                   text_bytes(scratch, place->size), text_bytes(scratch, TURNED_MAX));
        return NULL;
    }
    uint8_t *stored = bytes ? NULL : arena_alloc(scratch, place->size);
    if (stored && !file_read_at(view, place->offset, stored, place->size, diag))
        return NULL;
    return npy_from_fortran(arena, bytes ? bytes : stored, element_bytes(place->type), place);
}

bool columns_add(Arena *arena, Columns *columns, const char *path, const char *name, int split, const TensorPlace *place,
                 const FileView *view, const uint8_t *bytes, Diag *diag) {
    Column column = {.name = name, .path = path, .split = split, .place = *place};
    if (place->rank == 0 || place->dims[0] == 0 || place->size == 0)
        return true; // no records
    if (place->dims[0] > UINT32_MAX - 1) {
        diag_error(diag, &(Place){.file = path}, "\"%s\" has %llu records; at most %u are supported", name,
                   (unsigned long long)place->dims[0], UINT32_MAX - 1);
        return false;
    }
    if (place->is_fortran && place->rank > 1 && (bytes || view)) {
        Arena *scratch = arena_create();
        bytes = turn(arena, scratch, path, place, view, bytes, diag);
        arena_destroy(&scratch);
        if (!bytes)
            return false;
    }
    ColumnPart *part = ARENA_NEW(arena, ColumnPart, 1);
    *part = (ColumnPart){bytes, view, place->offset, place->dims[0]};
    column.parts = part;
    column.part_count = 1;
    array_push(arena, columns, column);
    return true;
}
