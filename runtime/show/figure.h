// Figure: captions and what was made of them - a row for each, the caption at the left, then its pictures by column. As one PNG, and as HTML
// that needs no other file. figure.c is the only user of glib.
#pragma once
#include "runtime/show/image.h"

typedef struct {
    const char *name;
    uint32_t channels, height, width;
    uint32_t per_row;       // pictures of a row at most
    const uint32_t *counts; // rows: how many there are
    const float *values;    // [rows, per_row, channels, height, width] in [-1, 1]
} FigureColumn;

typedef struct {
    const char *title, *subtitle;
    uint32_t rows, column_count;
    const char *const *captions; // rows
    const FigureColumn *columns; // all are shown at one size; smaller ones are enlarged without smoothing
} Figure;

uint32_t figure_rows_max(const Figure *figure); // that figure_draw can draw
bool figure_draw(Arena *arena, const Figure *figure, Image *out, Diag *diag);
bool figure_write_html(const char *path, const Figure *figure, Diag *diag); // atomic
