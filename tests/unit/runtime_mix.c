// Mix: which loop of machine code is the one that does the work, and what it consists of.
#include "runtime/bench/mix.h"
#include <check.h>
#include <stdlib.h>

static Arena *arena;
static void begin(void) { arena = arena_create(); }
static void end(void) { arena_destroy(&arena); }

static Mix mix_of(const char *text) {
    Mix mix;
    ck_assert_msg(mix_of_loop(arena, text, &mix), "no loop:\n%s", text);
    return mix;
}

static void expect(const Mix *mix, uint32_t multiply_adds, uint32_t matrix, uint32_t vector, uint32_t shared, uint32_t memory, uint32_t scalar) {
    const uint32_t wanted[MIX_CLASS_COUNT] = {multiply_adds, matrix, vector, shared, memory, scalar};
    for (uint32_t i = 0; i < MIX_CLASS_COUNT; i++)
        ck_assert_msg(mix->counts[i] == wanted[i], "%s: %u instead of %u", mix_class_names[i], mix->counts[i], wanted[i]);
}

START_TEST(every_class_is_counted) {
    Mix mix = mix_of("BB0:\n"
                     "\tv_fma_f32 v0, v1, v2, v3                 ; before the loop\n"
                     "BB1:\n"
                     "\ts_cmp_ge_i32 s4, 3                       ; bf038004\n"
                     "\ts_cbranch_scc1 BB2                       ; forward\n"
                     "\tbuffer_load_dwordx4 v[28:31], v26, s[12:15], 0 offen\n"
                     "\ts_waitcnt vmcnt(0)\n"
                     "\tds_write_b128 v26, v[28:31]\n"
                     "\tds_read_b128 v[44:47], v25 offset:16\n"
                     "\tv_fmac_f32_e32 v11, v28, v44\n"
                     "\tv_dual_fmac_f32 v1, v2, v3 :: v_dual_mov_b32 v4, v5\n"
                     "\tv_dual_fmac_f32 v1, v2, v3 :: v_dual_fmac_f32 v4, v5, v6\n"
                     "\tv_wmma_f32_16x16x16_f16 v[0:7], v[8:15], v[16:23], v[0:7]\n"
                     "\tv_add_nc_u32_e32 v27, 2, v27\n"
                     "\ts_branch BB1\n"
                     "BB2:\n"
                     "\tv_fma_f32 v0, v1, v2, v3\n"
                     "\ts_endpgm\n");
    expect(&mix, 4, 1, 2, 2, 1, 4);
    ck_assert_uint_eq(mix.first, 3);
    ck_assert_uint_eq(mix.last, 15);
    ck_assert(mix_share(&mix) == 5.0 / 10);
}
END_TEST

// Of nested loops the one in which the multiply-adds stand; what is staged for it in loops within belongs to it.
START_TEST(loops_within_belong_to_it) {
    static const char text[] = "BB1:\n\tv_mov_b32 v0, v1\nBB2:\n"
                               "BB3:\n\tds_write_b128 v26, v[28:31]\n\ts_cbranch_scc0 BB3\n"
                               "\tv_fmac_f32_e32 v11, v28, v44\n\tv_fmac_f32_e32 v11, v28, v44\n"
                               "BB4:\n\tv_fmac_f32_e32 v11, v28, v44\n\ts_cbranch_scc0 BB4\n"
                               "\ts_cbranch_scc0 BB2\n\ts_branch BB1\n\ts_endpgm";
    Mix mix = mix_of(text);
    expect(&mix, 3, 0, 0, 1, 0, 3);
    ck_assert_uint_eq(mix.first, 3);
}
END_TEST

START_TEST(a_loop_without_multiply_adds_is_one_too) {
    Mix mix = mix_of("BB1:\n\tv_add_f32 v0, v1, v2\n\ts_cbranch_scc0 BB1\nBB2:\n\tv_add_f32 v0, v1, v2\n\tv_max_f32 v0, v1, v2\n\ts_cbranch_scc0 BB2\n");
    expect(&mix, 0, 0, 2, 0, 0, 1);
    ck_assert(mix_share(&mix) == 0);
}
END_TEST

START_TEST(what_has_no_loop_has_no_mix) {
    static const char *const texts[] = {"", "\n", "BB0:", "\tv_fmac_f32 v0, v1, v2\n\ts_branch BB1\nBB1:\n\ts_endpgm\n", "BB1:\n\tunknown_jump BB1\n",
                                        "\ts_branch\n", ":\n\ts_branch :\n", "; BB1:\n\ts_branch BB1"};
    Mix mix;
    for (uint32_t i = 0; i < sizeof texts / sizeof *texts; i++)
        ck_assert_msg(!mix_of_loop(arena, texts[i], &mix) && mix_share(&mix) == 0, "%u", i);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("runtime_mix");
    TCase *tests = tcase_create("mix");
    tcase_add_checked_fixture(tests, begin, end);
    tcase_add_test(tests, every_class_is_counted);
    tcase_add_test(tests, loops_within_belong_to_it);
    tcase_add_test(tests, a_loop_without_multiply_adds_is_one_too);
    tcase_add_test(tests, what_has_no_loop_has_no_mix);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
