// Augment: what ProgramAugment makes of one picture - sizes, and the draws of crop, flip and colours - up to a field's numbers.
#pragma once
#include "runtime/data/dataset.h"

enum { AUGMENT_LEVELS = 256 };

// A field and what is done to its pictures.
typedef struct {
    uint32_t channels, height, width; // of the field: 1 or 3
    uint32_t cut[2];                  // height and width of what is cut out, which is then resized where the field is another size
    ProgramAugment augment;
    uint64_t draws;               // a name's number, see random.h
    float low, scale;             // a level is low + level * scale
    float levels[AUGMENT_LEVELS]; // the same of each byte
} Augment;

// Of declared field `field`, an f32[1 or 3, h, w] or f32[h, w]; false where it is none (not reported).
bool augment_create(const ProgramData *declared, uint32_t field, const ProgramAugment *augment, const char *draws, Augment *out);
// Grey by Rec. 601's weights as Pillow has them, or red = green = blue; in the arena.
void augment_channels(Arena *arena, Image *picture, uint32_t channels);
// The size that a picture of height x width pixels gets before it is cropped.
void augment_size(const Augment *augment, uint32_t height, uint32_t width, uint32_t *out_height, uint32_t *out_width);
// A decoder may give pictures down to this size; 0: as stored.
void augment_least(const Augment *augment, uint32_t *height, uint32_t *width);
// The field's numbers, [channels, height, width], from a picture of the size of augment_size and as many channels. 0: nothing is drawn.
void augment_cut(const Augment *augment, const Image *picture, uint32_t record, uint64_t draw, float *out);
// The same of an array [channels, height, width] of numbers (whose black and white the field's range is) instead of a picture; what is cut
// out has the field's size.
void augment_cut_numbers(const Augment *augment, const float *numbers, uint32_t height, uint32_t width, uint32_t record, uint64_t draw,
                         float *out);
