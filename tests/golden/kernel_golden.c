// Golden files: tests/golden/NAME.json is compiled for the class cpu; beside it lie texts that must come out again.
//   NAME.PASS.EXT      what the pass gives, phase after phase: NAME.simplify.ir, NAME.fuse.kernels, NAME.plan.kernels
//   NAME.plan.txt      the program's memory map
//   NAME.NNN_x.comp    the shader of kernel NNN; when it changes its name, the file does
// GG_UPDATE_GOLDEN=1 rewrites those that exist; `touch` a new one first. Shipped graphs are compiled twice: the bytes must be equal.
#include "compiler/compile.h"
#include "compiler/read/read.h"
#include "runtime/base/file.h"
#include <check.h>
#include <ctype.h>
#include <stdlib.h>
#include <unistd.h>

static const char FOLDER[] = GG_SOURCE_DIR "/tests/golden";

// Everything that a compilation gives, as text.
typedef struct {
    const Compiled *compiled;
    char *dump;
    const char *plan;
} Built;

static Built compile(Arena *arena, const char *path, const char *preset, TargetClass target) {
    Diag *diag = diag_create(arena);
    Built built = {0};
    size_t size;
    FILE *stream = open_memstream(&built.dump, &size);
    ck_assert_ptr_nonnull(stream);
    Module *module = read_document(arena, &(ReadOptions){.path = path, .preset = preset}, diag);
    ck_assert_msg(module != NULL, "%s", diag_text(diag, arena));
    CompileOptions options = {.target = target_default(target), .dump = "all", .dump_stream = stream};
    built.compiled = compile_module(arena, module, &options, NULL, diag);
    ck_assert_msg(built.compiled != NULL, "%s", diag_text(diag, arena));
    fclose(stream);
    Text plan = text_create(arena);
    program_print_plan(&plan, built.compiled->program);
    built.plan = plan.data;
    return built;
}

// The dump's sections of one pass, in order; "" when there is no such pass.
static const char *sections_of(Arena *arena, const char *dump, const char *pass) {
    Text text = text_create(arena);
    const char *head = arena_format(arena, "==== %s: ", pass);
    for (const char *at = dump; at && *at;) {
        const char *next = strstr(at + 1, "\n==== ");
        size_t length = next ? (size_t)(next + 1 - at) : strlen(at);
        if (text_starts_with(at, head))
            text_append_bytes(&text, at, length);
        at = next ? next + 1 : NULL;
    }
    return text.data;
}

typedef struct {
    Arena *arena;
    Diag *diag;
    const char *name; // of the document, without ".json"
    Built built;
    uint32_t golden, wrong;
} Golden;

static const char *text_of(Golden *golden, const char *rest) {
    if (!strcmp(rest, "plan.txt"))
        return golden->built.plan;
    const char *dot = strchr(rest, '.');
    return dot ? sections_of(golden->arena, golden->built.dump, arena_format(golden->arena, "%.*s", (int)(dot - rest), rest)) : "";
}

static void show_difference(const char *file, const char *wanted, const char *got) {
    uint32_t line = 1;
    size_t at = 0, begin = 0;
    for (; wanted[at] && wanted[at] == got[at]; at++)
        if (wanted[at] == '\n')
            line++, begin = at + 1;
    fprintf(stderr, "%s:%u differs\n  wanted: %.*s\n  got:    %.*s\n", file, line, (int)strcspn(wanted + begin, "\n"), wanted + begin,
            (int)strcspn(got + begin, "\n"), got + begin);
}

// `rest` is what follows "NAME." in the file's name.
static void check_file(Golden *golden, const char *file, const char *rest) {
    const char *path = file_join(golden->arena, FOLDER, file), *text, *kernel = NULL;
    size_t size;
    const char *wanted = file_read(golden->arena, path, &size, golden->diag);
    bool updates = getenv("GG_UPDATE_GOLDEN") != NULL, is_kernel = isdigit((unsigned char)*rest) && text_ends_with(rest, ".comp");
    golden->golden++;
    if (is_kernel) {
        uint32_t index = (uint32_t)strtoul(rest, NULL, 10);
        ck_assert_msg(index < golden->built.compiled->program->kernels.count, "%s: there is no kernel %u", file, index);
        text = golden->built.compiled->sources[index];
        kernel = golden->built.compiled->program->kernels.items[index].name;
    } else {
        text = text_of(golden, rest);
    }
    ck_assert_msg(*text, "%s: no pass gives this", file);
    const char *name = is_kernel ? arena_format(golden->arena, "%s.%s.comp", golden->name, kernel) : file;
    if (updates) {
        if (strcmp(name, file))
            ck_assert_int_eq(unlink(path), 0);
        ck_assert(file_write(file_join(golden->arena, FOLDER, name), text, strlen(text), golden->diag));
        return;
    }
    if (strcmp(name, file)) {
        fprintf(stderr, "%s: the kernel is %s now\n", file, kernel);
        golden->wrong++;
    } else if (!wanted || strcmp(wanted, text)) {
        show_difference(file, wanted ? wanted : "", text);
        golden->wrong++;
    }
}

static bool is_document(const char *file) { return text_ends_with(file, ".json") && !text_starts_with(file, "mistake_"); }

START_TEST(golden_files) {
    Arena *arena = arena_create();
    Diag *diag = diag_create(arena);
    uint32_t count, documents = 0, wrong = 0, golden_count = 0;
    const char **files = file_list(arena, FOLDER, &count, diag);
    ck_assert_ptr_nonnull(files);
    for (uint32_t i = 0; i < count; i++) {
        if (!is_document(files[i]))
            continue;
        Golden golden = {.arena = arena, .diag = diag, .name = arena_format(arena, "%.*s", (int)strlen(files[i]) - 5, files[i])};
        golden.built = compile(arena, file_join(arena, FOLDER, files[i]), NULL, TARGET_CPU);
        const char *prefix = arena_format(arena, "%s.", golden.name);
        for (uint32_t k = 0; k < count; k++)
            if (text_starts_with(files[k], prefix) && !text_ends_with(files[k], ".json") && !text_ends_with(files[k], ".err"))
                check_file(&golden, files[k], files[k] + strlen(prefix));
        ck_assert_msg(golden.golden > 0, "%s has no golden file", files[i]);
        free(golden.built.dump);
        documents++;
        wrong += golden.wrong;
        golden_count += golden.golden;
    }
    ck_assert_uint_ge(documents, 8);
    ck_assert_uint_ge(golden_count, 16);
    ck_assert_msg(wrong == 0, "%u golden files differ; GG_UPDATE_GOLDEN=1 rewrites them", wrong);
    arena_destroy(&arena);
}
END_TEST

// An emitter that remembers loads by their value alone would square one element.
START_TEST(outer_product_loads_twice) {
    Arena *arena = arena_create();
    Built built = compile(arena, GG_SOURCE_DIR "/tests/golden/outer_product.json", NULL, TARGET_CPU);
    ck_assert_uint_eq(built.compiled->program->kernels.count, 1);
    const char *source = built.compiled->sources[0], *body = strstr(source, "void main()");
    ck_assert_ptr_nonnull(body);
    uint32_t loads = 0;
    for (const char *at = body; (at = strstr(at, "in0")) != NULL; at++)
        loads++;
    ck_assert_msg(loads >= 2, "%s", source);
    free(built.dump);
    arena_destroy(&arena);
}
END_TEST

static void same_file(Arena *arena, const char *const *folders, const char *name, Diag *diag) {
    size_t a_size, b_size;
    const char *a = file_read(arena, file_join(arena, folders[0], name), &a_size, diag);
    const char *b = file_read(arena, file_join(arena, folders[1], name), &b_size, diag);
    ck_assert_msg(a && b, "%s", diag_text(diag, arena));
    ck_assert_msg(a_size == b_size && !memcmp(a, b, a_size), "two compilations give different %s", name);
}

static void same_kernels(const Program *a, const Program *b) {
    ck_assert_uint_eq(a->kernels.count, b->kernels.count);
    for (uint32_t i = 0; i < a->kernels.count; i++) {
        const ProgramKernel *x = &a->kernels.items[i], *y = &b->kernels.items[i];
        ck_assert_str_eq(x->name, y->name);
        ck_assert_msg(x->spirv_size == y->spirv_size && !memcmp(x->spirv, y->spirv, x->spirv_size), "%s: SPIR-V differs", x->name);
    }
}

// Calls visit with the name of each shipped graph's file.
static void each_shipped_graph(Arena *arena, Diag *diag, void (*visit)(const char *file, void *context), void *context) {
    uint32_t count, graphs = 0;
    const char **files = file_list(arena, GG_SOURCE_DIR "/graphs", &count, diag);
    ck_assert_ptr_nonnull(files);
    for (uint32_t i = 0; i < count; i++)
        if (text_ends_with(files[i], ".json") && strcmp(files[i], "schema.json")) {
            visit(files[i], context);
            graphs++;
        }
    ck_assert_uint_ge(graphs, 9);
}

static const char *graph_path(Arena *arena, const char *file) { return file_join(arena, GG_SOURCE_DIR "/graphs", file); }

static void compile_twice(const char *file, void *folder) {
    // The first arena stays alive, so that nothing lies where it lay before.
    Arena *arenas[2] = {arena_create(), arena_create()};
    Diag *diag = diag_create(arenas[0]);
    Built builds[2];
    const char *bundles[2];
    for (int k = 0; k < 2; k++) {
        bundles[k] = arena_format(arenas[k], "%s/%d.ggb", (const char *)folder, k);
        ck_assert(file_make_folders(bundles[k], diag));
        builds[k] = compile(arenas[k], graph_path(arenas[k], file), "check", TARGET_CPU);
        ck_assert(program_write(builds[k].compiled->program, bundles[k], diag));
    }
    if (strcmp(builds[0].dump, builds[1].dump)) {
        show_difference(file, builds[0].dump, builds[1].dump);
        ck_abort_msg("%s: two dumps differ", file);
    }
    same_kernels(builds[0].compiled->program, builds[1].compiled->program);
    same_file(arenas[0], bundles, "program.json", diag);
    same_file(arenas[0], bundles, "constants.bin", diag);
    for (int k = 0; k < 2; k++) {
        free(builds[k].dump);
        arena_destroy(&arenas[k]);
    }
}

START_TEST(compiling_twice_gives_equal_bytes) {
    Arena *arena = arena_create();
    Diag *diag = diag_create(arena);
    char folder[] = "/tmp/gg_golden_XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(folder));
    each_shipped_graph(arena, diag, compile_twice, folder);
    ck_assert(file_remove_tree(folder, diag));
    arena_destroy(&arena);
}
END_TEST

static void compile_for_others(const char *file, void *context) {
    (void)context;
    for (TargetClass target = TARGET_GPU; target <= TARGET_ANY; target++) {
        Arena *arena = arena_create();
        Built built = compile(arena, graph_path(arena, file), "check", target);
        ck_assert_uint_gt(built.compiled->program->kernels.count, 0);
        free(built.dump);
        arena_destroy(&arena);
    }
}

// The program's verifier looks at bindings, ranges and grids; a class with few bindings asks most of it.
START_TEST(shipped_graphs_fit_every_class) {
    Arena *arena = arena_create();
    each_shipped_graph(arena, diag_create(arena), compile_for_others, NULL);
    arena_destroy(&arena);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("golden");
    TCase *tests = tcase_create("golden");
    tcase_set_timeout(tests, 300);
    tcase_add_test(tests, golden_files);
    tcase_add_test(tests, outer_product_loads_twice);
    tcase_add_test(tests, shipped_graphs_fit_every_class);
    tcase_add_test(tests, compiling_twice_gives_equal_bytes);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
