// Eval modes: see eval_modes.h.
#include "compiler/driver/eval_modes.h"
#include "compiler/driver/common.h"
#include "runtime/base/json.h"
#include "runtime/show/draw.h"
#include "runtime/run/run.h"
#include "runtime/sample/sample.h"
#include <math.h>

enum { COUNT_DEFAULT = 2500, REAL_SHOWN = 1000 };
static const double SHOWN_REACH = 2; // samples further out than this, in reaches of the modes, are left out of the picture

typedef struct {
    Arguments *arguments;
    const Program *program;
    const ProgramEntry *entry;
    uint32_t phase, result, per_emit; // where points [per_emit, 2] are emitted
    const Dataset *dataset;
    uint32_t count, wanted;
    float *points; // [wanted, 2]
    ModesFound found;
} Measure;

static bool fail(const Measure *measure, const char *reason) {
    diag_error(measure->arguments->diag, NULL, "the program \"%s\" of %s %s", measure->entry->name, measure->program->name, reason);
    return false;
}

static bool is_points(const ProgramResult *result) {
    return result->format && strcmp(result->format, "image") != 0 && result->tensor.type == ELEMENT_F32 &&
           result->tensor.layout.rank == 2 && result->tensor.layout.dims[1] == 2;
}

static bool find_emit(Measure *measure) {
    uint32_t count = 0;
    for (uint32_t p = 0; p < measure->entry->phases.count; p++) {
        const ProgramPhase *phase = &measure->entry->phases.items[p];
        if (phase->feeds.count > 0)
            return fail(measure, "feeds records; only programs that draw their samples alone can be measured");
        for (uint32_t i = 0; i < phase->results.count; i++)
            if (is_points(&phase->results.items[i])) {
                count++;
                measure->phase = p;
                measure->result = i;
                measure->per_emit = phase->results.items[i].tensor.layout.dims[0];
            }
    }
    for (uint32_t i = 0; i < measure->entry->inputs.count; i++)
        if (!measure->entry->inputs.items[i].default_count)
            return fail(measure, "takes inputs without default; only programs that draw their samples alone can be measured");
    if (count == 0)
        return fail(measure, "emits no points: it needs one emit of rows [n, 2]");
    return count == 1 || fail(measure, "emits points more than once: it needs one emit of rows [n, 2]");
}

// --data, else what the run was trained on, else ring. NULL: reported.
static const char *data_spec(Measure *measure) {
    Arguments *arguments = measure->arguments;
    const char *from = arguments_text(arguments, "from");
    uint32_t count = 0;
    const char **specs = arguments_all(arguments, "data", &count);
    Run run;
    if (count > 0)
        return specs[0];
    if (!run_exists(from))
        return "ring";
    if (!run_read(arguments->arena, from, &run, arguments->diag))
        return NULL;
    return run.data_count > 0 ? run.data[0] : "ring";
}

static bool open_data(Measure *measure) {
    Arguments *arguments = measure->arguments;
    const char *spec = data_spec(measure);
    const ProgramData *declared = spec ? dataset_natural_fields(arguments->arena, spec, arguments->diag) : NULL;
    measure->dataset = declared ? dataset_open(arguments->arena, spec, declared, arguments->diag) : NULL;
    if (measure->dataset && !measure->dataset->modes)
        diag_error(arguments->diag, NULL, "--data %s: it does not say where its modes are; ring and grid do", spec);
    return measure->dataset && measure->dataset->modes;
}

// ---- samples

static bool take(Measure *measure, Session *session, uint32_t phase) {
    SessionResult result;
    bool got = false;
    if (!session_take(session, true, &result, &got, measure->arguments->diag))
        return false;
    if (phase != measure->phase || !result.values[measure->result])
        return true;
    uint32_t left = measure->wanted - measure->count, count = left < measure->per_emit ? left : measure->per_emit;
    memcpy(measure->points + 2ull * measure->count, result.values[measure->result], sizeof(float) * 2 * count);
    measure->count += count;
    return true;
}

static bool generate(Measure *measure, Session *session, uint32_t run) {
    Diag *diag = measure->arguments->diag;
    if (!session_reset_entry(session, measure->entry->name, diag))
        return false;
    for (uint32_t p = 0; p < measure->entry->phases.count; p++) {
        const ProgramPhase *phase = &measure->entry->phases.items[p];
        for (uint32_t r = 0; r < (phase->repeat ? phase->repeat : 1); r++) {
            Moment moment = {.step = run, .steps = measure->wanted, .epoch_steps = 1, .repetition = r};
            if (!session_submit(session, measure->entry, phase, &moment, NULL, 0, diag) || !take(measure, session, p))
                return false;
        }
    }
    return true;
}

static bool generate_all(Measure *measure, Session *session) {
    measure->points = ARENA_NEW(measure->arguments->arena, float, 2ull * measure->wanted);
    for (uint32_t run = 0; measure->count < measure->wanted; run++) {
        uint32_t before = measure->count;
        if (!generate(measure, session, run))
            return false;
        if (measure->count == before)
            return fail(measure, "emitted no points in a run");
    }
    return true;
}

static bool run_session(Measure *measure, Device *device) {
    Arguments *arguments = measure->arguments;
    SessionOptions options = {.seed = arguments_seed(arguments, "seed", 0), .only_entry = measure->entry->name};
    Session *session = session_create(arguments->arena, device, measure->program, &options, arguments->diag);
    SampleWeights weights;
    bool good = session && session_initialise(session, arguments->diag) &&
                sample_load(arguments->arena, session, measure->program, arguments_text(arguments, "from"), &weights, arguments->diag) &&
                generate_all(measure, session);
    session_destroy(&session);
    return good;
}

// ---- what is said

static double good_share(const Measure *measure) { return measure->count ? (double)measure->found.good / measure->count : 0; }

static void print_text(const Measure *measure) {
    const ModesFound *found = &measure->found;
    printf("modes hit: %u of %u\n", found->hit, measure->dataset->modes->count);
    printf("good samples: %u of %u (%.2f %%), within %d standard deviations (%g) of a mode\n", found->good, found->count,
           100 * good_share(measure), MODES_DEVIATIONS, MODES_DEVIATIONS * measure->dataset->modes->deviation);
    printf("good samples at a mode: least %u, median %g, most %u\n", found->least, found->median, found->most);
    if (found->not_finite)
        printf("not finite: %u samples\n", found->not_finite);
}

static const char *json_of(const Measure *measure) {
    const ModesFound *found = &measure->found;
    JsonWriter *json = json_writer_create(measure->arguments->arena);
    json_begin_object(json, NULL);
    json_write_text(json, "program", measure->entry->name);
    json_write_text(json, "data", measure->dataset->spec);
    json_write_uint(json, "samples", found->count);
    json_write_uint(json, "good", found->good);
    json_write_number(json, "good_share", good_share(measure));
    json_write_uint(json, "not_finite", found->not_finite);
    json_write_uint(json, "modes", measure->dataset->modes->count);
    json_write_uint(json, "hit", found->hit);
    json_write_uint(json, "least", found->least);
    json_write_number(json, "median", found->median);
    json_write_uint(json, "most", found->most);
    json_begin_array(json, "per_mode");
    for (uint32_t i = 0; i < measure->dataset->modes->count; i++)
        json_write_uint(json, NULL, found->per_mode[i]);
    json_end_array(json);
    json_end_object(json);
    return json_writer_text(json);
}

// Points of the plane within `reach` of the origin as a series; *outside counts the others.
static DrawSeries series_of(Arena *arena, const char *name, const float *points, uint32_t count, double reach, uint32_t *outside) {
    double *x = ARENA_NEW(arena, double, count), *y = ARENA_NEW(arena, double, count);
    DrawSeries series = {.name = name, .x = x, .y = y};
    for (uint32_t i = 0; i < count; i++) {
        x[series.count] = (double)points[2 * i];
        y[series.count] = (double)points[2 * i + 1];
        series.count += fabs(x[series.count]) <= reach && fabs(y[series.count]) <= reach;
    }
    *outside = count - series.count;
    return series;
}

static DrawSeries centres_of(Arena *arena, const DatasetModes *modes, double *reach) {
    double *x = ARENA_NEW(arena, double, modes->count), *y = ARENA_NEW(arena, double, modes->count);
    *reach = 0;
    for (uint32_t i = 0; i < modes->count; i++) {
        x[i] = modes->centres[i][0];
        y[i] = modes->centres[i][1];
        *reach = fmax(*reach, fmax(fabs(x[i]), fabs(y[i])));
    }
    return (DrawSeries){.name = "modes", .x = x, .y = y, .count = modes->count, .radius = 14};
}

static bool fetch_real(Measure *measure, float *points) {
    uint32_t field = 0; // the natural fields of a data set with modes begin with its points
    for (uint32_t i = 0; i < REAL_SHOWN; i++)
        if (!measure->dataset->fetch(measure->dataset, 0, i, field, 0, points + 2 * i, measure->arguments->diag))
            return false;
    return true;
}

static bool draw(Measure *measure, const char *folder) {
    Arena *arena = measure->arguments->arena;
    const DatasetModes *modes = measure->dataset->modes;
    float *real = ARENA_NEW(arena, float, 2 * REAL_SHOWN);
    double reach;
    uint32_t outside, none;
    if (!fetch_real(measure, real))
        return false;
    DrawSeries series[3];
    series[0] = centres_of(arena, modes, &reach);
    reach *= SHOWN_REACH;
    series[1] = series_of(arena, "real", real, REAL_SHOWN, reach, &none);
    series[2] = series_of(arena, "samples", measure->points, measure->count, reach, &outside);
    const char *subtitle = arena_format(arena, "%u of %u modes, %.1f %% of %s samples good", measure->found.hit, modes->count,
                                        100 * good_share(measure), text_thousands(arena, measure->count));
    if (outside)
        subtitle = arena_format(arena, "%s, %u far outside", subtitle, outside);
    DrawPlot plot = {.title = measure->program->name,
                     .subtitle = subtitle,
                     .series = series,
                     .series_count = 3,
                     .is_scatter = true,
                     .width = 760,
                     .height = 840};
    Image image;
    ImageText text = {"digest", measure->program->digest};
    return draw_plot(arena, &plot, &image, measure->arguments->diag) &&
           image_write(file_join(arena, folder, "modes.png"), &image, &text, 1, measure->arguments->diag);
}

static bool prepare(Measure *measure) {
    Arguments *arguments = measure->arguments;
    const char *folder = arguments_text(arguments, "out");
    measure->program = common_read_bundle(arguments, arguments->operands.items[1]);
    measure->entry = measure->program ? common_entry(arguments, measure->program, arguments_text(arguments, "program"), false) : NULL;
    return measure->entry && find_emit(measure) && open_data(measure) && (!folder || file_make_folders(folder, arguments->diag));
}

static bool write_files(Measure *measure, const char *folder, const char *json) {
    return file_write(file_join(measure->arguments->arena, folder, "modes.json"), json, strlen(json), measure->arguments->diag) &&
           draw(measure, folder);
}

int eval_modes(Arguments *arguments) {
    const char *folder = arguments_text(arguments, "out");
    uint32_t spec_count = 0;
    arguments_all(arguments, "data", &spec_count);
    if (!arguments_has(arguments, "from"))
        return arguments_wrong(arguments, "--from RUN is missing: the weights");
    if (spec_count > 1)
        return arguments_wrong(arguments, "--data is given twice: samples are compared with one data set");
    Measure *measure = ARENA_NEW(arguments->arena, Measure, 1);
    *measure = (Measure){.arguments = arguments, .wanted = arguments_count(arguments, "count", COUNT_DEFAULT)};
    Device *device = prepare(measure) ? common_device(arguments, measure->entry) : NULL;
    bool good = device && run_session(measure, device);
    common_check_validation(arguments, device);
    device_destroy(&device);
    if (!good)
        return 1;
    measure->found = modes_find(arguments->arena, measure->dataset->modes, measure->points, measure->count);
    const char *json = json_of(measure);
    if (folder && !write_files(measure, folder, json))
        return 1;
    if (arguments_has(arguments, "json"))
        fputs(json, stdout);
    else
        print_text(measure);
    return 0;
}
