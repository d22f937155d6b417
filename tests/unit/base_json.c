// Json: trees with positions, mistakes with positions, typed access, writer.
#include "runtime/base/json.h"
#include <check.h>
#include <math.h>
#include <stdlib.h>

static Arena *arena;
static Diag *diag;

static void set_up(void) {
    arena = arena_create();
    diag = diag_create(arena);
}

static void tear_down(void) { arena_destroy(&arena); }

static Json *parse(const char *text) { return json_parse(arena, "a.json", text, strlen(text), diag); }

static Json *parse_well(const char *text) {
    Json *json = parse(text);
    ck_assert_msg(json != NULL, "%s", diag_text(diag, arena));
    return json;
}

static void ck_place(const Json *json, uint32_t line, uint32_t column) {
    ck_assert_uint_eq(json->line, line);
    ck_assert_uint_eq(json->column, column);
}

START_TEST(tree_with_positions) {
    Json *root = parse_well("{\n  \"a\": [1, -2.5e1, \"x\"],\n  \"ä\": \"ö\", \"b/~c\": {\"d\": null}\n, \"t\": true}");
    ck_assert_int_eq(root->kind, JSON_OBJECT);
    ck_assert_uint_eq(root->count, 4);
    ck_place(root, 1, 1);
    const Json *a = json_get(root, "a");
    ck_place(a, 2, 8);
    ck_assert_uint_eq(a->count, 3);
    ck_place(json_at(a, 1), 2, 12);
    ck_assert(json_at(a, 0)->is_integer && !json_at(a, 1)->is_integer);
    ck_assert_double_eq(json_at(a, 1)->number, -25.0);
    ck_assert_str_eq(json_at(a, 1)->written, "-2.5e1");
    ck_assert_ptr_null(json_at(a, 3));
    ck_assert_ptr_null(json_at(root, 0));
    ck_assert_ptr_null(json_get(a, "a"));
    ck_assert_ptr_null(json_get(NULL, "a"));
    ck_assert_str_eq(json_pointer(arena, json_at(a, 2)), "/a/2");
    ck_assert_str_eq(json_get(root, "ä")->string, "ö");
    const Json *d = json_get(json_get(root, "b/~c"), "d");
    ck_place(d, 3, 27);
    ck_assert_str_eq(json_pointer(arena, d), "/b~1~0c/d");
    ck_assert_str_eq(json_pointer(arena, root), "");
    ck_place(json_get(root, "t"), 4, 8);
    ck_assert_double_eq(json_get(root, "t")->number, 1.0);
    Place place = json_place(arena, d);
    ck_assert_str_eq(place.file, "a.json");
    ck_assert_str_eq(place.pointer, "/b~1~0c/d");
}
END_TEST

START_TEST(decodes) {
    ck_assert_str_eq(parse_well("\"\\u00e4\\n\\ud83d\\ude00\\/\"")->string, "ä\n\xF0\x9F\x98\x80/");
    ck_assert_double_eq(parse_well("\xEF\xBB\xBF 1e-3 ")->number, 1e-3);
    ck_assert_double_eq(parse_well("-0")->number, 0.0);
    ck_assert_uint_eq(parse_well("[]")->count, 0);
    ck_assert_uint_eq(parse_well("{}")->count, 0);
    ck_assert_int_eq(parse_well("false")->kind, JSON_BOOL);
}
END_TEST

static const struct {
    const char *text, *message;
} mistakes[] = {
    {"", "a.json:1:1: expected a value, found the end of the text"},
    {"{\"a\": 1,\n \"b\" 2}", "a.json:2:6: expected ':' after the key, found '2'"},
    {"[1, 2,]", "a.json:1:6: no ',' may stand before ']'"},
    {"[1 2]", "a.json:1:4: expected ',' or ']', found '2'"},
    {"{a: 1}", "a.json:1:2: expected a key in double quotes, found 'a'"},
    {"[1", "a.json:1:3: expected ',' or ']', found the end of the text"},
    {"[1] x", "a.json:1:5: expected the end of the text, found 'x'"},
    {"[\n\n  relu]", "a.json:3:3: expected a value, found relu (a text needs quotes)"},
    {"[größe]", "a.json:1:2: expected a value, found größe (a text needs quotes)"},
    {"[\"ä\", 01]", "a.json:1:7: a number may not begin with 0"},
    {"1.", "a.json:1:3: expected a digit after '.'"},
    {"1e", "a.json:1:3: expected the exponent's digits"},
    {"-", "a.json:1:2: expected a digit"},
    {"+1", "a.json:1:1: expected a value, found '+'"},
    {"1e999", "a.json:1:1: 1e999 is too large"},
    {"\"a", "a.json:1:1: the string does not end"},
    {"\"a\n\"", "a.json:1:1: the string does not end on its line"},
    {"\"a\tb\"", "a.json:1:3: a string may not hold control character 0x09 as it is; write \\u0009"},
    {"\"\\x\"", "a.json:1:2: unknown escape"},
    {"\"\\u12\"", "a.json:1:2: '\\u' needs four"},
    {"\"\\u0000\"", "a.json:1:2: a string may not hold the character \\u0000"},
    {"\"\\ud800\"", "a.json:1:2: half of a surrogate pair"},
    {"\"\\udc00\\ud800\"", "a.json:1:2: half of a surrogate pair"},
    {"[\"a\xFF\"]", "a.json:1:4: the string holds byte 0xff, which is not UTF-8"},
    {"\xFF", "a.json:1:1: expected a value, found byte 0xff, which is not UTF-8"},
    {"// x\n1", "a.json:1:1: expected a value, found '/'"},
    {"{\"k\": 1,\n\"x\": 2, \"k\": 3}", "a.json:2:9: key \"k\" occurs twice; it is also at line 1, column 2"},
    {"{\"k\": 1, \"\\u006b\": 3}", "key \"k\" occurs twice"},
    {"1234567890123456789012345678901234567890123456789012345678901234567890", "a.json:1:1: a number may not be longer than 60"},
};

START_TEST(mistakes_have_positions) {
    ck_assert_ptr_null(parse(mistakes[_i].text));
    ck_assert_uint_eq(diag_error_count(diag), 1);
    const char *text = diag_text(diag, arena);
    ck_assert_msg(strstr(text, mistakes[_i].message) != NULL, "%sfor %s", text, mistakes[_i].message);
}
END_TEST

START_TEST(every_cut_is_a_mistake) {
    const char *text = "{\"a\": [1.5e+3, \"x\\u00e4\\ud83d\\ude00ä\"], \"b\": {\"c\": null, \"d\": [true, false]}}";
    for (size_t length = 0; length < strlen(text); length++) {
        uint32_t before = diag_error_count(diag);
        char *cut = malloc(length ? length : 1); // without a 0 byte: a read beyond the end is seen by the sanitizer
        memcpy(cut, text, length);
        ck_assert_ptr_null(json_parse(arena, "cut", cut, length, diag));
        ck_assert_uint_eq(diag_error_count(diag), before + 1);
        free(cut);
    }
    parse_well(text);
}
END_TEST

START_TEST(depth) {
    Text text = text_create(arena);
    for (int i = 0; i < 200; i++)
        text_append(&text, "[");
    for (int i = 0; i < 200; i++)
        text_append(&text, "]");
    parse_well(text.data);
    ck_assert_ptr_null(parse(arena_format(arena, "[%s]", text.data)));
    ck_assert_ptr_nonnull(strstr(diag_text(diag, arena), "a.json:1:201: nested more than 200 levels deep"));
}
END_TEST

START_TEST(typed_access) {
    Json *root = parse_well("{\"n\": 18446744073709551615, \"big\": 18446744073709551616, \"m\": -1, \"f\": 1.0, \"s\": \"x\"}");
    uint64_t number = 0;
    const char *text = NULL;
    ck_assert(json_uint(root, "n", &number, diag));
    ck_assert(number == UINT64_MAX);
    ck_assert(json_text(root, "s", &text, diag));
    ck_assert_str_eq(text, "x");
    ck_assert_uint_eq(diag_error_count(diag), 0);
    ck_assert(!json_uint(root, "big", &number, diag));
    ck_assert(!json_uint(root, "m", &number, diag));
    ck_assert(!json_uint(root, "f", &number, diag));
    ck_assert(!json_uint(root, "s", &number, diag));
    ck_assert(!json_uint(root, "none", &number, diag));
    ck_assert(!json_text(root, "n", &text, diag));
    ck_assert(!json_text(json_get(root, "n"), "k", &text, diag));
    ck_assert_uint_eq(diag_error_count(diag), 7);
    const char *said = diag_text(diag, arena);
    ck_assert_ptr_nonnull(strstr(said, ": /m: expected an integer from 0 to 18446744073709551615, found -1\n"));
    ck_assert_ptr_nonnull(strstr(said, "a.json:1:1: \"none\" is missing"));
}
END_TEST

START_TEST(writes) {
    JsonWriter *writer = json_writer_create(arena);
    json_begin_object(writer, NULL);
    json_write_text(writer, "name", "a\"\\\n\x01ä\xFF");
    json_begin_array(writer, "shape");
    json_write_uint(writer, NULL, UINT64_MAX);
    json_write_int(writer, NULL, INT64_MIN);
    json_end_array(writer);
    json_begin_array(writer, "nested");
    json_begin_object(writer, NULL);
    json_write_bool(writer, "b", true);
    json_end_object(writer);
    json_write_number(writer, NULL, 0.1);
    json_end_array(writer);
    json_begin_object(writer, "empty");
    json_end_object(writer);
    json_begin_array(writer, "none");
    json_end_array(writer);
    json_write_number(writer, "nan", NAN);
    json_end_object(writer);
    const char *text = json_writer_text(writer);
    ck_assert_str_eq(text, "{\n"
                           "  \"name\": \"a\\\"\\\\\\n\\u0001ä\xEF\xBF\xBD\",\n"
                           "  \"shape\": [18446744073709551615, -9223372036854775808],\n"
                           "  \"nested\": [\n"
                           "    {\n"
                           "      \"b\": true\n"
                           "    },\n"
                           "    0.1\n"
                           "  ],\n"
                           "  \"empty\": {},\n"
                           "  \"none\": [],\n"
                           "  \"nan\": null\n"
                           "}\n");
    JsonWriter *again = json_writer_create(arena);
    json_write_tree(again, NULL, parse_well(text));
    ck_assert_str_eq(json_writer_text(again), text);
    JsonWriter *line = json_line_writer_create(arena);
    json_write_tree(line, NULL, parse_well("{\"a\": [1, {\"b\": []}],\n\"c\": \"\"}"));
    json_write_int(line, NULL, 7);
    ck_assert_str_eq(json_writer_text(line), "{\"a\": [1, {\"b\": []}], \"c\": \"\"}\n7\n");
}
END_TEST

START_TEST(numbers_read_back_equal) {
    static const struct {
        double number;
        const char *text;
    } cases[] = {{0.1, "0.1"},
                 {1.0, "1"},
                 {1e300, "1e+300"},
                 {5e-324, "5e-324"},
                 {1.0 / 3.0, "0.3333333333333333"},
                 {-2.5e-3, "-0.0025"},
                 {123456789, "123456789"},
                 {0.1f, "0.10000000149011612"},
                 {1.7976931348623157e308, "1.7976931348623157e+308"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        JsonWriter *writer = json_writer_create(arena);
        json_write_number(writer, NULL, cases[i].number);
        const char *text = json_writer_text(writer);
        ck_assert_str_eq(text, arena_format(arena, "%s\n", cases[i].text));
        ck_assert(parse_well(text)->number == cases[i].number);
    }
}
END_TEST

START_TEST(reads_files) {
    ck_assert_ptr_null(json_read(arena, "/no/such/file.json", diag));
    ck_assert_ptr_nonnull(strstr(diag_text(diag, arena), "/no/such/file.json: cannot read: No such file"));
}
END_TEST

int main(void) {
    Suite *suite = suite_create("json");
    TCase *cases = tcase_create("json");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, tree_with_positions);
    tcase_add_test(cases, decodes);
    tcase_add_loop_test(cases, mistakes_have_positions, 0, sizeof mistakes / sizeof mistakes[0]);
    tcase_add_test(cases, every_cut_is_a_mistake);
    tcase_add_test(cases, depth);
    tcase_add_test(cases, typed_access);
    tcase_add_test(cases, writes);
    tcase_add_test(cases, numbers_read_back_equal);
    tcase_add_test(cases, reads_files);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
