// Metrics: two append-only files; the curve's points are kept in memory, after a resume read back from the CSV.
#include "runtime/run/metrics.h"
#include "runtime/base/bug.h"
#include "runtime/show/draw.h"
#include "runtime/program/program.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>

enum { COLOURS = 7 }; // that draw.c has; of more curves, only those of a panel differ
// Curves whose usual sizes differ by more have panels of their own; by less where they have a sign, which no logarithmic axis shows.
static const double ALIKE = 30, ALIKE_SIGNED = 10, LOG_SPAN = 16;

typedef struct {
    uint32_t step, count;
    double sum;
} Point; // of one step, over its repetitions

// One report of one phase.
typedef struct {
    const ProgramPhase *phase;
    uint32_t result, column;
    const char *label; // "loss", or "critic.loss" where two phases report a loss
    const char *json_phase, *csv_phase; // its name as the files have it
    ARRAY(Point) points;
} Series;

struct Metrics {
    Arena *arena;
    const char *json_path, *csv_path;
    FILE *json, *csv;
    ARRAY(const char *) columns;
    ARRAY(Series) series;
    double seconds_before; // of the last row that was there
};

static uint32_t column_of(Metrics *metrics, const char *name) {
    for (uint32_t i = 0; i < metrics->columns.count; i++)
        if (strcmp(metrics->columns.items[i], name) == 0)
            return i;
    array_push(metrics->arena, &metrics->columns, name);
    return metrics->columns.count - 1;
}

// RFC 4180: "max(loss, 1)" is one cell.
static const char *csv_cell(Arena *arena, const char *content) {
    Text text = text_create(arena);
    if (!strpbrk(content, ",\"\n"))
        return content;
    text_append(&text, "\"");
    for (; *content; content++)
        text_format(&text, *content == '"' ? "\"%c" : "%c", *content);
    text_append(&text, "\"");
    return text.data;
}

static void find_series(Metrics *metrics, const ProgramEntry *entry) {
    for (uint32_t p = 0; p < entry->phases.count; p++)
        for (uint32_t r = 0; r < entry->phases.items[p].results.count && !entry->phases.items[p].is_conditions; r++) {
            const ProgramResult *result = &entry->phases.items[p].results.items[r];
            if (result->format != RESULT_REPORT)
                continue;
            Series series = {.phase = &entry->phases.items[p], .result = r, .column = column_of(metrics, result->name)};
            series.json_phase = json_quote(metrics->arena, program_phase_title(series.phase));
            series.csv_phase = csv_cell(metrics->arena, program_phase_title(series.phase));
            array_push(metrics->arena, &metrics->series, series);
        }
    for (uint32_t i = 0; i < metrics->series.count; i++) {
        Series *series = &metrics->series.items[i];
        bool is_alone = true;
        for (uint32_t k = 0; k < metrics->series.count; k++)
            is_alone &= k == i || metrics->series.items[k].column != series->column;
        const char *name = metrics->columns.items[series->column];
        series->label = is_alone ? name : arena_format(metrics->arena, "%s.%s", program_phase_title(series->phase), name);
    }
}

static void add_point(Metrics *metrics, Series *series, uint32_t step, double value) {
    Point *last = series->points.count ? &series->points.items[series->points.count - 1] : NULL;
    if (last && last->step == step) {
        last->sum += value;
        last->count++;
    } else
        array_push(metrics->arena, &series->points, ((Point){step, 1, value}));
}

static const char *header(const Metrics *metrics, Arena *arena, bool quotes) {
    Text text = text_create(arena);
    text_append(&text, "step,epoch,phase,repetition");
    for (uint32_t i = 0; i < metrics->columns.count; i++)
        text_format(&text, ",%s", quotes ? csv_cell(arena, metrics->columns.items[i]) : metrics->columns.items[i]);
    text_append(&text, "\n");
    return text.data;
}

// A row of the CSV back into points. `row` ends with a newline.
static void read_row(Metrics *metrics, const char *row) {
    unsigned step;
    int at = 0;
    if (sscanf(row, "%u,%*u,%n", &step, &at) != 1 || at == 0)
        return;
    const char *phase = row + at;
    size_t length = strcspn(phase, ",\n");
    for (uint32_t i = 0; i < metrics->series.count; i++)
        if (text_starts_with(phase, metrics->series.items[i].csv_phase) && phase[strlen(metrics->series.items[i].csv_phase)] == ',')
            length = strlen(metrics->series.items[i].csv_phase);
    const char *cell = strchr(phase + length + (phase[length] == ','), ',');
    for (uint32_t column = 0; cell && column < metrics->columns.count; column++) {
        char *end;
        double value = strtod(++cell, &end);
        for (uint32_t i = 0; end != cell && i < metrics->series.count; i++) {
            Series *series = &metrics->series.items[i];
            if (series->column == column && strlen(series->csv_phase) == length && strncmp(series->csv_phase, phase, length) == 0)
                add_point(metrics, series, step, value);
        }
        cell = strchr(cell, ',');
    }
}

// "seconds" stands last in a row of metrics.jsonl, which ends at `end`.
static void read_seconds(Metrics *metrics, const char *line, const char *end) {
    static const char KEY[] = "\"seconds\": ";
    const char *at = end;
    while (at > line && *at != ',')
        at--;
    at += *at == ',' && at[1] == ' ' ? 2 : 0;
    if ((size_t)(end - at) > strlen(KEY) && strncmp(at, KEY, strlen(KEY)) == 0)
        metrics->seconds_before = strtod(at + strlen(KEY), NULL);
}

// Rewrites a file without the lines of first_step and later. Lines are in order of steps, so it ends at the first that is dropped.
static bool cut(Metrics *metrics, const char *path, const char *head, const char *format, uint32_t first_step, bool is_csv, Diag *diag) {
    Arena *arena = arena_create();
    size_t size = 0, kept = 0;
    const char *bytes = first_step > 0 && file_exists(path) ? file_read(arena, path, &size, diag) : "";
    const char *plain = head ? header(metrics, arena, false) : ""; // as 0.1.0 wrote it
    const char *there = head && bytes && !text_starts_with(bytes, head) && text_starts_with(bytes, plain) ? plain : head;
    size_t head_size = there ? strlen(there) : 0;
    if (bytes && (!head || text_starts_with(bytes, there)))
        for (kept = head_size; kept < size;) {
            const char *line = bytes + kept, *end = memchr(line, '\n', size - kept);
            unsigned step;
            if (!end || sscanf(line, format, &step) != 1 || step >= first_step)
                break;
            if (is_csv)
                read_row(metrics, line);
            else
                read_seconds(metrics, line, end);
            kept += (size_t)(end + 1 - line);
        }
    Text text = text_create(arena);
    text_append(&text, head ? head : "");
    if (kept > head_size)
        text_append_bytes(&text, bytes + head_size, kept - head_size);
    bool ok = bytes && file_write(path, text.data ? text.data : "", text.length, diag);
    arena_destroy(&arena);
    return ok;
}

static FILE *append(const char *path, Diag *diag) {
    FILE *file = fopen(path, "a");
    if (!file)
        diag_error(diag, &(Place){.file = path}, "cannot open it: %s", strerror(errno));
    return file;
}

Metrics *metrics_open(Arena *arena, const char *folder, const ProgramEntry *entry, uint32_t first_step, Diag *diag) {
    Metrics *metrics = ARENA_NEW(arena, Metrics, 1);
    metrics->arena = arena;
    metrics->json_path = file_join(arena, folder, "metrics.jsonl");
    metrics->csv_path = file_join(arena, folder, "metrics.csv");
    find_series(metrics, entry);
    if (!cut(metrics, metrics->json_path, NULL, "{\"step\": %u", first_step, false, diag) ||
        !cut(metrics, metrics->csv_path, header(metrics, arena, true), "%u", first_step, true, diag))
        return NULL;
    metrics->json = append(metrics->json_path, diag);
    metrics->csv = append(metrics->csv_path, diag);
    if (!metrics->json || !metrics->csv)
        metrics_close(&metrics);
    return metrics;
}

void metrics_close(Metrics **metrics) {
    if (!*metrics)
        return;
    if ((*metrics)->json)
        fclose((*metrics)->json);
    if ((*metrics)->csv)
        fclose((*metrics)->csv);
    *metrics = NULL;
}

static bool check_file(FILE *file, const char *path, Diag *diag) {
    if (fflush(file) == 0 && !ferror(file))
        return true;
    diag_error(diag, &(Place){.file = path}, "cannot write: %s", strerror(errno));
    clearerr(file);
    return false;
}

bool metrics_flush(Metrics *metrics, Diag *diag) {
    bool json = check_file(metrics->json, metrics->json_path, diag), csv = check_file(metrics->csv, metrics->csv_path, diag);
    return json && csv;
}

static const ProgramResult *report_of(const SessionResult *result, uint32_t index) {
    const ProgramResult *report = &result->phase->results.items[index];
    return report->format != RESULT_REPORT || !result->values[index] ? NULL : report;
}

// Reports are scalars of any type.
static double scalar(const ProgramResult *report, const void *value) {
    double number = element_word_number(report->tensor.type, *(const uint32_t *)value);
    return isnan(number) ? (double)NAN : number; // x86 makes NaNs with a sign: a word more to read
}

double metrics_seconds(const Metrics *metrics) { return metrics->seconds_before; }

double metrics_value(const SessionResult *result, uint32_t index) {
    return scalar(&result->phase->results.items[index], result->values[index]);
}

bool metrics_add(Metrics *metrics, const SessionResult *result, double seconds, Diag *diag) {
    const Moment *moment = &result->moment;
    Series *reported = NULL;
    for (uint32_t i = 0; i < metrics->series.count; i++)
        if (metrics->series.items[i].phase == result->phase && report_of(result, metrics->series.items[i].result)) {
            reported = &metrics->series.items[i];
            add_point(metrics, reported, moment->step, metrics_value(result, reported->result));
        }
    if (!reported)
        return true;
    fprintf(metrics->json, "{\"step\": %u, \"epoch\": %u, \"phase\": %s, \"repetition\": %u", moment->step, moment->epoch,
            reported->json_phase, moment->repetition);
    fprintf(metrics->csv, "%u,%u,%s,%u", moment->step, moment->epoch, reported->csv_phase, moment->repetition);
    for (uint32_t column = 0; column < metrics->columns.count; column++) {
        fputc(',', metrics->csv);
        for (uint32_t i = 0; i < result->phase->results.count; i++) {
            const ProgramResult *report = report_of(result, i);
            if (!report || strcmp(report->name, metrics->columns.items[column]) != 0)
                continue;
            double value = metrics_value(result, i); // of one reported twice the first
            fprintf(metrics->csv, "%.9g", value); // 9 digits tell every f32 apart
            fprintf(metrics->json, isfinite(value) ? ", \"%s\": %.9g" : ", \"%s\": null", report->name, value);
            break;
        }
    }
    fprintf(metrics->csv, "\n");
    fprintf(metrics->json, ", \"seconds\": %.3f}\n", seconds);
    if (!ferror(metrics->json) && !ferror(metrics->csv))
        return true;
    return metrics_flush(metrics, diag);
}

uint32_t metrics_column_count(const Metrics *metrics) { return metrics->series.count; }
const char *metrics_column(const Metrics *metrics, uint32_t column) { return metrics->series.items[column].label; }

static uint32_t newest_step(const Metrics *metrics) {
    uint32_t newest = 0;
    for (uint32_t i = 0; i < metrics->series.count; i++) {
        const Series *series = &metrics->series.items[i];
        uint32_t step = series->points.count ? series->points.items[series->points.count - 1].step : 0;
        newest = step > newest ? step : newest;
    }
    return newest;
}

double metrics_recent(const Metrics *metrics, uint32_t column, uint32_t steps) {
    const Series *series = &metrics->series.items[column];
    uint32_t newest = newest_step(metrics), count = 0;
    double sum = 0;
    for (uint32_t i = series->points.count; i-- > 0 && (count == 0 || series->points.items[i].step + (uint64_t)steps > newest); count++)
        sum += series->points.items[i].sum / series->points.items[i].count;
    return count ? sum / count : NAN;
}

// The number that is trained down, not a part of it or a measure beside it.
static bool is_loss(const Series *series) {
    const char *dot = strrchr(series->label, '.'), *name = dot ? dot + 1 : series->label;
    return strcmp(name, "loss") == 0 || text_starts_with(name, "loss_");
}

// What tells whether two curves can share axes.
typedef struct {
    double size;     // the median of |y|
    bool is_loss;
    bool is_signed;  // has values that are not positive, and no few
    bool wants_log;  // positive, over more than a decade
    uint32_t series; // in Metrics
} Curve;

static int compare_doubles(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static Curve measure(Arena *arena, const DrawSeries *series) {
    Curve curve = {0};
    double *values = ARENA_NEW(arena, double, series->count + 1u), *sizes = ARENA_NEW(arena, double, series->count + 1u);
    uint32_t count = 0;
    for (uint32_t i = 0; i < series->count; i++)
        if (isfinite(series->y[i])) {
            values[count] = series->y[i];
            sizes[count++] = fabs(series->y[i]);
        }
    if (count == 0)
        return curve;
    qsort(values, count, sizeof *values, compare_doubles);
    qsort(sizes, count, sizeof *sizes, compare_doubles);
    uint32_t rest = count / 100; // that draw.c leaves out at both ends
    curve.size = sizes[count / 2];
    curve.is_signed = values[rest] <= 0;
    curve.wants_log = !curve.is_signed && values[count - 1 - rest] > LOG_SPAN * values[rest];
    return curve;
}

static int compare_curves(const void *a, const void *b) {
    const Curve *x = a, *y = b;
    if (x->is_loss != y->is_loss)
        return x->is_loss ? -1 : 1;
    if (x->size != y->size)
        return x->size > y->size ? -1 : 1;
    return x->series < y->series ? -1 : 1;
}

static DrawSeries *all_series(Arena *arena, const Metrics *metrics) {
    DrawSeries *series = ARENA_NEW(arena, DrawSeries, metrics->series.count + 1);
    for (uint32_t s = 0; s < metrics->series.count; s++) {
        const Series *from = &metrics->series.items[s];
        double *x = ARENA_NEW(arena, double, from->points.count), *y = ARENA_NEW(arena, double, from->points.count);
        for (uint32_t i = 0; i < from->points.count; i++) {
            x[i] = from->points.items[i].step;
            y[i] = from->points.items[i].sum / from->points.items[i].count;
        }
        series[s] = (DrawSeries){.name = from->label, .x = x, .y = y, .count = from->points.count};
        series[s].colour = metrics->series.count <= COLOURS ? s + 1 : 0;
    }
    return series;
}

static int compare_places(const void *a, const void *b) {
    const Curve *x = a, *y = b;
    return x->series < y->series ? -1 : 1;
}

// The curves of one panel, in the order in which they are reported.
static DrawPlot plot_of(Arena *arena, const DrawSeries *all, Curve *curves, uint32_t count) {
    DrawSeries *series = ARENA_NEW(arena, DrawSeries, count);
    qsort(curves, count, sizeof *curves, compare_places);
    for (uint32_t i = 0; i < count; i++)
        series[i] = all[curves[i].series];
    return (DrawPlot){.x_label = "step", .y_label = count == 1 ? series[0].name : "", .series = series, .series_count = count};
}

typedef struct {
    Arena *arena;
    const DrawSeries *series;
    DrawPlot *plots;
    uint32_t count;
} Panels;

// How many of the curves, sorted by size, belong to the first part where they do not share axes; 0: they do.
static uint32_t find_cut(const Curve *curves, uint32_t count) {
    bool is_signed = false, wants_log = false;
    uint32_t cut = 1;
    double widest = 0;
    for (uint32_t i = 0; i < count; i++) {
        is_signed = is_signed || curves[i].is_signed;
        wants_log = wants_log || curves[i].wants_log;
        if (i > 0 && curves[i].is_loss != curves[0].is_loss)
            return i;
    }
    for (uint32_t i = 1; i < count; i++) {
        double gap = curves[i].size > 0 ? curves[i - 1].size / curves[i].size : curves[i - 1].size > 0 ? INFINITY : 1;
        cut = gap > widest ? i : cut;
        widest = gap > widest ? gap : widest;
    }
    bool is_wide = count > 1 && curves[0].size > curves[count - 1].size * (is_signed ? ALIKE_SIGNED : ALIKE);
    return count > 1 && (is_wide || (is_signed && wants_log)) ? cut : 0;
}

static void add_panels(Panels *panels, Curve *curves, uint32_t count) {
    uint32_t cut = find_cut(curves, count);
    if (!cut) {
        panels->plots[panels->count++] = plot_of(panels->arena, panels->series, curves, count);
        return;
    }
    add_panels(panels, curves, cut);
    add_panels(panels, curves + cut, count - cut);
}

// Panels: losses before other reports, large ones before small ones.
static uint32_t make_plots(Arena *arena, const Metrics *metrics, DrawPlot *plots) {
    uint32_t all = metrics->series.count;
    Panels panels = {.arena = arena, .series = all_series(arena, metrics), .plots = plots};
    Curve *curves = ARENA_NEW(arena, Curve, all + 1u);
    for (uint32_t s = 0; s < all; s++) {
        curves[s] = measure(arena, &panels.series[s]);
        curves[s].is_loss = is_loss(&metrics->series.items[s]);
        curves[s].series = s;
    }
    qsort(curves, all, sizeof *curves, compare_curves);
    if (all > 0)
        add_panels(&panels, curves, all);
    return panels.count;
}

Metrics *metrics_copy(Arena *arena, const Metrics *metrics) {
    Metrics *copy = ARENA_NEW(arena, Metrics, 1);
    copy->arena = arena;
    for (uint32_t s = 0; s < metrics->series.count; s++) {
        Series series = metrics->series.items[s];
        series.label = arena_copy_text(arena, series.label);
        series.points.items = ARENA_NEW(arena, Point, series.points.count + 1u);
        if (series.points.count)
            memcpy(series.points.items, metrics->series.items[s].points.items, sizeof(Point) * series.points.count);
        array_push(arena, &copy->series, series);
    }
    return copy;
}

bool metrics_draw(const Metrics *metrics, const char *title, const char *subtitle, const char *path, Diag *diag) {
    Arena *arena = arena_create();
    DrawPlot *plots = ARENA_NEW(arena, DrawPlot, metrics->series.count + 1u);
    uint32_t count = make_plots(arena, metrics, plots);
    plots[0].title = title;
    plots[0].subtitle = subtitle;
    Image image;
    const ImageText text = {"title", title};
    bool ok = draw_sheet(arena, plots, count ? count : 1, &image, diag) && image_write(path, &image, &text, 1, diag);
    arena_destroy(&arena);
    return ok;
}
