// Survey: see survey.h.
#include "runtime/data/survey.h"
#include "runtime/base/clock.h"
#include "runtime/base/pool.h"
#include "runtime/base/random.h"
#include "runtime/data/frames.h"
#include <stdlib.h>

enum { CLASSES_MAX = 1 << 20, CLASSES_SHOWN = 8, PICTURES_LOOKED_AT = 64, PORTION = 16, ROUND = 32 };

// ---- classes

static bool find_label(const ProgramData *declared, uint32_t *field) {
    for (*field = 0; *field < declared->field_count; (*field)++) {
        ElementType type = declared->fields[*field].type;
        if (strcmp(declared->fields[*field].name, "label") == 0 && dataset_field_count(declared, *field) == 1 &&
            (type == ELEMENT_I32 || type == ELEMENT_U32))
            return true;
    }
    return false;
}

static bool count_split(Text *text, const Dataset *dataset, uint32_t split, uint32_t field, uint32_t *counts, Diag *diag) {
    uint32_t classes = 0, end = 0;
    for (uint32_t i = 0; i < dataset->splits[split].count; i++) {
        uint32_t label;
        if (!frames_fetch_plain(dataset, split, i, field, &label, diag))
            return false;
        if (label >= CLASSES_MAX)
            return true; // numbers that are no classes
        classes += counts[label]++ == 0;
        end = label >= end ? label + 1 : end;
    }
    text_format(text, "  %-6s %s class%s:", dataset->splits[split].name, text_thousands(text->arena, classes), classes == 1 ? "" : "es");
    for (uint32_t i = 0, shown = 0; i < end && shown <= CLASSES_SHOWN; i++) {
        if (counts[i] == 0)
            continue;
        if (shown++ == CLASSES_SHOWN)
            text_append(text, ", …");
        else {
            const char *name = i < dataset->class_count ? dataset->class_names[i] : arena_format(text->arena, "%u", i);
            text_format(text, "%s %s (%s)", shown > 1 ? "," : "", text_printable(text->arena, name),
                        text_thousands(text->arena, counts[i]));
        }
    }
    text_append(text, "\n");
    return true;
}

bool survey_classes(Text *text, const Dataset *dataset, Diag *diag) {
    uint32_t field;
    if (!find_label(dataset->declared, &field))
        return true;
    bool ok = true;
    for (uint32_t s = 0; s < dataset->split_count && ok; s++) {
        Arena *scratch = arena_create();
        ok = count_split(text, dataset, s, field, ARENA_NEW(scratch, uint32_t, CLASSES_MAX), diag);
        arena_destroy(&scratch);
    }
    return ok;
}

// ---- pictures

static bool find_picture(const Dataset *dataset, uint32_t *field) {
    for (*field = 0; *field < dataset->declared->field_count && dataset->is_picture; (*field)++)
        if (dataset->is_picture[*field])
            return true;
    return false;
}

static bool decode_one(const Dataset *dataset, uint32_t split, uint32_t record, uint32_t field, Image *out, Diag *diag) {
    Arena *scratch = arena_create();
    bool ok = dataset->picture(dataset, scratch, split, record, field, &(PictureWanted){.channels = 3}, out, diag);
    arena_destroy(&scratch);
    return ok;
}

void survey_pictures(Text *text, const Dataset *dataset, Diag *diag) {
    uint32_t field, looked = 0;
    Image least = {.width = UINT32_MAX, .height = UINT32_MAX}, most = {0};
    if (!find_picture(dataset, &field) || dataset->splits[0].count == 0)
        return;
    uint32_t count = dataset->splits[0].count, step = count / PICTURES_LOOKED_AT + 1;
    for (uint32_t i = 0; i < count; i += step) {
        Image picture;
        Arena *scratch = arena_create();
        Diag *why = diag_create(scratch);
        if (decode_one(dataset, 0, i, field, &picture, why)) {
            if ((uint64_t)picture.width * picture.height < (uint64_t)least.width * least.height)
                least = picture;
            if ((uint64_t)picture.width * picture.height > (uint64_t)most.width * most.height)
                most = picture;
            looked++;
        } else {
            const char *said = diag_text(why, scratch);
            said += text_starts_with(said, "error: ") ? strlen("error: ") : 0;
            diag_warning(diag, NULL, "%.*s", (int)strcspn(said, "\n"), said);
        }
        arena_destroy(&scratch);
    }
    if (looked)
        text_format(text, "  pictures of %u x %u to %u x %u pixels (width x height; %u of them looked at)\n", least.width, least.height,
                    most.width, most.height, looked);
}

// ---- speed

typedef struct {
    const Dataset *dataset;
    uint32_t split;
    const uint32_t *order; // of the records
    uint32_t first, end;   // places in it
    bool only_decodes;
    uint32_t picture; // field
    uint64_t bytes;   // of a record's fields together
} Reading;

static bool read_portion(void *context, uint32_t item, Arena *scratch, Diag *diag) {
    const Reading *reading = context;
    const Dataset *dataset = reading->dataset;
    uint32_t first = reading->first + item * PORTION, end = first + PORTION < reading->end ? first + PORTION : reading->end;
    uint8_t *room = ARENA_NEW(scratch, uint8_t, reading->bytes);
    for (uint32_t i = first; i < end; i++) {
        Image picture;
        if (reading->only_decodes) // broken ones were told
            decode_one(dataset, reading->split, reading->order[i], reading->picture, &picture, diag_create(scratch));
        for (uint32_t f = 0; f < dataset->declared->field_count && !reading->only_decodes; f++)
            if (!dataset->fetch(dataset, reading->split, reading->order[i], f, 1, room, diag))
                return false;
    }
    return true;
}

// Reads up to `most` records, or as long as `seconds` (0: however long it takes). Gives how many, and records a second.
static bool measure(Pool *pool, Reading *reading, uint32_t most, double seconds, uint32_t *count, double *speed, Diag *diag) {
    double began = clock_seconds(), now = began;
    *count = 0;
    while (*count < most && (seconds == 0 || now < began + seconds)) {
        uint32_t round = (pool_helpers(pool) + 1) * PORTION * ROUND;
        reading->first = *count;
        reading->end = round < most - *count ? *count + round : most;
        PoolWork work = {.count = (reading->end - reading->first + PORTION - 1) / PORTION, .work = read_portion, .context = reading};
        if (!pool_run(pool, &work, diag))
            return false;
        *count = reading->end;
        now = clock_seconds();
    }
    *speed = now > began ? *count / (now - began) : 0;
    return true;
}

bool survey_speed(Text *text, const Dataset *dataset, uint32_t split, double seconds, Diag *diag) {
    Arena *scratch = arena_create();
    Reading reading = {.dataset = dataset, .split = split};
    uint32_t records = dataset->splits[split].count, count, again;
    uint32_t *order = ARENA_NEW(scratch, uint32_t, records);
    random_permutation(0, random_name("survey"), 0, order, records);
    reading.order = order;
    for (uint32_t i = 0; i < dataset->declared->field_count; i++) {
        uint64_t bytes = dataset_field_count(dataset->declared, i) * ELEMENT_WORD;
        reading.bytes = bytes > reading.bytes ? bytes : reading.bytes;
    }
    Pool *pool = pool_create(scratch, pool_workers(POOL_COMPUTES) - 1);
    double first_speed, second_speed, decoding = 0;
    bool ok = measure(pool, &reading, records, seconds, &count, &first_speed, diag) &&
              measure(pool, &reading, count, 0, &again, &second_speed, diag);
    reading.only_decodes = ok && dataset->picture_key && find_picture(dataset, &reading.picture);
    ok = ok && (!reading.only_decodes || measure(pool, &reading, count, 0, &again, &decoding, diag));
    if (ok) {
        text_format(text, "  %s records of \"%s\" read by %u threads: %s a second, and %s when they are read again",
                    text_thousands(scratch, count), dataset->splits[split].name, pool_helpers(pool) + 1,
                    text_thousands(scratch, (uint64_t)first_speed), text_thousands(scratch, (uint64_t)second_speed));
        if (reading.only_decodes)
            text_format(text, "; decoding their pictures alone (of \"%s\"): %s a second", dataset->declared->fields[reading.picture].name,
                        text_thousands(scratch, (uint64_t)decoding));
        text_append(text, "\n");
    }
    pool_destroy(&pool);
    arena_destroy(&scratch);
    return ok;
}
