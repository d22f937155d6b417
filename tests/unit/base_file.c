// File: whole files, atomic replacement under failing calls, folders, paths, digests.
#include "runtime/base/file.h"
#include "tests/support/folder.h"
#include <check.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>


static void set_up(void) {
    folder_set_up();
}

static void tear_down(void) {
    file_fail_at(0);
    folder_tear_down();
}

static const char *in_folder(const char *name) { return file_join(arena, folder, name); }

static void ck_content(const char *path, const char *wanted) {
    size_t size;
    const char *bytes = file_read(arena, path, &size, diag);
    ck_assert_msg(bytes != NULL, "%s", diag_text(diag, arena));
    ck_assert_uint_eq(size, strlen(wanted));
    ck_assert_str_eq(bytes, wanted);
}

START_TEST(write_and_read) {
    const char *path = in_folder("a");
    ck_assert(file_write(path, "one", 3, diag));
    ck_content(path, "one");
    ck_assert(file_write(path, "", 0, diag));
    ck_content(path, "");
    uint32_t count;
    ck_assert_ptr_nonnull(file_list(arena, folder, &count, diag));
    ck_assert_uint_eq(count, 1);
    ck_assert_uint_eq(diag_error_count(diag), 0);
}
END_TEST

START_TEST(large_in_pieces) {
    enum { COUNT = 5000 };
    char piece[100];
    FileWriter *writer = file_create(arena, in_folder("large"), diag);
    for (int i = 0; i < COUNT; i++) {
        memset(piece, 'a' + i % 26, sizeof piece);
        ck_assert(file_put(writer, piece, i % 7 == 0 ? sizeof piece : 13, diag));
    }
    char *block = arena_alloc(arena, 200000);
    memset(block, '#', 200000);
    ck_assert(file_put(writer, block, 200000, diag));
    ck_assert(!file_exists(in_folder("large")));
    ck_assert(file_commit(writer, diag));
    size_t size, at = 0;
    const char *bytes = file_read(arena, in_folder("large"), &size, diag);
    for (int i = 0; i < COUNT; i++) {
        size_t length = i % 7 == 0 ? sizeof piece : 13;
        ck_assert_int_eq(bytes[at], 'a' + i % 26);
        ck_assert_int_eq(bytes[at + length - 1], 'a' + i % 26);
        at += length;
    }
    ck_assert_uint_eq(size, at + 200000);
    ck_assert_int_eq(bytes[size - 1], '#');
}
END_TEST

START_TEST(every_call_fails_once) {
    const char *path = in_folder("kept");
    ck_assert(file_write(path, "old", 3, diag));
    char *large = arena_alloc(arena, 100000);
    memset(large, 'x', 99999);
    bool is_written = false;
    uint32_t n = 1;
    for (; !is_written; n++) {
        Diag *own = diag_create(arena);
        file_fail_at(n);
        FileWriter *writer = file_create(arena, path, own);
        is_written = writer && file_put(writer, "new", 3, own) && file_put(writer, large, 99999, own);
        if (is_written)
            is_written = file_commit(writer, own);
        else if (writer)
            file_abandon(writer);
        file_fail_at(0);
        ck_assert_uint_eq(diag_error_count(own), is_written ? 0 : 1);
        ck_assert(is_written || strstr(diag_text(own, arena), "No space left"));
        if (!is_written)
            ck_content(path, "old");
        uint32_t count;
        file_list(arena, folder, &count, diag);
        ck_assert_uint_eq(count, 1);
    }
    ck_assert_uint_ge(n, 6); // open, two writes, fsync, folder, rename
    size_t size;
    file_read(arena, path, &size, diag);
    ck_assert_uint_eq(size, 100002);
}
END_TEST

START_TEST(failed_writer) {
    FileWriter *writer = file_create(arena, in_folder("b"), diag);
    char *large = arena_alloc(arena, 100000);
    file_fail_at(1);
    ck_assert(!file_put(writer, large, 100000, diag));
    ck_assert(!file_put(writer, "x", 1, diag));
    ck_assert(!file_commit(writer, diag));
    ck_assert_uint_eq(diag_error_count(diag), 3);
    ck_assert(!file_exists(in_folder("b")));
}
END_TEST

START_TEST(refusals) {
    size_t size;
    uint32_t count;
    ck_assert_ptr_null(file_read(arena, in_folder("none"), &size, diag));
    ck_assert_ptr_null(file_read(arena, folder, &size, diag));
    ck_assert(!file_write(in_folder("no/such/folder"), "x", 1, diag));
    ck_assert(!file_write("/dev/null", "x", 1, diag));
    ck_assert(!file_write(folder, "x", 1, diag));
    ck_assert_ptr_null(file_list(arena, in_folder("none"), &count, diag));
    ck_assert(file_write(in_folder("file"), "x", 1, diag));
    ck_assert(!file_make_folders(in_folder("file/below"), diag));
    ck_assert_uint_eq(diag_error_count(diag), 7);
    ck_assert_ptr_nonnull(strstr(diag_text(diag, arena), "none: cannot read: No such file or directory"));
    file_fail_at(1);
    ck_assert_ptr_null(file_read(arena, in_folder("file"), &size, diag));
    ck_assert(file_remove_tree(in_folder("none"), diag));
}
END_TEST

START_TEST(link_is_followed) {
    ck_assert(file_write(in_folder("target"), "old", 3, diag));
    ck_assert_int_eq(symlink("target", in_folder("link")), 0);
    ck_assert(file_write(in_folder("link"), "new", 3, diag));
    ck_content(in_folder("target"), "new");
    struct stat status;
    ck_assert_int_eq(lstat(in_folder("link"), &status), 0);
    ck_assert(S_ISLNK(status.st_mode));
}
END_TEST

START_TEST(folders) {
    const char *deep = in_folder("x/y//z/");
    ck_assert(file_make_folders(deep, diag));
    ck_assert(file_make_folders(deep, diag));
    ck_assert(file_is_folder(deep));
    ck_assert(!file_is_folder(in_folder("none")));
    ck_assert(file_write(in_folder("x/b"), "1", 1, diag));
    ck_assert(file_write(in_folder("x/a"), "1", 1, diag));
    uint32_t count;
    const char **names = file_list(arena, in_folder("x"), &count, diag);
    ck_assert_uint_eq(count, 3);
    ck_assert_str_eq(names[0], "a");
    ck_assert_str_eq(names[1], "b");
    ck_assert_str_eq(names[2], "y");
    ck_assert(file_list(arena, deep, &count, diag) != NULL && count == 0);
    // What a link points at is not the tree's.
    ck_assert_int_eq(symlink("..", in_folder("x/up")), 0);
    ck_assert(file_write(in_folder("outside"), "1", 1, diag));
    ck_assert(file_remove_tree(in_folder("x"), diag));
    ck_assert(!file_exists(in_folder("x")) && file_exists(in_folder("outside")));
}
END_TEST

START_TEST(paths) {
    ck_assert_str_eq(file_join(arena, "a", "b"), "a/b");
    ck_assert_str_eq(file_join(arena, "a/", "b"), "a/b");
    ck_assert_str_eq(file_join(arena, "a", "/b"), "/b");
    ck_assert_str_eq(file_join(arena, "", "b"), "b");
    ck_assert_str_eq(file_folder(arena, "a/b"), "a");
    ck_assert_str_eq(file_folder(arena, "b"), ".");
    ck_assert_str_eq(file_folder(arena, "/b"), "/");
    ck_assert_str_eq(file_name("a/b"), "b");
    ck_assert_str_eq(file_name("b"), "b");
    ck_assert_ptr_null(file_real_path(arena, in_folder("none")));
    ck_assert_str_eq(file_real_path(arena, "/dev/../dev"), "/dev");
    setenv("XDG_CACHE_HOME", "/c", 1);
    ck_assert_str_eq(file_cache_folder(arena), "/c/gcc-graph");
    unsetenv("XDG_CACHE_HOME");
    setenv("HOME", "/h", 1);
    ck_assert_str_eq(file_cache_folder(arena), "/h/.cache/gcc-graph");
}
END_TEST

START_TEST(digests) {
    // XXH3, 128 bits, seed 0: the published value of the empty text.
    ck_assert_str_eq(digest_bytes(arena, "", 0), "99aa06d3014798d86001c324468d497f");
    ck_assert_uint_eq(strlen(digest_bytes(arena, "a", 1)), 32);
    ck_assert_str_ne(digest_bytes(arena, "a", 1), digest_bytes(arena, "b", 1));
}
END_TEST

START_TEST(reads_in_places) {
    const char *path = in_folder("places");
    ck_assert(file_write(path, "0123456789", 10, diag));
    Arena *inner = arena_create();
    const FileView *view = file_open(inner, path, diag);
    ck_assert_ptr_nonnull(view);
    ck_assert_uint_eq(file_size(view), 10);
    char bytes[4] = {0};
    ck_assert(file_read_at(view, 6, bytes, 3, diag));
    ck_assert_str_eq(bytes, "678");
    ck_assert(file_read_at(view, 0, bytes, 0, diag));
    Diag *refused = diag_create(arena);
    ck_assert(!file_read_at(view, 8, bytes, 3, refused));
    ck_assert_ptr_nonnull(strstr(diag_text(refused, arena), "it has become shorter since it was opened"));
    ck_assert_ptr_null(file_open(inner, in_folder("none"), refused));
    ck_assert_ptr_null(file_open(inner, folder, refused));
    ck_assert_ptr_null(file_open(inner, "/dev/null", refused));
    ck_assert_uint_eq(diag_error_count(refused), 4);
    ck_assert_ptr_nonnull(strstr(diag_text(refused, arena), "is a folder, not a file"));
    size_t size;
    ck_assert_str_eq(file_read_most(arena, path, 10, &size, diag), "0123456789");
    ck_assert_uint_eq(size, 10);
    ck_assert_ptr_null(file_read_most(arena, path, 9, &size, refused));
    ck_assert_ptr_null(file_read_most(arena, "/dev/zero", UINT64_MAX, &size, refused)); // has no end
    ck_assert_ptr_nonnull(strstr(diag_text(refused, arena), "10 bytes are too many; at most 9 are read"));
    ck_assert_uint_eq(diag_error_count(refused), 6);
    for (uint32_t i = 0; i < 5000; i++) { // more than may be open at a time: an arena's end closes its files
        arena_reset(inner);
        ck_assert_ptr_nonnull(file_open(inner, path, diag));
    }
    arena_destroy(&inner);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("file");
    TCase *cases = tcase_create("file");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, write_and_read);
    tcase_add_test(cases, reads_in_places);
    tcase_add_test(cases, large_in_pieces);
    tcase_add_test(cases, every_call_fails_once);
    tcase_add_test(cases, failed_writer);
    tcase_add_test(cases, refusals);
    tcase_add_test(cases, link_is_followed);
    tcase_add_test(cases, folders);
    tcase_add_test(cases, paths);
    tcase_add_test(cases, digests);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
