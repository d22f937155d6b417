// Modes: how many modes of a mixture of Gaussians a network's samples cover, and how many samples are good (runtime/data/modes.h).
#include "runtime/base/file.h"
#include "runtime/eval/measure.h"
#include "runtime/run/run.h"
#include "runtime/session/play.h"
#include "runtime/show/draw.h"
#include <math.h>

enum { COUNT_DEFAULT = 2500, REAL_SHOWN = 1000 };
static const double SHOWN_REACH = 2; // samples further out than this, in reaches of the modes, are left out of the picture

typedef struct {
    Measuring *measuring;
    const Program *program;
    const ProgramEntry *entry;
    uint32_t phase, result, per_emit; // where points [per_emit, 2] are emitted
    const Dataset *dataset;
    uint32_t count, wanted;
    float *points; // [wanted, 2]
    ModesFound found;
} Modes;

static bool fail(const Modes *modes, const char *reason) {
    diag_error(modes->measuring->diag, NULL, "the program \"%s\" of %s %s", modes->entry->name, modes->program->name, reason);
    return false;
}

static bool is_points(const ProgramResult *result) {
    return result->format != RESULT_REPORT && result->format != RESULT_IMAGE && result->tensor.type == ELEMENT_F32 &&
           result->tensor.layout.rank == 2 && result->tensor.layout.dims[1] == 2;
}

static bool find_emit(Modes *modes) {
    uint32_t count = 0;
    for (uint32_t p = 0; p < modes->entry->phases.count; p++) {
        const ProgramPhase *phase = &modes->entry->phases.items[p];
        if (phase->feeds.count > 0)
            return fail(modes, "feeds records; only programs that draw their samples alone can be measured");
        for (uint32_t i = 0; i < phase->results.count; i++)
            if (is_points(&phase->results.items[i])) {
                count++;
                modes->phase = p;
                modes->result = i;
                modes->per_emit = phase->results.items[i].tensor.layout.dims[0];
            }
    }
    for (uint32_t i = 0; i < modes->entry->inputs.count; i++)
        if (!modes->entry->inputs.items[i].default_count)
            return fail(modes, "takes inputs without default; only programs that draw their samples alone can be measured");
    if (count == 0)
        return fail(modes, "emits no points: it needs one emit of rows [n, 2]");
    return count == 1 || fail(modes, "emits points more than once: it needs one emit of rows [n, 2]");
}

// --data, else what the run was trained on, else ring. NULL: reported.
static const char *data_spec(const Measuring *measuring) {
    const MeasureOptions *options = measuring->options;
    Run run;
    if (options->data_count > 0)
        return options->data[0];
    if (!run_exists(options->from))
        return "ring";
    if (!run_read(measuring->arena, options->from, &run, measuring->diag))
        return NULL;
    return run.data_count > 0 ? run.data[0] : "ring";
}

static bool open_data(Modes *modes) {
    Arena *arena = modes->measuring->arena;
    Diag *diag = modes->measuring->diag;
    const char *spec = data_spec(modes->measuring);
    const ProgramData *declared = spec ? dataset_natural_fields(arena, spec, diag) : NULL;
    modes->dataset = declared ? dataset_open(arena, spec, declared, diag) : NULL;
    if (modes->dataset && !modes->dataset->modes)
        diag_error(diag, NULL, "--data %s: it does not say where its modes are; ring and grid do", spec);
    return modes->dataset && modes->dataset->modes;
}

// ---- samples

static bool take(void *context, const SessionResult *result, Diag *diag) {
    (void)diag;
    Modes *modes = context;
    if (result->phase != &modes->entry->phases.items[modes->phase] || !result->values[modes->result])
        return true;
    uint32_t left = modes->wanted - modes->count, count = left < modes->per_emit ? left : modes->per_emit;
    memcpy(modes->points + 2ull * modes->count, result->values[modes->result], sizeof(float) * 2 * count);
    modes->count += count;
    return true;
}

static bool generate_all(Modes *modes) {
    const Measuring *measuring = modes->measuring;
    modes->points = ARENA_NEW(measuring->arena, float, 2ull * modes->wanted);
    Play play = {
        .session = measuring->session, .entry = modes->entry, .steps = modes->wanted, .take = take, .context = modes};
    for (uint32_t run = 0; modes->count < modes->wanted; run++) {
        uint32_t before = modes->count;
        if (!session_play_anew(&play, measuring->diag) || !session_play(&play, run, measuring->diag) ||
            !session_play_finish(&play, measuring->diag))
            return false;
        if (modes->count == before)
            return fail(modes, "emitted no points in a run");
    }
    return true;
}

// ---- what is said

static double good_share(const Modes *modes) { return modes->count ? (double)modes->found.good / modes->count : 0; }

static void print(const Measuring *measuring, Text *out) {
    const Modes *modes = measuring->own;
    const ModesFound *found = &modes->found;
    text_format(out, "modes hit: %u of %u\n", found->hit, modes->dataset->modes->count);
    text_format(out, "good samples: %u of %u (%.2f %%), within %d standard deviations (%g) of a mode\n", found->good, found->count,
           100 * good_share(modes), MODES_DEVIATIONS, MODES_DEVIATIONS * modes->dataset->modes->deviation);
    text_format(out, "good samples at a mode: least %u, median %g, most %u\n", found->least, found->median, found->most);
    if (found->not_finite)
        text_format(out, "not finite: %u samples\n", found->not_finite);
}

static void write(const Measuring *measuring, JsonWriter *json) {
    const Modes *modes = measuring->own;
    const ModesFound *found = &modes->found;
    json_write_text(json, "program", modes->entry->name);
    json_write_text(json, "data", modes->dataset->spec);
    json_write_uint(json, "samples", found->count);
    json_write_uint(json, "good", found->good);
    json_write_number(json, "good_share", good_share(modes));
    json_write_uint(json, "not_finite", found->not_finite);
    json_write_uint(json, "modes", modes->dataset->modes->count);
    json_write_uint(json, "hit", found->hit);
    json_write_uint(json, "least", found->least);
    json_write_number(json, "median", found->median);
    json_write_uint(json, "most", found->most);
    json_begin_array(json, "per_mode");
    for (uint32_t i = 0; i < modes->dataset->modes->count; i++)
        json_write_uint(json, NULL, found->per_mode[i]);
    json_end_array(json);
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

static bool fetch_real(const Modes *modes, float *points) {
    uint32_t field = 0; // the natural fields of a data set with modes begin with its points
    for (uint32_t i = 0; i < REAL_SHOWN; i++)
        if (!modes->dataset->fetch(modes->dataset, 0, i, field, 0, points + 2 * i, modes->measuring->diag))
            return false;
    return true;
}

static bool draw(const Measuring *measuring, const char *folder) {
    Arena *arena = measuring->arena;
    const Modes *modes = measuring->own;
    const DatasetModes *mixture = modes->dataset->modes;
    float *real = ARENA_NEW(arena, float, 2 * REAL_SHOWN);
    double reach;
    uint32_t outside, none;
    if (!fetch_real(modes, real))
        return false;
    DrawSeries series[3];
    series[0] = centres_of(arena, mixture, &reach);
    reach *= SHOWN_REACH;
    series[1] = series_of(arena, "real", real, REAL_SHOWN, reach, &none);
    series[2] = series_of(arena, "samples", modes->points, modes->count, reach, &outside);
    const char *subtitle = arena_format(arena, "%u of %u modes, %.1f %% of %s samples good", modes->found.hit, mixture->count,
                                        100 * good_share(modes), text_thousands(arena, modes->count));
    if (outside)
        subtitle = arena_format(arena, "%s, %u far outside", subtitle, outside);
    DrawPlot plot = {.title = modes->program->name,
                     .subtitle = subtitle,
                     .series = series,
                     .series_count = 3,
                     .is_scatter = true,
                     .width = 760,
                     .height = 840};
    Image image;
    ImageText text = {"digest", modes->program->digest};
    return draw_plot(arena, &plot, &image, modes->measuring->diag) &&
           image_write(file_join(arena, folder, "modes.png"), &image, &text, 1, modes->measuring->diag);
}

// ---- the measure

static const char *mistake(const MeasureOptions *options) {
    if (!options->from)
        return "--from RUN is missing: the weights";
    return options->data_count > 1 ? "--data is given twice: samples are compared with one data set" : NULL;
}

static bool prepare(Measuring *measuring) {
    Modes *modes = ARENA_NEW(measuring->arena, Modes, 1);
    measuring->own = modes;
    *modes = (Modes){.measuring = measuring,
                     .program = measuring->program,
                     .entry = measuring->entry,
                     .wanted = measuring->options->count ? measuring->options->count : COUNT_DEFAULT};
    return find_emit(modes) && open_data(modes);
}

static bool run(Measuring *measuring) {
    Modes *modes = measuring->own;
    if (!generate_all(modes))
        return false;
    modes->found = modes_find(measuring->arena, modes->dataset->modes, modes->points, modes->count);
    return true;
}

const Measure modes_measure = {
    .name = "modes", .mistake = mistake, .prepare = prepare, .run = run, .print = print, .write = write, .draw = draw};
