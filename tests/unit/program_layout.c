// Layouts: sizes, strides, and that store and load are each other's inverse with zero padding.
#include "runtime/program/layout.h"
#include <check.h>
#include <stdlib.h>

static const struct {
    uint32_t rank, dims[LAYOUT_RANK_MAX];
    uint8_t order[LAYOUT_RANK_MAX];
    uint64_t count;
    uint32_t strides[LAYOUT_RANK_MAX];
} rows[] = {
    {0, {0}, {0}, 4, {0}},
    {1, {1}, {0}, 4, {1}},
    {1, {7}, {0}, 8, {1}},
    {2, {3, 5}, {0, 1}, 24, {8, 1}},
    {2, {3, 5}, {1, 0}, 20, {1, 4}},
    {4, {2, 3, 4, 5}, {0, 2, 3, 1}, 160, {80, 1, 20, 4}},
    {4, {2, 3, 4, 5}, {0, 1, 2, 3}, 192, {96, 32, 8, 1}},
    {4, {5, 6, 3, 3}, {2, 3, 1, 0}, 432, {1, 8, 144, 48}},
    {6, {2, 1, 3, 2, 1, 2}, {5, 4, 3, 2, 1, 0}, 48, {1, 4, 4, 12, 24, 24}},
};

START_TEST(sizes) {
    Layout layout = layout_make(rows[_i].rank, rows[_i].dims, rows[_i].order);
    uint32_t strides[LAYOUT_RANK_MAX] = {0};
    ck_assert_uint_eq(layout_count(&layout), rows[_i].count);
    ck_assert_uint_eq(layout_size(&layout, ELEMENT_F32), rows[_i].count * 4);
    ck_assert_uint_eq(layout_size(&layout, ELEMENT_BOOL), rows[_i].count * 4);
    ck_assert_uint_eq(layout_size(&layout, ELEMENT_F16), rows[_i].count * 2);
    ck_assert_uint_eq(layout_inner(&layout) % 4, 0);
    layout_strides(&layout, strides);
    for (uint32_t i = 0; i < rows[_i].rank; i++)
        ck_assert_uint_eq(strides[i], rows[_i].strides[i]);
}
END_TEST

static const ElementType types[] = {ELEMENT_U32, ELEMENT_F32, ELEMENT_F16, ELEMENT_BF16, ELEMENT_U8};
enum { ROW_COUNT = sizeof rows / sizeof *rows, TYPE_COUNT = sizeof types / sizeof *types };

static uint64_t physical_at(ElementType type, const void *physical, uint64_t i) {
    uint64_t bits = 0;
    memcpy(&bits, (const char *)physical + i * element_stored(type), element_stored(type));
    return bits;
}

START_TEST(store_and_load) {
    int row = _i / TYPE_COUNT;
    ElementType type = types[_i % TYPE_COUNT];
    Layout layout = layout_make(rows[row].rank, rows[row].dims, rows[row].order);
    uint32_t logical[512], physical[512], back[512], strides[LAYOUT_RANK_MAX] = {0};
    uint64_t count = layout_logical_count(&layout), used = 0, size = layout_size(&layout, type);
    for (uint32_t i = 0; i < count; i++)
        logical[i] = element_word(type, i % 200 + 1); // small enough for all types
    memset(physical, 0xFF, sizeof physical);
    memset(back, 0, sizeof back);
    layout_store(&layout, type, logical, physical);
    layout_strides(&layout, strides);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t rest = i, at = 0, word;
        for (uint32_t axis = layout.rank; axis-- > 0;) {
            at += rest % layout.dims[axis] * strides[axis];
            rest /= layout.dims[axis];
        }
        element_load(type, (const char *)physical + (size_t)at * element_stored(type), 1, &word, 1);
        ck_assert_double_eq(element_word_number(type, word), i % 200 + 1);
    }
    for (uint64_t i = 0; i < layout_count(&layout); i++)
        used += physical_at(type, physical, i) != 0;
    ck_assert_uint_eq(used, count);
    ck_assert_uint_eq(((const unsigned char *)physical)[size], 0xFF);
    layout_load(&layout, type, physical, back);
    ck_assert_mem_eq(logical, back, count * sizeof *back);
    ck_assert_uint_eq(back[count], 0);
}
END_TEST

START_TEST(compares_and_saturates) {
    uint32_t huge[] = {UINT32_MAX, UINT32_MAX, UINT32_MAX}, small[] = {2, 3};
    Layout a = layout_make(2, small, NULL), b = layout_make(2, small, (uint8_t[]){0, 1}), c = layout_make(2, small, (uint8_t[]){1, 0});
    Layout overflow = layout_make(3, huge, NULL);
    ck_assert(layout_equal(&a, &b) && !layout_equal(&a, &c));
    ck_assert_uint_eq(layout_count(&overflow), UINT64_MAX);
    ck_assert_uint_eq(layout_size(&overflow, ELEMENT_F16), UINT64_MAX);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("layout");
    TCase *cases = tcase_create("layout");
    tcase_add_loop_test(cases, sizes, 0, ROW_COUNT);
    tcase_add_loop_test(cases, store_and_load, 0, ROW_COUNT * TYPE_COUNT);
    tcase_add_test(cases, compares_and_saturates);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
