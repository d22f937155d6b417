// Profiles: a device's own gives the bundle that the device itself gives; that of a device elsewhere compiles here.
#include "compiler/emit/spirv.h"
#include "runtime/program/program.h"
#include "tests/end_to_end/command.h"

START_TEST(a_profile_stands_for_its_device) {
    const char *profile = in_folder("here.json"), *of_device = in_folder("device.ggb"), *of_profile = in_folder("profile.ggb");
    expect_code(0, "devices --profile --device 0");
    write_text(profile, out);
    expect_code(0, "compile graphs/unrolled_gan.json -o %s --target 0", of_device);
    expect_code(0, "compile graphs/unrolled_gan.json -o %s --target %s", of_profile, profile);
    expect_out("a device of the class ");
    ck_assert_int_eq(system(arena_format(arena, "diff -r %s %s >/dev/null", of_device, of_profile)), 0);
    expect_code(0, "verify %s", of_profile);
}
END_TEST

START_TEST(a_device_elsewhere_is_compiled_for) {
    const char *bundle = in_folder("elsewhere.ggb");
    expect_code(0, "compile graphs/unrolled_gan.json -o %s --target tests/profiles/navi31.json", bundle);
    expect_out("for AMD Radeon RX 7900 XTX (RADV NAVI31), a device of the class gpu");
    ck_assert_ptr_nonnull(strstr(read_all(file_join(arena, bundle, "plan.txt")), "for AMD Radeon RX 7900 XTX (RADV NAVI31), a device of the class gpu"));
    expect_code(0, "summary graphs/unrolled_gan.json --target tests/profiles/navi31.json");
    expect_out("(for AMD Radeon RX 7900 XTX (RADV NAVI31), a device of the class gpu)");
}
END_TEST

// Measured once, then in profiles, bundles and plans; a damaged measurement is told and not used.
START_TEST(a_device_is_measured_once) {
    setenv("XDG_CACHE_HOME", in_folder("cache"), 1);
    const char *bundle = in_folder("measured.ggb"), *program = file_join(arena, bundle, "program.json");
    expect_code(0, "compile graphs/unrolled_gan.json -o %s --target 0", bundle);
    ck_assert_ptr_nonnull(strstr(read_all(program), "\"is_measured\": false"));
    char *plan = read_all(file_join(arena, bundle, "plan.txt"));
    ck_assert(strstr(plan, "measured multiply_adds") == NULL);
    expect_code(0, "devices --measure --device 0");
    expect_out("multiply-adds a second of all cores");
    const char *kept = strstr(out, "kept in ");
    ck_assert_ptr_nonnull(kept);
    kept = arena_format(arena, "%.*s", (int)strcspn(kept + 8, "\n"), kept + 8);
    expect_code(0, "devices --profile --device 0");
    expect_out("\"is_measured\": true");
    const char *first = out, *kernels = file_join(arena, bundle, "kernels"), *before = in_folder("before");
    expect_code(0, "devices --profile --device 0");
    ck_assert_str_eq(out, first);
    ck_assert_int_eq(system(arena_format(arena, "cp -r %s %s", kernels, before)), 0);
    expect_code(0, "compile graphs/unrolled_gan.json -o %s --target 0", bundle);
    ck_assert_ptr_nonnull(strstr(read_all(program), "\"is_measured\": true"));
    ck_assert_ptr_nonnull(strstr(read_all(file_join(arena, bundle, "plan.txt")), "measured multiply_adds"));
    write_text(kept, "{");
    expect_code(0, "compile graphs/unrolled_gan.json -o %s --target 0", bundle);
    expect_err("it is damaged: this measurement of a device is not used");
    ck_assert_ptr_nonnull(strstr(read_all(program), "\"is_measured\": false"));
    ck_assert_int_eq(system(arena_format(arena, "diff -r %s %s >/dev/null", kernels, before)), 0);
    expect_code(0, "verify %s", bundle);
}
END_TEST

// What emitters state is what shaders share; what an edited shader shares is counted anew, and must fit the target.
START_TEST(shared_bytes_are_those_of_the_shaders) {
    const char *bundle = in_folder("gpu.ggb");
    expect_code(0, "compile graphs/ring_gan.json -o %s --target gpu", bundle);
    const Program *program = program_read(arena, bundle, diag);
    ck_assert_msg(program != NULL, "%s", diag_text(diag, arena));
    const ProgramKernel *sharing = NULL;
    for (uint32_t k = 0; k < program->kernels.count; k++) {
        const ProgramKernel *kernel = &program->kernels.items[k];
        ck_assert_msg(spirv_shared_bytes(kernel->spirv, kernel->spirv_size) == kernel->shared_bytes, "%s: %u", kernel->name, kernel->shared_bytes);
        sharing = kernel->shared_bytes ? kernel : sharing;
    }
    ck_assert_ptr_nonnull(sharing);
    const char *path = program_kernel_path(arena, bundle, sharing->name, ".comp"), *text = read_all(path), *begin = strstr(text, "void main() {\n");
    ck_assert_ptr_nonnull(begin);
    for (uint32_t vectors = 16; vectors <= 4096; vectors += 4080) {
        write_text(path, arena_format(arena, "%.*sshared vec4 more[%u];\nvoid main() {\n    more[0] = vec4(1.0);\n%s", (int)(begin - text), text,
                                      vectors, begin + strlen("void main() {\n")));
        expect_code(vectors == 16 ? 0 : 1, "compile %s", bundle);
    }
    expect_err(arena_format(arena, "bytes that a workgroup shares: %u, but at most 32768 is allowed", sharing->shared_bytes + 65536));
    ck_assert_ptr_nonnull(strstr(read_all(file_join(arena, bundle, "program.json")), arena_format(arena, "\"shared_bytes\": %u", sharing->shared_bytes + 256)));
}
END_TEST

START_TEST(what_is_no_profile_is_said) {
    expect_code(1, "compile graphs/unrolled_gan.json -o %s --target %s", in_folder("x.ggb"), in_folder("absent.json"));
    expect_err("absent.json: ");
    expect_code(1, "compile graphs/unrolled_gan.json -o %s --target graphs/unrolled_gan.json", in_folder("x.ggb"));
    expect_err("graphs/unrolled_gan.json:1:1: this is no profile of a device; gcc-graph devices --profile makes one");
    expect_code(1, "compile graphs/unrolled_gan.json -o %s --target nothing", in_folder("x.ggb"));
    expect_err("--target nothing is neither cpu, gpu or any, nor a device of this machine, nor a profile (FILE.json)");
    expect_code(1, "devices --profile --device nothing");
    expect_err("there is no device \"nothing\"");
    expect_code(2, "devices --device 0");
    expect_err("--device says whose --profile is printed, or which to --measure");
    ck_assert(!file_exists(in_folder("x.ggb")));
}
END_TEST

int main(void) {
    Suite *suite = suite_create("driver_profiles");
    TCase *tests = tcase_create("profiles");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    if (!has_device())
        return 77;
    tcase_add_test(tests, a_profile_stands_for_its_device);
    tcase_add_test(tests, a_device_elsewhere_is_compiled_for);
    tcase_add_test(tests, a_device_is_measured_once);
    tcase_add_test(tests, shared_bytes_are_those_of_the_shaders);
    tcase_add_test(tests, what_is_no_profile_is_said);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
