// Tensor files: round trips, foreign element types, hostile input.
#include "runtime/tensor/tensor_file.h"
#include "tests/support/folder.h"
#include <check.h>
#include <stdlib.h>

static const char *path;

static void set_up(void) {
    folder_set_up();
    path = file_join(arena, folder, "t.npy");
}

static void tear_down(void) {
    file_fail_at(0);
    folder_tear_down();
}

static void ck_said(const char *message) {
    const char *text = diag_text(diag, arena);
    ck_assert_msg(strstr(text, message) != NULL, "%sfor %s", text, message);
}

static HostTensor tensor_of(ElementType dtype, uint32_t rank, const uint64_t *dims, const void *data) {
    HostTensor tensor = {.name = "t", .dtype = dtype, .rank = rank, .data = data, .size = element_bytes(dtype)};
    for (uint32_t i = 0; i < rank; i++) {
        tensor.dims[i] = dims[i];
        tensor.size *= dims[i];
    }
    return tensor;
}

static void ck_equal(const HostTensor *a, const HostTensor *b) {
    ck_assert_int_eq(a->dtype, b->dtype);
    ck_assert_uint_eq(a->rank, b->rank);
    ck_assert_mem_eq(a->dims, b->dims, sizeof a->dims);
    ck_assert_uint_eq(a->size, b->size);
    ck_assert_mem_eq(a->data, b->data, a->size);
}

static void put_npy(const char *header, const void *data, size_t size) {
    size_t length = strlen(header);
    char *bytes = arena_alloc(arena, 10 + length + size);
    memcpy(bytes, "\x93NUMPY\x01\x00", 8);
    bytes[8] = (char)(length & 0xFF);
    bytes[9] = (char)(length >> 8);
    memcpy(bytes + 10, header, length);
    if (size)
        memcpy(bytes + 10 + length, data, size);
    ck_assert(file_write(path, bytes, 10 + length + size, diag));
}

static void put_safetensors(const char *header, const void *data, size_t size) {
    size_t length = strlen(header);
    unsigned char *bytes = arena_alloc(arena, 8 + length + size);
    for (size_t i = 0; i < 8; i++)
        bytes[i] = (unsigned char)((uint64_t)length >> (8 * i));
    memcpy(bytes + 8, header, length);
    if (size)
        memcpy(bytes + 8 + length, data, size);
    ck_assert(file_write(path, bytes, 8 + length + size, diag));
}

START_TEST(npy_round_trip) {
    static const uint64_t dims[HOST_RANK_MAX] = {2, 3, 1, 1, 1, 2, 1, 1};
    unsigned char data[8 * 12];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (unsigned char)(i * 37 % 2);
    for (ElementType dtype = 0; dtype < ELEMENT_COUNT; dtype++) {
        if (element_row(dtype)->host != dtype) // read as another
            continue;
        static const uint32_t ranks[] = {0, 1, 2, 8};
        for (size_t i = 0; i < 4; i++) {
            HostTensor tensor = tensor_of(dtype, ranks[i], dims, data), back;
            ck_assert(npy_write(path, &tensor, diag));
            ck_assert_msg(npy_read(arena, path, &back, diag), "%s", diag_text(diag, arena));
            ck_equal(&tensor, &back);
            ck_assert_str_eq(back.name, "t");
            size_t size;
            file_read(arena, path, &size, diag);
            ck_assert_uint_eq((size - tensor.size) % 64, 0);
        }
    }
}
END_TEST

START_TEST(npy_bytes_as_numpy_writes_them) {
    float data[6] = {0, 1, 2, 3, 4, 5};
    HostTensor tensor = tensor_of(ELEMENT_F32, 2, (uint64_t[]){2, 3}, data);
    ck_assert(npy_write(path, &tensor, diag));
    size_t size;
    const char *bytes = file_read(arena, path, &size, diag);
    ck_assert_uint_eq(size, 128 + 24);
    ck_assert_mem_eq(bytes, "\x93NUMPY\x01\x00\x76\x00{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }   ", 70);
    ck_assert_int_eq(bytes[127], '\n');
}
END_TEST

START_TEST(npy_other_forms) {
    HostTensor tensor;
    static const float fortran[] = {0, 3, 1, 4, 2, 5};
    put_npy("{\"shape\": ( 2,3 ,), 'fortran_order': True,'descr':'<f4'}\n", fortran, sizeof fortran);
    ck_assert_msg(npy_read(arena, path, &tensor, diag), "%s", diag_text(diag, arena));
    for (int i = 0; i < 6; i++)
        ck_assert(((const float *)tensor.data)[i] == (float)i);
    static const uint16_t halves[] = {0x3C00, 0xC000, 0x0001, 0x7C00, 0x8000, 0x3555};
    put_npy("{'descr': '<f2', 'fortran_order': False, 'shape': (6,), }", halves, sizeof halves);
    ck_assert(npy_read(arena, path, &tensor, diag));
    const float *floats = tensor.data;
    ck_assert(floats[0] == 1.0f && floats[1] == -2.0f && floats[2] == 0x1p-24f && floats[3] > 1e38f && floats[4] == 0.0f);
    ck_assert_float_eq_tol(floats[5], 0.33325195f, 1e-7f);
    put_npy("{'descr': '|i1', 'fortran_order': False, 'shape': (2,), }", "\xFF\x7F", 2);
    ck_assert(npy_read(arena, path, &tensor, diag));
    ck_assert_int_eq(((const int32_t *)tensor.data)[0], -1);
    ck_assert_int_eq(((const int32_t *)tensor.data)[1], 127);
    put_npy("{'descr': '<u2', 'fortran_order': False, 'shape': (1,), }", "\xFE\xFF", 2);
    ck_assert(npy_read(arena, path, &tensor, diag));
    ck_assert_uint_eq(((const uint32_t *)tensor.data)[0], 65534);
    put_npy("{'descr': '|b1', 'fortran_order': False, 'shape': (3,), }", "\x00\x02\x01", 3);
    ck_assert(npy_read(arena, path, &tensor, diag));
    ck_assert_mem_eq(tensor.data, "\x00\x01\x01", 3);
    put_npy("{'descr': '<f8', 'fortran_order': True, 'shape': (0, 5), }", NULL, 0);
    ck_assert(npy_read(arena, path, &tensor, diag));
    ck_assert_uint_eq(tensor.size, 0);
}
END_TEST

START_TEST(npy_version_2) {
    static const char file[] = "\x93NUMPY\x02\x00\x37\x00\x00\x00{'descr': '<u4', 'fortran_order': False, 'shape': (1,)}\x07\x00\x00\x00";
    HostTensor tensor;
    ck_assert(file_write(path, file, sizeof file - 1, diag));
    ck_assert_msg(npy_read(arena, path, &tensor, diag), "%s", diag_text(diag, arena));
    ck_assert_uint_eq(((const uint32_t *)tensor.data)[0], 7);
}
END_TEST

// Big-endian arrays are read as their numbers; and where a file's elements lie is known without them.
START_TEST(npy_big_endian) {
    HostTensor tensor;
    put_npy("{'descr': '>f4', 'fortran_order': False, 'shape': (2,)}\n", "\x3f\x80\0\0\xc0\0\0\0", 8);
    ck_assert_msg(npy_read(arena, path, &tensor, diag), "%s", diag_text(diag, arena));
    ck_assert(host_number(&tensor, 0) == 1 && host_number(&tensor, 1) == -2);
    put_npy("{'descr': '>i2', 'fortran_order': True, 'shape': (2, 2)}\n", "\0\1\0\2\xff\xff\1\0", 8);
    ck_assert_msg(npy_read(arena, path, &tensor, diag), "%s", diag_text(diag, arena));
    ck_assert(host_number(&tensor, 0) == 1 && host_number(&tensor, 1) == -1 && host_number(&tensor, 2) == 2 && host_number(&tensor, 3) == 256);
    size_t size;
    const char *bytes = file_read(arena, path, &size, diag);
    TensorPlace place;
    ck_assert(npy_locate(path, bytes, size - 8, size, &place, diag));
    ck_assert(place.is_big && place.is_fortran && place.type == ELEMENT_I16 && place.rank == 2 && place.offset == size - 8 && place.size == 8);
    Diag *refused = diag_create(arena);
    ck_assert(!npy_locate(path, bytes, 20, size, &place, refused));
    ck_assert(!npy_locate(path, bytes, size, size + 1, &place, refused));
    ck_assert_uint_eq(diag_error_count(refused), 2);
}
END_TEST

static const struct {
    const char *header, *message;
} npy_mistakes[] = {
    {"", "no dictionary"},
    {"{", "a quoted text is missing"},
    {"{'descr", "does not end"},
    {"{'descr': '<f4'}", "is missing"},
    {"{'descr': '<f4', 'descr': '<f4'}", "unknown or occurs twice"},
    {"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}", "structured types are not supported"},
    {"{'descr': '=f4', 'fortran_order': False, 'shape': (1,)}", "\"=f4\" is not supported"},
    {"{'descr': '<c8', 'fortran_order': False, 'shape': (1,)}", "\"<c8\" is not supported"},
    {"{'descr': '', 'fortran_order': False, 'shape': (1,)}", "is not supported"},
    {"{'descr': '<f4', 'fortran_order': Maybe, 'shape': (1,)}", "neither True nor False"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (1)}", "no tuple"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}", "a length in the shape is missing"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1}", "the shape does not end"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,)} x", "text behind"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,1)}", "more than 8 axes"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}", "too large"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296)}", "too large for any memory"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (0, 4294967296, 4294967296)}", "too large for any memory"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}", "but 4 follow the header"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (0,)}", "but 4 follow the header"},
};

START_TEST(npy_mistake) {
    HostTensor tensor;
    put_npy(npy_mistakes[_i].header, "\0\0\0\0", 4);
    ck_assert(!npy_read(arena, path, &tensor, diag));
    ck_assert_uint_eq(diag_error_count(diag), 1);
    ck_said(npy_mistakes[_i].message);
}
END_TEST

START_TEST(every_cut_is_refused) {
    float data[2] = {1, 2};
    HostTensor tensor = tensor_of(ELEMENT_F32, 1, (uint64_t[]){2}, data), back;
    TensorFile file;
    for (int is_npy = 0; is_npy < 2; is_npy++) {
        size_t size;
        ck_assert(is_npy ? npy_write(path, &tensor, diag) : safetensors_write(arena, path, &tensor, 1, NULL, NULL, 0, diag));
        const char *bytes = file_read(arena, path, &size, diag);
        for (size_t length = 0; length < size; length++) {
            ck_assert(file_write(path, bytes, length, diag));
            uint32_t errors = diag_error_count(diag);
            ck_assert(!(is_npy ? npy_read(arena, path, &back, diag) : safetensors_read(arena, path, &file, diag)));
            ck_assert_uint_eq(diag_error_count(diag), errors + 1);
        }
    }
}
END_TEST

START_TEST(safetensors_round_trip) {
    unsigned char data[8 * 6];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (unsigned char)(i % 2);
    static const ElementType types[7] = {ELEMENT_F32, ELEMENT_F64, ELEMENT_I32, ELEMENT_I64, ELEMENT_U32, ELEMENT_U8, ELEMENT_BOOL};
    HostTensor tensors[8];
    for (uint32_t i = 0; i < 7; i++) {
        tensors[i] = tensor_of(types[i], i % 3, (uint64_t[]){3, 2}, data);
        tensors[i].name = arena_format(arena, "net.w%u \"ä\"", i);
    }
    tensors[7] = tensor_of(ELEMENT_F32, 2, (uint64_t[]){0, 3}, NULL);
    tensors[7].name = "empty";
    static const char *const keys[] = {"step", "seed"}, *const values[] = {"12", "x\ny"};
    ck_assert(safetensors_write(arena, path, tensors, 8, keys, values, 2, diag));
    TensorFile file;
    ck_assert_msg(safetensors_read(arena, path, &file, diag), "%s", diag_text(diag, arena));
    ck_assert_uint_eq(file.tensors.count, 8);
    for (uint32_t i = 0; i < 8; i++) {
        ck_assert_str_eq(file.tensors.items[i].name, tensors[i].name);
        ck_assert_uint_eq((uintptr_t)file.tensors.items[i].data % element_bytes(tensors[i].dtype), 0);
        if (tensors[i].size)
            ck_equal(&file.tensors.items[i], &tensors[i]);
    }
    ck_assert_str_eq(tensor_file_metadata(&file, "seed"), "x\ny");
    ck_assert_ptr_null(tensor_file_metadata(&file, "none"));
    ck_assert_ptr_eq(tensor_file_find(&file, "empty"), &file.tensors.items[7]);
    ck_assert_ptr_null(tensor_file_find(&file, "none"));
    size_t size;
    const char *bytes = file_read(arena, path, &size, diag);
    ck_assert_uint_eq((unsigned char)bytes[0] % 8, 0);
}
END_TEST

START_TEST(safetensors_other_forms) {
    TensorFile file;
    put_safetensors(
        "{\"b\":{\"dtype\":\"BF16\",\"shape\":[1],\"data_offsets\":[3,5]},"
        "\"a\":{\"dtype\":\"I16\",\"shape\":[],\"data_offsets\":[1,3]},\"c\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
        "\"d\":{\"dtype\":\"U64\",\"shape\":[1],\"data_offsets\":[5,13]}}  ",
        "\x09\xFE\xFF\x80\x3F\x01\x00\x00\x00\x00\x00\x00\x00", 13);
    ck_assert_msg(safetensors_read(arena, path, &file, diag), "%s", diag_text(diag, arena));
    ck_assert(*(const float *)tensor_file_find(&file, "b")->data == 1.0f);
    ck_assert_int_eq(*(const int32_t *)tensor_file_find(&file, "a")->data, -2);
    ck_assert_int_eq(*(const int64_t *)tensor_file_find(&file, "d")->data, 1);
    put_safetensors("{}", NULL, 0);
    ck_assert(safetensors_read(arena, path, &file, diag));
    ck_assert_uint_eq(file.tensors.count, 0);
}
END_TEST

#define ENTRY(dtype, shape, begin, end) "{\"dtype\":\"" dtype "\",\"shape\":[" shape "],\"data_offsets\":[" #begin "," #end "]}"

static const struct {
    const char *header, *message;
} safetensors_mistakes[] = {
    {"", "not a .safetensors file"},
    {"[]", "not a .safetensors file"},
    {"{", "expected a key"},
    {"{\"a\":1}", "/a: a tensor must be an object"},
    {"{\"a\":{}}", "\"dtype\" is missing"},
    {"{\"a\":" ENTRY("F8_E4M3", "8", 0, 8) "}", "dtype \"F8_E4M3\" is not supported"},
    {"{\"a\":" ENTRY("F32", "3", 0, 8) "}", "3 elements of F32 take 12 bytes, but data_offsets spans 8"},
    {"{\"a\":" ENTRY("F32", "2", 0, 8) ",\"a\":" ENTRY("F32", "2", 0, 8) "}", "key \"a\" occurs twice"},
    {"{\"a\":" ENTRY("F32", "2", 0, 8) ",\"b\":" ENTRY("F32", "1", 4, 8) "}", "/b: its bytes overlap"},
    {"{\"a\":" ENTRY("F32", "1", 4, 8) "}", "/a: its bytes follow a gap"},
    {"{\"a\":" ENTRY("F32", "1", 0, 4) "}", "4 bytes of data belong to no tensor"},
    {"{\"a\":" ENTRY("F32", "2", 4, 12) "}", "bytes 4 to 12 of a file with 8 bytes"},
    {"{\"a\":" ENTRY("F32", "2", 8, 0) "}", "bytes 8 to 0"},
    {"{\"a\":" ENTRY("F32", "-2", 0, 8) "}", "/a/shape/0: expected an integer"},
    {"{\"a\":" ENTRY("F32", "2.0", 0, 8) "}", "/a/shape/0: expected an integer"},
    {"{\"a\":" ENTRY("F32", "18446744073709551615", 0, 8) "}", "expected an integer"},
    {"{\"a\":" ENTRY("F32", "4611686018427387905", 0, 4) "}", "too large for any memory"},
    {"{\"a\":" ENTRY("F32", "2147483648,2147483648,4", 0, 8) "}", "too large for any memory"},
    {"{\"a\":" ENTRY("F32", "1,1,1,1,1,1,1,1,2", 0, 8) "}", "9 axes"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2]}}", "needs \"data_offsets\""},
    {"{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,8]}}", "needs a \"shape\""},
    {"{\"__metadata__\":{\"k\":1}}", "/__metadata__/k: metadata must be strings"},
    {"{\"__metadata__\":[]}", "__metadata__ must be an object"},
    {"{} x", "expected the end of the text"},
    {"{}", "8 bytes of data belong to no tensor"},
    {"{\"a\":" ENTRY("U64", "1", 0, 8) "}", "does not fit in i64"},
};

START_TEST(safetensors_mistake) {
    TensorFile file;
    put_safetensors(safetensors_mistakes[_i].header, "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 8);
    ck_assert(!safetensors_read(arena, path, &file, diag));
    ck_assert_uint_eq(diag_error_count(diag), 1);
    ck_said(safetensors_mistakes[_i].message);
}
END_TEST

START_TEST(safetensors_huge_header) {
    TensorFile file;
    ck_assert(file_write(path, "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF{}", 10, diag));
    ck_assert(!safetensors_read(arena, path, &file, diag));
    ck_said("not a .safetensors file, or cut off");
}
END_TEST

START_TEST(safetensors_refuses_names) {
    float data[1] = {1};
    HostTensor tensors[2] = {tensor_of(ELEMENT_F32, 0, NULL, data), tensor_of(ELEMENT_F32, 0, NULL, data)};
    ck_assert(!safetensors_write(arena, path, tensors, 2, NULL, NULL, 0, diag));
    ck_said("the name \"t\" occurs twice");
    tensors[0].name = "__metadata__";
    ck_assert(!safetensors_write(arena, path, tensors, 2, NULL, NULL, 0, diag));
    ck_said("\"__metadata__\" occurs twice");
    ck_assert(!file_exists(path));
}
END_TEST

START_TEST(failing_calls) {
    float data[1] = {1};
    HostTensor tensor = tensor_of(ELEMENT_F32, 0, NULL, data);
    for (int is_npy = 0; is_npy < 2; is_npy++) {
        bool is_written = false;
        for (uint32_t n = 1; !is_written; n++) {
            Diag *own = diag_create(arena);
            file_fail_at(n);
            is_written = is_npy ? npy_write(path, &tensor, own) : safetensors_write(arena, path, &tensor, 1, NULL, NULL, 0, own);
            file_fail_at(0);
            ck_assert_uint_eq(diag_error_count(own), is_written ? 0 : 1);
            ck_assert(file_exists(path) == is_written);
            ck_assert_uint_lt(n, 10);
        }
        ck_assert(file_remove_tree(path, diag));
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("tensor_file");
    TCase *cases = tcase_create("tensor_file");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_set_timeout(cases, 30);
    tcase_add_test(cases, npy_round_trip);
    tcase_add_test(cases, npy_bytes_as_numpy_writes_them);
    tcase_add_test(cases, npy_other_forms);
    tcase_add_test(cases, npy_big_endian);
    tcase_add_test(cases, npy_version_2);
    tcase_add_loop_test(cases, npy_mistake, 0, sizeof npy_mistakes / sizeof npy_mistakes[0]);
    tcase_add_test(cases, every_cut_is_refused);
    tcase_add_test(cases, safetensors_round_trip);
    tcase_add_test(cases, safetensors_other_forms);
    tcase_add_loop_test(cases, safetensors_mistake, 0, sizeof safetensors_mistakes / sizeof safetensors_mistakes[0]);
    tcase_add_test(cases, safetensors_huge_header);
    tcase_add_test(cases, safetensors_refuses_names);
    tcase_add_test(cases, failing_calls);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
