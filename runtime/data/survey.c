// Survey: see survey.h.
#include "runtime/data/survey.h"
#include "runtime/base/clock.h"
#include "runtime/base/pool.h"
#include "runtime/base/random.h"
#include "runtime/data/frames.h"
#include <stdlib.h>

enum { CLASSES_MAX = 1 << 20, CLASSES_SHOWN = 8, PORTION = 16, ROUND = 32 };

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

// The smallest and the largest picture of a record.
typedef struct {
    Image least, most;
    bool is_broken;
} Sizes;

typedef struct {
    const Dataset *dataset;
    const uint32_t *order; // of the records of all splits
    uint32_t first, end;   // places in it
    Sizes *sizes;          // by place
} Looking;

static uint64_t area(const Image *picture) { return (uint64_t)picture->width * picture->height; }

static void widen(Sizes *sizes, const Image *least, const Image *most) {
    if (!area(&sizes->least) || area(least) < area(&sizes->least))
        sizes->least = *least;
    if (area(most) > area(&sizes->most))
        sizes->most = *most;
}

static bool look_at(void *context, uint32_t item, Arena *scratch, Diag *diag) {
    const Looking *looking = context;
    const Dataset *dataset = looking->dataset;
    uint32_t first = looking->first + item * PORTION, end = first + PORTION < looking->end ? first + PORTION : looking->end;
    for (uint32_t i = first; i < end; i++) {
        Sizes *sizes = &looking->sizes[i];
        uint32_t split = 0, record = looking->order[i];
        for (; record >= dataset->splits[split].count; split++)
            record -= dataset->splits[split].count;
        for (uint32_t f = 0; f < dataset->declared->field_count && !sizes->is_broken; f++) {
            Image picture;
            if (!dataset->is_picture[f])
                continue;
            Diag *why = diag_create(scratch);
            sizes->is_broken = !decode_one(dataset, split, record, f, &picture, why);
            const char *said = diag_text(why, scratch);
            said += text_starts_with(said, "error: ") ? strlen("error: ") : 0;
            if (sizes->is_broken)
                diag_warning(diag, NULL, "%.*s", (int)strcspn(said, "\n"), said);
            else
                widen(sizes, &picture, &picture);
        }
    }
    return true;
}

void survey_pictures(Text *text, const Dataset *dataset, double seconds, Diag *diag) {
    uint32_t field, records = 0, broken = 0;
    for (uint32_t s = 0; s < dataset->split_count; s++)
        records += dataset->splits[s].count;
    if (!find_picture(dataset, &field) || records == 0)
        return;
    Arena *scratch = arena_create();
    uint32_t *order = ARENA_NEW(scratch, uint32_t, records);
    random_permutation(0, random_name("survey"), 0, order, records);
    Looking looking = {.dataset = dataset, .order = order, .sizes = ARENA_NEW(scratch, Sizes, records)};
    Pool *pool = pool_create(scratch, pool_workers(POOL_COMPUTES) - 1);
    double began = clock_seconds();
    while (looking.end < records && (looking.end == 0 || clock_seconds() < began + seconds)) {
        uint32_t round = (pool_helpers(pool) + 1) * PORTION;
        looking.first = looking.end;
        looking.end += round < records - looking.end ? round : records - looking.end;
        PoolWork work = {.count = (looking.end - looking.first + PORTION - 1) / PORTION, .work = look_at, .context = &looking};
        pool_run(pool, &work, diag); // never fails
    }
    pool_destroy(&pool);
    Sizes all = {0};
    for (uint32_t i = 0; i < looking.end; i++) {
        broken += looking.sizes[i].is_broken;
        if (!looking.sizes[i].is_broken)
            widen(&all, &looking.sizes[i].least, &looking.sizes[i].most);
    }
    if (area(&all.most))
        text_format(text, "  pictures of %u x %u to %u x %u pixels (width x height)\n", all.least.width, all.least.height, all.most.width,
                    all.most.height);
    text_format(text, "  %s of %s records looked at: %s broken\n", text_thousands(scratch, looking.end), text_thousands(scratch, records),
                broken ? text_thousands(scratch, broken) : "none");
    arena_destroy(&scratch);
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
