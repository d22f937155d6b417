// Numbers: data sets in CSV files (csv.h): a row is a record. A field is the column of its name, or those that are called NAME_0, NAME_1,
// …, in the order of these numbers.
#include "runtime/base/text.h"
#include "runtime/data/columns.h"
#include "runtime/data/csv.h"
#include <stdlib.h>

// A field's columns in the file.
typedef struct {
    const char *name;
    uint32_t *columns; // of each of its numbers
    uint32_t count;
    bool is_list;     // NAME_0, …
    bool is_left_out; // it holds texts, and nobody asks for it
    ARRAY(double) values;
} Group;

typedef ARRAY(Group) Groups;

// "x_12" is number 12 of "x".
static bool split_name_number(Arena *arena, const char *name, const char **base, uint32_t *index) {
    size_t size = strlen(name), digits = 0;
    while (digits < size && name[size - digits - 1] >= '0' && name[size - digits - 1] <= '9')
        digits++;
    bool has_zero = digits > 1 && name[size - digits] == '0'; // x_01
    if (digits == 0 || digits > 6 || has_zero || digits + 1 >= size || name[size - digits - 1] != '_')
        return false;
    *base = arena_copy_bytes(arena, name, size - digits - 1);
    *index = (uint32_t)strtoul(name + size - digits, NULL, 10);
    return true;
}

typedef struct {
    const char *base;
    uint32_t index, column;
} Named;

static int compare(const void *a, const void *b) {
    const Named *x = a, *y = b;
    int order = strcmp(x->base, y->base);
    return order                  ? order
           : x->index != y->index ? (x->index > y->index) - (x->index < y->index)
                                  : (x->column > y->column) - (x->column < y->column);
}

static bool group_columns(Arena *arena, const Csv *csv, Groups *out, Diag *diag) {
    Named *named = ARENA_NEW(arena, Named, csv->column_count);
    for (uint32_t i = 0; i < csv->column_count; i++) {
        named[i] = (Named){csv->columns[i], UINT32_MAX, i}; // by itself
        split_name_number(arena, csv->columns[i], &named[i].base, &named[i].index);
    }
    qsort(named, csv->column_count, sizeof *named, compare);
    for (uint32_t i = 0, end; i < csv->column_count; i = end) {
        bool is_list = named[i].index != UINT32_MAX;
        for (end = i + 1;
             is_list && end < csv->column_count && strcmp(named[end].base, named[i].base) == 0 && named[end].index != UINT32_MAX;)
            end++;
        Group group = {.name = arena_copy_text(arena, named[i].base), .columns = ARENA_NEW(arena, uint32_t, end - i), .is_list = is_list};
        for (uint32_t k = i; k < end; k++) {
            if (is_list && named[k].index != k - i) {
                diag_error(diag, &(Place){.file = csv->path, .line = 1},
                           "the columns of \"%s\" are not %s_0, %s_1, … up to %s_%u: %s_%u is %s", group.name, group.name, group.name,
                           group.name, end - i - 1, group.name, named[k].index < k - i ? named[k].index : k - i,
                           named[k].index < k - i ? "there twice" : "missing");
                return false;
            }
            group.columns[group.count++] = named[k].column;
        }
        array_push(arena, out, group);
    }
    return true;
}

static bool read_number(const char *cell, double *out) {
    char *end;
    *out = strtod(cell, &end);
    return end != cell && *end == 0;
}

// The row's numbers of a group; of one that nobody asked for, texts are no mistake.
static bool take_row(Arena *arena, const Csv *csv, const CsvRow *row, Group *group, bool is_asked, Diag *diag) {
    for (uint32_t i = 0; i < group->count; i++) {
        double number;
        const char *cell = row->cells[group->columns[i]];
        if (read_number(cell, &number)) {
            array_push(arena, &group->values, number);
            continue;
        }
        group->is_left_out = !is_asked;
        if (!is_asked)
            return true;
        Arena *scratch = arena_create();
        diag_error(diag, &(Place){.file = csv->path, .line = row->line}, "column \"%s\": \"%s\" is no number",
                   csv->columns[group->columns[i]], text_excerpt(scratch, text_printable(scratch, cell), 0));
        arena_destroy(&scratch);
        return false;
    }
    return true;
}

static bool add_group(Arena *arena, Columns *columns, const char *path, int split, const Group *group, Diag *diag) {
    if (group->values.count == 0)
        return true;
    TensorPlace place = {.type = ELEMENT_F64, .rank = group->is_list ? 2 : 1, .size = (uint64_t)group->values.count * sizeof(double)};
    place.dims[0] = group->values.count / group->count;
    place.dims[1] = group->count;
    return columns_add(arena, columns, path, group->name, split, &place, NULL, (const uint8_t *)group->values.items, diag);
}

static bool read_file(Arena *arena, const char *path, int split, const ProgramData *declared, Columns *columns, Diag *diag) {
    size_t size;
    Csv csv;
    CsvRow row = {0};
    Groups groups = {0};
    Arena *scratch = arena_create();
    char *text = file_read_most(scratch, path, SIZE_MAX / 2, &size, diag);
    bool ok = text && csv_open(scratch, path, text, size, &csv, diag) && group_columns(arena, &csv, &groups, diag);
    uint32_t before = columns->count;
    for (uint32_t i = 0; i < groups.count; i++) {
        array_push(arena, &columns->known, ((ColumnName){groups.items[i].name, split}));
        groups.items[i].is_left_out = !columns_want(declared, groups.items[i].name) && !(groups.count == 1 && declared->field_count == 1);
    }
    while (ok && csv_next(scratch, &csv, &row, &ok, diag))
        for (uint32_t i = 0; ok && i < groups.count; i++)
            if (!groups.items[i].is_left_out)
                ok = take_row(arena, &csv, &row, &groups.items[i], declared != NULL, diag);
    for (uint32_t i = 0; ok && i < groups.count; i++)
        if (!groups.items[i].is_left_out)
            ok = add_group(arena, columns, path, split, &groups.items[i], diag);
    Columns own = {.count = columns->count - before, .known = {columns->known.items, columns->known.count, 0}, .is_table = true};
    ok = ok && columns_found(arena, declared, path, &own, diag);
    arena_destroy(&scratch);
    return ok;
}

static bool read_all(Arena *arena, const char *path, const ProgramData *declared, Columns *columns, Diag *diag) {
    if (!file_is_folder(path))
        return read_file(arena, path, -1, declared, columns, diag);
    uint32_t count = 0;
    const char **names = file_list(arena, path, &count, diag);
    for (uint32_t i = 0; names && i < count; i++) {
        int split = text_ends_with(names[i], ".csv") ? split_of_name(names[i], strlen(names[i]) - strlen(".csv")) : -1;
        if (split >= 0 && !read_file(arena, file_join(arena, path, names[i]), split, declared, columns, diag))
            return false;
    }
    if (!names || columns->count)
        return names != NULL;
    diag_error(diag, &(Place){.file = path}, "no train.csv, val.csv or test.csv in this folder");
    return false;
}

bool numbers_open(Arena *arena, const char *path, Dataset *dataset, Diag *diag) {
    Columns columns = {.is_table = true};
    return read_all(arena, path, dataset->declared, &columns, diag) && columns_open(arena, dataset, &columns, diag);
}

// Whole numbers called "label" or "class" are i32, all others f32.
bool numbers_natural(Arena *arena, const char *path, ProgramData *declared, Diag *diag) {
    Arena *scratch = arena_create();
    Columns columns = {0};
    bool ok = read_all(scratch, path, NULL, &columns, diag) && columns_natural(arena, path, &columns, declared, diag);
    for (uint32_t i = 0; ok && i < declared->field_count; i++) {
        const char *name = declared->fields[i].name;
        if ((strcmp(name, "label") == 0 || strcmp(name, "class") == 0) && declared->fields[i].rank == 0)
            declared->fields[i].type = ELEMENT_I32;
    }
    arena_destroy(&scratch);
    return ok;
}
