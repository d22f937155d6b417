// Drivers: runs a device test once with the machine's own drivers and once with SwiftShader where it is installed; 77 without a device.
#pragma once
#include "runtime/vk/device.h"
#include <check.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SKIPPED = 77 };

static inline int run_suite(Suite *(*make)(void)) {
    Arena *arena = arena_create();
    Diag *diag = diag_create(arena);
    DeviceInfo *infos;
    uint32_t count;
    bool found = device_list(arena, &infos, &count, diag);
    if (found)
        printf("device: %s, %s\n", infos[0].name, infos[0].driver);
    fflush(stdout);
    arena_destroy(&arena);
    if (!found)
        return SKIPPED;
    SRunner *runner = srunner_create(make());
    srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

// A process for each driver: loaders and drivers do not unload well.
static inline int run_with(const char *icd, Suite *(*make)(void)) {
    pid_t child = fork();
    if (child == 0) {
        if (icd)
            setenv("VK_ICD_FILENAMES", icd, 1);
        exit(run_suite(make));
    }
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) < 0 || !WIFEXITED(status))
        return EXIT_FAILURE;
    return WEXITSTATUS(status);
}

static inline int run_on_drivers(Suite *(*make)(void)) {
    static const char swiftshader[] = "/usr/lib/chromium/vk_swiftshader_icd.json";
    char cache[] = "/tmp/gcc-graph-test-XXXXXX";
    if (mkdtemp(cache))
        setenv("XDG_CACHE_HOME", cache, 1);
    int first = run_with(NULL, make);
    bool has_second = !getenv("VK_ICD_FILENAMES") && access(swiftshader, R_OK) == 0;
    int second = has_second ? run_with(swiftshader, make) : SKIPPED;
    char command[64];
    snprintf(command, sizeof command, "rm -rf %s", cache);
    if (system(command) != 0)
        return EXIT_FAILURE;
    if (first == SKIPPED || second == SKIPPED)
        return first == SKIPPED ? second : first;
    return first ? first : second;
}
