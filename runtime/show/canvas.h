// Canvas: anti-aliased shapes and words on a grid of pixels. canvas.c is the only user of cairo and pango.
//
// Coordinates are pixels from the top left corner, y downwards, until they are transformed. A path is what was moved, lined and curved
// since the last fill, stroke or clip.
#pragma once
#include "runtime/show/image.h"

enum { CANVAS_SIDE_MAX = 16384 };

typedef struct Canvas Canvas;

typedef struct {
    double red, green, blue; // 0 to 1, as stored in a file (sRGB)
} Colour;

typedef enum { ALIGN_LEFT, ALIGN_CENTRE, ALIGN_RIGHT } Align;

Canvas *canvas_create(uint32_t width, uint32_t height, Diag *diag); // white; NULL: too large or no memory
void canvas_destroy(Canvas **canvas);
// The pixels, 3 channels. False: something that was drawn could not be.
bool canvas_pixels(Canvas *canvas, Arena *arena, Image *out, Diag *diag);

void canvas_move(Canvas *canvas, double x, double y);
void canvas_line(Canvas *canvas, double x, double y);                                              // begins a path where there is none
void canvas_curve(Canvas *canvas, double x1, double y1, double x2, double y2, double x, double y); // cubic; two control points, the end
void canvas_close(Canvas *canvas);                                                                 // a line to where the path began
void canvas_ellipse(Canvas *canvas, double x, double y, double radius_x, double radius_y, double angle); // a path of its own; radians
void canvas_rectangle(Canvas *canvas, double x, double y, double width, double height);

void canvas_fill(Canvas *canvas, Colour colour, double alpha);
void canvas_fill_blend(Canvas *canvas, double y0, Colour colour0, double y1, Colour colour1); // vertically from colour0 at y0 to colour1
void canvas_stroke(Canvas *canvas, Colour colour, double alpha, double width);                // joined sharply, ends cut; see canvas_round
void canvas_round(Canvas *canvas);                                                            // joins are round from now on
void canvas_clip(Canvas *canvas); // nothing is drawn outside of the path any more
// Transform, clip and joins; pairs may be nested.
void canvas_save(Canvas *canvas);
void canvas_restore(Canvas *canvas);

void canvas_translate(Canvas *canvas, double x, double y);
void canvas_rotate(Canvas *canvas, double angle);
void canvas_scale(Canvas *canvas, double x, double y);
void canvas_to_pixels(const Canvas *canvas, double *x, double *y); // a point of the transformed plane

// Draws `text` with its top at y and its left edge, centre or right edge at x; gives its width. NULL colour: only measures.
double canvas_text(Canvas *canvas, const char *text, double size, bool is_bold, const Colour *colour, double x, double y, Align align);
// The same in lines of at most `width`, left-aligned; gives the height.
double canvas_paragraph(Canvas *canvas, const char *text, double size, const Colour *colour, double x, double y, double width);
void canvas_image(Canvas *canvas, const Image *image, double left, double top);
