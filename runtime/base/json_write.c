// The writer of json.h: collects a tree and prints it at the end, since an array's form depends on all of its items.
#include "runtime/base/json.h"
#include "runtime/base/bug.h"
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

typedef struct {
    Json *container, *last;
} Frame;

struct JsonWriter {
    Arena *arena;
    bool is_line;
    ARRAY(Frame) frames; // the first one's container holds the roots
};

static JsonWriter *create(Arena *arena, bool is_line) {
    JsonWriter *writer = ARENA_NEW(arena, JsonWriter, 1);
    writer->arena = arena;
    writer->is_line = is_line;
    Frame roots = {.container = ARENA_NEW(arena, Json, 1)};
    roots.container->kind = JSON_ARRAY;
    array_push(arena, &writer->frames, roots);
    return writer;
}

JsonWriter *json_writer_create(Arena *arena) { return create(arena, false); }

JsonWriter *json_line_writer_create(Arena *arena) { return create(arena, true); }

static Json *add(JsonWriter *writer, const char *key, JsonKind kind) {
    Frame *frame = &writer->frames.items[writer->frames.count - 1];
    CHECK((frame->container->kind == JSON_OBJECT) == (key != NULL));
    Json *json = ARENA_NEW(writer->arena, Json, 1);
    json->kind = kind;
    json->key = arena_copy_text(writer->arena, key);
    if (frame->last)
        frame->last->next = json;
    else
        frame->container->first = json;
    frame->last = json;
    frame->container->count++;
    return json;
}

static void begin(JsonWriter *writer, const char *key, JsonKind kind) {
    Frame frame = {.container = add(writer, key, kind)};
    array_push(writer->arena, &writer->frames, frame);
}

static void end(JsonWriter *writer, JsonKind kind) {
    CHECK(writer->frames.count > 1 && writer->frames.items[writer->frames.count - 1].container->kind == kind);
    (void)kind;
    writer->frames.count--;
}

void json_begin_object(JsonWriter *writer, const char *key) { begin(writer, key, JSON_OBJECT); }
void json_end_object(JsonWriter *writer) { end(writer, JSON_OBJECT); }
void json_begin_array(JsonWriter *writer, const char *key) { begin(writer, key, JSON_ARRAY); }
void json_end_array(JsonWriter *writer) { end(writer, JSON_ARRAY); }

void json_write_text(JsonWriter *writer, const char *key, const char *text) {
    add(writer, key, JSON_STRING)->string = arena_copy_text(writer->arena, text ? text : "");
}

void json_write_int(JsonWriter *writer, const char *key, int64_t number) {
    add(writer, key, JSON_NUMBER)->written = arena_format(writer->arena, "%" PRId64, number);
}

void json_write_uint(JsonWriter *writer, const char *key, uint64_t number) {
    add(writer, key, JSON_NUMBER)->written = arena_format(writer->arena, "%" PRIu64, number);
}

static bool print_exactly(double number, int digits, char *buffer, size_t size) {
    snprintf(buffer, size, "%.*g", digits, number);
    return strtod(buffer, NULL) == number;
}

void json_write_number(JsonWriter *writer, const char *key, double number) {
    if (!isfinite(number)) {
        json_write_null(writer, key);
        return;
    }
    char buffer[40];
    // Any text of at most 15 digits survives the way through a normal double, and %g drops zeros at the end: 15 finds all shorter ones.
    int digits = fabs(number) < DBL_MIN ? 1 : DBL_DIG;
    while (!print_exactly(number, digits, buffer, sizeof buffer) && digits < DBL_DECIMAL_DIG)
        digits++;
    add(writer, key, JSON_NUMBER)->written = arena_copy_text(writer->arena, buffer);
}

void json_write_bool(JsonWriter *writer, const char *key, bool value) { add(writer, key, JSON_BOOL)->number = value ? 1.0 : 0.0; }

void json_write_null(JsonWriter *writer, const char *key) { add(writer, key, JSON_NULL); }

void json_write_tree(JsonWriter *writer, const char *key, const Json *json) {
    switch (json->kind) {
    case JSON_NULL:
        json_write_null(writer, key);
        break;
    case JSON_BOOL:
        json_write_bool(writer, key, json->number != 0.0);
        break;
    case JSON_NUMBER:
        add(writer, key, JSON_NUMBER)->written = arena_copy_text(writer->arena, json->written);
        break;
    case JSON_STRING:
        json_write_text(writer, key, json->string);
        break;
    case JSON_ARRAY:
    case JSON_OBJECT:
        begin(writer, key, json->kind);
        for (const Json *item = json->first; item; item = item->next)
            json_write_tree(writer, item->key, item);
        end(writer, json->kind);
        break;
    }
}

static void print_string(Text *text, const char *string) {
    static const char escapes[] = "\"\"\\\\\bb\ff\nn\rr\tt"; // character, letter behind the backslash
    size_t left = strlen(string);
    text_append(text, "\"");
    while (left > 0) {
        size_t size = text_utf8_size(string, left);
        const char *escape = NULL;
        for (size_t i = 0; i + 1 < sizeof escapes && !escape; i += 2)
            if (escapes[i] == *string)
                escape = &escapes[i + 1];
        if (escape)
            text_format(text, "\\%c", *escape);
        else if (size == 0)
            text_append(text, "\xEF\xBF\xBD"); // a file name may hold any bytes, JSON may not
        else if ((unsigned char)*string < 0x20 || *string == 0x7F)
            text_format(text, "\\u%04x", (unsigned)*string);
        else
            text_append_bytes(text, string, size);
        string += size ? size : 1;
        left -= size ? size : 1;
    }
    text_append(text, "\"");
}

const char *json_quote(Arena *arena, const char *string) {
    Text text = text_create(arena);
    print_string(&text, string);
    return text.data;
}

static bool is_one_line(const Json *json) {
    if (json->kind == JSON_OBJECT)
        return !json->first;
    for (const Json *item = json->first; item; item = item->next)
        if (item->kind == JSON_ARRAY || item->kind == JSON_OBJECT)
            return false;
    return true;
}

static void print(Text *text, const Json *json, bool is_line, int indent);

static void print_container(Text *text, const Json *json, bool is_line, int indent) {
    bool one_line = is_line || is_one_line(json);
    text_append(text, json->kind == JSON_ARRAY ? "[" : "{");
    for (const Json *item = json->first; item; item = item->next) {
        if (!one_line)
            text_format(text, "\n%*s", indent + 2, "");
        if (item->key) {
            print_string(text, item->key);
            text_append(text, ": ");
        }
        print(text, item, is_line, indent + 2);
        if (item->next)
            text_append(text, one_line ? ", " : ",");
    }
    if (!one_line)
        text_format(text, "\n%*s", indent, "");
    text_append(text, json->kind == JSON_ARRAY ? "]" : "}");
}

static void print(Text *text, const Json *json, bool is_line, int indent) {
    switch (json->kind) {
    case JSON_NULL:
        text_append(text, "null");
        break;
    case JSON_BOOL:
        text_append(text, json->number != 0.0 ? "true" : "false");
        break;
    case JSON_NUMBER:
        text_append(text, json->written);
        break;
    case JSON_STRING:
        print_string(text, json->string);
        break;
    case JSON_ARRAY:
    case JSON_OBJECT:
        print_container(text, json, is_line, indent);
        break;
    }
}

const char *json_writer_text(JsonWriter *writer) {
    CHECK(writer->frames.count == 1);
    Text text = text_create(writer->arena);
    for (const Json *root = writer->frames.items[0].container->first; root; root = root->next) {
        print(&text, root, writer->is_line, 0);
        text_append(&text, "\n");
    }
    return text.data;
}
