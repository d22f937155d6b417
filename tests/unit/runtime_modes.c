// Modes: exact counts on points made up here, and the modes that data sets say they have.
#include "runtime/data/dataset.h"
#include "runtime/data/modes.h"
#include <check.h>
#include <math.h>
#include <stdlib.h>

static Arena *arena;
static Diag *diag;

static void set_up(void) {
    arena = arena_create();
    diag = diag_create(arena);
}

static void tear_down(void) { arena_destroy(&arena); }

static const double CENTRES[4][2] = {{0, 0}, {1, 0}, {0, 1}, {-4, -4}};
static const DatasetModes MODES = {CENTRES, 4, 0.125}; // good within 0.375

START_TEST(exact_counts) {
    const float points[][2] = {
        {0, 0},        {0.375f, 0},  {0.3750001f, 0}, {0, 0.5f}, {0.25f, 0.25f}, {0.3f, 0.3f}, {0.9f, 0.1f}, {-4, -4},
        {-4, -3.625f}, {100, 1e30f}, {NAN, 0},        {0, NAN},  {INFINITY, 0},  {1, -0.25f},  {0, -0.375f}, {-0.38f, 0},
    };
    ModesFound found = modes_find(arena, &MODES, points[0], sizeof points / sizeof *points);
    ck_assert_uint_eq(found.count, 16);
    ck_assert_uint_eq(found.not_finite, 3);
    ck_assert_uint_eq(found.per_mode[0], 4); // at the very edge is inside
    ck_assert_uint_eq(found.per_mode[1], 2);
    ck_assert_uint_eq(found.per_mode[2], 0);
    ck_assert_uint_eq(found.per_mode[3], 2);
    ck_assert_uint_eq(found.good, 8);
    ck_assert_uint_eq(found.hit, 3);
    ck_assert_uint_eq(found.least, 0);
    ck_assert_uint_eq(found.most, 4);
    ck_assert_double_eq(found.median, 2);
}
END_TEST

START_TEST(nothing_and_one) {
    ModesFound found = modes_find(arena, &MODES, NULL, 0);
    ck_assert(found.count == 0 && found.good == 0 && found.hit == 0 && found.most == 0);
    ck_assert_double_eq(found.median, 0);
    const float point[2] = {1, 0};
    found = modes_find(arena, &(DatasetModes){CENTRES, 3, 1}, point, 1); // the nearest takes it, though it is within reach of all
    ck_assert(found.good == 1 && found.hit == 1 && found.per_mode[1] == 1 && found.most == 1);
    found = modes_find(arena, &(DatasetModes){CENTRES, 0, 1}, point, 1);
    ck_assert(found.count == 1 && found.good == 0 && found.least == 0);
}
END_TEST

// Each record lies where its own data set says that its mode is.
START_TEST(data_sets_say_their_modes) {
    static const struct {
        const char *spec;
        uint32_t modes;
        double deviation, reach;
    } cases[] = {{"ring", 8, 0.02, 2}, {"grid", 25, 0.05, 4}};
    for (uint32_t c = 0; c < 2; c++) {
        enum { COUNT = 8000 };
        Dataset *dataset = dataset_open(arena, cases[c].spec, dataset_natural_fields(arena, cases[c].spec, diag), diag);
        ck_assert_ptr_nonnull(dataset);
        const DatasetModes *modes = dataset->modes;
        ck_assert_ptr_nonnull(modes);
        ck_assert_uint_eq(modes->count, cases[c].modes);
        ck_assert_double_eq(modes->deviation, cases[c].deviation);
        float *points = ARENA_NEW(arena, float, 2 * COUNT);
        double square = 0, reach = 0;
        for (uint32_t i = 0; i < COUNT; i++) {
            uint32_t mode;
            ck_assert(dataset->fetch(dataset, 0, i, 0, 0, points + 2 * i, diag) && dataset->fetch(dataset, 0, i, 1, 0, &mode, diag));
            double x = (double)points[2 * i] - modes->centres[mode][0], y = (double)points[2 * i + 1] - modes->centres[mode][1];
            square += (x * x + y * y) / (2 * COUNT);
            reach = fmax(reach, fabs(modes->centres[mode][0]));
        }
        ck_assert_double_eq_tol(reach, cases[c].reach, 1e-12);
        ck_assert_double_eq_tol(sqrt(square), cases[c].deviation, 0.03 * cases[c].deviation);
        ModesFound found = modes_find(arena, modes, points, COUNT);
        ck_assert_uint_eq(found.hit, cases[c].modes);
        ck_assert_double_eq_tol((double)found.good / COUNT, 0.98889, 0.005); // 1 - exp(-9/2)
    }
    Dataset *random = dataset_open(arena, "random:4", dataset_natural_fields(arena, "random:4", diag), diag);
    ck_assert(!random || !random->modes);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("modes");
    TCase *tests = tcase_create("modes");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, exact_counts);
    tcase_add_test(tests, nothing_and_one);
    tcase_add_test(tests, data_sets_say_their_modes);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
