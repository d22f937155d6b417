// Command: runs gcc-graph in a test, in a folder of the test's own, and keeps what it printed.
#pragma once
#include "runtime/base/file.h"
#include "runtime/base/text.h"
#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static Arena *arena;
static Diag *diag;
static const char *folder; // of the test
static char *out, *err;    // of the last command

static void setup(void) {
    arena = arena_create();
    diag = diag_create(arena);
    char name[] = "/tmp/gg_command_XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(name));
    folder = arena_copy_text(arena, name);
    setenv("GG_SCHEDULE", "default", 0); // nothing that was tuned on the machine, and no tuning before a training
}

static void teardown(void) {
    file_remove_tree(folder, diag);
    arena_destroy(&arena);
}

static const char *in_folder(const char *name) { return file_join(arena, folder, name); }

static char *read_all(const char *path) {
    size_t size = 0;
    char *text = file_read(arena, path, &size, diag);
    return text ? text : arena_copy_text(arena, "");
}

// Runs `gcc-graph WORDS` through the shell, in the source folder; its exit code, or 128 + signal.
__attribute__((format(printf, 1, 2))) static int gcc_graph(const char *format, ...) {
    va_list list;
    va_start(list, format);
    const char *words = arena_format_list(arena, format, list);
    va_end(list);
    const char *out_path = in_folder("stdout"), *err_path = in_folder("stderr");
    int status = system(
        arena_format(arena, "cd %s && %s/gcc-graph %s >%s 2>%s </dev/null", GG_SOURCE_DIR, GG_BINARY_DIR, words, out_path, err_path));
    out = read_all(out_path);
    err = read_all(err_path);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// Starts `gcc-graph WORDS` by itself and silently; its process id. It ends with the test, should that fail.
__attribute__((format(printf, 1, 2))) static inline pid_t start_gcc_graph(const char *format, ...) {
    va_list list;
    va_start(list, format);
    const char *command = arena_format(arena, "exec %s/gcc-graph %s", GG_BINARY_DIR, arena_format_list(arena, format, list));
    va_end(list);
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        int null = open("/dev/null", O_WRONLY);
        dup2(null, 1);
        dup2(null, 2);
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    return child;
}

#define expect_code(code, ...)                                                                                                             \
    do {                                                                                                                                   \
        int got = gcc_graph(__VA_ARGS__);                                                                                                  \
        ck_assert_msg(got == (code), "exit code %d, expected %d\nstdout: %.1000s\nstderr: %.2000s", got, (code), out, err);                \
    } while (0)
#define expect_out(piece)                                                                                                                  \
    ck_assert_msg(strstr(out, (piece)) != NULL, "\"%s\" is not in stdout: %.2000s\nstderr: %.1000s", (piece), out, err)
#define expect_err(piece)                                                                                                                  \
    ck_assert_msg(strstr(err, (piece)) != NULL, "\"%s\" is not in stderr: %.2000s\nstdout: %.1000s", (piece), err, out)

static inline void write_text(const char *path, const char *text) {
    ck_assert_msg(file_write(path, text, strlen(text), diag), "%s", diag_text(diag, arena));
}

// Device tests: without a Vulkan device the whole program is skipped.
static inline bool has_device(void) { return system(GG_BINARY_DIR "/gcc-graph devices >/dev/null 2>&1") == 0; }

static inline int run_suite(Suite *suite) {
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
