// Element: the table of element types, and numbers between the forms that it names.
#pragma once
#include "runtime/base/arena.h"
#include <stdbool.h>

typedef enum {
#define ELEMENT(id, ...) ELEMENT_##id,
#include "runtime/tensor/elements.def"
#undef ELEMENT
    ELEMENT_COUNT
} ElementType;

// How vec4s of elements can be loaded as texels. Vulkan's name of a format is the device's business.
typedef enum { TEXEL_NONE, TEXEL_RGBA32F } TexelFormat;

typedef struct {
    const char *name, *npy, *safetensors;
    uint32_t bytes; // in files
    ElementType host, word;
    uint32_t stored; // bytes in device memory
    double unit, tiny;
    struct {
        const char *memory_vector, *memory_one, *vector, *one; // types
        const char *load_vector, *load_one, *store_vector, *store_one;
        const char *functions;
    } glsl;
    TexelFormat texel;
} ElementRow;

// What one element takes where it waits for a device or comes from it: a word, which is a float, an int32_t or a uint32_t.
enum { ELEMENT_WORD = sizeof(uint32_t) };
// The first rows are the words themselves.
enum { ELEMENT_WORDS = ELEMENT_U32 + 1 };
// Elements of a vec4, and of the grain to which rows of a tensor are padded.
enum { ELEMENT_LANES = 4 };

extern const char *const element_names[ELEMENT_COUNT]; // those of graphs first
const ElementRow *element_row(ElementType type);
const char *element_name(ElementType type);                // "f32"
bool element_parse(const char *name, ElementType *out);
uint32_t element_bytes(ElementType type);                  // of one in files and in host memory
uint32_t element_stored(ElementType type);                 // bytes of one in device memory; 0: no device stores it
uint32_t element_vector(ElementType type);                 // bytes of ELEMENT_LANES of them there
uint32_t element_shared(ElementType type);                 // how many share a uint there; 1: none does

// Element i of numbers in host memory, and its place taken by a number: integers are cut off towards zero, as NumPy's astype does it, and stop at
// the type's ends; NaN is 0, and true; 16-bit floats are rounded to the nearest, ties to even. `data` need not be aligned.
double element_number(ElementType type, const void *data, uint64_t i);
void element_put(ElementType type, void *data, uint64_t i, double number);
// The number as what the type can hold, by the same rules.
double element_round(ElementType type, double number);

// A number as a word, and back. A word of a 16-bit float is a float that is not rounded yet.
uint32_t element_word(ElementType type, double number);
double element_word_number(ElementType type, uint32_t word);
// `count` words, `step` words apart, to as many neighbours in device memory, and back. Elements that share a uint begin with a whole one.
void element_store(ElementType type, const uint32_t *words, size_t step, size_t count, void *stored);
void element_load(ElementType type, const void *stored, size_t count, uint32_t *words, size_t step);
