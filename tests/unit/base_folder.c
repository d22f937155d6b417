// Folders that are replaced in one step: the old one or the new one is there, whole, whatever fails and whenever the writer is killed.
#include "runtime/base/file.h"
#include "runtime/base/folder.h"
#include "runtime/base/text.h"
#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const entries[] = {"a", "b", "c", "deep"};
enum { ENTRY_COUNT = sizeof entries / sizeof *entries, FILE_SIZE = 20000 };

static Arena *arena;
static Diag *diag;
static const char *base, *path;

static void set_up(void) {
    arena = arena_create();
    diag = diag_create(arena);
    char name[] = "/tmp/gg_folder_XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(name));
    base = arena_copy_text(arena, name);
    path = file_join(arena, base, "thing");
}

static void tear_down(void) {
    file_fail_at(0);
    file_remove_tree(base, diag);
    arena_destroy(&arena);
}

static const char *below(const char *name) { return file_join(arena, path, name); }

// Four files full of one letter.
static bool write_letter(Arena *scratch, const char *at, char letter, Diag *complaints) {
    FolderWriter *writer = folder_create(scratch, at, entries, ENTRY_COUNT, complaints);
    if (!writer)
        return false;
    char bytes[FILE_SIZE];
    memset(bytes, letter, sizeof bytes);
    const char *fresh = folder_fresh(writer);
    bool good = file_make_folders(file_join(scratch, fresh, "deep"), complaints);
    for (uint32_t i = 0; good && i < ENTRY_COUNT; i++)
        good = file_write_unsynced(file_join(scratch, fresh, i < 3 ? entries[i] : "deep/d"), bytes, sizeof bytes, complaints);
    if (good)
        return folder_commit(writer, complaints);
    folder_abandon(writer);
    return false;
}

static bool write_again(char letter) { return write_letter(arena, path, letter, diag); }

// The letter that all files are full of.
static char letter_of(const char *at) {
    char letter = 0;
    for (uint32_t i = 0; i < ENTRY_COUNT; i++) {
        size_t size = 0;
        const char *bytes = file_read(arena, file_join(arena, at, i < 3 ? entries[i] : "deep/d"), &size, diag);
        ck_assert_msg(bytes != NULL && size == FILE_SIZE, "%s", diag_text(diag, arena));
        letter = i ? letter : bytes[0];
        for (size_t k = 0; k < size; k++)
            ck_assert_msg(bytes[k] == letter, "a mixture of %c and %c", letter, bytes[k]);
    }
    return letter;
}

static void expect_siblings(uint32_t wanted) {
    uint32_t count = 0;
    const char **names = file_list(arena, base, &count, diag);
    ck_assert_msg(names && count == wanted, "%u entries, the last is %s", count, count ? names[count - 1] : "");
}

START_TEST(one_takes_the_place_of_another) {
    ck_assert_msg(write_again('x'), "%s", diag_text(diag, arena));
    ck_assert_int_eq(letter_of(path), 'x');
    path = arena_format(arena, "%s//", path);
    ck_assert(write_again('y'));
    ck_assert_int_eq(letter_of(path), 'y');
    expect_siblings(1);
    ck_assert_int_eq(symlink("thing", file_join(arena, base, "link")), 0);
    ck_assert(write_letter(arena, file_join(arena, base, "link"), 'z', diag));
    ck_assert_int_eq(letter_of(path), 'z');
    expect_siblings(2);
    ck_assert(write_letter(arena, file_join(arena, base, "new/parents/thing"), 'p', diag));
    ck_assert_int_eq(letter_of(file_join(arena, base, "new/parents/thing")), 'p');
}
END_TEST

START_TEST(what_is_something_else_stays) {
    ck_assert(write_again('x'));
    ck_assert(file_write(below("notes"), "mine", 4, diag));
    ck_assert(!write_again('y'));
    ck_assert_ptr_nonnull(strstr(diag_text(diag, arena), "thing: is there, and holds notes, which would be lost; nothing was written"));
    ck_assert_int_eq(letter_of(path), 'x');
    ck_assert_int_eq(unlink(below("notes")), 0);
    ck_assert_int_eq(unlink(below("a")), 0);
    ck_assert(!write_again('y'));
    ck_assert_ptr_nonnull(strstr(diag_text(diag, arena), "thing: is there, and holds no a; nothing was written"));
    ck_assert(!write_letter(arena, below("b"), 'y', diag));
    ck_assert_ptr_nonnull(strstr(diag_text(diag, arena), "b: is there, and is no folder that holds a; nothing was written"));
    expect_siblings(1);
}
END_TEST

// Some may fail without harm: those that look for what others left.
START_TEST(every_call_fails_once) {
    enum { CALLS = 60 }; // more than there are
    ck_assert(write_again('x'));
    char there = 'x';
    uint32_t failures = 0;
    for (uint32_t n = 1; n <= CALLS; n++) {
        Diag *complaints = diag_create(arena);
        char letter = there == 'x' ? 'y' : 'x';
        file_fail_at(n);
        bool good = write_letter(arena, path, letter, complaints);
        file_fail_at(0);
        there = good ? letter : there;
        failures += !good;
        ck_assert_msg(good == (diag_error_count(complaints) == 0), "call %u: %s", n, diag_text(complaints, arena));
        ck_assert_msg(good || n < CALLS, "it never succeeds: %s", diag_text(complaints, arena));
        ck_assert_int_eq(letter_of(path), there);
    }
    ck_assert_uint_ge(failures, 4 * 3 + 3); // each file's open, write and rename; the folder's making, syncing and replacing
    ck_assert(write_again('z')); // removes what a failure in removing has left
    expect_siblings(1);
}
END_TEST

START_TEST(no_room) {
    ck_assert(write_again('x'));
    pid_t child = fork();
    if (child == 0) {
        signal(SIGXFSZ, SIG_IGN);
        struct rlimit limit = {FILE_SIZE / 2, FILE_SIZE / 2};
        setrlimit(RLIMIT_FSIZE, &limit);
        bool said = !write_again('y') && strstr(diag_text(diag, arena), "cannot write: File too large");
        _exit(said ? 0 : 1);
    }
    int status = -1;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    ck_assert_int_eq(letter_of(path), 'x');
    expect_siblings(1);
}
END_TEST

START_TEST(a_parent_that_cannot_be_written) {
    ck_assert(write_again('x'));
    ck_assert_int_eq(chmod(base, 0555), 0);
    bool can_write = access(base, W_OK) == 0; // root
    if (!can_write) {
        ck_assert(!write_again('y'));
        ck_assert_ptr_nonnull(strstr(diag_text(diag, arena), "cannot make the folder: Permission denied"));
    }
    ck_assert_int_eq(chmod(base, 0755), 0);
    ck_assert_int_eq(letter_of(path), 'x');
    expect_siblings(1);
}
END_TEST

static void write_forever(void) {
    for (char letter = 'a';; letter = letter == 'z' ? 'a' : (char)(letter + 1)) {
        Arena *scratch = arena_create();
        if (!write_letter(scratch, path, letter, diag_create(scratch)))
            _exit(1);
        arena_destroy(&scratch);
    }
}

// Moments are spread over whole turns of the writer, however long one takes here.
START_TEST(killed_at_any_moment) {
    enum { KILLS = 60 };
    ck_assert(write_again('A'));
    uint32_t word = 12345, changed = 0;
    char before = 'A';
    for (uint32_t i = 0; i < KILLS; i++) {
        pid_t child = fork();
        if (child == 0)
            write_forever();
        word = word * 1664525u + 1013904223u;
        usleep(word >> 8 & 0x3fff);
        kill(child, SIGKILL);
        int status = 0;
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert_msg(WIFSIGNALED(status), "the writer failed");
        char now = letter_of(path);
        changed += now != before;
        before = now;
    }
    ck_assert_uint_gt(changed, 0);
    ck_assert(write_again('Z'));
    ck_assert_int_eq(letter_of(path), 'Z');
    expect_siblings(1);
}
END_TEST

START_TEST(left_overs_are_told_from_others) {
    ck_assert(write_again('x'));
    const char *killed = arena_format(arena, "%s.4194304999-0.new", path), *alien = arena_format(arena, "%s.4194304999-1.new", path);
    const char *other = arena_format(arena, "%s.mine-1.new", path);
    ck_assert(file_make_folders(file_join(arena, killed, "deep"), diag));
    ck_assert(file_write(file_join(arena, killed, "a.17-0.tmp"), "x", 1, diag));
    ck_assert(file_make_folders(alien, diag) && file_make_folders(other, diag));
    ck_assert(file_write(file_join(arena, alien, "notes"), "x", 1, diag));
    FolderWriter *living = folder_create(arena, path, entries, ENTRY_COUNT, diag);
    ck_assert_ptr_nonnull(living);
    ck_assert(write_again('y'));
    ck_assert(!file_exists(killed));
    ck_assert(file_exists(file_join(arena, alien, "notes")) && file_exists(other));
    ck_assert(file_exists(folder_fresh(living)));
    folder_abandon(living);
    ck_assert_int_eq(letter_of(path), 'y');
    expect_siblings(3);
    // Between the two renames of a file system that cannot exchange.
    ck_assert_int_eq(rename(path, arena_format(arena, "%s.4194304999-2.old", path)), 0);
    FolderWriter *next = folder_create(arena, path, entries, ENTRY_COUNT, diag);
    ck_assert_ptr_nonnull(next);
    ck_assert_int_eq(letter_of(path), 'y');
    folder_abandon(next);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("folder");
    TCase *cases = tcase_create("folder");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_set_timeout(cases, 120);
    tcase_add_test(cases, one_takes_the_place_of_another);
    tcase_add_test(cases, what_is_something_else_stays);
    tcase_add_test(cases, every_call_fails_once);
    tcase_add_test(cases, no_room);
    tcase_add_test(cases, a_parent_that_cannot_be_written);
    tcase_add_test(cases, killed_at_any_moment);
    tcase_add_test(cases, left_overs_are_told_from_others);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
