// Pictures: what a document wants done with the pictures of a data set, and whether that gives what its fields declare.
#include "compiler/read/reader.h"

enum { RANK_PICTURE = 3, GREY = 1, COLOURS = 3 };

static bool is_picture(const Field *field) {
    const Type *type = &field->type;
    return type->dtype == DTYPE_F32 && type->rank == RANK_PICTURE && (type->dims[0] == GREY || type->dims[0] == COLOURS);
}

// [height, width], or one number, of which `out` has twice as much where it stands for a square, else 0 for the width.
static bool read_sides(Reader *reader, const Json *json, Scope *scope, bool is_square, uint32_t out[2]) {
    Datum datum = evaluate_static(reader, json, scope);
    if (datum.kind == DATUM_ERROR)
        return false;
    const Datum *items = &datum;
    uint32_t count = 1;
    if (datum.kind == DATUM_LIST) {
        items = datum.list->items.items;
        count = datum.list->items.count;
    }
    if (count != 2 && (count != 1 || datum.kind == DATUM_LIST))
        return reader_error_at(reader, json, "a number of pixels expected, or [height, width]");
    for (uint32_t i = 0; i < count; i++) {
        int64_t side;
        if (!is_static_number(items[i]))
            return reader_error_at(reader, json, "a number of pixels expected, or [height, width], not %s", datum_word(reader, items[i]));
        double number = datum_double(items[i]);
        side = number >= 1 && number <= AUGMENT_SIDE_MAX ? (int64_t)number : 0;
        if ((double)side != number)
            return reader_error_at(reader, json, "%g pixels; whole numbers from 1 to %d are possible", number, AUGMENT_SIDE_MAX);
        out[i] = (uint32_t)side;
    }
    if (count == 1)
        out[1] = is_square ? out[0] : 0;
    return true;
}

bool pictures_read(Reader *reader, const Json *augment, Scope *scope, DataSet *out) {
    const Json *resize = json_get(augment, "resize"), *crop = json_get(augment, "crop"), *flip = json_get(augment, "flip"),
               *colour = json_get(augment, "colour");
    out->has_augment = true;
    out->augment = (ProgramAugment){0};
    if ((resize && !read_sides(reader, resize, scope, false, out->augment.resize)) ||
        (crop && !read_sides(reader, crop, scope, true, out->augment.crop)) ||
        (flip && !evaluate_truth(reader, flip, scope, &out->augment.flip)))
        return false;
    if (!colour)
        return true;
    Datum datum = evaluate_static(reader, colour, scope);
    if (datum.kind == DATUM_ERROR)
        return false;
    out->augment.colour = is_static_number(datum) ? datum_double(datum) : -1;
    return (out->augment.colour >= 0 && out->augment.colour <= 1) ||
           reader_error_at(reader, colour, "a number from 0 to 1 expected: factors are drawn from 1 minus it to 1 plus it");
}

// The largest picture, of those the first; NULL: there is none.
static const Field *find_largest(const DataSet *data) {
    const Field *largest = NULL;
    for (uint32_t i = 0; i < data->fields.count; i++) {
        const Field *field = &data->fields.items[i];
        if (is_picture(field) && (!largest || (uint64_t)field->type.dims[1] * field->type.dims[2] >
                                                  (uint64_t)largest->type.dims[1] * largest->type.dims[2]))
            largest = field;
    }
    return largest;
}

// What is cut out has the size of the largest field; smaller ones get that resized.
static bool check_crop(Reader *reader, const Json *augment, const ProgramAugment *wanted, const Field *largest, const Field *field) {
    const uint32_t *crop = wanted->crop, *dims = field->type.dims;
    if (crop[0] == 0)
        return true;
    bool is_like = (uint64_t)crop[0] * dims[2] == (uint64_t)crop[1] * dims[1];
    if (is_like && (field != largest || (crop[0] == dims[1] && crop[1] == dims[2])))
        return true;
    return reader_error_at(reader, json_get(augment, "crop"),
                           "a crop of [%u, %u] makes f32[%u,%u,%u] of a picture, but the field \"%s\" is %s",
                           crop[0], crop[1], dims[0], crop[0], crop[1], field->name, type_text(reader->arena, &field->type));
}

// Of the largest field, or of each where there is no crop.
static bool check_resize(Reader *reader, const Json *augment, const ProgramAugment *wanted, const Field *largest, const Field *field) {
    const uint32_t *dims = field->type.dims, *resize = wanted->resize;
    const Json *json = json_get(augment, "resize");
    const char *shown = type_text(reader->arena, &field->type);
    uint32_t shorter = dims[1] < dims[2] ? dims[1] : dims[2];
    if (resize[0] == 0 || (wanted->crop[0] > 0 && field != largest))
        return true;
    if (resize[1] > 0 && (resize[0] < dims[1] || resize[1] < dims[2]))
        return reader_error_at(reader, json, "no %s can be cut out of f32[%u,%u,%u] for the field \"%s\"", shown, dims[0], resize[0],
                               resize[1], field->name);
    if (resize[1] == 0 && resize[0] < shorter)
        return reader_error_at(reader, json, "no %s can be cut out of pictures whose shorter side is %u for the field \"%s\"", shown,
                               resize[0], field->name);
    if (wanted->crop[0] > 0)
        return true;
    const uint32_t *most = largest->type.dims;
    if (resize[1] > 0 && (resize[0] != dims[1] || resize[1] != dims[2]))
        return reader_error_at(reader, json, "makes f32[%u,%u,%u] of a picture, but the field \"%s\" is %s; add \"crop\": [%u, %u]",
                               dims[0], resize[0], resize[1], field->name, shown, most[1], most[2]);
    if (resize[1] == 0 && resize[0] != shorter)
        return reader_error_at(reader, json, "pictures whose shorter side is %u are no %s of the field \"%s\"; add \"crop\": [%u, %u]",
                               resize[0], shown, field->name, most[1], most[2]);
    return true;
}

bool pictures_check(Reader *reader, const Json *augment, const DataSet *data) {
    const Field *largest = find_largest(data);
    if (!largest)
        return reader_error_at(reader, augment, "no field of \"%s\" is a picture: f32[1,h,w] or f32[3,h,w]", data->name);
    bool ok = true;
    for (uint32_t i = 0; i < data->fields.count && ok; i++) {
        const Field *field = &data->fields.items[i];
        ok = !is_picture(field) || (check_crop(reader, augment, &data->augment, largest, field) &&
                                    check_resize(reader, augment, &data->augment, largest, field));
    }
    return ok;
}
