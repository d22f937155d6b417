// Pictures: what a document wants done with the pictures of a data set, and whether that gives what its fields declare.
#include "compiler/read/reader.h"

enum { RANK_PICTURE = 3, GREY = 1, COLOURS = 3 };

static bool is_picture(const Field *field) {
    return field->type.dtype == DTYPE_F32 && field->type.rank == RANK_PICTURE && (field->type.dims[0] == GREY || field->type.dims[0] == COLOURS);
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

static bool check_field(Reader *reader, const Json *augment, const ProgramAugment *wanted, const Field *field) {
    const uint32_t *dims = field->type.dims, *resize = wanted->resize, *crop = wanted->crop;
    const Json *resized = json_get(augment, "resize"), *cropped = json_get(augment, "crop");
    if (crop[0] > 0 && (crop[0] != dims[1] || crop[1] != dims[2]))
        return reader_error_at(reader, cropped, "a crop of [%u, %u] makes f32[%u,%u,%u] of a picture, but the field \"%s\" is %s", crop[0], crop[1],
                               dims[0], crop[0], crop[1], field->name, type_text(reader->arena, &field->type));
    if (resize[1] > 0 && (resize[0] < dims[1] || resize[1] < dims[2]))
        return reader_error_at(reader, resized, "no f32[%u,%u,%u] can be cut out of f32[%u,%u,%u] for the field \"%s\"", dims[0], dims[1],
                               dims[2], dims[0], resize[0], resize[1], field->name);
    uint32_t shorter = dims[1] < dims[2] ? dims[1] : dims[2];
    if (resize[0] > 0 && resize[1] == 0 && resize[0] < shorter)
        return reader_error_at(reader, resized, "no f32[%u,%u,%u] can be cut out of pictures whose shorter side is %u for the field \"%s\"",
                               dims[0], dims[1], dims[2], resize[0], field->name);
    if (crop[0] > 0 || resize[0] == 0)
        return true;
    if (resize[1] > 0 && (resize[0] != dims[1] || resize[1] != dims[2]))
        return reader_error_at(reader, resized, "makes f32[%u,%u,%u] of a picture, but the field \"%s\" is %s; add \"crop\": [%u, %u]", dims[0],
                               resize[0], resize[1], field->name, type_text(reader->arena, &field->type), dims[1], dims[2]);
    if (resize[1] == 0 && resize[0] != shorter)
        return reader_error_at(reader, resized, "pictures whose shorter side is %u are no %s of the field \"%s\"; add \"crop\": [%u, %u]", resize[0],
                               type_text(reader->arena, &field->type), field->name, dims[1], dims[2]);
    return true;
}

bool pictures_check(Reader *reader, const Json *augment, const DataSet *data) {
    bool ok = true, has_picture = false;
    for (uint32_t i = 0; i < data->fields.count; i++) {
        const Field *field = &data->fields.items[i];
        has_picture |= is_picture(field);
        ok = ok && (!is_picture(field) || check_field(reader, augment, &data->augment, field));
    }
    return has_picture ? ok : reader_error_at(reader, augment, "no field of \"%s\" is a picture: f32[1,h,w] or f32[3,h,w]", data->name);
}
