// Json: JSON text as a tree that knows its positions. json.c is the only user of cJSON.
#pragma once
#include "runtime/base/diag.h"
#include "runtime/base/text.h"

typedef enum { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT } JsonKind;

typedef struct Json Json;
struct Json {
    JsonKind kind;
    const char *key;      // of a member of an object, else NULL
    const char *string;   // JSON_STRING
    double number;        // JSON_NUMBER; JSON_BOOL: 0 or 1
    bool is_integer;      // a number written without '.', 'e' or 'E'
    const char *written;  // JSON_NUMBER: its text, exact where `number` is rounded
    uint32_t count;       // of items (array) or members (object)
    Json *first, *next;   // children in text order
    Json *parent;
    uint32_t index;       // among its siblings
    const char *file;
    uint32_t line, column; // of the value's first character, from 1
};

// Text to tree; the tree and its strings live in the arena. Wrong syntax, a key that occurs twice in an object, nesting beyond 200
// levels, text that is not UTF-8 and trailing text are errors with their line and column. `file` is only used in messages.
Json *json_parse(Arena *arena, const char *file, const char *text, size_t length, Diag *diag);
Json *json_parse_line(Arena *arena, const char *file, uint32_t line, const char *text, size_t length, Diag *diag); // of JSON Lines
Json *json_read(Arena *arena, const char *path, Diag *diag); // json_parse of a file

const Json *json_get(const Json *object, const char *key); // NULL when absent or not an object
const Json *json_at(const Json *array, uint32_t index);    // NULL when absent
const char *json_pointer(Arena *arena, const Json *json);  // "/networks/unet/nodes/14" ("" for the root), ~0 and ~1 escaped
Place json_place(Arena *arena, const Json *json);
// "an object", "a number" …, for messages.
const char *json_kind_name(JsonKind kind);
// Typed access with an error at the place when absent (`fallback` not given) or of another kind.
bool json_uint(const Json *object, const char *key, uint64_t *out, Diag *diag);
bool json_text(const Json *object, const char *key, const char **out, Diag *diag);

// Writer: builds JSON text, pretty-printed with two spaces; arrays of plain numbers or strings stay on one line.
typedef struct JsonWriter JsonWriter;
JsonWriter *json_writer_create(Arena *arena);
// In every call `key` is the member's name inside an object, and NULL inside an array or at the root.
void json_begin_object(JsonWriter *writer, const char *key);
void json_end_object(JsonWriter *writer);
void json_begin_array(JsonWriter *writer, const char *key);
void json_end_array(JsonWriter *writer);
void json_write_text(JsonWriter *writer, const char *key, const char *text);
void json_write_int(JsonWriter *writer, const char *key, int64_t number);
void json_write_uint(JsonWriter *writer, const char *key, uint64_t number);
void json_write_number(JsonWriter *writer, const char *key, double number); // shortest text that reads back equal; not finite: null
void json_write_bool(JsonWriter *writer, const char *key, bool value);
void json_write_null(JsonWriter *writer, const char *key);
void json_write_tree(JsonWriter *writer, const char *key, const Json *json); // copies a tree
// Ends with a newline. Every begin must have its end. After the root value a next one may follow, on a line of its own.
const char *json_writer_text(JsonWriter *writer);
const char *json_quote(Arena *arena, const char *string); // as it stands in JSON, with its quotes
// One-line form, for JSON Lines.
JsonWriter *json_line_writer_create(Arena *arena);
