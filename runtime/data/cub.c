// Cub: pictures of birds with texts, prepared as StackGAN's code does it (Zhang et al. 2017, hanzhanggit/StackGAN): a square of 3/4 of the
// box's longer side around its centre to each side, clipped to the picture, resized to 76/64 of the size that the graph wants; of that a
// random square, or its mirror image; one of the texts at random.
#include "runtime/base/random.h"
#include "runtime/data/cub_parts.h"
#include "runtime/data/jpeg.h"
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>

enum { CHANNELS = 3, LEVELS = 256, SIDE_NATURAL = 64, SIDE_MAX = 4096, BROKEN_SHARE_MAX = 100 };
#define CACHE_MAX (UINT64_C(1) << 30)

// The draws of a record.
enum { DRAW_X, DRAW_Y, DRAW_MIRROR, DRAW_TEXT };

typedef enum { FIELD_IMAGE, FIELD_TEXT, FIELD_LABEL, FIELD_CAPTION } FieldRole;

typedef struct {
    FieldRole role;
    uint32_t side, wide;  // of an image: as the graph wants it, and before its random square is cut out
    float levels[LEVELS]; // of an image: what a byte becomes
} Field;

typedef enum { RECORD_UNKNOWN, RECORD_GOOD, RECORD_BROKEN } RecordState;

// What fetches share. A record becomes good, with its pictures in the cache, or broken while the lock is held; neither changes then.
typedef struct {
    atomic_uchar *states;
    atomic_uint broken_count;
    uint8_t **cache; // by field: the prepared pictures of all records; NULL: none are kept
    pthread_mutex_t lock;
} Shared;

typedef struct {
    const char *folder;
    Field *fields;
    uint32_t field_count, image; // the first image field; field_count: none
    CubSplit splits[CUB_SPLITS];
    Shared *shared[CUB_SPLITS];
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

static size_t prepared_size(const Field *field) { return (size_t)field->wide * field->wide * CHANNELS; }

static bool decode(Arena *scratch, const CubData *data, const CubRecord *record, JpegImage *picture, ResizeBox *box, Diag *diag) {
    const char *path = cub_picture_path(scratch, data->folder, record);
    if (!jpeg_read(scratch, path, picture, diag))
        return false;
    *box = crop_box(record, picture);
    if (box->right == 0)
        diag_error(diag, &(Place){.file = path}, "%u x %u pixels; the box in bounding_boxes.txt lies outside", picture->width,
                   picture->height);
    return box->right > 0;
}

static bool is_over(const CubSplit *split, uint32_t broken) { return (uint64_t)broken * BROKEN_SHARE_MAX > split->count; }

static bool refuse(const Dataset *dataset, uint32_t split, Diag *diag) {
    const CubData *data = dataset->data;
    diag_error(diag, NULL, "%s: %u of the %u pictures of \"%s\" are broken or more: over 1 %%, so that the data set is not used",
               dataset->spec, atomic_load(&data->shared[split]->broken_count), data->splits[split].count, data->splits[split].name);
    return false;
}

// The first to find out counts and tells; false where there are too many by now.
static bool settle_broken(const Dataset *dataset, uint32_t split, uint32_t record, const Diag *why, Diag *diag) {
    const CubData *data = dataset->data;
    Shared *shared = data->shared[split];
    pthread_mutex_lock(&shared->lock);
    bool is_first = atomic_load(&shared->states[record]) == RECORD_UNKNOWN;
    uint32_t count = atomic_load(&shared->broken_count) + is_first;
    atomic_store(&shared->broken_count, count);
    atomic_store(&shared->states[record], RECORD_BROKEN);
    pthread_mutex_unlock(&shared->lock);
    if (is_first) {
        Arena *scratch = arena_create();
        const char *text = diag_text(why, scratch), *message = text_starts_with(text, "error: ") ? text + strlen("error: ") : text;
        diag_warning(diag, NULL, "%.*s; left out", (int)strcspn(message, "\n"), message);
        arena_destroy(&scratch);
    }
    return !is_over(&data->splits[split], count) || refuse(dataset, split, diag);
}

// By field: the record's prepared pictures, of all image fields where they are kept, else of `field`; in scratch memory. False where the
// picture is broken; `why` says it.
static bool prepare(Arena *scratch, const CubData *data, uint32_t split, uint32_t record, uint32_t field, uint8_t **pictures, Diag *why) {
    Shared *shared = data->shared[split];
    JpegImage picture;
    ResizeBox box;
    if (!decode(scratch, data, &data->splits[split].records[record], &picture, &box, why))
        return false;
    for (uint32_t i = 0; i < data->field_count; i++) {
        if (data->fields[i].role != FIELD_IMAGE || (i != field && !shared->cache))
            continue;
        pictures[i] = ARENA_NEW(scratch, uint8_t, prepared_size(&data->fields[i]));
        resize_bilinear(picture.pixels, picture.width, &box, data->fields[i].wide, data->fields[i].wide, pictures[i]);
    }
    pthread_mutex_lock(&shared->lock);
    if (atomic_load(&shared->states[record]) == RECORD_UNKNOWN) {
        for (uint32_t i = 0; i < data->field_count && shared->cache; i++)
            if (pictures[i])
                memcpy(shared->cache[i] + record * prepared_size(&data->fields[i]), pictures[i], prepared_size(&data->fields[i]));
        atomic_store(&shared->states[record], RECORD_GOOD);
    }
    pthread_mutex_unlock(&shared->lock);
    return true;
}

// The record, or the next good one where it is broken. Where `field` is an image, also its prepared picture: in the cache or in `scratch`.
static bool find_good(Arena *scratch, const Dataset *dataset, uint32_t split, uint32_t *record, uint32_t field, const uint8_t **picture,
                      Diag *diag) {
    const CubData *data = dataset->data;
    Shared *shared = data->shared[split];
    bool wants_picture = data->fields[field].role == FIELD_IMAGE;
    if (data->image == data->field_count)
        return true; // no pictures are read, so none are broken
    if (is_over(&data->splits[split], atomic_load(&shared->broken_count)))
        return refuse(dataset, split, diag);
    for (;; *record = (*record + 1) % data->splits[split].count) { // ends: over 1 % broken ends it
        RecordState state = atomic_load(&shared->states[*record]);
        if (state == RECORD_GOOD && !wants_picture)
            return true;
        if (state == RECORD_GOOD && shared->cache) {
            *picture = shared->cache[field] + *record * prepared_size(&data->fields[field]);
            return true;
        }
        if (state == RECORD_BROKEN)
            continue;
        uint8_t **pictures = ARENA_NEW(scratch, uint8_t *, data->field_count);
        Diag *why = diag_create(scratch);
        if (prepare(scratch, data, split, *record, wants_picture ? field : data->field_count, pictures, why)) {
            *picture = wants_picture ? pictures[field] : NULL;
            return true;
        }
        if (state == RECORD_GOOD) { // it was there before: the machine fails, not the picture
            diag_merge(diag, why);
            return false;
        }
        if (!settle_broken(dataset, split, *record, why, diag))
            return false;
    }
}

// ---- fields

static uint32_t draw_below(uint64_t draw, uint32_t record, uint32_t which, uint32_t below) {
    return random_below(random_element(draw, random_name("cub"), 0, which, record), below);
}

static void cut_out(const Field *field, const uint8_t *picture, uint32_t record, uint64_t draw, float *out) {
    uint32_t side = field->side, slack = field->wide - side, left = slack / 2, top = slack / 2;
    bool is_mirrored = false;
    if (draw != 0) {
        left = draw_below(draw, record, DRAW_X, slack + 1);
        top = draw_below(draw, record, DRAW_Y, slack + 1);
        is_mirrored = draw_below(draw, record, DRAW_MIRROR, 2) == 1;
    }
    for (uint32_t y = 0; y < side; y++)
        for (uint32_t x = 0; x < side; x++) {
            uint32_t from = left + (is_mirrored ? side - 1 - x : x);
            const uint8_t *pixel = picture + ((size_t)(y + top) * field->wide + from) * CHANNELS;
            for (uint32_t c = 0; c < CHANNELS; c++)
                out[((size_t)c * side + y) * side + x] = field->levels[pixel[c]];
        }
}

static bool fetch(const Dataset *dataset, uint32_t split, uint32_t record, uint32_t field, uint64_t draw, void *out, Diag *diag) {
    const CubData *data = dataset->data;
    const CubSplit *from = &data->splits[split];
    const uint8_t *picture = NULL;
    Arena *scratch = arena_create();
    bool ok = find_good(scratch, dataset, split, &record, field, &picture, diag);
    if (ok)
        switch (data->fields[field].role) {
        case FIELD_IMAGE:
            cut_out(&data->fields[field], picture, record, draw, out);
            break;
        case FIELD_TEXT: {
            uint64_t text = draw ? draw_below(draw, record, DRAW_TEXT, from->text_count) : 0;
            pickle_floats(from->records[record].texts, from->records[record].first_text + text * from->text_size, from->text_size, out);
            break;
        }
        case FIELD_LABEL:
            memcpy(out, &from->records[record].class, sizeof from->records[record].class);
            break;
        case FIELD_CAPTION: // captions.c
            break;
        }
    arena_destroy(&scratch);
    return ok;
}

static const char *caption(const Dataset *dataset, Arena *arena, uint32_t split, uint32_t record, uint64_t draw) {
    const CubData *data = dataset->data;
    const CubSplit *from = &data->splits[split];
    const char *found = NULL;
    const uint8_t *picture;
    Arena *scratch = arena_create();
    Diag *unheard = diag_create(scratch);
    ARRAY(const char *) lines = {0};
    size_t size;
    uint32_t text_field = 0; // any field that is no image finds out which record it is
    while (text_field + 1 < data->field_count && data->fields[text_field].role == FIELD_IMAGE)
        text_field++;
    char *text = find_good(scratch, dataset, split, &record, text_field, &picture, unheard)
                     ? file_read(scratch, cub_text_path(scratch, data->folder, &from->records[record]), &size, unheard)
                     : NULL;
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

static uint32_t broken(const Dataset *dataset, uint32_t split) {
    const CubData *data = dataset->data;
    return atomic_load(&data->shared[split]->broken_count);
}

// ---- opening

static bool name_field(Arena *arena, const Dataset *dataset, uint32_t index, Field *field, Diag *diag) {
    const ProgramData *declared = dataset->declared;
    const uint32_t *dims = declared->fields[index].dims, rank = declared->fields[index].rank;
    ElementType type = declared->fields[index].type;
    bool is_real = type == ELEMENT_F32;
    field->role = FIELD_CAPTION;
    if (declared->fields[index].tokens)
        return true;
    if (is_real && rank == 3 && dims[0] == CHANNELS && dims[1] == dims[2] && dims[1] > 0 && dims[1] <= SIDE_MAX) {
        float low = 0, scale = 1;
        if (declared->fields[index].has_range) { // as idx.c does it
            low = (float)declared->fields[index].low;
            scale = (float)((declared->fields[index].high - declared->fields[index].low) / (LEVELS - 1));
        }
        *field = (Field){.role = FIELD_IMAGE, .side = dims[1], .wide = dims[1] * 76 / 64};
        for (uint32_t level = 0; level < LEVELS; level++)
            field->levels[level] = low + (float)level * scale;
        return true;
    }
    field->role = is_real ? FIELD_TEXT : FIELD_LABEL;
    if ((is_real && rank == 1) || ((type == ELEMENT_I32 || type == ELEMENT_U32) && dataset_field_count(declared, index) == 1))
        return true;
    diag_error(diag, NULL, "%s has the fields image f32[3,S,S], text f32[E] and label i32[], but the graph declares %s.%s", dataset->spec,
               declared->name, dataset_field_text(arena, declared, index));
    return false;
}

static bool check_split(Arena *arena, const Dataset *dataset, const CubData *data, const CubSplit *split, Diag *diag) {
    const ProgramData *declared = dataset->declared;
    for (uint32_t i = 0; i < data->field_count; i++) {
        if (data->fields[i].role == FIELD_TEXT && declared->fields[i].dims[0] != split->text_size) {
            diag_error(diag, NULL, "%s: its texts are vectors of %u numbers, but the graph declares %s.%s", dataset->spec, split->text_size,
                       declared->name, dataset_field_text(arena, declared, i));
            return false;
        }
        uint32_t below = declared->fields[i].below;
        for (uint32_t k = 0; below && data->fields[i].role == FIELD_LABEL && k < split->count; k++)
            if (split->records[k].class >= below) {
                diag_error(diag, NULL, "%s: record %u of \"%s\" has %s %u, but the graph declares it below %u", dataset->spec, k,
                           split->name, declared->fields[i].name, split->records[k].class, below);
                return false;
            }
    }
    return true;
}

static void share(Arena *arena, CubData *data, uint32_t split_count) {
    uint64_t total = 0;
    for (uint32_t s = 0; s < split_count; s++)
        for (uint32_t i = 0; i < data->field_count; i++)
            total += data->splits[s].count * (uint64_t)prepared_size(&data->fields[i]);
    for (uint32_t s = 0; s < split_count; s++) {
        Shared *shared = data->shared[s] = ARENA_NEW(arena, Shared, 1);
        pthread_mutex_init(&shared->lock, NULL); // holds nothing to be freed
        shared->states = ARENA_NEW(arena, atomic_uchar, data->splits[s].count);
        shared->cache = total <= CACHE_MAX ? ARENA_NEW(arena, uint8_t *, data->field_count) : NULL;
        for (uint32_t i = 0; i < data->field_count && shared->cache; i++) // the system gives the memory as it fills
            shared->cache[i] = ARENA_NEW(arena, uint8_t, data->splits[s].count * prepared_size(&data->fields[i]));
    }
}

bool cub_open(Arena *arena, const char *folder, Dataset *dataset, Diag *diag) {
    CubData *data = ARENA_NEW(arena, CubData, 1);
    data->folder = arena_copy_text(arena, folder);
    data->field_count = data->image = dataset->declared->field_count;
    data->fields = ARENA_NEW(arena, Field, data->field_count);
    CubWanted wanted = {0};
    for (uint32_t i = data->field_count; i-- > 0;) {
        if (!name_field(arena, dataset, i, &data->fields[i], diag))
            return false;
        wanted.texts |= data->fields[i].role == FIELD_TEXT;
        wanted.classes |= data->fields[i].role == FIELD_LABEL;
        if (data->fields[i].role == FIELD_IMAGE)
            data->image = i;
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
    share(arena, data, dataset->split_count);
    dataset->fetch = fetch;
    dataset->caption = file_is_folder(file_join(arena, folder, "text")) ? caption : NULL;
    for (uint32_t i = 0; i < data->field_count && !dataset->caption; i++)
        if (data->fields[i].role == FIELD_CAPTION) {
            diag_error(diag, NULL, "%s has no captions, of which the graph wants tokens for %s.%s: its folder text/ is missing", dataset->spec,
                       dataset->name, dataset->declared->fields[i].name);
            return false;
        }
    dataset->broken = broken;
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
