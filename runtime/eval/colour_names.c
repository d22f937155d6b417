// Colour names: see colour_names.h.
#include "runtime/eval/colour_names.h"
#include "runtime/show/image.h"
#include <math.h>

enum { SIDE = 64 }; // pixels of a side that are looked at
static const double ZONE_X = 0.18, ZONE_Y = 0.14, FRAME = 0.1; // half sides of the body zone, the border's width: shares of the image

// CIE 1976 L*a*b* of sRGB with white D65.
static Lab lab_of(const uint8_t rgb[3]) {
    double part[3], f[3];
    for (uint32_t i = 0; i < 3; i++) {
        double v = rgb[i] / 255.0;
        part[i] = v <= 0.04045 ? v / 12.92 : pow((v + 0.055) / 1.055, 2.4);
    }
    f[0] = (0.4124564 * part[0] + 0.3575761 * part[1] + 0.1804375 * part[2]) / 0.95047;
    f[1] = 0.2126729 * part[0] + 0.7151522 * part[1] + 0.0721750 * part[2];
    f[2] = (0.0193339 * part[0] + 0.1191920 * part[1] + 0.9503041 * part[2]) / 1.08883;
    for (uint32_t i = 0; i < 3; i++)
        f[i] = f[i] > 216.0 / 24389 ? cbrt(f[i]) : (24389.0 / 27 * f[i] + 16) / 116;
    return (Lab){116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])};
}

bool colour_names_make(const BirdAttributes *attributes, ColourNames *out, Diag *diag) {
    *out = (ColourNames){.colours = attributes->colour_count, .count = attributes->colour_count + 2 * attributes->background_count};
    if (out->count > COLOUR_NAMES_MAX) {
        diag_error(diag, NULL, "the data set has too many colours and backgrounds to tell apart");
        return false;
    }
    for (uint32_t i = 0; i < attributes->colour_count; i++)
        out->anchors[i] = lab_of(attributes->colours[i].rgb);
    for (uint32_t i = 0; i < attributes->background_count; i++) {
        out->anchors[out->colours + 2 * i] = lab_of(attributes->backgrounds[i].top.rgb);
        out->anchors[out->colours + 2 * i + 1] = lab_of(attributes->backgrounds[i].bottom.rgb);
    }
    return true;
}

static uint32_t nearest(const ColourNames *names, uint32_t first, const Lab *colour) {
    uint32_t best = first;
    double least = INFINITY;
    for (uint32_t i = first; i < names->count; i++) {
        double l = colour->l - names->anchors[i].l, a = colour->a - names->anchors[i].a, b = colour->b - names->anchors[i].b;
        double distance = l * l + a * a + b * b;
        if (distance < least) {
            least = distance;
            best = i;
        }
    }
    return best;
}

static uint32_t most(const uint32_t *counts, uint32_t count) { // `count` where all are 0
    uint32_t best = count;
    for (uint32_t i = 0; i < count; i++)
        if (counts[i] > (best < count ? counts[best] : 0))
            best = i;
    return best;
}

Painted colour_names_image(const ColourNames *names, const float *pixels, uint32_t height, uint32_t width, double low, double high) {
    uint32_t bodies[COLOUR_NAMES_MAX] = {0}, backgrounds[COLOUR_NAMES_MAX] = {0};
    uint32_t rows = height < SIDE ? height : SIDE, columns = width < SIDE ? width : SIDE;
    for (uint32_t row = 0; row < rows; row++)
        for (uint32_t column = 0; column < columns; column++) {
            double v = (row + 0.5) / rows, u = (column + 0.5) / columns;
            bool is_body = fabs(u - 0.5) < ZONE_X && fabs(v - 0.5) < ZONE_Y;
            bool is_border = u < FRAME || v < FRAME || u > 1 - FRAME || v > 1 - FRAME;
            if (!is_body && !is_border)
                continue;
            uint8_t rgb[3];
            for (uint32_t c = 0; c < 3; c++) {
                uint64_t at = ((uint64_t)c * height + (uint32_t)(v * height)) * width + (uint32_t)(u * width);
                rgb[c] = image_level((float)(((double)pixels[at] - low) / (high - low) * 2 - 1));
            }
            Lab colour = lab_of(rgb);
            if (is_body)
                bodies[nearest(names, 0, &colour)]++;
            else
                backgrounds[(nearest(names, names->colours, &colour) - names->colours) / 2]++;
        }
    return (Painted){most(bodies, names->colours), most(backgrounds, (names->count - names->colours) / 2)};
}
