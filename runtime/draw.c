// Draw: cairo for lines, pango for words, image.c for the file.
#include "runtime/draw.h"
#include <math.h>
#include <pango/pangocairo.h>
#include <stdlib.h>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/lsan_interface.h>
// fontconfig keeps its tables until the process ends, where LeakSanitizer does not see them.
const char *__lsan_default_suppressions(void) { return "leak:libfontconfig\nleak:libpango"; }
#endif

enum { WIDTH = 1200, HEIGHT = 700, SIDE_MAX = 16384, TICK_MAX = 16, FONT_TITLE = 24, FONT_TEXT = 16, FONT_TICK = 15, MARGIN = 28 };
enum { STRIP_TILE = 72, STRIP_GAP = 4 };

typedef struct {
    double red, green, blue;
} Colour;

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
    cairo_t *cairo;
    const DrawPlot *plot;
    Axis x, y;
    const double **smooth; // by series
} Canvas;

static void set_colour(cairo_t *cairo, Colour colour, double alpha) {
    cairo_set_source_rgba(cairo, colour.red, colour.green, colour.blue, alpha);
}

typedef enum { ALIGN_LEFT, ALIGN_CENTRE, ALIGN_RIGHT } Align;

// Draws `text` with its top at y and its left edge, centre or right edge at x; gives its width. NULL cairo colour: only measures.
static double write_text(cairo_t *cairo, const char *text, double size, bool is_bold, const Colour *colour, double x, double y,
                         Align align) {
    PangoLayout *layout = pango_cairo_create_layout(cairo);
    PangoFontDescription *font = pango_font_description_from_string(is_bold ? "sans bold" : "sans");
    pango_font_description_set_absolute_size(font, size * PANGO_SCALE);
    pango_layout_set_font_description(layout, font);
    pango_layout_set_text(layout, text, -1);
    int width, height;
    pango_layout_get_pixel_size(layout, &width, &height);
    if (colour) {
        set_colour(cairo, *colour, 1);
        cairo_move_to(cairo, align == ALIGN_LEFT ? x : align == ALIGN_RIGHT ? x - width : x - width / 2.0, y);
        pango_cairo_show_layout(cairo, layout);
    }
    pango_font_description_free(font);
    g_object_unref(layout);
    return width;
}

static cairo_t *begin(uint32_t width, uint32_t height, Diag *diag) {
    if (width > SIDE_MAX || height > SIDE_MAX) {
        diag_error(diag, NULL, "a picture of %u x %u pixels is too large to draw (at most %d a side)", width, height, SIDE_MAX);
        return NULL;
    }
    cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)width, (int)height);
    cairo_t *cairo = cairo_create(surface);
    cairo_surface_destroy(surface);
    cairo_set_source_rgb(cairo, 1, 1, 1);
    cairo_paint(cairo);
    return cairo;
}

static bool finish(Arena *arena, cairo_t *cairo, Image *out, Diag *diag) {
    cairo_surface_t *surface = cairo_get_target(cairo);
    cairo_surface_flush(surface);
    cairo_status_t status = cairo_status(cairo);
    if (status == CAIRO_STATUS_SUCCESS) {
        *out = image_create(arena, (uint32_t)cairo_image_surface_get_width(surface), (uint32_t)cairo_image_surface_get_height(surface), 3);
        const unsigned char *data = cairo_image_surface_get_data(surface);
        size_t stride = (size_t)cairo_image_surface_get_stride(surface);
        for (uint32_t y = 0; y < out->height; y++)
            for (uint32_t x = 0; x < out->width; x++) {
                uint32_t pixel;
                memcpy(&pixel, data + y * stride + (size_t)x * 4, 4);
                uint8_t *place = out->pixels + ((size_t)y * out->width + x) * 3;
                place[0] = (uint8_t)(pixel >> 16);
                place[1] = (uint8_t)(pixel >> 8);
                place[2] = (uint8_t)pixel;
            }
    } else
        diag_error(diag, NULL, "cannot draw: %s", cairo_status_to_string(status));
    cairo_destroy(cairo);
    return status == CAIRO_STATUS_SUCCESS;
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

static void make_ticks(Axis *axis, double count) {
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
static void find_y_range(Canvas *canvas) {
    const DrawPlot *plot = canvas->plot;
    Axis *axis = &canvas->y;
    bool is_positive = true;
    for (uint32_t s = 0; s < plot->series_count; s++) {
        const DrawSeries *series = &plot->series[s];
        double *sorted = ARENA_NEW(canvas->arena, double, series->count);
        uint32_t count = 0;
        for (uint32_t i = 0; i < series->count; i++) {
            if (isfinite(canvas->smooth[s][i]))
                widen(axis, canvas->smooth[s][i]);
            if (isfinite(series->y[i]))
                sorted[count++] = series->y[i];
        }
        if (!count)
            continue;
        qsort(sorted, count, sizeof *sorted, compare_doubles);
        uint32_t rest = plot->is_scatter ? 0 : count / 100;
        widen(axis, sorted[rest]);
        widen(axis, sorted[count - 1 - rest]);
        is_positive &= sorted[0] > 0;
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

static void scale_axes(Canvas *canvas, double left, double top, double right, double bottom) {
    const DrawPlot *plot = canvas->plot;
    canvas->x.low = canvas->y.low = INFINITY;
    canvas->x.high = canvas->y.high = -INFINITY;
    for (uint32_t s = 0; s < plot->series_count; s++)
        for (uint32_t i = 0; i < plot->series[s].count; i++)
            if (isfinite(plot->series[s].x[i]))
                widen(&canvas->x, plot->series[s].x[i]);
    find_y_range(canvas);
    pad_axis(&canvas->x, plot->is_scatter ? 0.05 : 0);
    pad_axis(&canvas->y, 0.05);
    if (plot->is_scatter) { // equal scales
        double scale = fmax((canvas->x.high - canvas->x.low) / (right - left), (canvas->y.high - canvas->y.low) / (bottom - top));
        double x = (canvas->x.low + canvas->x.high) / 2, y = (canvas->y.low + canvas->y.high) / 2;
        canvas->x.low = x - scale * (right - left) / 2;
        canvas->x.high = x + scale * (right - left) / 2;
        canvas->y.low = y - scale * (bottom - top) / 2;
        canvas->y.high = y + scale * (bottom - top) / 2;
    }
    canvas->x.from = left;
    canvas->x.to = right;
    canvas->y.from = bottom;
    canvas->y.to = top;
    make_ticks(&canvas->x, (right - left) / 110);
    make_ticks(&canvas->y, (bottom - top) / 60);
}

static void draw_line(cairo_t *cairo, double x0, double y0, double x1, double y1) {
    cairo_move_to(cairo, x0, y0);
    cairo_line_to(cairo, x1, y1);
    cairo_stroke(cairo);
}

static void draw_axes(Canvas *canvas) {
    cairo_t *cairo = canvas->cairo;
    const Axis *x = &canvas->x, *y = &canvas->y;
    cairo_set_line_width(cairo, 1);
    for (uint32_t i = 0; i < y->tick_count; i++) {
        double at = floor(place(y, y->ticks[i])) + 0.5;
        set_colour(cairo, GRID, 1);
        draw_line(cairo, x->from, at, x->to, at);
        write_text(cairo, y->labels[i], FONT_TICK, false, &SOFT, x->from - 10, at - FONT_TICK * 0.65, ALIGN_RIGHT);
    }
    for (uint32_t i = 0; i < x->tick_count; i++) {
        double at = floor(place(x, x->ticks[i])) + 0.5;
        set_colour(cairo, GRID, 1);
        if (canvas->plot->is_scatter)
            draw_line(cairo, at, y->to, at, y->from);
        set_colour(cairo, SOFT, 1);
        draw_line(cairo, at, y->from, at, y->from + 6);
        write_text(cairo, x->labels[i], FONT_TICK, false, &SOFT, at, y->from + 9, ALIGN_CENTRE);
    }
    set_colour(cairo, SOFT, 1);
    draw_line(cairo, x->from, floor(y->from) + 0.5, x->to, floor(y->from) + 0.5);
    const DrawPlot *plot = canvas->plot;
    if (plot->x_label)
        write_text(cairo, plot->x_label, FONT_TEXT, false, &INK, (x->from + x->to) / 2, y->from + 34, ALIGN_CENTRE);
    if (plot->y_label) {
        const char *label = y->is_log ? arena_format(canvas->arena, "%s (log scale)", plot->y_label) : plot->y_label;
        write_text(cairo, label, FONT_TICK, false, &SOFT, MARGIN, y->to - 28, ALIGN_LEFT);
    }
    if (plot->title)
        write_text(cairo, plot->title, FONT_TITLE, true, &INK, MARGIN, 20, ALIGN_LEFT);
    if (plot->subtitle)
        write_text(cairo, plot->subtitle, FONT_TICK, false, &SOFT, MARGIN, 54, ALIGN_LEFT);
}

// A line through the points, at most two (the lowest and the highest) for each column of pixels.
static void draw_curve(const Canvas *canvas, const double *xs, const double *ys, uint32_t count) {
    bool is_open = false;
    for (uint32_t i = 0; i < count;) {
        double column = floor(place(&canvas->x, xs[i]));
        uint32_t low = i, high = i, next = i;
        bool is_gap = false;
        for (; next < count && floor(place(&canvas->x, xs[next])) == column; next++) {
            if (!isfinite(ys[next]) || (canvas->y.is_log && ys[next] <= 0)) {
                is_gap = true;
                continue;
            }
            low = !isfinite(ys[low]) || ys[next] < ys[low] ? next : low;
            high = !isfinite(ys[high]) || ys[next] > ys[high] ? next : high;
        }
        if (next == i)
            next++; // x is no number
        uint32_t first = low < high ? low : high, last = low < high ? high : low;
        bool is_drawn = isfinite(ys[first]) && isfinite(xs[first]) && !(canvas->y.is_log && ys[first] <= 0);
        if (is_drawn) {
            (is_open ? cairo_line_to : cairo_move_to)(canvas->cairo, place(&canvas->x, xs[first]), place(&canvas->y, ys[first]));
            if (last != first || !is_open)
                cairo_line_to(canvas->cairo, place(&canvas->x, xs[last]), place(&canvas->y, ys[last]));
        }
        is_open = is_drawn && !is_gap;
        i = next;
    }
    cairo_stroke(canvas->cairo);
}

static void draw_points(const Canvas *canvas, const DrawSeries *series) {
    for (uint32_t i = 0; i < series->count; i++)
        if (isfinite(series->x[i]) && isfinite(series->y[i])) {
            cairo_arc(canvas->cairo, place(&canvas->x, series->x[i]), place(&canvas->y, series->y[i]), 2.5, 0, 2 * M_PI);
            cairo_fill(canvas->cairo);
        }
}

static void draw_series(const Canvas *canvas) {
    cairo_t *cairo = canvas->cairo;
    const DrawPlot *plot = canvas->plot;
    cairo_save(cairo);
    cairo_rectangle(cairo, canvas->x.from, canvas->y.to - 4, canvas->x.to - canvas->x.from + 3, canvas->y.from - canvas->y.to + 5);
    cairo_clip(cairo);
    cairo_set_line_join(cairo, CAIRO_LINE_JOIN_ROUND);
    for (int pass = 0; pass < 2; pass++) // all raw lines lie below all running means
        for (uint32_t s = 0; s < plot->series_count; s++) {
            const DrawSeries *series = &plot->series[s];
            bool is_smoothed = canvas->smooth[s] != series->y;
            if (pass == 0 && !is_smoothed) // nothing to draw below
                continue;
            set_colour(cairo, PALETTE[s % PALETTE_COUNT], pass == 0 ? 0.22 : plot->is_scatter ? 0.5 : 1);
            cairo_set_line_width(cairo, pass == 0 ? 1 : 2.4);
            if (plot->is_scatter)
                draw_points(canvas, series);
            else
                draw_curve(canvas, series->x, pass == 0 ? series->y : canvas->smooth[s], series->count);
        }
    cairo_restore(cairo);
}

// Names and last values, from right to left in the line of the y label; in lines above it where they do not fit there.
static void draw_legend(const Canvas *canvas) {
    const DrawPlot *plot = canvas->plot;
    double right = canvas->x.to, top = canvas->y.to - 29;
    for (uint32_t s = plot->series_count; s-- > 0;) {
        const DrawSeries *series = &plot->series[s];
        double last = series->count ? canvas->smooth[s][series->count - 1] : NAN;
        const char *label =
            plot->is_scatter || !isfinite(last) ? series->name : arena_format(canvas->arena, "%s  %.4g", series->name, last);
        double width = write_text(canvas->cairo, label, FONT_TEXT, false, NULL, 0, 0, ALIGN_LEFT);
        if (right - width < canvas->x.from + 180) { // one line higher
            right = canvas->x.to;
            top -= 24;
        }
        write_text(canvas->cairo, label, FONT_TEXT, false, &INK, right, top, ALIGN_RIGHT);
        set_colour(canvas->cairo, PALETTE[s % PALETTE_COUNT], 1);
        cairo_set_line_width(canvas->cairo, 4);
        draw_line(canvas->cairo, right - width - 30, top + 11, right - width - 8, top + 11);
        right -= width + 54;
    }
}

bool draw_plot(Arena *arena, const DrawPlot *plot, Image *out, Diag *diag) {
    uint32_t width = plot->width ? plot->width : WIDTH, height = plot->height ? plot->height : HEIGHT;
    Canvas canvas = {.arena = arena, .cairo = begin(width, height, diag), .plot = plot};
    if (!canvas.cairo)
        return false;
    canvas.smooth = ARENA_NEW(arena, const double *, plot->series_count + 1);
    for (uint32_t s = 0; s < plot->series_count; s++) {
        uint32_t count = plot->series[s].count, window = plot->smoothing ? plot->smoothing : count / 50;
        canvas.smooth[s] = plot->is_scatter || window < 3 ? plot->series[s].y : running_mean(arena, &plot->series[s], window);
    }
    scale_axes(&canvas, MARGIN + 62, 130, width - MARGIN, height - 66.0);
    draw_axes(&canvas);
    draw_series(&canvas);
    draw_legend(&canvas);
    return finish(arena, canvas.cairo, out, diag);
}

static void paint_image(cairo_t *cairo, const Image *image, double left, double top) {
    cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)image->width, (int)image->height);
    cairo_surface_flush(surface);
    unsigned char *data = cairo_image_surface_get_data(surface);
    size_t stride = (size_t)cairo_image_surface_get_stride(surface);
    for (uint32_t y = 0; data && y < image->height; y++)
        for (uint32_t x = 0; x < image->width; x++) {
            const uint8_t *from = image->pixels + ((size_t)y * image->width + x) * image->channels;
            uint32_t pixel = (uint32_t)from[0] << 16 | (uint32_t)from[image->channels / 2] << 8 | from[image->channels - 1];
            memcpy(data + y * stride + (size_t)x * 4, &pixel, 4);
        }
    cairo_surface_mark_dirty(surface);
    cairo_set_source_surface(cairo, surface, left, top);
    cairo_paint(cairo);
    cairo_surface_destroy(surface);
}

bool draw_strip(Arena *arena, const DrawStrip *strip, Image *out, Diag *diag) {
    uint32_t side = strip->width > strip->height ? strip->width : strip->height;
    uint32_t zoom = side && side < STRIP_TILE ? (STRIP_TILE + side - 1) / side : 1;
    if (strip->columns > 32)
        zoom = 1;
    uint32_t step = strip->width * zoom + STRIP_GAP;
    cairo_t *probe = begin(1, 1, diag);
    double row_width = 0;
    for (uint32_t i = 0; strip->row_captions && i < strip->rows; i++)
        row_width = fmax(row_width, write_text(probe, strip->row_captions[i], FONT_TICK, false, NULL, 0, 0, ALIGN_LEFT) + 12);
    double title_width = strip->title ? write_text(probe, strip->title, FONT_TEXT, true, NULL, 0, 0, ALIGN_LEFT) : 0;
    cairo_destroy(probe);
    Image grid = image_grid(arena, strip->values, strip->rows * strip->columns, strip->channels, strip->height, strip->width,
                            &(ImageGrid){.columns = strip->columns, .zoom = zoom, .gap = STRIP_GAP, .background = 255});
    double left = 12 + row_width, top = strip->title ? 46 : 12;
    double width = fmax(left + grid.width, 12 + title_width) + 12, height = top + grid.height + (strip->column_captions ? 32 : 12);
    cairo_t *cairo = begin((uint32_t)ceil(width), (uint32_t)ceil(height), diag);
    if (!cairo)
        return false;
    paint_image(cairo, &grid, left, top);
    if (strip->title)
        write_text(cairo, strip->title, FONT_TEXT, true, &INK, 12 + STRIP_GAP, 13, ALIGN_LEFT);
    for (uint32_t i = 0; strip->row_captions && i < strip->rows; i++)
        write_text(cairo, strip->row_captions[i], FONT_TICK, false, &INK, left - 8,
                   top + STRIP_GAP + (i + 0.5) * (strip->height * zoom + STRIP_GAP) - FONT_TICK * 0.65, ALIGN_RIGHT);
    for (uint32_t i = 0; strip->column_captions && i < strip->columns; i++) {
        double size = FONT_TICK, wide = write_text(cairo, strip->column_captions[i], size, false, NULL, 0, 0, ALIGN_LEFT);
        size = wide > step ? size * step / wide : size;
        if (size >= 8)
            write_text(cairo, strip->column_captions[i], size, false, &INK, left + STRIP_GAP + i * (double)step + strip->width * zoom / 2.0,
                       top + grid.height + 2, ALIGN_CENTRE);
    }
    return finish(arena, cairo, out, diag);
}
