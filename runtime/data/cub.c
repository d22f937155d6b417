// Cub: pictures of birds with texts, prepared as StackGAN's code does it (Zhang et al. 2017, hanzhanggit/StackGAN): a square of 3/4 of the
// box's longer side around its centre to each side, clipped to the picture, resized to 76/64 of the size that the graph wants; of that a
// random square, or its mirror image; one of the texts at random.
#include "runtime/base/random.h"
#include "runtime/data/cub_parts.h"
#include "runtime/data/jpeg.h"
#include <errno.h>
#include <math.h>
#include <sys/stat.h>

enum { CHANNELS = 3, SIDE_NATURAL = 64, SIDE_MAX = 4096 };
enum { DRAW_TEXT = 3 }; // the draws before it are augment.c's
#define DRAWS "cub"

typedef enum { FIELD_IMAGE, FIELD_TEXT, FIELD_LABEL, FIELD_CAPTION } FieldRole;

typedef struct {
    const char *folder;
    FieldRole *roles; // by field
    uint32_t field_count;
    CubSplit splits[CUB_SPLITS];
} CubData;

// ---- pictures

// As the published code cuts, in whole pixels; an empty box where the bird's box lies outside the picture.
static ResizeBox crop_box(const CubRecord *record, const JpegImage *picture) {
    int64_t x = (int64_t)((2 * record->x + record->width) / 2), y = (int64_t)((2 * record->y + record->height) / 2);
    int64_t reach = (int64_t)(fmax(record->width, record->height) * 0.75);
    int64_t left = x - reach > 0 ? x - reach : 0, right = x + reach < picture->width ? x + reach : picture->width;
    int64_t top = y - reach > 0 ? y - reach : 0, bottom = y + reach < picture->height ? y + reach : picture->height;
    if (left >= right || top >= bottom)
        return (ResizeBox){0};
    return (ResizeBox){(uint32_t)left, (uint32_t)top, (uint32_t)right, (uint32_t)bottom};
}

static void cut_box(Arena *arena, const JpegImage *picture, const ResizeBox *box, Image *out) {
    *out = image_create(arena, box->right - box->left, box->bottom - box->top, CHANNELS);
    size_t row = (size_t)out->width * CHANNELS;
    for (uint32_t y = 0; y < out->height; y++)
        memcpy(out->pixels + y * row, picture->pixels + ((size_t)(box->top + y) * picture->width + box->left) * CHANNELS, row);
}

static bool picture(const Dataset *dataset, Arena *arena, uint32_t split, uint32_t record, uint32_t field, const PictureWanted *wanted,
                    Image *out, Diag *diag) {
    (void)field, (void)wanted;
    const CubData *data = dataset->data;
    const CubRecord *from = &data->splits[split].records[record];
    const char *path = cub_picture_path(arena, data->folder, from);
    JpegImage whole;
    if (!jpeg_read(arena, path, &whole, diag))
        return false;
    ResizeBox box = crop_box(from, &whole);
    if (box.right == 0) {
        diag_error(diag, &(Place){.file = path}, "%u x %u pixels; the box in bounding_boxes.txt lies outside", whole.width, whole.height);
        return false;
    }
    cut_box(arena, &whole, &box, out);
    return true;
}

static bool picture_key(const Dataset *dataset, Arena *arena, uint32_t split, uint32_t record, uint32_t field, PictureKey *out, Diag *diag) {
    (void)field;
    const CubData *data = dataset->data;
    const CubRecord *from = &data->splits[split].records[record];
    double box[] = {from->x, from->y, from->width, from->height};
    struct stat status;
    out->path = cub_picture_path(arena, data->folder, from);
    if (stat(out->path, &status) != 0) {
        diag_error(diag, &(Place){.file = out->path}, "cannot open: %s", strerror(errno));
        return false;
    }
    out->size = (uint64_t)status.st_size;
    out->seconds = status.st_mtim.tv_sec;
    out->nanoseconds = (uint32_t)status.st_mtim.tv_nsec;
    out->part = digest_hash(box, sizeof box);
    return true;
}

// ---- fields

static uint32_t draw_below(uint64_t draw, uint32_t record, uint32_t which, uint32_t below) {
    return random_below(random_element(draw, random_name(DRAWS), 0, which, record), below);
}

static bool fetch(const Dataset *dataset, uint32_t split, uint32_t record, uint32_t field, uint64_t draw, void *out, Diag *diag) {
    (void)diag;
    const CubData *data = dataset->data;
    const CubSplit *from = &data->splits[split];
    const CubRecord *wanted = &from->records[record];
    if (data->roles[field] == FIELD_TEXT) {
        uint64_t text = draw ? draw_below(draw, record, DRAW_TEXT, from->text_count) : 0;
        pickle_floats(wanted->texts, wanted->first_text + text * from->text_size, from->text_size, out);
    } else
        memcpy(out, &wanted->class, sizeof wanted->class);
    return true;
}

static const char *caption(const Dataset *dataset, Arena *arena, uint32_t split, uint32_t record, uint64_t draw, Diag *diag) {
    (void)diag;
    const CubData *data = dataset->data;
    const CubSplit *from = &data->splits[split];
    const char *found = NULL;
    Arena *scratch = arena_create();
    ARRAY(const char *) lines = {0};
    size_t size;
    char *text = file_read(scratch, cub_text_path(scratch, data->folder, &from->records[record]), &size, diag_create(scratch));
    for (char *rest = text, *line; rest && (line = strsep(&rest, "\r\n"));)
        if (*line)
            array_push(scratch, &lines, line);
    uint32_t count = from->text_count ? from->text_count : lines.count;
    uint32_t index = draw && count ? draw_below(draw, record, DRAW_TEXT, count) : 0;
    if (index < lines.count)
        found = arena_copy_text(arena, lines.items[index]);
    arena_destroy(&scratch);
    return found;
}

// ---- opening

static bool name_field(Arena *arena, const Dataset *dataset, uint32_t index, FieldRole *role, Diag *diag) {
    const ProgramData *declared = dataset->declared;
    const uint32_t *dims = declared->fields[index].dims, rank = declared->fields[index].rank;
    ElementType type = declared->fields[index].type;
    bool is_real = type == ELEMENT_F32;
    *role = FIELD_CAPTION;
    if (declared->fields[index].tokens)
        return true;
    if (is_real && rank == 3 && dims[0] == CHANNELS && dims[1] > 0 && dims[1] <= SIDE_MAX && (dims[1] == dims[2] || declared->has_augment)) {
        *role = FIELD_IMAGE;
        return true;
    }
    *role = is_real ? FIELD_TEXT : FIELD_LABEL;
    if ((is_real && rank == 1) || ((type == ELEMENT_I32 || type == ELEMENT_U32) && dataset_field_count(declared, index) == 1))
        return true;
    diag_error(diag, NULL, "%s has the fields image f32[3,S,S], text f32[E] and label i32[], but the graph declares %s.%s", dataset->spec,
               declared->name, dataset_field_text(arena, declared, index));
    return false;
}

static bool check_split(Arena *arena, const Dataset *dataset, const CubData *data, const CubSplit *split, Diag *diag) {
    const ProgramData *declared = dataset->declared;
    for (uint32_t i = 0; i < data->field_count; i++) {
        if (data->roles[i] == FIELD_TEXT && declared->fields[i].dims[0] != split->text_size) {
            diag_error(diag, NULL, "%s: its texts are vectors of %u numbers, but the graph declares %s.%s", dataset->spec, split->text_size,
                       declared->name, dataset_field_text(arena, declared, i));
            return false;
        }
        uint32_t below = declared->fields[i].below;
        for (uint32_t k = 0; below && data->roles[i] == FIELD_LABEL && k < split->count; k++)
            if (split->records[k].class >= below) {
                diag_error(diag, NULL, "%s: record %u of \"%s\" has %s %u, but the graph declares it below %u", dataset->spec, k,
                           split->name, declared->fields[i].name, split->records[k].class, below);
                return false;
            }
    }
    return true;
}

// What the published code does to pictures, unless the graph says what to do.
static void describe_pictures(Arena *arena, const CubData *data, Dataset *dataset) {
    bool *is_picture = ARENA_NEW(arena, bool, data->field_count);
    ProgramAugment *augments = ARENA_NEW(arena, ProgramAugment, data->field_count);
    for (uint32_t i = 0; i < data->field_count; i++) {
        uint32_t side = dataset->declared->fields[i].dims[1], wide = side * 76 / 64;
        is_picture[i] = data->roles[i] == FIELD_IMAGE;
        augments[i] = (ProgramAugment){.resize = {wide, wide}, .crop = {side, side}, .flip = true};
    }
    dataset->is_picture = is_picture;
    dataset->picture = picture;
    dataset->picture_key = picture_key;
    dataset->own_augments = augments;
    dataset->draws = DRAWS;
}

bool cub_open(Arena *arena, const char *folder, Dataset *dataset, Diag *diag) {
    CubData *data = ARENA_NEW(arena, CubData, 1);
    data->folder = arena_copy_text(arena, folder);
    data->field_count = dataset->declared->field_count;
    data->roles = ARENA_NEW(arena, FieldRole, data->field_count);
    CubWanted wanted = {0};
    for (uint32_t i = 0; i < data->field_count; i++) {
        if (!name_field(arena, dataset, i, &data->roles[i], diag))
            return false;
        wanted.texts |= data->roles[i] == FIELD_TEXT;
        wanted.classes |= data->roles[i] == FIELD_LABEL;
    }
    if (!cub_read_splits(arena, folder, wanted, data->splits, &dataset->split_count, diag) ||
        !cub_read_encoder(arena, folder, &dataset->encoder, diag))
        return false;
    for (uint32_t i = 0; i < dataset->split_count; i++) {
        dataset->splits[i].name = data->splits[i].name;
        dataset->splits[i].count = data->splits[i].count;
        if (!check_split(arena, dataset, data, &data->splits[i], diag))
            return false;
    }
    describe_pictures(arena, data, dataset);
    dataset->fetch = fetch;
    dataset->caption = file_is_folder(file_join(arena, folder, "text")) ? caption : NULL;
    for (uint32_t i = 0; i < data->field_count && !dataset->caption; i++)
        if (data->roles[i] == FIELD_CAPTION) {
            diag_error(diag, NULL, "%s has no captions, of which the graph wants tokens for %s.%s: its folder text/ is missing", dataset->spec,
                       dataset->name, dataset->declared->fields[i].name);
            return false;
        }
    dataset->data = data;
    return true;
}

bool cub_natural(Arena *arena, const char *folder, ProgramData *declared, Diag *diag) {
    CubSplit splits[CUB_SPLITS];
    uint32_t count;
    Arena *scratch = arena_create();
    bool ok = cub_read_splits(scratch, folder, (CubWanted){.texts = true}, splits, &count, diag);
    if (ok) {
        dataset_add_field(arena, declared, "image", ELEMENT_F32, 3, (const uint32_t[]){CHANNELS, SIDE_NATURAL, SIDE_NATURAL});
        declared->fields[0].has_range = true;
        declared->fields[0].low = -1;
        declared->fields[0].high = 1;
        dataset_add_field(arena, declared, "text", ELEMENT_F32, 1, &splits[0].text_size);
        if (file_exists(file_join(scratch, folder, "train/class_info.pickle")))
            dataset_add_field(arena, declared, "label", ELEMENT_I32, 0, NULL);
    }
    arena_destroy(&scratch);
    return ok;
}
