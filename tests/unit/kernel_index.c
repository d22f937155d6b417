// Index maps: canonical form, vanishing quotients, bounds; and random expressions against plain evaluation.
#include "compiler/kernel/index.h"
#include "runtime/base/random.h"
#include <check.h>
#include <stdlib.h>

static Arena *arena;
static IndexPool *pool;

static void set_up(void) {
    arena = arena_create();
    pool = index_pool_create(arena);
}
static void tear_down(void) { arena_destroy(&arena); }

static const char *shown(Index index) {
    Text text = text_create(arena);
    index_print(&text, index, NULL, NULL);
    return text.data;
}

START_TEST(reshape_of_a_multiple_vanishes) {
    Index x = index_variable(pool, "x", 0, 99), lane = index_variable(pool, "lane", 0, 3);
    Index linear = index_add(pool, index_scale(pool, x, 4), lane);
    ck_assert_str_eq(shown(index_divide(pool, linear, 4)), "x");
    ck_assert_str_eq(shown(index_modulo(pool, linear, 4)), "lane");
    ck_assert_str_eq(shown(index_modulo(pool, index_divide(pool, index_variable(pool, "y", 0, 3), 1), 4)), "y");
}
END_TEST

START_TEST(quotient_and_remainder_join) {
    Index x = index_variable(pool, "x", 0, 999);
    Index joined = index_add(pool, index_scale(pool, index_divide(pool, x, 7), 7), index_modulo(pool, x, 7));
    ck_assert_str_eq(shown(joined), "x");
    Index two = index_add(pool, index_scale(pool, index_modulo(pool, index_divide(pool, x, 7), 5), 7), index_modulo(pool, x, 7));
    ck_assert_str_eq(shown(two), "((x) % 35)");
}
END_TEST

START_TEST(a_lane_stays_inside_its_grain) {
    Index j = index_variable(pool, "j", 0, 63), lane = index_variable(pool, "lane", 0, 3);
    Index linear = index_add(pool, index_scale(pool, j, 4), lane);
    ck_assert_str_eq(shown(index_divide(pool, linear, 8)), "((j) / 2)");
    Index rest = index_modulo(pool, linear, 8), without;
    int64_t stride;
    ck_assert(index_split(pool, rest, index_atom(lane), &stride, &without));
    ck_assert_int_eq(stride, 1);
    ck_assert(index_is_multiple(without, 4));
    ck_assert(!index_split(pool, index_divide(pool, linear, 3), index_atom(lane), &stride, &without));
}
END_TEST

static int64_t evaluate(Index index, const int64_t *values);

static int64_t evaluate_atom(const Atom *atom, const int64_t *values) {
    if (atom->kind == ATOM_VARIABLE)
        return values[atom->name[0] - 'a'];
    int64_t base = evaluate(atom->base, values);
    ck_assert_int_ge(base, 0);
    return atom->kind == ATOM_DIVIDE ? base / atom->divisor : base % atom->divisor;
}

static int64_t evaluate(Index index, const int64_t *values) {
    int64_t sum = index.constant;
    for (uint32_t i = 0; i < index.count; i++)
        sum += index.terms[i].coefficient * evaluate_atom(index.terms[i].atom, values);
    return sum;
}

START_TEST(random_expressions_keep_their_value) {
    uint32_t draws = 0;
    for (uint32_t round = 0; round < 3000; round++) {
        static const char *const names[3] = {"a", "b", "c"};
        int64_t extents[3], values[3], expected = 0;
        Index index = index_constant(0);
#define DRAW(n) (random_below(random_element(7, 1, round, 0, draws++), (n)))
        for (int i = 0; i < 3; i++) {
            extents[i] = 1 + DRAW(12);
            values[i] = DRAW((uint32_t)extents[i]);
        }
        pool = index_pool_create(arena);
        for (int step = 0; step < 8; step++) {
            uint32_t which = DRAW(3);
            int64_t number = 1 + DRAW(12), first, last;
            index_bounds(index, &first, &last);
            Index variable = index_variable(pool, names[which], 0, extents[which] - 1);
            switch (DRAW(6)) {
            case 0: index = index_add(pool, index, index_scale(pool, variable, number)), expected += values[which] * number; break;
            case 1: index = index_divide(pool, index, number), expected /= number; break;
            case 2: index = index_modulo(pool, index, number), expected %= number; break;
            case 3: index = index_add_constant(pool, index, number), expected += number; break;
            case 4: index = index_scale(pool, index, number), expected *= number; break;
            case 5: index = index_add_constant(pool, index_scale(pool, index, -1), last), expected = last - expected; break; // flipped
            }
            int64_t low, high, value = evaluate(index, values);
            index_bounds(index, &low, &high);
            ck_assert_int_eq(value, expected);
            ck_assert_int_le(low, value);
            ck_assert_int_ge(high, value);
        }
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("index");
    TCase *tests = tcase_create("index");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, reshape_of_a_multiple_vanishes);
    tcase_add_test(tests, quotient_and_remainder_join);
    tcase_add_test(tests, a_lane_stays_inside_its_grain);
    tcase_add_test(tests, random_expressions_keep_their_value);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
