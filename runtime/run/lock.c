// Run lock: flock on RUN/lock. The file is removed while it is held, so who opened it before may hold a file that is no longer there:
// he looks again.
#include "runtime/run/lock.h"
#include "runtime/base/file.h"
#include "runtime/base/text.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static const char NAME[] = "lock", SIGNATURE[] = "process ";
enum { TRIES = 100 };

struct RunLock {
    const char *path;
    int descriptor;
};

static bool is_in_place(const char *path, int descriptor) {
    struct stat there, held;
    return stat(path, &there) == 0 && fstat(descriptor, &held) == 0 && there.st_ino == held.st_ino && there.st_dev == held.st_dev;
}

static void say_holder(const char *folder, int descriptor, Diag *diag) {
    char text[256] = "";
    ssize_t size = pread(descriptor, text, sizeof text - 1, 0);
    text[size > 0 ? (size_t)size : 0] = 0;
    text[strcspn(text, "\n")] = 0;
    diag_error(diag, &(Place){.file = folder}, "%s is training this run: two cannot write in one folder", *text ? text : "another process");
}

// Ours is empty, or says who holds or held it. Whatever else bears the name is somebody's.
static bool is_ours(int descriptor) {
    struct stat held;
    char text[sizeof SIGNATURE] = "";
    return fstat(descriptor, &held) == 0 && S_ISREG(held.st_mode) &&
           (held.st_size == 0 ||
            (pread(descriptor, text, sizeof SIGNATURE - 1, 0) == sizeof SIGNATURE - 1 && strcmp(text, SIGNATURE) == 0));
}

static void sign(int descriptor) {
    char host[128] = "?", text[256];
    gethostname(host, sizeof host - 1);
    int size = snprintf(text, sizeof text, "%s%ld on %s\n", SIGNATURE, (long)getpid(), host);
    bool is_signed = ftruncate(descriptor, 0) == 0 && pwrite(descriptor, text, (size_t)size, 0) == size;
    (void)is_signed; // for people alone: nothing depends on it
}

// False: the file was removed meanwhile, try again.
static bool lock(RunLock *taken, const char *folder, bool *ok, Diag *diag) {
    if (flock(taken->descriptor, LOCK_EX | LOCK_NB) == 0) {
        *ok = true;
        return is_in_place(taken->path, taken->descriptor);
    }
    *ok = false;
    if (errno == EWOULDBLOCK) {
        say_holder(folder, taken->descriptor, diag);
    } else {
        diag_warning(diag, &(Place){.file = folder}, "cannot be locked (%s): nothing keeps a second training out of it", strerror(errno));
        *ok = true;
    }
    return true;
}

RunLock *run_lock_take(Arena *arena, const char *folder, Diag *diag) {
    RunLock *taken = ARENA_NEW(arena, RunLock, 1);
    taken->path = file_join(arena, folder, NAME);
    for (uint32_t i = 0; i < TRIES; i++) {
        taken->descriptor = open(taken->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
        if (taken->descriptor < 0) {
            diag_error(diag, &(Place){.file = taken->path}, "cannot open it: %s", strerror(errno));
            return NULL;
        }
        if (!is_ours(taken->descriptor)) {
            diag_error(diag, &(Place){.file = taken->path},
                       "gcc-graph did not make this file, and a run needs one of this name: move it away");
            close(taken->descriptor);
            return NULL;
        }
        bool ok;
        bool is_settled = lock(taken, folder, &ok, diag);
        if (is_settled && ok) {
            sign(taken->descriptor);
            return taken;
        }
        close(taken->descriptor);
        if (is_settled)
            return NULL;
    }
    diag_error(diag, &(Place){.file = folder}, "others take and leave its lock all the time");
    return NULL;
}

void run_lock_release(RunLock **lock) {
    if (!*lock)
        return;
    if (is_in_place((*lock)->path, (*lock)->descriptor))
        unlink((*lock)->path);
    close((*lock)->descriptor);
    *lock = NULL;
}

bool run_lock_is_its_file(const char *name) { return strcmp(name, NAME) == 0; }
