// Draw: axes, curves and captions on a canvas.
#include "runtime/show/draw.h"
#include "runtime/show/canvas.h"
#include <math.h>
#include <stdlib.h>

enum { WIDTH = 1200, HEIGHT = 700, TICK_MAX = 16, FONT_TITLE = 24, FONT_TEXT = 16, FONT_TICK = 15, MARGIN = 28 };
static const double POINT_RADIUS = 2.5;
enum { STRIP_TILE = 72, STRIP_GAP = 4 };
// Of a sheet of panels, in pixels: above and below the axes; the place of the y label before the legend.
enum { TITLE_HEIGHT = 76, PANEL_HEAD = 54, PANEL_FOOT = 66, LEGEND_LINE = 24, LEGEND_LEFT = 180 };
enum { PANEL_HEIGHT = 430, HALF_HEIGHT = 360, SHEET_WIDTH = 1440 };

// Okabe and Ito, "Color universal design" (2008): told apart by the colour-blind, too.
static const Colour PALETTE[] = {{0.00, 0.45, 0.70}, {0.84, 0.37, 0.00}, {0.00, 0.62, 0.45}, {0.80, 0.47, 0.65},
                                 {0.90, 0.62, 0.00}, {0.34, 0.71, 0.91}, {0.35, 0.35, 0.35}};
enum { PALETTE_COUNT = sizeof PALETTE / sizeof *PALETTE };
static const Colour INK = {0.13, 0.14, 0.16}, SOFT = {0.42, 0.44, 0.47}, GRID = {0.90, 0.91, 0.92};

typedef struct {
    double low, high; // of the values; logarithms to base 10 where is_log
    bool is_log;
    double from, to; // pixels
    double ticks[TICK_MAX];
    char labels[TICK_MAX][24];
    uint32_t tick_count;
} Axis;

typedef struct {
    Arena *arena;
    Canvas *canvas;
    const DrawPlot *plot;
    double left; // of the panel
    Axis x, y;
    const double **smooth; // by series
} Plotter;

typedef struct {
    Colour colour;
    double alpha, width;
} Pen;

static Colour colour_of(const DrawPlot *plot, uint32_t series) {
    return PALETTE[(plot->series[series].colour ? plot->series[series].colour - 1 : series) % PALETTE_COUNT];
}

static double round_step(double span, double count) {
    double raw = span / count, power = pow(10, floor(log10(raw))), rest = raw / power;
    return power * (rest <= 1 ? 1 : rest <= 2 ? 2 : rest <= 5 ? 5 : 10);
}

static void add_tick(Axis *axis, double value, const char *format, int decimals) {
    if (axis->tick_count == TICK_MAX)
        return;
    axis->ticks[axis->tick_count] = value;
    char *label = axis->labels[axis->tick_count++];
    snprintf(label, sizeof *axis->labels, "%.*f", decimals, value);
    if (format)
        snprintf(label, sizeof *axis->labels, format, value);
}

enum { TICK_MIN = 3 };

static void make_ticks(Axis *axis, double count) {
    axis->tick_count = 0;
    if (axis->is_log) {
        static const double ALL[] = {1, 2, 5}, TENS[] = {1};
        bool is_short = axis->high - axis->low < 3;
        for (double power = floor(axis->low); power <= axis->high; power++)
            for (uint32_t i = 0; i < (is_short ? 3u : 1u); i++) {
                double value = (is_short ? ALL[i] : TENS[i]) * pow(10, power);
                if (log10(value) >= axis->low - 1e-9 && log10(value) <= axis->high + 1e-9)
                    add_tick(axis, value, "%g", 0);
            }
        return;
    }
    double step = round_step(axis->high - axis->low, count), first = ceil(axis->low / step - 1e-9);
    int decimals = step >= 1 ? 0 : (int)ceil(-log10(step) - 1e-9);
    bool is_huge = fmax(fabs(axis->low), fabs(axis->high)) >= 1e7 || decimals > 6;
    for (double i = first; i * step <= axis->high + step * 1e-9; i++)
        add_tick(axis, i == 0 ? 0 : i * step, is_huge ? "%.3g" : NULL, decimals);
    if (axis->tick_count < TICK_MIN && count < TICK_MAX / 2.0)
        make_ticks(axis, 2 * count);
}

static double place(const Axis *axis, double value) {
    double at = axis->is_log ? log10(value) : value;
    return axis->from + (at - axis->low) / (axis->high - axis->low) * (axis->to - axis->from);
}

static int compare_doubles(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

// A centred running mean over `window` points; what is not finite does not count.
static const double *running_mean(Arena *arena, const DrawSeries *series, uint32_t window) {
    double *mean = ARENA_NEW(arena, double, series->count), sum = 0;
    uint32_t half = window / 2, count = 0;
    for (uint32_t i = 0, next = 0, last = 0; i < series->count; i++) {
        for (; next < series->count && next <= (uint64_t)i + half; next++)
            if (isfinite(series->y[next])) {
                sum += series->y[next];
                count++;
            }
        for (; last + half < i; last++)
            if (isfinite(series->y[last])) {
                sum -= series->y[last];
                count--;
            }
        mean[i] = count ? sum / count : NAN;
    }
    return mean;
}

static void widen(Axis *axis, double value) {
    axis->low = fmin(axis->low, value);
    axis->high = fmax(axis->high, value);
}

// The range of y: all of the running mean, and the raw values but for their outermost percent, so that a spike does not flatten the rest.
static void find_y_range(Plotter *plotter) {
    const DrawPlot *plot = plotter->plot;
    Axis *axis = &plotter->y;
    bool is_positive = true;
    for (uint32_t s = 0; s < plot->series_count; s++) {
        const DrawSeries *series = &plot->series[s];
        double *sorted = ARENA_NEW(plotter->arena, double, series->count);
        uint32_t count = 0;
        for (uint32_t i = 0; i < series->count; i++) {
            if (isfinite(plotter->smooth[s][i]))
                widen(axis, plotter->smooth[s][i]);
            if (isfinite(series->y[i]))
                sorted[count++] = series->y[i];
        }
        if (!count)
            continue;
        qsort(sorted, count, sizeof *sorted, compare_doubles);
        uint32_t rest = plot->is_scatter ? 0 : count / 100;
        widen(axis, sorted[rest]);
        widen(axis, sorted[count - 1 - rest]);
        is_positive &= sorted[rest] > 0; // a few that rounding made 0 are left out
    }
    axis->is_log = is_positive && !plot->is_scatter && axis->high > 16 * axis->low && axis->low > 0;
}

static void pad_axis(Axis *axis, double share) {
    if (!(axis->low <= axis->high)) {
        axis->low = 0;
        axis->high = 1;
    }
    if (axis->is_log) {
        axis->low = log10(axis->low);
        axis->high = log10(axis->high);
    }
    double span = axis->high - axis->low;
    if (!(span > 1e-12 * fmax(fabs(axis->low), fabs(axis->high)) && span > 0))
        span = fmax(fabs(axis->high), 1) * (share > 0 ? 0.2 : 1), share = 1;
    bool touches_zero = !axis->is_log && axis->low >= 0 && axis->low < 0.35 * span;
    axis->high += share * span;
    axis->low = touches_zero && share > 0 ? 0 : axis->low - share * span;
}

static void scale_axes(Plotter *plotter, double left, double top, double right, double bottom) {
    const DrawPlot *plot = plotter->plot;
    plotter->x.low = plotter->y.low = INFINITY;
    plotter->x.high = plotter->y.high = -INFINITY;
    for (uint32_t s = 0; s < plot->series_count; s++)
        for (uint32_t i = 0; i < plot->series[s].count; i++)
            if (isfinite(plot->series[s].x[i]))
                widen(&plotter->x, plot->series[s].x[i]);
    find_y_range(plotter);
    pad_axis(&plotter->x, plot->is_scatter ? 0.05 : 0);
    pad_axis(&plotter->y, 0.05);
    if (plot->is_scatter) { // equal scales
        double scale = fmax((plotter->x.high - plotter->x.low) / (right - left), (plotter->y.high - plotter->y.low) / (bottom - top));
        double x = (plotter->x.low + plotter->x.high) / 2, y = (plotter->y.low + plotter->y.high) / 2;
        plotter->x.low = x - scale * (right - left) / 2;
        plotter->x.high = x + scale * (right - left) / 2;
        plotter->y.low = y - scale * (bottom - top) / 2;
        plotter->y.high = y + scale * (bottom - top) / 2;
    }
    plotter->x.from = left;
    plotter->x.to = right;
    plotter->y.from = bottom;
    plotter->y.to = top;
    make_ticks(&plotter->x, (right - left) / 110);
    make_ticks(&plotter->y, (bottom - top) / 60);
}

static void draw_line(Canvas *canvas, double x0, double y0, double x1, double y1, Colour colour, double width) {
    canvas_move(canvas, x0, y0);
    canvas_line(canvas, x1, y1);
    canvas_stroke(canvas, colour, 1, width);
}

static void draw_axes(Plotter *plotter) {
    Canvas *canvas = plotter->canvas;
    const Axis *x = &plotter->x, *y = &plotter->y;
    for (uint32_t i = 0; i < y->tick_count; i++) {
        double at = floor(place(y, y->ticks[i])) + 0.5;
        draw_line(canvas, x->from, at, x->to, at, GRID, 1);
        canvas_text(canvas, y->labels[i], FONT_TICK, false, &SOFT, x->from - 10, at - FONT_TICK * 0.65, ALIGN_RIGHT);
    }
    for (uint32_t i = 0; i < x->tick_count; i++) {
        double at = floor(place(x, x->ticks[i])) + 0.5;
        if (plotter->plot->is_scatter)
            draw_line(canvas, at, y->to, at, y->from, GRID, 1);
        draw_line(canvas, at, y->from, at, y->from + 6, SOFT, 1);
        canvas_text(canvas, x->labels[i], FONT_TICK, false, &SOFT, at, y->from + 9, ALIGN_CENTRE);
    }
    draw_line(canvas, x->from, floor(y->from) + 0.5, x->to, floor(y->from) + 0.5, SOFT, 1);
    const DrawPlot *plot = plotter->plot;
    if (plot->x_label)
        canvas_text(canvas, plot->x_label, FONT_TEXT, false, &INK, (x->from + x->to) / 2, y->from + 34, ALIGN_CENTRE);
    if (plot->y_label) {
        const char *label = y->is_log ? arena_format(plotter->arena, "%s (log scale)", plot->y_label) : plot->y_label;
        canvas_text(canvas, label, FONT_TICK, false, &SOFT, plotter->left + MARGIN, y->to - 28, ALIGN_LEFT);
    }
}

// A line through the points, at most two (the lowest and the highest) for each column of pixels.
static void draw_curve(const Plotter *plotter, const double *xs, const double *ys, uint32_t count, const Pen *pen) {
    bool is_open = false;
    for (uint32_t i = 0; i < count;) {
        double column = floor(place(&plotter->x, xs[i]));
        uint32_t low = i, high = i, next = i;
        bool is_gap = false;
        for (; next < count && floor(place(&plotter->x, xs[next])) == column; next++) {
            if (!isfinite(ys[next]) || (plotter->y.is_log && ys[next] <= 0)) {
                is_gap = true;
                continue;
            }
            low = !isfinite(ys[low]) || ys[next] < ys[low] ? next : low;
            high = !isfinite(ys[high]) || ys[next] > ys[high] ? next : high;
        }
        if (next == i)
            next++; // x is no number
        uint32_t first = low < high ? low : high, last = low < high ? high : low;
        bool is_drawn = isfinite(ys[first]) && isfinite(xs[first]) && !(plotter->y.is_log && ys[first] <= 0);
        if (is_drawn) {
            (is_open ? canvas_line : canvas_move)(plotter->canvas, place(&plotter->x, xs[first]), place(&plotter->y, ys[first]));
            if (last != first || !is_open)
                canvas_line(plotter->canvas, place(&plotter->x, xs[last]), place(&plotter->y, ys[last]));
        }
        is_open = is_drawn && !is_gap;
        i = next;
    }
    canvas_stroke(plotter->canvas, pen->colour, pen->alpha, pen->width);
}

static void draw_points(const Plotter *plotter, const DrawSeries *series, const Pen *pen) {
    double radius = series->radius > 0 ? series->radius : POINT_RADIUS;
    for (uint32_t i = 0; i < series->count; i++)
        if (isfinite(series->x[i]) && isfinite(series->y[i])) {
            canvas_ellipse(plotter->canvas, place(&plotter->x, series->x[i]), place(&plotter->y, series->y[i]), radius, radius, 0);
            canvas_fill(plotter->canvas, pen->colour, pen->alpha);
        }
}

static void draw_series(const Plotter *plotter) {
    Canvas *canvas = plotter->canvas;
    const DrawPlot *plot = plotter->plot;
    canvas_save(canvas);
    canvas_rectangle(canvas, plotter->x.from, plotter->y.to - 4, plotter->x.to - plotter->x.from + 3, plotter->y.from - plotter->y.to + 5);
    canvas_clip(canvas);
    canvas_round(canvas);
    for (int pass = 0; pass < 2; pass++) // all raw lines lie below all running means
        for (uint32_t s = 0; s < plot->series_count; s++) {
            const DrawSeries *series = &plot->series[s];
            bool is_smoothed = plotter->smooth[s] != series->y;
            if (pass == 0 && !is_smoothed) // nothing to draw below
                continue;
            Pen pen = {colour_of(plot, s), pass == 0 ? 0.22 : plot->is_scatter ? 0.5 : 1, pass == 0 ? 1 : 2.4};
            if (plot->is_scatter)
                draw_points(plotter, series, &pen);
            else
                draw_curve(plotter, series->x, pass == 0 ? series->y : plotter->smooth[s], series->count, &pen);
        }
    canvas_restore(canvas);
}

static const char *legend_label(const Plotter *plotter, uint32_t number) {
    const DrawSeries *series = &plotter->plot->series[number];
    double last = series->count ? plotter->smooth[number][series->count - 1] : NAN;
    return plotter->plot->is_scatter || !isfinite(last) ? series->name : arena_format(plotter->arena, "%s  %.4g", series->name, last);
}

// Names and last values, from right to left in the line of the y label; in lines above it where they do not fit there. Its lines; `is_drawn`
// false: only counts them.
static uint32_t draw_legend(const Plotter *plotter, double left, double edge, bool is_drawn) {
    const DrawPlot *plot = plotter->plot;
    double right = edge, top = plotter->y.to - 29;
    uint32_t lines = 1;
    for (uint32_t s = plot->series_count; s-- > 0;) {
        const char *label = legend_label(plotter, s);
        double width = canvas_text(plotter->canvas, label, FONT_TEXT, false, NULL, 0, 0, ALIGN_LEFT);
        if (right < edge && right - width < left + LEGEND_LEFT) { // one line higher
            right = edge;
            top -= LEGEND_LINE;
            lines++;
        }
        if (is_drawn) {
            canvas_text(plotter->canvas, label, FONT_TEXT, false, &INK, right, top, ALIGN_RIGHT);
            draw_line(plotter->canvas, right - width - 30, top + 11, right - width - 8, top + 11, colour_of(plot, s), 4);
        }
        right -= width + 54;
    }
    return lines;
}

typedef struct {
    uint32_t left, top, width, height; // pixels
} Box;

static void draw_panel(Arena *arena, Canvas *canvas, const DrawPlot *plot, const Box *box) {
    Plotter plotter = {.arena = arena, .canvas = canvas, .plot = plot, .left = box->left};
    plotter.smooth = ARENA_NEW(arena, const double *, plot->series_count + 1);
    for (uint32_t s = 0; s < plot->series_count; s++) {
        uint32_t count = plot->series[s].count, window = plot->smoothing ? plot->smoothing : count / 50;
        plotter.smooth[s] = plot->is_scatter || window < 3 ? plot->series[s].y : running_mean(arena, &plot->series[s], window);
    }
    double left = box->left + MARGIN + 62.0, right = (double)box->left + box->width - MARGIN;
    double head = PANEL_HEAD + LEGEND_LINE * (draw_legend(&plotter, left, right, false) - 1.0);
    scale_axes(&plotter, left, box->top + head, right, (double)box->top + box->height - PANEL_FOOT);
    draw_axes(&plotter);
    draw_series(&plotter);
    draw_legend(&plotter, left, right, true);
}

static bool draw_boxes(Arena *arena, const DrawPlot *plots, const Box *boxes, uint32_t count, uint32_t width, Image *out, Diag *diag) {
    const Box *last = &boxes[count - 1];
    Canvas *canvas = canvas_create(width, last->top + last->height, diag);
    if (!canvas)
        return false;
    if (plots[0].title)
        canvas_text(canvas, plots[0].title, FONT_TITLE, true, &INK, MARGIN, 20, ALIGN_LEFT);
    if (plots[0].title && plots[0].subtitle)
        canvas_text(canvas, plots[0].subtitle, FONT_TICK, false, &SOFT, MARGIN, 54, ALIGN_LEFT);
    for (uint32_t i = 0; i < count; i++)
        draw_panel(arena, canvas, &plots[i], &boxes[i]);
    bool is_drawn = canvas_pixels(canvas, arena, out, diag);
    canvas_destroy(&canvas);
    return is_drawn;
}

bool draw_sheet(Arena *arena, const DrawPlot *plots, uint32_t count, Image *out, Diag *diag) {
    if (count == 1)
        return draw_plot(arena, plots, out, diag);
    Box *boxes = ARENA_NEW(arena, Box, count);
    bool is_narrow = count > 3;
    uint32_t width = is_narrow ? SHEET_WIDTH : WIDTH, top = plots[0].title ? TITLE_HEIGHT : 0;
    for (uint32_t i = 0; i < count; i++) {
        bool is_half = is_narrow && (i > 0 || count % 2 == 0), is_right = is_half && (i + count) % 2 == 1;
        uint32_t height = is_half ? HALF_HEIGHT : PANEL_HEIGHT;
        boxes[i] = (Box){is_right ? width / 2 : 0, top, is_half ? width / 2 : width, height};
        top += is_half && !is_right ? 0 : height;
    }
    return draw_boxes(arena, plots, boxes, count, width, out, diag);
}

bool draw_plot(Arena *arena, const DrawPlot *plot, Image *out, Diag *diag) {
    uint32_t width = plot->width ? plot->width : WIDTH, height = plot->height ? plot->height : HEIGHT, top = plot->title ? TITLE_HEIGHT : 0;
    return draw_boxes(arena, plot, &(Box){0, top, width, height - top}, 1, width, out, diag);
}

bool draw_strip(Arena *arena, const DrawStrip *strip, Image *out, Diag *diag) {
    uint32_t side = strip->width > strip->height ? strip->width : strip->height;
    uint32_t zoom = side && side < STRIP_TILE ? (STRIP_TILE + side - 1) / side : 1;
    if (strip->columns > 32)
        zoom = 1;
    uint32_t step = strip->width * zoom + STRIP_GAP;
    Canvas *probe = canvas_create(1, 1, diag);
    if (!probe)
        return false;
    double row_width = 0;
    for (uint32_t i = 0; strip->row_captions && i < strip->rows; i++)
        row_width = fmax(row_width, canvas_text(probe, strip->row_captions[i], FONT_TICK, false, NULL, 0, 0, ALIGN_LEFT) + 12);
    double title_width = strip->title ? canvas_text(probe, strip->title, FONT_TEXT, true, NULL, 0, 0, ALIGN_LEFT) : 0;
    canvas_destroy(&probe);
    Image grid = image_grid(arena, strip->values, strip->rows * strip->columns, strip->channels, strip->height, strip->width,
                            &(ImageGrid){.columns = strip->columns, .zoom = zoom, .gap = STRIP_GAP, .background = 255});
    double left = 12 + row_width, top = strip->title ? 46 : 12;
    double width = fmax(left + grid.width, 12 + title_width) + 12, height = top + grid.height + (strip->column_captions ? 32 : 12);
    Canvas *canvas = canvas_create((uint32_t)ceil(width), (uint32_t)ceil(height), diag);
    if (!canvas)
        return false;
    canvas_image(canvas, &grid, left, top);
    if (strip->title)
        canvas_text(canvas, strip->title, FONT_TEXT, true, &INK, 12 + STRIP_GAP, 13, ALIGN_LEFT);
    for (uint32_t i = 0; strip->row_captions && i < strip->rows; i++)
        canvas_text(canvas, strip->row_captions[i], FONT_TICK, false, &INK, left - 8,
                    top + STRIP_GAP + (i + 0.5) * (strip->height * zoom + STRIP_GAP) - FONT_TICK * 0.65, ALIGN_RIGHT);
    for (uint32_t i = 0; strip->column_captions && i < strip->columns; i++) {
        double size = FONT_TICK, wide = canvas_text(canvas, strip->column_captions[i], size, false, NULL, 0, 0, ALIGN_LEFT);
        size = wide > step ? size * step / wide : size;
        if (size >= 8)
            canvas_text(canvas, strip->column_captions[i], size, false, &INK,
                        left + STRIP_GAP + i * (double)step + strip->width * zoom / 2.0, top + grid.height + 2, ALIGN_CENTRE);
    }
    bool is_drawn = canvas_pixels(canvas, arena, out, diag);
    canvas_destroy(&canvas);
    return is_drawn;
}
