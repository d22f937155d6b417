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

// "ngrams-1": 1024 numbers by signed feature hashing (Weinberger et al. 2009, "Feature hashing for large scale multitask learning").
//
// A caption is cut into words: runs of ASCII letters (lower-cased), digits and bytes from 0x80 on; everything else parts words. Function
// words ("this", "is", "with" …) are left out, unless there are no others. Features of what remains, w_1 … w_n:
//   weight 4   each word w_i, and each pair of neighbours (w_i, w_i+1)
//   weight 1   each run of 3 to 5 bytes of "^" w_i "$", for words that were never seen
// so that in a caption of ten words two thirds of the squared length are words and pairs: "white belly" is told from "white wings".
// A feature is FNV-1a (64 bits) of its kind (1, 2, 3) and bytes, a pair's words parted by a blank, then mixed by the finalizer of
// splitmix64; the low 10 bits are its place, the highest bit its sign. The sums are integers, hence exact; the vector is their sum scaled
// to length 64 (2 a number in the mean, so that weights drawn from N(0, 0.02) see inputs of a useful size). No words: all zero.
const TextEncoder *encoder_default(void);
const TextEncoder *encoder_find(const char *name); // NULL: not built in
