// Elements: each row's own promises, the corners of 16-bit floats, what does not fit.
#include "runtime/tensor/element.h"
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

START_TEST(rows_are_whole) {
    ElementType type = (ElementType)_i, parsed;
    const ElementRow *row = element_row(type);
    ck_assert(element_parse(row->name, &parsed) && parsed == type);
    ck_assert_ptr_nonnull(row->safetensors);
    ck_assert_ptr_eq(element_row(row->host), element_row(element_row(row->host)->host));
    ck_assert_int_lt(row->word, ELEMENT_WORDS);
    ck_assert_uint_eq(element_bytes(row->word), ELEMENT_WORD);
    ck_assert_uint_eq(element_stored(type) % 2, 0);
    ck_assert_uint_le(element_stored(type), ELEMENT_WORD);
    ck_assert_int_eq(row->glsl.vector != NULL, row->stored > 0);
    ck_assert_int_eq(row->glsl.store_one != NULL, row->stored == ELEMENT_WORD);
    for (uint32_t i = 0; i < ELEMENT_COUNT; i++)
        ck_assert(i == (uint32_t)_i || strcmp(element_names[i], row->name) != 0);
}
END_TEST

// What every type can hold passes through all of its forms.
START_TEST(small_numbers_survive) {
    ElementType type = (ElementType)_i;
    double places[3];
    uint32_t words[2] = {0}, stored[2] = {0}, back[2] = {0};
    for (uint32_t i = 0; i < 3; i++)
        element_put(type, places, i, i % 2);
    for (uint32_t i = 0; i < 3; i++)
        ck_assert_double_eq(element_number(type, places, i), i % 2);
    if (!element_stored(type))
        return;
    for (uint32_t i = 0; i < 2; i++)
        words[i] = element_word(type, i);
    element_store(type, words, 1, 2, stored);
    element_load(type, stored, 2, back, 1);
    ck_assert_mem_eq(words, back, sizeof words);
    ck_assert_double_eq(element_word_number(type, back[1]), 1);
}
END_TEST

static const struct {
    ElementType type;
    double number, kept;
} numbers[] = {
    {ELEMENT_F16, 1.0 / 3, 0x1.554p-2},
    {ELEMENT_F16, 2049, 2048}, // half of the way: to the even neighbour
    {ELEMENT_F16, 2051, 2052},
    {ELEMENT_F16, 65519.996, 65504},
    {ELEMENT_F16, 65520, INFINITY},
    {ELEMENT_F16, -1e30, -INFINITY},
    {ELEMENT_F16, 0x1p-14 - 0x1p-26, 0x1p-14}, // rounds up to the smallest normal number
    {ELEMENT_F16, 0x1.8p-24, 0x1p-23},
    {ELEMENT_F16, 0x1p-25, 0},
    {ELEMENT_F16, -0x1.02p-25, -0x1p-24},
    {ELEMENT_BF16, 1.0 / 3, 0x1.56p-2},
    {ELEMENT_BF16, 257, 256},
    {ELEMENT_BF16, 259, 260},
    {ELEMENT_BF16, 3.4e38, INFINITY},
    {ELEMENT_U8, 300, 255},
    {ELEMENT_U8, -3, 0},
    {ELEMENT_U8, 2.9, 2},
    {ELEMENT_I8, -1000, -128},
    {ELEMENT_I16, 40000, 32767},
    {ELEMENT_I32, -1e10, INT32_MIN},
    {ELEMENT_U32, 1e10, UINT32_MAX},
    {ELEMENT_I32, NAN, 0},
    {ELEMENT_BOOL, NAN, 1},
    {ELEMENT_BOOL, 0.5, 1},
    {ELEMENT_I64, 1e30, 0x1.fffffffffffffp62},
    {ELEMENT_F32, 1.0 / 3, 0x1.555556p-2},
};

START_TEST(rounds) { ck_assert_double_eq(element_round(numbers[_i].type, numbers[_i].number), numbers[_i].kept); }
END_TEST

START_TEST(halves_are_exact) {
    for (uint32_t bits = 0; bits < 0x10000; bits++) {
        uint16_t half = (uint16_t)bits, again;
        for (uint32_t k = 0; k < 2; k++) {
            ElementType type = k ? ELEMENT_BF16 : ELEMENT_F16;
            double number = element_number(type, &half, 0);
            element_put(type, &again, 0, number);
            ck_assert(isnan(number) ? isnan(element_number(type, &again, 0)) : again == half);
        }
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("element");
    TCase *cases = tcase_create("element");
    tcase_add_loop_test(cases, rows_are_whole, 0, ELEMENT_COUNT);
    tcase_add_loop_test(cases, small_numbers_survive, 0, ELEMENT_COUNT);
    tcase_add_loop_test(cases, rounds, 0, sizeof numbers / sizeof *numbers);
    tcase_add_test(cases, halves_are_exact);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
