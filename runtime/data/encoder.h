// Encoder: captions to vectors of numbers, for text-conditioned networks. Built in is one that needs no training; vectors of a trained
// encoder (char-CNN-RNN) come with their data set.
#pragma once
#include <stdint.h>

typedef struct {
    const char *name;                                // as a data folder and a checkpoint store it: "ngrams-1"
    const char *summary;                             // one line for people
    uint32_t size;                                   // numbers of a vector
    void (*encode)(const char *caption, float *out); // deterministic; the same on every machine
} TextEncoder;

#define ENCODER_UNNAMED "char-CNN-RNN" // of a data folder that names none: its vectors come with it, nothing here can make them

const TextEncoder *encoder_default(void);
const TextEncoder *encoder_find(const char *name); // NULL: not built in
