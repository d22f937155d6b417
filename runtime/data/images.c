// Images: a folder of pictures, with classes, texts and pairs where it has them; see graphs/README.md for how it may be laid out.
#include "runtime/base/random.h"
#include "runtime/data/captions.h"
#include "runtime/data/encoder.h"
#include "runtime/data/images_parts.h"
#include <errno.h>
#include <stdatomic.h>
#include <sys/stat.h>

enum { SIDE_NATURAL = 64, FILE_MAX = 1 << 30, DRAW_TEXT = 3 };

typedef enum { FIELD_PICTURE, FIELD_LABEL, FIELD_TEXT } FieldRole;

typedef struct {
    FieldRole role;
    uint32_t side; // of a picture: 0 for all of it, or of a pair A
} Field;

// What is told once, by whichever thread finds it first.
typedef struct {
    atomic_bool text;
} Told;

typedef struct {
    const char *folder, *real; // real: without links, absolute
    ImagesMode mode;
    ImagesListing listing;
    ImagesSplits all;
    Field *fields;
    uint32_t captioned; // pictures with texts
    Told *told;
} ImagesData;

// ---- records

static const ImagesFile *file_of(const ImagesData *data, uint32_t split, uint32_t record, uint32_t field) {
    return data->all.splits[split].records[record].sides[data->fields[field].side];
}

// The left or the right half, without the middle column of an odd width.
static void halve(Arena *arena, Image *picture, uint32_t side) {
    uint32_t width = picture->width / 2, left = side ? picture->width - width : 0;
    size_t row = (size_t)width * picture->channels;
    Image half = image_create(arena, width, picture->height, picture->channels);
    for (uint32_t y = 0; y < half.height; y++)
        memcpy(half.pixels + y * row, picture->pixels + ((size_t)y * picture->width + left) * picture->channels, row);
    *picture = half;
}

// A file or folder may have become a link since the folder was listed.
static bool check_place(Arena *scratch, const ImagesData *data, const char *name, const char *path, Diag *diag) {
    const char *inside = images_inside(scratch, data->real, name);
    if (inside && strcmp(inside, name) == 0)
        return true;
    diag_error(diag, &(Place){.file = path}, "has become a link, which is not followed");
    return false;
}

static bool picture(const Dataset *dataset, Arena *arena, uint32_t split, uint32_t record, uint32_t field, const PictureWanted *wanted,
                    Image *out, Diag *diag) {
    const ImagesData *data = dataset->data;
    Arena *scratch = arena_create();
    const char *name = file_of(data, split, record, field)->file, *path = file_join(scratch, data->folder, name);
    bool has_halves = data->mode == IMAGES_HALVES;
    PictureWanted whole = *wanted;
    whole.width *= has_halves ? 2 : 1;
    size_t size;
    const char *bytes = file_read_most(scratch, path, FILE_MAX, &size, diag);
    bool ok = bytes && check_place(scratch, data, name, path, diag) && picture_decode(arena, path, bytes, size, &whole, out, diag);
    if (ok && has_halves && out->width < 2) {
        diag_error(diag, &(Place){.file = path}, "%u pixels are too few for two pictures side by side", out->width);
        ok = false;
    }
    if (ok && has_halves)
        halve(arena, out, data->fields[field].side);
    arena_destroy(&scratch);
    return ok;
}

static bool picture_key(const Dataset *dataset, Arena *arena, uint32_t split, uint32_t record, uint32_t field, PictureKey *out,
                        Diag *diag) {
    const ImagesData *data = dataset->data;
    struct stat status;
    *out = (PictureKey){.path = file_join(arena, data->real, file_of(data, split, record, field)->file),
                        .part = data->mode == IMAGES_HALVES ? 1 + data->fields[field].side : 0};
    if (stat(out->path, &status) != 0) {
        diag_error(diag, &(Place){.file = out->path}, "cannot read: %s", strerror(errno));
        return false;
    }
    out->size = (uint64_t)status.st_size;
    out->seconds = status.st_mtim.tv_sec;
    out->nanoseconds = (uint32_t)status.st_mtim.tv_nsec;
    return true;
}

typedef struct {
    uint64_t draw;
    uint32_t record;
} Draw;

static uint32_t pick(void *context, uint32_t count) {
    const Draw *draw = context;
    return draw->draw ? random_below(random_element(draw->draw, random_name("images"), 0, DRAW_TEXT, draw->record), count) : 0;
}

static const char *caption(const Dataset *dataset, Arena *arena, uint32_t split, uint32_t record, uint64_t draw, Diag *diag) {
    const ImagesData *data = dataset->data;
    const ImagesRecord *of = &data->all.splits[split].records[record];
    const ImagesFile *file = of->sides[0]->text_count || of->sides[0]->has_text_file ? of->sides[0] : of->sides[1];
    Arena *scratch = arena_create();
    Diag *why = diag_create(scratch);
    const char *text = images_text(arena, data->folder, file, pick, &(Draw){draw, record}, why);
    if (diag_error_count(why) && !atomic_exchange(&data->told->text, true)) {
        const char *message = diag_text(why, scratch) + strlen("error: ");
        diag_warning(diag, NULL, "%.*s; such pictures have no text", (int)strcspn(message, "\n"), message);
    }
    arena_destroy(&scratch);
    return text;
}

static bool fetch(const Dataset *dataset, uint32_t split, uint32_t record, uint32_t field, uint64_t draw, void *out, Diag *diag) {
    (void)field, (void)draw, (void)diag; // the label: pictures are frames.h's, texts captions.h's
    const ImagesData *data = dataset->data;
    uint32_t class = data->all.class_count ? data->all.splits[split].records[record].class : 0;
    memcpy(out, &class, sizeof class);
    return true;
}

// ---- fields

// "a" or "a_small" is of side A.
static bool side_of_name(const char *name, uint32_t *side) {
    bool is_one = (name[0] == 'a' || name[0] == 'b') && (name[1] == 0 || name[1] == '_');
    *side = is_one ? (uint32_t)(name[0] - 'a') : 0;
    return is_one;
}

static bool name_field(Arena *arena, const Dataset *dataset, uint32_t index, Field *field, Diag *diag) {
    const ProgramData *declared = dataset->declared;
    uint32_t rank = declared->fields[index].rank;
    ElementType type = declared->fields[index].type;
    if (type == ELEMENT_F32 && (rank == 2 || rank == 3))
        field->role = FIELD_PICTURE;
    else if (captions_make(dataset, index))
        field->role = FIELD_TEXT;
    else if ((type == ELEMENT_I32 || type == ELEMENT_U32) && dataset_field_count(declared, index) == 1)
        field->role = FIELD_LABEL;
    else {
        diag_error(diag, NULL,
                   "%s has pictures f32[3,h,w] or f32[1,h,w], the label i32[] of a class and texts f32[%u] or tokens, but the graph "
                   "declares %s.%s",
                   dataset->spec, encoder_default()->size, declared->name, dataset_field_text(arena, declared, index));
        return false;
    }
    return true;
}

// A graph with pictures "a" and "b" wants pairs, whichever way they lie there.
static bool find_mode(const Dataset *dataset, ImagesData *data, bool has_halves, Diag *diag) {
    const ProgramData *declared = dataset->declared;
    bool wants[IMAGES_SIDES] = {false}, wants_single = false;
    for (uint32_t i = 0; i < declared->field_count; i++) {
        if (data->fields[i].role != FIELD_PICTURE)
            continue;
        bool is_side = side_of_name(declared->fields[i].name, &data->fields[i].side);
        wants[data->fields[i].side] |= is_side;
        wants_single |= !is_side;
    }
    bool wants_pairs = !wants_single && (wants[1] || (wants[0] && (has_halves || images_has_pairs(&data->listing))));
    if (!wants_pairs && !has_halves) {
        for (uint32_t i = 0; i < declared->field_count; i++)
            data->fields[i].side = 0;
        data->mode = IMAGES_SINGLE;
        return true;
    }
    if (!wants_pairs) {
        diag_error(diag, NULL,
                   "%s has two pictures a record, \"a\" (left) and \"b\" (right); the graph's pictures of %s are called otherwise",
                   dataset->spec, declared->name);
        return false;
    }
    data->mode = has_halves ? IMAGES_HALVES : IMAGES_PAIRS;
    if (has_halves || images_has_pairs(&data->listing))
        return true;
    diag_error(diag, NULL,
               "the graph wants pairs of pictures, %s.a and %s.b, but %s has no folders A and B with pictures (or train/A and train/B, "
               "trainA and trainB); two pictures side by side in one file are images:%s?sides",
               declared->name, declared->name, dataset->spec, data->folder);
    return false;
}

static bool check_labels(const Dataset *dataset, const ImagesData *data, uint32_t field, Diag *diag) {
    uint32_t below = dataset->declared->fields[field].below;
    const char *name = dataset->declared->fields[field].name;
    Arena *scratch = arena_create();
    bool ok = false;
    if (data->all.class_count == 0 && below == 1)
        ok = true; // all are of the only one
    else if (data->all.class_count == 0)
        diag_error(diag, NULL,
                   "%s has no classes, but the graph declares %s.%s: a class is a folder with pictures, or the column \"label\" of "
                   "metadata.csv or metadata.jsonl; without any, all pictures are of one class where labels are below 1",
                   dataset->spec, dataset->name, name);
    else if (data->all.unclassed)
        diag_error(diag, NULL, "%s: %u picture%s no class, but the graph declares %s.%s: %s%s", dataset->spec, data->all.unclassed,
                   data->all.unclassed == 1 ? " has" : "s have", dataset->name, name, text_printable(scratch, data->all.unclassed_path),
                   data->all.unclassed > 1 ? ", …" : "");
    else if (below && data->all.class_count > below)
        diag_error(diag, NULL, "%s has %u classes, but the graph declares %s.%s below %u", dataset->spec, data->all.class_count,
                   dataset->name, name, below);
    else
        ok = true;
    arena_destroy(&scratch);
    return ok;
}

static bool check_texts(const Dataset *dataset, const ImagesData *data, uint32_t field, Diag *diag) {
    if (data->captioned == 0) {
        diag_error(diag, NULL,
                   "%s has no texts, but the graph declares %s.%s: a picture's texts are the lines of NAME.txt beside it, or the "
                   "column \"text\" of metadata.csv or metadata.jsonl",
                   dataset->spec, dataset->name, dataset->declared->fields[field].name);
        return false;
    }
    if (data->captioned < data->listing.files.count)
        diag_warning(diag, NULL, "%s: %u of %u pictures have no text; it is empty there", dataset->spec,
                     data->listing.files.count - data->captioned, data->listing.files.count);
    return true;
}

// ---- opening

// "DIR" or "DIR?sides".
static bool parse_argument(Arena *arena, const char *argument, const char **folder, bool *has_halves, Diag *diag) {
    const char *mark = file_is_folder(argument) ? NULL : strrchr(argument, '?');
    *folder = mark ? arena_copy_bytes(arena, argument, (size_t)(mark - argument)) : arena_copy_text(arena, argument);
    *has_halves = mark && strcmp(mark, "?sides") == 0;
    if (!mark || *has_halves)
        return true;
    diag_error(diag, NULL, "images:%s: what follows the ? can only be \"sides\": two pictures side by side in one file", argument);
    return false;
}

static bool list(Arena *arena, const char *argument, ImagesData *data, bool *has_halves, Diag *diag) {
    if (!parse_argument(arena, argument, &data->folder, has_halves, diag) || !images_list(arena, data->folder, &data->listing, diag))
        return false;
    data->real = file_real_path(arena, data->folder);
    return images_read_tables(arena, data->folder, &data->listing, &data->captioned, diag);
}

bool images_open(Arena *arena, const char *argument, Dataset *dataset, Diag *diag) {
    const ProgramData *declared = dataset->declared;
    ImagesData *data = ARENA_NEW(arena, ImagesData, 1);
    bool has_halves, *is_picture = ARENA_NEW(arena, bool, declared->field_count);
    data->fields = ARENA_NEW(arena, Field, declared->field_count);
    data->told = ARENA_NEW(arena, Told, 1);
    for (uint32_t i = 0; i < declared->field_count; i++) {
        if (!name_field(arena, dataset, i, &data->fields[i], diag))
            return false;
        is_picture[i] = data->fields[i].role == FIELD_PICTURE;
    }
    if (!list(arena, argument, data, &has_halves, diag) || !find_mode(dataset, data, has_halves, diag) ||
        !images_split(arena, dataset->spec, &data->listing, data->mode, &data->all, diag))
        return false;
    for (uint32_t i = 0; i < declared->field_count; i++)
        if ((data->fields[i].role == FIELD_LABEL && !check_labels(dataset, data, i, diag)) ||
            (data->fields[i].role == FIELD_TEXT && !check_texts(dataset, data, i, diag)))
            return false;
    for (uint32_t i = 0; i < data->all.split_count; i++) {
        dataset->splits[i].name = data->all.splits[i].name;
        dataset->splits[i].count = data->all.splits[i].count;
    }
    dataset->split_count = data->all.split_count;
    dataset->class_names = data->all.classes;
    dataset->class_count = data->all.class_count;
    dataset->is_picture = is_picture;
    dataset->picture = picture;
    dataset->picture_key = picture_key;
    dataset->fetch = fetch;
    dataset->caption = data->captioned ? caption : NULL;
    dataset->data = data;
    return true;
}

static void add_picture(Arena *arena, ProgramData *declared, const char *name) {
    dataset_add_field(arena, declared, name, ELEMENT_F32, 3, (const uint32_t[]){3, SIDE_NATURAL, SIDE_NATURAL});
    declared->fields[declared->field_count - 1].has_range = true;
    declared->fields[declared->field_count - 1].low = -1;
    declared->fields[declared->field_count - 1].high = 1;
}

// Pairs where most pictures have a partner below A or B; else pictures, and their classes where all have one.
bool images_natural(Arena *arena, const char *argument, ProgramData *declared, Diag *diag) {
    Arena *scratch = arena_create();
    ImagesData data = {0};
    ImagesSplits pairs;
    bool has_halves;
    Diag *unheard = diag_create(scratch); // the same is told when the data set is opened
    bool ok = list(scratch, argument, &data, &has_halves, unheard);
    data.mode = IMAGES_SINGLE;
    if (ok && !has_halves && images_has_pairs(&data.listing) &&
        images_split(scratch, argument, &data.listing, IMAGES_PAIRS, &pairs, unheard)) {
        uint32_t paired = 0;
        for (uint32_t i = 0; i < pairs.split_count; i++)
            paired += 2 * pairs.splits[i].count;
        data.mode = paired > data.listing.files.count / 2 ? IMAGES_PAIRS : IMAGES_SINGLE;
    }
    data.mode = has_halves ? IMAGES_HALVES : data.mode;
    ok = ok && images_split(scratch, argument, &data.listing, data.mode, &data.all, unheard);
    if (!ok) {
        diag_merge(diag, unheard);
    } else {
        add_picture(arena, declared, data.mode == IMAGES_SINGLE ? "image" : "a");
        if (data.mode != IMAGES_SINGLE)
            add_picture(arena, declared, "b");
        if (data.all.class_count && !data.all.unclassed)
            dataset_add_field(arena, declared, "label", ELEMENT_I32, 0, NULL);
        if (data.captioned)
            dataset_add_field(arena, declared, "text", ELEMENT_F32, 1, &encoder_default()->size);
    }
    arena_destroy(&scratch);
    return ok;
}
