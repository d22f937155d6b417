// Folder: what a test works with - an arena, a diag, and a folder that is made before it and removed behind it. For one test program each.
#pragma once
#include "runtime/base/file.h"
#include <check.h>
#include <stdlib.h>

static Arena *arena;
static Diag *diag;
static const char *folder;

static void folder_set_up(void) {
    arena = arena_create();
    diag = diag_create(arena);
    folder = mkdtemp(arena_copy_text(arena, "/tmp/gg_test_XXXXXX"));
    ck_assert_ptr_nonnull(folder);
}

static void folder_tear_down(void) {
    ck_assert(file_remove_tree(folder, diag) && !file_exists(folder));
    arena_destroy(&arena);
}
