// spirv.c: GLSL to SPIR-V, in parallel, through the cache, with readable errors.
#include "compiler/emit/decorate.h"
#include "compiler/emit/spirv.h"
#include "compiler/emit/template.h"
#include "runtime/program/exact.h"
#include <check.h>
#include <stdlib.h>
#include <unistd.h>

static Arena *arena;
static Diag *diag;
static const char *cache;

static const char DOUBLE_IT[] = "#version 450\n"
                                "layout(local_size_x = 64) in;\n"
                                "layout(set = 0, binding = 0) buffer Data { float data[]; };\n"
                                "void main() {\n"
                                "    data[gl_GlobalInvocationID.x] *= 2.0;\n"
                                "}\n";

static void setup(void) {
    arena = arena_create();
    diag = diag_create(arena);
    char template[] = "/tmp/gg_spirv_XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(template));
    cache = arena_copy_text(arena, template);
    setenv("XDG_CACHE_HOME", cache, 1);
}

static void teardown(void) {
    ck_assert(file_remove_tree(cache, diag));
    arena_destroy(&arena);
}

static SpirvJob compile_one(const char *source, bool debug_info) {
    SpirvJob job = {.name = "000_test", .source = source};
    bool good = spirv_compile(arena, &job, 1, debug_info, NULL, NULL, diag);
    ck_assert_msg(good, "%s", diag_text(diag, arena));
    return job;
}

static uint32_t magic_of(const SpirvJob *job) {
    uint32_t word = 0;
    ck_assert_uint_gt(job->size, 20);
    memcpy(&word, job->words, sizeof word);
    return word;
}

START_TEST(compiles_valid_spirv) {
    SpirvJob job = compile_one(DOUBLE_IT, false);
    ck_assert_uint_eq(magic_of(&job), 0x07230203);
    uint32_t version = 0;
    memcpy(&version, (const char *)job.words + 4, sizeof version);
    ck_assert_uint_eq(version, 0x00010500);
    const char *path = file_join(arena, cache, "double.spv");
    ck_assert(file_write(path, job.words, job.size, diag));
    ck_assert_int_eq(system(arena_format(arena, "spirv-val --target-env vulkan1.2 %s", path)), 0);
}
END_TEST

START_TEST(debug_info_holds_the_source) {
    SpirvJob plain = compile_one(DOUBLE_IT, false);
    SpirvJob debug = compile_one(DOUBLE_IT, true);
    ck_assert(!debug.cached);
    ck_assert_ptr_null(memmem(plain.words, plain.size, "data[gl_GlobalInvocationID.x] *= 2.0", 36));
    ck_assert_ptr_nonnull(memmem(debug.words, debug.size, "data[gl_GlobalInvocationID.x] *= 2.0", 36));
}
END_TEST

START_TEST(second_time_comes_from_the_cache) {
    SpirvJob first = compile_one(DOUBLE_IT, false);
    SpirvJob second = compile_one(DOUBLE_IT, false);
    ck_assert(!first.cached);
    ck_assert(second.cached);
    ck_assert_uint_eq(first.size, second.size);
    ck_assert_mem_eq(first.words, second.words, first.size);
}
END_TEST

// Without the decoration a driver may make one operation of a multiply and an add; with it not, also when it comes from the cache.
START_TEST(exact_arithmetic_is_decorated) {
    static const char source[] = "#version 450\n"
                                 "layout(local_size_x = 64) in;\n"
                                 "layout(set = 0, binding = 0) buffer Data { vec4 data[]; };\n"
                                 "void main() {\n"
                                 "    vec4 x = data[gl_GlobalInvocationID.x];\n"
                                 "    precise float first = x.x * x.y + x.z;\n"
                                 "    data[gl_GlobalInvocationID.x] = x * x + x / 3.0 - dot(x, x) * x + first * x;\n"
                                 "}\n";
    SpirvJob plain = compile_one(source, false);
    ck_assert(!exact_holds(plain.words, plain.size));
    for (int i = 0; i < 2; i++) {
        SpirvJob job = {.name = "000_test", .source = source, .is_exact = true};
        ck_assert_msg(spirv_compile(arena, &job, 1, i, NULL, NULL, diag), "%s", diag_text(diag, arena));
        ck_assert(exact_holds(job.words, job.size));
        ck_assert(!exact_holds(job.words, 16) && !exact_holds(job.words, 0));
        size_t size = job.size;
        const uint32_t *again = decorate_exact(arena, job.words, &size);
        ck_assert(size == job.size && !memcmp(again, job.words, size));
        const char *path = file_join(arena, cache, "exact.spv");
        ck_assert(file_write(path, job.words, job.size, diag));
        ck_assert_int_eq(system(arena_format(arena, "spirv-val --target-env vulkan1.2 %s", path)), 0);
        SpirvJob cached = {.name = "000_test", .source = source, .is_exact = true};
        ck_assert(spirv_compile(arena, &cached, 1, i, NULL, NULL, diag) && cached.cached);
        ck_assert(exact_holds(cached.words, cached.size));
    }
}
END_TEST

START_TEST(damaged_cache_is_no_error) {
    SpirvJob first = compile_one(DOUBLE_IT, false);
    const char *folder = file_join(arena, cache, "gcc-graph/spirv");
    uint32_t count = 0;
    const char **names = file_list(arena, folder, &count, diag);
    ck_assert_uint_eq(count, 1);
    const char *path = file_join(arena, folder, names[0]);
    size_t size = 0;
    char *bytes = file_read(arena, path, &size, diag);
    for (int kind = 0; kind < 3; kind++) { // a flipped bit, a torn file, an empty one
        if (kind == 0)
            bytes[size / 2] ^= 4;
        ck_assert(file_write(path, bytes, kind == 0 ? size : kind == 1 ? size - 8 : 0, diag));
        SpirvJob again = compile_one(DOUBLE_IT, false);
        ck_assert(!again.cached);
        ck_assert_mem_eq(first.words, again.words, first.size);
        ck_assert(compile_one(DOUBLE_IT, false).cached); // and it is repaired
    }
}
END_TEST

START_TEST(missing_cache_folder_is_no_error) {
    const char *file = file_join(arena, cache, "file");
    ck_assert(file_write(file, "x", 1, diag));
    setenv("XDG_CACHE_HOME", file, 1); // a file, where a folder is wanted
    SpirvJob job = compile_one(DOUBLE_IT, false);
    ck_assert(!job.cached);
}
END_TEST

START_TEST(unwritable_cache_is_no_error) {
    // The 6 operations on the way fail one after the other; the kernel is made all the same.
    for (uint32_t n = 1; n <= 6; n++) {
        const char *source = arena_format(arena, "%s// %u\n", DOUBLE_IT, n);
        file_fail_at(n);
        SpirvJob job = compile_one(source, false);
        file_fail_at(0);
        ck_assert_uint_eq(magic_of(&job), 0x07230203);
    }
}
END_TEST

START_TEST(errors_show_log_and_lines) {
    SpirvJob jobs[] = {
        {.name = "000_good", .source = DOUBLE_IT},
        {.name = "001_bad", .source = "#version 450\nlayout(local_size_x = 1) in;\nvoid main() {\n    float x = nothing;\n}\n"},
        {.name = "002_worse", .source = "void main( {\n"},
    };
    ck_assert(!spirv_compile(arena, jobs, 3, false, NULL, NULL, diag));
    ck_assert_uint_eq(diag_error_count(diag), 2);
    const char *text = diag_text(diag, arena);
    ck_assert_msg(strstr(text, "001_bad") && strstr(text, "'nothing' : undeclared identifier"), "%s", text);
    ck_assert_msg(strstr(text, ">    4 |     float x = nothing;"), "%s", text);
    ck_assert_msg(strstr(text, "001_bad") < strstr(text, "002_worse"), "%s", text);
    ck_assert_uint_eq(magic_of(&jobs[0]), 0x07230203);
    ck_assert_ptr_null(jobs[1].words);
}
END_TEST

static void count_progress(void *context, const char *what, uint32_t done, uint32_t total) {
    uint32_t *last = context;
    ck_assert_str_eq(what, "compiling shaders");
    ck_assert_uint_gt(done, *last);
    ck_assert_uint_eq(total, 24);
    *last = done;
}

START_TEST(many_jobs_in_parallel) {
    SpirvJob jobs[24], alone[24];
    for (uint32_t i = 0; i < 24; i++) {
        jobs[i] =
            (SpirvJob){.name = arena_format(arena, "%03u_job", i), .source = arena_format(arena, "%s// %*u\n", DOUBLE_IT, 40 - (int)i, i)};
        alone[i] = jobs[i];
    }
    uint32_t last = 0;
    ck_assert(spirv_compile(arena, jobs, 24, true, count_progress, &last, diag));
    ck_assert_uint_eq(last, 24);
    setenv("XDG_CACHE_HOME", file_join(arena, cache, "other"), 1);
    for (uint32_t i = 0; i < 24; i++) {
        ck_assert(spirv_compile(arena, &alone[i], 1, true, NULL, NULL, diag));
        ck_assert(!alone[i].cached);
        ck_assert_uint_eq(alone[i].size, jobs[i].size);
        ck_assert_mem_eq(alone[i].words, jobs[i].words, jobs[i].size);
    }
    ck_assert(spirv_compile(arena, NULL, 0, false, NULL, NULL, diag));
}
END_TEST

START_TEST(shared_bytes_are_counted) {
    SpirvJob job = compile_one("#version 450\nlayout(local_size_x = 8) in;\nlayout(set = 0, binding = 0) buffer Data { float data[]; };\n"
                               "struct Pair { vec2 u; int k; };\nshared float a[100];\nshared vec4 b[8][2];\nshared uint n;\nshared Pair s[3];\n"
                               "float own[7];\nvoid main() {\n    uint i = gl_LocalInvocationID.x;\n    a[i] = own[i % 7u];\n    b[i][1] = vec4(1.0);\n"
                               "    n = i;\n    s[i % 3u].k = 2;\n    barrier();\n    data[i] = a[7u - i] + b[i][0].x + float(n) + s[0].u.x;\n}\n",
                               false);
    ck_assert_uint_eq(spirv_shared_bytes(job.words, job.size), 400 + 256 + 4 + 36);
    job = compile_one(DOUBLE_IT, false);
    ck_assert_uint_eq(spirv_shared_bytes(job.words, job.size), 0);
    ck_assert_uint_eq(spirv_shared_bytes(job.words, 16), 0);
}
END_TEST

START_TEST(random_numbers_compile) {
    Text source = text_create(arena);
    text_append(&source, "#version 450\nlayout(local_size_x = 64) in;\nlayout(set = 0, binding = 0) buffer Data { float data[]; };\n");
    text_append(&source, template_source("random.glsl"));
    text_append(&source, "void main() {\n"
                         "    uint i = gl_GlobalInvocationID.x;\n"
                         "    uvec4 words = philox(uvec4(i, 0u, 0u, 0u), uvec2(1u, 2u));\n"
                         "    data[i] = normal_of(words) + uniform_of(words) + float(below_of(words, 10u));\n"
                         "}\n");
    SpirvJob job = compile_one(source.data, false);
    ck_assert_uint_eq(magic_of(&job), 0x07230203);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("spirv");
    TCase *tests = tcase_create("spirv");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, compiles_valid_spirv);
    tcase_add_test(tests, debug_info_holds_the_source);
    tcase_add_test(tests, second_time_comes_from_the_cache);
    tcase_add_test(tests, exact_arithmetic_is_decorated);
    tcase_add_test(tests, damaged_cache_is_no_error);
    tcase_add_test(tests, missing_cache_folder_is_no_error);
    tcase_add_test(tests, unwritable_cache_is_no_error);
    tcase_add_test(tests, errors_show_log_and_lines);
    tcase_add_test(tests, many_jobs_in_parallel);
    tcase_add_test(tests, shared_bytes_are_counted);
    tcase_add_test(tests, random_numbers_compile);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
