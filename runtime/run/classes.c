// Classes: see classes.h.
#include "runtime/run/classes.h"
#include "runtime/base/file.h"
#include "runtime/run/run.h"

void classes_write(JsonWriter *writer, const ClassLists *lists) {
    if (!lists->count)
        return;
    json_begin_object(writer, "classes");
    for (uint32_t i = 0; i < lists->count; i++) {
        json_begin_array(writer, lists->items[i].data);
        for (uint32_t k = 0; k < lists->items[i].count; k++)
            json_write_text(writer, NULL, lists->items[i].names[k]);
        json_end_array(writer);
    }
    json_end_object(writer);
}

bool classes_read(Arena *arena, const Json *json, ClassLists *out, Diag *diag) {
    const Json *object = json_get(json, "classes");
    *out = (ClassLists){0};
    bool ok = !object || object->kind == JSON_OBJECT;
    Classes *lists = ARENA_NEW(arena, Classes, object ? object->count + 1u : 1u);
    for (const Json *list = ok && object ? object->first : NULL; list; list = list->next) {
        ok &= list->kind == JSON_ARRAY;
        const char **names = ARENA_NEW(arena, const char *, list->count + 1u);
        Classes *classes = &lists[out->count++];
        *classes = (Classes){.data = list->key, .names = names};
        for (const Json *name = list->first; name && ok; name = name->next) {
            ok &= name->kind == JSON_STRING;
            names[classes->count++] = name->string;
        }
    }
    out->items = lists;
    if (!ok) {
        Place place = json_place(arena, object);
        diag_error(diag, &place, "\"classes\" must be lists of texts by data set");
    }
    return ok;
}

static const char *name_at(const Classes *classes, uint32_t i) { return i < classes->count ? classes->names[i] : "none"; }

bool classes_check(const ClassLists *now, const ClassLists *before, Diag *diag) {
    for (uint32_t i = 0; i < now->count; i++)
        for (uint32_t k = 0; k < before->count; k++) {
            const Classes *a = &now->items[i], *b = &before->items[k];
            for (uint32_t c = 0; strcmp(a->data, b->data) == 0 && (c < a->count || c < b->count); c++)
                if (c >= a->count || c >= b->count || strcmp(a->names[c], b->names[c]) != 0) {
                    diag_error(diag, NULL, "the run began with \"%s\" as class %u of the data set \"%s\"; now that is \"%s\"", name_at(b, c), c,
                               a->data, name_at(a, c));
                    return false;
                }
        }
    return true;
}

static bool has_field(const Program *program, const char *data, const ProgramFeed *input) {
    for (uint32_t i = 0; i < program->data.count; i++)
        for (uint32_t f = 0; f < program->data.items[i].field_count && strcmp(program->data.items[i].name, data) == 0; f++)
            if (strcmp(program->data.items[i].fields[f].name, input->name) == 0)
                return !program->data.items[i].fields[f].tokens && program->data.items[i].fields[f].below == input->below;
    return false;
}

const Classes *classes_of(const ClassLists *lists, const Program *program, const ProgramFeed *input) {
    for (uint32_t i = 0; i < lists->count && input->below && !input->tokens; i++)
        if (has_field(program, lists->items[i].data, input))
            return &lists->items[i];
    return NULL;
}

ClassLists classes_of_run(Arena *arena, const char *run_or_file) {
    const char *folder = file_is_folder(run_or_file) ? run_or_file : file_folder(arena, run_or_file);
    Run run;
    return run_exists(folder) && run_read(arena, folder, &run, diag_create(arena)) ? run.classes : (ClassLists){0};
}
