// Frames: see frames.h.
#include "runtime/data/frames.h"
#include "runtime/base/bug.h"
#include "runtime/data/augment.h"
#include "runtime/data/picture_cache.h"
#include "runtime/data/readers.h"
#include "runtime/data/resize.h"
#include <pthread.h>
#include <stdatomic.h>

enum { BROKEN_SHARE_MAX = 100, PIXELS_MAX = 1 << 26, FILE_RECORDS_MIN = 1000, SETTINGS = 6 };

// Numbers: an array of the reader's fetch that is cut out of a larger one, or mirrored.
typedef enum { FIELD_OTHER, FIELD_PICTURE, FIELD_NUMBERS } FieldRole;

typedef struct {
    FieldRole role;
    Augment augment;
    uint32_t stored[2];          // of numbers: height and width as fetch writes them
    PictureCache *cache;         // of pictures in files
    uint64_t settings[SETTINGS]; // what the cached ones depend on beside the file
    _Atomic uint64_t *keys[DATASET_SPLIT_MAX]; // by record: the hash at its first use; 0: not used yet
} Field;

typedef enum { RECORD_UNKNOWN, RECORD_GOOD, RECORD_BROKEN } RecordState;

// What fetches share of a split. A record becomes good or broken while the lock is held; a broken one stays that.
typedef struct {
    atomic_uchar *states;
    atomic_uint broken_count;
    pthread_mutex_t lock;
} Shared;

struct Frames {
    bool (*fetch)(const Dataset *, uint32_t, uint32_t, uint32_t, uint64_t, void *, Diag *); // the reader's
    const char *(*caption)(const Dataset *, Arena *, uint32_t, uint32_t, uint64_t, Diag *); // the reader's
    Field *fields;
    uint32_t field_count;
    bool can_break; // there are pictures, of files
    Shared *shared[DATASET_SPLIT_MAX];
};

// ---- broken pictures

static bool is_over(const Dataset *dataset, uint32_t split, uint32_t count) {
    return (uint64_t)count * BROKEN_SHARE_MAX > dataset->splits[split].count;
}

static bool refuse(const Dataset *dataset, uint32_t split, Diag *diag) {
    diag_error(diag, NULL,
               "%s: at least %u of the %u records of \"%s\" are broken, over 1 %%: mend or remove them (`gcc-graph data describe %s` names "
               "broken ones)",
               dataset->spec, atomic_load(&dataset->frames->shared[split]->broken_count), dataset->splits[split].count,
               dataset->splits[split].name, dataset->spec);
    return false;
}

// The first to find out counts and tells; false where there are too many by now.
static bool settle_broken(const Dataset *dataset, uint32_t split, uint32_t record, const Diag *why, Diag *diag) {
    Shared *shared = dataset->frames->shared[split];
    pthread_mutex_lock(&shared->lock);
    bool is_first = atomic_load(&shared->states[record]) != RECORD_BROKEN;
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
    return !is_over(dataset, split, count) || refuse(dataset, split, diag);
}

static void settle_good(const Frames *frames, uint32_t split, uint32_t record) {
    Shared *shared = frames->shared[split];
    pthread_mutex_lock(&shared->lock);
    if (atomic_load(&shared->states[record]) == RECORD_UNKNOWN)
        atomic_store(&shared->states[record], RECORD_GOOD);
    pthread_mutex_unlock(&shared->lock);
}

// ---- pictures before they are cropped

static bool check_size(const Dataset *dataset, const Image *picture, uint32_t height, uint32_t width, Diag *diag) {
    if (picture->height == 0 || picture->width == 0 || (uint64_t)height * width > PIXELS_MAX) {
        diag_error(diag, NULL, "%s: a picture of %u x %u pixels would become one of %u x %u", dataset->spec, picture->width,
                   picture->height, width, height);
        return false;
    }
    return true;
}

// Decodes the picture of a field and gives it the size in which it is cropped.
static bool decode(Arena *scratch, const Dataset *dataset, uint32_t split, uint32_t record, uint32_t field, Image *out, Diag *diag) {
    const Augment *augment = &dataset->frames->fields[field].augment;
    PictureWanted wanted = {.channels = augment->channels};
    augment_least(augment, &wanted.height, &wanted.width);
    Image picture;
    if (!dataset->picture(dataset, scratch, split, record, field, &wanted, &picture, diag))
        return false;
    augment_channels(scratch, &picture, augment->channels);
    uint32_t height, width;
    augment_size(augment, picture.height, picture.width, &height, &width);
    if (!check_size(dataset, &picture, height, width, diag))
        return false;
    *out = picture;
    if (height != picture.height || width != picture.width) {
        *out = (Image){.width = width, .height = height, .channels = picture.channels};
        out->pixels = ARENA_NEW(scratch, uint8_t, (size_t)height * width * picture.channels);
        resize_picture(&picture, &(ResizeBox){0, 0, picture.width, picture.height}, out);
    }
    return true;
}

static bool hash_key(const Dataset *dataset, const Field *field, uint32_t split, uint32_t record, const PictureKey *key, PictureHash *out,
                     Diag *diag) {
    uint64_t numbers[4 + SETTINGS] = {key->size, (uint64_t)key->seconds, key->nanoseconds, key->part};
    memcpy(numbers + 4, field->settings, sizeof field->settings);
    *out = picture_cache_hash(key->path, numbers, 4 + SETTINGS);
    uint64_t known = 0;
    if (atomic_compare_exchange_strong(&field->keys[split][record], &known, out->low) || known == out->low)
        return true;
    diag_error(diag, &(Place){.file = key->path}, "changed while %s was in use", dataset->spec);
    return false;
}

// The same, of the cache if it is there, and else into it.
static bool prepare(Arena *scratch, const Dataset *dataset, uint32_t split, uint32_t record, uint32_t index, Image *out, Diag *diag,
                    Diag *why) {
    const Field *field = &dataset->frames->fields[index];
    if (!dataset->picture_key)
        return decode(scratch, dataset, split, record, index, out, why);
    PictureKey key = {0};
    PictureHash hash;
    if (!dataset->picture_key(dataset, scratch, split, record, index, &key, why) ||
        !hash_key(dataset, field, split, record, &key, &hash, why))
        return false;
    if (picture_cache_find(field->cache, scratch, hash, out, diag))
        return true;
    if (!decode(scratch, dataset, split, record, index, out, why))
        return false;
    picture_cache_add(field->cache, hash, out, diag);
    return true;
}

// The pictures of all fields of a record that nothing is known of. `pictures` is by field.
static bool prepare_all(Arena *scratch, const Dataset *dataset, uint32_t split, uint32_t record, Image *pictures, Diag *diag, Diag *why) {
    const Frames *frames = dataset->frames;
    for (uint32_t i = 0; i < frames->field_count; i++)
        if (frames->fields[i].role == FIELD_PICTURE && !prepare(scratch, dataset, split, record, i, &pictures[i], diag, why))
            return false;
    return true;
}

// The record, or the next good one where it is broken. Where `field` is a picture, also that, in `scratch` or in memory that stays.
static bool find_good(Arena *scratch, const Dataset *dataset, uint32_t split, uint32_t *record, uint32_t field, Image *out, Diag *diag) {
    const Frames *frames = dataset->frames;
    Shared *shared = frames->shared[split];
    bool wants_picture = field < frames->field_count && frames->fields[field].role == FIELD_PICTURE;
    if (!frames->can_break)
        return !wants_picture || prepare(scratch, dataset, split, *record, field, out, diag, diag);
    if (is_over(dataset, split, atomic_load(&shared->broken_count)))
        return refuse(dataset, split, diag);
    for (;; *record = (*record + 1) % dataset->splits[split].count) { // ends: over 1 % broken ends it
        RecordState state = atomic_load(&shared->states[*record]);
        if (state == RECORD_BROKEN)
            continue;
        if (state == RECORD_GOOD && !wants_picture)
            return true;
        Diag *why = diag_create(scratch);
        Image *pictures = ARENA_NEW(scratch, Image, frames->field_count);
        bool is_good = state == RECORD_GOOD ? prepare(scratch, dataset, split, *record, field, &pictures[field], diag, why)
                                            : prepare_all(scratch, dataset, split, *record, pictures, diag, why);
        if (is_good) {
            settle_good(frames, split, *record);
            if (wants_picture)
                *out = pictures[field];
            return true;
        }
        if (!settle_broken(dataset, split, *record, why, diag))
            return false;
    }
}

// ---- in the place of the reader's functions

static bool fetch(const Dataset *dataset, uint32_t split, uint32_t record, uint32_t field, uint64_t draw, void *out, Diag *diag) {
    const Frames *frames = dataset->frames;
    const Field *what = &frames->fields[field];
    Image picture;
    Arena *scratch = arena_create();
    bool ok = find_good(scratch, dataset, split, &record, field, &picture, diag);
    if (ok)
        switch (what->role) {
        case FIELD_OTHER:
            ok = frames->fetch(dataset, split, record, field, draw, out, diag);
            break;
        case FIELD_PICTURE:
            augment_cut(&what->augment, &picture, record, draw, out);
            break;
        case FIELD_NUMBERS: {
            float *numbers = ARENA_NEW(scratch, float, (size_t)what->augment.channels * what->stored[0] * what->stored[1]);
            ok = frames->fetch(dataset, split, record, field, draw, numbers, diag);
            if (ok)
                augment_cut_numbers(&what->augment, numbers, what->stored[0], what->stored[1], record, draw, out);
            break;
        }
        }
    arena_destroy(&scratch);
    return ok;
}

static const char *caption(const Dataset *dataset, Arena *arena, uint32_t split, uint32_t record, uint64_t draw, Diag *diag) {
    Arena *scratch = arena_create();
    Image picture;
    bool ok = find_good(scratch, dataset, split, &record, dataset->frames->field_count, &picture, diag);
    arena_destroy(&scratch);
    return ok ? dataset->frames->caption(dataset, arena, split, record, draw, diag) : NULL;
}

static uint32_t broken(const Dataset *dataset, uint32_t split) { return atomic_load(&dataset->frames->shared[split]->broken_count); }

bool frames_fetch_plain(const Dataset *dataset, uint32_t split, uint32_t record, uint32_t field, void *out, Diag *diag) {
    bool is_plain = dataset->frames && dataset->frames->fields[field].role == FIELD_OTHER;
    return (is_plain ? dataset->frames->fetch : dataset->fetch)(dataset, split, record, field, 0, out, diag);
}

// ---- attaching

// Fields smaller than what is cut out get that resized, if their proportions are the same.
static bool check_crop(Arena *arena, const Dataset *dataset, uint32_t index, const Augment *augment, bool can_resize, Diag *diag) {
    const uint32_t *cut = augment->cut, *resize = augment->augment.resize;
    bool is_same = cut[0] == augment->height && cut[1] == augment->width;
    bool is_like = can_resize && (uint64_t)cut[0] * augment->width == (uint64_t)cut[1] * augment->height && cut[0] > augment->height;
    if ((is_same || is_like) && (resize[1] == 0 || (resize[0] >= cut[0] && resize[1] >= cut[1])))
        return true;
    diag_error(diag, NULL, "%s: its pictures are cut to %u x %u, but the graph declares %s.%s", dataset->spec, cut[0], cut[1],
               dataset->name, dataset_field_text(arena, dataset->declared, index));
    return false;
}

static bool attach_picture(Arena *arena, const Dataset *dataset, uint32_t index, const ProgramAugment *augment, Field *field, Diag *diag) {
    field->role = FIELD_PICTURE;
    if (!augment_create(dataset->declared, index, augment, dataset->draws, &field->augment)) {
        diag_error(diag, NULL, "%s: a picture is f32[3,h,w] in colours, f32[1,h,w] or f32[h,w] in grey, but the graph declares %s.%s",
                   dataset->spec, dataset->name, dataset_field_text(arena, dataset->declared, index));
        return false;
    }
    return check_crop(arena, dataset, index, &field->augment, true, diag);
}

static const char *source_of(Arena *arena, const Dataset *dataset) {
    const char *colon = strchr(dataset->spec, ':'), *path = colon ? file_real_path(arena, colon + 1) : NULL;
    return path ? path : dataset->spec;
}

// Opens the cache of a field's pictures; fields with the same settings share one.
static void attach_cache(Arena *arena, const Dataset *dataset, Frames *frames, uint32_t index, Diag *diag) {
    Field *field = &frames->fields[index];
    const Augment *augment = &field->augment;
    bool is_covering = augment->augment.resize[0] == 0 && augment->augment.crop[0] == 0;
    const uint64_t settings[SETTINGS] = {augment->channels, augment->augment.resize[0], augment->augment.resize[1], is_covering,
                                          augment->cut[0], augment->cut[1]};
    memcpy(field->settings, settings, sizeof settings);
    uint64_t records = 0, fields = 0;
    for (uint32_t s = 0; s < dataset->split_count; s++) {
        records += dataset->splits[s].count;
        field->keys[s] = (_Atomic uint64_t *)arena_alloc(arena, sizeof *field->keys[s] * dataset->splits[s].count);
    }
    for (uint32_t i = 0; i < index && !field->cache; i++)
        if (frames->fields[i].cache && memcmp(frames->fields[i].settings, settings, sizeof settings) == 0)
            field->cache = frames->fields[i].cache;
    for (uint32_t i = 0; i < frames->field_count; i++)
        fields += dataset->is_picture[i];
    if (field->cache)
        return;
    Text name = text_create(arena);
    text_append(&name, source_of(arena, dataset));
    for (uint32_t i = 0; i < SETTINGS; i++)
        text_format(&name, " %u", (uint32_t)settings[i]);
    if (records < FILE_RECORDS_MIN) // decoded in no time
        field->cache = picture_cache_open_memory(arena, records * fields);
    else
        field->cache = picture_cache_open(arena, digest_bytes(arena, name.data, name.length), records * fields, diag);
}

static bool is_array_picture(const ProgramData *declared, uint32_t field) { return declared->fields[field].rank == 3; }

static bool attach_numbers(Arena *arena, const Dataset *dataset, uint32_t index, const ProgramAugment *augment, Field *field, Diag *diag) {
    if (!is_array_picture(dataset->declared, index) || !augment_create(dataset->declared, index, augment, dataset->draws, &field->augment))
        return true; // no picture: as the reader gives it
    field->role = FIELD_NUMBERS;
    const uint32_t *stored = dataset->stored ? dataset->stored[index] : NULL;
    field->stored[0] = stored && stored[0] ? stored[0] : field->augment.height;
    field->stored[1] = stored && stored[1] ? stored[1] : field->augment.width;
    uint32_t height, width;
    augment_size(&field->augment, field->stored[0], field->stored[1], &height, &width);
    if (height != field->stored[0] || width != field->stored[1]) {
        diag_error(diag, NULL, "%s: numbers are cropped and mirrored, but not resized: %s.%s is stored as %u x %u", dataset->spec,
                   dataset->name, dataset_field_text(arena, dataset->declared, index), field->stored[0], field->stored[1]);
        return false;
    }
    return check_crop(arena, dataset, index, &field->augment, false, diag);
}

bool frames_attach(Arena *arena, Dataset *dataset, Diag *diag) {
    const ProgramData *declared = dataset->declared;
    Frames *frames = ARENA_NEW(arena, Frames, 1);
    *frames = (Frames){.fetch = dataset->fetch, .caption = dataset->caption, .field_count = declared->field_count};
    frames->fields = ARENA_NEW(arena, Field, declared->field_count);
    bool is_needed = false;
    for (uint32_t i = 0; i < declared->field_count; i++) {
        bool is_picture = dataset->is_picture && dataset->is_picture[i];
        const ProgramAugment *own = dataset->own_augments ? &dataset->own_augments[i] : NULL;
        const ProgramAugment *augment = declared->has_augment ? &declared->augment : own;
        if (is_picture && !attach_picture(arena, dataset, i, augment, &frames->fields[i], diag))
            return false;
        if (!is_picture && declared->has_augment && !attach_numbers(arena, dataset, i, augment, &frames->fields[i], diag))
            return false;
        is_needed |= frames->fields[i].role != FIELD_OTHER;
        frames->can_break |= is_picture && dataset->picture_key;
    }
    if (!is_needed)
        return true;
    for (uint32_t i = 0; i < declared->field_count; i++)
        if (frames->can_break && frames->fields[i].role == FIELD_PICTURE)
            attach_cache(arena, dataset, frames, i, diag);
    for (uint32_t s = 0; s < dataset->split_count; s++) {
        Shared *shared = frames->shared[s] = ARENA_NEW(arena, Shared, 1);
        pthread_mutex_init(&shared->lock, NULL); // holds nothing to be freed
        shared->states = ARENA_NEW(arena, atomic_uchar, dataset->splits[s].count);
    }
    dataset->frames = frames;
    dataset->fetch = fetch;
    dataset->caption = dataset->caption ? caption : NULL;
    dataset->broken = frames->can_break ? broken : dataset->broken;
    return true;
}
