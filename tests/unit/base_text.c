// Text, suggestions, numbers for people, UTF-8.
#include "runtime/base/text.h"
#include <check.h>
#include <stdlib.h>

static Arena *arena;

static void set_up(void) { arena = arena_create(); }

static void tear_down(void) { arena_destroy(&arena); }

START_TEST(appends) {
    Text text = text_create(arena);
    ck_assert_str_eq(text.data, "");
    text_append(&text, "a");
    text_append_bytes(&text, "bcd", 2);
    text_format(&text, " %d", 42);
    ck_assert_str_eq(text.data, "abc 42");
    ck_assert_uint_eq(text.length, 6);
    text_clear(&text);
    ck_assert_str_eq(text.data, "");
    for (int i = 0; i < 500; i++)
        text_format(&text, "%d,", i % 10);
    ck_assert_uint_eq(text.length, 1000);
    ck_assert_uint_eq(strlen(text.data), 1000);
    text_format(&text, "%0200d", 7);
    ck_assert_uint_eq(text.length, 1200);
    ck_assert(text_ends_with(text.data, "007"));
}
END_TEST

START_TEST(formats_at_every_fill) {
    for (size_t fill = 0; fill < 140; fill++) {
        Text text = text_create(arena);
        for (size_t i = 0; i < fill; i++)
            text_append(&text, "x");
        text_format(&text, "%s", "end");
        ck_assert_uint_eq(text.length, fill + 3);
        ck_assert(text_ends_with(text.data, "end"));
    }
}
END_TEST

START_TEST(starts_and_ends) {
    ck_assert(text_starts_with("conv2d", "conv"));
    ck_assert(!text_starts_with("con", "conv"));
    ck_assert(text_ends_with("a.json", ".json"));
    ck_assert(!text_ends_with("json", ".json"));
    ck_assert(text_starts_with("", ""));
}
END_TEST

START_TEST(nearest) {
    static const char *const known[] = {"matmul", "relu", "reduce_sum", "reduce_max", "transpose"};
    ck_assert_str_eq(text_nearest("matmull", known, 5), "matmul");
    ck_assert_str_eq(text_nearest("rleu", known, 5), "relu");
    ck_assert_str_eq(text_nearest("ReLU", known, 5), "relu");
    ck_assert_str_eq(text_nearest("reduce_mx", known, 5), "reduce_max");
    ck_assert_ptr_null(text_nearest("softmax", known, 5));
    ck_assert_ptr_null(text_nearest("", known, 5));
    ck_assert_ptr_null(text_nearest("x", known, 0));
    ck_assert_str_eq(text_suggestion(arena, "transpos", known, 5), "; did you mean \"transpose\"?");
    ck_assert_str_eq(text_suggestion(arena, "q", known, 2), "; known: matmul, relu");
    ck_assert_str_eq(text_suggestion(arena, "q", known, 0), "");
}
END_TEST

START_TEST(numbers) {
    ck_assert_str_eq(text_thousands(arena, 0), "0");
    ck_assert_str_eq(text_thousands(arena, 999), "999");
    ck_assert_str_eq(text_thousands(arena, 1234567), "1,234,567");
    ck_assert_str_eq(text_thousands(arena, UINT64_MAX), "18,446,744,073,709,551,615");
    ck_assert_str_eq(text_bytes(arena, 1023), "1023 B");
    ck_assert_str_eq(text_bytes(arena, 1536), "1.5 KiB");
    ck_assert_str_eq(text_bytes(arena, 1048575), "1.0 MiB");
    ck_assert_str_eq(text_bytes(arena, UINT64_MAX), "16.0 EiB");
}
END_TEST

START_TEST(excerpts) {
    Text text = text_create(arena);
    for (uint32_t i = 0; i < 500; i++)
        text_append(&text, "é"); // two bytes each
    ck_assert_str_eq(text_excerpt(arena, "short", 2), "short");
    for (size_t offset = 0; offset <= text.length; offset++) {
        const char *excerpt = text_excerpt(arena, text.data, offset);
        size_t length = strlen(excerpt);
        ck_assert_uint_le(length, 130);
        for (size_t at = 0, size; at < length; at += size) {
            size = text_utf8_size(excerpt + at, length - at);
            ck_assert_uint_gt(size, 0);
        }
        if (offset <= 60 || offset >= 62) // with 61, half a character would be cut
            ck_assert_int_eq(text_starts_with(excerpt, "…"), offset > 60);
        if (offset <= text.length - 62 || offset >= text.length - 60)
            ck_assert_int_eq(text_ends_with(excerpt, "…"), offset <= text.length - 62);
    }
}
END_TEST

START_TEST(utf8) {
    ck_assert_uint_eq(text_utf8_size("a", 1), 1);
    ck_assert_uint_eq(text_utf8_size("ä", 2), 2);
    ck_assert_uint_eq(text_utf8_size("ä", 1), 0);
    ck_assert_uint_eq(text_utf8_size("€", 3), 3);
    ck_assert_uint_eq(text_utf8_size("\xF0\x9F\x98\x80", 4), 4);
    static const char *const wrong[] = {"\x80",         "\xC0\x80",         "\xC1\xBF",         "\xE0\x80\x80",
                                        "\xED\xA0\x80", "\xF0\x80\x80\x80", "\xF4\x90\x80\x80", "\xFF"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        ck_assert_uint_eq(text_utf8_size(wrong[i], strlen(wrong[i])), 0);
    ck_assert_uint_eq(text_utf8_size("", 0), 0);
}
END_TEST

START_TEST(printable) {
    const char *plain = "Ä 猫 \xF0\x9F\x98\x80.png";
    ck_assert_ptr_eq(text_printable(arena, plain), plain);
    ck_assert_ptr_eq(text_printable(arena, ""), "");
    ck_assert_str_eq(text_printable(arena, "a\nb\x1b[31m\x7f"), "a\\x0ab\\x1b[31m\\x7f");
    ck_assert_str_eq(text_printable(arena, "\xff\xc3ä\xc2\x9b\xc2\xa0"), "\\xff\\xc3ä\\xc2\\x9b\xc2\xa0");
}
END_TEST

int main(void) {
    Suite *suite = suite_create("text");
    TCase *cases = tcase_create("text");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, appends);
    tcase_add_test(cases, formats_at_every_fill);
    tcase_add_test(cases, starts_and_ends);
    tcase_add_test(cases, nearest);
    tcase_add_test(cases, numbers);
    tcase_add_test(cases, excerpts);
    tcase_add_test(cases, utf8);
    tcase_add_test(cases, printable);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
