// Tokens: bytes and the longest tokens of a list, what is cut and padded, and files of tokens with all that people's editors leave in them.
#include "runtime/base/tokens.h"
#include <check.h>
#include <stdlib.h>

enum { SIZE = 12 };

static Arena *arena;
static Diag *diag;

static void set_up(void) {
    arena = arena_create();
    diag = diag_create(arena);
}

static void tear_down(void) { arena_destroy(&arena); }

static void expect(const Tokens *tokens, const char *text, uint32_t count, const int32_t *wanted) {
    int32_t out[SIZE + 1];
    out[SIZE] = -7;
    ck_assert_uint_eq(tokens_encode(tokens, text, SIZE, out), count < SIZE ? count : SIZE);
    for (uint32_t i = 0; i < SIZE; i++)
        ck_assert_msg(out[i] == (i < count ? wanted[i] : 0), "\"%s\": token %u is %d", text, i, out[i]);
    ck_assert_int_eq(out[SIZE], -7);
}

START_TEST(bytes_alone) {
    const Tokens *tokens = tokens_create(arena, TOKENS_BYTES, NULL, 0);
    ck_assert_uint_eq(tokens_below(tokens), 257);
    expect(tokens, "", 0, NULL);
    expect(tokens, "a b", 3, (int32_t[]){98, 33, 99});
    expect(tokens, "\xc3\xa4\xff", 3, (int32_t[]){0xc3 + 1, 0xa4 + 1, 256}); // UTF-8 is bytes, too, and so is what is none
    expect(tokens, "0123456789ab", 12, (int32_t[]){49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 98, 99});
    expect(tokens, "0123456789abcd", 12, (int32_t[]){49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 98, 99});
    int32_t none;
    ck_assert_uint_eq(tokens_encode(tokens, "a", 0, &none), 0);
}
END_TEST

START_TEST(longest_token) {
    static const char *const words[] = {"bird", "a", "", "a bird", "birds of a feather", "\xc3\xa4", "bird", "\xff"};
    const Tokens *tokens = tokens_create(arena, "words.txt", words, 8);
    ck_assert_uint_eq(tokens_below(tokens), 265);
    ck_assert_uint_eq(tokens->order_count, 6); // neither the empty one nor the second "bird"
    expect(tokens, "a bird", 1, (int32_t[]){260});
    expect(tokens, "a bir", 5, (int32_t[]){258, 33, 99, 106, 115}); // a token that is longer than what is left
    expect(tokens, "birds of a", 7, (int32_t[]){257, 116, 33, 112, 103, 33, 258});
    expect(tokens, "birds of a feather", 1, (int32_t[]){261});
    expect(tokens, "\xc3\xa4\xc3\xa5\xff", 4, (int32_t[]){262, 0xc4, 0xa6, 264});
}
END_TEST

// The same by trying every token at every place.
static uint32_t slowly(const char *const *words, uint32_t count, const char *text, int32_t *out) {
    uint32_t made = 0;
    while (*text && made < SIZE) {
        size_t best = 0;
        int32_t token = (unsigned char)*text + 1;
        for (uint32_t i = 0; i < count; i++)
            if (strlen(words[i]) > best && !strncmp(text, words[i], strlen(words[i]))) {
                best = strlen(words[i]);
                token = TOKENS_WORDS_FIRST + (int32_t)i;
            }
        out[made++] = token;
        text += best ? best : 1;
    }
    return made;
}

static const char *random_text(uint32_t *random, uint32_t most) {
    static const char *const pieces[] = {"a", "b", "ab", "\xc3\xa4", "\xff", " ", "", "ba"};
    char *text = arena_alloc(arena, 4 * most + 1);
    for (uint32_t left = (*random = *random * 1664525u + 1013904223u) >> 16; left % (most + 1); left--)
        strcat(text, pieces[((*random = *random * 1664525u + 1013904223u) >> 16) % 8]);
    return text;
}

START_TEST(any_list) {
    uint32_t random = 1;
    for (int round = 0; round < 3000; round++) {
        const char *words[9];
        uint32_t count = (uint32_t)round % 9;
        for (uint32_t i = 0; i < count; i++)
            words[i] = random_text(&random, 4);
        const Tokens *tokens = tokens_create(arena, "list", words, count);
        const char *text = random_text(&random, 9);
        int32_t wanted[SIZE], out[SIZE];
        uint32_t made = slowly(words, count, text, wanted);
        ck_assert_uint_eq(tokens_encode(tokens, text, SIZE, out), made);
        for (uint32_t i = 0; i < made; i++)
            ck_assert_int_eq(out[i], wanted[i]);
        for (uint32_t i = 0; i < SIZE; i++)
            ck_assert(out[i] >= 0 && (uint32_t)out[i] < tokens_below(tokens));
        arena_reset(arena);
        diag = diag_create(arena);
    }
}
END_TEST

static uint32_t lines_of(const char *bytes, const char *const *wanted, const char *said) {
    uint32_t count = 0;
    diag = diag_create(arena);
    const char **lines = tokens_lines(arena, "words.txt", bytes, strlen(bytes), &count, diag);
    ck_assert_msg((lines != NULL) == (diag_error_count(diag) == 0), "%s", diag_text(diag, arena));
    ck_assert_str_eq(diag_text(diag, arena), said);
    for (uint32_t i = 0; lines && i < count; i++)
        ck_assert_str_eq(lines[i], wanted[i]);
    return lines ? count : UINT32_MAX;
}

START_TEST(files) {
    ck_assert_uint_eq(lines_of("", NULL, ""), 0);
    ck_assert_uint_eq(lines_of("\n", (const char *[]){""}, ""), 1);
    ck_assert_uint_eq(lines_of("a\nb", (const char *[]){"a", "b"}, ""), 2);
    ck_assert_uint_eq(lines_of("a\nb\n", (const char *[]){"a", "b"}, ""), 2);
    ck_assert_uint_eq(lines_of("\xef\xbb\xbf"
                               "a \r\n\r\n\tb\rc\r\n",
                               (const char *[]){"a ", "", "\tb\rc"}, ""),
                      3);
    ck_assert_uint_eq(lines_of("x\n\na\nx\n\na\nx\n", (const char *[]){"x", "", "a", "x", "", "a", "x"},
                               "warning: words.txt:4:1: 3 lines of tokens that were there before and are never found; this one is line 1 again\n"),
                      7);
    ck_assert_uint_eq(lines_of("ok\nno\xff\n", NULL, "error: words.txt:2:3: a file of tokens is UTF-8, and this byte is not\n"), UINT32_MAX);
    uint32_t count;
    diag = diag_create(arena);
    ck_assert_ptr_null(tokens_lines(arena, "words.txt", "a\0b", 3, &count, diag));
    ck_assert_str_eq(diag_text(diag, arena), "error: words.txt:1:2: no token holds a zero byte\n");
    char *many = arena_alloc(arena, TOKENS_WORDS_MAX + 1);
    memset(many, '\n', TOKENS_WORDS_MAX + 1);
    ck_assert_ptr_nonnull(tokens_lines(arena, "words.txt", many, TOKENS_WORDS_MAX, &count, diag));
    ck_assert_uint_eq(count, TOKENS_WORDS_MAX);
    ck_assert_ptr_null(tokens_lines(arena, "words.txt", many, TOKENS_WORDS_MAX + 1, &count, diag));
}
END_TEST

int main(void) {
    Suite *suite = suite_create("base_tokens");
    TCase *tests = tcase_create("all");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, bytes_alone);
    tcase_add_test(tests, longest_token);
    tcase_add_test(tests, any_list);
    tcase_add_test(tests, files);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
