// Folders of pictures with damaged tables and texts, and with names of any bytes: refused with one error, or every record and text can be
// read; and no message holds what a terminal would obey.
#include "runtime/data/dataset.h"
#include "tests/fuzz/mutate.h"

static const ProgramData *declare(Arena *arena, uint32_t fields) {
    ProgramData *data = ARENA_NEW(arena, ProgramData, 1);
    *data = (ProgramData){.name = "d", .batch = 2, .field_count = fields, .fields = arena_alloc(arena, 2 * sizeof *data->fields)};
    data->fields[0].name = "image";
    data->fields[0].rank = 3;
    data->fields[0].dims[0] = 3, data->fields[0].dims[1] = data->fields[0].dims[2] = 4;
    data->fields[1].name = "label";
    data->fields[1].type = ELEMENT_I32;
    return data;
}

static void check_message(Fuzzer *fuzzer, Arena *arena, const Diag *diag) {
    const char *text = diag_text(diag, arena);
    for (size_t at = 0, size = strlen(text); at < size;) {
        size_t step = text_utf8_size(text + at, size - at);
        bool is_control = (uint8_t)text[at] < ' ' && text[at] != '\n';
        if (step == 0 || is_control)
            fuzz_fail(fuzzer, "a message holds byte %02x: %s", (uint8_t)text[at], text);
        at += step;
    }
}

static bool read_all(Fuzzer *fuzzer, Arena *arena, Diag *diag, const char *folder, uint32_t fields) {
    Dataset *dataset = dataset_open(arena, arena_format(arena, "images:%s", folder), declare(arena, fields), diag);
    bool ok = dataset != NULL;
    float values[48];
    for (uint32_t split = 0; ok && split < dataset->split_count; split++)
        for (uint32_t i = 0; ok && i < dataset->splits[split].count; i++) {
            for (uint32_t field = 0; ok && field < fields; field++)
                ok = dataset->fetch(dataset, split, i, field, i, values, diag);
            for (uint64_t draw = 0; dataset->caption && draw < 3; draw++) {
                const char *caption = dataset->caption(dataset, arena, split, i, draw, diag);
                if (caption && caption[0] == 0)
                    fuzz_fail(fuzzer, "an empty caption");
            }
        }
    check_message(fuzzer, arena, diag);
    return ok;
}

static bool taste_table(Fuzzer *fuzzer, Arena *arena, Diag *diag, const char *bytes, size_t size) {
    (void)bytes, (void)size;
    return read_all(fuzzer, arena, diag, fuzzer->folder, 1 + fuzz_draw(fuzzer, 2));
}

static const char *pictures[] = {"cat/1.png", "cat/2.png", "dog/ü 3.png"};

static void paint(Fuzzer *fuzzer, const char *name) {
    Image image = image_create(fuzzer->arena, 4, 4, 3);
    const char *path = file_join(fuzzer->arena, fuzzer->folder, name);
    if (!file_make_folders(file_folder(fuzzer->arena, path), fuzzer->diag) || !image_write(path, &image, NULL, 0, fuzzer->diag))
        exit(EXIT_FAILURE);
}

static void fuzz_table(FuzzTime time, const char *name, const char *const *samples, uint32_t count, double share) {
    static const char *const words[] = {"file_name", "text", "label",        "cat/1.png", "../",  "./",      "/",
                                        "\"",        "\"\"", "\r\n",         ",",         ";",    "{",       "}",
                                        "[\"a\"]",   "null", "\xEF\xBB\xBF", "\x1b[31m",  "\xff", "\\u0000", "\\u001b"};
    Fuzzer *fuzzer = fuzzer_create(name, words, sizeof words / sizeof *words);
    for (uint32_t i = 0; i < 3; i++)
        paint(fuzzer, pictures[i]);
    for (uint32_t i = 0; i < count; i++)
        fuzzer_add_text(fuzzer, name, samples[i]);
    fuzzer_run(&fuzzer, taste_table, time.seconds * share, time.first, time.count);
}

// The input is a path of a picture in the folder.
static bool taste_name(Fuzzer *fuzzer, Arena *arena, Diag *diag, const char *bytes, size_t size) {
    const char *folder = file_join(arena, fuzzer->folder, "f");
    char *name = arena_copy_bytes(arena, bytes, size);
    for (size_t i = 0; i < size; i++)
        name[i] = name[i] ? name[i] : '0';
    Text path = text_create(arena);
    for (char *part; name && (part = strsep(&name, "/"));) { // neither up nor too long
        if (!*part || strcmp(part, ".") == 0 || strcmp(part, "..") == 0 || path.length > 800)
            continue;
        text_format(&path, "/%.100s", part);
    }
    size_t image_size;
    Image image = image_create(arena, 4, 4, 3);
    const char *image_bytes = image_encode(arena, "i", &image, NULL, 0, &image_size, diag);
    const char *full = arena_format(arena, "%s%s%s", folder, path.length ? path.data : "/x", fuzz_draw(fuzzer, 4) ? ".png" : "");
    Diag *unheard = diag_create(arena);
    bool is_there = file_make_folders(file_folder(arena, full), unheard) &&
                    file_write_unsynced(full, image_bytes, fuzz_draw(fuzzer, 4) ? image_size : 3, unheard);
    bool ok = !is_there || read_all(fuzzer, arena, diag, folder, 1 + fuzz_draw(fuzzer, 2));
    if (!file_remove_tree(folder, unheard))
        fuzz_fail(fuzzer, "cannot remove: %s", diag_text(unheard, arena));
    if (!ok && fuzzer->draws == 0)
        fuzz_fail(fuzzer, "nothing was drawn");
    return ok;
}

static bool taste_any_name(Fuzzer *fuzzer, Arena *arena, Diag *diag, const char *bytes, size_t size) {
    Diag *own = diag_create(arena);
    bool ok = taste_name(fuzzer, arena, own, bytes, size);
    if (ok != (diag_error_count(own) == 0))
        fuzz_fail(fuzzer, "%s, but %u errors", ok ? "accepted" : "refused", diag_error_count(own));
    (void)diag; // whatever became of it, the sample's bytes are no mistake
    return true;
}

static void fuzz_names(FuzzTime time) {
    static const char *const words[] = {"train/",  "test/", "val/", "A/", "B/", ".png", ".jpg", ".txt", "metadata.csv", "\n",
                                        "\x1b[2J", "\xff",  "ü",    "猫", " ",  "'",    "\"",   "%s",   "?sides",       "trainA/"};
    Fuzzer *fuzzer = fuzzer_create("names", words, sizeof words / sizeof *words);
    fuzzer_add_text(fuzzer, "path", "train/cat/1");
    fuzzer_add_text(fuzzer, "path", "A/x y/\xE7\x8C\xAB\n2");
    fuzzer_run(&fuzzer, taste_any_name, time.seconds * 0.25, time.first, time.count);
}

int main(int count, char **arguments) {
    FuzzTime time = fuzz_arguments(count, arguments, 4);
    static const char *const csv[] = {
        "file_name,text,label\ncat/1.png,\"a cat, \"\"tabby\"\"\",x\ncat/1.png,two,x\n\ncat/2.png,,y\ndog/ü 3.png,a dog,y\n",
        "image;label\r\ncat/1.png;3\r\ncat/2.png;0\r\ndog/ü 3.png;12\r\nnone.png;4\r\n"};
    static const char *const jsonl[] = {
        "{\"file_name\": \"cat/1.png\", \"text\": [\"a\", \"b\"], \"label\": 3}\n\n{\"file\": \"cat/2.png\", \"label\": 4}\n"
        "{\"file\": \"dog/ü 3.png\", \"caption\": \"x\", \"label\": 0}\n"};
    static const char *const lines[] = {"\xEF\xBB\xBFone\r\n\r\ntwo\n  \nthree", "a"};
    fuzz_table(time, "metadata.csv", csv, 2, 0.3);
    fuzz_table(time, "captions.jsonl", jsonl, 1, 0.3);
    fuzz_table(time, "cat/1.txt", lines, 2, 0.15);
    fuzz_names(time);
    return EXIT_SUCCESS;
}
