// Colour: does a text-to-image network paint the colours that its captions name? Measured on painted birds (runtime/data/birds.h), whose
// colours are known, with captions of body and wing colours that never occurred together in training. Of backgrounds, only images whose
// captions name them are scored.
#include "runtime/base/file.h"
#include "runtime/base/random.h"
#include "runtime/eval/colour_names.h"
#include "runtime/eval/measure.h"
#include "runtime/session/play.h"

enum { COUNT_DEFAULT = 1024, SHOWN = 64, EMITS_MAX = 8 };

// ---- what is measured

typedef struct {
    const char *name;
    uint32_t result, phase, height, width; // where the program emits it
    float *values;                         // of the latest run
    bool is_there;
    Painted *painted;       // by image
    bool *names_background; // by image: does its caption? NULL: all count
    uint32_t count;
} Series;

typedef struct {
    Measuring *measuring;
    const char *spec;
    const Program *program;
    const ProgramEntry *entry;
    const ProgramFeed *input; // the texts [batch, size]
    const ProgramData *declared;
    uint32_t image_field, text_field, split;
    const Dataset *dataset;
    BirdAttributes attributes;
    ColourNames names;
    uint32_t count;
    Series series[EMITS_MAX], real;
    uint32_t series_count;
} Colour;

static const BirdRecord *record_of(const Colour *colour, uint32_t image) {
    return &colour->attributes.records[image % colour->attributes.record_count];
}

// The caption of an image: the records in order, then again with their next captions. NULL: it has none.
static const char *caption_of(const Colour *colour, uint32_t image) {
    uint32_t records = colour->attributes.record_count;
    return colour->dataset->caption
               ? colour->dataset->caption(colour->dataset, colour->measuring->arena, colour->split, image % records, image / records,
                                          colour->measuring->diag)
               : NULL;
}

static bool fail(const Colour *colour, const char *reason) {
    diag_error(colour->measuring->diag, NULL, "the program \"%s\" of %s %s", colour->entry->name, colour->program->name, reason);
    return false;
}

static bool find_input(Colour *colour) {
    colour->input = texts_input(colour->entry);
    if (!colour->input || colour->input->tensor.layout.rank != 2)
        return fail(colour, "takes no captions: it needs an input \"text\" [count, numbers of a caption]");
    return true;
}

static bool find_series(Colour *colour) {
    uint32_t batch = colour->input->tensor.layout.dims[0];
    for (uint32_t p = 0; p < colour->entry->phases.count; p++) {
        const ProgramPhase *phase = &colour->entry->phases.items[p];
        for (uint32_t i = 0; i < phase->feeds.count; i++)
            if (phase->feeds.items[i].data)
                return fail(colour, "feeds records; only programs whose images depend on \"text\" alone can be measured");
        for (uint32_t i = 0; i < phase->results.count && colour->series_count < EMITS_MAX; i++) {
            const ProgramResult *result = &phase->results.items[i];
            const Layout *layout = &result->tensor.layout;
            if (result->format != RESULT_IMAGE || layout->rank != 4 || layout->dims[0] != batch ||
                layout->dims[1] != 3)
                continue;
            colour->series[colour->series_count++] =
                (Series){.name = result->name, .phase = p, .result = i, .height = layout->dims[2], .width = layout->dims[3]};
        }
    }
    return colour->series_count > 0 || fail(colour, "emits no images [count, 3, height, width], one for each text");
}

// The data set of the graph that has images and texts of the input's size.
static bool find_declared(Colour *colour) {
    for (uint32_t i = 0; i < colour->program->data.count; i++) {
        const ProgramData *data = &colour->program->data.items[i];
        uint32_t image = UINT32_MAX, text = texts_field(data, colour->input);
        for (uint32_t f = 0; f < data->field_count; f++)
            if (data->fields[f].rank == 3 && data->fields[f].dims[0] == 3 && data->fields[f].type == ELEMENT_F32)
                image = f;
        if (image == UINT32_MAX || text == UINT32_MAX)
            continue;
        colour->declared = data;
        colour->image_field = image;
        colour->text_field = text;
        return true;
    }
    diag_error(colour->measuring->diag, NULL, "%s has no data set with an image field [3, height, width] and %s",
               colour->program->name, texts_kind(colour->measuring->arena, colour->input));
    return false;
}

static bool open_data(Colour *colour) {
    Arena *arena = colour->measuring->arena;
    Diag *diag = colour->measuring->diag;
    const char *equals = strstr(colour->spec, "=cub:"), *folder = equals ? equals + 1 : colour->spec;
    if (!text_starts_with(folder, "cub:")) {
        diag_error(diag, NULL, "--data %s: only painted birds have known colours: --data cub:DIR, made by `gcc-graph data make birds`",
                   colour->spec);
        return false;
    }
    folder += strlen("cub:");
    colour->dataset = dataset_open(arena, colour->spec, colour->declared, diag);
    if (!colour->dataset || !bird_attributes_read(arena, folder, "test", &colour->attributes, diag))
        return false;
    bool good = dataset_find_split(colour->dataset, "test", &colour->split) && colour->attributes.record_count > 0 &&
                colour->dataset->splits[colour->split].count == colour->attributes.record_count;
    for (uint32_t i = 0; good && i < colour->attributes.record_count; i++) {
        const char *caption = caption_of(colour, i);
        good = !caption || strstr(caption, colour->attributes.colours[record_of(colour, i)->body].name);
    }
    if (!good)
        diag_error(diag, &(Place){.file = folder}, "attributes.json does not describe the records of the test split");
    return good && colour_names_make(&colour->attributes, &colour->names, diag);
}

// ---- images

static void score_run(Colour *colour, uint32_t images) {
    for (uint32_t i = 0; i < colour->series_count; i++) {
        Series *series = &colour->series[i];
        uint64_t size = 3ull * series->height * series->width;
        for (uint32_t k = 0; series->is_there && k < images; k++)
            series->painted[series->count++] =
                colour_names_image(&colour->names, series->values + size * k, series->height, series->width, -1, 1);
        series->is_there = false;
    }
}

static bool take(void *context, const SessionResult *result, Diag *diag) {
    (void)diag;
    Colour *colour = context;
    for (uint32_t i = 0; i < colour->series_count; i++) {
        Series *series = &colour->series[i];
        if (result->phase != &colour->entry->phases.items[series->phase] || !result->values[series->result])
            continue;
        uint64_t size = 3ull * series->height * series->width * colour->input->tensor.layout.dims[0];
        memcpy(series->values, result->values[series->result], sizeof(float) * size);
        series->is_there = true;
    }
    return true;
}

// One run of the program: draws as step `run`.
static bool generate(Colour *colour, Play *play, const HostTensor *texts, uint32_t run) {
    Diag *diag = colour->measuring->diag;
    const char *name = arena_format(colour->measuring->arena, "%s.%s", colour->entry->name, colour->input->name);
    return session_play_anew(play, diag) && session_set(play->session, name, texts, diag) && session_play(play, run, diag) &&
           session_play_finish(play, diag);
}

static bool write_pictures(Colour *colour, const char *folder) {
    Arena *arena = colour->measuring->arena;
    uint32_t batch = colour->input->tensor.layout.dims[0];
    for (uint32_t i = 0; i < colour->series_count; i++) {
        const Series *series = &colour->series[i];
        Image grid =
            image_grid(arena, series->values, batch < SHOWN ? batch : SHOWN, 3, series->height, series->width, &(ImageGrid){.gap = 2});
        if (series->is_there &&
            !image_write(file_join(arena, folder, arena_format(arena, "%s.png", series->name)), &grid, NULL, 0, colour->measuring->diag))
            return false;
    }
    Text text = text_create(arena);
    for (uint32_t i = 0; i < batch && i < SHOWN; i++) {
        const char *caption = caption_of(colour, i);
        text_format(&text, "%u %s\n", i, caption ? caption : "");
    }
    return file_write(file_join(arena, folder, "captions.txt"), text.data, text.length, colour->measuring->diag);
}

static bool *find_named_backgrounds(const Colour *colour) {
    bool *named = ARENA_NEW(colour->measuring->arena, bool, colour->count);
    for (uint32_t i = 0; i < colour->count; i++) {
        const char *caption = caption_of(colour, i);
        named[i] = caption && strstr(caption, colour->attributes.backgrounds[record_of(colour, i)->background].name);
    }
    return named;
}

static bool generate_all(Colour *colour) {
    Arena *arena = colour->measuring->arena;
    const char *folder = colour->measuring->options->out;
    uint32_t batch = colour->input->tensor.layout.dims[0], size = colour->input->tensor.layout.dims[1];
    uint32_t runs = (colour->count - 1) / batch + 1, records = colour->attributes.record_count;
    size_t each = (size_t)size * ELEMENT_WORD;
    char *words = arena_alloc(arena, batch * each);
    HostTensor texts = {
        .name = "text", .dtype = colour->input->tensor.type, .rank = 2, .dims = {batch, size}, .data = words, .size = batch * each};
    bool *names_background = find_named_backgrounds(colour);
    for (uint32_t i = 0; i < colour->series_count; i++) {
        colour->series[i].painted = ARENA_NEW(arena, Painted, colour->count);
        colour->series[i].names_background = names_background;
        colour->series[i].values = ARENA_NEW(arena, float, 3ull * batch * colour->series[i].height * colour->series[i].width);
    }
    Play play = {.session = colour->measuring->session, .entry = colour->entry, .steps = runs, .take = take, .context = colour};
    for (uint32_t run = 0; run < runs; run++) {
        for (uint32_t i = 0; i < batch; i++) {
            uint32_t image = run * batch + i;
            if (!colour->dataset->fetch(colour->dataset, colour->split, image % records, colour->text_field, image / records,
                                         words + each * i, colour->measuring->diag))
                return false;
        }
        if (!generate(colour, &play, &texts, run) || (folder && run == 0 && !write_pictures(colour, folder)))
            return false;
        score_run(colour, colour->count - run * batch < batch ? colour->count - run * batch : batch);
        activity_progress(colour->measuring->activity, "making pictures: run", run + 1, runs);
    }
    return true;
}

static bool score_real(Colour *colour) {
    Arena *arena = colour->measuring->arena;
    const uint32_t *dims = colour->declared->fields[colour->image_field].dims;
    bool has_range = colour->declared->fields[colour->image_field].has_range;
    double low = has_range ? colour->declared->fields[colour->image_field].low : -1;
    double high = has_range ? colour->declared->fields[colour->image_field].high : 1;
    uint32_t records = colour->attributes.record_count, count = colour->count < records ? colour->count : records;
    float *pixels = ARENA_NEW(arena, float, 3ull * dims[1] * dims[2]);
    colour->real = (Series){.name = "real images", .painted = ARENA_NEW(arena, Painted, count), .height = dims[1], .width = dims[2]};
    for (uint32_t i = 0; i < count; i++) {
        if (!colour->dataset->fetch(colour->dataset, colour->split, i, colour->image_field, 0, pixels, colour->measuring->diag))
            return false;
        colour->real.painted[colour->real.count++] = colour_names_image(&colour->names, pixels, dims[1], dims[2], low, high);
    }
    return true;
}

// ---- what is said

typedef struct {
    double body, body_shuffled;             // shares of the images
    double background, background_shuffled; // shares of those whose captions name the background
    uint32_t backgrounds;                   // images of which that is so
} Rates;

// Shuffled: each image beside the record of another image.
static Rates rates_of(const Colour *colour, const Series *series) {
    Rates rates = {0};
    uint32_t *order = ARENA_NEW(colour->measuring->arena, uint32_t, series->count + 1);
    random_permutation(0, random_name("eval.colour"), 0, order, series->count);
    for (uint32_t i = 0; i < series->count; i++) {
        const Painted *painted = &series->painted[order[i]];
        const BirdRecord *own = record_of(colour, order[i]), *other = record_of(colour, order[(i + 1) % series->count]);
        rates.body += painted->body == own->body;
        rates.body_shuffled += painted->body == other->body;
        if (series->names_background && !series->names_background[order[i]])
            continue;
        rates.background += painted->background == own->background;
        rates.background_shuffled += painted->background == other->background;
        rates.backgrounds++;
    }
    double count = series->count ? series->count : 1, backgrounds = rates.backgrounds ? rates.backgrounds : 1;
    return (Rates){rates.body / count, rates.body_shuffled / count, rates.background / backgrounds, rates.background_shuffled / backgrounds,
                   rates.backgrounds};
}

static uint32_t *table_of(const Colour *colour, const Series *series) { // [colours, colours + 1]: wanted, painted
    uint32_t colours = colour->attributes.colour_count;
    uint32_t *table = ARENA_NEW(colour->measuring->arena, uint32_t, colours * (colours + 1));
    for (uint32_t i = 0; i < series->count; i++)
        table[record_of(colour, i)->body * (colours + 1) + series->painted[i].body]++;
    return table;
}

static void print_rates(Text *out, const Colour *colour, const Series *series) {
    Rates rates = rates_of(colour, series);
    text_format(out, "%-16s %6.3f %10.3f %8u %12.3f %10.3f %8u\n", series->name, rates.body, rates.body_shuffled, series->count,
                rates.background, rates.background_shuffled, rates.backgrounds);
}

static void print_table(Text *out, const Colour *colour, const Series *series) {
    uint32_t colours = colour->attributes.colour_count, *table = table_of(colour, series);
    text_format(out, "\n%s: body as the caption names it (rows) and as painted (columns)\n%10s", series->name, "");
    for (uint32_t i = 0; i <= colours; i++)
        text_format(out, " %7s", i < colours ? colour->attributes.colours[i].name : "none");
    for (uint32_t i = 0; i < colours * (colours + 1); i++) {
        if (i % (colours + 1) == 0)
            text_format(out, "\n%10s", colour->attributes.colours[i / (colours + 1)].name);
        text_format(out, " %7u", table[i]);
    }
    text_append(out, "\n");
}

static void print(const Measuring *measuring, Text *out) {
    const Colour *colour = measuring->own;
    text_format(out, "%-16s %6s %10s %8s %12s %10s %8s\n", "", "body", "shuffled", "images", "background", "shuffled", "named");
    for (uint32_t i = 0; i < colour->series_count; i++)
        print_rates(out, colour, &colour->series[i]);
    print_rates(out, colour, &colour->real);
    text_format(out, "%-16s %6.3f %10s %8s %12.3f\n", "chance", 1.0 / colour->attributes.colour_count, "", "",
           1.0 / colour->attributes.background_count);
    for (uint32_t i = 0; i < colour->series_count; i++)
        print_table(out, colour, &colour->series[i]);
}

static void write_series(JsonWriter *json, const char *key, const Colour *colour, const Series *series) {
    Rates rates = rates_of(colour, series);
    uint32_t columns = colour->attributes.colour_count + 1, *table = table_of(colour, series);
    json_begin_object(json, key);
    json_write_uint(json, "count", series->count);
    json_write_number(json, "body", rates.body);
    json_write_number(json, "body_shuffled", rates.body_shuffled);
    json_write_number(json, "background", rates.background);
    json_write_number(json, "background_shuffled", rates.background_shuffled);
    json_write_uint(json, "backgrounds_named", rates.backgrounds);
    json_begin_object(json, "painted"); // by the body that the caption names: the palette's colours in order, and none
    for (uint32_t i = 0; i + 1 < columns; i++) {
        json_begin_array(json, colour->attributes.colours[i].name);
        for (uint32_t k = 0; k < columns; k++)
            json_write_uint(json, NULL, table[i * columns + k]);
        json_end_array(json);
    }
    json_end_object(json);
    json_end_object(json);
}

static void write(const Measuring *measuring, JsonWriter *json) {
    const Colour *colour = measuring->own;
    json_write_text(json, "program", colour->entry->name);
    json_write_text(json, "data", colour->spec);
    json_write_number(json, "chance_body", 1.0 / colour->attributes.colour_count);
    json_write_number(json, "chance_background", 1.0 / colour->attributes.background_count);
    json_begin_object(json, "samples");
    for (uint32_t i = 0; i < colour->series_count; i++)
        write_series(json, colour->series[i].name, colour, &colour->series[i]);
    json_end_object(json);
    write_series(json, "real", colour, &colour->real);
}

// ---- the measure

static const char *mistake(const MeasureOptions *options) {
    if (!options->from)
        return "--from RUN is missing: the weights";
    return options->data_count == 1 ? NULL : "one --data cub:DIR is needed: painted birds, whose captions are used";
}

static bool prepare(Measuring *measuring) {
    const MeasureOptions *options = measuring->options;
    Colour *colour = ARENA_NEW(measuring->arena, Colour, 1);
    measuring->own = colour;
    *colour = (Colour){.measuring = measuring,
                       .spec = options->data[0],
                       .program = measuring->program,
                       .entry = measuring->entry,
                       .count = options->count ? options->count : COUNT_DEFAULT};
    return find_input(colour) && find_series(colour) && find_declared(colour) && open_data(colour);
}

static bool run(Measuring *measuring) {
    Colour *colour = measuring->own;
    return texts_check_encoder(colour->dataset->encoder, measuring->weights.encoder, measuring->options->from, measuring->diag) &&
           generate_all(colour) && score_real(colour);
}

const Measure colour_measure = {
    .name = "colour", .mistake = mistake, .prepare = prepare, .run = run, .print = print, .write = write};
