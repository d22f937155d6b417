// Random: counter-based numbers (Philox4x32-10, Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"). A number is a pure
// function of seed, name, step, repetition and element, on the host and in shaders/random.glsl alike.
#pragma once
#include <stdint.h>

typedef struct {
    uint32_t words[4];
} RandomWords;

RandomWords random_philox(const uint32_t counter[4], const uint32_t key[2]);

// FNV-1a, 64 bits, of a draw's name path ("train.denoise.eps"); the shader gets its two halves as constants.
uint64_t random_name(const char *path);

// The words of one element: counter {element, step, repetition, 0}, key = seed XOR name (low word first).
RandomWords random_element(uint64_t seed, uint64_t name, uint32_t step, uint32_t repetition, uint32_t element);

float random_uniform(RandomWords words);                  // [0, 1): word 0 >> 8, times 2^-24
uint32_t random_below(RandomWords words, uint32_t below); // high half of word 0 times `below`
// Box-Muller: sqrt(-2 ln u) cos(2 pi v) with u = ((word 0 >> 8) + 1) 2^-24, v = (word 1 >> 8) 2^-24.
double random_normal(RandomWords words);
// A permutation of 0 … count-1 drawn by Fisher-Yates: for i = count-1 … 1 place i changes with random_below(element i of (seed, name,
// step = epoch, repetition = 0), i + 1).
void random_permutation(uint64_t seed, uint64_t name, uint32_t epoch, uint32_t *order, uint32_t count);
