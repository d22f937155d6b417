// Versions: the bundle, the run and the checkpoint that a former version left (tests/end_to_end/format_1, which says how) still sample,
// verify and resume, with that bundle and with one compiled anew; of a newer version it is said which reads it.
#include "runtime/tensor/tensor_file.h"
#include "tests/end_to_end/command.h"
#include <math.h>

static void unpack(void) {
    setup();
    const char *tar = "tar -xzf " GG_SOURCE_DIR "/tests/end_to_end/format_1/digits.tar.gz -C";
    ck_assert_int_eq(system(arena_format(arena, "%s %s", tar, folder)), 0);
}

// Run where the fixture lies: data sets are named as the run remembers them.
#define expect_work(code, ...) expect_code(code, "%s", in_work(__VA_ARGS__))

__attribute__((format(printf, 1, 2))) static const char *in_work(const char *format, ...) {
    va_list list;
    va_start(list, format);
    const char *words = arena_format_list(arena, format, list);
    va_end(list);
    return arena_format(arena, "--version >/dev/null && cd %s && " GG_BINARY_DIR "/gcc-graph %s", folder, words);
}

static void read_tensors(const char *name, TensorFile *file) {
    ck_assert_msg(safetensors_read(arena, in_folder(name), file, diag), "%s", diag_text(diag, arena));
}

// Versions may round otherwise: within what twelve steps of such differences come to.
static void same_end(const char *run) {
    TensorFile want, got;
    read_tensors("ended/checkpoint-000012.safetensors", &want);
    read_tensors(arena_format(arena, "%s/checkpoint-000012.safetensors", run), &got);
    ck_assert_uint_eq(got.tensors.count, want.tensors.count);
    uint32_t floats = 0;
    for (uint32_t i = 0; i < want.tensors.count; i++) {
        const HostTensor *expected = &want.tensors.items[i], *tensor = tensor_file_find(&got, expected->name);
        ck_assert_msg(tensor && tensor->size == expected->size && tensor->dtype == expected->dtype, "%s", expected->name);
        if (expected->dtype != ELEMENT_F32) {
            ck_assert_msg(memcmp(tensor->data, expected->data, expected->size) == 0, "%s", expected->name);
            continue;
        }
        const float *a = tensor->data, *b = expected->data;
        for (size_t k = 0; k < expected->size / sizeof *a; k++, floats++)
            ck_assert_msg(fabsf(a[k] - b[k]) < 1e-4F, "%s of %s, element %zu: %g, not %g", expected->name, run, k, (double)a[k], (double)b[k]);
    }
    ck_assert_uint_gt(floats, 40);
}

START_TEST(a_former_run_samples) {
    expect_work(0, "sample digits.ggb --program sample --from run --out samples --seed 1");
    expect_work(0, "compile digits.ggb/graph.json -o anew.ggb");
    expect_work(0, "sample anew.ggb --program sample --from run --out samples_anew --seed 1");
    HostTensor a, b;
    ck_assert(npy_read(arena, in_folder("samples/rows.npy"), &a, diag) && npy_read(arena, in_folder("samples_anew/rows.npy"), &b, diag));
    ck_assert_uint_eq(a.size, 3 * 4 * sizeof(float));
    ck_assert_uint_eq(b.size, a.size);
    for (uint32_t i = 0; i < 12; i++)
        ck_assert_float_eq_tol(((const float *)a.data)[i], ((const float *)b.data)[i], 1e-5F);
    ck_assert(file_exists(in_folder("samples/images.png")));
}
END_TEST

START_TEST(a_former_run_resumes) {
    ck_assert_int_eq(system(arena_format(arena, "cp -r %s %s", in_folder("run"), in_folder("other"))), 0);
    expect_work(0, "train digits.ggb --out run --resume");
    expect_err("resumes after step 6");
    same_end("run");
    // The same graph, compiled anew, is the same run's.
    expect_work(0, "compile %s/tests/end_to_end/format_1/digits.json -o anew.ggb", GG_SOURCE_DIR);
    expect_work(0, "train anew.ggb --out other --resume");
    expect_err("resumes after step 6");
    same_end("other");
}
END_TEST

// The kernels that a compiler makes of a graph change with its version, so a former bundle's are compared with nothing.
START_TEST(a_former_bundle_runs_and_is_rebuilt) {
    expect_work(1, "verify digits.ggb");
    expect_err("digits.ggb: was compiled by an older gcc-graph than 0.2.0, and this gcc-graph " GG_VERSION " makes other kernels of its graph");
    expect_err("compile it anew: gcc-graph compile digits.ggb/graph.json -o BUNDLE");
    expect_work(0, "compile digits.ggb/graph.json -o anew.ggb");
    expect_work(0, "verify anew.ggb");
    expect_out("agree with the reference");
    expect_work(0, "bench digits.ggb --seconds 1");
    expect_work(0, "summary digits.ggb");
    ck_assert_int_eq(system(arena_format(arena, "echo 'float more() { return 1.0; }' >>%s/digits.ggb/kernels/002_moments.comp", folder)), 0);
    expect_work(0, "compile digits.ggb");
    expect_out("1 kernels rebuilt");
    expect_work(0, "train digits.ggb --data idx:images --out new --steps 2");
}
END_TEST

static void replace(const char *file, const char *from, const char *to) {
    ck_assert_int_eq(system(arena_format(arena, "cd %s && grep -q '%s' %s && sed -i 's/%s/%s/' %s", folder, from, file, from, to, file)), 0);
}

START_TEST(newer_ones_say_which_version_reads_them) {
    replace("digits.ggb/program.json", "\"gcc-graph program\": 1", "\"gcc-graph program\": 7, \"version\": \"9.1\"");
    expect_work(1, "sample digits.ggb --program sample --from run --out samples");
    expect_err("program.json:2:24: /gcc-graph program: format 7 of gcc-graph 9.1 is newer than this gcc-graph " GG_VERSION);
    expect_err("gcc-graph 9.1 or later reads it; or compile the graph again");
    expect_work(0, "compile digits.ggb/graph.json -o anew.ggb");
    expect_work(0, "sample anew.ggb --program sample --from run --out samples");
    replace("run/run.json", "\"gcc-graph-run\": 1", "\"gcc-graph-run\": 7, \"version\": \"9.1\"");
    expect_work(1, "train anew.ggb --out run --resume");
    expect_err("a run of another version: format 7 of gcc-graph 9.1 is newer than this gcc-graph " GG_VERSION);
    replace("run/checkpoint-000006.safetensors", "\"checkpoint 1\"", "\"checkpoint 7\"");
    expect_work(1, "sample anew.ggb --program sample --from run/checkpoint-000006.safetensors --out more");
    expect_err("a checkpoint of another version: format 7 is newer than this gcc-graph " GG_VERSION);
}
END_TEST

int main(void) {
    if (!has_device())
        return 77;
    Suite *suite = suite_create("versions");
    TCase *tests = tcase_create("versions");
    tcase_add_checked_fixture(tests, unpack, teardown);
    tcase_set_timeout(tests, 300);
    tcase_add_test(tests, a_former_run_samples);
    tcase_add_test(tests, a_former_run_resumes);
    tcase_add_test(tests, a_former_bundle_runs_and_is_rebuilt);
    tcase_add_test(tests, newer_ones_say_which_version_reads_them);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
