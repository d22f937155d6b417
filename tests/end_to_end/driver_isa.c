// Machine code: what `inspect --isa` says of kernels, by the compiler of a GPU that is not here (RADV's null device), and where a driver says
// nothing.
#include "runtime/program/program.h"
#include "tests/end_to_end/command.h"
#include <glob.h>

// The driver's manifest, or NULL.
static const char *radv(void) {
    glob_t found;
    const char *path = glob("/usr/share/vulkan/icd.d/radeon_icd*.json", 0, NULL, &found) == 0 ? arena_copy_text(arena, found.gl_pathv[0]) : NULL;
    globfree(&found);
    return path;
}

static const char *compiled(void) {
    const char *bundle = in_folder("gpu.ggb");
    expect_code(0, "compile graphs/ring_gan.json -o %s --target gpu", bundle);
    return bundle;
}

static bool take_radv(void) {
    const char *manifest = radv();
    if (!manifest)
        return false;
    setenv("VK_ICD_FILENAMES", manifest, 1);
    setenv("RADV_FORCE_FAMILY", "navi21", 1);
    return true;
}

START_TEST(all_kernels_are_listed) {
    const char *bundle = compiled();
    if (!take_radv())
        return;
    const Program *program = program_read(arena, bundle, diag);
    ck_assert_msg(program != NULL, "%s", diag_text(diag, arena));
    expect_code(0, "inspect %s --isa", bundle);
    expect_out("NAVI21");
    expect_out("registers       spills       shared    occupancy instructions       cycles");
    for (uint32_t k = 0; k < program->kernels.count; k++)
        ck_assert_msg(strstr(out, arena_format(arena, "\n%s ", program->kernels.items[k].name)) != NULL, "%s is missing in\n%s", program->kernels.items[k].name, out);
    expect_out(arena_format(arena, "\n%u kernels: 0 spills in 0 of them\n", program->kernels.count));
    expect_code(0, "inspect %s --isa --program sample", bundle);
    ck_assert_msg(!strstr(out, arena_format(arena, "\n%u kernels: ", program->kernels.count)), "%s", out);
}
END_TEST

// A product's loop multiplies and adds; the driver's own words and the machine code follow.
START_TEST(one_kernel_is_shown_whole) {
    const char *bundle = compiled();
    if (!take_radv())
        return;
    const Program *program = program_read(arena, bundle, diag);
    const char *product = NULL;
    for (uint32_t k = 0; k < program->kernels.count; k++)
        product = strstr(program->kernels.items[k].name, "matmul") ? program->kernels.items[k].name : product;
    ck_assert_ptr_nonnull(product);
    expect_code(0, "inspect %s %s --isa --device NAVI21", bundle, product);
    expect_out(arena_format(arena, "%s on ", product));
    expect_out("\nVGPRs  ");
    expect_out("\nAssembly\n");
    expect_out(" multiply-add, 0 matrix, ");
    expect_out("v_fma");
    expect_code(1, "inspect %s nothing --isa", bundle);
    expect_err("has no kernel \"nothing\"");
}
END_TEST

START_TEST(what_cannot_be_told_is_said) {
    const char *bundle = compiled();
    expect_code(2, "inspect %s --device 0", bundle);
    expect_err("--device is for --isa");
    expect_code(2, "inspect %s --validation", bundle);
    expect_err("--validation is for --isa");
    expect_code(2, "inspect %s --isa --memory", bundle);
    expect_err("--isa and --memory print different things");
    expect_code(1, "inspect %s --isa --program nothing", bundle);
    expect_code(1, "inspect %s --isa --device nothing", bundle);
    expect_err("there is no device \"nothing\"");
    const char *software = "/usr/lib/chromium/vk_swiftshader_icd.json";
    if (!file_exists(software))
        return;
    setenv("VK_ICD_FILENAMES", software, 1);
    expect_code(1, "inspect %s --isa", bundle);
    expect_err("the driver tells nothing of its machine code: it has no VK_KHR_pipeline_executable_properties");
}
END_TEST

int main(void) {
    Suite *suite = suite_create("driver_isa");
    TCase *tests = tcase_create("isa");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    if (!has_device())
        return 77;
    tcase_add_test(tests, all_kernels_are_listed);
    tcase_add_test(tests, one_kernel_is_shown_whole);
    tcase_add_test(tests, what_cannot_be_told_is_said);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
