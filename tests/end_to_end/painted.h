// Painted: a folder of pictures as a person might have one - boats and trees in folders of their own, PNG and JPEG of odd sizes, a text of two
// lines beside each. All of it is a function of the number of the picture.
#pragma once
#include "runtime/base/file.h"
#include "runtime/base/random.h"
#include "runtime/data/jpeg.h"
#include "runtime/show/canvas.h"
#include <math.h>

typedef struct {
    const char *name;
    Colour colour;
} Paint;

static const Paint sails[] = {{"red", {0.85, 0.15, 0.12}}, {"white", {0.97, 0.97, 0.95}}, {"yellow", {0.95, 0.8, 0.15}}, {"black", {0.15, 0.13, 0.15}}};
static const Paint crowns[] = {{"green", {0.15, 0.5, 0.15}}, {"orange", {0.9, 0.5, 0.1}}, {"pink", {0.95, 0.6, 0.75}}, {"dark", {0.05, 0.25, 0.15}}};

// Number `what` of picture `index`, from low to high.
static double painted_number(uint32_t index, uint32_t what, double low, double high) {
    return low + (high - low) * (double)random_uniform(random_element(1, random_name("painted"), 0, what, index));
}

static void paint_boat(Canvas *canvas, uint32_t index, Colour sail) {
    double sea = painted_number(index, 1, 0.62, 0.72), x = painted_number(index, 2, 0.42, 0.58), tall = painted_number(index, 3, 0.4, 0.5);
    canvas_rectangle(canvas, -2, -2, 5, 2 + sea);
    canvas_fill_blend(canvas, 0, (Colour){0.35, 0.6, 0.9}, sea, (Colour){0.8, 0.9, 0.97});
    canvas_rectangle(canvas, -2, sea, 5, 2);
    canvas_fill_blend(canvas, sea, (Colour){0.1, 0.4, 0.6}, 1, (Colour){0.03, 0.15, 0.35});
    canvas_move(canvas, x - 0.02, sea - tall - 0.08);
    canvas_line(canvas, x - 0.02, sea - 0.06);
    canvas_line(canvas, x - 0.28, sea - 0.06);
    canvas_close(canvas);
    canvas_fill(canvas, sail, 1);
    canvas_move(canvas, x + 0.02, sea - tall);
    canvas_line(canvas, x + 0.02, sea - 0.06);
    canvas_line(canvas, x + 0.24, sea - 0.06);
    canvas_close(canvas);
    canvas_fill(canvas, sail, 1);
    canvas_move(canvas, x - 0.3, sea - 0.03);
    canvas_line(canvas, x + 0.3, sea - 0.03);
    canvas_line(canvas, x + 0.2, sea + 0.1);
    canvas_line(canvas, x - 0.2, sea + 0.1);
    canvas_close(canvas);
    canvas_fill(canvas, (Colour){0.4, 0.22, 0.1}, 1);
}

static void paint_tree(Canvas *canvas, uint32_t index, Colour crown) {
    double ground = painted_number(index, 1, 0.75, 0.82), x = painted_number(index, 2, 0.42, 0.58), wide = painted_number(index, 3, 0.2, 0.28);
    canvas_rectangle(canvas, -2, -2, 5, 2 + ground);
    canvas_fill_blend(canvas, 0, (Colour){0.9, 0.8, 0.65}, ground, (Colour){0.98, 0.93, 0.85});
    canvas_rectangle(canvas, -2, ground, 5, 2);
    canvas_fill_blend(canvas, ground, (Colour){0.45, 0.65, 0.25}, 1, (Colour){0.25, 0.45, 0.15});
    canvas_rectangle(canvas, x - 0.04, ground - 0.38, 0.08, 0.42);
    canvas_fill(canvas, (Colour){0.35, 0.22, 0.12}, 1);
    for (uint32_t i = 0; i < 3; i++) {
        canvas_ellipse(canvas, x + (i == 1 ? 0 : i == 0 ? -0.6 : 0.6) * wide, ground - (i == 1 ? 0.55 : 0.4), wide * 0.75, wide * 0.75, 0);
        canvas_fill(canvas, crown, 1);
    }
}

static bool paint_picture(const char *into, uint32_t index, Diag *to) {
    Arena *scratch = arena_create();
    bool is_boat = index % 2 == 0;
    const Paint *paint = &(is_boat ? sails : crowns)[(uint32_t)painted_number(index, 0, 0, 3.99)];
    uint32_t width = 41 + 2 * (uint32_t)painted_number(index, 4, 0, 40), height = 37 + 2 * (uint32_t)painted_number(index, 5, 0, 40);
    double side = width < height ? width : height;
    const char *stem = arena_format(scratch, "%s/%s/no %03u", into, is_boat ? "boats" : "trees", index);
    const char *text = is_boat ? arena_format(scratch, "a boat with a %s sail\na %s sail at sea\n", paint->name, paint->name)
                               : arena_format(scratch, "a tree with %s leaves\na %s tree in a meadow\n", paint->name, paint->name);
    Canvas *canvas = canvas_create(width, height, to);
    Image image;
    if (canvas) { // the middle square is 0 … 1
        canvas_translate(canvas, (width - side) / 2, (height - side) / 2);
        canvas_scale(canvas, side, side);
        (is_boat ? paint_boat : paint_tree)(canvas, index, paint->colour);
    }
    bool ok = canvas && canvas_pixels(canvas, scratch, &image, to) && file_make_folders(file_folder(scratch, stem), to) &&
              file_write(arena_format(scratch, "%s.txt", stem), text, strlen(text), to);
    if (ok && index % 3 == 0)
        ok = jpeg_write(arena_format(scratch, "%s.jpg", stem), image.pixels, width, height, 92, to);
    else
        ok = ok && image_write(arena_format(scratch, "%s.png", stem), &image, NULL, 0, to);
    canvas_destroy(&canvas);
    arena_destroy(&scratch);
    return ok;
}

static bool paint_folder(const char *into, uint32_t count, Diag *to) {
    bool ok = true;
    for (uint32_t i = 0; ok && i < count; i++)
        ok = paint_picture(into, i, to);
    return ok;
}
