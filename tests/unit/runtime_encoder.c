// Encoder: vectors that are the same on every machine, and nearer for captions that say the same.
#include "runtime/base/file.h"
#include "runtime/data/encoder.h"
#include <check.h>
#include <math.h>
#include <stdlib.h>

enum { SIZE = 1024 };

static void encode(const char *caption, float *out) {
    ck_assert_uint_eq(encoder_default()->size, SIZE);
    encoder_default()->encode(caption, out);
}

static double product(const char *a, const char *b) { // cosine
    float x[SIZE], y[SIZE];
    double sum = 0;
    encode(a, x);
    encode(b, y);
    for (uint32_t i = 0; i < SIZE; i++)
        sum += (double)x[i] * (double)y[i];
    return sum / (64 * 64);
}

START_TEST(names) {
    ck_assert_str_eq(encoder_default()->name, "ngrams-2");
    ck_assert_ptr_eq(encoder_find("ngrams-2"), encoder_default());
    ck_assert_ptr_null(encoder_find("ngrams"));
    ck_assert_ptr_null(encoder_find(ENCODER_UNNAMED));
}
END_TEST

// Trained weights know captions by these vectors: another digest means another name.
START_TEST(vectors_are_pinned) {
    static const struct {
        const char *caption, *digest;
    } cases[] = {
        {"this bird is blue with a white belly and black wings.", "33f7183eed1336e04cd1c3b57e00c069"},
        {"", "3ee8dc4f9e7ee49593d76fe148c689ba"},
        {"it is this", "e00883074357cad30410e6dc0c1856ed"},
        {"Ein Vogel fliegt \xc3\xbc"
         "ber 3 B\xc3\xa4ume",
         "2ad4f9bd4f589152963be186c424bf12"},
    };
    Arena *arena = arena_create();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        float vector[SIZE];
        encode(cases[i].caption, vector);
        ck_assert_str_eq(digest_bytes(arena, vector, sizeof vector), cases[i].digest);
    }
    arena_destroy(&arena);
}
END_TEST

START_TEST(length_and_normal_forms) {
    static const char *const captions[] = {"a", "red", "this bird is blue", "it is this", "a b c d e f g"};
    for (size_t i = 0; i < sizeof captions / sizeof *captions; i++)
        ck_assert_double_eq_tol(product(captions[i], captions[i]), 1, 1e-6);
    float none[SIZE];
    encode(" .,;- ", none);
    for (uint32_t i = 0; i < SIZE; i++)
        ck_assert(none[i] == 0);
    ck_assert_double_eq_tol(product("This bird is BLUE, with black wings!", "this bird is blue with black wings"), 1, 1e-6);
    ck_assert_double_eq_tol(product("the blue bird", "blue bird"), 1, 1e-6);
}
END_TEST

START_TEST(what_captions_say) {
    const char *blue = "this bird is blue with a white belly and black wings";
    double same = product(blue, "this blue bird has black wings and a white belly");
    double swapped = product(blue, "this bird is white with a black belly and blue wings");
    double other = product(blue, "this bird is red with a green belly and yellow wings");
    ck_assert_double_gt(same, swapped);
    ck_assert_double_gt(swapped, other);
    ck_assert_double_lt(swapped, 0.5);
    ck_assert_double_lt(product("a white belly and black wings", "a black belly and white wings"), 0.5);
    ck_assert_double_gt(product("a white belly and black wings", "black wings, and the belly: white"), 0.75);
    ck_assert_double_gt(product("bluish", "blue"), product("bluish", "red"));
}
END_TEST

START_TEST(endless_captions) {
    enum { LONG = 1 << 20 };
    Arena *arena = arena_create();
    char *text = arena_alloc(arena, LONG + 1);
    float vector[SIZE];
    memset(text, 'x', LONG);
    encode(text, vector);
    for (uint32_t i = 5; i < LONG; i += 6)
        text[i] = ' ';
    encode(text, vector);
    double square = 0;
    for (uint32_t i = 0; i < SIZE; i++)
        square += (double)vector[i] * (double)vector[i];
    ck_assert_double_eq_tol(sqrt(square), 64, 1e-4);
    arena_destroy(&arena);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("encoder");
    TCase *tests = tcase_create("encoder");
    tcase_add_test(tests, names);
    tcase_add_test(tests, vectors_are_pinned);
    tcase_add_test(tests, length_and_normal_forms);
    tcase_add_test(tests, what_captions_say);
    tcase_add_test(tests, endless_captions);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
