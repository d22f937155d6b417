// Profile: JSON in and out.
#include "runtime/program/profile.h"
#include "runtime/base/version.h"
#include "runtime/program/target_file.h"

static const char *const members[] = {"gcc-graph profile", "version", "source", "driver", "target"};
enum { MEMBER_COUNT = sizeof members / sizeof *members };

const char *profile_text(Arena *arena, const Profile *profile) {
    JsonWriter *json = json_writer_create(arena);
    json_begin_object(json, NULL);
    json_write_uint(json, "gcc-graph profile", capabilities_format());
    json_write_text(json, "version", GG_VERSION);
    json_write_text(json, "source", profile->source);
    json_write_text(json, "driver", profile->driver);
    json_begin_object(json, "target");
    target_write(json, &profile->target, true);
    json_end_object(json);
    json_end_object(json);
    return json_writer_text(json);
}

static void check_members(Fields *fields, const Json *object, const char *const *known, uint32_t count) {
    for (const Json *item = object->first; item; item = item->next) {
        bool found = false;
        for (uint32_t i = 0; i < count && !found; i++)
            found = strcmp(item->key, known[i]) == 0;
        if (!found)
            field_complain(fields, item, "unknown member \"%s\"%s", item->key, text_suggestion(fields->arena, item->key, known, count));
    }
}

static Target read_target(Fields *fields, const Json *json, uint32_t format) {
    const char *known[CAPABILITY_COUNT + 3] = {"class", "device", "model"}, *figures[FIGURE_COUNT + 1] = {"is_measured"};
    uint32_t count = 3;
    for (Capability i = 0; i < CAPABILITY_COUNT; i++)
        if (capability_def(i)->since <= format)
            known[count++] = capability_def(i)->name;
    check_members(fields, json, known, count);
    for (ModelFigure i = 0; i < FIGURE_COUNT; i++)
        figures[i + 1] = figure_def(i)->name;
    const Json *model = json_get(json, "model");
    if (model)
        check_members(fields, model, figures, FIGURE_COUNT + 1);
    if (!json_get(json, "device"))
        field_complain(fields, json, "device is missing: the name of the device");
    Target target = target_read(fields, json, format);
    if (target.target_class == TARGET_ANY)
        field_complain(fields, json, "class: a device is of the class cpu or gpu");
    return target;
}

static void read_profile(Fields *fields, const Json *root, Profile *profile) {
    const Json *format = json_get(root, "gcc-graph profile"), *writer = json_get(root, "version"), *target = json_get(root, "target");
    if (!format || format->kind != JSON_NUMBER) {
        field_complain(fields, root, "this is no profile of a device; gcc-graph devices --profile makes one");
        return;
    }
    const char *misfit = version_misfit(fields->arena, format->number, 1, capabilities_format(),
                                        writer && writer->kind == JSON_STRING ? writer->string : NULL);
    if (misfit) {
        field_complain(fields, format, "%s", misfit);
        return;
    }
    check_members(fields, root, members, MEMBER_COUNT);
    field_text(fields, root, "version");
    profile->source = field_text(fields, root, "source");
    profile->driver = field_text(fields, root, "driver");
    if (target && target->kind == JSON_OBJECT)
        profile->target = read_target(fields, target, (uint32_t)format->number);
    else
        field_complain(fields, target ? target : root, "target: an object is needed");
}

Profile *profile_read(Arena *arena, const char *path, Diag *diag) {
    Fields fields = {.arena = arena, .diag = diag_create(arena)}; // whether this file has errors must not depend on others
    Profile *profile = ARENA_NEW(arena, Profile, 1);
    const Json *root = json_read(arena, path, fields.diag);
    if (root)
        read_profile(&fields, root, profile);
    bool good = diag_error_count(fields.diag) == 0;
    diag_merge(diag, fields.diag);
    return good ? profile : NULL;
}
