// Folders of pictures: classes, splits, pairs, texts, and what is left out or refused.
#include "runtime/data/dataset.h"
#include "runtime/data/encoder.h"
#include "runtime/data/jpeg.h"
#include "runtime/data/split.h"
#include "tests/support/folder.h"
#include <check.h>
#include <stdlib.h>
#include <unistd.h>

static const char *spec;

static void set_up(void) {
    folder_set_up();
    spec = arena_format(arena, "images:%s/d", folder);
    setenv("XDG_CACHE_HOME", folder, 1);
}

static const char *in_folder(const char *name) {
    const char *path = arena_format(arena, "%s/d/%s", folder, name);
    ck_assert(file_make_folders(file_folder(arena, path), diag));
    return path;
}

static void put(const char *name, const char *text) { ck_assert(file_write_unsynced(in_folder(name), text, strlen(text), diag)); }

// 8 x 6 pixels of one level; the right half is twice as bright.
static void paint(const char *name, uint32_t level) {
    const char *path = in_folder(name);
    Image image = image_create(arena, 8, 6, 3);
    for (uint32_t i = 0; i < 8 * 6; i++)
        memset(image.pixels + 3 * i, (int)(i % 8 < 4 ? level : 2 * level), 3);
    if (text_ends_with(name, ".jpg"))
        ck_assert(jpeg_write(path, image.pixels, 8, 6, 100, diag));
    else
        ck_assert(image_write(path, &image, NULL, 0, diag));
}

typedef struct {
    const char *name;
    ElementType type;
    uint32_t rank, dims[3], below;
} Wanted;

static const ProgramData *declare(const Wanted *fields, uint32_t count) {
    ProgramData *data = ARENA_NEW(arena, ProgramData, 1);
    *data = (ProgramData){.name = "pictures", .batch = 2, .field_count = count, .fields = arena_alloc(arena, count * sizeof *data->fields)};
    for (uint32_t i = 0; i < count; i++) {
        data->fields[i].name = fields[i].name;
        data->fields[i].type = fields[i].type;
        data->fields[i].rank = fields[i].rank;
        memcpy(data->fields[i].dims, fields[i].dims, sizeof fields[i].dims);
        data->fields[i].below = fields[i].below;
    }
    return data;
}

static const Wanted IMAGE = {"image", ELEMENT_F32, 3, {3, 6, 8}, 0}, LABEL = {"label", ELEMENT_I32, 0, {0}, 0},
                    A = {"a", ELEMENT_F32, 3, {1, 6, 8}, 0}, B = {"b", ELEMENT_F32, 3, {1, 6, 8}, 0};

static Dataset *open_all(const char *what, const Wanted *fields, uint32_t count) {
    Dataset *dataset = dataset_open(arena, what, declare(fields, count), diag);
    ck_assert_msg(dataset != NULL, "%s", diag_text(diag, arena));
    return dataset;
}

static void ck_refused(const char *what, const Wanted *fields, uint32_t count, const char *because) {
    Diag *inner = diag_create(arena);
    ck_assert_ptr_null(dataset_open(arena, what, declare(fields, count), inner));
    ck_assert_uint_eq(diag_error_count(inner), 1);
    ck_assert_msg(strstr(diag_text(inner, arena), because) != NULL, "\"%s\" expected in: %s", because, diag_text(inner, arena));
}

static void ck_told(const char *what) {
    ck_assert_msg(strstr(diag_text(diag, arena), what) != NULL, "\"%s\" expected in: %s", what, diag_text(diag, arena));
}

static float first_of(const Dataset *dataset, uint32_t split, uint32_t record, uint32_t field) {
    float values[3 * 64];
    ck_assert_msg(dataset->fetch(dataset, split, record, field, 0, values, diag), "%s", diag_text(diag, arena));
    return values[0];
}

static int32_t label_of(const Dataset *dataset, uint32_t split, uint32_t record, uint32_t field) {
    int32_t label;
    ck_assert(dataset->fetch(dataset, split, record, field, 0, &label, diag));
    return label;
}

// Without folders for splits a tenth tests, whatever else is there; classes are the first folders, sorted.
START_TEST(classes) {
    for (uint32_t i = 0; i < 100; i++)
        paint(arena_format(arena, i % 2 ? "dog/a/%02u.jpg" : "cat/%02u.PNG", i), i);
    put("cat/.hidden.png", "x"), put("cat/notes.md", "x"), put("__MACOSX/cat/00.png", "x");
    Dataset *dataset = open_all(spec, (Wanted[]){IMAGE, LABEL}, 2);
    ck_assert_uint_eq(dataset->class_count, 2);
    ck_assert_str_eq(dataset->class_names[0], "cat");
    ck_assert_str_eq(dataset->class_names[1], "dog");
    ck_assert_uint_eq(dataset->split_count, 2);
    ck_assert_str_eq(dataset->splits[0].name, "train");
    ck_assert_str_eq(dataset->splits[1].name, "test");
    ck_assert_uint_eq(dataset->splits[0].count + dataset->splits[1].count, 100);
    ck_assert_uint_ge(dataset->splits[1].count, 4);
    ck_assert_uint_le(dataset->splits[1].count, 17);
    uint32_t seen[100] = {0}, in_test[100] = {0};
    for (uint32_t split = 0; split < 2; split++)
        for (uint32_t i = 0; i < dataset->splits[split].count; i++) {
            uint32_t level = (uint32_t)(first_of(dataset, split, i, 0) + 0.5f);
            ck_assert_int_eq(label_of(dataset, split, i, 1), (int32_t)(level % 2));
            seen[level]++;
            in_test[level] = split;
        }
    for (uint32_t i = 0; i < 100; i++)
        ck_assert_uint_eq(seen[i], 1);
    paint("cat/more.png", 100);
    dataset = open_all(spec, (Wanted[]){IMAGE}, 1); // the others stay where they were
    for (uint32_t split = 0; split < 2; split++)
        for (uint32_t i = 0; i < dataset->splits[split].count; i++) {
            uint32_t level = (uint32_t)(first_of(dataset, split, i, 0) + 0.5f);
            ck_assert(level == 100 || in_test[level] == split);
        }
    ck_refused(spec, (Wanted[]){IMAGE, {"label", ELEMENT_I32, 0, {0}, 1}}, 2,
               "has 2 classes, but the graph declares pictures.label below 1");
    paint("loose.png", 1);
    ck_refused(spec, (Wanted[]){IMAGE, LABEL}, 2, "1 picture has no class, but the graph declares pictures.label: loose.png");
    const ProgramData *natural = dataset_natural_fields(arena, spec, diag);
    ck_assert_uint_eq(natural->field_count, 1);
}
END_TEST

START_TEST(split_folders) {
    paint("train/x/1.png", 1), paint("train/y/2.png", 2), paint("Validation/y/3.png", 3), paint("test/x/4.png", 4),
        paint("test/x/deep/5.png", 5);
    paint("spare/6.png", 6);
    Dataset *dataset = open_all(spec, (Wanted[]){IMAGE, LABEL}, 2);
    ck_assert_uint_eq(dataset->split_count, 3);
    ck_assert_str_eq(dataset->splits[1].name, "val");
    ck_assert_uint_eq(dataset->splits[2].count, 2);
    ck_assert_float_eq(first_of(dataset, 1, 0, 0), 3);
    ck_assert_int_eq(label_of(dataset, 1, 0, 1), 1);
    ck_assert_int_eq(label_of(dataset, 2, 1, 1), 0);
    ck_told("1 picture outside of the folders train, val and test is left out: spare/6.png");
}
END_TEST

START_TEST(pairs) {
    paint("train/A/1.png", 1), paint("train/B/1.jpg", 2), paint("train/A/s/2.png", 3), paint("train/B/s/2.png", 4),
        paint("train/A/3.png", 5);
    Dataset *dataset = open_all(spec, (Wanted[]){A, B, {"a_small", ELEMENT_F32, 2, {3, 4}, 0}}, 3);
    ck_assert_uint_eq(dataset->splits[0].count, 2);
    for (uint32_t i = 0; i < 2; i++) {
        float a = first_of(dataset, 0, i, 0);
        ck_assert(a == (i ? 3 : 1)); // stems "1", "s/2"
        ck_assert_float_eq_tol(first_of(dataset, 0, i, 1), a + 1, 0.6f);
        ck_assert_float_eq_tol(first_of(dataset, 0, i, 2), a, 0.6f);
    }
    ck_told("1 picture has no partner of the same name on the other side and is left out: train/A/3.png");
    ck_assert_uint_eq(open_all(spec, (Wanted[]){IMAGE}, 1)->splits[0].count, 5); // a graph without "b": A and B are classes
    ck_assert(file_remove_tree(arena_format(arena, "%s/d", folder), diag));
    paint("trainA/1.png", 1), paint("trainB/1.png", 2), paint("test_A/2.png", 3), paint("test_B/2.png", 4), paint("trainA/9.png", 5);
    dataset = open_all(spec, (Wanted[]){A, B}, 2);
    ck_assert_float_eq(first_of(dataset, 1, 0, 1), 4);
    const ProgramData *natural = dataset_natural_fields(arena, spec, diag);
    ck_assert_str_eq(natural->fields[1].name, "b");
    ck_assert(file_remove_tree(arena_format(arena, "%s/d", folder), diag));
    paint("1.png", 50), paint("2.png", 60);
    ck_refused(spec, (Wanted[]){A, B}, 2, "no folders A and B with pictures");
    const char *sides = arena_format(arena, "%s?sides", spec);
    dataset = open_all(sides, (Wanted[]){{"a", ELEMENT_F32, 3, {1, 6, 4}, 0}, {"b", ELEMENT_F32, 3, {1, 6, 4}, 0}}, 2);
    ck_assert_float_eq(first_of(dataset, 0, 0, 1), 2 * first_of(dataset, 0, 0, 0));
    ck_assert_uint_eq(dataset_natural_fields(arena, sides, diag)->field_count, 2);
    ck_refused(sides, (Wanted[]){IMAGE}, 1, "\"a\" (left) and \"b\" (right)");
    ck_refused(arena_format(arena, "%s?size", spec), (Wanted[]){IMAGE}, 1, "can only be \"sides\"");
}
END_TEST

// Of a record at a draw.
static const char *text_of(const Dataset *dataset, uint32_t record, uint64_t draw) {
    const char *text = dataset->caption(dataset, arena, 0, record, draw, diag);
    return text ? text : "";
}

START_TEST(texts) {
    paint("train/1.png", 1), paint("train/2.png", 2), paint("train/3.png", 3), paint("train/sub/4.jpg", 4), paint("train/5.png", 5);
    put("train/1.txt", "\xEF\xBB\xBFone\r\n\r\nuno\n  \n"), put("train/2.txt", "not this");
    put("train/metadata.csv",
        "File_Name,caption\n2.png,\"two, \"\"deux\"\"\nand more\"\n2.png,zwei\n./3.png,three\nsub/4.jpg,\nmissing.png,x\n");
    put("captions.jsonl",
        "{\"file\": \"train/sub/4.jpg\", \"text\": [\"four\", \"vier\"]}\n\n{\"file\": \"train/3.png\", \"text\": \"drei\"}\n");
    Wanted text = {"text", ELEMENT_F32, 1, {encoder_default()->size}, 0};
    Dataset *dataset = open_all(spec, (Wanted[]){IMAGE, text}, 2);
    ck_told("metadata.csv:7: no picture \"missing.png\" is there; 1 row is passed over");
    ck_told("1 of 5 pictures have no text; it is empty there");
    static const struct {
        uint32_t record;
        const char *texts[3];
    } wanted[] = {{0, {"one", "uno"}}, {1, {"two, \"deux\"\nand more", "zwei"}}, {2, {"drei", "three"}}, {3, {""}}, {4, {"four", "vier"}}};
    for (uint32_t i = 0; i < 5; i++) {
        ck_assert_str_eq(text_of(dataset, i, 0), wanted[i].texts[0]);
        bool seen[3] = {false};
        for (uint64_t draw = 1; draw <= 40; draw++)
            for (uint32_t k = 0; k < 3 && wanted[i].texts[k]; k++)
                seen[k] |= strcmp(text_of(dataset, i, draw), wanted[i].texts[k]) == 0;
        for (uint32_t k = 0; k < 3; k++)
            ck_assert(seen[k] == (wanted[i].texts[k] != NULL));
    }
    float *vector = ARENA_NEW(arena, float, encoder_default()->size), *same = ARENA_NEW(arena, float, encoder_default()->size);
    ck_assert(dataset->fetch(dataset, 0, 4, 1, 0, vector, diag));
    encoder_default()->encode("four", same);
    ck_assert_mem_eq(vector, same, sizeof(float) * encoder_default()->size);
}
END_TEST

// Written in another code, or taken away while in use: told once, and such pictures have no text.
START_TEST(unreadable_texts) {
    paint("train/1.png", 1), paint("train/2.png", 2), paint("train/3.png", 3);
    put("train/1.txt", "\xff\xfeo"), put("train/2.txt", "two"), put("train/3.txt", "Stra\xdf\x65");
    Dataset *dataset = open_all(spec, (Wanted[]){IMAGE, {"text", ELEMENT_F32, 1, {encoder_default()->size}, 0}}, 2);
    ck_assert_str_eq(text_of(dataset, 1, 0), "two");
    ck_assert_int_eq(unlink(arena_format(arena, "%s/d/train/2.txt", folder)), 0);
    for (uint32_t i = 0; i < 3; i++)
        ck_assert_str_eq(text_of(dataset, i, 1), "");
    const char *said = strstr(diag_text(diag, arena), "train/1.txt: no text in UTF-8; such pictures have no text");
    ck_assert_ptr_nonnull(said);
    ck_assert_ptr_null(strstr(strchr(said, '\n') + 1, "such pictures"));
    put("train/metadata.jsonl", "\xEF\xBB\xBF{\"file\": \"2.png\", \"text\": \"zwei\"}\r\n");
    ck_assert_str_eq(text_of(open_all(spec, (Wanted[]){IMAGE, {"text", ELEMENT_F32, 1, {encoder_default()->size}, 0}}, 2), 1, 0), "zwei");
}
END_TEST

// A table's labels: names, or numbers that stand for themselves.
START_TEST(labels) {
    paint("train/1.png", 1), paint("train/2.png", 2);
    put("train/metadata.csv", "image;label\n1.png;zebra\n2.png;Ähre\n");
    Dataset *dataset = open_all(spec, (Wanted[]){IMAGE, LABEL}, 2);
    ck_assert_str_eq(dataset->class_names[0], "zebra");
    ck_assert_int_eq(label_of(dataset, 0, 1, 1), 1);
    paint("train/x/3.png", 3), paint("train/x/4.png", 4);
    put("train/metadata.csv", "image,label\nx\\3.png,zebra\n./1.png,ox\n");
    Dataset *mixed = open_all(spec, (Wanted[]){IMAGE}, 1);
    ck_told("tables have the labels of 2 pictures; the folder is the class of 1: train/x/4.png is \"x\"");
    ck_assert_uint_eq(mixed->class_count, 3);
    ck_assert(file_remove_tree(in_folder("train/x"), diag));
    put("train/metadata.csv", "image\tlabel\n1.png\t7\n2.png\t03\n");
    dataset = open_all(spec, (Wanted[]){IMAGE, LABEL}, 2);
    ck_assert_ptr_null(dataset->class_names);
    ck_assert_uint_eq(dataset->class_count, 8);
    ck_assert_int_eq(label_of(dataset, 0, 0, 1), 7);
    ck_assert_int_eq(label_of(dataset, 0, 1, 1), 3);
}
END_TEST

START_TEST(wrong_tables) {
    static const struct {
        const char *name, *text, *because;
    } wrong[] = {
        {"metadata.csv", "", "metadata.csv: is empty"},
        {"metadata.csv", "name,text\n1.png,x\n", "metadata.csv:1: expected columns with the names file_name"},
        {"metadata.csv", "file_name,text\n1.png\n", "metadata.csv:2: 1 cell, but the first row names 2 columns"},
        {"metadata.csv", "file_name,text\n1.png,\"x\n", "metadata.csv:2: a quoted cell of this row does not end"},
        {"metadata.csv", "file_name,text\n\n1.png,\"x\"y\n", "metadata.csv:3: text behind the quote"},
        {"metadata.csv", "file_name,text\n1.png,\xff\n", "metadata.csv:2: no UTF-8"},
        {"metadata.csv", "file_name,text,text\n", "two columns are called \"text\""},
        {"metadata.csv", "file_name,text\n../1.png,x\n", "metadata.csv:2: \"../1.png\" is no path inside this folder"},
        {"metadata.csv", "file_name,text\n/etc/passwd,x\n", "no path inside this folder"},
        {"metadata.csv", "file_name,label\n1.png,x\n1.png,y\n", "metadata.csv:3: \"1.png\" has the label \"y\" here, but \"x\" before"},
        {"metadata.jsonl", "{\"file\": \"1.png\", \"text\": \"x\"}\n{\"file\": \"1.png\" \"text\"}\n", "metadata.jsonl:2:18: "},
        {"metadata.jsonl", "{\"file\": \"1.png\", \"text\": [3]}\n", "metadata.jsonl:1:28: /text/0: expected a string, found a number"},
        {"metadata.jsonl", "[]\n", "metadata.jsonl:1:1: expected an object, found an array"},
        {"metadata.jsonl", "{\"text\": \"x\"}\n", "expected \"file_name\""},
        {"metadata.jsonl", "{\"file\": \"1.png\", \"label\": 1.5}\n", "/label: expected a string or an integer, found a number"},
    };
    paint("1.png", 1);
    for (uint32_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        put(wrong[i].name, wrong[i].text);
        ck_refused(spec, &IMAGE, 1, wrong[i].because);
        ck_assert(file_remove_tree(in_folder(wrong[i].name), diag));
    }
}
END_TEST

// A link to a picture in the folder is a picture; what leads out, or to a folder, is told and left out.
START_TEST(links) {
    paint("train/1.png", 1), paint("train/c/2.png", 2);
    ck_assert_int_eq(symlink("c/2.png", in_folder("train/3.png")), 0);
    ck_assert_int_eq(symlink("/etc/passwd", in_folder("train/4.png")), 0);
    ck_assert_int_eq(symlink("..", in_folder("train/up")), 0);
    ck_assert_int_eq(symlink("nowhere", in_folder("train/5.png")), 0);
    ck_assert(file_write(arena_format(arena, "%s/outside.txt", folder), "x", 1, diag));
    ck_assert_int_eq(symlink("../../outside.txt", in_folder("train/1.txt")), 0);
    Dataset *dataset = open_all(spec, &IMAGE, 1);
    ck_assert_uint_eq(dataset->splits[0].count, 3);
    ck_assert_float_eq(first_of(dataset, 0, 1, 0), 2);
    ck_assert_float_eq(first_of(dataset, 0, 2, 0), 2);
    ck_assert_ptr_null(dataset->caption);
    ck_told("4 links to folders, or out of this one, are not followed: ");
}
END_TEST

// What vanishes or breaks while training is named, whatever bytes its name has, and the next good one takes its place.
START_TEST(breaks_on_the_way) {
    for (uint32_t i = 0; i < 350; i++)
        paint(arena_format(arena, "train/%03u.png", i), i / 4);
    paint("train/100\n\x1b[31m.png", 77);
    Dataset *dataset = open_all(spec, &IMAGE, 1);
    ck_assert_float_eq(first_of(dataset, 0, 5, 0), 1);
    ck_assert(file_remove_tree(in_folder("train/011.png"), diag));
    ck_assert_float_eq(first_of(dataset, 0, 11, 0), 3); // 012
    ck_told("train/011.png: cannot read: No such file or directory; left out");
    put("train/100\n\x1b[31m.png", "no picture");
    uint32_t at = 100;
    ck_assert_float_eq(first_of(dataset, 0, at, 0), 25);
    ck_told("train/100\\x0a\\x1b[31m.png: neither PNG nor JPEG nor WebP; left out");
    ck_assert_uint_eq(dataset->broken(dataset, 0), 2);
    ck_assert(file_remove_tree(in_folder("train/015.png"), diag));
    ck_assert_int_eq(symlink("../../secret.png", in_folder("train/015.png")), 0);
    paint("../secret.png", 99);
    ck_assert_float_eq(first_of(dataset, 0, 15, 0), 4); // 016
    ck_told("train/015.png: has become a link, which is not followed; left out");
    put("train/020.png", "");
    float values[3 * 64];
    Diag *inner = diag_create(arena);
    ck_assert(!dataset->fetch(dataset, 0, 20, 0, 0, values, inner));
    ck_assert_ptr_nonnull(strstr(diag_text(inner, arena), "over 1 %"));
}
END_TEST

START_TEST(nothing_there) {
    ck_refused(spec, &IMAGE, 1, "no such folder");
    put("a.gif", "GIF89a"), put("b.txt", "x");
    ck_refused(spec, &IMAGE, 1, "holds no picture");
    paint("1.png", 1);
    ck_refused(spec, (Wanted[]){IMAGE, LABEL}, 2, "has no classes, but the graph declares pictures.label: a class is a folder");
    ck_assert_int_eq(label_of(open_all(spec, (Wanted[]){IMAGE, {"label", ELEMENT_I32, 0, {0}, 1}}, 2), 0, 0, 1),
                     0); // all are of the only class
    ck_refused(spec, (Wanted[]){IMAGE, {"text", ELEMENT_F32, 1, {encoder_default()->size}, 0}}, 2,
               "has no texts, but the graph declares pictures.text");
    ck_refused(spec, (Wanted[]){{"image", ELEMENT_F32, 3, {4, 6, 8}, 0}}, 1, "pictures.image f32[4,6,8]");
    ck_refused(spec, (Wanted[]){{"x", ELEMENT_F32, 1, {7}, 0}}, 1, "pictures.x f32[7]");
    Dataset *dataset = open_all(spec, &IMAGE, 1);
    ck_assert_uint_eq(dataset->split_count, 1);
    ck_assert_str_eq(dataset->splits[0].name, "train");
}
END_TEST

// A tenth, and of few at least one each; nobody's split depends on the others.
START_TEST(splits_by_hash) {
    enum { COUNT = 10000 };
    uint64_t *hashes = ARENA_NEW(arena, uint64_t, COUNT);
    uint8_t *splits = ARENA_NEW(arena, uint8_t, COUNT);
    for (uint32_t i = 0; i < COUNT; i++)
        hashes[i] = split_hash(i);
    split_by_hash(hashes, COUNT, splits);
    uint32_t tests = 0;
    for (uint32_t i = 0; i < COUNT; i++) {
        tests += splits[i] == SPLIT_TEST;
        ck_assert(splits[i] == (hashes[i] < UINT64_MAX / 10 ? SPLIT_TEST : SPLIT_TRAIN));
    }
    ck_assert_uint_ge(tests, 900);
    ck_assert_uint_le(tests, 1100);
    for (uint32_t count = 1; count < 20; count++) {
        uint32_t has[SPLIT_COUNT] = {0};
        split_by_hash(hashes, count, splits);
        for (uint32_t i = 0; i < count; i++)
            has[splits[i]]++;
        ck_assert(has[SPLIT_TRAIN] > 0 && (has[SPLIT_TEST] > 0) == (count > 1));
    }
    ck_assert_int_eq(split_of_name("Valid/x", 5), SPLIT_VAL);
    ck_assert_int_eq(split_of_name("trains", 6), -1);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("images");
    TCase *tests = tcase_create("images");
    tcase_add_checked_fixture(tests, set_up, folder_tear_down);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, classes);
    tcase_add_test(tests, split_folders);
    tcase_add_test(tests, pairs);
    tcase_add_test(tests, texts);
    tcase_add_test(tests, unreadable_texts);
    tcase_add_test(tests, labels);
    tcase_add_test(tests, wrong_tables);
    tcase_add_test(tests, links);
    tcase_add_test(tests, breaks_on_the_way);
    tcase_add_test(tests, nothing_there);
    tcase_add_test(tests, splits_by_hash);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
