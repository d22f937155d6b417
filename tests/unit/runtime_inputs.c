// Inputs: numbers, lists, files and pictures as a program's input, what each run gets of them, and what is refused; how grids are laid out.
#include "runtime/sample/inputs.h"
#include "runtime/data/jpeg.h"
#include "runtime/data/picture.h"
#include "runtime/show/grid.h"
#include "runtime/show/image.h"
#include <check.h>
#include <stdlib.h>
#include <unistd.h>

static Arena *arena;
static Diag *diag;
static const char *folder;
static ProgramEntry entry;

static void add_input(const char *name, ElementType type, uint32_t rank, const uint32_t *dims, ProgramFeed declared) {
    declared.name = name;
    declared.tensor = (ProgramTensor){type, layout_make(rank, dims, NULL), {3, 256ull * entry.inputs.count, 64}};
    array_push(arena, &entry.inputs, declared);
}

static void set_up(void) {
    arena = arena_create();
    diag = diag_create(arena);
    char name[] = "/tmp/gg_inputs_XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(name));
    folder = arena_copy_text(arena, name);
    static const double turns[] = {0, 1, 2};
    entry = (ProgramEntry){.name = "sample"};
    add_input("label", ELEMENT_I32, 1, (uint32_t[]){4}, (ProgramFeed){.below = 10, .defaults = turns, .default_count = 3});
    add_input("x", ELEMENT_F32, 2, (uint32_t[]){2, 3}, (ProgramFeed){0});
    add_input("photo", ELEMENT_F32, 4, (uint32_t[]){2, 3, 2, 4}, (ProgramFeed){.has_range = true, .low = -1, .high = 1});
    add_input("grey", ELEMENT_F32, 3, (uint32_t[]){1, 1, 1}, (ProgramFeed){.has_range = true, .low = 0, .high = 255});
}

static void tear_down(void) {
    file_remove_tree(folder, diag);
    arena_destroy(&arena);
}

static const char *in_folder(const char *name) { return file_join(arena, folder, name); }

static bool give(Inputs *inputs, const char *spec) { return inputs_read_all(arena, &entry, &spec, 1, inputs, diag); }

#define expect_refused(spec, piece)                                                                                                        \
    do {                                                                                                                                   \
        Inputs fresh = inputs_create(arena, &entry);                                                                                       \
        diag = diag_create(arena);                                                                                                         \
        ck_assert(!give(&fresh, spec));                                                                                                    \
        ck_assert_msg(strstr(diag_text(diag, arena), piece) != NULL, "%s", diag_text(diag, arena));                                        \
    } while (0)

START_TEST(numbers) {
    Inputs inputs = inputs_create(arena, &entry);
    ck_assert_msg(give(&inputs, "sample.x=0.5") && give(&inputs, "label=7,8"), "%s", diag_text(diag, arena));
    const double *x = inputs_tensor(arena, &inputs.items[1], 0).data;
    ck_assert(x[0] == 0.5 && x[5] == 0.5);
    HostTensor label = inputs_tensor(arena, &inputs.items[0], 0);
    const int32_t *words = label.data;
    ck_assert(label.dtype == ELEMENT_I32 && words[0] == 7 && words[1] == 8 && words[2] == 7 && words[3] == 8);
    ck_assert_uint_eq(inputs_wanted(&inputs), 0); // numbers only repeat
    Inputs rows = inputs_create(arena, &entry);
    ck_assert(give(&rows, "x=1,2,3"));
    ck_assert(!inputs_fit_one_run(&rows, diag)); // three for two rows: not in one run
    x = inputs_tensor(arena, &rows.items[1], 1).data;
    ck_assert(x[0] == 3 && x[2] == 3 && x[3] == 1);
    expect_refused("label=10", "--set label: element 0 is 10, but the graph declares it from 0 to 9");
    expect_refused("label=1,2.5", "element 1 is 2.5, but the graph declares whole numbers from 0 to 9");
    expect_refused("label=-1", "element 0 is -1");
    expect_refused("x=1,,2", "there is no such file; a number, a list of numbers");
    expect_refused("x=nan", "there is no such file");
    expect_refused("y=1", "the program \"sample\" has no input of that name; known: label, x, photo, grey");
    expect_refused("other.x=1", "has no input of that name");
    expect_refused("x", "NAME=VALUE is expected");
    const char *twice[] = {"x=1", "sample.x=2"};
    ck_assert(!inputs_read_all(arena, &entry, twice, 2, &(Inputs){inputs.items + 1, 1}, diag));
    ck_assert_ptr_nonnull(strstr(diag_text(diag, arena), "is given twice"));
}
END_TEST

START_TEST(files) {
    float values[9] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
    HostTensor three = {.dtype = ELEMENT_F32, .rank = 2, .dims = {3, 3}, .data = values, .size = sizeof values};
    ck_assert(npy_write(in_folder("three.npy"), &three, diag));
    Inputs inputs = inputs_create(arena, &entry);
    ck_assert(give(&inputs, arena_format(arena, "x=%s", in_folder("three.npy"))));
    ck_assert_uint_eq(inputs_wanted(&inputs), 3);
    ck_assert_uint_eq(inputs_per_run(&inputs), 2);
    const double *second = inputs_tensor(arena, &inputs.items[1], 1).data;
    ck_assert(second[0] == 7 && second[3] == 1); // the last row, then from the first on
    expect_refused(arena_format(arena, "label=%s", in_folder("three.npy")), "a tensor [3,3] is given where i32[4] is expected");
    expect_refused("x=nothing.npy", "nothing.npy");
    int32_t labels[4] = {0, 1, 12, 3};
    HostTensor wrong = {.dtype = ELEMENT_I32, .rank = 1, .dims = {4}, .data = labels, .size = sizeof labels};
    ck_assert(npy_write(in_folder("wrong.npy"), &wrong, diag));
    expect_refused(arena_format(arena, "label=%s", in_folder("wrong.npy")), "element 2 is 12");
}
END_TEST

static void paint(const char *name, uint32_t channels, uint32_t level, bool is_jpeg) {
    Image image = image_create(arena, 40, 20, channels);
    memset(image.pixels, (int)level, (size_t)40 * 20 * channels);
    if (is_jpeg)
        ck_assert(jpeg_write(in_folder(name), image.pixels, 40, 20, 100, diag));
    else
        ck_assert(image_write(in_folder(name), &image, NULL, 0, diag));
}

START_TEST(pictures) {
    paint("b.png", 1, 255, false);
    paint("a.jpeg", 3, 0, true);
    paint("c.dat", 3, 51, false); // a PNG by what it holds
    ck_assert(file_write(in_folder("notes.txt"), "words", 5, diag));
    Inputs inputs = inputs_create(arena, &entry);
    ck_assert_msg(give(&inputs, arena_format(arena, "photo=%s", folder)), "%s", diag_text(diag, arena));
    ck_assert_ptr_nonnull(strstr(diag_text(diag, arena), "files that are no pictures are left out: 1 (notes.txt)"));
    ck_assert_ptr_null(strstr(diag_text(diag, arena), "stretched")); // 40 x 20 has the proportions of 4 x 2
    ck_assert_uint_eq(inputs_wanted(&inputs), 3);
    const double *first = inputs_tensor(arena, &inputs.items[2], 0).data, *second = inputs_tensor(arena, &inputs.items[2], 1).data;
    ck_assert_double_eq(first[0], -1);
    ck_assert_double_eq(first[24], 1);
    ck_assert_double_eq_tol(second[23], -0.6, 1e-6);
    ck_assert_double_eq(second[24], -1); // the first one again
    diag = diag_create(arena);
    ck_assert(give(&inputs, arena_format(arena, "grey=%s", in_folder("c.dat"))));
    ck_assert_double_eq(*(const double *)inputs_tensor(arena, &inputs.items[3], 5).data, 51);
    ck_assert_ptr_nonnull(strstr(diag_text(diag, arena), "1 of 1 pictures do not have the proportions of 1 x 1 pixels and are stretched to them"));
    expect_refused(arena_format(arena, "x=%s", in_folder("b.png")), "pictures are f32[count,1 or 3,height,width] or f32[1 or 3,height,width]; the input is f32[2,3]");
    entry.inputs.items[2].has_range = false;
    expect_refused(arena_format(arena, "photo=%s", in_folder("b.png")), "the graph does not say what black and white are");
    ck_assert(file_make_folders(in_folder("empty"), diag));
    expect_refused(arena_format(arena, "grey=%s", in_folder("empty")), "holds no PNG, JPEG or WebP picture");
    ck_assert(file_write(in_folder("cut.png"), "\x89PNG\r\n", 6, diag));
    expect_refused(arena_format(arena, "grey=%s", in_folder("cut.png")), "no valid PNG");
}
END_TEST

// Left half red, right half blue, upper half twice as bright: every quarter keeps its place and colour.
START_TEST(orientation) {
    Image image = image_create(arena, 40, 20, 3);
    for (uint32_t y = 0; y < 20; y++)
        for (uint32_t x = 0; x < 40; x++)
            image.pixels[(y * 40 + x) * 3 + (x < 20 ? 0 : 2)] = y < 10 ? 200 : 100;
    ck_assert(image_write(in_folder("quarters.png"), &image, NULL, 0, diag));
    PictureShape shape = {3, 2, 4, 0, 255};
    PictureSize size;
    double out[24];
    ck_assert(picture_read(in_folder("quarters.png"), &shape, out, &size, diag));
    ck_assert(size.width == 40 && size.height == 20);
    // At the edges of the halves the filter mixes; at the corners of the picture it sees one quarter but for little of its neighbours.
    ck_assert(out[0] > 180 && out[3] < 10 && out[4] < 120 && out[4] > 80);
    ck_assert(out[16] < 10 && out[19] > 180 && out[23] < 120 && out[23] > 80);
    ck_assert(out[8] == 0 && out[15] == 0);
    shape.channels = 1;
    ck_assert(picture_read(in_folder("quarters.png"), &shape, out, &size, diag));
    ck_assert(out[0] > 50 && out[0] < 62 && out[3] > 18 && out[3] < 26); // 0.299 red, 0.114 blue
}
END_TEST

// A camera that was held in each of the eight ways: what it stores is turned back to the same picture - red at the left above, green at the
// right above, blue at the left below.
START_TEST(cameras) {
    enum { SIDE = 32 };
    static const uint8_t head[] = {0xff, 0xe1, 0, 34, 'E', 'x', 'i', 'f', 0, 0, 'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1, 1, 18, 0, 3, 0, 0, 0, 1, 0};
    for (uint32_t way = 1; way <= 8; way++) {
        Image image = image_create(arena, SIDE, SIDE, 3);
        for (uint32_t y = 0; y < SIDE; y++)
            for (uint32_t x = 0; x < SIDE; x++) {
                // Where this pixel of the file is seen (Exif 2.3: what the first row and the first column of the file are).
                bool right = x >= SIDE / 2, below = y >= SIDE / 2, sideways = way >= 5;
                bool seen_right = sideways ? below : right, seen_below = sideways ? right : below;
                seen_right ^= way == 2 || way == 3 || way == 6 || way == 7;
                seen_below ^= way == 3 || way == 4 || way == 7 || way == 8;
                if (!(seen_right && seen_below))
                    image.pixels[(y * SIDE + x) * 3 + (seen_right ? 1 : seen_below ? 2 : 0)] = 200;
            }
        ck_assert(jpeg_write(in_folder("plain.jpg"), image.pixels, SIDE, SIDE, 100, diag));
        size_t size;
        const char *bytes = file_read(arena, in_folder("plain.jpg"), &size, diag);
        uint8_t *told = ARENA_NEW(arena, uint8_t, size + 36);
        memcpy(told, bytes, 2);
        memcpy(told + 2, head, sizeof head);
        told[2 + sizeof head] = (uint8_t)way;
        memcpy(told + 2 + 36, bytes + 2, size - 2);
        ck_assert(file_write(in_folder("told.jpg"), told, size + 36, diag));
        PictureShape shape = {3, 2, 2, 0, 255};
        PictureSize seen;
        double out[12];
        ck_assert_msg(picture_read(in_folder("told.jpg"), &shape, out, &seen, diag), "%s", diag_text(diag, arena));
        for (uint32_t i = 0; i < 12; i++) // red at place 0, green at 1, blue at 2
            ck_assert_msg((out[i] > 100) == (i == 0 || i == 5 || i == 10), "way %u: number %u is %g", way, i, out[i]);
    }
}
END_TEST

START_TEST(completed) {
    Inputs inputs = inputs_create(arena, &entry);
    ck_assert(!inputs_complete(arena, &entry, &entry.inputs.items[3], &inputs, diag));
    const char *text = diag_text(diag, arena);
    ck_assert_ptr_nonnull(strstr(text, "nothing is given for the input \"x\" of the program \"sample\": --set x=VALUE, where VALUE is"));
    ck_assert_ptr_nonnull(strstr(text, "input \"photo\""));
    ck_assert_ptr_null(strstr(text, "\"label\""));
    ck_assert_ptr_null(strstr(text, "\"grey\""));
    diag = diag_create(arena);
    inputs = inputs_create(arena, &entry);
    ck_assert(give(&inputs, "x=1") && give(&inputs, "photo=2"));
    ck_assert(inputs_complete(arena, &entry, &entry.inputs.items[3], &inputs, diag));
    const int32_t *label = inputs_tensor(arena, &inputs.items[0], 0).data, *later = inputs_tensor(arena, &inputs.items[0], 1).data;
    ck_assert(label[0] == 0 && label[2] == 2 && label[3] == 0 && later[0] == 1); // the default goes on in the next run
    // Nothing in this entry computes, so nothing reads what is given.
    ck_assert_ptr_nonnull(strstr(diag_text(diag, arena), "the input \"x\" is given, but nothing in the program \"sample\" uses it"));
}
END_TEST

START_TEST(unequal_counts) {
    paint("1.png", 3, 0, false);
    paint("2.png", 3, 0, false);
    paint("3.png", 3, 0, false);
    ck_assert(file_make_folders(in_folder("two"), diag));
    paint("two/1.png", 1, 0, false);
    paint("two/2.png", 1, 0, false);
    Inputs inputs = inputs_create(arena, &entry);
    ck_assert(give(&inputs, arena_format(arena, "photo=%s", folder)) && give(&inputs, arena_format(arena, "grey=%s", in_folder("two"))) && give(&inputs, "x=0"));
    ck_assert(!inputs_complete(arena, &entry, NULL, &inputs, diag));
    ck_assert_ptr_nonnull(strstr(diag_text(diag, arena), "3 records are given for the input \"photo\" and 2 for \"grey\""));
}
END_TEST

START_TEST(grids) {
    static const uint32_t square[][2] = {{0, 1}, {1, 1}, {2, 2}, {4, 2}, {6, 3}, {7, 3}, {8, 4}, {10, 5}, {12, 4}, {16, 4}, {17, 5}, {64, 8}, {100, 10}};
    for (size_t i = 0; i < sizeof square / sizeof *square; i++)
        ck_assert_uint_eq(grid_near_square(square[i][0]), square[i][1]);
    double turns[20], blocks[20], one[20], none[4] = {0, 1, 1, 0};
    for (uint32_t i = 0; i < 20; i++) {
        turns[i] = i % 5;
        blocks[i] = i / 4;
        one[i] = 3;
    }
    ck_assert_uint_eq(grid_by_class(turns, 20), 5);
    ck_assert_uint_eq(grid_by_class(turns, 18), 5);
    ck_assert_uint_eq(grid_by_class(turns, 5), 5);
    ck_assert_uint_eq(grid_by_class(blocks, 20), 4);
    ck_assert_uint_eq(grid_by_class(one, 20), 0);
    ck_assert_uint_eq(grid_by_class(none, 4), 0);
    ck_assert_uint_eq(grid_by_class(turns, 1), 0);
    double two[32];
    for (uint32_t i = 0; i < 32; i++)
        two[i] = i % 2;
    ck_assert_uint_eq(grid_by_class(two, 32), 8);
    ck_assert_uint_eq(grid_by_class(two, 16), 4);
    ck_assert_uint_eq(grid_by_class(two, 10), 2); // 5 turns have no half
    ck_assert_uint_eq(grid_by_class(two, 7), 2);
    const char *const named[] = {"a", "b", "a", "b", "a"}, *const rows[] = {"a", "a", "b", "b", "b"}, *const mixed[] = {"a", "b", "b", "a"};
    GridNames names = grid_names(arena, named, 5, 2); // the last row is not full
    ck_assert(!names.all && !names.rows && strcmp(names.columns[0], "a") == 0 && strcmp(names.columns[1], "b") == 0);
    names = grid_names(arena, rows, 5, 2);
    ck_assert(!names.all && !names.columns && strcmp(names.rows[0], "a") == 0 && strcmp(names.rows[2], "b") == 0);
    names = grid_names(arena, rows, 5, 3);
    ck_assert(!names.all && !names.columns && !names.rows);
    names = grid_names(arena, mixed, 4, 2);
    ck_assert(!names.all && !names.columns && !names.rows);
    names = grid_names(arena, mixed + 1, 2, 2);
    ck_assert_str_eq(names.all, "b");
}
END_TEST

// Classes whose names are known are given by them, where the input is called as the data's field and bounded alike.
START_TEST(classes) {
    static const char *const called[] = {"cat", "dog", "a, b", "7", "2"};
    const Classes lists[] = {{"others", called, 2}, {"pets", called, 5}};
    Program program = {.name = "pets"};
    ProgramData data = {.name = "pets", .field_count = 2};
    data.fields = arena_alloc(arena, 2 * sizeof *data.fields);
    data.fields[0].name = "image";
    data.fields[1].name = "label";
    data.fields[1].type = ELEMENT_I32;
    data.fields[1].below = 10;
    array_push(arena, &program.data, data);
    static const struct {
        const char *given;
        int32_t labels[4];
    } good[] = {{"dog", {1, 1, 1, 1}}, {"cat,dog", {0, 1, 0, 1}}, {"dog,0,5", {1, 0, 5, 1}}, {"a, b", {2, 2, 2, 2}}, {"7", {3, 3, 3, 3}},
                {"8,7", {8, 3, 8, 3}}, {"3", {3, 3, 3, 3}}};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        Inputs inputs = inputs_create(arena, &entry);
        inputs_know(&inputs, &program, &(ClassLists){lists, 2});
        ck_assert(inputs.items[0].classes == &lists[1] && !inputs.items[1].classes);
        ck_assert_msg(give(&inputs, arena_format(arena, "label=%s", good[i].given)), "%s", diag_text(diag, arena));
        ck_assert(memcmp(inputs_tensor(arena, &inputs.items[0], 0).data, good[i].labels, sizeof good[i].labels) == 0);
    }
    static const struct {
        const char *given, *said;
    } bad[] = {{"dogs", "--set label: there is no class \"dogs\"; did you mean \"dog\"?"},
               {"cat,,dog", "there is no class \"\"; known: cat, dog, a, b, 7, 2"},
               {"cat,10", "element 1 is 10, but the graph declares it from 0 to 9"},
               {"cat,0.5", "element 1 is 0.5, but the graph declares whole numbers from 0 to 9"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        Inputs inputs = inputs_create(arena, &entry);
        inputs_know(&inputs, &program, &(ClassLists){lists, 2});
        diag = diag_create(arena);
        ck_assert(!give(&inputs, arena_format(arena, "label=%s", bad[i].given)));
        ck_assert_msg(strstr(diag_text(diag, arena), bad[i].said) != NULL, "%s", diag_text(diag, arena));
    }
    Inputs inputs = inputs_create(arena, &entry);
    inputs_know(&inputs, &program, &(ClassLists){lists, 2});
    diag = diag_create(arena);
    ck_assert(give(&inputs, "label=2") && *(const int32_t *)inputs_tensor(arena, &inputs.items[0], 0).data == 4);
    ck_assert_ptr_nonnull(strstr(diag_text(diag, arena), "2 is taken for the class of that name, which is number 4"));
    data.fields[1].below = 9;
    ck_assert_ptr_null(classes_of(&(ClassLists){lists, 2}, &program, &entry.inputs.items[0]));
    expect_refused("label=dog", "there is no such file"); // nobody knows of classes
}
END_TEST

int main(void) {
    Suite *suite = suite_create("inputs");
    TCase *tests = tcase_create("inputs");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, numbers);
    tcase_add_test(tests, files);
    tcase_add_test(tests, pictures);
    tcase_add_test(tests, orientation);
    tcase_add_test(tests, cameras);
    tcase_add_test(tests, completed);
    tcase_add_test(tests, unequal_counts);
    tcase_add_test(tests, grids);
    tcase_add_test(tests, classes);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
