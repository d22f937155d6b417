// Layers: every `#include` of compiler/ and runtime/ against the table of who may include whom; each third-party header has one home, and so
// has each call of the system that is to be made in one place.
#include "runtime/base/file.h"
#include "runtime/base/text.h"
#include <check.h>
#include <stdlib.h>

enum { REACH_MAX = 24 };

// A folder and the folders whose headers its files may include; the file's own folder goes without saying.
typedef struct {
    const char *folder;
    const char *reach[REACH_MAX]; // ends with NULL
} Layer;

#define IR "compiler/ir", "runtime/tensor", "runtime/base"
#define CONTRACT "runtime/program", "runtime/tensor", "runtime/base"
#define SESSION "runtime/session", "runtime/vk", CONTRACT
#define DATA "runtime/data", "runtime/show", CONTRACT
#define PASSES "compiler/passes", "compiler/schedules", "compiler/emit", "compiler/kernel", "compiler/read", "compiler/ops", "compiler/ir"

static const Layer layers[] = {
    {"runtime/base", {NULL}},
    {"runtime/tensor", {"runtime/base"}},
    {"runtime/program", {"runtime/tensor", "runtime/base"}},
    {"runtime/vk", {CONTRACT}},
    {"runtime/session", {"runtime/vk", CONTRACT}},
    {"runtime/show", {"runtime/base"}},
    {"runtime/data", {"runtime/show", CONTRACT}},
    {"runtime/run", {"runtime/show", SESSION}},
    {"runtime/sample", {"runtime/run", "runtime/data", "runtime/show", SESSION}},
    {"runtime/train", {"runtime/sample", "runtime/run", "runtime/data", "runtime/show", SESSION}},
    {"runtime/eval", {"runtime/sample", "runtime/run", "runtime/data", "runtime/show", SESSION}},
    {"runtime/bench", {SESSION}},
    {"compiler/ir", {"runtime/tensor", "runtime/base"}},
    {"compiler/ops", {IR}},
    {"compiler/layers", {"compiler/ops", IR}},
    {"compiler/optimizers", {"compiler/ops", IR}},
    {"compiler/read", {"compiler/layers", "compiler/optimizers", "compiler/ops", IR}},
    {"compiler/kernel", {"compiler/ops", "compiler/ir", CONTRACT}},
    {"compiler/emit", {"compiler/kernel", "compiler/ops", "compiler/ir", CONTRACT}},
    {"compiler/schedules", {"compiler/emit", "compiler/kernel", "compiler/ops", "compiler/ir", CONTRACT}},
    {"compiler/passes",
     {"compiler/schedules", "compiler/emit", "compiler/kernel", "compiler/layers", "compiler/optimizers", "compiler/read", "compiler/ops", "compiler/ir",
      CONTRACT}},
    {"compiler", {PASSES, "compiler/layers", "compiler/optimizers", CONTRACT}},
    {"compiler/reference", {"compiler/ir", "runtime/sample", "runtime/run", DATA, "runtime/session", "runtime/vk"}},
    {"compiler/verify", {"compiler/reference", "compiler", PASSES, SESSION}},
    {"compiler/tune", {"compiler/verify", "compiler", PASSES, "runtime/bench", SESSION}},
    {"compiler/driver",
     {"compiler/tune", "compiler/verify", "compiler/reference", "compiler", "compiler/schedules", "compiler/emit", "compiler/kernel", "compiler/ir", "compiler/layers", "compiler/optimizers",
      "compiler/read", "runtime/train", "runtime/eval", "runtime/bench", "runtime/sample", "runtime/run", DATA, "runtime/session",
      "runtime/vk"}},
};

enum { LAYER_COUNT = sizeof layers / sizeof *layers };

// Single files of a folder that others below it may include: the cost table is asked by fuse and schedule; the words of a program say of a
// graph's states, emits and phases what they say of the program's, and how often a phase runs is one thing in both.
static const struct {
    const char *folder, *header;
} exceptions[] = {
    {"compiler/kernel", "compiler/cost.h"},
    {"compiler/passes", "compiler/cost.h"},
    {"compiler/ir", "runtime/program/words.h"},
    {"compiler/ir", "runtime/program/augment.h"},
    {"compiler/ir", "runtime/program/every.h"},
    {"compiler/ir", "runtime/program/accumulate.h"},
};

// What the language's and the system's own library offers; anything else in angle brackets is a third party's.
static const char *const system_headers[] = {
    "ctype.h",   "errno.h",    "float.h",   "inttypes.h",  "limits.h",  "locale.h", "malloc.h", "math.h", // assert.h vanishes from releases: runtime/base/bug.h
    "setjmp.h", "signal.h",  "stdalign.h", "stdarg.h",  "stdatomic.h", "stdbool.h", "stddef.h", "stdint.h",
    "stdio.h",  "stdlib.h",  "string.h",   "threads.h", "time.h",      "dirent.h",  "dlfcn.h",  "fcntl.h",
    "fenv.h",   "pthread.h", "sched.h",    "strings.h", "unistd.h",    "spawn.h",   "poll.h",      "fnmatch.h",
};

// Calls with one home.
static const struct {
    const char *call, *home;
} homes[] = {
    {"pthread_create", "runtime/base/pool.c"},
    {"thrd_create", "runtime/base/pool.c"},
    {"clock_gettime", "runtime/base/clock.c"},
    {"gettimeofday", "runtime/base/clock.c"},
};

typedef struct {
    const char *header, *home; // a file, or a folder
} Party;

typedef struct {
    Arena *arena;
    Diag *diag;
    ARRAY(Party) parties;
    uint32_t files, includes, violations;
    bool includes_folder[LAYER_COUNT][LAYER_COUNT]; // by rows of the table, but for the exceptions
} Check;

static const Layer *layer_of(const char *folder) {
    for (uint32_t i = 0; i < LAYER_COUNT; i++)
        if (!strcmp(layers[i].folder, folder))
            return &layers[i];
    return NULL;
}

__attribute__((format(printf, 2, 3))) static void violation(Check *check, const char *format, ...) {
    va_list list;
    va_start(list, format);
    fprintf(stderr, "%s\n", arena_format_list(check->arena, format, list));
    va_end(list);
    check->violations++;
}

static bool may_include(const char *folder, const char *header, const char *target) {
    const Layer *layer = layer_of(folder);
    if (!strcmp(folder, target))
        return true;
    for (uint32_t i = 0; i < sizeof exceptions / sizeof *exceptions; i++)
        if (!strcmp(exceptions[i].folder, folder) && !strcmp(exceptions[i].header, header))
            return true;
    for (uint32_t i = 0; layer && i < REACH_MAX && layer->reach[i]; i++)
        if (!strcmp(layer->reach[i], target))
            return true;
    return false;
}

static void note_edge(Check *check, const char *folder, const char *header, const char *target) {
    const Layer *from = layer_of(folder), *to = layer_of(target);
    for (uint32_t i = 0; i < sizeof exceptions / sizeof *exceptions; i++)
        if (!strcmp(exceptions[i].folder, folder) && !strcmp(exceptions[i].header, header))
            return;
    if (from && to && from != to)
        check->includes_folder[from - layers][to - layers] = true;
}

// Folders that include themselves through others, whatever the table allows.
static uint32_t check_cycles(Check *check) {
    bool(*reaches)[LAYER_COUNT] = check->includes_folder;
    uint32_t count = 0;
    for (uint32_t k = 0; k < LAYER_COUNT; k++)
        for (uint32_t i = 0; i < LAYER_COUNT; i++)
            for (uint32_t j = 0; j < LAYER_COUNT; j++)
                reaches[i][j] = reaches[i][j] || (reaches[i][k] && reaches[k][j]);
    for (uint32_t i = 0; i < LAYER_COUNT; i++) {
        if (reaches[i][i])
            violation(check, "%s includes a folder that includes it", layers[i].folder);
        count += reaches[i][i];
    }
    return count;
}

static void check_own(Check *check, const char *file, uint32_t line, const char *header) {
    const char *folder = file_folder(check->arena, file), *target = file_folder(check->arena, header);
    if (text_starts_with(header, "shaders/")) { // the runtime's own shaders, made by the build
        if (strcmp(folder, "runtime/vk"))
            violation(check, "%s:%u: \"%s\": only runtime/vk holds compiled shaders", file, line, header);
        return;
    }
    if (!file_exists(file_join(check->arena, GG_SOURCE_DIR, header)))
        violation(check, "%s:%u: \"%s\" is not written from the root, or does not exist", file, line, header);
    else if (!may_include(folder, header, target))
        violation(check, "%s:%u: %s may not include %s (\"%s\")", file, line, folder, target, header);
    note_edge(check, folder, header, target);
}

static bool is_system(const char *header) {
    for (uint32_t i = 0; i < sizeof system_headers / sizeof *system_headers; i++)
        if (!strcmp(system_headers[i], header))
            return true;
    return text_starts_with(header, "sys/") || text_starts_with(header, "sanitizer/");
}

// A library is known by its header's first word: glslang's three headers are one library.
static void check_party(Check *check, const char *file, uint32_t line, const char *header) {
    const char *slash = strchr(header, '/');
    const char *library = slash ? arena_format(check->arena, "%.*s", (int)(slash - header), header) : header;
    bool is_vulkan = !strcmp(library, "vulkan");
    const char *home = is_vulkan ? file_folder(check->arena, file) : file;
    if (is_vulkan ? strcmp(home, "runtime/vk") != 0 : !text_ends_with(file, ".c"))
        violation(check, "%s:%u: <%s> belongs into %s", file, line, header, is_vulkan ? "runtime/vk" : "one .c file");
    for (uint32_t i = 0; i < check->parties.count; i++) {
        if (strcmp(check->parties.items[i].header, library))
            continue;
        if (strcmp(check->parties.items[i].home, home))
            violation(check, "%s:%u: <%s> is %s's already", file, line, header, check->parties.items[i].home);
        return;
    }
    array_push(check->arena, &check->parties, ((Party){library, home}));
}

static void check_calls(Check *check, const char *file, uint32_t line, const char *text) {
    for (uint32_t i = 0; i < sizeof homes / sizeof *homes; i++)
        if (strstr(text, homes[i].call) && strcmp(file, homes[i].home))
            violation(check, "%s:%u: %s is called in %s alone", file, line, homes[i].call, homes[i].home);
}

static void check_line(Check *check, const char *file, uint32_t line, const char *text) {
    check_calls(check, file, line, text);
    text += strspn(text, " \t");
    if (*text != '#')
        return;
    text += 1 + strspn(text + 1, " \t");
    if (!text_starts_with(text, "include"))
        return;
    text += 7 + strspn(text + 7, " \t");
    char end = *text == '<' ? '>' : '"';
    const char *last = *text ? strchr(text + 1, end) : NULL;
    if ((*text != '<' && *text != '"') || !last) {
        violation(check, "%s:%u: an include without a plain name", file, line);
        return;
    }
    const char *header = arena_format(check->arena, "%.*s", (int)(last - text - 1), text + 1);
    check->includes++;
    if (end == '"')
        check_own(check, file, line, header);
    else if (!is_system(header))
        check_party(check, file, line, header);
}

static void check_file(Check *check, const char *file) {
    size_t size;
    char *text = file_read(check->arena, file_join(check->arena, GG_SOURCE_DIR, file), &size, check->diag);
    ck_assert_ptr_nonnull(text);
    check->files++;
    uint32_t line = 1;
    for (char *at = text; at && *at; line++) {
        char *end = strchr(at, '\n');
        if (end)
            *end = 0;
        check_line(check, file, line, at);
        at = end ? end + 1 : NULL;
    }
}

static void check_folder(Check *check, const char *folder) {
    uint32_t count;
    const char **names = file_list(check->arena, file_join(check->arena, GG_SOURCE_DIR, folder), &count, check->diag);
    ck_assert_ptr_nonnull(names);
    for (uint32_t i = 0; i < count; i++) {
        const char *path = file_join(check->arena, folder, names[i]);
        if (names[i][0] == '.')
            continue;
        if (file_is_folder(file_join(check->arena, GG_SOURCE_DIR, path)))
            check_folder(check, path);
        else if (text_ends_with(path, ".c") || text_ends_with(path, ".h") || text_ends_with(path, ".def")) {
            if (!layer_of(folder))
                violation(check, "%s: folder %s is in no row of the table", path, folder);
            check_file(check, path);
        }
    }
}

static void begin(Check *check) {
    *check = (Check){.arena = arena_create()};
    check->diag = diag_create(check->arena);
}

START_TEST(includes_point_down) {
    Check check;
    begin(&check);
    check_folder(&check, "compiler");
    check_folder(&check, "runtime");
    ck_assert_uint_gt(check.files, 150);
    ck_assert_uint_gt(check.includes, 500);
    ck_assert_uint_ge(check.parties.count, 6); // cJSON, xxhash, glslang, Vulkan, libpng, pango
    ck_assert_uint_eq(check_cycles(&check), 0);
    ck_assert_uint_eq(check.violations, 0);
    arena_destroy(&check.arena);
}
END_TEST

// The table itself has no way back up, and runtime/ none into compiler/.
START_TEST(table_has_no_cycle) {
    bool reaches[LAYER_COUNT][LAYER_COUNT] = {{false}};
    for (uint32_t i = 0; i < LAYER_COUNT; i++)
        for (uint32_t k = 0; k < REACH_MAX && layers[i].reach[k]; k++) {
            const Layer *to = layer_of(layers[i].reach[k]);
            ck_assert_msg(to != NULL, "%s has no row", layers[i].reach[k]);
            bool is_runtime = text_starts_with(layers[i].folder, "runtime"), to_runtime = text_starts_with(to->folder, "runtime");
            ck_assert(!is_runtime || to_runtime);
            // What compiles needs no device: only what runs programs, too, reaches beyond the bundle.
            bool runs = text_starts_with(layers[i].folder, "compiler/driver") || text_starts_with(layers[i].folder, "compiler/verify") ||
                        text_starts_with(layers[i].folder, "compiler/reference") || text_starts_with(layers[i].folder, "compiler/tune");
            bool is_contract = !strcmp(to->folder, "runtime/base") || !strcmp(to->folder, "runtime/tensor") || !strcmp(to->folder, "runtime/program");
            ck_assert(is_runtime || !to_runtime || runs || is_contract);
            reaches[i][to - layers] = true;
        }
    for (uint32_t k = 0; k < LAYER_COUNT; k++)
        for (uint32_t i = 0; i < LAYER_COUNT; i++)
            for (uint32_t j = 0; j < LAYER_COUNT; j++)
                reaches[i][j] = reaches[i][j] || (reaches[i][k] && reaches[k][j]);
    for (uint32_t i = 0; i < LAYER_COUNT; i++)
        ck_assert_msg(!reaches[i][i], "%s reaches itself", layers[i].folder);
}
END_TEST

// The test sees what it should: planted lines are violations.
START_TEST(violations_are_seen) {
    static const struct {
        const char *file, *line;
        uint32_t violations;
    } planted[] = {
        {"runtime/session/session.c", "#include \"compiler/ir/graph.h\"", 1},
        {"runtime/base/text.c", "#include \"runtime/program/program.h\"", 1},
        {"runtime/show/image.c", "#include \"runtime/data/picture.h\"", 1},
        {"runtime/sample/weights.c", "#include \"runtime/train/train.h\"", 1},
        {"compiler/ir/graph.c", "#include \"compiler/ops/ops.h\"", 1},
        {"compiler/passes/fuse.c", "  #  include \"runtime/session/session.h\"", 1},
        {"compiler/emit/glsl.c", "#include \"compiler/passes/passes.h\"", 1},
        {"compiler/ir/graph.c", "#include \"graph.h\"", 1},
        {"runtime/session/session.c", "#include <vulkan/vulkan.h>", 1},
        {"compiler/ir/type.h", "#include <cjson/cJSON.h>", 1},
        {"compiler/ir/graph.c", "#include \"compiler/ir/graph.h\"", 0},
        {"compiler/passes/fuse.c", "#include \"compiler/cost.h\"", 0},
        {"runtime/vk/device.c", "#include <vulkan/vulkan.h> // the API", 0},
        {"runtime/base/file.c", "#include <sys/stat.h>", 0},
        {"runtime/data/loader.c", "    pthread_create(&thread, NULL, run, loader);", 1},
        {"runtime/vk/peak.c", "    clock_gettime(CLOCK_MONOTONIC, &now);", 1},
        {"runtime/base/pool.c", "    int error = pthread_create(&thread->handle, NULL, work, context);", 0},
    };
    for (uint32_t i = 0; i < sizeof planted / sizeof *planted; i++) {
        Check check;
        begin(&check);
        check_line(&check, planted[i].file, 1, planted[i].line);
        ck_assert_msg(check.violations == planted[i].violations, "%s: %s", planted[i].file, planted[i].line);
        arena_destroy(&check.arena);
    }
    Check check;
    begin(&check);
    check_line(&check, "runtime/show/a.c", 1, "#include <png.h>");
    check_line(&check, "runtime/show/b.c", 1, "#include <png.h>");
    ck_assert_uint_eq(check.violations, 1);
    arena_destroy(&check.arena);
}
END_TEST

// Each of these lines may be allowed by a table; together they are a cycle.
START_TEST(cycles_are_seen) {
    Check check;
    begin(&check);
    check_line(&check, "compiler/ops/conv.c", 1, "#include \"compiler/ir/op.h\"");
    check_line(&check, "compiler/read/layers.c", 1, "#include \"compiler/ops/ops.h\"");
    check_line(&check, "compiler/passes/fuse.c", 1, "#include \"compiler/cost.h\"");
    check_line(&check, "compiler/compile.c", 1, "#include \"compiler/passes/passes.h\"");
    ck_assert_uint_eq(check_cycles(&check), 0);
    check_line(&check, "compiler/ir/graph.c", 1, "#include \"compiler/read/reader.h\"");
    ck_assert_uint_eq(check_cycles(&check), 3); // ir, ops, read
    arena_destroy(&check.arena);
}
END_TEST

// ---- declarations stand where they are defined

typedef struct {
    const char *name, *file;
} Declared;

typedef ARRAY(Declared) DeclaredList;

// Without comments, strings and preprocessor lines; what stands in braces is left out too, but for the braces.
static const char *bare_text(Arena *arena, const char *text) {
    Text bare = text_create(arena);
    bool is_start = true;
    uint32_t depth = 0;
    for (const char *at = text; *at;) {
        if (is_start && at[strspn(at, " \t")] == '#') {
            while (*at && !(*at == '\n' && at[-1] != '\\'))
                at++;
        } else if (at[0] == '/' && (at[1] == '/' || at[1] == '*')) {
            const char *end = strstr(at + 2, at[1] == '/' ? "\n" : "*/");
            at = !end ? at + strlen(at) : at[1] == '/' ? end : end + 2;
        } else if (*at == '"' || *at == '\'') {
            char quote = *at++;
            while (*at && *at != quote)
                at += *at == '\\' && at[1] ? 2 : 1;
            at += *at != 0;
        } else {
            depth -= *at == '}' && depth > 0;
            if (depth == 0 || *at == '\n')
                text_append_bytes(&bare, at, 1);
            depth += *at == '{';
            is_start = *at++ == '\n';
            continue;
        }
        is_start = false;
    }
    return bare.data;
}

// The name before the first parenthesis that closes a function's arguments: of `Value f(Graph *, …)`, not of an attribute's.
static const char *function_name(Arena *arena, const char *at, size_t length) {
    const char *text = arena_copy_bytes(arena, at, length);
    for (const char *skip; (skip = strstr(text, "__attribute__((")) != NULL;) {
        const char *end = strstr(skip, "))");
        text = arena_format(arena, "%.*s%s", (int)(skip - text), text, !end ? "" : end + 2 + (end[2] == ')'));
    }
    text += strspn(text, " \n\t");
    const char *open = strchr(text, '('), *last = open;
    if (!open || strchr(arena_format(arena, "%.*s", (int)(open - text), text), '=') || text_starts_with(text, "typedef") ||
        text_starts_with(text, "static"))
        return NULL;
    while (last > text && (last[-1] == ' ' || last[-1] == '\n'))
        last--;
    const char *first = last;
    while (first > text && (first[-1] == '_' || (first[-1] >= 'a' && first[-1] <= 'z') || (first[-1] >= 'A' && first[-1] <= 'Z') ||
                            (first[-1] >= '0' && first[-1] <= '9')))
        first--;
    return first == last || first == text ? NULL : arena_format(arena, "%.*s", (int)(last - first), first);
}

// Functions that a text declares (their statement ends in ';') or defines (a body follows).
static void find_functions(Arena *arena, const char *file, const char *text, bool is_body, DeclaredList *out) {
    const char *bare = bare_text(arena, text), *start = bare;
    for (const char *at = bare; *at; at++) {
        if (*at != ';' && *at != '{' && *at != '}')
            continue;
        const char *name = *at == (is_body ? '{' : ';') ? function_name(arena, start, (size_t)(at - start)) : NULL;
        if (name)
            array_push(arena, out, ((Declared){name, file}));
        start = at + 1;
    }
}

static bool is_among(const DeclaredList *list, const char *name, const char *folder, Arena *arena) {
    for (uint32_t i = 0; i < list->count; i++)
        if (!strcmp(list->items[i].name, name) && !strcmp(file_folder(arena, list->items[i].file), folder))
            return true;
    return false;
}

static void check_declarations(Check *check, const DeclaredList *declared, const DeclaredList *defined) {
    for (uint32_t i = 0; i < declared->count; i++) {
        const char *folder = file_folder(check->arena, declared->items[i].file);
        if (!is_among(defined, declared->items[i].name, folder, check->arena))
            violation(check, "%s: %s is defined in no file of %s", declared->items[i].file, declared->items[i].name, folder);
    }
}

// Headers' functions and those that .c files define, of all folders below.
static void gather(Check *check, const char *folder, DeclaredList *declared, DeclaredList *defined) {
    uint32_t count;
    size_t size;
    const char **names = file_list(check->arena, file_join(check->arena, GG_SOURCE_DIR, folder), &count, check->diag);
    for (uint32_t i = 0; i < count; i++) {
        const char *path = file_join(check->arena, folder, names[i]), *full = file_join(check->arena, GG_SOURCE_DIR, path);
        if (names[i][0] == '.')
            continue;
        if (file_is_folder(full))
            gather(check, path, declared, defined);
        else if (text_ends_with(path, ".h"))
            find_functions(check->arena, path, file_read(check->arena, full, &size, check->diag), false, declared);
        else if (text_ends_with(path, ".c"))
            find_functions(check->arena, path, file_read(check->arena, full, &size, check->diag), true, defined);
    }
}

START_TEST(functions_are_defined_where_they_are_declared) {
    Check check;
    begin(&check);
    DeclaredList declared = {0}, defined = {0};
    gather(&check, "compiler", &declared, &defined);
    gather(&check, "runtime", &declared, &defined);
    ck_assert_uint_gt(declared.count, 500);
    ck_assert(is_among(&declared, "graph_add", "compiler/ir", check.arena) && is_among(&declared, "diag_error", "runtime/base", check.arena));
    check_declarations(&check, &declared, &defined);
    ck_assert_uint_eq(check.violations, 0);
    arena_destroy(&check.arena);
}
END_TEST

START_TEST(declarations_elsewhere_are_seen) {
    static const struct {
        const char *header, *source;
        uint32_t violations;
    } planted[] = {
        {"int f(int x);", "int f(int x) { return x; }", 0},
        {"int f(int x); // g(x);\n", "int f(int x) {\n    return g(x);\n}", 0},
        {"int f(int x);\nint g(int x);", "int f(int x) { return g(x); }", 1},
        {"__attribute__((format(printf, 1, 2))) void f(const char *format, ...);", "void f(const char *format, ...) { (void)format; }", 0},
        {"__attribute__((format(printf, 1, 2))) void f(const char *format, ...);", "", 1},
        {"typedef int (*F)(int x);\nstatic inline int f(int x) { return x; }\nextern const int x;", "", 0},
        {"struct S {\n    int (*f)(int x);\n};\n#define G(x) \\\n    g(x);\nint f(int x);", "static int g(int x) { return x; }\nint f(int x) {}", 0},
        {"int f(int x);", "int g(int x) { return f(x); } // int f(int x) {", 1},
    };
    for (uint32_t i = 0; i < sizeof planted / sizeof *planted; i++) {
        Check check;
        begin(&check);
        DeclaredList declared = {0}, defined = {0};
        find_functions(check.arena, "compiler/ir/a.h", planted[i].header, false, &declared);
        find_functions(check.arena, "compiler/ir/a.c", planted[i].source, true, &defined);
        find_functions(check.arena, "compiler/ops/a.c", "int f(int x) { return x; }\nint g(int x) { return x; }", true, &defined);
        check_declarations(&check, &declared, &defined);
        ck_assert_msg(check.violations == planted[i].violations, "%s: %u violations", planted[i].header, check.violations);
        arena_destroy(&check.arena);
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("layers");
    TCase *tests = tcase_create("layers");
    tcase_add_test(tests, includes_point_down);
    tcase_add_test(tests, table_has_no_cycle);
    tcase_add_test(tests, violations_are_seen);
    tcase_add_test(tests, cycles_are_seen);
    tcase_add_test(tests, functions_are_defined_where_they_are_declared);
    tcase_add_test(tests, declarations_elsewhere_are_seen);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
