// Json: the scanner checks the text and knows the positions, cJSON decodes it; both walk the values in the same order.
#include "runtime/base/json.h"
#include "runtime/base/bug.h"
#include "runtime/base/file.h"
#include "runtime/base/json_scan.h"
#include <cjson/cJSON.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>

typedef struct {
    Arena *arena;   // of the tree
    Arena *scratch; // until the end of json_parse
    const char *file, *text;
    uint32_t line; // at which the text begins
    JsonSpots spots;
    uint32_t next_spot;
    Diag *diag;
} Builder;

typedef struct {
    const Json *json;
    const JsonSpot *spot;
} Member;

static int compare_members(const void *a, const void *b) {
    const Member *x = a, *y = b;
    int order = strcmp(x->json->key, y->json->key);
    return order ? order : (x->json->index > y->json->index) - (x->json->index < y->json->index);
}

static void check_keys(Builder *builder, Member *members, uint32_t count) {
    if (count < 2)
        return;
    qsort(members, count, sizeof *members, compare_members);
    for (uint32_t i = 1; i < count; i++) {
        const char *key = members[i].json->key;
        if (strcmp(members[i - 1].json->key, key) != 0)
            continue;
        Place place = {.file = builder->file, .line = members[i].spot->key_line, .column = members[i].spot->key_column};
        diag_error(builder->diag, &place, "key \"%s\" occurs twice; it is also at line %u, column %u", key, members[i - 1].spot->key_line,
                   members[i - 1].spot->key_column);
    }
}

static void build_number(Builder *builder, Json *json, const JsonSpot *spot, double number) {
    json->kind = JSON_NUMBER;
    json->number = number;
    char *written = arena_copy_bytes(builder->arena, builder->text + spot->start, spot->size);
    json->written = written;
    json->is_integer = !strpbrk(written, ".eE");
    if (!isfinite(number)) {
        Place place = {.file = builder->file, .line = spot->line, .column = spot->column};
        diag_error(builder->diag, &place, "%s is too large for a number", written);
    }
}

static Json *build(Builder *builder, const cJSON *source) {
    const JsonSpot *spot = &builder->spots.items[builder->next_spot++];
    Json *json = ARENA_NEW(builder->arena, Json, 1);
    json->file = builder->file;
    json->line = spot->line;
    json->column = spot->column;
    if (cJSON_IsNumber(source)) {
        build_number(builder, json, spot, source->valuedouble);
    } else if (cJSON_IsString(source)) {
        json->kind = JSON_STRING;
        json->string = arena_copy_text(builder->arena, source->valuestring);
    } else if (cJSON_IsBool(source)) {
        json->kind = JSON_BOOL;
        json->number = cJSON_IsTrue(source) ? 1.0 : 0.0;
    } else if (cJSON_IsArray(source) || cJSON_IsObject(source)) {
        json->kind = cJSON_IsArray(source) ? JSON_ARRAY : JSON_OBJECT;
        ARRAY(Member) members = {0};
        Json **link = &json->first;
        for (const cJSON *child = source->child; child; child = child->next) {
            Member member = {.spot = &builder->spots.items[builder->next_spot]};
            Json *item = build(builder, child);
            member.json = item;
            item->parent = json;
            item->index = json->count++;
            *link = item;
            link = &item->next;
            if (json->kind == JSON_OBJECT) {
                item->key = arena_copy_text(builder->arena, child->string);
                array_push(builder->scratch, &members, member);
            }
        }
        check_keys(builder, members.items, members.count);
    }
    return json;
}

static Json *parse(Builder *builder, size_t length) {
    if (!json_scan(builder->scratch, builder->file, builder->line, builder->text, length, &builder->spots, builder->diag))
        return NULL;
    cJSON *source = cJSON_ParseWithLength(builder->text, length);
    if (!source) {
        diag_error(builder->diag, &(Place){.file = builder->file}, "cJSON cannot read this text, or the host is out of memory");
        return NULL;
    }
    uint32_t errors = diag_error_count(builder->diag);
    Json *json = build(builder, source);
    cJSON_Delete(source);
    CHECK(builder->next_spot == builder->spots.count);
    return diag_error_count(builder->diag) == errors ? json : NULL;
}

Json *json_parse(Arena *arena, const char *file, const char *text, size_t length, Diag *diag) {
    return json_parse_line(arena, file, 1, text, length, diag);
}

Json *json_parse_line(Arena *arena, const char *file, uint32_t line, const char *text, size_t length, Diag *diag) {
    if (length >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) { // byte order mark
        text += 3;
        length -= 3;
    }
    Arena *scratch = arena_create();
    Builder builder = {.arena = arena, .scratch = scratch, .file = arena_copy_text(arena, file), .text = text, .line = line, .diag = diag};
    Json *json = parse(&builder, length);
    arena_destroy(&scratch);
    return json;
}

Json *json_read(Arena *arena, const char *path, Diag *diag) {
    Arena *scratch = arena_create();
    size_t size;
    const char *text = file_read(scratch, path, &size, diag);
    Json *json = text ? json_parse(arena, path, text, size, diag) : NULL;
    arena_destroy(&scratch);
    return json;
}

const Json *json_get(const Json *object, const char *key) {
    if (!object || object->kind != JSON_OBJECT)
        return NULL;
    for (const Json *item = object->first; item; item = item->next)
        if (strcmp(item->key, key) == 0)
            return item;
    return NULL;
}

const Json *json_at(const Json *array, uint32_t index) {
    if (!array || array->kind != JSON_ARRAY)
        return NULL;
    const Json *item = array->first;
    for (uint32_t i = 0; item && i < index; i++)
        item = item->next;
    return item;
}

static void append_pointer(Text *text, const Json *json) {
    if (!json || !json->parent)
        return;
    append_pointer(text, json->parent);
    text_append(text, "/");
    if (!json->key) {
        text_format(text, "%u", json->index);
        return;
    }
    for (const char *c = json->key; *c; c++) {
        if (*c == '~' || *c == '/')
            text_append(text, *c == '~' ? "~0" : "~1");
        else
            text_append_bytes(text, c, 1);
    }
}

const char *json_pointer(Arena *arena, const Json *json) {
    Text text = text_create(arena);
    append_pointer(&text, json);
    return text.data;
}

Place json_place(Arena *arena, const Json *json) {
    if (!json)
        return (Place){0};
    return (Place){.file = json->file, .line = json->line, .column = json->column, .pointer = json_pointer(arena, json)};
}

const char *json_kind_name(JsonKind kind) {
    switch (kind) {
    case JSON_NULL:
        return "null";
    case JSON_BOOL:
        return "a boolean";
    case JSON_NUMBER:
        return "a number";
    case JSON_STRING:
        return "a string";
    case JSON_ARRAY:
        return "an array";
    case JSON_OBJECT:
        return "an object";
    }
    bug("a value of JSON of kind %d", (int)kind);
}

static void report_member(const Json *object, const Json *item, const char *key, const char *wanted, Diag *diag) {
    Arena *scratch = arena_create();
    Place place = json_place(scratch, item ? item : object);
    if (item)
        diag_error(diag, &place, "expected %s, found %s", wanted, item->kind == JSON_NUMBER ? item->written : json_kind_name(item->kind));
    else if (object && object->kind != JSON_OBJECT)
        diag_error(diag, &place, "expected an object with \"%s\", found %s", key, json_kind_name(object->kind));
    else
        diag_error(diag, &place, "\"%s\" is missing (%s)", key, wanted);
    arena_destroy(&scratch);
}

bool json_uint(const Json *object, const char *key, uint64_t *out, Diag *diag) {
    const Json *item = json_get(object, key);
    bool fits = item && item->kind == JSON_NUMBER && item->is_integer && item->written[0] != '-';
    if (fits) {
        errno = 0;
        unsigned long long number = strtoull(item->written, NULL, 10);
        fits = errno == 0;
        if (fits)
            *out = number;
    }
    if (!fits)
        report_member(object, item, key, "an integer from 0 to 18446744073709551615", diag);
    return fits;
}

bool json_text(const Json *object, const char *key, const char **out, Diag *diag) {
    const Json *item = json_get(object, key);
    if (!item || item->kind != JSON_STRING) {
        report_member(object, item, key, "a string", diag);
        return false;
    }
    *out = item->string;
    return true;
}
