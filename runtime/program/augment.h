// Augment: what a graph wants done with the pictures of a data set. No code: runtime/data/augment.c does it.
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum { AUGMENT_SIDE_MAX = 16384 }; // of what is resized to

// What becomes of a data set's pictures, in this order. A picture that would be smaller than what is cut out of it is made as large as that.
// All draws are functions of the record and the draw (see runtime/data/dataset.h), the same for all pictures of a record; sequential feeds draw nothing:
// the centre, unmirrored, in its own colours.
typedef struct {
    // [height, width]. Width 0: the shorter side becomes `height`, in proportion. Both 0: the size in which it is stored where `crop` is
    // given, else the smallest that covers the field.
    uint32_t resize[2];
    uint32_t crop[2]; // [height, width], at a drawn place; 0: the middle, in the field's size
    bool flip;        // every second one is mirrored, left to right
    double colour;    // c: brightness, contrast and saturation times numbers drawn from 1 - c … 1 + c; 0 … 1
} ProgramAugment;
