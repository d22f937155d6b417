// Transfers: what is a copy or a fill in a graph is a step without a shader, and leaves in memory what the interpreter computes. Padding
// stays zero, so a buffer that has some is filled with zeros only.
#include "runtime/tensor/tensor_file.h"
#include "tests/end_to_end/command.h"

// a becomes what b was, b and c are filled, and d, whose rows have padding, stays a kernel's. They are too large to be joined with others.
static const char *const document =
    "{\"gcc-graph\": 1, \"name\": \"moves\", \"programs\": {\"p\": {\"state\": {\n"
    "  \"a\": {\"shape\": [80, 512]}, \"b\": {\"shape\": [80, 512], \"init\": {\"constant\": 7}},\n"
    "  \"c\": {\"shape\": [160, 258], \"init\": {\"constant\": 1}},\n"
    "  \"d\": {\"shape\": [160, 258]}},\n"
    " \"phases\": [{\"name\": \"q\", \"repeat\": 2, \"nodes\": [\n"
    "  {\"set\": \"a\", \"to\": \"b\"}, {\"set\": \"b\", \"to\": \"fill(-2.5, [80, 512])\"},\n"
    "  {\"set\": \"c\", \"to\": \"fill(0.0, [160, 258])\"}, {\"set\": \"d\", \"to\": \"fill(1.5, [160, 258])\"}]}]}}}\n";

static const char *const states[] = {"a", "b", "c", "d"};
enum { STATES = sizeof states / sizeof *states };

static uint32_t count_of(const char *text, const char *word) {
    uint32_t count = 0;
    for (const char *at = strstr(text, word); at; at = strstr(at + 1, word))
        count++;
    return count;
}

static void compile(const char *options) {
    write_text(in_folder("moves.json"), document);
    expect_code(0, "compile %s --target any -o %s %s", in_folder("moves.json"), in_folder("moves.ggb"), options);
}

START_TEST(a_copy_and_fills_are_steps) {
    compile("");
    const char *program = read_all(in_folder("moves.ggb/program.json"));
    ck_assert_uint_eq(count_of(program, "\"kind\": \"copy\""), 1);
    ck_assert_uint_eq(count_of(program, "\"kind\": \"fill\""), 2);
    expect_code(0, "inspect %s", in_folder("moves.ggb"));
    expect_out("fill");
    expect_out("copy");
    expect_code(0, "verify %s --validation", in_folder("moves.ggb"));
    compile("--schedule reference");
    program = read_all(in_folder("moves.ggb/program.json"));
    ck_assert_uint_eq(count_of(program, "\"kind\": \"copy\"") + count_of(program, "\"kind\": \"fill\""), 0);
}
END_TEST

START_TEST(they_leave_what_the_interpreter_computes) {
    compile("");
    for (int way = 0; way < 2; way++)
        expect_code(0, "run %s p %s --get %s", in_folder("moves.ggb"),
                    way ? "--interpret" : "--validation", in_folder(way ? "wanted" : "got"));
    for (int i = 0; i < STATES; i++) {
        HostTensor got, wanted;
        const char *name = arena_format(arena, "after/p.%s.npy", states[i]);
        ck_assert(npy_read(arena, file_join(arena, in_folder("got"), name), &got, diag));
        ck_assert(npy_read(arena, file_join(arena, in_folder("wanted"), name), &wanted, diag));
        ck_assert_uint_eq(host_count(&got), host_count(&wanted));
        for (uint64_t k = 0; k < host_count(&got); k++)
            ck_assert_msg(host_number(&got, k) == host_number(&wanted, k), "%s[%llu]: %g, not %g", states[i], (unsigned long long)k,
                          host_number(&got, k), host_number(&wanted, k));
    }
}
END_TEST

int main(void) {
    if (!has_device())
        return 77;
    Suite *suite = suite_create("transfer");
    TCase *tests = tcase_create("transfer");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, a_copy_and_fills_are_steps);
    tcase_add_test(tests, they_leave_what_the_interpreter_computes);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
