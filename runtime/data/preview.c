// Preview: see preview.h.
#include "runtime/data/preview.h"
#include "runtime/data/frames.h"
#include "runtime/show/figure.h"

enum { COLUMNS_MAX = 8, LEVEL_MAX = 255 };

static bool is_label(const ProgramData *declared, uint32_t field) {
    ElementType type = declared->fields[field].type;
    return strcmp(declared->fields[field].name, "label") == 0 && dataset_field_count(declared, field) == 1 &&
           (type == ELEMENT_I32 || type == ELEMENT_U32);
}

bool preview_has_names(const Dataset *dataset) {
    bool has_label = false;
    for (uint32_t i = 0; i < dataset->declared->field_count; i++)
        has_label |= is_label(dataset->declared, i);
    return dataset->caption || (has_label && dataset->class_names);
}

static bool name_record(Arena *arena, const Dataset *dataset, uint32_t split, uint32_t record, const char **out, Diag *diag) {
    uint32_t errors = diag_error_count(diag);
    const char *class = NULL, *caption = dataset->caption ? dataset->caption(dataset, arena, split, record, 0, diag) : NULL;
    if (diag_error_count(diag) > errors)
        return false;
    for (uint32_t i = 0; i < dataset->declared->field_count; i++) {
        uint32_t label;
        if (!is_label(dataset->declared, i))
            continue;
        if (!dataset->fetch(dataset, split, record, i, 0, &label, diag))
            return false;
        class = label < dataset->class_count ? dataset->class_names[label] : arena_format(arena, "%u", label);
    }
    *out = text_printable(arena, class && caption ? arena_format(arena, "%s: %s", class, caption) : class ? class : caption ? caption : "");
    return true;
}

// Spread over the split, since records of a class lie together.
static uint32_t record_of(const Dataset *dataset, uint32_t split, uint32_t row, uint32_t rows) {
    return (uint32_t)((uint64_t)row * dataset->splits[split].count / rows);
}

// The pictures of one field, in [-1, 1].
static bool fill_column(Arena *arena, const Dataset *dataset, uint32_t split, uint32_t field, uint32_t rows, FigureColumn *column,
                        Diag *diag) {
    const ProgramData *declared = dataset->declared;
    uint64_t each = dataset_field_count(declared, field);
    double low = declared->fields[field].has_range ? declared->fields[field].low : 0;
    double high = declared->fields[field].has_range ? declared->fields[field].high : LEVEL_MAX;
    float *values = ARENA_NEW(arena, float, rows * each * column->per_row);
    uint32_t *counts = ARENA_NEW(arena, uint32_t, rows);
    for (uint32_t row = 0; row < rows; row++) {
        counts[row] = column->per_row;
        for (uint32_t draw = 0; draw < column->per_row; draw++)
            if (!dataset->fetch(dataset, split, record_of(dataset, split, row, rows), field, draw, values + (row * column->per_row + draw) * each, diag))
                return false;
    }
    for (uint64_t i = 0; i < rows * each * column->per_row; i++)
        values[i] = (float)(((double)values[i] - low) / (high - low) * 2 - 1);
    column->values = values;
    column->counts = counts;
    return true;
}

// How many columns there are; their values and counts are still missing.
static uint32_t find_columns(const ProgramData *declared, uint32_t draws, FigureColumn *columns, uint32_t *fields) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < declared->field_count && count < COLUMNS_MAX; i++) {
        uint32_t rank = declared->fields[i].rank;
        const uint32_t *dims = declared->fields[i].dims;
        if (declared->fields[i].type != ELEMENT_F32 || rank < 2 || rank > 3 || (rank == 3 && dims[0] != 1 && dims[0] != 3))
            continue;
        fields[count] = i;
        columns[count++] = (FigureColumn){.name = declared->fields[i].name, .channels = rank == 3 ? dims[0] : 1, .height = dims[rank - 2],
                                          .width = dims[rank - 1], .per_row = draws};
    }
    return count;
}

static bool draw(Arena *arena, const Dataset *dataset, uint32_t split, uint32_t count, uint32_t draws, const char *path, Diag *diag) {
    FigureColumn columns[COLUMNS_MAX];
    uint32_t fields[COLUMNS_MAX], column_count = find_columns(dataset->declared, draws, columns, fields);
    if (column_count == 0) {
        diag_error(diag, NULL, "%s has no pictures to show", dataset->spec);
        return false;
    }
    const char **names = ARENA_NEW(arena, const char *, count + 1);
    const char *drawn = draws > 1 ? ", each undrawn and as trainings draw it" : "";
    Figure figure = {.title = dataset->spec, .rows = count, .captions = names, .columns = columns, .column_count = column_count};
    uint32_t most = figure_rows_max(&figure);
    figure.rows = count < most ? count : most;
    figure.subtitle = arena_format(arena, "%s: %u of %s records%s", dataset->splits[split].name, figure.rows,
                                   text_thousands(arena, dataset->splits[split].count), drawn);
    for (uint32_t i = 0; i < figure.rows; i++)
        if (!name_record(arena, dataset, split, record_of(dataset, split, i, figure.rows), &names[i], diag))
            return false;
    for (uint32_t i = 0; i < column_count; i++)
        if (!fill_column(arena, dataset, split, fields[i], figure.rows, &columns[i], diag))
            return false;
    Image image;
    return figure_draw(arena, &figure, &image, diag) && image_write(path, &image, &(ImageText){"data", dataset->spec}, 1, diag);
}

bool preview_write(const Dataset *dataset, const char *split_name, uint32_t count, uint32_t draws, const char *path, Diag *diag) {
    uint32_t split;
    if (!dataset_need_split(dataset, split_name, &split, diag))
        return false;
    Arena *arena = arena_create();
    bool ok = draw(arena, dataset, split, count < dataset->splits[split].count ? count : dataset->splits[split].count, draws, path, diag);
    arena_destroy(&arena);
    return ok;
}
