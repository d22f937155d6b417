// Accumulate: whatever number of batches, each is added once, by adds that are no deeper than a balanced tree; what is added was kept.
#include "runtime/program/accumulate.h"
#include <check.h>
#include <stdlib.h>

typedef struct {
    uint32_t first, count, depth; // the sum of batches first … first + count - 1
} Sum;

static Sum add(Sum a, Sum b) {
    ck_assert_uint_eq(a.first + a.count, b.first); // in order
    ck_assert(a.count > 0 && b.count > 0);
    return (Sum){a.first, a.count + b.count, 1 + (a.depth > b.depth ? a.depth : b.depth)};
}

static void play(uint32_t batches) {
    uint32_t levels = accumulate_levels(batches), times[2][32] = {0}, finishes = 0;
    Sum kept[32] = {0};
    for (uint32_t done = 1; done <= batches; done++) {
        Sum sum = {done - 1, 1, 0};
        ck_assert(accumulate_runs(PART_BATCH, 0, batches, done));
        for (uint32_t l = 0; l < levels; l++)
            if (accumulate_runs(PART_ADD, l, batches, done)) {
                sum = add(kept[l], sum);
                kept[l] = (Sum){0};
                times[0][l]++;
            }
        for (uint32_t l = 0; l < levels; l++)
            if (accumulate_runs(PART_KEEP, l, batches, done)) {
                ck_assert_uint_eq(kept[l].count, 0);
                ck_assert_uint_eq(sum.count, (uint32_t)1 << l);
                kept[l] = sum;
                sum = (Sum){0};
                times[1][l]++;
            }
        if (!accumulate_runs(PART_FINISH, 0, batches, done))
            continue;
        ck_assert(sum.first == 0 && sum.count == batches && done == batches);
        ck_assert_uint_le(sum.depth, levels);
        finishes++;
    }
    ck_assert_uint_eq(finishes, 1);
    for (uint32_t l = 0; l < levels; l++) {
        ck_assert_uint_eq(kept[l].count, 0); // what is kept is taken
        ck_assert(times[0][l] == accumulate_times(PART_ADD, l, batches) && times[1][l] == accumulate_times(PART_KEEP, l, batches));
        ck_assert(times[0][l] > 0 && times[0][l] == times[1][l]);
    }
    ck_assert(accumulate_times(PART_BATCH, 0, batches) == batches && accumulate_times(PART_FINISH, 0, batches) == 1);
}

START_TEST(each_batch_is_added_once) {
    for (uint32_t batches = 1; batches < 300; batches++)
        play(batches);
    play(4096);
    play(5003);
    play(ACCUMULATE_MAX);
    play(ACCUMULATE_MAX - 1);
}
END_TEST

START_TEST(levels_are_the_logarithm) {
    static const uint32_t known[][2] = {{1, 0}, {2, 1}, {3, 2}, {4, 2}, {5, 3}, {8, 3}, {9, 4}, {1 << 16, 16}, {UINT32_MAX, 32}};
    for (uint32_t i = 0; i < sizeof known / sizeof *known; i++)
        ck_assert_uint_eq(accumulate_levels(known[i][0]), known[i][1]);
    ck_assert_uint_eq(accumulate_times(PART_WHOLE, 0, 1), 1);
    for (int part = 0; part < PHASE_PART_COUNT; part++)
        ck_assert(accumulate_is_led((PhasePart)part) == (part == PART_ADD || part == PART_KEEP || part == PART_FINISH));
}
END_TEST

int main(void) {
    Suite *suite = suite_create("accumulate");
    TCase *all = tcase_create("accumulate");
    tcase_add_test(all, each_batch_is_added_once);
    tcase_add_test(all, levels_are_the_logarithm);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
