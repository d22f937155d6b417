// Eval colour: does a text-to-image network paint the colours that its captions name? Measured on painted birds (runtime/data/birds.h),
// whose colours are known, with captions of body and wing colours that never occurred together in training.
//
// Every pixel of a zone is named after the nearest colour of the folder's attributes.json by distance in CIELAB. The body zone is the
// middle of the image: its colour is the palette colour with most pixels, where backgrounds compete but do not count. The border zone is
// the frame around the image: its background is the one with most pixels; only images whose captions name the background are scored.
#pragma once
#include "compiler/driver/arguments.h"

// By the command's operands and options; prints what it found. An exit code.
int eval_colour(Arguments *arguments);
