// Dataset: the table of readers, specs, and what is said and shown about a data set.
#include "runtime/data/dataset.h"
#include "runtime/data/captions.h"
#include "runtime/data/frames.h"
#include "runtime/data/readers.h"
#include "runtime/show/draw.h"
#include "runtime/show/image.h"

static const DatasetReader READERS[] = {
#define DATASET(name, argument, needed, open, natural, summary) {name, argument, summary, needed, open, natural},
#include "runtime/data/datasets.def"
#undef DATASET
};
enum { READER_COUNT = sizeof READERS / sizeof *READERS };

typedef struct {
    const char *name; // before "=", or NULL
    const char *reader, *argument, *text;
} Spec;

const DatasetReader *dataset_readers(uint32_t *count) {
    *count = READER_COUNT;
    return READERS;
}

static Spec split_spec(Arena *arena, const char *text) {
    Spec spec = {.text = text, .argument = ""};
    const char *colon = strchr(text, ':'), *equals = strchr(text, '=');
    if (equals && (!colon || equals < colon)) { // "idx:a=b" has no name
        spec.name = arena_copy_bytes(arena, text, (size_t)(equals - text));
        spec.text = equals + 1;
    }
    colon = strchr(spec.text, ':');
    spec.reader = colon ? arena_copy_bytes(arena, spec.text, (size_t)(colon - spec.text)) : spec.text;
    if (colon)
        spec.argument = colon + 1;
    return spec;
}

static const DatasetReader *find_reader(Arena *arena, const Spec *spec, Diag *diag) {
    const char *names[READER_COUNT];
    for (uint32_t i = 0; i < READER_COUNT; i++) {
        names[i] = READERS[i].name;
        if (strcmp(spec->reader, READERS[i].name) != 0)
            continue;
        if (READERS[i].argument_required && !*spec->argument) {
            diag_error(diag, NULL, "--data %s: expected %s:%s", spec->text, READERS[i].name, READERS[i].argument);
            return NULL;
        }
        if (!READERS[i].argument && *spec->argument) {
            diag_error(diag, NULL, "--data %s: %s takes nothing after the colon", spec->text, READERS[i].name);
            return NULL;
        }
        return &READERS[i];
    }
    diag_error(diag, NULL, "--data %s: no reader \"%s\"%s", spec->text, spec->reader,
               file_is_folder(spec->text) ? arena_format(arena, "; a folder of pictures is images:%s", spec->text)
                                          : text_suggestion(arena, spec->reader, names, READER_COUNT));
    return NULL;
}

static Dataset *open_spec(Arena *arena, const Spec *spec, const ProgramData *declared, Diag *diag) {
    const DatasetReader *reader = find_reader(arena, spec, diag);
    if (!reader)
        return NULL;
    Dataset *dataset = ARENA_NEW(arena, Dataset, 1);
    dataset->name = declared->name;
    dataset->spec = arena_copy_text(arena, spec->text);
    dataset->declared = declared;
    if (!reader->open(arena, spec->argument, dataset, diag) || !frames_attach(arena, dataset, diag))
        return NULL;
    captions_serve(dataset);
    return dataset;
}

Dataset *dataset_open(Arena *arena, const char *spec, const ProgramData *declared, Diag *diag) {
    Spec parts = split_spec(arena, spec);
    return open_spec(arena, &parts, declared, diag);
}

bool dataset_find_split(const Dataset *dataset, const char *split, uint32_t *out) {
    for (uint32_t i = 0; i < dataset->split_count; i++)
        if (strcmp(dataset->splits[i].name, split) == 0) {
            *out = i;
            return true;
        }
    return false;
}

static const char *suggest_split(Arena *arena, const Dataset *dataset, const char *split) {
    const char *names[DATASET_SPLIT_MAX];
    for (uint32_t i = 0; i < dataset->split_count; i++)
        names[i] = dataset->splits[i].name;
    return text_suggestion(arena, split, names, dataset->split_count);
}

bool dataset_need_split(const Dataset *dataset, const char *split, uint32_t *out, Diag *diag) {
    if (dataset_find_split(dataset, split, out))
        return true;
    Arena *scratch = arena_create();
    diag_error(diag, NULL, "%s has no split \"%s\"%s", dataset->spec, split, suggest_split(scratch, dataset, split));
    arena_destroy(&scratch);
    return false;
}

uint64_t dataset_field_count(const ProgramData *declared, uint32_t field) {
    uint64_t count = 1;
    for (uint32_t i = 0; i < declared->fields[field].rank; i++)
        count *= declared->fields[field].dims[i];
    return count;
}

void dataset_report_broken(const Dataset *dataset, Diag *diag) {
    for (uint32_t i = 0; i < dataset->split_count && dataset->broken; i++) {
        uint32_t count = dataset->broken(dataset, i);
        if (count)
            diag_warning(diag, NULL, "%s: %u of the %u records of \"%s\" %s broken and left out", dataset->spec, count,
                         dataset->splits[i].count, dataset->splits[i].name, count == 1 ? "is" : "are");
    }
}

static bool find_data(const Program *program, const char *name, uint32_t *out) {
    for (uint32_t i = 0; i < program->data.count; i++)
        if (strcmp(program->data.items[i].name, name) == 0) {
            *out = i;
            return true;
        }
    return false;
}

// Which spec serves data set `data`: the last one that names it, else the one without a name.
static const Spec *choose_spec(const Program *program, const bool *wanted, uint32_t data, const Spec *specs, uint32_t spec_count) {
    const Spec *unnamed = NULL;
    for (uint32_t i = spec_count; i-- > 0;) {
        if (specs[i].name && strcmp(specs[i].name, program->data.items[data].name) == 0)
            return &specs[i];
        if (!specs[i].name && !unnamed)
            unnamed = &specs[i];
    }
    for (uint32_t other = 0; other < program->data.count && unnamed; other++) {
        bool is_named = other == data || !wanted[other];
        for (uint32_t i = 0; i < spec_count; i++)
            is_named |= specs[i].name && strcmp(specs[i].name, program->data.items[other].name) == 0;
        if (!is_named)
            return NULL; // two data sets would be served by it: the user has to say which
    }
    return unnamed;
}

static bool check_specs(Arena *arena, const Program *program, const Spec *specs, uint32_t spec_count, Diag *diag) {
    const char **names = ARENA_NEW(arena, const char *, program->data.count + 1);
    for (uint32_t i = 0; i < program->data.count; i++)
        names[i] = program->data.items[i].name;
    for (uint32_t i = 0, unnamed = 0; i < spec_count; i++) {
        uint32_t index;
        if (specs[i].name && !find_data(program, specs[i].name, &index)) {
            diag_error(diag, NULL, "--data %s=%s: the graph has no data set \"%s\"%s", specs[i].name, specs[i].text, specs[i].name,
                       text_suggestion(arena, specs[i].name, names, program->data.count));
            return false;
        }
        if (!specs[i].name && unnamed++) {
            diag_error(diag, NULL, "--data %s: a second data set needs a name: --data NAME=%s", specs[i].text, specs[i].text);
            return false;
        }
    }
    return true;
}

static void mark_wanted(const Program *program, const ProgramEntry *entry, bool *wanted) {
    for (uint32_t p = 0; p < entry->phases.count; p++)
        for (uint32_t f = 0; f < entry->phases.items[p].feeds.count; f++) {
            const char *data = entry->phases.items[p].feeds.items[f].data;
            uint32_t index;
            if (data && find_data(program, data, &index))
                wanted[index] = true;
        }
}

static bool check_splits(Arena *arena, const Program *program, const ProgramEntry *entry, Dataset *const *datasets, Diag *diag) {
    for (uint32_t p = 0; p < entry->phases.count; p++)
        for (uint32_t f = 0; f < entry->phases.items[p].feeds.count; f++) {
            const ProgramFeed *feed = &entry->phases.items[p].feeds.items[f];
            uint32_t index, split;
            if (!feed->data || !find_data(program, feed->data, &index) || dataset_find_split(datasets[index], feed->split, &split))
                continue;
            diag_error(diag, NULL, "%s/%s feeds \"%s\" from the split \"%s\" of %s, which does not have it%s", entry->name,
                       entry->phases.items[p].name, feed->name, feed->split, datasets[index]->spec,
                       suggest_split(arena, datasets[index], feed->split));
            return false;
        }
    return true;
}

Dataset **dataset_open_all(Arena *arena, const Program *program, const ProgramEntry *entry, const char *const *texts, uint32_t spec_count,
                           Diag *diag) {
    Spec *specs = ARENA_NEW(arena, Spec, spec_count + 1);
    for (uint32_t i = 0; i < spec_count; i++)
        specs[i] = split_spec(arena, texts[i]);
    bool *wanted = ARENA_NEW(arena, bool, program->data.count + 1);
    Dataset **datasets = ARENA_NEW(arena, Dataset *, program->data.count + 1);
    if (!check_specs(arena, program, specs, spec_count, diag))
        return NULL;
    mark_wanted(program, entry, wanted);
    bool ok = true;
    for (uint32_t i = 0; i < program->data.count; i++) {
        if (!wanted[i])
            continue;
        const char *name = program->data.items[i].name;
        const Spec *spec = choose_spec(program, wanted, i, specs, spec_count);
        if (spec)
            datasets[i] = open_spec(arena, spec, &program->data.items[i], diag);
        else
            diag_error(
                diag, NULL,
                "program \"%s\" reads the data set \"%s\": say where it is, as in --data %s=mnist (`gcc-graph data` lists the readers)",
                entry->name, name, name);
        ok &= datasets[i] != NULL;
    }
    return ok && check_splits(arena, program, entry, datasets, diag) ? datasets : NULL;
}

const ProgramData *dataset_natural_fields(Arena *arena, const char *text, Diag *diag) {
    Spec spec = split_spec(arena, text);
    const DatasetReader *reader = find_reader(arena, &spec, diag);
    if (!reader)
        return NULL;
    ProgramData *declared = ARENA_NEW(arena, ProgramData, 1);
    declared->name = spec.name ? spec.name : "data";
    declared->batch = 1;
    return reader->natural(arena, spec.argument, declared, diag) ? declared : NULL;
}

void dataset_add_field(Arena *arena, ProgramData *declared, const char *name, ElementType type, uint32_t rank, const uint32_t *dims) {
    uint32_t count = declared->field_count;
    void *fields = arena_alloc(arena, sizeof *declared->fields * (count + 1));
    if (count)
        memcpy(fields, declared->fields, sizeof *declared->fields * count);
    declared->fields = fields;
    declared->fields[count].name = name;
    declared->fields[count].type = type;
    declared->fields[count].rank = rank;
    for (uint32_t i = 0; i < rank; i++)
        declared->fields[count].dims[i] = dims[i];
    declared->field_count = count + 1;
}

const char *dataset_field_text(Arena *arena, const ProgramData *declared, uint32_t field) {
    Text text = text_create(arena);
    text_format(&text, "%s %s[", declared->fields[field].name, element_name(declared->fields[field].type));
    for (uint32_t i = 0; i < declared->fields[field].rank; i++)
        text_format(&text, i ? ",%u" : "%u", declared->fields[field].dims[i]);
    text_append(&text, "]");
    return text.data;
}

uint32_t dataset_batches(uint32_t records, uint32_t batch, bool pad) {
    return records / batch + (pad && records % batch ? 1 : 0);
}

const char *dataset_epoch_text(Arena *arena, uint32_t records, uint32_t batch, bool pad, uint32_t repeats) {
    uint32_t batches = dataset_batches(records, batch, pad), rest = records % batch, steps = batches / repeats;
    Text text = text_create(arena);
    text_format(&text, "%s record%s in batches of %s: ", text_thousands(arena, records), records == 1 ? "" : "s", text_thousands(arena, batch));
    if (batches == 0) {
        text_append(&text, "not one batch, unless the last is filled up (\"last\": \"pad\")");
        return text.data;
    }
    if (repeats > 1)
        text_format(&text, "%s batches, ", text_thousands(arena, batches));
    text_format(&text, "%s step%s an epoch", text_thousands(arena, steps ? steps : 1), steps > 1 ? "s" : "");
    if (rest && pad)
        text_format(&text, ", the last batch with %s record%s, filled up with copies of its last one", text_thousands(arena, rest),
                    rest > 1 ? "s" : "");
    else if (rest)
        text_format(&text, ", %s left out of each", text_thousands(arena, rest));
    return text.data;
}

void dataset_describe(Text *text, const Dataset *dataset, uint32_t batch) {
    text_format(text, "%s\n", dataset->spec);
    for (uint32_t i = 0; i < dataset->split_count; i++)
        text_format(text, "  %-6s %s\n", dataset->splits[i].name,
                    dataset_epoch_text(text->arena, dataset->splits[i].count, batch, false, 1));
    for (uint32_t i = 0; i < dataset->declared->field_count; i++) {
        text_format(text, "  %s", dataset_field_text(text->arena, dataset->declared, i));
        if (dataset->declared->fields[i].has_range)
            text_format(text, " in [%g, %g]", dataset->declared->fields[i].low, dataset->declared->fields[i].high);
        if (dataset->declared->fields[i].below)
            text_format(text, " below %u", dataset->declared->fields[i].below);
        text_append(text, "\n");
    }
    if (dataset->encoder)
        text_format(text, "  texts by the encoder %s, %s captions\n", dataset->encoder, dataset->caption ? "with" : "without");
}

// An image field: [1 or 3, h, w] or [h, w] of f32. Gives its picture size.
static bool is_image(const ProgramData *declared, uint32_t field, uint32_t size[3]) {
    uint32_t rank = declared->fields[field].rank;
    const uint32_t *dims = declared->fields[field].dims;
    if (declared->fields[field].type != ELEMENT_F32 || rank < 2 || rank > 3 || (rank == 3 && dims[0] != 1 && dims[0] != 3))
        return false;
    size[0] = rank == 3 ? dims[0] : 1;
    size[1] = dims[rank - 2];
    size[2] = dims[rank - 1];
    return true;
}

static float *fetch_many(Arena *arena, const Dataset *dataset, uint32_t split, uint32_t field, uint32_t count, Diag *diag) {
    uint64_t each = dataset_field_count(dataset->declared, field);
    float *values = ARENA_NEW(arena, float, each *count);
    for (uint32_t i = 0; i < count; i++)
        if (!dataset->fetch(dataset, split, i, field, 0, values + i * each, diag))
            return NULL;
    return values;
}

static bool preview_images(Arena *arena, const Dataset *dataset, uint32_t split, uint32_t field, const uint32_t size[3], uint32_t count,
                           const char *path, Diag *diag) {
    float *values = fetch_many(arena, dataset, split, field, count, diag);
    if (!values)
        return false;
    double low = dataset->declared->fields[field].low, high = dataset->declared->fields[field].high;
    if (!dataset->declared->fields[field].has_range)
        low = 0, high = 255;
    for (uint64_t i = 0; i < (uint64_t)count * size[0] * size[1] * size[2]; i++)
        values[i] = (float)((values[i] - low) / (high - low) * 2 - 1);
    Image grid = image_grid(arena, values, count, size[0], size[1], size[2], &(ImageGrid){.gap = 2, .background = 255});
    return image_write(path, &grid, &(ImageText){"data", dataset->spec}, 1, diag);
}

static bool preview_points(Arena *arena, const Dataset *dataset, uint32_t split, uint32_t field, uint32_t count, const char *path,
                           Diag *diag) {
    float *values = fetch_many(arena, dataset, split, field, count, diag);
    if (!values)
        return false;
    double *x = ARENA_NEW(arena, double, count), *y = ARENA_NEW(arena, double, count);
    for (uint32_t i = 0; i < count; i++) {
        x[i] = (double)values[2 * i];
        y[i] = (double)values[2 * i + 1];
    }
    const char *name = dataset->declared->fields[field].name;
    DrawSeries series = {.name = name, .x = x, .y = y, .count = count};
    DrawPlot plot = {.title = dataset->spec, .series = &series, .series_count = 1, .is_scatter = true, .width = 760, .height = 840};
    Image image;
    return draw_plot(arena, &plot, &image, diag) && image_write(path, &image, &(ImageText){"data", dataset->spec}, 1, diag);
}

bool dataset_preview(const Dataset *dataset, const char *split_name, uint32_t count, const char *path, Diag *diag) {
    uint32_t split, size[3];
    if (!dataset_need_split(dataset, split_name, &split, diag))
        return false;
    if (count > dataset->splits[split].count)
        count = dataset->splits[split].count;
    Arena *arena = arena_create();
    bool found = false, ok = false;
    for (uint32_t f = 0; f < dataset->declared->field_count && !found; f++) {
        found = true;
        if (is_image(dataset->declared, f, size))
            ok = preview_images(arena, dataset, split, f, size, count, path, diag);
        else if (dataset->declared->fields[f].type == ELEMENT_F32 && dataset_field_count(dataset->declared, f) == 2)
            ok = preview_points(arena, dataset, split, f, count, path, diag);
        else
            found = false;
    }
    if (!found)
        diag_error(diag, NULL, "%s has neither an image nor a field of two numbers to show", dataset->spec);
    arena_destroy(&arena);
    return ok;
}
