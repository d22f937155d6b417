// Measure: what all measures have in common.
#include "runtime/eval/measure.h"
#include "runtime/base/file.h"

const char *measure_json(const Measure *measure, const Measuring *measuring) {
    JsonWriter *json = json_writer_create(measuring->arena);
    json_begin_object(json, NULL);
    measure->write(measuring, json);
    json_end_object(json);
    return json_writer_text(json);
}

static bool write_files(const Measure *measure, const Measuring *measuring) {
    const char *folder = measuring->options->out, *json = measure_json(measure, measuring);
    const char *path = file_join(measuring->arena, folder, arena_format(measuring->arena, "%s.json", measure->name));
    return file_write(path, json, strlen(json), measuring->diag) && (!measure->draw || measure->draw(measuring, folder));
}

bool measure_run(const Measure *measure, Measuring *measuring, Device *device) {
    const MeasureOptions *options = measuring->options;
    if (options->out && !file_make_folders(options->out, measuring->diag))
        return false;
    SessionOptions session = {.seed = options->seed, .only_entry = measuring->entry->name};
    measuring->session = session_create(measuring->arena, device, measuring->program, &session, measuring->diag);
    bool good = measuring->session && session_initialise(measuring->session, measuring->diag) &&
                sample_load(measuring->arena, measuring->session, measuring->program, options->from, &measuring->weights,
                            measuring->diag) &&
                measure->run(measuring);
    session_destroy(&measuring->session);
    return good && (!options->out || write_files(measure, measuring));
}
