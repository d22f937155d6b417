// compile -g: debug information with the generated GLSL in the SPIR-V, valid, and run by devices with and without the extension for it.
#include "runtime/vk/spirv.h"
#include "tests/end_to_end/command.h"

static const char GRAPH[] = "{\"gcc-graph\": 1, \"name\": \"debug\", \"programs\": {\"p\": {\"phases\": [{\"name\": \"a\", \"nodes\": [\n"
                            "  {\"random\": \"normal\", \"shape\": [100, 7], \"as\": \"x\"}, {\"expr\": \"tanh(x) * sum(x, 1)[:, None]\"},\n"
                            "  {\"emit\": \"y\", \"value\": \"$\", \"format\": \"tensor\"}]}]}}}\n";

static const char *make(const char *name, const char *options) {
    const char *source = in_folder("debug.json"), *bundle = in_folder(name);
    write_text(source, GRAPH);
    expect_code(0, "compile %s %s -o %s --target any", options, source, bundle);
    return file_join(arena, bundle, "kernels");
}

static const char *disassembled(const char *path) {
    ck_assert_int_eq(system(arena_format(arena, "spirv-val --target-env vulkan1.2 %s && spirv-dis --raw-id %s -o %s", path, path, in_folder("text"))), 0);
    return read_all(in_folder("text"));
}

static const char *const *kernels_in(const char *folder_of, uint32_t *count) {
    const char **names = file_list(arena, folder_of, count, diag);
    ck_assert_uint_ge(*count, 2); // two files each
    return names;
}

START_TEST(the_source_is_in_the_spirv) {
    const char *plain = make("plain.ggb", ""), *debug = make("debug.ggb", "-g");
    uint32_t count;
    const char *const *names = kernels_in(debug, &count);
    for (uint32_t i = 0; i < count; i++) {
        if (!text_ends_with(names[i], ".spv"))
            continue;
        const char *text = disassembled(file_join(arena, debug, names[i])), *kernel = arena_copy_bytes(arena, names[i], strlen(names[i]) - 4);
        ck_assert_ptr_nonnull(strstr(text, "OpExtInstImport \"NonSemantic.Shader.DebugInfo.100\""));
        ck_assert_ptr_nonnull(strstr(text, "DebugSource"));
        ck_assert_ptr_nonnull(strstr(text, "DebugLine"));
        ck_assert_ptr_nonnull(strstr(text, arena_format(arena, "OpString \"%s.comp\"", kernel)));
        char *glsl = read_all(file_join(arena, debug, arena_format(arena, "%s.comp", kernel)));
        for (char *line = strtok(glsl, "\n"); line; line = strtok(NULL, "\n")) // quotes are escaped in the disassembly
            ck_assert_msg(strchr(line, '"') || strstr(text, line), "%s: %s", kernel, line);
        ck_assert_ptr_null(strstr(disassembled(file_join(arena, plain, names[i])), "NonSemantic"));
    }
    ck_assert_str_eq(read_all(in_folder("plain.ggb/plan.txt")), read_all(in_folder("debug.ggb/plan.txt")));
    ck_assert_str_eq(read_all(in_folder("plain.ggb/graph.json")), read_all(in_folder("debug.ggb/graph.json")));
}
END_TEST

// Devices without VK_KHR_shader_non_semantic_info get it without.
START_TEST(it_can_be_taken_out) {
    const char *debug = make("debug.ggb", "-g"), *path = in_folder("bare.spv");
    uint32_t count;
    const char *const *names = kernels_in(debug, &count);
    for (uint32_t i = 0; i < count; i++) {
        size_t size = 0, whole, again;
        if (!text_ends_with(names[i], ".spv"))
            continue;
        const uint32_t *words = (const uint32_t *)(void *)file_read(arena, file_join(arena, debug, names[i]), &size, diag);
        whole = size;
        const uint32_t *bare = spirv_strip_non_semantic(arena, words, &size);
        ck_assert_uint_lt(size, whole);
        ck_assert(file_write(path, bare, size, diag));
        const char *text = disassembled(path);
        ck_assert_msg(!strstr(text, "NonSemantic") && !strstr(text, "SPV_KHR_non_semantic_info") && strstr(text, "OpEntryPoint GLCompute"), "%s", text);
        again = size;
        ck_assert_ptr_eq(spirv_strip_non_semantic(arena, bare, &again), bare);
        for (size_t cut = 0; cut < whole; cut += 4 * (1 + cut / 64)) { // damaged words never crash
            again = cut;
            spirv_strip_non_semantic(arena, words, &again);
            ck_assert_uint_le(again, cut);
        }
    }
}
END_TEST

START_TEST(devices_run_it) {
    const char *debug = make("debug.ggb", "-g"), *bundle = in_folder("debug.ggb");
    expect_code(0, "verify %s --validation", bundle);
    expect_out("agree with the reference");
    uint32_t count;
    const char *const *names = kernels_in(debug, &count);
    const char *comp = file_join(arena, debug, names[0]);
    ck_assert(text_ends_with(comp, ".comp"));
    const char *source = read_all(comp), *body = strstr(source, "void main() {\n");
    ck_assert_ptr_nonnull(body);
    body += strlen("void main() {\n");
    write_text(comp, arena_format(arena, "%.*s    int edited = 1;\n%s", (int)(body - source), source, body));
    expect_code(0, "compile -g %s", bundle);
    expect_out("1 kernels rebuilt");
    ck_assert_ptr_nonnull(strstr(disassembled(arena_format(arena, "%.*sspv", (int)strlen(comp) - 4, comp)), "int edited = 1;"));
    expect_code(0, "verify %s --validation", bundle);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("debug");
    TCase *tests = tcase_create("debug");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 300);
    tcase_add_test(tests, the_source_is_in_the_spirv);
    tcase_add_test(tests, it_can_be_taken_out);
    if (has_device())
        tcase_add_test(tests, devices_run_it);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
