// Peaks: which of the measured ones a kernel is compared with.
#include "runtime/vk/device.h"
#include <check.h>
#include <stdlib.h>

static const double KIB = 1024, MIB = 1024 * 1024;

// Caches: small working sets are fast, but the smallest suffer from what a dispatch costs; reading is faster than writing.
static DevicePeaks peaks = {.gflops = 100,
                            .gbps = 6,
                            .streams = {[PEAK_WRITE] = {1, 4, 8, 8, 6, 4, 3, 0},
                                        [PEAK_COPY] = {2, 8, 20, 16, 12, 7, 6, 0},
                                        [PEAK_ADD] = {3, 9, 22, 18, 14, 9, 8, 0},
                                        [PEAK_READ] = {4, 12, 40, 30, 20, 12, 10, 0}}};

START_TEST(a_peak_is_of_a_size_and_a_mix) {
    static const struct {
        double read, written, gbps;
        PeakStream stream;
    } cases[] = {
        {32 * 1048576.0, 32 * 1048576.0, 8, PEAK_ADD}, // half of it read: the better of copy and add
        {64 * 1048576.0, 0, 10, PEAK_READ},
        {0, 64 * 1048576.0, 6, PEAK_COPY},       // only written: a copy was faster
        {2 * 1048576.0, 1 * 1048576.0, 30, PEAK_READ}, // of 1 MiB and more
        {16 * 1048576.0, 0, 12, PEAK_READ},
        {15 * 1048576.0, 0, 20, PEAK_READ},      // between two sizes: the faster, smaller one
        {1024, 0, 40, PEAK_READ},                // what is smaller than all is no faster than the best
        {1024.0 * 1048576.0, 0, 10, PEAK_READ},  // what is larger than all is compared with the largest that was measured
    };
    for (uint32_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        PeakStream stream;
        double gbps = device_peak_gbps(&peaks, cases[i].read, cases[i].written, &stream);
        ck_assert_msg(gbps == cases[i].gbps && stream == cases[i].stream, "case %u: %g of %s", i, gbps, device_stream_name(stream));
    }
}
END_TEST

// The larger a working set, the lower what it is compared with.
START_TEST(no_size_has_a_lower_peak_than_a_larger_one) {
    PeakStream stream;
    for (uint32_t mix = 0; mix <= 10; mix++) {
        double before = 1e30;
        for (double bytes = KIB; bytes < 4096 * MIB; bytes *= 1.5) {
            double gbps = device_peak_gbps(&peaks, bytes * mix / 10, bytes * (10 - mix) / 10, &stream);
            ck_assert(gbps > 0 && gbps <= before);
            before = gbps;
        }
    }
}
END_TEST

START_TEST(nothing_was_measured) {
    DevicePeaks none = {0};
    PeakStream stream;
    ck_assert(device_peak_gbps(&none, MIB, MIB, &stream) == 0 && device_peak_gbps(&none, 0, 0, &stream) == 0);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("peaks");
    TCase *tests = tcase_create("peaks");
    tcase_add_test(tests, a_peak_is_of_a_size_and_a_mix);
    tcase_add_test(tests, no_size_has_a_lower_peak_than_a_larger_one);
    tcase_add_test(tests, nothing_was_measured);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
