// Main: chooses the command, prints what it reported, and sets the exit code: 0 good, 1 failed, 2 wrong usage.
#include "compiler/driver/arguments.h"
#include "runtime/base/text.h"
#include <stdlib.h>

#define COMMAND(name, summary) extern const Command name##_command;
#include "compiler/driver/commands.def"
#undef COMMAND

typedef struct {
    const char *name, *summary;
    const Command *command;
} Row;

static const Row rows[] = {
#define COMMAND(name, summary) {#name, summary, &name##_command},
#include "compiler/driver/commands.def"
#undef COMMAND
};
enum { ROW_COUNT = sizeof rows / sizeof *rows };

static void print_help(FILE *stream) {
    fprintf(stream, "usage: gcc-graph COMMAND ...\n\n"
                    "Compiles a network with its training and sampling programs, declared in one JSON graph, into Vulkan compute\n"
                    "shaders, and runs them on any Vulkan device.\n\ncommands:\n");
    for (uint32_t i = 0; i < ROW_COUNT; i++)
        fprintf(stream, "  %-9s %s\n", rows[i].name, rows[i].summary);
    fprintf(stream, "\n`gcc-graph COMMAND --help` explains a command, with examples. `gcc-graph --version` prints the version.\n\n"
                    "examples:\n"
                    "  gcc-graph compile graphs/ddpm_mnist.json -o build/ddpm.ggb\n"
                    "  gcc-graph train build/ddpm.ggb --data mnist --out runs/ddpm\n"
                    "  gcc-graph sample build/ddpm.ggb --from runs/ddpm --out samples\n");
}

static const Row *find_row(const char *name) {
    for (uint32_t i = 0; i < ROW_COUNT; i++)
        if (strcmp(rows[i].name, name) == 0)
            return &rows[i];
    return NULL;
}

static int unknown_command(Arena *arena, const char *name) {
    const char *known[ROW_COUNT];
    for (uint32_t i = 0; i < ROW_COUNT; i++)
        known[i] = rows[i].name;
    fprintf(stderr, "gcc-graph: there is no command \"%s\"%s\nTry `gcc-graph --help`.\n", name,
            text_suggestion(arena, name, known, ROW_COUNT));
    return 2;
}

static int run(Arena *arena, int count, char **words) {
    if (count < 2) {
        print_help(stderr);
        return 2;
    }
    const char *name = words[1];
    bool help = strcmp(name, "help") == 0;
    if (strcmp(name, "--version") == 0) {
        printf("gcc-graph %s\n", GG_VERSION);
        return 0;
    }
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || (help && count == 2)) {
        print_help(stdout);
        return 0;
    }
    if (help)
        name = words[2];
    const Row *row = find_row(name);
    if (!row)
        return unknown_command(arena, name);
    Arguments arguments = {.arena = arena, .diag = diag_create(arena), .name = row->name, .command = row->command};
    if (help) {
        arguments_help(&arguments, stdout);
        return 0;
    }
    int code = 0;
    if (!arguments_parse(&arguments, count - 2, words + 2, &code))
        return code;
    arguments.activity = activity_create(arena, stderr, 0);
    code = row->command->run(&arguments);
    arguments_flush(&arguments);
    activity_destroy(&arguments.activity);
    return code == 0 && arguments_error_count(&arguments) > 0 ? 1 : code;
}

int main(int count, char **words) {
    arena_keep_freed();
    Arena *arena = arena_create();
    int code = run(arena, count, words);
    arena_destroy(&arena);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "error: standard output cannot be written\n");
        return code ? code : 1;
    }
    return code;
}
