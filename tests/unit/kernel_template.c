// template.c: slots, defaults, constants and indentation, on a template of its own and on those of shaders/.
#include "compiler/emit/template.h"
#include "compiler/emit/template_files.h"
#include <check.h>
#include <signal.h>
#include <stdlib.h>

static Arena *arena;

static void setup(void) { arena = arena_create(); }
static void teardown(void) { arena_destroy(&arena); }

// The slots of a shipped template, each given a marked text.
static uint32_t read_slots(const char *source, Slot *slots, uint32_t max) {
    uint32_t count = 0;
    for (const char *line = source; *line; line += strcspn(line, "\n"), line += *line == '\n') {
        const char *at = line + strspn(line, " \t");
        size_t length = strcspn(at, "\n");
        if (strncmp(at, "//@", 3) != 0 || strncmp(at, "//@default", 10) == 0)
            continue;
        const char *name = arena_copy_bytes(arena, at + 3, length - 3);
        bool known = false;
        for (uint32_t i = 0; i < count; i++)
            known = known || strcmp(slots[i].name, name) == 0;
        if (known)
            continue;
        ck_assert_uint_lt(count, max);
        slots[count++] = (Slot){name, arena_format(arena, "filled_%s\n    deeper\n", name)};
    }
    return count;
}

// Fills all slots, and the constants with numbers from 1000 on, in the order of the file.
static void fill(Text *out, const char *name, const Slot *slots, uint32_t slot_count) {
    static const char mark[] = "const int ";
    Constant constants[64];
    uint32_t count = 0;
    for (const char *line = template_source(name); *line; line += strcspn(line, "\n"), line += *line == '\n') {
        const char *text = arena_copy_bytes(arena, line, strcspn(line, "\n"));
        if (strncmp(text, mark, sizeof mark - 1) != 0 || !strstr(text, "//@constant"))
            continue;
        ck_assert_uint_lt(count, 64);
        const char *constant = text + sizeof mark - 1;
        constants[count] = (Constant){arena_copy_bytes(arena, constant, strcspn(constant, " ")), 1000 + count};
        count++;
    }
    template_fill(out, name, slots, slot_count, constants, count);
    for (uint32_t i = 0; i < count; i++)
        ck_assert_ptr_nonnull(strstr(out->data, arena_format(arena, "const int %s = %u;", constants[i].name, 1000 + i)));
}

START_TEST(every_file_is_there) {
    ck_assert_uint_gt(template_file_count, 0);
    for (uint32_t i = 0; i < template_file_count; i++) {
        ck_assert_str_eq(template_source(template_files[i].name), (const char *)template_files[i].text);
        if (i > 0)
            ck_assert_str_lt(template_files[i - 1].name, template_files[i].name);
    }
    ck_assert_ptr_nonnull(strstr(template_source("random.glsl"), "uvec4 philox(uvec4 counter, uvec2 key)"));
}
END_TEST

START_TEST(all_slots_are_filled_and_defaults_dropped) {
    for (uint32_t i = 0; i < template_file_count; i++) {
        const char *source = (const char *)template_files[i].text;
        Slot slots[64];
        uint32_t count = read_slots(source, slots, 64);
        Text out = text_create(arena);
        fill(&out, template_files[i].name, slots, count);
        ck_assert_ptr_null(strstr(out.data, "//@"));
        for (uint32_t k = 0; k < count; k++)
            ck_assert_ptr_nonnull(strstr(out.data, arena_format(arena, "filled_%s\n", slots[k].name)));
    }
}
END_TEST

START_TEST(empty_text_removes_the_line) {
    for (uint32_t i = 0; i < template_file_count; i++) {
        Slot slots[64];
        const char *source = (const char *)template_files[i].text;
        uint32_t count = read_slots(source, slots, 64), lines = 0, dropped = 0, left = 0;
        for (uint32_t k = 0; k < count; k++)
            slots[k].text = "";
        Text out = text_create(arena);
        fill(&out, template_files[i].name, slots, count);
        for (const char *at = source; *at; at++)
            lines += *at == '\n';
        for (const char *at = source; (at = strstr(at, "//@")); at++)
            dropped += strncmp(at, "//@constant", 11) != 0;
        for (const char *at = out.data; *at; at++)
            left += *at == '\n';
        ck_assert_uint_eq(left, lines - dropped);
    }
}
END_TEST

START_TEST(indentation_follows_the_slot) {
    for (uint32_t i = 0; i < template_file_count; i++) {
        const char *source = (const char *)template_files[i].text;
        Slot slots[64];
        uint32_t count = read_slots(source, slots, 64);
        Text out = text_create(arena);
        fill(&out, template_files[i].name, slots, count);
        for (uint32_t k = 0; k < count; k++) {
            const char *slot = strstr(source, arena_format(arena, "//@%s\n", slots[k].name));
            const char *filled = strstr(out.data, arena_format(arena, "filled_%s\n", slots[k].name));
            ck_assert(slot && filled);
            size_t indent = 0, got = 0;
            while (slot - indent > source && slot[-1 - (long)indent] == ' ')
                indent++;
            while (filled - got > out.data && filled[-1 - (long)got] == ' ')
                got++;
            ck_assert_uint_eq(indent, got);
            const char *deeper = strchr(filled, '\n') + 1;
            ck_assert_uint_eq(strspn(deeper, " "), indent + 4);
        }
    }
}
END_TEST

START_TEST(unknown_file_aborts) { template_source("nothing.comp"); }
END_TEST

START_TEST(unknown_slot_aborts) {
    Text out = text_create(arena);
    template_fill(&out, "random.glsl", &(Slot){"nothing", "x"}, 1, NULL, 0);
}
END_TEST

START_TEST(constants_are_replaced) {
    Slot slots[64];
    uint32_t count = read_slots(template_source("contract_tiled.comp"), slots, 64);
    Text out = text_create(arena);
    fill(&out, "contract_tiled.comp", slots, count);
    ck_assert_ptr_nonnull(strstr(out.data, "const int LANES = 1000; // of a workgroup\n"));
    ck_assert_ptr_nonnull(strstr(out.data, "DOWN = LANES / ACROSS"));
    ck_assert(template_has_constant("contract_tiled.comp", "LANES"));
    ck_assert(!template_has_constant("contract_tiled.comp", "LANE") && !template_has_constant("contract_tiled.comp", "DOWN"));
}
END_TEST

START_TEST(unknown_constant_aborts) {
    Text out = text_create(arena);
    template_fill(&out, "random.glsl", NULL, 0, &(Constant){"NOTHING", 1}, 1);
}
END_TEST

START_TEST(missing_constant_aborts) {
    Slot slots[64];
    uint32_t count = read_slots(template_source("contract_tiled.comp"), slots, 64);
    Text out = text_create(arena);
    template_fill(&out, "contract_tiled.comp", slots, count, NULL, 0);
}
END_TEST

START_TEST(missing_slot_aborts) {
    Text out = text_create(arena);
    for (uint32_t i = 0; i < template_file_count; i++)
        if (strstr((const char *)template_files[i].text, "//@"))
            template_fill(&out, template_files[i].name, NULL, 0, NULL, 0);
    abort(); // no template has a slot yet
}
END_TEST

int main(void) {
    Suite *suite = suite_create("template");
    TCase *tests = tcase_create("template");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, every_file_is_there);
    tcase_add_test(tests, all_slots_are_filled_and_defaults_dropped);
    tcase_add_test(tests, empty_text_removes_the_line);
    tcase_add_test(tests, indentation_follows_the_slot);
    tcase_add_test_raise_signal(tests, unknown_file_aborts, SIGABRT);
    tcase_add_test_raise_signal(tests, unknown_slot_aborts, SIGABRT);
    tcase_add_test_raise_signal(tests, missing_slot_aborts, SIGABRT);
    tcase_add_test(tests, constants_are_replaced);
    tcase_add_test_raise_signal(tests, unknown_constant_aborts, SIGABRT);
    tcase_add_test_raise_signal(tests, missing_constant_aborts, SIGABRT);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
