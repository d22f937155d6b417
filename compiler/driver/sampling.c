// Sampling: bundle, device, weights and data sets for one sampling program.
#include "compiler/driver/sampling.h"
#include "runtime/data/encoder.h"

static bool overlap(const Range *a, const Range *b) {
    return a->memory == b->memory && a->offset < b->offset + b->size && b->offset < a->offset + a->size;
}

// The first trained state that the program touches, or NULL.
static const ProgramState *trained_state(const Program *program, const ProgramEntry *entry) {
    for (uint32_t i = 0; i < entry->phases.count; i++)
        for (uint32_t d = 0; d < entry->phases.items[i].dispatches.count; d++) {
            const Dispatch *dispatch = &entry->phases.items[i].dispatches.items[d];
            for (uint32_t r = 0; r < dispatch->ranges.count; r++)
                for (uint32_t s = 0; s < program->states.count; s++)
                    if (strcmp(program->states.items[s].kind, "program") != 0 &&
                        overlap(&dispatch->ranges.items[r], &program->states.items[s].tensor.range))
                        return &program->states.items[s];
        }
    return NULL;
}

static void progress(void *context, uint32_t done, uint32_t total) { common_progress(context, "sampling: repetition", done, total); }

// ---- texts

static bool find_captions(Arguments *arguments, const ProgramFeed *input, const SampleWeights *weights, Texts *out) {
    uint32_t count = 0;
    const char **captions = arguments_all(arguments, "text", &count);
    if (!weights->encoder)
        diag_warning(arguments->diag, NULL, "these weights do not say which encoder they know; %s is taken", encoder_default()->name);
    return texts_encode(arguments->arena, captions, count, weights->encoder, texts_size(input), out, arguments->diag);
}

// Captions of the data set; as many as there are images.
static bool find_records(Arguments *arguments, const Sampling *sampling, const Program *program, const ProgramFeed *input, Texts *out) {
    Arena *arena = arguments->arena;
    uint32_t spec_count = 0, per_run = texts_per_run(input);
    const char **specs = arguments_all(arguments, "data", &spec_count);
    uint32_t wanted = arguments_count(arguments, "interpolate", 0) ? 2 : sampling->count > per_run ? sampling->count : per_run;
    for (uint32_t i = 0; i < program->data.count; i++)
        if (texts_field(&program->data.items[i], texts_size(input)) != UINT32_MAX) {
            const Dataset *dataset = dataset_open(arena, specs[0], &program->data.items[i], arguments->diag);
            return dataset && texts_of_data(arena, dataset, wanted, sampling->seed, false, texts_size(input), out, arguments->diag);
        }
    diag_error(arguments->diag, NULL, "no data set of %s has texts of %u numbers", program->name, texts_size(input));
    return false;
}

// What the program's text input gets, by the command's --text, --embedding or --data.
static bool find_texts(Arguments *arguments, const Sampling *sampling, const Program *program, const ProgramFeed *input,
                       const SampleWeights *weights, Texts *out) {
    static const char *const sources[] = {"text", "embedding", "data"};
    const char *encoder = arguments_text(arguments, "encoder");
    uint32_t given = 0;
    for (uint32_t i = 0; i < sizeof sources / sizeof *sources; i++)
        given += arguments_has(arguments, sources[i]);
    if (given != 1) {
        diag_error(arguments->diag, NULL,
                   "the program makes images of texts: %s --text \"...\", --embedding FILE.npy or --data cub:DIR (its captions)",
                   given ? "only one of" : "give it");
        return false;
    }
    bool found = arguments_has(arguments, "text") ? find_captions(arguments, input, weights, out)
                 : arguments_has(arguments, "embedding")
                     ? texts_read(arguments->arena, arguments_text(arguments, "embedding"), encoder ? encoder : ENCODER_UNNAMED,
                                  texts_size(input), out, arguments->diag)
                     : find_records(arguments, sampling, program, input, out);
    return found && texts_check_encoder(out->encoder, weights->encoder, sampling->from ? sampling->from : "the network", arguments->diag);
}

static bool add_texts(Arguments *arguments, const Sampling *sampling, const Program *program, const ProgramEntry *entry,
                      SampleOptions *options) {
    const ProgramFeed *input = texts_input(entry);
    uint32_t steps = arguments_count(arguments, "interpolate", 0);
    if (!input) {
        bool given = arguments_has(arguments, "text") || arguments_has(arguments, "embedding") || arguments_has(arguments, "interpolate");
        if (given)
            diag_error(arguments->diag, NULL, "the program \"%s\" takes no texts: it has no input \"text\"", entry->name);
        return !given;
    }
    Texts *texts = ARENA_NEW(arguments->arena, Texts, 1), *between = ARENA_NEW(arguments->arena, Texts, 1);
    options->texts = texts;
    if (!find_texts(arguments, sampling, program, input, &options->weights, texts))
        return false;
    if (!arguments_has(arguments, "interpolate"))
        return true;
    if (steps < 2 || texts->count != 2) {
        diag_error(
            arguments->diag, NULL,
            "--interpolate N goes from one text to another: N is at least 2, and there are two texts; here N is %u, and texts there are %u",
            steps, texts->count);
        return false;
    }
    texts_interpolate(arguments->arena, texts, steps, between);
    options->texts = between;
    options->is_interpolation = true;
    return true;
}

static void report_broken(Arguments *arguments, const Program *program, Dataset *const *datasets) {
    for (uint32_t i = 0; i < program->data.count; i++)
        if (datasets[i])
            dataset_report_broken(datasets[i], arguments->diag);
}

static bool run_session(Arguments *arguments, const Sampling *sampling, Device *device, const Program *program, const ProgramEntry *entry) {
    uint32_t spec_count = 0;
    const char **specs = arguments_all(arguments, "data", &spec_count);
    SampleOptions options = {.entry = entry->name,
                             .count = sampling->count,
                             .seed = sampling->seed,
                             .output = {.folder = sampling->folder,
                                        .prefix = sampling->prefix,
                                        .singles = sampling->singles,
                                        .tensors = sampling->tensors,
                                        .log = sampling->log},
                             .progress = progress,
                             .progress_context = arguments->activity,
                             .reports = sampling->reports};
    Dataset **datasets = dataset_open_all(arguments->arena, program, entry, specs, spec_count, arguments->diag);
    if (!datasets)
        return false;
    options.datasets = datasets;
    SessionOptions session_options = {.seed = sampling->seed, .only_entry = entry->name, .progress = common_pipelines, .progress_context = arguments->activity};
    Session *session = session_create(arguments->arena, device, program, &session_options, arguments->diag);
    bool good = session && session_initialise(session, arguments->diag);
    if (good && sampling->from)
        good = sample_load(arguments->arena, session, program, sampling->from, &options.weights, arguments->diag);
    good = good && add_texts(arguments, sampling, program, entry, &options) && sample_run(session, program, &options, arguments->diag);
    if (good)
        report_broken(arguments, program, datasets);
    session_destroy(&session);
    return good;
}

bool sampling_run(Arguments *arguments, const Sampling *sampling) {
    Program *program = common_read_bundle(arguments, sampling->bundle);
    const ProgramEntry *entry = program ? common_entry(arguments, program, sampling->program, false) : NULL;
    if (!entry)
        return false;
    const ProgramState *state = sampling->from ? NULL : trained_state(program, entry);
    if (state) {
        diag_error(arguments->diag, NULL, "the program \"%s\" needs trained weights (%s): --from RUN or --from FILE.safetensors",
                   entry->name, state->name);
        return false;
    }
    Device *device = common_device(arguments, entry);
    if (!device)
        return false;
    common_check_class(arguments, program, device);
    bool good = run_session(arguments, sampling, device, program, entry);
    common_check_validation(arguments, device);
    device_destroy(&device);
    return good;
}
