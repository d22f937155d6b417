// Birds paint: the picture of a bird, from the side, in a plane of its own: body about (0, 0) with radii 1 and 0.68, facing right.
#include "runtime/base/random.h"
#include "runtime/show/canvas.h"
#include "runtime/data/birds.h"
#include <math.h>

typedef struct {
    Canvas *canvas;
    const Bird *bird;
    double left, top, right, bottom, x, y;
    uint32_t drawn;
} Painter;

static double draw(Painter *painter, double low, double high) {
    RandomWords words = random_element(painter->bird->seed, random_name("birds.paint"), painter->bird->number, 0, painter->drawn++);
    return low + (high - low) * (double)random_uniform(words);
}

static Colour colour_of(const BirdColour *colour, double light) {
    double parts[3];
    for (uint32_t i = 0; i < 3; i++) {
        double part = colour->rgb[i] / 255.0;
        parts[i] = light > 0 ? part + (1 - part) * light : part * (1 + light);
    }
    return (Colour){parts[0], parts[1], parts[2]};
}

// ---- paths that widen the bird's box

static void reach(Painter *painter, double x, double y) {
    canvas_to_pixels(painter->canvas, &x, &y);
    painter->left = fmin(painter->left, x);
    painter->top = fmin(painter->top, y);
    painter->right = fmax(painter->right, x);
    painter->bottom = fmax(painter->bottom, y);
}

static void move(Painter *painter, double x, double y) {
    canvas_move(painter->canvas, painter->x = x, painter->y = y);
    reach(painter, x, y);
}

static void line(Painter *painter, double x, double y) {
    canvas_line(painter->canvas, painter->x = x, painter->y = y);
    reach(painter, x, y);
}

static void curve(Painter *painter, double x1, double y1, double x2, double y2, double x, double y) {
    for (uint32_t i = 1; i <= 8; i++) {
        double t = i / 8.0, s = 1 - t, a = s * s * s, b = 3 * s * s * t, c = 3 * s * t * t, d = t * t * t;
        reach(painter, a * painter->x + b * x1 + c * x2 + d * x, a * painter->y + b * y1 + c * y2 + d * y);
    }
    canvas_curve(painter->canvas, x1, y1, x2, y2, painter->x = x, painter->y = y);
}

static void ellipse(Painter *painter, double x, double y, double radius_x, double radius_y, double angle) {
    for (uint32_t i = 0; i < 16; i++) {
        double turn = 2 * M_PI * i / 16, u = radius_x * cos(turn), v = radius_y * sin(turn);
        reach(painter, x + u * cos(angle) - v * sin(angle), y + u * sin(angle) + v * cos(angle));
    }
    canvas_ellipse(painter->canvas, x, y, radius_x, radius_y, angle);
}

// ---- background

typedef struct {
    uint32_t count;
    double radius, flat, turn; // in shares of the shorter side; height by width; radians at most, either way
    double darkest, lightest;  // than the background
    double alpha, top;         // top: share of the picture that stays free
} Blobs;

static void paint_blobs(Painter *painter, const Blobs *blobs) {
    const Bird *bird = painter->bird;
    const BirdBackground *background = &bird_backgrounds[bird->background];
    for (uint32_t i = 0; i < blobs->count; i++) {
        double x = draw(painter, 0, bird->width), y = draw(painter, blobs->top * bird->height, bird->height);
        double radius = draw(painter, 0.5, 1) * blobs->radius * fmin(bird->width, bird->height);
        double angle = draw(painter, -blobs->turn, blobs->turn), light = draw(painter, blobs->darkest, blobs->lightest);
        const BirdColour *base = y < bird->height / 2.0 ? &background->top : &background->bottom;
        canvas_ellipse(painter->canvas, x, y, radius, radius * blobs->flat, angle);
        canvas_fill(painter->canvas, colour_of(base, light), blobs->alpha);
    }
}

static void paint_background(Painter *painter) {
    static const Blobs clouds = {6, 0.28, 0.3, 0.1, 0.1, 0.5, 0.4, 0}, leaves = {60, 0.10, 0.4, 3, -0.14, 0.14, 0.5, 0};
    static const Blobs dunes = {5, 0.5, 0.15, 0.1, -0.08, 0.08, 0.5, 0.3}, pebbles = {60, 0.012, 0.7, 3, -0.2, 0.2, 0.7, 0.4};
    static const Blobs ripples = {45, 0.13, 0.06, 0.05, -0.18, 0.18, 0.5, 0};
    static const Blobs *const kinds[BIRD_BACKGROUNDS][2] = {{&clouds}, {&leaves}, {&dunes, &pebbles}, {&ripples}};
    const Bird *bird = painter->bird;
    const BirdBackground *background = &bird_backgrounds[bird->background];
    double light = draw(painter, -0.05, 0.05);
    canvas_rectangle(painter->canvas, 0, 0, bird->width, bird->height);
    canvas_fill_blend(painter->canvas, 0, colour_of(&background->top, light), bird->height, colour_of(&background->bottom, light));
    for (uint32_t i = 0; i < 2 && kinds[bird->background][i]; i++)
        paint_blobs(painter, kinds[bird->background][i]);
}

// ---- the bird

static void outline(Painter *painter, double alpha) { canvas_stroke(painter->canvas, (Colour){0.08, 0.07, 0.07}, alpha, 0.028); }

static void body_path(Painter *painter) {
    double plump = painter->bird->plumpness;
    move(painter, -1.08, 0.0);
    curve(painter, -0.80, -0.42 * plump, -0.20, -0.60 * plump, 0.36, -0.80);
    line(painter, 1.03, -0.52);
    curve(painter, 1.10, 0.10 * plump, 0.70, 0.72 * plump, 0.02, 0.72 * plump);
    curve(painter, -0.50, 0.72 * plump, -0.88, 0.32, -1.08, 0.0);
    canvas_close(painter->canvas);
}

enum { TAIL_FEATHERS = 3 };

static void paint_tail(Painter *painter) {
    const BirdColour *wing = &bird_colours[painter->bird->wing];
    double length = draw(painter, 0.45, 0.70), spread = draw(painter, 0.10, 0.22);
    for (uint32_t i = 0; i < TAIL_FEATHERS; i++) {
        double y = 0.12 + spread * (i - 1.0);
        move(painter, -0.80, -0.10);
        line(painter, -1.02 - length, y - 0.10);
        curve(painter, -1.10 - length, y, -1.10 - length, y, -1.02 - length, y + 0.10);
        line(painter, -0.78, 0.22);
        canvas_close(painter->canvas);
        canvas_fill(painter->canvas, colour_of(wing, -0.12 * i), 1);
    }
}

static void paint_legs(Painter *painter) {
    static const Colour leg = {0.38, 0.29, 0.24};
    double length = 0.72 * painter->bird->plumpness + 0.34;
    if (painter->bird->pose == 2) { // stretched out backwards
        for (uint32_t i = 0; i < 2; i++) {
            move(painter, -0.35 - 0.1 * i, 0.5);
            line(painter, -0.95 - 0.1 * i, 0.68 + 0.06 * i);
            canvas_stroke(painter->canvas, leg, 1, 0.06);
        }
        return;
    }
    for (uint32_t i = 0; i < 2; i++) {
        double x = -0.12 + 0.34 * i;
        move(painter, x, 0.5);
        line(painter, x, length);
        canvas_stroke(painter->canvas, leg, 1, 0.07);
        move(painter, x - 0.14, length + 0.02);
        line(painter, x + 0.22, length + 0.02);
        canvas_stroke(painter->canvas, leg, 1, 0.06);
    }
}

// The branch, as wide as the picture, is no part of the bird's box.
static void paint_branch(Painter *painter) {
    static const Colour bark = {0.36, 0.30, 0.26};
    double length = 0.72 * painter->bird->plumpness + 0.42, turn = draw(painter, -0.12, 0.12);
    canvas_move(painter->canvas, -8, length - 8 * turn);
    canvas_line(painter->canvas, 8, length + 8 * turn);
    canvas_stroke(painter->canvas, bark, 1, draw(painter, 0.11, 0.17));
}

static void paint_belly(Painter *painter) {
    const BirdColour *belly = &bird_colours[painter->bird->belly];
    double plump = painter->bird->plumpness;
    canvas_save(painter->canvas);
    body_path(painter);
    canvas_clip(painter->canvas);
    canvas_ellipse(painter->canvas, 0.38, 0.70 * plump, 0.88, 0.36 * plump, -0.28);
    canvas_fill_blend(painter->canvas, 0.2, colour_of(belly, 0), 0.75, colour_of(belly, -0.12));
    canvas_restore(painter->canvas);
}

static void paint_head(Painter *painter) {
    const Bird *bird = painter->bird;
    double size = 0.42 * bird->head, x = 0.72, y = -0.78;
    double beak = bird->has_long_beak ? 0.62 : 0.36;
    move(painter, x + size * 0.80, y - size * 0.34);
    curve(painter, x + size + beak * 0.5, y - size * 0.30, x + size + beak * 0.8, y - size * 0.05, x + size + beak, y + size * 0.16);
    line(painter, x + size * 0.80, y + size * 0.42);
    canvas_close(painter->canvas);
    canvas_fill(painter->canvas, colour_of(&bird_beaks[bird->beak], 0), 1);
    ellipse(painter, x, y, size, size * 0.94, 0);
    canvas_fill_blend(painter->canvas, y - size, colour_of(&bird_colours[bird->body], 0.05), y + size,
                      colour_of(&bird_colours[bird->body], -0.06));
    canvas_save(painter->canvas);
    canvas_ellipse(painter->canvas, x, y, size, size * 0.94, 0);
    canvas_clip(painter->canvas);
    canvas_ellipse(painter->canvas, x - size * 0.1, y - size * 0.85, size * 1.15, size * 0.72, 0.12);
    canvas_fill(painter->canvas, colour_of(&bird_colours[bird->crown], 0), 1);
    canvas_restore(painter->canvas);
    if (bird->has_crest) {
        move(painter, x - size * 0.10, y - size * 0.90);
        line(painter, x - size * 1.20, y - size * 1.35);
        line(painter, x - size * 0.85, y - size * 0.40);
        canvas_close(painter->canvas);
        canvas_fill(painter->canvas, colour_of(&bird_colours[bird->crown], 0), 1);
    }
    canvas_ellipse(painter->canvas, x + size * 0.42, y + size * 0.02, size * 0.24, size * 0.24, 0);
    canvas_fill(painter->canvas, colour_of(&bird_eyes[bird->eye], 0), 1);
    canvas_ellipse(painter->canvas, x + size * 0.46, y + size * 0.02, size * 0.13, size * 0.13, 0);
    canvas_fill(painter->canvas, (Colour){0.02, 0.02, 0.02}, 1);
    canvas_ellipse(painter->canvas, x + size * 0.50, y - size * 0.04, size * 0.045, size * 0.045, 0);
    canvas_fill(painter->canvas, (Colour){1, 1, 1}, 1);
}

// Folded: from the shoulder back along the side. Raised: from the shoulder up, beyond the body.
static void wing_path(Painter *painter, bool is_raised) {
    if (is_raised) {
        move(painter, 0.12, -0.42);
        curve(painter, 0.06, -1.0, -0.30, -1.50, -0.95, -1.55);
        curve(painter, -0.84, -1.28, -0.98, -1.05, -0.82, -0.85);
        curve(painter, -0.80, -0.60, -0.68, -0.30, -0.48, -0.24);
        curve(painter, -0.20, -0.14, 0.08, -0.18, 0.12, -0.42);
    } else {
        move(painter, 0.14, -0.36);
        curve(painter, 0.20, 0.04, -0.40, 0.20, -1.14, 0.10);
        curve(painter, -0.80, -0.10, -0.36, -0.50, 0.14, -0.36);
    }
    canvas_close(painter->canvas);
}

static void paint_wing(Painter *painter) {
    const BirdColour *wing = &bird_colours[painter->bird->wing];
    bool is_raised = painter->bird->pose == 2;
    wing_path(painter, is_raised);
    canvas_fill_blend(painter->canvas, is_raised ? -1.6 : -0.5, colour_of(wing, 0.05), is_raised ? 0 : 0.3, colour_of(wing, -0.12));
    wing_path(painter, is_raised);
    outline(painter, 0.55);
    for (uint32_t i = 0; i < 3; i++) {
        double at = i / 3.0;
        if (is_raised) {
            move(painter, -0.08 - 0.16 * at, -0.36);
            curve(painter, -0.18, -0.7, -0.40 - 0.1 * at, -1.0, -0.74 - 0.10 * at, -1.34 + 0.42 * at);
        } else {
            move(painter, -0.06, -0.24 + 0.18 * at);
            curve(painter, -0.32, -0.14 + 0.20 * at, -0.54, -0.05 + 0.18 * at, -0.90, 0.02 + 0.08 * at);
        }
        outline(painter, 0.35);
    }
}

static void paint_bird(Painter *painter) {
    const BirdColour *body = &bird_colours[painter->bird->body];
    paint_tail(painter);
    paint_legs(painter);
    body_path(painter);
    outline(painter, 0.5);
    body_path(painter);
    canvas_fill_blend(painter->canvas, -0.8, colour_of(body, 0.05), 0.8, colour_of(body, -0.12));
    paint_belly(painter);
    paint_head(painter);
    paint_wing(painter);
}

bool bird_paint(Arena *arena, const Bird *bird, Image *out, BirdBox *box, Diag *diag) {
    Painter painter = {.canvas = canvas_create(bird->width, bird->height, diag),
                       .bird = bird,
                       .left = INFINITY,
                       .top = INFINITY,
                       .right = -INFINITY,
                       .bottom = -INFINITY};
    if (!painter.canvas)
        return false;
    canvas_round(painter.canvas);
    paint_background(&painter);
    canvas_translate(painter.canvas, bird->x, bird->y);
    canvas_scale(painter.canvas, bird->faces_left ? -bird->scale : bird->scale, bird->scale);
    if (bird->pose == 1)
        paint_branch(&painter);
    canvas_rotate(painter.canvas, bird->tilt);
    paint_bird(&painter);
    bool good = canvas_pixels(painter.canvas, arena, out, diag);
    canvas_destroy(&painter.canvas);
    double left = fmax(floor(painter.left), 0), top = fmax(floor(painter.top), 0);
    *box = (BirdBox){left, top, fmin(ceil(painter.right), bird->width) - left, fmin(ceil(painter.bottom), bird->height) - top};
    return good;
}
