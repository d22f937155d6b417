// Random: the published test vectors and the draws made of them.
#include "runtime/base/random.h"
#include <check.h>
#include <math.h>
#include <stdlib.h>

START_TEST(known_answers) {
    // kat_vectors of the Random123 distribution, "philox4x32 10".
    static const struct {
        uint32_t counter[4], key[2], words[4];
    } cases[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}, {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        RandomWords words = random_philox(cases[i].counter, cases[i].key);
        for (int j = 0; j < 4; j++)
            ck_assert_uint_eq(words.words[j], cases[i].words[j]);
    }
}
END_TEST

START_TEST(name_is_fnv1a) {
    ck_assert(random_name("") == 0xcbf29ce484222325u);
    ck_assert(random_name("a") == 0xaf63dc4c8601ec8cu);
    ck_assert(random_name("foobar") == 0x85944171f73967e8u);
}
END_TEST

START_TEST(element_counter_and_key) {
    const uint32_t counter[4] = {4, 2, 3, 0}, key[2] = {0x89abcdef ^ 0x11111111, 0x01234567 ^ 0x22222222};
    RandomWords wanted = random_philox(counter, key), words = random_element(0x0123456789abcdef, 0x2222222211111111, 2, 3, 4);
    ck_assert_mem_eq(&words, &wanted, sizeof words);
}
END_TEST

START_TEST(edges) {
    RandomWords low = {{0, 0, 0, 0}}, high = {{UINT32_MAX, UINT32_MAX, 0, 0}};
    ck_assert(random_uniform(low) == 0.0f);
    ck_assert(random_uniform(high) == 1.0f - 0x1p-24f);
    ck_assert_uint_eq(random_below(high, 10), 9);
    ck_assert_uint_eq(random_below(low, 10), 0);
    ck_assert_uint_eq(random_below(high, 0), 0);
    ck_assert_double_eq_tol(random_normal(low), sqrt(48.0 * log(2.0)), 1e-12);
    ck_assert(random_normal(high) == 0.0);
}
END_TEST

START_TEST(moments) {
    enum { COUNT = 100000 };
    double sum = 0, squares = 0, uniform = 0;
    for (uint32_t i = 0; i < COUNT; i++) {
        RandomWords words = random_element(7, random_name("eps"), 0, 0, i);
        double normal = random_normal(words);
        sum += normal;
        squares += normal * normal;
        uniform += (double)random_uniform(words);
    }
    ck_assert_double_eq_tol(sum / COUNT, 0.0, 0.02);
    ck_assert_double_eq_tol(squares / COUNT, 1.0, 0.03);
    ck_assert_double_eq_tol(uniform / COUNT, 0.5, 0.01);
}
END_TEST

START_TEST(permutation) {
    enum { COUNT = 1000 };
    uint32_t order[COUNT], other[COUNT], in_place = 0, equal = 0;
    char seen[COUNT] = {0};
    random_permutation(1, 2, 3, order, COUNT);
    random_permutation(1, 2, 4, other, COUNT);
    for (uint32_t i = 0; i < COUNT; i++) {
        ck_assert_uint_lt(order[i], COUNT);
        ck_assert_int_eq(seen[order[i]]++, 0);
        in_place += order[i] == i;
        equal += order[i] == other[i];
    }
    ck_assert_uint_lt(in_place, 10);
    ck_assert_uint_lt(equal, 10);
    // The last place changes with an earlier one first, by its own element's number.
    uint32_t pair[2];
    random_permutation(5, 6, 7, pair, 2);
    ck_assert_uint_eq(pair[1] == 0, random_below(random_element(5, 6, 7, 0, 1), 2) == 0);
    random_permutation(1, 2, 3, NULL, 0);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("random");
    TCase *cases = tcase_create("random");
    tcase_add_test(cases, known_answers);
    tcase_add_test(cases, name_is_fnv1a);
    tcase_add_test(cases, element_counter_and_key);
    tcase_add_test(cases, edges);
    tcase_add_test(cases, moments);
    tcase_add_test(cases, permutation);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
