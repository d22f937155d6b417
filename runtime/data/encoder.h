// Encoder: captions to vectors of numbers, for text-conditioned networks. Built in is one that needs no training; vectors of a trained
// encoder (char-CNN-RNN) come with their data set.
#pragma once
#include <stdint.h>

typedef struct {
    const char *name;                                // as a data folder and a checkpoint store it: "ngrams-2"
    const char *summary;                             // one line for people
    uint32_t size;                                   // numbers of a vector
    void (*encode)(const char *caption, float *out); // deterministic; the same on every machine
} TextEncoder;

#define ENCODER_UNNAMED "char-CNN-RNN" // of a data folder that names none: its vectors come with it, nothing here can make them

// "ngrams-2": 1024 numbers by signed feature hashing (Weinberger et al. 2009, "Feature hashing for large scale multitask learning").
//
// A caption is cut into words: runs of ASCII letters (lower-cased), digits and bytes from 0x80 on. A clause ends at . , ; : ! ? ( ) and at
// connecting words ("and", "with", "whose", "it" …). These and function words ("this", "is", "a" …) are left out, unless there are no
// others. Features of what remains:
//   weight 8   each pair of words of one clause that stand at most two apart, in their order
//   weight 2   each word
//   weight 1   each run of 3 or 4 bytes of "^word$", for words that were never seen
// so that most of the squared length says which colour goes with which part: "white belly" is told from "white wings", and "a white belly
// and black wings" from "a black belly and white wings".
// A feature is FNV-1a (64 bits) of its kind (1, 2, 3) and bytes, a pair's words parted by a blank, then mixed by the finalizer of
// splitmix64; the low 10 bits are its place, the highest bit its sign. The sums are integers, hence exact; the vector is their sum scaled
// to length 64 (2 a number in the mean, so that weights drawn from N(0, 0.02) see inputs of a useful size). No words: all zero.
const TextEncoder *encoder_default(void);
const TextEncoder *encoder_find(const char *name); // NULL: not built in
