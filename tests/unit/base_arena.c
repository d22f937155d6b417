// Arena and growable arrays.
#include "runtime/base/arena.h"
#include <check.h>
#include <stdlib.h>
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

START_TEST(alloc_is_zeroed_and_aligned) {
    Arena *arena = arena_create();
    for (int round = 0; round < 2; round++) {
        for (size_t size = 0; size < 3000; size += 7) {
            unsigned char *bytes = arena_alloc(arena, size);
            ck_assert_uint_eq((uintptr_t)bytes % 16, 0);
            size_t zeros = 0;
            while (zeros < size && bytes[zeros] == 0)
                zeros++;
            ck_assert_uint_eq(zeros, size);
            memset(bytes, 0xAA, size);
        }
        arena_reset(arena);
    }
    arena_destroy(&arena);
    ck_assert_ptr_null(arena);
    arena_destroy(&arena);
}
END_TEST

START_TEST(large_pieces) {
    Arena *arena = arena_create();
    char *small = arena_copy_text(arena, "small");
    char *large = arena_alloc(arena, 5u << 20);
    large[(5u << 20) - 1] = 1;
    char *after = arena_copy_text(arena, "after");
    ck_assert_str_eq(small, "small");
    ck_assert_str_eq(after, "after");
    arena_reset(arena);
    large = arena_alloc(arena, 5u << 20);
    ck_assert_int_eq(large[(5u << 20) - 1], 0);
    arena_destroy(&arena);
}
END_TEST

START_TEST(copies_and_formats) {
    Arena *arena = arena_create();
    ck_assert_ptr_null(arena_copy_text(arena, NULL));
    ck_assert_str_eq(arena_copy_bytes(arena, "abcdef", 3), "abc");
    ck_assert_str_eq(arena_copy_bytes(arena, NULL, 0), "");
    ck_assert_str_eq(arena_format(arena, "%s-%d", "x", 12), "x-12");
    arena_destroy(&arena);
}
END_TEST

#if defined(__SANITIZE_ADDRESS__)
START_TEST(sanitizer_sees_what_is_over) {
    Arena *arena = arena_create();
    char *bytes = arena_alloc(arena, 5);
    ck_assert(!__asan_address_is_poisoned(bytes + 4));
    ck_assert(__asan_address_is_poisoned(bytes + 5));
    arena_reset(arena);
    ck_assert(__asan_address_is_poisoned(bytes));
    arena_destroy(&arena);
}
END_TEST
#endif

START_TEST(array_grows) {
    Arena *arena = arena_create();
    ARRAY(uint32_t) numbers = {0};
    for (uint32_t i = 0; i < 1000; i++)
        array_push(arena, &numbers, i * i);
    ck_assert_uint_eq(numbers.count, 1000);
    for (uint32_t i = 0; i < 1000; i++)
        ck_assert_uint_eq(numbers.items[i], i * i);
    arena_destroy(&arena);
}
END_TEST

static char told[8];

static void tell(void *context) { strcat(told, context); }

// Endings are called once, the last one first, while the arena's memory is there.
START_TEST(endings) {
    Arena *arena = arena_create();
    arena_at_end(arena, tell, arena_copy_text(arena, "a"));
    arena_at_end(arena, tell, arena_copy_text(arena, "b"));
    ck_assert_str_eq(told, "");
    arena_reset(arena);
    ck_assert_str_eq(told, "ba");
    arena_at_end(arena, tell, arena_copy_text(arena, "c"));
    arena_destroy(&arena);
    ck_assert_str_eq(told, "bac");
}
END_TEST

int main(void) {
    Suite *suite = suite_create("arena");
    TCase *cases = tcase_create("arena");
    tcase_add_test(cases, alloc_is_zeroed_and_aligned);
    tcase_add_test(cases, large_pieces);
    tcase_add_test(cases, copies_and_formats);
#if defined(__SANITIZE_ADDRESS__)
    tcase_add_test(cases, sanitizer_sees_what_is_over);
#endif
    tcase_add_test(cases, array_grows);
    tcase_add_test(cases, endings);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
