// Cub: the lists, pickles and texts of a folder of birds.
#include "runtime/base/json.h"
#include "runtime/data/cub_parts.h"
#include "runtime/data/encoder.h"
#include <math.h>
#include <stdlib.h>

static const char *const SPLITS[CUB_SPLITS] = {"train", "test"};
static const double COORDINATE_MAX = 1e6;

typedef struct {
    const char *name; // without ".jpg"
    double box[4];
} Listed;

typedef struct {
    Listed *items; // sorted by name
    uint32_t count;
} Listing;

__attribute__((format(printf, 3, 4))) static bool broken(Diag *diag, const Place *place, const char *format, ...) {
    char message[512];
    va_list list;
    va_start(list, format);
    vsnprintf(message, sizeof message, format, list);
    va_end(list);
    diag_error(diag, place, "%s", message);
    return false;
}

const char *cub_picture_path(Arena *arena, const char *folder, const CubRecord *record) {
    return arena_format(arena, "%s/CUB_200_2011/images/%s.jpg", folder, record->name);
}

const char *cub_text_path(Arena *arena, const char *folder, const CubRecord *record) {
    return arena_format(arena, "%s/text/%s.txt", folder, record->name);
}

// ---- lists: "NUMBER REST" a line

// Takes the next line that is not blank off the text, and its number off the line; NULL at the end, or where there is none (*ok is false).
static char *next_line(char **text, Place *place, uint64_t *number, bool *ok, Diag *diag) {
    while (**text) {
        char *line = *text, *end = strchr(line, '\n'), *rest;
        *text = end ? end + 1 : line + strlen(line);
        place->line++;
        size_t size = end ? (size_t)(end - line) : strlen(line);
        while (size > 0 && (line[size - 1] == '\r' || line[size - 1] == ' '))
            size--;
        line[size] = 0;
        if (size == 0)
            continue;
        *number = strtoull(line, &rest, 10);
        if (*line >= '0' && *line <= '9' && *rest == ' ')
            return rest + 1;
        *ok = broken(diag, place, "expected an image's number, a blank, and what belongs to it");
        return NULL;
    }
    return NULL;
}

static bool read_box(char *line, double box[4]) {
    for (uint32_t i = 0; i < 4; i++) {
        char *end;
        box[i] = strtod(line, &end);
        if (end == line || !isfinite(box[i]) || fabs(box[i]) > COORDINATE_MAX)
            return false;
        line = end;
    }
    return *line == 0 && box[2] > 0 && box[3] > 0;
}

static int compare(const void *a, const void *b) { return strcmp(((const Listed *)a)->name, ((const Listed *)b)->name); }

static bool read_listing(Arena *arena, const char *folder, Listing *out, Diag *diag) {
    const char *base = file_join(arena, folder, "CUB_200_2011");
    Place names_at = {.file = file_join(arena, base, "images.txt")}, boxes_at = {.file = file_join(arena, base, "bounding_boxes.txt")};
    size_t size;
    char *names = file_read(arena, names_at.file, &size, diag), *boxes = names ? file_read(arena, boxes_at.file, &size, diag) : NULL;
    if (!boxes)
        return false;
    ARRAY(Listed) listed = {0};
    bool ok = true;
    for (;;) {
        uint64_t number, box_number;
        char *name = next_line(&names, &names_at, &number, &ok, diag);
        char *box = ok ? next_line(&boxes, &boxes_at, &box_number, &ok, diag) : NULL;
        if (!ok || (!name && !box))
            break;
        if (!name || !box || number != box_number)
            return broken(diag, &boxes_at, "its images are not those of images.txt, line %u", names_at.line);
        Listed item = {.name = name};
        if (!read_box(box, item.box))
            return broken(diag, &boxes_at, "expected x, y, width and height of a box");
        if (!text_ends_with(name, ".jpg"))
            return broken(diag, &names_at, "expected a name that ends in .jpg");
        name[strlen(name) - strlen(".jpg")] = 0;
        array_push(arena, &listed, item);
    }
    if (!ok || listed.count == 0)
        return ok ? broken(diag, &names_at, "no images") : false;
    qsort(listed.items, listed.count, sizeof *listed.items, compare);
    *out = (Listing){listed.items, listed.count};
    return true;
}

// ---- pickles

// Whether a name of the pickle stays in the folder: no part of it is empty, "." or "..".
static bool is_safe(const char *name) {
    for (const char *part = name;; part++) {
        size_t size = strcspn(part, "/");
        if (size == 0 || (size == 1 && part[0] == '.') || (size == 2 && part[0] == '.' && part[1] == '.'))
            return false;
        for (size_t i = 0; i < size; i++)
            if ((uint8_t)part[i] < ' ' || part[i] == '\\')
                return false;
        part += size;
        if (*part == 0)
            return true;
    }
}

static bool is_sequence(const PickleValue *value) { return value->kind == PICKLE_LIST || value->kind == PICKLE_TUPLE; }

static bool read_names(Arena *arena, const char *folder, const char *path, const Listing *listing, CubSplit *split, Diag *diag) {
    const Place place = {.file = path};
    Arena *scratch = arena_create();
    const PickleValue *names = pickle_read(scratch, path, diag);
    bool ok = names != NULL;
    if (ok && (!is_sequence(names) || names->count == 0))
        ok = broken(diag, &place, "expected a list of names");
    split->count = ok ? names->count : 0;
    split->records = ARENA_NEW(arena, CubRecord, split->count);
    for (uint32_t i = 0; ok && i < split->count; i++) {
        CubRecord *record = &split->records[i];
        record->name = pickle_text(arena, names->items[i]);
        if (!record->name || !is_safe(record->name)) {
            ok = broken(diag, &place, "name %u is none of an image: expected CLASS/NAME, a path inside the folder", i);
            break;
        }
        const Listed *found = bsearch(&(Listed){.name = record->name}, listing->items, listing->count, sizeof *listing->items, compare);
        if (!found)
            ok = broken(diag, &place, "%s.jpg is not in CUB_200_2011/images.txt", record->name);
        else if (!file_exists(cub_picture_path(scratch, folder, record)))
            ok = broken(diag, &(Place){.file = cub_picture_path(scratch, folder, record)}, "no such file, but %s names it", path);
        else
            record->x = found->box[0], record->y = found->box[1], record->width = found->box[2], record->height = found->box[3];
    }
    arena_destroy(&scratch);
    return ok;
}

static bool read_classes(const char *path, CubSplit *split, Diag *diag) {
    const Place place = {.file = path};
    Arena *scratch = arena_create();
    const PickleValue *classes = pickle_read(scratch, path, diag);
    bool ok = classes != NULL;
    if (ok && !is_sequence(classes))
        ok = broken(diag, &place, "expected a list of integers");
    if (ok && classes->count != split->count)
        ok = broken(diag, &place, "%u classes for the %u names of filenames.pickle", classes->count, split->count);
    for (uint32_t i = 0; ok && i < split->count; i++) {
        const PickleValue *value = classes->items[i];
        if (value->kind != PICKLE_INTEGER || value->integer < 0 || value->integer > INT32_MAX)
            ok = broken(diag, &place, "class %u is no integer from 0 on", i);
        else
            split->records[i].class = (uint32_t)value->integer;
    }
    arena_destroy(&scratch);
    return ok;
}

// [texts, numbers] of a record, or [numbers] of its only text; the same for all records.
static bool take_texts(const HostTensor *array, uint32_t first_axis, CubSplit *split, const Place *place, uint32_t record, Diag *diag) {
    uint32_t rank = array->rank - first_axis;
    uint64_t count = rank == 2 ? array->dims[first_axis] : 1, size = rank ? array->dims[array->rank - 1] : 0;
    if (rank < 1 || rank > 2 || count == 0 || size == 0 || count > UINT16_MAX || size > UINT32_MAX)
        return broken(diag, place, "array %u: expected [texts, numbers], such as [10, 1024]", record);
    if (record > 0 && (count != split->text_count || size != split->text_size))
        return broken(diag, place, "array %u is [%llu, %llu], but the first one [%u, %u]", record, (unsigned long long)count,
                      (unsigned long long)size, split->text_count, split->text_size);
    split->text_count = (uint32_t)count;
    split->text_size = (uint32_t)size;
    split->records[record].texts = array;
    return true;
}

static bool read_texts(Arena *arena, const char *path, CubSplit *split, Diag *diag) {
    const Place place = {.file = path};
    const PickleValue *value = pickle_read(arena, path, diag);
    if (!value)
        return false;
    bool is_list = is_sequence(value), is_whole = value->kind == PICKLE_ARRAY && value->array->rank >= 2;
    if (!is_list && !is_whole)
        return broken(diag, &place, "expected a list of arrays");
    uint64_t count = is_list ? value->count : value->array->dims[0];
    if (count != split->count)
        return broken(diag, &place, "texts of %llu images for the %u names of filenames.pickle", (unsigned long long)count, split->count);
    for (uint32_t i = 0; i < split->count; i++) {
        if (is_list && value->items[i]->kind != PICKLE_ARRAY)
            return broken(diag, &place, "item %u is no array", i);
        if (!take_texts(is_list ? value->items[i]->array : value->array, is_whole, split, &place, i, diag))
            return false;
        split->records[i].first_text = is_whole ? (uint64_t)i * split->text_count * split->text_size : 0;
    }
    return true;
}

bool cub_read_splits(Arena *arena, const char *folder, CubWanted wanted, CubSplit splits[CUB_SPLITS], uint32_t *count, Diag *diag) {
    *count = 0;
    if (!file_is_folder(folder))
        return broken(diag, &(Place){.file = folder}, "no such folder");
    Arena *scratch = arena_create();
    Listing listing = {0};
    bool ok = read_listing(scratch, folder, &listing, diag);
    for (uint32_t i = 0; ok && i < CUB_SPLITS; i++) {
        const char *base = file_join(scratch, folder, SPLITS[i]), *names = file_join(scratch, base, "filenames.pickle");
        if (i > 0 && !file_exists(names))
            continue; // a folder without test images serves programs that want none
        CubSplit *split = &splits[*count];
        *split = (CubSplit){.name = SPLITS[i]};
        ok = read_names(arena, folder, names, &listing, split, diag) &&
             (!wanted.classes || read_classes(file_join(scratch, base, "class_info.pickle"), split, diag)) &&
             (!wanted.texts || read_texts(arena, file_join(scratch, base, "char-CNN-RNN-embeddings.pickle"), split, diag));
        ++*count;
    }
    arena_destroy(&scratch);
    return ok;
}

bool cub_read_encoder(Arena *arena, const char *folder, const char **name, Diag *diag) {
    const char *path = file_join(arena, folder, "encoder.json");
    *name = ENCODER_UNNAMED;
    if (!file_exists(path))
        return true;
    const Json *json = json_read(arena, path, diag);
    return json && json_text(json, "encoder", name, diag);
}
