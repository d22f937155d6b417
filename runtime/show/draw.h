// Draw: pictures for people - curves, scatter plots, strips of images with captions. draw.c is the only user of cairo and pango.
#pragma once
#include "runtime/show/image.h"

typedef struct {
    const char *name;
    const double *x, *y; // a y that is not finite is left out
    uint32_t count;
    double radius;   // of the points of a scatter plot, in pixels; 0: 2.5
    uint32_t colour; // number in the palette, from 1 on; 0: by its place
} DrawSeries;

typedef struct {
    const char *title, *subtitle; // may be NULL
    const char *x_label, *y_label;
    const DrawSeries *series;
    uint32_t series_count;
    bool is_scatter;        // points instead of lines, equal scales on both axes
    uint32_t smoothing;     // points of the running mean drawn over the raw line; 0: chosen by the number of points; 1: raw only
    uint32_t width, height; // 0: 1200 x 700
} DrawPlot;

// Axes with round ticks, a legend where there are several series, a logarithmic y axis where values are positive (but for the lowest percent,
// which it leaves out) and span more than 1.2 decades.
bool draw_plot(Arena *arena, const DrawPlot *plot, Image *out, Diag *diag);
// Several on one sheet under the title of the first: up to three below each other, more in two columns (of an odd number the first across
// both). Their own sizes do not count.
bool draw_sheet(Arena *arena, const DrawPlot *plots, uint32_t count, Image *out, Diag *diag);

typedef struct {
    const char *title;   // may be NULL
    const float *values; // [rows, columns, channels, height, width] in [-1, 1]
    uint32_t rows, columns, channels, height, width;
    const char *const *column_captions; // below the last row; NULL: none
    const char *const *row_captions;    // left of the first column; NULL: none
} DrawStrip;

bool draw_strip(Arena *arena, const DrawStrip *strip, Image *out, Diag *diag);
