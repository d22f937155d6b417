// Picture cache: kept from process to process, several at once, damage, foreign files, budgets, full disks.
#include "runtime/data/picture_cache.h"
#include "runtime/data/cache_folder.h"
#include "tests/support/folder.h"
#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>


static void set_up(void) {
    folder_set_up();
    setenv("XDG_CACHE_HOME", folder, 1);
}

enum { HEIGHT = 24, WIDTH = 20, SIZE = HEIGHT * WIDTH * 3 };

static Image picture_of(uint32_t number) {
    Image image = image_create(arena, WIDTH, HEIGHT, 3);
    for (uint32_t i = 0; i < SIZE; i++)
        image.pixels[i] = (uint8_t)(number * 7 + i * (1 + number % 5));
    return image;
}

static PictureHash hash_of(uint32_t number) {
    return picture_cache_hash(arena_format(arena, "/picture %u", number), (uint64_t[]){1, 2}, 2);
}

static void ck_same(const Image *image, uint32_t number) {
    Image expected = picture_of(number);
    ck_assert_uint_eq(image->width, WIDTH);
    ck_assert_uint_eq(image->height, HEIGHT);
    ck_assert_uint_eq(image->channels, 3);
    ck_assert_mem_eq(image->pixels, expected.pixels, SIZE);
}

static bool add(PictureCache *cache, uint32_t number, Diag *out) {
    Image picture = picture_of(number);
    return picture_cache_add(cache, hash_of(number), &picture, out);
}

static bool has(PictureCache *cache, uint32_t number, Diag *out) {
    Image found;
    if (!picture_cache_find(cache, arena, hash_of(number), &found, out))
        return false;
    ck_same(&found, number);
    return true;
}

static PictureCache *open_cache(const char *name) {
    PictureCache *cache = picture_cache_open(arena, name, 100, diag);
    ck_assert_str_eq(diag_text(diag, arena), "");
    ck_assert(picture_cache_is_file(cache));
    return cache;
}

static const char *path_of(const char *name) { return cache_folder_file(arena, name); }

START_TEST(hashes_differ) {
    PictureHash a = picture_cache_hash("/a", (uint64_t[]){1, 2}, 2), same = picture_cache_hash("/a", (uint64_t[]){1, 2}, 2);
    PictureHash b = picture_cache_hash("/b", (uint64_t[]){1, 2}, 2), c = picture_cache_hash("/a", (uint64_t[]){2, 1}, 2);
    ck_assert(a.low == same.low && a.high == same.high && a.low != a.high);
    ck_assert(a.low != b.low && a.high != b.high && a.low != c.low && a.high != c.high);
}
END_TEST

START_TEST(found_again) {
    PictureCache *cache = _i ? open_cache("x") : picture_cache_open_memory(arena, 100);
    ck_assert_int_eq(picture_cache_is_file(cache), _i);
    for (uint32_t i = 0; i < 100; i++) {
        ck_assert(!has(cache, i, diag));
        ck_assert(add(cache, i, diag));
        ck_assert(add(cache, i, diag)); // it is there
    }
    for (uint32_t i = 0; i < 100; i++)
        ck_assert(has(cache, i, diag));
    if (_i) { // another process
        cache = open_cache("x");
        for (uint32_t i = 0; i < 100; i++)
            ck_assert(has(cache, i, diag));
        ck_assert(!has(cache, 100, diag));
    }
    ck_assert_str_eq(diag_text(diag, arena), "");
}
END_TEST

// Four processes add the same 400 pictures in different orders, and each sees all.
START_TEST(several_processes) {
    enum { PROCESSES = 4, PICTURES = 400 };
    pid_t children[PROCESSES];
    for (uint32_t p = 0; p < PROCESSES; p++) {
        children[p] = fork();
        ck_assert_int_ge(children[p], 0);
        if (children[p] > 0)
            continue;
        PictureCache *cache = picture_cache_open(arena, "x", PICTURES, diag);
        bool ok = picture_cache_is_file(cache);
        for (uint32_t i = 0; i < PICTURES && ok; i++) {
            uint32_t number = (i * (p % 2 ? 7 : 3) + p * 91) % PICTURES;
            ok = has(cache, number, diag) || add(cache, number, diag) || !diag_text(diag, arena)[0]; // another may just be writing it
        }
        _exit(ok && !diag_text(diag, arena)[0] ? 0 : 1);
    }
    for (uint32_t p = 0; p < PROCESSES; p++) {
        int status;
        ck_assert_int_eq(waitpid(children[p], &status, 0), children[p]);
        ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    PictureCache *cache = picture_cache_open(arena, "x", PICTURES, diag);
    for (uint32_t i = 0; i < PICTURES; i++)
        ck_assert(has(cache, i, diag));
    ck_assert_str_eq(diag_text(diag, arena), "");
}
END_TEST

// A damaged picture is told once, not used, and written anew.
START_TEST(damaged_picture) {
    PictureCache *cache = open_cache("x");
    for (uint32_t i = 0; i < 3; i++)
        ck_assert(add(cache, i, diag));
    size_t size;
    char *bytes = file_read(arena, path_of("x"), &size, diag);
    for (uint32_t i = 1; i < 3; i++) {
        Image expected = picture_of(i);
        char *at = memmem(bytes, size, expected.pixels, SIZE);
        ck_assert_ptr_nonnull(at);
        at[SIZE / 2] = (char)(at[SIZE / 2] ^ 1);
    }
    ck_assert_int_eq(unlink(path_of("x")), 0);
    ck_assert(file_write(path_of("x"), bytes, size, diag));
    cache = open_cache("x");
    ck_assert(has(cache, 0, diag) && !has(cache, 1, diag) && !has(cache, 2, diag) && !has(cache, 1, diag));
    const char *said = diag_text(diag, arena);
    ck_assert_ptr_nonnull(strstr(said, "is damaged"));
    ck_assert_ptr_null(strstr(strstr(said, "is damaged") + 1, "is damaged"));
    ck_assert(add(cache, 1, diag) && has(cache, 1, diag) && add(cache, 2, diag) && has(cache, 2, diag));
}
END_TEST

// Every byte of a header flipped, and every length: made anew, with a word, unless the header is as good as before.
// Cut off by somebody while it is in use: pictures are decoded again, and kept again.
START_TEST(cut_off_in_use) {
    PictureCache *cache = open_cache("c");
    struct stat status;
    ck_assert_int_eq(stat(path_of("c"), &status), 0);
    for (uint32_t i = 0; i < 5; i++)
        ck_assert(add(cache, i, diag) && has(cache, i, diag));
    ck_assert_int_eq(truncate(path_of("c"), status.st_size + SIZE / 2), 0);
    Diag *inner = diag_create(arena);
    for (uint32_t i = 0; i < 5; i++)
        ck_assert(!has(cache, i, inner));
    ck_assert_ptr_nonnull(strstr(diag_text(inner, arena), "a picture in this cache is damaged"));
    for (uint32_t i = 0; i < 5; i++)
        ck_assert(add(cache, i, inner) && has(cache, i, inner));
    ck_assert_uint_eq(diag_error_count(inner), 0);
}
END_TEST

START_TEST(damaged_files) {
    add(open_cache("x"), 1, diag);
    size_t size;
    char *bytes = file_read(arena, path_of("x"), &size, diag);
    for (uint32_t i = 0; i < 60; i++) {
        Diag *inner = diag_create(arena);
        bytes[i] = (char)(bytes[i] ^ 4);
        ck_assert_int_eq(unlink(path_of("x")), 0);
        ck_assert(file_write(path_of("x"), bytes, i % 3 ? size : i * 7, diag));
        bytes[i] = (char)(bytes[i] ^ 4);
        PictureCache *cache = picture_cache_open(arena, "x", 100, inner);
        ck_assert(picture_cache_is_file(cache));
        bool is_good = i >= 40 && i % 3; // the end of the pixels: what follows is checked by itself
        ck_assert_msg((strstr(diag_text(inner, arena), "damaged, or no cache of pictures") == NULL) == is_good, "%u: %s", i,
                      diag_text(inner, arena));
        ck_assert_int_eq(has(cache, 1, inner), is_good);
        ck_assert(is_good || add(cache, 2, inner));
    }
    ck_assert_int_eq(unlink(path_of("x")), 0);
    ck_assert_int_eq(mkdir(path_of("x"), 0700), 0);
    Diag *inner = diag_create(arena);
    ck_assert(!picture_cache_is_file(picture_cache_open(arena, "x", 100, inner)));
    ck_assert_uint_eq(diag_error_count(inner), 0);
    ck_assert_ptr_nonnull(strstr(diag_text(inner, arena), "cannot be opened and locked: decoded pictures are kept in memory"));
}
END_TEST

// A process that is killed while it writes: its pictures are written again by the next one that has the file alone.
START_TEST(killed_writer) {
    for (uint32_t round = 0; round < 12; round++) {
        pid_t child = fork();
        if (child == 0) {
            PictureCache *cache = picture_cache_open(arena, "x", 2000, diag);
            for (uint32_t i = 0;; i = (i + 1) % 2000)
                add(cache, i, diag);
        }
        usleep(1000 * (round + 1));
        ck_assert_int_eq(kill(child, SIGKILL), 0);
        ck_assert_int_eq(waitpid(child, NULL, 0), child);
    }
    // As such a process leaves it: a slot that is being written, and an end that nobody reached.
    add(picture_cache_open(arena, "y", 100, diag), 1, diag);
    size_t size;
    char *bytes = file_read(arena, path_of("y"), &size, diag);
    uint64_t writing = 1, end = UINT64_C(1) << 40;
    memcpy(bytes + 48 + (hash_of(1).low & 1023) * 56 + 8, &writing, sizeof writing);
    memcpy(bytes + 40, &end, sizeof end);
    ck_assert_int_eq(unlink(path_of("y")), 0);
    ck_assert(file_write(path_of("y"), bytes, size, diag));
    PictureCache *cache = open_cache("y");
    ck_assert(!has(cache, 1, diag) && add(cache, 1, diag) && has(cache, 1, diag) && add(cache, 2, diag));
    cache = picture_cache_open(arena, "x", 2000, diag);
    for (uint32_t i = 0; i < 2000; i++)
        ck_assert((has(cache, i, diag) || add(cache, i, diag)) && has(cache, i, diag));
    ck_assert_str_eq(diag_text(diag, arena), "");
}
END_TEST

// Bytes of the table and the pixels at random, and files cut short: what is found is what was put in, or nothing.
START_TEST(random_damage) {
    PictureCache *cache = open_cache("x");
    for (uint32_t i = 0; i < 20; i++)
        ck_assert(add(cache, i, diag));
    size_t size;
    char *good = file_read(arena, path_of("x"), &size, diag), *bad = arena_alloc(arena, size);
    uint32_t random = 12345, found = 0, missed = 0;
    for (uint32_t round = 0; round < 200; round++) {
        memcpy(bad, good, size);
        for (uint32_t k = 0; k < 40; k++) {
            random = random * 1664525 + 1013904223;
            size_t at = 40 + (random >> 4) % (size - 40);
            uint32_t slot = random % 20; // half of them in slots that are used
            if (k % 2)
                at = (size_t)(40 + 8 + (hash_of(slot).low & 1023) * 56 + (random >> 8) % 56);
            bad[at] = (char)(random >> 24);
        }
        ck_assert_int_eq(unlink(path_of("x")), 0);
        ck_assert(file_write_unsynced(path_of("x"), bad, round % 4 ? size : size - random % (20 * SIZE), diag));
        Diag *inner = diag_create(arena);
        cache = picture_cache_open(arena, "x", 100, inner);
        for (uint32_t i = 0; i < 20; i++) { // `has` compares the pixels
            bool is_there = has(cache, i, inner);
            found += is_there, missed += !is_there;
            add(cache, i, inner);
            has(cache, i, inner);
        }
        ck_assert_uint_eq(diag_error_count(inner), 0);
    }
    ck_assert_uint_gt(found, 500);
    ck_assert_uint_gt(missed, 500);
}
END_TEST

// More pictures than the table was made for: another table.
START_TEST(grown_data_set) {
    add(open_cache("x"), 1, diag);
    PictureCache *cache = picture_cache_open(arena, "x", 100000, diag);
    ck_assert(picture_cache_is_file(cache) && !has(cache, 1, diag) && add(cache, 1, diag));
    cache = open_cache("x"); // fewer: the same
    ck_assert(has(cache, 1, diag));
    ck_assert_str_eq(diag_text(diag, arena), "");
}
END_TEST

START_TEST(no_folder) {
    const char *file = file_join(arena, folder, "file");
    ck_assert(file_write(file, "", 0, diag));
    setenv("XDG_CACHE_HOME", file, 1);
    PictureCache *cache = picture_cache_open(arena, "x", 100, diag);
    ck_assert(!picture_cache_is_file(cache) && add(cache, 1, diag) && has(cache, 1, diag));
    ck_assert_ptr_nonnull(strstr(diag_text(diag, arena), "kept in memory"));
    ck_assert_uint_eq(diag_error_count(diag), 0);
}
END_TEST

START_TEST(budget) {
    ck_assert_uint_eq(cache_folder_state(arena, diag).budget, CACHE_FOLDER_BUDGET_DEFAULT);
    ck_assert(cache_folder_set_budget(0, diag));
    ck_assert(!picture_cache_is_file(picture_cache_open(arena, "x", 100, diag)));
    const uint64_t bytes = 1 << 20;
    ck_assert(cache_folder_set_budget(bytes, diag));
    CacheFolder state = cache_folder_state(arena, diag);
    ck_assert_uint_eq(state.budget, bytes);
    ck_assert_uint_eq(state.count, 0);
    ck_assert_str_eq(diag_text(diag, arena), "");
    PictureCache *cache = open_cache("x");
    uint32_t count = 0;
    while (count < 2000 && add(cache, count, diag))
        count++;
    ck_assert_uint_gt(count, 400); // of 728
    ck_assert_uint_lt(count, 728);
    ck_assert_ptr_nonnull(strstr(diag_text(diag, arena), "data cache --budget"));
    ck_assert_uint_le(cache_folder_state(arena, diag).used, bytes);
    for (uint32_t i = 0; i < count; i++)
        ck_assert(has(cache, i, diag));
    ck_assert(file_write(path_of("budget"), "much", 4, diag));
    Diag *inner = diag_create(arena);
    ck_assert_uint_eq(cache_folder_state(arena, inner).budget, CACHE_FOLDER_BUDGET_DEFAULT);
    ck_assert_ptr_nonnull(strstr(diag_text(inner, arena), "no number of bytes"));
}
END_TEST

static void fill_in_child(const char *name, uint32_t count) {
    pid_t child = fork();
    if (child == 0) {
        PictureCache *cache = picture_cache_open(arena, name, 100, diag);
        for (uint32_t i = 0; i < count; i++)
            add(cache, i, diag);
        _exit(picture_cache_is_file(cache) ? 0 : 1);
    }
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

// The file opened the longest time ago goes first; one that is in use stays.
START_TEST(oldest_go) {
    fill_in_child("a", 100);
    fill_in_child("b", 100);
    fill_in_child("c", 100);
    PictureCache *used = open_cache("a");
    uint64_t each = cache_folder_state(arena, diag).used / 3;
    ck_assert(cache_folder_set_budget(each * 5 / 2, diag));
    ck_assert(file_exists(path_of("a")) && !file_exists(path_of("b")) && file_exists(path_of("c")));
    ck_assert(cache_folder_set_budget(0, diag));
    ck_assert(file_exists(path_of("a")) && !file_exists(path_of("c")));
    ck_assert(has(used, 99, diag));
    ck_assert_uint_eq(cache_folder_state(arena, diag).count, 1);
}
END_TEST

// No write beyond 150,000 bytes succeeds: what fitted stays, the rest goes on without.
START_TEST(full_disk) {
    PictureCache *cache = open_cache("x");
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit before, limit;
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
    limit = (struct rlimit){150000, before.rlim_max};
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    uint32_t count = 0;
    while (count < 200 && add(cache, count, diag))
        count++;
    bool again = add(cache, 199, diag);
    PictureCache *other = picture_cache_open(arena, "other", 1000000, diag_create(arena));
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
    ck_assert(!picture_cache_is_file(other) && !again);
    ck_assert_uint_gt(count, 20);
    ck_assert_uint_lt(count, 104);
    for (uint32_t i = 0; i < count; i++)
        ck_assert(has(cache, i, diag));
    ck_assert(!has(cache, count, diag));
    const char *said = diag_text(diag, arena);
    ck_assert_ptr_nonnull(strstr(said, "decoded each time"));
    ck_assert_ptr_null(strstr(strstr(said, "decoded each time") + 1, "decoded each time"));
    ck_assert_uint_eq(diag_error_count(diag), 0);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("picture_cache");
    TCase *tests = tcase_create("picture_cache");
    tcase_add_checked_fixture(tests, set_up, folder_tear_down);
    tcase_add_test(tests, hashes_differ);
    tcase_add_loop_test(tests, found_again, 0, 2);
    tcase_add_test(tests, several_processes);
    tcase_add_test(tests, damaged_picture);
    tcase_add_test(tests, cut_off_in_use);
    tcase_add_test(tests, damaged_files);
    tcase_add_test(tests, killed_writer);
    tcase_add_test(tests, random_damage);
    tcase_add_test(tests, grown_data_set);
    tcase_add_test(tests, no_folder);
    tcase_add_test(tests, budget);
    tcase_add_test(tests, oldest_go);
    tcase_add_test(tests, full_disk);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
