// Images: what tables and text files say of pictures.
#include "runtime/base/json.h"
#include "runtime/data/csv.h"
#include "runtime/data/images_parts.h"
#include <stdlib.h>

#define BYTE_ORDER_MARK "\xEF\xBB\xBF"
enum { TEXT_FILE_MAX = 1 << 20, TABLE_MAX = 1 << 30 };

static const char *const FILE_NAMES[] = {"file_name", "file", "filename", "image", "path"},
                         *const TEXT_NAMES[] = {"text", "caption", "captions"}, *const LABEL_NAMES[] = {"label", "class"};
enum { FILE_NAME_COUNT = 5, TEXT_NAME_COUNT = 3, LABEL_NAME_COUNT = 2 };

typedef ARRAY(const char *) Texts;

typedef struct {
    Arena *arena, *scratch;
    ImagesListing *listing;
    const char *folder; // of the table, in the folder of pictures; "" for that itself
    Texts *texts;       // by picture
    uint32_t missing, missing_line;
    const char *missing_name;
    Diag *diag;
} Reader;

static int compare(const void *a, const void *b) { return strcmp(((const ImagesFile *)a)->path, ((const ImagesFile *)b)->path); }

// Whether a table's name of a picture stays in the folder: no part of it is "." or "..", none is empty.
static bool is_inside(const char *name) {
    for (const char *part = name;; part++) {
        size_t size = strcspn(part, "/");
        if (size == 0 || (size == 1 && part[0] == '.') || (size == 2 && part[0] == '.' && part[1] == '.'))
            return false;
        part += size;
        if (*part == 0)
            return true;
    }
}

static ImagesFile *find_picture(const Reader *reader, const char *name) {
    ImagesFile wanted = {.path = *reader->folder ? file_join(reader->scratch, reader->folder, name) : name};
    return reader->listing->files.count ? bsearch(&wanted, reader->listing->files.items, reader->listing->files.count,
                                                  sizeof *reader->listing->files.items, compare)
                                        : NULL;
}

// What a row says of a picture; the texts' list grows, a label must not change.
static bool take(Reader *reader, const Place *place, const char *name, const char *const *texts, uint32_t text_count, const char *label) {
    while (text_starts_with(name, "./"))
        name += 2;
    if (!is_inside(name)) {
        diag_error(reader->diag, place, "\"%s\" is no path inside this folder", text_printable(reader->scratch, name));
        return false;
    }
    ImagesFile *file = find_picture(reader, name);
    if (!file && strchr(name, '\\')) { // as Windows writes paths
        char *turned = arena_copy_text(reader->scratch, name);
        for (char *at = turned; (at = strchr(at, '\\'));)
            *at = '/';
        file = find_picture(reader, turned);
    }
    if (!file) {
        if (reader->missing++ == 0) {
            reader->missing_line = place->line;
            reader->missing_name = arena_copy_text(reader->scratch, name);
        }
        return true;
    }
    Texts *own = reader->texts + (file - reader->listing->files.items);
    for (uint32_t i = 0; i < text_count; i++)
        if (texts[i][strspn(texts[i], " \t\r\n")])
            array_push(reader->arena, own, arena_copy_text(reader->arena, texts[i]));
    if (!label || !*label)
        return true;
    if (file->label && strcmp(file->label, label) != 0) {
        diag_error(reader->diag, place, "\"%s\" has the label \"%s\" here, but \"%s\" before", text_printable(reader->scratch, name),
                   text_printable(reader->scratch, label), text_printable(reader->scratch, file->label));
        return false;
    }
    file->label = file->label ? file->label : arena_copy_text(reader->arena, label);
    return true;
}

static bool read_csv(Reader *reader, const char *path, char *text, size_t size) {
    Csv csv;
    CsvRow row = {0};
    uint32_t file, caption, label;
    if (!csv_open(reader->scratch, path, text, size, &csv, reader->diag))
        return false;
    bool has_text = csv_find(&csv, TEXT_NAMES, TEXT_NAME_COUNT, &caption),
         has_label = csv_find(&csv, LABEL_NAMES, LABEL_NAME_COUNT, &label);
    if (!csv_find(&csv, FILE_NAMES, FILE_NAME_COUNT, &file) || (!has_text && !has_label)) {
        diag_error(reader->diag, &(Place){.file = path, .line = 1},
                   "expected columns with the names file_name (or file, image), and text (or caption) or label");
        return false;
    }
    bool ok = true;
    while (csv_next(reader->scratch, &csv, &row, &ok, reader->diag)) {
        const char *texts[] = {has_text ? row.cells[caption] : ""};
        if (!take(reader, &(Place){.file = path, .line = row.line}, row.cells[file], texts, has_text, has_label ? row.cells[label] : NULL))
            return false;
    }
    return ok;
}

static const Json *find(const Json *object, const char *const *names, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        const Json *found = json_get(object, names[i]);
        if (found && found->kind != JSON_NULL)
            return found;
    }
    return NULL;
}

static bool wrong(Reader *reader, const Json *json, const char *expected) {
    Place place = json_place(reader->scratch, json);
    diag_error(reader->diag, &place, "expected %s, found %s", expected, json_kind_name(json->kind));
    return false;
}

static bool read_object(Reader *reader, const Json *json, Arena *line) {
    if (json->kind != JSON_OBJECT)
        return wrong(reader, json, "an object");
    const Json *file = find(json, FILE_NAMES, FILE_NAME_COUNT), *text = find(json, TEXT_NAMES, TEXT_NAME_COUNT),
               *label = find(json, LABEL_NAMES, LABEL_NAME_COUNT);
    if (!file || file->kind != JSON_STRING)
        return wrong(reader, file ? file : json, "\"file_name\" (or \"file\", \"image\"), a string");
    if (text && text->kind != JSON_STRING && text->kind != JSON_ARRAY)
        return wrong(reader, text, "a string, or an array of strings");
    if (label && label->kind != JSON_STRING && !(label->kind == JSON_NUMBER && label->is_integer))
        return wrong(reader, label, "a string or an integer");
    uint32_t count = !text ? 0 : text->kind == JSON_ARRAY ? text->count : 1, at = 0;
    const char **texts = ARENA_NEW(line, const char *, count);
    for (const Json *item = text && text->kind == JSON_ARRAY ? text->first : text; item && at < count; item = item->next, at++) {
        if (item->kind != JSON_STRING)
            return wrong(reader, item, "a string");
        texts[at] = item->string;
    }
    Place place = {.file = json->file, .line = json->line};
    return take(reader, &place, file->string, texts, count, !label ? NULL : label->kind == JSON_STRING ? label->string : label->written);
}

static bool read_lines(Reader *reader, const char *path, char *text, size_t size) {
    Arena *line_arena = arena_create();
    bool ok = true;
    uint32_t line = 1;
    char *start = text_starts_with(text, BYTE_ORDER_MARK) ? text + strlen(BYTE_ORDER_MARK) : text;
    for (char *at = start, *end = text + size; ok && at < end; line++) {
        char *next = memchr(at, '\n', (size_t)(end - at));
        size_t length = (size_t)((next ? next : end) - at);
        if (strspn(at, " \t\r") < length) {
            const Json *json = json_parse_line(line_arena, path, line, at, length, reader->diag);
            ok = json && read_object(reader, json, line_arena);
            arena_reset(line_arena);
        }
        at = next ? next + 1 : end;
    }
    arena_destroy(&line_arena);
    return ok;
}

static bool read_table(Reader *reader, const char *folder, const ImagesTable *table) {
    const char *path = file_join(reader->scratch, folder, table->path), *slash = strrchr(table->path, '/');
    reader->folder = slash ? arena_copy_bytes(reader->scratch, table->path, (size_t)(slash - table->path)) : "";
    reader->missing = 0;
    size_t size;
    char *text = file_read_most(reader->scratch, path, TABLE_MAX, &size, reader->diag);
    if (!text || !(table->is_lines ? read_lines : read_csv)(reader, path, text, size))
        return false;
    if (reader->missing)
        diag_warning(reader->diag, &(Place){.file = path, .line = reader->missing_line}, "no picture \"%s\" is there; %u row%s passed over",
                     text_printable(reader->scratch, reader->missing_name), reader->missing, reader->missing == 1 ? " is" : "s are");
    return true;
}

bool images_read_tables(Arena *arena, const char *folder, ImagesListing *listing, uint32_t *count, Diag *diag) {
    Arena *scratch = arena_create();
    Texts *texts = ARENA_NEW(scratch, Texts, listing->files.count);
    Reader reader = {.arena = arena, .scratch = scratch, .listing = listing, .texts = texts, .diag = diag};
    bool ok = true;
    for (uint32_t i = 0; ok && i < listing->tables.count; i++)
        ok = read_table(&reader, folder, &listing->tables.items[i]);
    *count = 0;
    for (uint32_t i = 0; ok && i < listing->files.count; i++) {
        listing->files.items[i].texts = texts[i].items;
        listing->files.items[i].text_count = texts[i].count;
        *count += texts[i].count || listing->files.items[i].has_text_file;
    }
    arena_destroy(&scratch);
    return ok;
}

// ---- one text

static const char *text_path(Arena *arena, const char *folder, const ImagesFile *file) {
    const char *dot = strrchr(file->path, '.');
    return arena_format(arena, "%s/%.*s.txt", folder, (int)(dot - file->path), file->path);
}

static bool is_text(const char *bytes, size_t size) {
    for (size_t at = 0, step; at < size; at += step) {
        step = text_utf8_size(bytes + at, size - at);
        if (step == 0 || bytes[at] == 0)
            return false;
    }
    return true;
}

const char *images_text(Arena *arena, const char *folder, const ImagesFile *file, uint32_t (*pick)(void *context, uint32_t count),
                        void *context, Diag *diag) {
    if (file->text_count)
        return file->texts[pick(context, file->text_count)];
    if (!file->has_text_file)
        return NULL;
    Arena *scratch = arena_create();
    size_t size;
    const char *path = text_path(scratch, folder, file);
    char *text = file_read_most(scratch, path, TEXT_FILE_MAX, &size, diag);
    if (text && !is_text(text, size)) {
        diag_error(diag, &(Place){.file = path}, "no text in UTF-8");
        text = NULL;
    }
    Texts lines = {0};
    char *rest = text && text_starts_with(text, BYTE_ORDER_MARK) ? text + strlen(BYTE_ORDER_MARK) : text;
    for (char *line; rest && (line = strsep(&rest, "\r\n"));)
        if (line[strspn(line, " \t")])
            array_push(scratch, &lines, line);
    const char *found = lines.count ? arena_copy_text(arena, lines.items[pick(context, lines.count)]) : NULL;
    arena_destroy(&scratch);
    return found;
}
