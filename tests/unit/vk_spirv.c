// What the runtime adds to a shader's words, and leaves alone.
#include "runtime/vk/spirv.h"
#include <check.h>
#include <stdlib.h>
#include <string.h>

enum { MODE = 4461, CAPABILITY = 4466 };

// Header, OpCapability Shader, OpMemoryModel, OpEntryPoint %4 "main", OpExecutionMode LocalSize, OpTypeVoid.
static const uint32_t shader[] = {0x07230203, 0x00010500, 0, 9, 0, 2u << 16 | 17, 1, 3u << 16 | 14, 0, 1, 5u << 16 | 15, 5, 4, 0x6e69616d, 0,
                                  6u << 16 | 16, 4, 17, 8, 1, 1, 2u << 16 | 19, 2};

START_TEST(the_mode_is_added_once) {
    Arena *arena = arena_create();
    size_t size = sizeof shader;
    const uint32_t *words = spirv_preserve_specials(arena, shader, &size);
    ck_assert_uint_eq(size, sizeof shader + 6 * 4);
    const uint32_t capability[] = {2u << 16 | 17, CAPABILITY}, mode[] = {4u << 16 | 16, 4, MODE, 32};
    ck_assert_mem_eq(words, shader, 20);
    ck_assert_mem_eq(words + 5, capability, sizeof capability);
    ck_assert_mem_eq(words + 7, shader + 5, 10 * 4);
    ck_assert_mem_eq(words + 17, mode, sizeof mode);
    ck_assert_mem_eq(words + 21, shader + 15, sizeof shader - 15 * 4);
    size_t again = size;
    ck_assert_ptr_eq(spirv_preserve_specials(arena, words, &again), words);
    ck_assert_uint_eq(again, size);
    arena_destroy(&arena);
}
END_TEST

START_TEST(damaged_words_are_left_alone) {
    Arena *arena = arena_create();
    for (size_t cut = 0; cut < sizeof shader / 4; cut++) {
        size_t size = cut * 4;
        uint32_t *copy = arena_alloc(arena, sizeof shader);
        memcpy(copy, shader, size);
        const uint32_t *words = spirv_preserve_specials(arena, copy, &size);
        ck_assert(words == copy || size == (cut + 6) * 4);
    }
    size_t size = sizeof shader;
    uint32_t broken[sizeof shader / 4];
    memcpy(broken, shader, sizeof shader);
    broken[7] = 0;
    ck_assert_ptr_eq(spirv_preserve_specials(arena, broken, &size), broken);
    ck_assert(spirv_reads_group_count(broken, sizeof broken));
    ck_assert(!spirv_reads_group_count(shader, sizeof shader));
    arena_destroy(&arena);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("spirv");
    TCase *tests = tcase_create("words");
    tcase_add_test(tests, the_mode_is_added_once);
    tcase_add_test(tests, damaged_words_are_left_alone);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
