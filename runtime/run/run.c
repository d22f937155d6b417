// Run: see run.h.
#include "runtime/run/run.h"
#include "runtime/base/file.h"
#include "runtime/base/name.h"
#include "runtime/base/version.h"
#include <inttypes.h>

enum { RUN_FORMAT = 1 };

static const char *path_of(Arena *arena, const char *folder) { return file_join(arena, folder, "run.json"); }

bool run_exists(const char *folder) {
    Arena *arena = arena_create();
    bool exists = file_exists(path_of(arena, folder));
    arena_destroy(&arena);
    return exists;
}

static void write_list(JsonWriter *writer, const char *key, const char *const *items, uint32_t count) {
    json_begin_array(writer, key);
    for (uint32_t i = 0; i < count; i++)
        json_write_text(writer, NULL, items[i]);
    json_end_array(writer);
}

static void write_text(JsonWriter *writer, const char *key, const char *text) {
    if (text)
        json_write_text(writer, key, text);
}

static void write_totals(JsonWriter *writer, const Run *run) {
    json_begin_array(writer, "totals");
    for (uint32_t i = 0; i < run->total_count; i++) {
        json_begin_object(writer, NULL);
        json_write_uint(writer, "from", run->totals[i].from);
        json_write_uint(writer, "steps", run->totals[i].steps);
        json_end_object(writer);
    }
    json_end_array(writer);
}

static void write_fork(JsonWriter *writer, const RunFork *fork) {
    if (!fork->checkpoint)
        return;
    json_begin_object(writer, "fork");
    json_write_text(writer, "checkpoint", fork->checkpoint);
    json_write_uint(writer, "step", fork->step);
    json_write_text(writer, "digest", fork->digest);
    json_end_object(writer);
}

static void write_stopped(JsonWriter *writer, const Run *run) {
    if (!run->stopped)
        return;
    json_begin_object(writer, "stopped");
    json_write_uint(writer, "step", run->stopped_at);
    json_write_text(writer, "why", run->stopped);
    json_end_object(writer);
}

bool run_write(const char *folder, const Run *run, Diag *diag) {
    Arena *arena = arena_create();
    JsonWriter *writer = json_writer_create(arena);
    json_begin_object(writer, NULL);
    json_write_uint(writer, "gcc-graph-run", RUN_FORMAT);
    json_write_text(writer, "version", GG_VERSION);
    write_text(writer, "bundle", run->bundle);
    write_text(writer, "digest", run->digest);
    write_text(writer, "program", run->entry);
    write_list(writer, "data", run->data, run->data_count);
    write_list(writer, "init", run->inits, run->init_count);
    write_text(writer, "names", run->names);
    json_write_text(writer, "seed", arena_format(arena, "%" PRIu64, run->seed)); // as text: 64 bits do not fit a JSON number
    json_write_uint(writer, "steps", run->steps);
    write_totals(writer, run);
    write_fork(writer, &run->fork);
    write_stopped(writer, run);
    json_write_uint(writer, "save_every", run->save_every);
    json_write_uint(writer, "keep", run->keep);
    json_write_uint(writer, "sample_every", run->sample_every);
    json_write_uint(writer, "sample_count", run->sample_count);
    write_text(writer, "sample_program", run->sample_entry);
    write_text(writer, "schedules", run->schedules);
    write_text(writer, "encoder", run->encoder);
    write_text(writer, "records", run->records);
    classes_write(writer, &run->classes);
    json_end_object(writer);
    const char *text = json_writer_text(writer);
    bool ok = file_write(path_of(arena, folder), text, strlen(text), diag);
    arena_destroy(&arena);
    return ok;
}

static bool read_number(const Json *json, const char *key, uint32_t *out, Diag *diag) {
    uint64_t value;
    if (!json_uint(json, key, &value, diag))
        return false;
    *out = value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;
    return true;
}

static bool read_list(Arena *arena, const Json *json, const char *key, const char *const **out, uint32_t *count, Diag *diag) {
    const Json *list = json_get(json, key);
    ARRAY(const char *) items = {0};
    bool ok = list && list->kind == JSON_ARRAY;
    for (const Json *item = ok ? list->first : NULL; item; item = item->next) {
        ok &= item->kind == JSON_STRING;
        array_push(arena, &items, item->string);
    }
    *out = items.items;
    *count = items.count;
    if (!ok) {
        Place place = json_place(arena, list ? list : json);
        diag_error(diag, &place, "\"%s\" must be a list of texts", key);
    }
    return ok;
}

// A run that was never prolonged may have none: its total counts from step 0 on.
static bool read_totals(Arena *arena, const Json *json, Run *out, Diag *diag) {
    const Json *list = json_get(json, "totals");
    ARRAY(RunTotal) totals = {0};
    bool ok = !list || list->kind == JSON_ARRAY;
    for (const Json *item = ok && list ? list->first : NULL; ok && item; item = item->next) {
        RunTotal total = {0};
        ok = item->kind == JSON_OBJECT && read_number(item, "from", &total.from, diag) && read_number(item, "steps", &total.steps, diag);
        array_push(arena, &totals, total);
    }
    if (!ok && diag_error_count(diag) == 0) {
        Place place = json_place(arena, list);
        diag_error(diag, &place, "\"totals\" must be a list of { \"from\": STEP, \"steps\": TOTAL }");
    }
    if (!totals.count)
        array_push(arena, &totals, ((RunTotal){0, out->steps}));
    out->totals = totals.items;
    out->total_count = totals.count;
    return ok;
}

static bool read_fork(const Json *json, RunFork *out, Diag *diag) {
    const Json *fork = json_get(json, "fork");
    return !fork || (json_text(fork, "checkpoint", &out->checkpoint, diag) && read_number(fork, "step", &out->step, diag) &&
                     json_text(fork, "digest", &out->digest, diag));
}

static bool read_stopped(const Json *json, Run *out, Diag *diag) {
    const Json *stopped = json_get(json, "stopped");
    return !stopped || (json_text(stopped, "why", &out->stopped, diag) && read_number(stopped, "step", &out->stopped_at, diag));
}

static const char *optional_text(const Json *json, const char *key) {
    const Json *value = json_get(json, key);
    return value && value->kind == JSON_STRING ? value->string : NULL;
}

bool run_read(Arena *arena, const char *folder, Run *out, Diag *diag) {
    *out = (Run){.has_seed = true};
    const Json *json = json_read(arena, path_of(arena, folder), diag);
    uint64_t format;
    const char *seed;
    if (!json || !json_uint(json, "gcc-graph-run", &format, diag))
        return false;
    const char *misfit = version_misfit(arena, (double)format, RUN_FORMAT, RUN_FORMAT, optional_text(json, "version"));
    if (misfit) {
        Place place = json_place(arena, json_get(json, "gcc-graph-run"));
        diag_error(diag, &place, "a run of another version: %s", misfit);
        return false;
    }
    bool ok = json_text(json, "bundle", &out->bundle, diag) && json_text(json, "digest", &out->digest, diag) &&
              json_text(json, "program", &out->entry, diag) && read_list(arena, json, "data", &out->data, &out->data_count, diag) &&
              read_list(arena, json, "init", &out->inits, &out->init_count, diag) && json_text(json, "seed", &seed, diag) &&
              read_number(json, "steps", &out->steps, diag) && read_number(json, "save_every", &out->save_every, diag) &&
              read_number(json, "keep", &out->keep, diag) && read_number(json, "sample_every", &out->sample_every, diag) &&
              read_number(json, "sample_count", &out->sample_count, diag) && read_totals(arena, json, out, diag) &&
              read_fork(json, &out->fork, diag) && read_stopped(json, out, diag) && classes_read(arena, json, &out->classes, diag);
    if (ok && sscanf(seed, "%" SCNu64, &out->seed) != 1) {
        Place place = json_place(arena, json_get(json, "seed"));
        diag_error(diag, &place, "\"seed\" must be a number in quotes");
        ok = false;
    }
    out->sample_entry = optional_text(json, "sample_program");
    static const char *const names[] = {"program", "sample_program"};
    for (uint32_t i = 0; ok && i < 2; i++) {
        const char *name = optional_text(json, names[i]), *mistake = name ? name_mistake(name) : NULL;
        Place place = json_place(arena, json_get(json, names[i]));
        if (mistake)
            diag_error(diag, &place, "%s", mistake);
        ok = !mistake;
    }
    out->schedules = optional_text(json, "schedules");
    out->encoder = optional_text(json, "encoder");
    out->records = optional_text(json, "records");
    out->names = optional_text(json, "names");
    return ok;
}

static bool merge_text(const char **given, const char *stored, const char *option, const char *folder, Diag *diag) {
    if (*given && stored && strcmp(*given, stored) != 0) {
        diag_error(diag, NULL, "%s was started with %s %s, not %s; a resumed run goes on as it began", folder, option, stored, *given);
        return false;
    }
    *given = stored ? stored : *given;
    return true;
}

static bool merge_list(const char *const **given, uint32_t *given_count, const char *const *stored, uint32_t stored_count,
                       const char *option, const char *folder, Diag *diag) {
    bool is_equal = *given_count == stored_count;
    for (uint32_t i = 0; is_equal && i < stored_count; i++)
        is_equal = strcmp((*given)[i], stored[i]) == 0;
    if (*given_count && !is_equal) {
        diag_error(diag, NULL, "%s was started with %s %s%s, not %s; a resumed run goes on as it began", folder, option,
                   stored_count ? stored[0] : "(nothing)", stored_count > 1 ? " …" : "", (*given)[0]);
        return false;
    }
    *given = stored;
    *given_count = stored_count;
    return true;
}

// Of "images=images:photos?sides": the path; *front is what stands before it, *rest what follows it. NULL: the spec has none.
static const char *data_path(Arena *arena, const char *spec, const char **front, const char **rest) {
    const char *colon = strchr(spec, ':'), *path = colon ? colon + 1 : NULL, *mark = path ? strrchr(path, '?') : NULL;
    *front = *rest = "";
    if (!path)
        return NULL;
    *front = arena_copy_bytes(arena, spec, (size_t)(path - spec));
    if (!mark || file_exists(path))
        return path;
    *rest = mark;
    return arena_copy_bytes(arena, path, (size_t)(mark - path));
}

// Whether a data set is the stored one: by another path to the same place, or (told) elsewhere since there is nothing any more at the old one.
static bool is_same_data(const char *stored, const char *given, const char *folder, Diag *diag) {
    if (strcmp(stored, given) == 0)
        return true;
    Arena *scratch = arena_create();
    const char *fronts[2], *rests[2], *from = data_path(scratch, stored, &fronts[0], &rests[0]),
                                      *to = data_path(scratch, given, &fronts[1], &rests[1]);
    bool is_like = from && to && strcmp(fronts[0], fronts[1]) == 0 && strcmp(rests[0], rests[1]) == 0;
    const char *old = is_like ? file_real_path(scratch, from) : NULL, *new = is_like ? file_real_path(scratch, to) : NULL;
    bool is_moved = is_like && !old && new;
    if (is_moved)
        diag_warning(diag, NULL, "%s was started with --data %s, where nothing is any more: it goes on with %s", folder, stored, given);
    bool ok = is_moved || (old && new && strcmp(old, new) == 0);
    arena_destroy(&scratch);
    return ok;
}

// A relative path is gone from another folder, too.
static void tell_gone(const char *stored, const char *folder, Diag *diag) {
    Arena *scratch = arena_create();
    const char *front, *rest, *path = data_path(scratch, stored, &front, &rest);
    if (path && strspn(path, "0123456789") < strlen(path) && !file_exists(path)) // random:100 is no path
        diag_warning(diag, NULL, "%s was started with --data %s, where nothing is any more: --data %s… says where it lies now", folder, stored,
                     front);
    arena_destroy(&scratch);
}

static bool merge_data(Run *given, const Run *stored, const char *folder, Diag *diag) {
    bool is_same = given->data_count == stored->data_count;
    for (uint32_t i = 0; !given->data_count && i < stored->data_count; i++)
        tell_gone(stored->data[i], folder, diag);
    for (uint32_t i = 0; is_same && i < stored->data_count; i++)
        is_same = is_same_data(stored->data[i], given->data[i], folder, diag);
    return (is_same && given->data_count) ||
           merge_list(&given->data, &given->data_count, stored->data, stored->data_count, "--data", folder, diag);
}

bool run_merge(Run *given, const Run *stored, const char *folder, Diag *diag) {
    if (given->digest && strcmp(given->digest, stored->digest) != 0) {
        diag_error(diag, NULL,
                   "%s was started with another graph (digest %s, this bundle has %s): compile the graph as it was, or start a new run",
                   folder, stored->digest, given->digest);
        return false;
    }
    given->digest = stored->digest;
    given->bundle = given->bundle ? given->bundle : stored->bundle;
    if (!merge_text(&given->entry, stored->entry, "--program", folder, diag) ||
        !merge_data(given, stored, folder, diag) ||
        !merge_list(&given->inits, &given->init_count, stored->inits, stored->init_count, "--init", folder, diag))
        return false;
    if (given->has_seed && given->seed != stored->seed) {
        diag_error(diag, NULL, "%s was started with --seed %" PRIu64 ", not %" PRIu64 "; a resumed run goes on as it began", folder,
                   stored->seed, given->seed);
        return false;
    }
    given->has_seed = true;
    given->seed = stored->seed;
    given->names = stored->names; // read at the beginning alone
    if (!given->steps && !given->epochs)
        given->steps = stored->steps;
    given->totals = stored->totals;
    given->total_count = stored->total_count;
    given->fork = stored->fork;
    given->stopped = stored->stopped;
    given->stopped_at = stored->stopped_at;
    given->save_every = given->save_every ? given->save_every : stored->save_every;
    given->keep = given->keep ? given->keep : stored->keep;
    given->sample_every = given->sample_every ? given->sample_every : stored->sample_every;
    given->sample_count = given->sample_count ? given->sample_count : stored->sample_count;
    given->sample_entry = given->sample_entry ? given->sample_entry : stored->sample_entry;
    given->schedules = stored->schedules;
    given->encoder = stored->encoder;
    given->records = stored->records;
    given->classes = stored->classes;
    return true;
}

void run_note_total(Arena *arena, Run *run, uint32_t from) {
    RunTotal *totals = ARENA_NEW(arena, RunTotal, run->total_count + 1);
    uint32_t count = 0;
    for (uint32_t i = 0; i < run->total_count && (i == 0 || run->totals[i].from < from); i++)
        totals[count++] = run->totals[i];
    if (count && totals[count - 1].from == from)
        totals[count - 1].steps = run->steps;
    else if (!count || totals[count - 1].steps != run->steps)
        totals[count++] = (RunTotal){count ? from : 0, run->steps};
    run->totals = totals;
    run->total_count = count;
}
