// Names: see names.h.
#include "runtime/run/names.h"
#include "runtime/base/json.h"
#include "runtime/base/name.h"

// `name` by the pattern, with what the star stands for put into `other`; NULL where it does not fit.
static const char *fit(Arena *arena, const char *pattern, const char *other, const char *name) {
    const char *star = strchr(pattern, '*'), *into = strchr(other, '*');
    if (!star)
        return strcmp(pattern, name) == 0 ? other : NULL;
    size_t before = (size_t)(star - pattern), length = strlen(name), after = strlen(star + 1);
    if (length <= before + after || strncmp(name, pattern, before) != 0 || strcmp(name + length - after, star + 1) != 0)
        return NULL;
    size_t step = length - before - after;
    if (memchr(name + before, '.', step))
        return NULL;
    return arena_format(arena, "%.*s%.*s%s", (int)(into - other), other, (int)step, name + before, into + 1);
}

static uint32_t star_count(const char *text) {
    uint32_t count = 0;
    for (; *text; text++)
        count += *text == '*';
    return count;
}

static void read_row(Arena *arena, const Json *json, Names *out, Diag *diag) {
    NamesRow row = {.ours = json->key, .theirs = json->string, .place = json_place(arena, json)};
    if (json->kind != JSON_STRING) {
        diag_error(diag, &row.place, "expected a name, found %s", json_kind_name(json->kind));
        return;
    }
    const char *mistake = name_mistake(row.ours);
    if (mistake) {
        diag_error(diag, &row.place, "\"%s\": %s", row.ours, mistake);
        return;
    }
    uint32_t stars = star_count(row.ours);
    if (stars > 1 || stars != star_count(row.theirs)) {
        diag_error(diag, &row.place, "expected one '*' in both names or none, found \"%s\": \"%s\"", row.ours, row.theirs);
        return;
    }
    for (uint32_t i = 0; i < out->rows.count; i++)
        if (strcmp(out->rows.items[i].theirs, row.theirs) == 0)
            diag_error(diag, &row.place, "\"%s\" is the name of \"%s\" already", row.theirs, out->rows.items[i].ours);
    array_push(arena, &out->rows, row);
}

bool names_read(Arena *arena, const char *path, Names *out, Diag *diag) {
    uint32_t errors = diag_error_count(diag);
    *out = (Names){.path = path};
    const Json *json = json_read(arena, path, diag);
    if (!json)
        return false;
    if (json->kind != JSON_OBJECT) {
        Place place = json_place(arena, json);
        diag_error(diag, &place, "expected an object { our name: other name }, found %s", json_kind_name(json->kind));
        return false;
    }
    for (const Json *row = json->first; row && !diag_is_full(diag); row = row->next)
        read_row(arena, row, out, diag);
    return diag_error_count(diag) == errors;
}

const char *names_theirs(Arena *arena, const Names *names, const char *ours) {
    for (uint32_t i = 0; i < names->rows.count; i++) {
        const char *other = fit(arena, names->rows.items[i].ours, names->rows.items[i].theirs, ours);
        if (other)
            return other;
    }
    return ours;
}

const char *names_ours(Arena *arena, const Names *names, const char *theirs) {
    for (uint32_t i = 0; i < names->rows.count; i++) {
        const char *other = fit(arena, names->rows.items[i].theirs, names->rows.items[i].ours, theirs);
        if (other)
            return other;
    }
    return theirs;
}

static bool has_row(Arena *arena, const NamesRow *row, const TensorFile *file, bool is_theirs) {
    for (uint32_t i = 0; i < file->tensors.count; i++)
        if (fit(arena, is_theirs ? row->theirs : row->ours, "*", file->tensors.items[i].name))
            return true;
    return false;
}

static bool same_network(const char *a, const char *b) {
    size_t length = strcspn(a, ".");
    return length == strcspn(b, ".") && strncmp(a, b, length) == 0;
}

bool names_check(Arena *arena, const Names *names, const TensorFile *file, bool is_theirs, Diag *diag) {
    uint32_t errors = diag_error_count(diag), row_count = names->rows.count;
    bool *has = ARENA_NEW(arena, bool, row_count + 1), any = row_count == 0;
    for (uint32_t i = 0; i < row_count; i++) {
        has[i] = has_row(arena, &names->rows.items[i], file, is_theirs);
        any = any || has[i];
    }
    for (uint32_t i = 0; i < row_count && !diag_is_full(diag); i++) {
        const NamesRow *row = &names->rows.items[i];
        bool is_wanted = !any;
        for (uint32_t k = 0; k < row_count && !is_wanted; k++)
            is_wanted = has[k] && same_network(row->ours, names->rows.items[k].ours);
        if (!has[i] && is_wanted)
            diag_error(diag, &row->place, "there is no tensor \"%s\"", is_theirs ? row->theirs : row->ours);
    }
    return diag_error_count(diag) == errors;
}
