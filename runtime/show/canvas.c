// Canvas: cairo for shapes, pango for words.
#include "runtime/show/canvas.h"
#include <math.h>
#include <pango/pangocairo.h>
#include <stdlib.h>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/lsan_interface.h>
// fontconfig keeps its tables until the process ends, where LeakSanitizer does not see them.
const char *__lsan_default_suppressions(void) { return "leak:libfontconfig\nleak:libpango"; }
#endif

struct Canvas {
    Arena *arena;
    cairo_t *cairo;
};

Canvas *canvas_create(uint32_t width, uint32_t height, Diag *diag) {
    if (width > CANVAS_SIDE_MAX || height > CANVAS_SIDE_MAX) {
        diag_error(diag, NULL, "a picture of %u x %u pixels is too large to draw (at most %d a side)", width, height, CANVAS_SIDE_MAX);
        return NULL;
    }
    Arena *arena = arena_create();
    Canvas *canvas = ARENA_NEW(arena, Canvas, 1);
    cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)width, (int)height);
    *canvas = (Canvas){.arena = arena, .cairo = cairo_create(surface)};
    cairo_surface_destroy(surface);
    cairo_set_source_rgb(canvas->cairo, 1, 1, 1);
    cairo_paint(canvas->cairo);
    return canvas;
}

void canvas_destroy(Canvas **canvas) {
    if (!*canvas)
        return;
    cairo_destroy((*canvas)->cairo);
    Arena *arena = (*canvas)->arena;
    arena_destroy(&arena);
    *canvas = NULL;
}

bool canvas_pixels(Canvas *canvas, Arena *arena, Image *out, Diag *diag) {
    cairo_surface_t *surface = cairo_get_target(canvas->cairo);
    cairo_surface_flush(surface);
    cairo_status_t status = cairo_status(canvas->cairo);
    if (status != CAIRO_STATUS_SUCCESS) {
        diag_error(diag, NULL, "cannot draw: %s", cairo_status_to_string(status));
        return false;
    }
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
    return true;
}

void canvas_move(Canvas *canvas, double x, double y) { cairo_move_to(canvas->cairo, x, y); }
void canvas_line(Canvas *canvas, double x, double y) { cairo_line_to(canvas->cairo, x, y); }

void canvas_curve(Canvas *canvas, double x1, double y1, double x2, double y2, double x, double y) {
    cairo_curve_to(canvas->cairo, x1, y1, x2, y2, x, y);
}

void canvas_close(Canvas *canvas) { cairo_close_path(canvas->cairo); }

void canvas_ellipse(Canvas *canvas, double x, double y, double radius_x, double radius_y, double angle) {
    cairo_matrix_t matrix;
    cairo_get_matrix(canvas->cairo, &matrix);
    cairo_translate(canvas->cairo, x, y);
    cairo_rotate(canvas->cairo, angle);
    cairo_scale(canvas->cairo, radius_x, radius_y);
    cairo_new_sub_path(canvas->cairo);
    cairo_arc(canvas->cairo, 0, 0, 1, 0, 2 * M_PI);
    cairo_close_path(canvas->cairo);
    cairo_set_matrix(canvas->cairo, &matrix);
}

void canvas_rectangle(Canvas *canvas, double x, double y, double width, double height) {
    cairo_rectangle(canvas->cairo, x, y, width, height);
}

static void set_colour(Canvas *canvas, Colour colour, double alpha) {
    cairo_set_source_rgba(canvas->cairo, colour.red, colour.green, colour.blue, alpha);
}

void canvas_fill(Canvas *canvas, Colour colour, double alpha) {
    set_colour(canvas, colour, alpha);
    cairo_fill(canvas->cairo);
}

void canvas_fill_blend(Canvas *canvas, double y0, Colour colour0, double y1, Colour colour1) {
    cairo_pattern_t *pattern = cairo_pattern_create_linear(0, y0, 0, y1);
    cairo_pattern_add_color_stop_rgb(pattern, 0, colour0.red, colour0.green, colour0.blue);
    cairo_pattern_add_color_stop_rgb(pattern, 1, colour1.red, colour1.green, colour1.blue);
    cairo_set_source(canvas->cairo, pattern);
    cairo_fill(canvas->cairo);
    cairo_pattern_destroy(pattern);
}

void canvas_stroke(Canvas *canvas, Colour colour, double alpha, double width) {
    set_colour(canvas, colour, alpha);
    cairo_set_line_width(canvas->cairo, width);
    cairo_stroke(canvas->cairo);
}

void canvas_round(Canvas *canvas) { cairo_set_line_join(canvas->cairo, CAIRO_LINE_JOIN_ROUND); }
void canvas_clip(Canvas *canvas) { cairo_clip(canvas->cairo); }
void canvas_save(Canvas *canvas) { cairo_save(canvas->cairo); }
void canvas_restore(Canvas *canvas) { cairo_restore(canvas->cairo); }
void canvas_translate(Canvas *canvas, double x, double y) { cairo_translate(canvas->cairo, x, y); }
void canvas_rotate(Canvas *canvas, double angle) { cairo_rotate(canvas->cairo, angle); }
void canvas_scale(Canvas *canvas, double x, double y) { cairo_scale(canvas->cairo, x, y); }
void canvas_to_pixels(const Canvas *canvas, double *x, double *y) { cairo_user_to_device(canvas->cairo, x, y); }

static PangoLayout *lay_out(const Canvas *canvas, const char *text, double size, bool is_bold) {
    PangoLayout *layout = pango_cairo_create_layout(canvas->cairo);
    PangoFontDescription *font = pango_font_description_from_string(is_bold ? "sans bold" : "sans");
    pango_font_description_set_absolute_size(font, size * PANGO_SCALE);
    pango_layout_set_font_description(layout, font);
    pango_font_description_free(font);
    pango_layout_set_text(layout, text, -1);
    return layout;
}

static void show(Canvas *canvas, PangoLayout *layout, Colour colour, double x, double y) {
    set_colour(canvas, colour, 1);
    cairo_move_to(canvas->cairo, x, y);
    pango_cairo_show_layout(canvas->cairo, layout);
    cairo_new_path(canvas->cairo);
}

double canvas_text(Canvas *canvas, const char *text, double size, bool is_bold, const Colour *colour, double x, double y, Align align) {
    PangoLayout *layout = lay_out(canvas, text, size, is_bold);
    int width, height;
    pango_layout_get_pixel_size(layout, &width, &height);
    if (colour)
        show(canvas, layout, *colour, align == ALIGN_LEFT ? x : align == ALIGN_RIGHT ? x - width : x - width / 2.0, y);
    g_object_unref(layout);
    return width;
}

double canvas_paragraph(Canvas *canvas, const char *text, double size, const Colour *colour, double x, double y, double width) {
    PangoLayout *layout = lay_out(canvas, text, size, false);
    pango_layout_set_width(layout, (int)(width * PANGO_SCALE));
    pango_layout_set_wrap(layout, PANGO_WRAP_WORD_CHAR);
    int wide, high;
    pango_layout_get_pixel_size(layout, &wide, &high);
    if (colour)
        show(canvas, layout, *colour, x, y);
    g_object_unref(layout);
    return high;
}

void canvas_image(Canvas *canvas, const Image *image, double left, double top) {
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
    cairo_set_source_surface(canvas->cairo, surface, left, top);
    cairo_paint(canvas->cairo);
    cairo_surface_destroy(surface);
}
