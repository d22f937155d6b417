// Mix: which loop of machine code is the one that does the work, and what it consists of.
#include "runtime/bench/mix.h"
#include <check.h>
#include <stdlib.h>

static Arena *arena;
static void begin(void) { arena = arena_create(); }
static void end(void) { arena_destroy(&arena); }

static Mix mix_in(const char *name, const char *text) {
    Mix mix;
    ck_assert_msg(mix_of_loop(arena, name, text, &mix), "no loop:\n%s", text);
    return mix;
}

static Mix mix_of(const char *text) { return mix_in("Assembly", text); }

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

// Predicates, results before `=`, what a warp has in common, blocks that have labels.
START_TEST(nak_is_read) {
    Mix mix = mix_in("NAK assembly", "block.u 0 L2 [] -> {\n      r0       = s2r sr[0x21]                 // delay=1\n} -> [1]\n"
                                     "block.u 1 L4 [0, 1] -> {\n"
                                     "      ur1      = iadd3 ur0 -ur1 rZ            // delay=2\n"
                                     "      r44..48  = ld.shared.b128 [r5+0x10]     // delay=2 bra pT L2\n"
                                     "                 st.global.b128 [r6..8] r5..9 // delay=2\n"
                                     "@!p0  r35      = ffma.ftz r44 r60 r35         // delay=1\n"
                                     "      r36      = hmma.16816.f32 r44..48 r60..62 r36 // delay=1\n"
                                     "      p0 null  = isetp.lt.i32 r1 0xc4         // delay=6\n"
                                     "                 bar.sync                     // delay=5 yld\n"
                                     "@!p1             bra pT L4                    // delay=1\n} -> [1]\n");
    expect(&mix, 1, 1, 1, 1, 1, 3);
    ck_assert_uint_eq(mix.first, 4);
}
END_TEST

// Instructions repeat themselves, and labels are written with #.
START_TEST(ir3_is_read) {
    Mix mix = mix_in("IR3 Assembly", "; header\nmov.u32u32 r3.z, 0\nl166:\n(sy)ldl.u32 r11.y, l[r14.w+2048], 4\n(ss)(rpt3)mad.f32 r5.y, (r)r11.y, r8.z, (r)r5.y\n"
                                     "mad.f32 r5.w, r11.w, r8.z, r5.w\nisam.base0.1d (u32)(x)r10.z, r10.x, s#0, t#0\n(nop2) add.u r7.z, r1.w, r0.x\nnop\njump #l166\nl167:\nend\n");
    expect(&mix, 5, 0, 1, 1, 1, 2);
    ck_assert(!mix_of_loop(arena, "PTX", "l1:\njump #l1\n", &mix));
}
END_TEST

START_TEST(what_has_no_loop_has_no_mix) {
    static const char *const texts[] = {"", "\n", "BB0:", "\tv_fmac_f32 v0, v1, v2\n\ts_branch BB1\nBB1:\n\ts_endpgm\n", "BB1:\n\tunknown_jump BB1\n",
                                        "\ts_branch\n", ":\n\ts_branch :\n", "; BB1:\n\ts_branch BB1"};
    Mix mix;
    for (uint32_t i = 0; i < sizeof texts / sizeof *texts; i++)
        ck_assert_msg(!mix_of_loop(arena, "Assembly", texts[i], &mix) && mix_share(&mix) == 0, "%u", i);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("runtime_mix");
    TCase *tests = tcase_create("mix");
    tcase_add_checked_fixture(tests, begin, end);
    tcase_add_test(tests, every_class_is_counted);
    tcase_add_test(tests, loops_within_belong_to_it);
    tcase_add_test(tests, a_loop_without_multiply_adds_is_one_too);
    tcase_add_test(tests, nak_is_read);
    tcase_add_test(tests, ir3_is_read);
    tcase_add_test(tests, what_has_no_loop_has_no_mix);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
