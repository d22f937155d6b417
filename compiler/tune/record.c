// Record: JSON, replaced as a whole under a lock.
#include "compiler/tune/record.h"
#include "runtime/base/file.h"
#include "runtime/base/json.h"
#include "runtime/vk/measure.h"
#include <fcntl.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

enum { RECORD_FORMAT = 1 };

struct Record {
    Arena *arena;
    const Json *programs;
    Winners works;
};

const char *record_path(Arena *arena, const DeviceInfo *info) {
    return file_join(arena, file_join(arena, file_cache_folder(arena), "schedules"), file_name(measure_path(arena, info)));
}

static bool is_text(const Json *object, const char *key, const char *text) {
    const Json *json = json_get(object, key);
    return json && json->kind == JSON_STRING && strcmp(json->string, text) == 0;
}

// An object of texts. False: it is something else.
static bool read_winners(Arena *arena, const Json *json, Winners *out) {
    if (!json || json->kind != JSON_OBJECT)
        return false;
    for (const Json *one = json->first; one; one = one->next) {
        if (one->kind != JSON_STRING)
            return false;
        array_push(arena, out, ((Winner){one->key, one->string}));
    }
    return true;
}

// What is wrong with the file; NULL: nothing.
static const char *read_record(Arena *arena, const DeviceInfo *info, const char *path, Record *out) {
    const Json *root = json_read(arena, path, diag_create(arena)), *format = json_get(root, "gcc-graph schedules");
    if (!root)
        return "it is damaged";
    if (!format || format->kind != JSON_NUMBER || format->number != RECORD_FORMAT)
        return "it is of another format";
    if (!is_text(root, "device", info->name) || !is_text(root, "driver", info->driver))
        return "it is of another device or driver";
    out->programs = json_get(root, "programs");
    if (!out->programs || out->programs->kind != JSON_OBJECT || !read_winners(arena, json_get(root, "works"), &out->works))
        return "it is damaged";
    for (const Json *one = out->programs->first; one; one = one->next)
        if (!read_winners(arena, json_get(one, "schedules"), &(Winners){0}))
            return "it is damaged";
    return NULL;
}

Record *record_read(Arena *arena, const DeviceInfo *info, Diag *diag) {
    const char *path = record_path(arena, info);
    Record *record = ARENA_NEW(arena, Record, 1);
    record->arena = arena;
    if (!file_exists(path))
        return NULL;
    const char *wrong = read_record(arena, info, path, record);
    if (wrong)
        diag_warning(diag, &(Place){.file = path}, "%s: what was tuned is not used", wrong);
    return wrong ? NULL : record;
}

bool record_program(const Record *record, const char *key, Winners *out) {
    const Json *program = record ? json_get(record->programs, key) : NULL;
    *out = (Winners){0};
    return program && read_winners(record->arena, json_get(program, "schedules"), out);
}

const Winners *record_works(const Record *record) {
    static const Winners none;
    return record ? &record->works : &none;
}

static double number_of(const Json *object, const char *key) {
    const Json *json = json_get(object, key);
    return json && json->kind == JSON_NUMBER ? json->number : 0;
}

void record_told(const Record *record, const char *key, double *before, double *after, const char **when) {
    const Json *program = record ? json_get(record->programs, key) : NULL, *time = json_get(program, "when");
    *before = number_of(program, "before"), *after = number_of(program, "after");
    *when = time && time->kind == JSON_STRING ? time->string : NULL;
}

// ---- writing

static const char *time_text(Arena *arena) {
    time_t now = time(NULL);
    struct tm utc;
    char text[32];
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
    return arena_copy_text(arena, text);
}

static void write_winners(JsonWriter *json, const char *key, const Winners *winners) {
    json_begin_object(json, key);
    for (uint32_t i = 0; i < winners->count; i++)
        json_write_text(json, winners->items[i].work, winners->items[i].schedule);
    json_end_object(json);
}

static const char *text_of(Arena *arena, const DeviceInfo *info, const Record *old, const char *graph, const char *entry, const TuneResult *result) {
    JsonWriter *json = json_writer_create(arena);
    Winners works = {0};
    for (uint32_t i = 0; old && i < old->works.count; i++)
        array_push(arena, &works, old->works.items[i]);
    for (uint32_t i = 0; i < result->winners.count; i++)
        winners_set(arena, &works, result->winners.items[i].work, result->winners.items[i].schedule);
    json_begin_object(json, NULL);
    json_write_uint(json, "gcc-graph schedules", RECORD_FORMAT);
    json_write_text(json, "version", GG_VERSION);
    json_write_text(json, "device", info->name);
    json_write_text(json, "driver", info->driver);
    json_begin_object(json, "programs");
    for (const Json *one = old ? old->programs->first : NULL; one; one = one->next)
        if (strcmp(one->key, result->program) != 0)
            json_write_tree(json, one->key, one);
    json_begin_object(json, result->program);
    json_write_text(json, "graph", graph);
    json_write_text(json, "program", entry);
    json_write_text(json, "when", time_text(arena));
    json_write_number(json, "before", result->before);
    json_write_number(json, "after", result->after);
    write_winners(json, "schedules", &result->winners);
    json_end_object(json);
    json_end_object(json);
    write_winners(json, "works", &works);
    json_end_object(json);
    return json_writer_text(json);
}

// Beside the file, since that is replaced. -1: others may write meanwhile, and then the last one's is kept.
static int lock(Arena *arena, const char *path) {
    int file = open(arena_format(arena, "%s.lock", path), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (file >= 0)
        flock(file, LOCK_EX);
    return file;
}

void record_keep(Arena *arena, const DeviceInfo *info, const char *graph, const char *entry, const TuneResult *result, Diag *diag) {
    const char *path = record_path(arena, info);
    Diag *trial = diag_create(arena);
    bool good = file_make_folders(file_folder(arena, path), trial);
    int held = good ? lock(arena, path) : -1;
    if (good) {
        const char *text = text_of(arena, info, record_read(arena, info, diag_create(arena)), graph, entry, result);
        good = file_write(path, text, strlen(text), trial);
    }
    if (held >= 0)
        close(held);
    if (!good)
        diag_warning(diag, NULL, "what was tuned for %s is not kept: %s", info->name, diag_text(trial, arena));
}
