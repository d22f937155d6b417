// Element: the table, and the forms that a number has.
#include "runtime/tensor/element.h"
#include <math.h>
#include <string.h>

const char *const element_names[ELEMENT_COUNT] = {
#define ELEMENT(id, name, ...) [ELEMENT_##id] = name,
#include "runtime/tensor/elements.def"
#undef ELEMENT
};

static const ElementRow rows[ELEMENT_COUNT] = {
#define ELEMENT(id, name, npy, safetensors, type, form, host, word, stored, unit, tiny, memory_vector, memory_one, vector, one, load_vector,    \
                load_one, store_vector, store_one, functions, texel)                                                                     \
    [ELEMENT_##id] = {name,                                                                                                              \
                      npy,                                                                                                               \
                      safetensors,                                                                                                       \
                      sizeof(type),                                                                                                      \
                      ELEMENT_##host,                                                                                                    \
                      ELEMENT_##word,                                                                                                    \
                      stored,                                                                                                            \
                      unit,                                                                                                              \
                      tiny,                                                                                                              \
                      {memory_vector, memory_one, vector, one, load_vector, load_one, store_vector, store_one, functions},               \
                      TEXEL_##texel},
#include "runtime/tensor/elements.def"
#undef ELEMENT
};

const ElementRow *element_row(ElementType type) { return &rows[type]; }
const char *element_name(ElementType type) { return rows[type].name; }
uint32_t element_bytes(ElementType type) { return rows[type].bytes; }
uint32_t element_stored(ElementType type) { return rows[type].stored; }
uint32_t element_vector(ElementType type) { return ELEMENT_LANES * rows[type].stored; }
uint32_t element_shared(ElementType type) { return rows[type].stored && rows[type].stored < ELEMENT_WORD ? ELEMENT_WORD / rows[type].stored : 1; }

bool element_parse(const char *name, ElementType *out) {
    for (uint32_t i = 0; i < ELEMENT_COUNT; i++)
        if (strcmp(name, element_names[i]) == 0) {
            *out = (ElementType)i;
            return true;
        }
    return false;
}

// ---- 16-bit floats

static float float_of_bits(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static uint32_t bits_of_float(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static float float_of_half(uint16_t half) {
    uint32_t sign = (uint32_t)(half & 0x8000) << 16, exponent = (half >> 10) & 31, fraction = half & 0x3FFu;
    if (exponent == 31)
        return float_of_bits(sign | 0x7F800000u | fraction << 13);
    if (exponent > 0)
        return float_of_bits(sign | (exponent + 112) << 23 | fraction << 13);
    float small = (float)fraction * 0x1p-24f; // zero and subnormals
    return sign ? -small : small;
}

static uint16_t half_of_float(float value) {
    uint32_t bits = bits_of_float(value), sign = bits >> 16 & 0x8000, magnitude = bits & 0x7FFFFFFF;
    if (isnan(value))
        return (uint16_t)(sign | 0x7E00);
    if (magnitude >= bits_of_float(65520)) // half of the way to what would come next
        return (uint16_t)(sign | 0x7C00);
    if (magnitude < bits_of_float(0x1p-14F))
        return (uint16_t)(sign | (uint32_t)rintf(float_of_bits(magnitude) * 0x1p24F)); // zero and subnormals
    return (uint16_t)(sign | (((magnitude + 0xFFF + (magnitude >> 13 & 1)) >> 13) - (112 << 10)));
}

static float float_of_brain(uint16_t brain) { return float_of_bits((uint32_t)brain << 16); }

static uint16_t brain_of_float(float value) {
    uint32_t bits = bits_of_float(value);
    return isnan(value) ? (uint16_t)(bits >> 16 | 0x40) : (uint16_t)((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

// ---- numbers

double element_number(ElementType type, const void *data, uint64_t i) {
    switch (type) {
#define REAL raw
#define HALF float_of_half(raw)
#define BRAIN float_of_brain(raw)
#define WHOLE(low, high) raw
#define TRUTH (raw != 0)
#define ELEMENT(id, name, npy, safetensors, C, form, ...)                                                                                \
    case ELEMENT_##id: {                                                                                                                 \
        C raw;                                                                                                                           \
        memcpy(&raw, (const char *)data + i * sizeof raw, sizeof raw);                                                                   \
        return (double)(form);                                                                                                           \
    }
#include "runtime/tensor/elements.def"
#undef ELEMENT
#undef REAL
#undef HALF
#undef BRAIN
#undef WHOLE
#undef TRUTH
    case ELEMENT_COUNT:
        break;
    }
    return 0;
}

void element_put(ElementType type, void *data, uint64_t i, double number) {
    switch (type) {
#define REAL number
#define HALF half_of_float((float)number)
#define BRAIN brain_of_float((float)number)
#define WHOLE(low, high) (isnan(number) ? 0 : number <= (double)(low) ? (low) : number >= (double)(high) ? (high) : number)
#define TRUTH (number != 0)
#define ELEMENT(id, name, npy, safetensors, C, form, ...)                                                                                \
    case ELEMENT_##id: {                                                                                                                 \
        C raw = (C)(form);                                                                                                               \
        memcpy((char *)data + i * sizeof raw, &raw, sizeof raw);                                                                         \
        return;                                                                                                                          \
    }
#include "runtime/tensor/elements.def"
#undef ELEMENT
#undef REAL
#undef HALF
#undef BRAIN
#undef WHOLE
#undef TRUTH
    case ELEMENT_COUNT:
        break;
    }
}

double element_round(ElementType type, double number) {
    uint64_t place;
    element_put(type, &place, 0, number);
    return element_number(type, &place, 0);
}

// ---- words

uint32_t element_word(ElementType type, double number) {
    uint64_t place = 0; // room for any type
    uint32_t word;
    element_put(rows[type].word, &place, 0, rows[type].unit > 0 ? number : element_round(type, number));
    memcpy(&word, &place, sizeof word);
    return word;
}

double element_word_number(ElementType type, uint32_t word) {
    uint64_t place = 0;
    memcpy(&place, &word, sizeof word);
    return element_number(rows[type].word, &place, 0);
}

void element_store(ElementType type, const uint32_t *words, size_t step, size_t count, void *stored) {
    if (rows[type].stored == ELEMENT_WORD && step == 1) {
        memcpy(stored, words, count * ELEMENT_WORD);
    } else if (rows[type].stored == ELEMENT_WORD) {
        uint32_t *to = stored;
        for (size_t i = 0; i < count; i++)
            to[i] = words[i * step];
    } else {
        for (size_t i = 0; i < count; i++)
            element_put(type, stored, i, element_word_number(type, words[i * step]));
    }
}

void element_load(ElementType type, const void *stored, size_t count, uint32_t *words, size_t step) {
    if (rows[type].stored == ELEMENT_WORD && step == 1) {
        memcpy(words, stored, count * ELEMENT_WORD);
    } else if (rows[type].stored == ELEMENT_WORD) {
        const uint32_t *from = stored;
        for (size_t i = 0; i < count; i++)
            words[i * step] = from[i];
    } else {
        for (size_t i = 0; i < count; i++)
            words[i * step] = element_word(type, element_number(type, stored, i));
    }
}
