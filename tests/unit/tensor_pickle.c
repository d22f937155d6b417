// Pickles: every protocol gives the same arrays, damage and hostile globals are refused, values cannot hold themselves.
#include "runtime/tensor/pickle.h"
#include "runtime/base/text.h"
#include "tests/support/folder.h"
#include <check.h>
#include <stdlib.h>

#define BIRDS GG_SOURCE_DIR "/tests/unit/birds/"
#define DTYPE "cnumpy\ndtype\n(U\002f4\x89\x88tR(K\003U\001<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\000tb"
#define RECONSTRUCT "cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\nK\000\x85U\001btR"

static const char *path;

static void set_up(void) {
    folder_set_up();
    path = file_join(arena, folder, "a.pickle");
}

static const PickleValue *read_bytes(const char *bytes, size_t size, Diag *to) {
    ck_assert(file_write(path, bytes, size, diag));
    return pickle_read(arena, path, to);
}

static void ck_refused(const char *bytes, size_t size, const char *because) {
    Diag *inner = diag_create(arena);
    ck_assert_ptr_null(read_bytes(bytes, size, inner));
    ck_assert_uint_eq(diag_error_count(inner), 1);
    ck_assert_msg(strstr(diag_text(inner, arena), because) != NULL, "\"%s\" expected in: %s", because, diag_text(inner, arena));
}
#define CK_REFUSED(literal, because) ck_refused(literal, sizeof(literal) - 1, because)

static const PickleValue *good(const char *bytes, size_t size) {
    const PickleValue *value = read_bytes(bytes, size, diag);
    ck_assert_msg(value != NULL, "%s", diag_text(diag, arena));
    return value;
}
#define GOOD(literal) good(literal, sizeof(literal) - 1)

static const PickleValue *read_birds(const char *name) {
    const PickleValue *value = pickle_read(arena, arena_format(arena, BIRDS "%s", name), diag);
    ck_assert_msg(value != NULL, "%s", diag_text(diag, arena));
    return value;
}

static void ck_embeddings(const char *name, const HostTensor *expected) {
    const PickleValue *list = read_birds(name);
    ck_assert_int_eq(list->kind, PICKLE_LIST);
    ck_assert_uint_ge(list->count, 1);
    ck_assert_uint_le(list->count, expected->dims[0]);
    size_t each = (size_t)(expected->dims[1] * expected->dims[2]);
    float *values = ARENA_NEW(arena, float, each);
    for (uint32_t i = 0; i < list->count; i++) {
        ck_assert_int_eq(list->items[i]->kind, PICKLE_ARRAY);
        const HostTensor *array = list->items[i]->array;
        ck_assert_uint_eq(array->rank, 2);
        ck_assert_uint_eq(array->dims[0], expected->dims[1]);
        ck_assert_uint_eq(array->dims[1], expected->dims[2]);
        pickle_floats(array, 0, each, values);
        ck_assert_mem_eq(values, (const float *)expected->data + i * each, each * sizeof(float));
    }
}

START_TEST(arrays_of_all_protocols) {
    HostTensor train, test;
    ck_assert(npy_read(arena, BIRDS "train/expected_embeddings.npy", &train, diag));
    ck_assert(npy_read(arena, BIRDS "test/expected_embeddings.npy", &test, diag));
    ck_embeddings("train/char-CNN-RNN-embeddings.pickle", &train);
    ck_embeddings("test/char-CNN-RNN-embeddings.pickle", &test);
    for (uint32_t protocol = 2; protocol <= 5; protocol++)
        ck_embeddings(arena_format(arena, "test/embeddings.python3.protocol%u.pickle", protocol), &test);
}
END_TEST

START_TEST(fortran_order) {
    const PickleValue *list = read_birds("test/embeddings.fortran_f64.pickle");
    const HostTensor *array = list->items[0]->array;
    ck_assert_int_eq(array->dtype, ELEMENT_F64);
    ck_assert_uint_eq(array->rank, 2);
    ck_assert_uint_eq(array->dims[0], 3);
    ck_assert_uint_eq(array->dims[1], 5);
    float values[15];
    pickle_floats(array, 0, 15, values);
    HostTensor expected;
    ck_assert(npy_read(arena, BIRDS "test/expected_embeddings.npy", &expected, diag));
    for (uint32_t i = 0; i < 15; i++)
        ck_assert_float_eq(values[i], ((const float *)expected.data)[i / 5 * expected.dims[2] + i % 5]);
}
END_TEST

START_TEST(names_and_classes) {
    const PickleValue *names = read_birds("train/filenames.pickle"), *classes = read_birds("train/class_info.pickle");
    ck_assert_uint_eq(names->count, 4);
    ck_assert_str_eq(pickle_text(arena, names->items[3]), "002.Painted_Bird_B/Painted_0003_445630");
    ck_assert_int_eq(classes->items[3]->integer, 2);
    names = read_birds("test/filenames.pickle"), classes = read_birds("test/class_info.pickle");
    ck_assert_str_eq(pickle_text(arena, names->items[1]), "003.Painted_Bird_C/Painted_0005_612926");
    ck_assert_int_eq(classes->items[1]->integer, 3);
}
END_TEST

START_TEST(scalars) {
    ck_assert_int_eq(GOOD("I-12\n.")->integer, -12);
    ck_assert_int_eq(GOOD("L12345678901L\n.")->integer, 12345678901);
    ck_assert_int_eq(GOOD("\x80\002\x8a\002\x00\xff.")->integer, -256);
    ck_assert_int_eq(GOOD("\x80\002\x8a\010\xff\xff\xff\xff\xff\xff\xff\x7f.")->integer, INT64_MAX);
    ck_assert_int_eq(GOOD("\x80\002\x8a\000.")->integer, 0);
    ck_assert_int_eq(GOOD("J\xfe\xff\xff\xff.")->integer, -2);
    ck_assert_int_eq(GOOD("I01\n.")->kind, PICKLE_BOOL);
    ck_assert_int_eq(GOOD("N.")->kind, PICKLE_NONE);
    ck_assert_double_eq(GOOD("F1.5e3\n.")->real, 1500);
    ck_assert_double_eq(GOOD("G\x3f\xf8\0\0\0\0\0\0.")->real, 1.5);
    ck_assert_str_eq(pickle_text(arena, GOOD("S'it\\'s\\x21\\n\\101'\n.")), "it's!\nA");
    ck_assert_str_eq(pickle_text(arena, GOOD("Va\\u00e9\xe9\\x\n.")), "a\xc3\xa9\xc3\xa9\\x");
    ck_assert_ptr_null(pickle_text(arena, GOOD("U\002a\000.")));
    ck_assert_ptr_null(pickle_text(arena, GOOD("N.")));
    const PickleValue *bytes = GOOD("c_codecs\nencode\n(X\003\0\0\0a\xc3\xbfVlatin1\ntR.");
    ck_assert_int_eq(bytes->kind, PICKLE_BYTES);
    ck_assert_uint_eq(bytes->bytes.size, 2);
    ck_assert_mem_eq(bytes->bytes.start, "a\xff", 2);
    const PickleValue *scalar = GOOD("cnumpy.core.multiarray\nscalar\n(" DTYPE "U\004\0\0\xc0\x3ftR.");
    ck_assert_int_eq(scalar->kind, PICKLE_REAL);
    ck_assert_double_eq(scalar->real, 1.5);
}
END_TEST

START_TEST(containers) {
    const PickleValue *value = GOOD("}(U\001aK\001U\001b]q\000K\002ah\000\x86u.");
    ck_assert_int_eq(value->kind, PICKLE_DICT);
    ck_assert_uint_eq(value->count, 4);
    const PickleValue *pair = value->items[3];
    ck_assert_int_eq(pair->kind, PICKLE_TUPLE);
    ck_assert_ptr_eq(pair->items[0], pair->items[1]); // shared
    ck_assert_int_eq(pair->items[0]->items[0]->integer, 2);
    Text text = text_create(arena);
    text_append(&text, "]");
    for (uint32_t i = 0; i < 1000; i++)
        text_format(&text, "I%u\na", i);
    text_append(&text, ".");
    value = good(text.data, text.length);
    ck_assert_uint_eq(value->count, 1000);
    for (uint32_t i = 0; i < 1000; i++)
        ck_assert_int_eq(value->items[i]->integer, i);
}
END_TEST

START_TEST(hostile) {
    Diag *inner = diag_create(arena);
    ck_assert_ptr_null(pickle_read(arena, BIRDS "test/hostile.pickle", inner));
    ck_assert_ptr_nonnull(strstr(diag_text(inner, arena), "os.system"));
    ck_assert(!file_exists("HOSTILE"));
    CK_REFUSED("cos\x1b[2J\nsystem\n.", "os?[2J.system");
    CK_REFUSED("\x8c\002os\x8c\006system\x93.", "os.system");
    CK_REFUSED("(ios\nsystem\n.", "opcode 0x69");
    CK_REFUSED("cnumpy\nndarray\n.", "unfinished");
    CK_REFUSED("cnumpy\nndarray\n\x85.", "unfinished");
    CK_REFUSED("]cnumpy\nndarray\na.", "in a list");
    CK_REFUSED("]q\000h\000a.", "hold itself");
    CK_REFUSED("]q\000]h\000ah\000h\000a.", "");
    CK_REFUSED("]q\000]q\001h\000a0h\000h\001a.", "after another one");
    CK_REFUSED("Pid\n.", "opcode 0x50");
    CK_REFUSED("\x80\006N.", "protocol 6");
    CK_REFUSED("\x97.", "opcode 0x97");
    Text text = text_create(arena);
    for (uint32_t i = 0; i < 100; i++)
        text_append(&text, "]");
    for (uint32_t i = 0; i < 99; i++)
        text_append(&text, "a");
    text_append(&text, ".");
    ck_refused(text.data, text.length, "nested");
}
END_TEST

START_TEST(broken) {
    CK_REFUSED("", "truncated");
    CK_REFUSED(".", "not there");
    CK_REFUSED("N", "does not end");
    CK_REFUSED("a.", "not there");
    CK_REFUSED("(a.", "not there");
    CK_REFUSED("N(t0t.", "mark");
    CK_REFUSED("NNa.", "expected a list");
    CK_REFUSED("}(NuN.", "no value");
    CK_REFUSED("h\000.", "memo");
    CK_REFUSED("Nr\xff\xff\xff\xff.", "memo");
    CK_REFUSED("T\xff\xff\xff\xff.", "4294967295 bytes announced");
    CK_REFUSED("\x8e\xff\xff\xff\xff\xff\xff\xff\xff.", "announced");
    CK_REFUSED("\x95\xff\0\0\0\0\0\0\0N.", "frame");
    CK_REFUSED("X\002\0\0\0\xc3\x28.", "UTF-8");
    CK_REFUSED("S'a\n.", "quotes");
    CK_REFUSED("S'\\q'\n.", "escape");
    CK_REFUSED("I12x\n.", "no integer");
    CK_REFUSED("I99999999999999999999\n.", "no integer");
    CK_REFUSED("\x8a\011\0\0\0\0\0\0\0\0\1.", "64 bits");
    CK_REFUSED(RECONSTRUCT "(K\001K\002\x85" DTYPE "\x89U\004\0\0\0\0tb.", "8 expected");
    CK_REFUSED(RECONSTRUCT "(K\001J\xff\xff\xff\x7fJ\xff\xff\xff\x7fJ\xff\xff\xff\x7f\x87" DTYPE "\x89U\004\0\0\0\0tb.", "more elements");
    CK_REFUSED(RECONSTRUCT "(K\001J\xff\xff\xff\xff\x85" DTYPE "\x89U\004\0\0\0\0tb.", "no length");
    CK_REFUSED(RECONSTRUCT ".", "unfinished");
    CK_REFUSED("cnumpy\ndtype\n(U\002O8\x89\x88tR.", "\"O8\"");
    CK_REFUSED("cnumpy\ndtype\n(U\002f4tR(K\003U\001>tb.", "little-endian");
    ck_assert_int_eq(GOOD(RECONSTRUCT "(K\001K\001\x85" DTYPE "\x89U\004\0\0\0\0tb.")->kind, PICKLE_ARRAY);
    Diag *inner = diag_create(arena);
    ck_assert_ptr_null(pickle_read(arena, "/nowhere.pickle", inner));
    ck_assert_uint_eq(diag_error_count(inner), 1);
}
END_TEST

// One text that is encoded again and again.
START_TEST(memory_is_bounded) {
    enum { SIZE = 1 << 20 };
    Text text = text_create(arena);
    char *piece = ARENA_NEW(arena, char, SIZE);
    memset(piece, 'a', SIZE);
    text_append_bytes(&text, "c_codecs\nencode\nq\000(X\0\0\020\0", 24);
    text_append_bytes(&text, piece, SIZE);
    text_append_bytes(&text, "Vlatin1\ntq\001R", 12);
    for (uint32_t i = 0; i < 1000; i++)
        text_append_bytes(&text, "h\000h\001R", 5);
    text_append(&text, ".");
    ck_refused(text.data, text.length, "too much memory");
}
END_TEST

START_TEST(every_truncation) {
    size_t size;
    const char *whole = file_read(arena, BIRDS "test/embeddings.fortran_f64.pickle", &size, diag);
    for (size_t cut = 0; cut < size; cut++)
        ck_refused(whole, cut, "");
}
END_TEST

int main(void) {
    Suite *suite = suite_create("pickle");
    TCase *tests = tcase_create("pickle");
    tcase_add_checked_fixture(tests, set_up, folder_tear_down);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, arrays_of_all_protocols);
    tcase_add_test(tests, fortran_order);
    tcase_add_test(tests, names_and_classes);
    tcase_add_test(tests, scalars);
    tcase_add_test(tests, containers);
    tcase_add_test(tests, hostile);
    tcase_add_test(tests, broken);
    tcase_add_test(tests, memory_is_bounded);
    tcase_add_test(tests, every_truncation);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
