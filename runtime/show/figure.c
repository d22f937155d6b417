// Figure: see figure.h.
#include "runtime/show/figure.h"
#include "runtime/base/text.h"
#include "runtime/show/canvas.h"
#include <glib.h>

enum { CELL_MIN = 128, GAP = 10, MARGIN = 20, CAPTION_WIDTH = 260, FONT_TITLE = 22, FONT_CAPTION = 15, FONT_HEAD = 14 };
enum { TOP = 112, LEFT = MARGIN + CAPTION_WIDTH + GAP }; // of the first picture
static const Colour INK = {0.12, 0.13, 0.15}, GREY = {0.42, 0.44, 0.48};

// The pictures' side: that of the largest, or so many times it that details can be seen.
static uint32_t cell_size(const Figure *figure) {
    uint32_t largest = 1;
    for (uint32_t i = 0; i < figure->column_count; i++) {
        const FigureColumn *column = &figure->columns[i];
        largest = column->width > largest ? column->width : largest;
        largest = column->height > largest ? column->height : largest;
    }
    return largest * ((CELL_MIN + largest - 1) / largest);
}

static Image cell_image(Arena *arena, const FigureColumn *column, uint32_t row, uint32_t picture, uint32_t cell) {
    uint32_t side = column->width > column->height ? column->width : column->height;
    size_t number = (size_t)row * column->per_row + picture;
    return image_grid(arena, column->values + number * column->channels * column->height * column->width, 1, column->channels,
                      column->height, column->width, &(ImageGrid){.zoom = cell / side ? cell / side : 1});
}

static uint32_t pictures_of_row(const Figure *figure) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < figure->column_count; i++)
        count += figure->columns[i].per_row;
    return count;
}

uint32_t figure_rows_max(const Figure *figure) { return (CANVAS_SIDE_MAX - TOP - 6) / (cell_size(figure) + GAP); }

static void draw_row(Arena *arena, Canvas *canvas, const Figure *figure, uint32_t row, double y) {
    uint32_t cell = cell_size(figure), step = cell + GAP;
    double high = canvas_paragraph(canvas, figure->captions[row], FONT_CAPTION, NULL, 0, 0, CAPTION_WIDTH), x = LEFT;
    canvas_paragraph(canvas, figure->captions[row], FONT_CAPTION, &INK, MARGIN, y + (high < cell ? (cell - high) / 2 : 0), CAPTION_WIDTH);
    for (uint32_t i = 0; i < figure->column_count; i++) {
        const FigureColumn *column = &figure->columns[i];
        for (uint32_t k = 0; k < column->counts[row]; k++) {
            Image image = cell_image(arena, column, row, k, cell);
            canvas_image(canvas, &image, x + k * (double)step, y);
        }
        x += column->per_row * (double)step;
    }
}

bool figure_draw(Arena *arena, const Figure *figure, Image *out, Diag *diag) {
    uint32_t step = cell_size(figure) + GAP;
    double width = LEFT + (double)pictures_of_row(figure) * step - GAP + MARGIN, height = TOP + (double)figure->rows * step + 6;
    Canvas *probe = canvas_create(1, 1, diag);
    if (!probe)
        return false;
    double title = canvas_text(probe, figure->title, FONT_TITLE, true, NULL, 0, 0, ALIGN_LEFT),
           subtitle = canvas_text(probe, figure->subtitle, FONT_HEAD, false, NULL, 0, 0, ALIGN_LEFT);
    canvas_destroy(&probe);
    title = 2 * MARGIN + (title > subtitle ? title : subtitle);
    Canvas *canvas = canvas_create((uint32_t)(title > width ? title : width), (uint32_t)height, diag);
    if (!canvas)
        return false;
    canvas_text(canvas, figure->title, FONT_TITLE, true, &INK, MARGIN, 16, ALIGN_LEFT);
    canvas_text(canvas, figure->subtitle, FONT_HEAD, false, &GREY, MARGIN, 48, ALIGN_LEFT);
    canvas_text(canvas, "text", FONT_HEAD, true, &INK, MARGIN, TOP - 26, ALIGN_LEFT);
    double x = LEFT;
    for (uint32_t i = 0; i < figure->column_count; x += figure->columns[i++].per_row * (double)step)
        canvas_text(canvas, figure->columns[i].name, FONT_HEAD, true, &INK, x, TOP - 26, ALIGN_LEFT);
    for (uint32_t row = 0; row < figure->rows; row++)
        draw_row(arena, canvas, figure, row, TOP + row * (double)step);
    bool is_drawn = canvas_pixels(canvas, arena, out, diag);
    canvas_destroy(&canvas);
    return is_drawn;
}

static void append_escaped(Text *html, const char *before, const char *words, const char *after) {
    gchar *valid = g_utf8_make_valid(words, -1), *escaped = g_markup_escape_text(valid, -1);
    text_format(html, "%s%s%s", before, escaped, after);
    g_free(escaped);
    g_free(valid);
}

static bool append_picture(Text *html, const char *path, const Image *image, uint32_t cell, Diag *diag) {
    Arena *arena = arena_create();
    size_t size = 0;
    const char *bytes = image_encode(arena, path, image, NULL, 0, &size, diag);
    if (bytes) {
        gchar *words = g_base64_encode((const guchar *)bytes, size);
        text_format(html, "<img width=\"%u\" alt=\"\" src=\"data:image/png;base64,%s\">\n", cell, words);
        g_free(words);
    }
    arena_destroy(&arena);
    return bytes != NULL;
}

static bool append_row(Text *html, const char *path, const Figure *figure, uint32_t row, Diag *diag) {
    Arena *arena = arena_create();
    bool ok = true;
    append_escaped(html, "<tr>\n<td>", figure->captions[row], "</td>\n");
    for (uint32_t i = 0; i < figure->column_count; i++) {
        text_append(html, "<td>");
        for (uint32_t k = 0; ok && k < figure->columns[i].counts[row]; k++) {
            Image image = cell_image(arena, &figure->columns[i], row, k, 1);
            ok = append_picture(html, path, &image, cell_size(figure), diag);
        }
        text_append(html, "</td>\n");
    }
    text_append(html, "</tr>\n");
    arena_destroy(&arena);
    return ok;
}

bool figure_write_html(const char *path, const Figure *figure, Diag *diag) {
    Arena *arena = arena_create();
    Text html = text_create(arena);
    append_escaped(&html, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>", figure->title, "</title>\n");
    text_append(&html, "<style>\nbody { font-family: sans-serif; margin: 2em; color: #1f2126 }\nimg { image-rendering: pixelated; margin: 2px "
                       "}\nth { text-align: left }\ntd, th { padding: 5px }\ntd:first-child { max-width: 20em }\np { color: #6b7079 "
                       "}\n</style>\n</head>\n<body>\n");
    append_escaped(&html, "<h1>", figure->title, "</h1>\n");
    append_escaped(&html, "<p>", figure->subtitle, "</p>\n<table>\n<tr><th>text</th>");
    for (uint32_t i = 0; i < figure->column_count; i++)
        append_escaped(&html, "<th>", figure->columns[i].name, "</th>");
    text_append(&html, "</tr>\n");
    bool ok = true;
    for (uint32_t row = 0; ok && row < figure->rows; row++)
        ok = append_row(&html, path, figure, row, diag);
    text_append(&html, "</table>\n</body>\n</html>\n");
    ok = ok && file_write(path, html.data, html.length, diag);
    arena_destroy(&arena);
    return ok;
}
