// Eval colour: see eval_colour.h.
#include "compiler/driver/eval_colour.h"
#include "compiler/driver/common.h"
#include "runtime/base/random.h"
#include "runtime/data/birds.h"
#include "runtime/sample/sample.h"
#include <math.h>

enum { COUNT_DEFAULT = 1024, SHOWN = 64, ANCHORS_MAX = 64, EMITS_MAX = 8, SIDE = 64 };
static const double ZONE_X = 0.18, ZONE_Y = 0.14, FRAME = 0.1; // half sides of the body zone, the border's width: shares of the image

// ---- naming colours

typedef struct {
    double l, a, b;
} Lab;

// CIE 1976 L*a*b* of sRGB with white D65.
static Lab lab_of(const uint8_t rgb[3]) {
    double part[3], f[3];
    for (uint32_t i = 0; i < 3; i++) {
        double v = rgb[i] / 255.0;
        part[i] = v <= 0.04045 ? v / 12.92 : pow((v + 0.055) / 1.055, 2.4);
    }
    f[0] = (0.4124564 * part[0] + 0.3575761 * part[1] + 0.1804375 * part[2]) / 0.95047;
    f[1] = 0.2126729 * part[0] + 0.7151522 * part[1] + 0.0721750 * part[2];
    f[2] = (0.0193339 * part[0] + 0.1191920 * part[1] + 0.9503041 * part[2]) / 1.08883;
    for (uint32_t i = 0; i < 3; i++)
        f[i] = f[i] > 216.0 / 24389 ? cbrt(f[i]) : (24389.0 / 27 * f[i] + 16) / 116;
    return (Lab){116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])};
}

// Colours first, then two for each background.
typedef struct {
    Lab anchors[ANCHORS_MAX];
    uint32_t colours, count;
} Namer;

static bool make_namer(const BirdAttributes *attributes, Namer *out, Diag *diag) {
    *out = (Namer){.colours = attributes->colour_count, .count = attributes->colour_count + 2 * attributes->background_count};
    if (out->count > ANCHORS_MAX) {
        diag_error(diag, NULL, "the data set has too many colours and backgrounds to tell apart");
        return false;
    }
    for (uint32_t i = 0; i < attributes->colour_count; i++)
        out->anchors[i] = lab_of(attributes->colours[i].rgb);
    for (uint32_t i = 0; i < attributes->background_count; i++) {
        out->anchors[out->colours + 2 * i] = lab_of(attributes->backgrounds[i].top.rgb);
        out->anchors[out->colours + 2 * i + 1] = lab_of(attributes->backgrounds[i].bottom.rgb);
    }
    return true;
}

static uint32_t nearest(const Namer *namer, uint32_t first, const Lab *colour) {
    uint32_t best = first;
    double least = INFINITY;
    for (uint32_t i = first; i < namer->count; i++) {
        double l = colour->l - namer->anchors[i].l, a = colour->a - namer->anchors[i].a, b = colour->b - namer->anchors[i].b;
        double distance = l * l + a * a + b * b;
        if (distance < least) {
            least = distance;
            best = i;
        }
    }
    return best;
}

static uint32_t most(const uint32_t *counts, uint32_t count) { // `count` where all are 0
    uint32_t best = count;
    for (uint32_t i = 0; i < count; i++)
        if (counts[i] > (best < count ? counts[best] : 0))
            best = i;
    return best;
}

typedef struct {
    uint32_t body, background; // body colour_count: none of the colours
} Painted;

// pixels: [3, height, width] from `low` to `high`.
static Painted name_image(const Namer *namer, const float *pixels, uint32_t height, uint32_t width, double low, double high) {
    uint32_t bodies[ANCHORS_MAX] = {0}, backgrounds[ANCHORS_MAX] = {0};
    uint32_t rows = height < SIDE ? height : SIDE, columns = width < SIDE ? width : SIDE;
    for (uint32_t row = 0; row < rows; row++)
        for (uint32_t column = 0; column < columns; column++) {
            double v = (row + 0.5) / rows, u = (column + 0.5) / columns;
            bool is_body = fabs(u - 0.5) < ZONE_X && fabs(v - 0.5) < ZONE_Y;
            bool is_border = u < FRAME || v < FRAME || u > 1 - FRAME || v > 1 - FRAME;
            if (!is_body && !is_border)
                continue;
            uint8_t rgb[3];
            for (uint32_t c = 0; c < 3; c++) {
                uint64_t at = ((uint64_t)c * height + (uint32_t)(v * height)) * width + (uint32_t)(u * width);
                rgb[c] = image_level((float)(((double)pixels[at] - low) / (high - low) * 2 - 1));
            }
            Lab colour = lab_of(rgb);
            if (is_body)
                bodies[nearest(namer, 0, &colour)]++;
            else
                backgrounds[(nearest(namer, namer->colours, &colour) - namer->colours) / 2]++;
        }
    return (Painted){most(bodies, namer->colours), most(backgrounds, (namer->count - namer->colours) / 2)};
}

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
    Arguments *arguments;
    const char *spec;
    const Program *program;
    const ProgramEntry *entry;
    const ProgramFeed *input; // the texts [batch, size]
    const ProgramData *declared;
    uint32_t image_field, text_field, split;
    const Dataset *dataset;
    BirdAttributes attributes;
    Namer namer;
    uint32_t count;
    Series series[EMITS_MAX], real;
    uint32_t series_count;
} Measure;

static const BirdRecord *record_of(const Measure *measure, uint32_t image) {
    return &measure->attributes.records[image % measure->attributes.record_count];
}

// The caption of an image: the records in order, then again with their next captions. NULL: it has none.
static const char *caption_of(const Measure *measure, uint32_t image) {
    uint32_t records = measure->attributes.record_count;
    return measure->dataset->caption
               ? measure->dataset->caption(measure->dataset, measure->arguments->arena, measure->split, image % records, image / records)
               : NULL;
}

static bool fail(const Measure *measure, const char *reason) {
    diag_error(measure->arguments->diag, NULL, "the program \"%s\" of %s %s", measure->entry->name, measure->program->name, reason);
    return false;
}

static bool find_input(Measure *measure) {
    measure->input = texts_input(measure->entry);
    if (!measure->input || measure->input->tensor.layout.rank != 2)
        return fail(measure, "takes no captions: it needs an input \"text\" [count, numbers of a caption]");
    return true;
}

static bool find_series(Measure *measure) {
    uint32_t batch = measure->input->tensor.layout.dims[0];
    for (uint32_t p = 0; p < measure->entry->phases.count; p++) {
        const ProgramPhase *phase = &measure->entry->phases.items[p];
        for (uint32_t i = 0; i < phase->feeds.count; i++)
            if (phase->feeds.items[i].data)
                return fail(measure, "feeds records; only programs whose images depend on \"text\" alone can be measured");
        for (uint32_t i = 0; i < phase->results.count && measure->series_count < EMITS_MAX; i++) {
            const ProgramResult *result = &phase->results.items[i];
            const Layout *layout = &result->tensor.layout;
            if (!result->format || strcmp(result->format, "image") != 0 || layout->rank != 4 || layout->dims[0] != batch ||
                layout->dims[1] != 3)
                continue;
            measure->series[measure->series_count++] =
                (Series){.name = result->name, .phase = p, .result = i, .height = layout->dims[2], .width = layout->dims[3]};
        }
    }
    return measure->series_count > 0 || fail(measure, "emits no images [count, 3, height, width], one for each text");
}

// The data set of the graph that has images and texts of the input's size.
static bool find_declared(Measure *measure) {
    for (uint32_t i = 0; i < measure->program->data.count; i++) {
        const ProgramData *data = &measure->program->data.items[i];
        uint32_t image = UINT32_MAX, text = UINT32_MAX;
        for (uint32_t f = 0; f < data->field_count; f++)
            if (data->fields[f].rank == 3 && data->fields[f].dims[0] == 3 && data->fields[f].type == ELEMENT_F32)
                image = f;
            else if (data->fields[f].rank == 1 && data->fields[f].dims[0] == measure->input->tensor.layout.dims[1])
                text = f;
        if (image == UINT32_MAX || text == UINT32_MAX)
            continue;
        measure->declared = data;
        measure->image_field = image;
        measure->text_field = text;
        return true;
    }
    diag_error(measure->arguments->diag, NULL, "%s has no data set with an image field [3, height, width] and a text field [%u]",
               measure->program->name, measure->input->tensor.layout.dims[1]);
    return false;
}

static bool open_data(Measure *measure) {
    Arena *arena = measure->arguments->arena;
    Diag *diag = measure->arguments->diag;
    const char *equals = strstr(measure->spec, "=cub:"), *folder = equals ? equals + 1 : measure->spec;
    if (!text_starts_with(folder, "cub:")) {
        diag_error(diag, NULL, "--data %s: only painted birds have known colours: --data cub:DIR, made by `gcc-graph data make birds`",
                   measure->spec);
        return false;
    }
    folder += strlen("cub:");
    measure->dataset = dataset_open(arena, measure->spec, measure->declared, diag);
    if (!measure->dataset || !bird_attributes_read(arena, folder, "test", &measure->attributes, diag))
        return false;
    bool good = dataset_find_split(measure->dataset, "test", &measure->split) && measure->attributes.record_count > 0 &&
                measure->dataset->splits[measure->split].count == measure->attributes.record_count;
    for (uint32_t i = 0; good && i < measure->attributes.record_count; i++) {
        const char *caption = caption_of(measure, i);
        good = !caption || strstr(caption, measure->attributes.colours[record_of(measure, i)->body].name);
    }
    if (!good)
        diag_error(diag, &(Place){.file = folder}, "attributes.json does not describe the records of the test split");
    return good && make_namer(&measure->attributes, &measure->namer, diag);
}

// ---- images

static void score_run(Measure *measure, uint32_t images) {
    for (uint32_t i = 0; i < measure->series_count; i++) {
        Series *series = &measure->series[i];
        uint64_t size = 3ull * series->height * series->width;
        for (uint32_t k = 0; series->is_there && k < images; k++)
            series->painted[series->count++] = name_image(&measure->namer, series->values + size * k, series->height, series->width, -1, 1);
        series->is_there = false;
    }
}

static bool take(Measure *measure, Session *session, uint32_t phase) {
    SessionResult result;
    bool got = false;
    if (!session_take(session, true, &result, &got, measure->arguments->diag))
        return false;
    for (uint32_t i = 0; i < measure->series_count; i++) {
        Series *series = &measure->series[i];
        if (series->phase != phase || !result.values[series->result])
            continue;
        uint64_t size = 3ull * series->height * series->width * measure->input->tensor.layout.dims[0];
        memcpy(series->values, result.values[series->result], sizeof(float) * size);
        series->is_there = true;
    }
    return true;
}

// One run of the program: draws as step `run`.
static bool generate(Measure *measure, Session *session, const HostTensor *texts, uint32_t run, uint32_t runs) {
    Diag *diag = measure->arguments->diag;
    if (!session_set(session, arena_format(measure->arguments->arena, "%s.%s", measure->entry->name, measure->input->name), texts, diag) ||
        !session_reset_entry(session, measure->entry->name, diag))
        return false;
    for (uint32_t p = 0; p < measure->entry->phases.count; p++) {
        const ProgramPhase *phase = &measure->entry->phases.items[p];
        const void **feeds = ARENA_NEW(measure->arguments->arena, const void *, phase->feeds.count + 1);
        for (uint32_t r = 0; r < (phase->repeat ? phase->repeat : 1); r++) {
            Moment moment = {.step = run, .steps = runs, .epoch_steps = 1, .repetition = r};
            if (!session_submit(session, measure->entry, phase, &moment, feeds, 0, diag) || !take(measure, session, p))
                return false;
        }
    }
    return true;
}

static bool write_pictures(Measure *measure, const char *folder) {
    Arena *arena = measure->arguments->arena;
    uint32_t batch = measure->input->tensor.layout.dims[0];
    for (uint32_t i = 0; i < measure->series_count; i++) {
        const Series *series = &measure->series[i];
        Image grid =
            image_grid(arena, series->values, batch < SHOWN ? batch : SHOWN, 3, series->height, series->width, &(ImageGrid){.gap = 2});
        if (series->is_there &&
            !image_write(file_join(arena, folder, arena_format(arena, "%s.png", series->name)), &grid, NULL, 0, measure->arguments->diag))
            return false;
    }
    Text text = text_create(arena);
    for (uint32_t i = 0; i < batch && i < SHOWN; i++) {
        const char *caption = caption_of(measure, i);
        text_format(&text, "%u %s\n", i, caption ? caption : "");
    }
    return file_write(file_join(arena, folder, "captions.txt"), text.data, text.length, measure->arguments->diag);
}

static bool *find_named_backgrounds(const Measure *measure) {
    bool *named = ARENA_NEW(measure->arguments->arena, bool, measure->count);
    for (uint32_t i = 0; i < measure->count; i++) {
        const char *caption = caption_of(measure, i);
        named[i] = caption && strstr(caption, measure->attributes.backgrounds[record_of(measure, i)->background].name);
    }
    return named;
}

static bool generate_all(Measure *measure, Session *session) {
    Arena *arena = measure->arguments->arena;
    const char *folder = arguments_text(measure->arguments, "out");
    uint32_t batch = measure->input->tensor.layout.dims[0], size = measure->input->tensor.layout.dims[1];
    uint32_t runs = (measure->count - 1) / batch + 1, records = measure->attributes.record_count;
    float *numbers = ARENA_NEW(arena, float, (uint64_t)batch *size);
    HostTensor texts = {.name = "text", .dtype = HOST_F32, .rank = 2, .dims = {batch, size}, .data = numbers, .size = 4ull * batch * size};
    bool *names_background = find_named_backgrounds(measure);
    for (uint32_t i = 0; i < measure->series_count; i++) {
        measure->series[i].painted = ARENA_NEW(arena, Painted, measure->count);
        measure->series[i].names_background = names_background;
        measure->series[i].values = ARENA_NEW(arena, float, 3ull * batch * measure->series[i].height * measure->series[i].width);
    }
    for (uint32_t run = 0; run < runs; run++) {
        for (uint32_t i = 0; i < batch; i++) {
            uint32_t image = run * batch + i;
            if (!measure->dataset->fetch(measure->dataset, measure->split, image % records, measure->text_field, image / records,
                                         numbers + (uint64_t)size * i, measure->arguments->diag))
                return false;
        }
        if (!generate(measure, session, &texts, run, runs) || (folder && run == 0 && !write_pictures(measure, folder)))
            return false;
        score_run(measure, measure->count - run * batch < batch ? measure->count - run * batch : batch);
        activity_progress(measure->arguments->activity, "making pictures: run", run + 1, runs);
    }
    return true;
}

static bool score_real(Measure *measure) {
    Arena *arena = measure->arguments->arena;
    const uint32_t *dims = measure->declared->fields[measure->image_field].dims;
    bool has_range = measure->declared->fields[measure->image_field].has_range;
    double low = has_range ? measure->declared->fields[measure->image_field].low : -1;
    double high = has_range ? measure->declared->fields[measure->image_field].high : 1;
    uint32_t records = measure->attributes.record_count, count = measure->count < records ? measure->count : records;
    float *pixels = ARENA_NEW(arena, float, 3ull * dims[1] * dims[2]);
    measure->real = (Series){.name = "real images", .painted = ARENA_NEW(arena, Painted, count), .height = dims[1], .width = dims[2]};
    for (uint32_t i = 0; i < count; i++) {
        if (!measure->dataset->fetch(measure->dataset, measure->split, i, measure->image_field, 0, pixels, measure->arguments->diag))
            return false;
        measure->real.painted[measure->real.count++] = name_image(&measure->namer, pixels, dims[1], dims[2], low, high);
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
static Rates rates_of(const Measure *measure, const Series *series) {
    Rates rates = {0};
    uint32_t *order = ARENA_NEW(measure->arguments->arena, uint32_t, series->count + 1);
    random_permutation(0, random_name("eval.colour"), 0, order, series->count);
    for (uint32_t i = 0; i < series->count; i++) {
        const Painted *painted = &series->painted[order[i]];
        const BirdRecord *own = record_of(measure, order[i]), *other = record_of(measure, order[(i + 1) % series->count]);
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

static uint32_t *table_of(const Measure *measure, const Series *series) { // [colours, colours + 1]: wanted, painted
    uint32_t colours = measure->attributes.colour_count;
    uint32_t *table = ARENA_NEW(measure->arguments->arena, uint32_t, colours * (colours + 1));
    for (uint32_t i = 0; i < series->count; i++)
        table[record_of(measure, i)->body * (colours + 1) + series->painted[i].body]++;
    return table;
}

static void print_rates(const Measure *measure, const Series *series) {
    Rates rates = rates_of(measure, series);
    printf("%-16s %6.3f %10.3f %8u %12.3f %10.3f %8u\n", series->name, rates.body, rates.body_shuffled, series->count, rates.background,
           rates.background_shuffled, rates.backgrounds);
}

static void print_table(const Measure *measure, const Series *series) {
    uint32_t colours = measure->attributes.colour_count, *table = table_of(measure, series);
    printf("\n%s: body as the caption names it (rows) and as painted (columns)\n%10s", series->name, "");
    for (uint32_t i = 0; i <= colours; i++)
        printf(" %7s", i < colours ? measure->attributes.colours[i].name : "none");
    for (uint32_t i = 0; i < colours * (colours + 1); i++) {
        if (i % (colours + 1) == 0)
            printf("\n%10s", measure->attributes.colours[i / (colours + 1)].name);
        printf(" %7u", table[i]);
    }
    putchar('\n');
}

static void print_text(const Measure *measure) {
    printf("%-16s %6s %10s %8s %12s %10s %8s\n", "", "body", "shuffled", "images", "background", "shuffled", "named");
    for (uint32_t i = 0; i < measure->series_count; i++)
        print_rates(measure, &measure->series[i]);
    print_rates(measure, &measure->real);
    printf("%-16s %6.3f %10s %8s %12.3f\n", "chance", 1.0 / measure->attributes.colour_count, "", "",
           1.0 / measure->attributes.background_count);
    for (uint32_t i = 0; i < measure->series_count; i++)
        print_table(measure, &measure->series[i]);
}

static void write_series(JsonWriter *json, const char *key, const Measure *measure, const Series *series) {
    Rates rates = rates_of(measure, series);
    uint32_t columns = measure->attributes.colour_count + 1, *table = table_of(measure, series);
    json_begin_object(json, key);
    json_write_uint(json, "count", series->count);
    json_write_number(json, "body", rates.body);
    json_write_number(json, "body_shuffled", rates.body_shuffled);
    json_write_number(json, "background", rates.background);
    json_write_number(json, "background_shuffled", rates.background_shuffled);
    json_write_uint(json, "backgrounds_named", rates.backgrounds);
    json_begin_object(json, "painted"); // by the body that the caption names: the palette's colours in order, and none
    for (uint32_t i = 0; i + 1 < columns; i++) {
        json_begin_array(json, measure->attributes.colours[i].name);
        for (uint32_t k = 0; k < columns; k++)
            json_write_uint(json, NULL, table[i * columns + k]);
        json_end_array(json);
    }
    json_end_object(json);
    json_end_object(json);
}

static const char *json_of(const Measure *measure) {
    JsonWriter *json = json_writer_create(measure->arguments->arena);
    json_begin_object(json, NULL);
    json_write_text(json, "program", measure->entry->name);
    json_write_text(json, "data", measure->spec);
    json_write_number(json, "chance_body", 1.0 / measure->attributes.colour_count);
    json_write_number(json, "chance_background", 1.0 / measure->attributes.background_count);
    json_begin_object(json, "samples");
    for (uint32_t i = 0; i < measure->series_count; i++)
        write_series(json, measure->series[i].name, measure, &measure->series[i]);
    json_end_object(json);
    write_series(json, "real", measure, &measure->real);
    json_end_object(json);
    return json_writer_text(json);
}

static bool run_session(Measure *measure, Device *device) {
    Arguments *arguments = measure->arguments;
    SessionOptions options = {.seed = arguments_seed(arguments, "seed", 0), .only_entry = measure->entry->name};
    Session *session = session_create(arguments->arena, device, measure->program, &options, arguments->diag);
    SampleWeights weights;
    const char *from = arguments_text(arguments, "from");
    bool good = session && session_initialise(session, arguments->diag) &&
                sample_load(arguments->arena, session, measure->program, from, &weights, arguments->diag) &&
                texts_check_encoder(measure->dataset->encoder, weights.encoder, from, arguments->diag) && generate_all(measure, session);
    session_destroy(&session);
    return good;
}

static bool prepare(Measure *measure) {
    const char *folder = arguments_text(measure->arguments, "out");
    measure->program = common_read_bundle(measure->arguments, measure->arguments->operands.items[1]);
    measure->entry =
        measure->program ? common_entry(measure->arguments, measure->program, arguments_text(measure->arguments, "program"), false) : NULL;
    return measure->entry && find_input(measure) && find_series(measure) && find_declared(measure) && open_data(measure) &&
           (!folder || file_make_folders(folder, measure->arguments->diag));
}

int eval_colour(Arguments *arguments) {
    uint32_t spec_count = 0;
    const char **specs = arguments_all(arguments, "data", &spec_count), *folder = arguments_text(arguments, "out");
    if (!arguments_has(arguments, "from"))
        return arguments_wrong(arguments, "--from RUN is missing: the weights");
    if (spec_count != 1)
        return arguments_wrong(arguments, "one --data cub:DIR is needed: painted birds, whose captions are used");
    Measure *measure = ARENA_NEW(arguments->arena, Measure, 1);
    *measure = (Measure){.arguments = arguments, .spec = specs[0], .count = arguments_count(arguments, "count", COUNT_DEFAULT)};
    Device *device = prepare(measure) ? common_device(arguments, measure->entry) : NULL;
    bool good = device && run_session(measure, device) && score_real(measure);
    common_check_validation(arguments, device);
    device_destroy(&device);
    const char *json = good ? json_of(measure) : "";
    if (good && folder)
        good = file_write(file_join(arguments->arena, folder, "colour.json"), json, strlen(json), arguments->diag);
    if (!good)
        return 1;
    if (arguments_has(arguments, "json"))
        fputs(json, stdout);
    else
        print_text(measure);
    return 0;
}
