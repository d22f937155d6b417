// Pickle write: bytes as Python 2 pickles them with protocol 2, and what reads them back.
#include "runtime/tensor/pickle.h"
#include "runtime/tensor/pickle_write.h"
#include "tests/support/folder.h"
#include <check.h>
#include <stdlib.h>

static const char *path;

static void set_up(void) {
    folder_set_up();
    path = file_join(arena, folder, "a.pickle");
}

static void expect_bytes(const char *wanted, size_t wanted_size) {
    size_t size = 0;
    const char *bytes = file_read(arena, path, &size, diag);
    ck_assert_ptr_nonnull(bytes);
    ck_assert_uint_eq(size, wanted_size);
    ck_assert_mem_eq(bytes, wanted, size);
}
#define EXPECT_BYTES(literal) expect_bytes(literal, sizeof(literal) - 1)

START_TEST(texts) {
    ck_assert(pickle_write_texts(path, (const char *const[]){"001.A/a_1", "", "b"}, 3, diag));
    EXPECT_BYTES("\x80\x02]q\x01(U\x09"
                 "001.A/a_1U\x00U\x01"
                 "be.");
    ck_assert(pickle_write_texts(path, NULL, 0, diag));
    EXPECT_BYTES("\x80\x02]q\x01.");
}
END_TEST

START_TEST(numbers) {
    ck_assert(pickle_write_ints(path, (const int32_t[]){0, 255, 256, 65535, 65536, -1}, 6, diag));
    EXPECT_BYTES("\x80\x02]q\x01(K\x00K\xffM\x00\x01M\xff\xffJ\x00\x00\x01\x00J\xff\xff\xff\xff"
                 "e.");
}
END_TEST

static void fill(const void *context, uint32_t index, float *out) {
    out[0] = *(const float *)context;
    out[1] = -2.0F * (float)index;
}

START_TEST(arrays) {
    const float first = 1;
    ck_assert(pickle_write_arrays(path, &(PickleArrays){2, 1, 2, fill, &first}, diag));
    EXPECT_BYTES("\x80\x02]q\x01(cnumpy.core.multiarray\n_reconstruct\nq\x02"
                 "cnumpy\nndarray\nq\x03K\x00\x85U\x01"
                 "bq\x04\x87R(K\x01K\x01K\x02\x86"
                 "cnumpy\ndtype\nU\x02"
                 "f4K\x00K\x01\x87Rq\x05(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89U\x08"
                 "\x00\x00\x80\x3f\x00\x00\x00\x80tb"
                 "h\x02h\x03K\x00\x85h\x04\x87R(K\x01K\x01K\x02\x86h\x05\x89U\x08"
                 "\x00\x00\x80\x3f\x00\x00\x00\xc0tbe.");
}
END_TEST

enum { MANY = 2500, ROWS = 3, COLUMNS = 40 };

static void fill_many(const void *context, uint32_t index, float *out) {
    (void)context;
    for (uint32_t i = 0; i < ROWS * COLUMNS; i++)
        out[i] = (float)(index * ROWS * COLUMNS + i);
}

// Longer than one batch of APPENDS, texts longer than 255 bytes, arrays of more than 255 bytes.
START_TEST(long_lists_are_read_back) {
    const char **names = ARENA_NEW(arena, const char *, MANY);
    char *tail = arena_alloc(arena, 301);
    memset(tail, 'x', 300);
    for (uint32_t i = 0; i < MANY; i++)
        names[i] = arena_format(arena, "%u%s", i, i % 2 ? tail : "");
    ck_assert(pickle_write_texts(path, names, MANY, diag));
    const PickleValue *list = pickle_read(arena, path, diag);
    ck_assert(list && list->kind == PICKLE_LIST);
    ck_assert_uint_eq(list->count, MANY);
    for (uint32_t i = 0; i < MANY; i++)
        ck_assert_str_eq(pickle_text(arena, list->items[i]), names[i]);

    ck_assert(pickle_write_arrays(path, &(PickleArrays){MANY, ROWS, COLUMNS, fill_many, NULL}, diag));
    list = pickle_read(arena, path, diag);
    ck_assert(list && list->kind == PICKLE_LIST);
    ck_assert_uint_eq(list->count, MANY);
    for (uint32_t i = 0; i < MANY; i += 499) {
        float values[ROWS * COLUMNS];
        ck_assert_int_eq(list->items[i]->kind, PICKLE_ARRAY);
        const HostTensor *array = list->items[i]->array;
        ck_assert(array->dtype == ELEMENT_F32 && array->rank == 2 && array->dims[0] == ROWS && array->dims[1] == COLUMNS);
        pickle_floats(array, 0, ROWS * COLUMNS, values);
        for (uint32_t k = 0; k < ROWS * COLUMNS; k++)
            ck_assert(values[k] == (float)(i * ROWS * COLUMNS + k));
    }
}
END_TEST

START_TEST(failures_leave_nothing) {
    ck_assert(!pickle_write_texts(file_join(arena, folder, "no/a.pickle"), NULL, 0, diag));
    for (uint32_t n = 1; n <= 2; n++) {
        file_fail_at(n);
        ck_assert(!pickle_write_arrays(path, &(PickleArrays){MANY, ROWS, COLUMNS, fill_many, NULL}, diag));
        file_fail_at(0);
        ck_assert(!file_exists(path));
    }
    ck_assert_uint_eq(diag_error_count(diag) > 0, true);
    uint32_t count = 0;
    ck_assert_ptr_nonnull(file_list(arena, folder, &count, diag));
    ck_assert_uint_eq(count, 0);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("pickle_write");
    TCase *tests = tcase_create("pickle_write");
    tcase_add_checked_fixture(tests, set_up, folder_tear_down);
    tcase_add_test(tests, texts);
    tcase_add_test(tests, numbers);
    tcase_add_test(tests, arrays);
    tcase_add_test(tests, long_lists_are_read_back);
    tcase_add_test(tests, failures_leave_nothing);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
