// Captions: what they make of a data set's fields - vectors by the built-in encoder, tokens - and what stays the reader's.
#include "runtime/data/captions.h"
#include "runtime/data/encoder.h"
#include <check.h>
#include <stdlib.h>

enum { RECORDS = 3, SIZE = 6 };

static Arena *arena;
static ProgramData data;
static Dataset dataset;

// Record 2 has no caption; of the others, draw 1 takes the second one.
static const char *caption(const Dataset *from, Arena *into, uint32_t split, uint32_t record, uint64_t draw, Diag *diag) {
    (void)from, (void)split, (void)diag;
    static const char *const texts[RECORDS][2] = {{"a red bird", "red"}, {"\xc3\xa4", "a blue bird"}, {NULL, NULL}};
    return arena_copy_text(into, texts[record][draw]);
}

static bool fetch(const Dataset *from, uint32_t split, uint32_t record, uint32_t field, uint64_t draw, void *out, Diag *diag) {
    (void)split, (void)draw, (void)diag;
    for (uint64_t i = 0; i < dataset_field_count(from->declared, field); i++)
        ((float *)out)[i] = (float)(record + 10 * field);
    return true;
}

static void add(const char *name, ElementType type, uint32_t size, const Tokens *tokens) {
    uint32_t i = data.field_count++;
    data.fields[i].name = name;
    data.fields[i].type = type;
    data.fields[i].rank = 1;
    data.fields[i].dims[0] = size;
    data.fields[i].tokens = tokens;
}

static void set_up(void) {
    arena = arena_create();
    data = (ProgramData){.name = "images", .batch = 2};
    data.fields = arena_alloc(arena, 8 * sizeof *data.fields);
    add("image", ELEMENT_F32, 4, NULL);
    dataset = (Dataset){.name = "images", .spec = "test", .declared = &data, .splits = {{"train", RECORDS}}, .split_count = 1, .fetch = fetch, .caption = caption};
}

static void tear_down(void) { arena_destroy(&arena); }

static void expect_tokens(uint32_t record, uint64_t draw, const int32_t *wanted) {
    int32_t out[SIZE];
    ck_assert(dataset.fetch(&dataset, 0, record, 1, draw, out, diag_create(arena)));
    for (uint32_t i = 0; i < SIZE; i++)
        ck_assert_int_eq(out[i], wanted[i]);
}

static void expect_own(uint32_t field, uint32_t size) {
    float out[2048];
    ck_assert(dataset.fetch(&dataset, 0, 1, field, 0, out, diag_create(arena)));
    ck_assert(out[0] == (float)(1 + 10 * field) && out[size - 1] == out[0]);
}

START_TEST(tokens) {
    add("text", ELEMENT_I32, SIZE, tokens_create(arena, TOKENS_BYTES, NULL, 0));
    captions_serve(&dataset);
    ck_assert_ptr_null(dataset.encoder); // nobody can mistake tokens for another's vectors
    expect_tokens(0, 0, (int32_t[]){98, 33, 115, 102, 101, 33});
    expect_tokens(0, 1, (int32_t[]){115, 102, 101, 0, 0, 0});
    expect_tokens(1, 0, (int32_t[]){0xc4, 0xa5, 0, 0, 0, 0});
    expect_tokens(2, 1, (int32_t[]){0, 0, 0, 0, 0, 0});
    expect_own(0, 4);
}
END_TEST

static void expect_vector(uint32_t field, uint32_t record, uint64_t draw, const char *text) {
    float *out = ARENA_NEW(arena, float, encoder_default()->size), *wanted = ARENA_NEW(arena, float, encoder_default()->size);
    ck_assert(dataset.fetch(&dataset, 0, record, field, draw, out, diag_create(arena)));
    encoder_default()->encode(text, wanted);
    ck_assert(memcmp(out, wanted, sizeof *out * encoder_default()->size) == 0);
}

START_TEST(vectors) {
    add("text", ELEMENT_F32, encoder_default()->size, NULL);
    add("other", ELEMENT_F32, encoder_default()->size - 1, NULL);
    captions_serve(&dataset);
    ck_assert_str_eq(dataset.encoder, encoder_default()->name);
    expect_vector(1, 0, 0, "a red bird");
    expect_vector(1, 1, 1, "a blue bird");
    expect_vector(1, 2, 0, "");
    expect_own(2, encoder_default()->size - 1);
}
END_TEST

// A data set with vectors of its own (CUB) keeps them; tokens are made of its captions all the same.
START_TEST(stored_vectors_stay) {
    add("ids", ELEMENT_I32, SIZE, tokens_create(arena, "words.txt", (const char *[]){"red", " bird"}, 2));
    add("text", ELEMENT_F32, encoder_default()->size, NULL);
    dataset.encoder = ENCODER_UNNAMED;
    captions_serve(&dataset);
    ck_assert_str_eq(dataset.encoder, ENCODER_UNNAMED);
    expect_tokens(0, 0, (int32_t[]){98, 33, 257, 258, 0, 0});
    expect_own(2, encoder_default()->size);
}
END_TEST

START_TEST(without_captions) {
    add("text", ELEMENT_F32, encoder_default()->size, NULL);
    dataset.caption = NULL;
    captions_serve(&dataset);
    ck_assert(dataset.fetch == fetch && !dataset.encoder);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("runtime_captions");
    TCase *tests = tcase_create("all");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, tokens);
    tcase_add_test(tests, vectors);
    tcase_add_test(tests, stored_vectors_stay);
    tcase_add_test(tests, without_captions);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
