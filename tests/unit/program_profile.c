// Profile: what is written reads back; everything else is an error that says what and where.
#include "runtime/base/file.h"
#include "runtime/program/profile.h"
#include <check.h>
#include <stdlib.h>
#include <unistd.h>

static Arena *arena;
static char path[] = "/tmp/gg_profile_XXXXXX";

static void begin(void) {
    arena = arena_create();
    strcpy(path, "/tmp/gg_profile_XXXXXX");
    int descriptor = mkstemp(path);
    ck_assert_int_ge(descriptor, 0);
    close(descriptor);
}

static void end(void) {
    unlink(path);
    arena_destroy(&arena);
}

static const Profile *read_text(const char *text, const char **told) {
    Diag *diag = diag_create(arena);
    ck_assert(file_write_unsynced(path, text, strlen(text), diag));
    const Profile *profile = profile_read(arena, path, diag);
    *told = diag_text(diag, arena);
    ck_assert_int_eq(profile == NULL, diag_error_count(diag) > 0);
    return profile;
}

static const char *made_text(void) {
    Profile profile = {.driver = "driver 1.2", .source = "made up", .target = target_default(TARGET_GPU)};
    profile.target.device = "RX \"1\"";
    profile.target.shared_bytes_max = 65536;
    profile.target.has_memory_budget = false;
    return profile_text(arena, &profile);
}

START_TEST(a_profile_comes_back) {
    const char *told;
    const Profile *profile = read_text(made_text(), &told);
    ck_assert_msg(profile != NULL, "%s", told);
    ck_assert_str_eq(profile->driver, "driver 1.2");
    ck_assert_str_eq(profile->source, "made up");
    ck_assert_str_eq(profile->target.device, "RX \"1\"");
    Target wanted = target_default(TARGET_GPU);
    wanted.shared_bytes_max = 65536;
    wanted.has_memory_budget = false;
    for (Capability i = 0; i < CAPABILITY_COUNT; i++)
        ck_assert_uint_eq(target_value(&profile->target, i), target_value(&wanted, i));
    ck_assert_int_eq(profile->target.target_class, TARGET_GPU);
    ck_assert_str_eq(profile_text(arena, profile), made_text());
    ck_assert(strstr(made_text(), "\"model\"") == NULL && !profile->target.model.is_measured);
    Profile measured = *profile; // the model is told where it was measured
    measured.target.model.is_measured = true;
    measured.target.model.multiply_adds = 1e13;
    const char *text = profile_text(arena, &measured);
    profile = read_text(text, &told);
    ck_assert_msg(profile && profile->target.model.is_measured && profile->target.model.multiply_adds == 1e13, "%s", told);
    const char *at = strstr(text, "\"multiply_adds\"");
    ck_assert_ptr_null(read_text(arena_format(arena, "%.*s\"mutliply_adds\"%s", (int)(at - text), text, at + strlen("\"multiply_adds\"")), &told));
    ck_assert_ptr_nonnull(strstr(told, "/target/model/mutliply_adds: unknown member \"mutliply_adds\"; did you mean \"multiply_adds\"?"));
}
END_TEST

static const struct {
    const char *from, *to, *error;
} edits[] = {
    {"{\n  \"gcc-graph profile\": 2,", "{", "no profile of a device; gcc-graph devices --profile makes one"},
    {"\"gcc-graph profile\": 2", "\"gcc-graph profile\": \"1\"", "no profile of a device"},
    {"\"gcc-graph profile\": 2,\n  \"version\": \"0.2.0\"", "\"gcc-graph profile\": 99,\n  \"version\": \"9.8.7\"",
     "/gcc-graph profile: format 99 of gcc-graph 9.8.7 is newer than this gcc-graph " GG_VERSION ", which reads formats 1 to 2: gcc-graph 9.8.7 or later reads it"},
    {"\"gcc-graph profile\": 2", "\"gcc-graph profile\": 0", "is none that this gcc-graph"},
    {"\"version\": \"" GG_VERSION "\",", "", "\"version\" is missing (a string)"},
    {"\"driver\": \"driver 1.2\"", "\"driver\": 3", "/driver: expected a string, found 3"},
    {"\"source\"", "\"suorce\"", "/suorce: unknown member \"suorce\"; did you mean \"source\"?"},
    {"\"target\": {", "\"target\": [], \"x\": {", "/target: target: an object is needed"},
    {"\"class\": \"gpu\"", "\"class\": \"tpu\"", "/target/class: unknown word"},
    {"\"class\": \"gpu\"", "\"class\": \"any\"", "/target: class: a device is of the class cpu or gpu"},
    {"\"class\": \"gpu\",", "", "/target: class is missing"},
    {"\"device\": \"RX \\\"1\\\"\",", "", "/target: device is missing: the name of the device"},
    {"\"shared_bytes_max\": 65536", "\"shared_bytes_max\": 65536, \"shared_byte_max\": 1",
     "/target/shared_byte_max: unknown member \"shared_byte_max\"; did you mean \"shared_bytes_max\"?"},
    {"\"shared_bytes_max\": 65536,", "", "/target: \"shared_bytes_max\" is missing"},
    {"\"shared_bytes_max\": 65536", "\"shared_bytes_max\": 100", "/target/shared_bytes_max: shared_bytes_max: at least 16384 is needed"},
    {"\"shared_bytes_max\": 65536", "\"shared_bytes_max\": 4294967296", "shared_bytes_max: at most 4294967295 is allowed"},
    {"\"shared_bytes_max\": 65536", "\"shared_bytes_max\": -1", "expected an integer from 0 to 18446744073709551615, found -1\n"},
    {"\"shared_bytes_max\": 65536", "\"shared_bytes_max\": 65536.5", "expected an integer from 0 to 18446744073709551615, found 65536.5\n"},
    {"\"shared_bytes_max\": 65536", "\"shared_bytes_max\": true", "expected an integer from 0 to 18446744073709551615, found a boolean\n"},
    {"\"offset_alignment\": 256", "\"offset_alignment\": 48", "/target/offset_alignment: offset_alignment: a power of two is needed"},
    {"\"has_subgroup_ballot\": true", "\"has_subgroup_ballot\": 1", "/target/has_subgroup_ballot: has_subgroup_ballot: true or false is needed"},
    {"\"has_memory_budget\": false,", "", "/target: has_memory_budget: true or false is needed"},
};

START_TEST(what_is_wrong_is_said) {
    const char *text = made_text(), *at = strstr(text, edits[_i].from), *told;
    ck_assert_msg(at != NULL, "%s is not in:\n%s", edits[_i].from, text);
    const char *edited = arena_format(arena, "%.*s%s%s", (int)(at - text), text, edits[_i].to, at + strlen(edits[_i].from));
    ck_assert_ptr_null(read_text(edited, &told));
    ck_assert_msg(strstr(told, edits[_i].error) != NULL, "expected: %s\ntold: %s", edits[_i].error, told);
}
END_TEST

START_TEST(what_is_no_json_object_is_no_profile) {
    static const char *const texts[] = {"", "[]", "3", "{", "{}", "\"gcc-graph profile\""};
    const char *told;
    for (uint32_t i = 0; i < sizeof texts / sizeof *texts; i++)
        ck_assert_ptr_null(read_text(texts[i], &told));
}
END_TEST

// More than the runtime takes is cut, as of a device that states it here.
START_TEST(limits_are_clamped) {
    const char *text = made_text(), *from = "\"storage_bindings_max\": 8", *at = strstr(text, from), *told;
    const Profile *profile =
        read_text(arena_format(arena, "%.*s\"storage_bindings_max\": 1000000%s", (int)(at - text), text, at + strlen(from)), &told);
    ck_assert_msg(profile != NULL, "%s", told);
    ck_assert_uint_eq(profile->target.storage_bindings_max, TARGET_BINDINGS_MAX / 2);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("program_profile");
    TCase *tests = tcase_create("profile");
    tcase_add_checked_fixture(tests, begin, end);
    tcase_add_test(tests, a_profile_comes_back);
    tcase_add_loop_test(tests, what_is_wrong_is_said, 0, sizeof edits / sizeof *edits);
    tcase_add_test(tests, what_is_no_json_object_is_no_profile);
    tcase_add_test(tests, limits_are_clamped);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
