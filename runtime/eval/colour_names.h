// Colour names: which of a data set's colours an image shows. Every pixel of a zone is named after the nearest colour by distance in
// CIELAB. The body zone is the middle of the image: its colour is the palette colour with most pixels, where backgrounds compete but do not count.
// The border zone is the frame around the image: its background is the one with most pixels.
#pragma once
#include "runtime/data/birds.h"

enum { COLOUR_NAMES_MAX = 64 };

typedef struct {
    double l, a, b;
} Lab;

// Colours first, then two for each background.
typedef struct {
    Lab anchors[COLOUR_NAMES_MAX];
    uint32_t colours, count;
} ColourNames;

typedef struct {
    uint32_t body, background; // body colour_count: none of the colours
} Painted;

bool colour_names_make(const BirdAttributes *attributes, ColourNames *out, Diag *diag);
// pixels: [3, height, width] from `low` to `high`.
Painted colour_names_image(const ColourNames *names, const float *pixels, uint32_t height, uint32_t width, double low, double high);
