// Sampling: bundle, device, weights and data sets for one sampling program.
#include "compiler/driver/sampling.h"
#include "runtime/data/encoder.h"

// The first trained state that the program touches, or NULL.
static const ProgramState *trained_state(const Program *program, const ProgramEntry *entry) {
    for (uint32_t i = 0; i < entry->phases.count; i++)
        for (uint32_t d = 0; d < entry->phases.items[i].dispatches.count; d++) {
            const Dispatch *dispatch = &entry->phases.items[i].dispatches.items[d];
            for (uint32_t r = 0; r < dispatch->ranges.count; r++)
                for (uint32_t s = 0; s < program->states.count; s++)
                    if (program->states.items[s].kind != STATE_PROGRAM &&
                        range_overlaps(&dispatch->ranges.items[r], &program->states.items[s].tensor.range))
                        return &program->states.items[s];
        }
    return NULL;
}

static void progress(void *context, uint32_t done, uint32_t total) { activity_progress(context, "sampling: repetition", done, total); }

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
    if (options->inputs->items[input - entry->inputs.items].values) // by --set, or its default
        return true;
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

// What --set gives, and the defaults; a text comes by --text, --embedding or --data, too.
static bool read_inputs(Arguments *arguments, const ProgramEntry *entry, Inputs *out) {
    uint32_t count = 0;
    const char **specs = arguments_all(arguments, "set", &count);
    const ProgramFeed *text = texts_input(entry);
    bool has_words = arguments_has(arguments, "text") || arguments_has(arguments, "embedding");
    *out = inputs_create(arguments->arena, entry);
    if (!inputs_read_all(arguments->arena, entry, specs, count, out, arguments->diag))
        return false;
    bool is_set = text && out->items[text - entry->inputs.items].is_given;
    if (is_set && has_words) {
        diag_error(arguments->diag, NULL, "the input \"text\" is given twice: by --set, and by --text or --embedding");
        return false;
    }
    // Without words its default serves, where it has one; else find_texts says what is missing.
    bool is_other = text && !is_set && (has_words || arguments_has(arguments, "interpolate") || !text->default_count);
    return inputs_complete(arguments->arena, entry, is_other ? text : NULL, out, arguments->diag);
}

static EmitsOutput output_of(const Sampling *sampling) {
    return (EmitsOutput){.folder = sampling->folder,
                         .prefix = sampling->prefix,
                         .columns = sampling->columns,
                         .singles = sampling->singles,
                         .tensors = sampling->tensors,
                         .log = sampling->log};
}

static bool run_session(Arguments *arguments, const Sampling *sampling, Device *device, const Program *program, const ProgramEntry *entry,
                        const Inputs *inputs) {
    uint32_t spec_count = 0;
    const char **specs = arguments_all(arguments, "data", &spec_count);
    SampleOptions options = {.entry = entry->name,
                             .count = sampling->count,
                             .seed = sampling->seed,
                             .output = output_of(sampling),
                             .inputs = inputs,
                             .progress = progress,
                             .progress_context = arguments->activity,
                             .reports = sampling->reports};
    Dataset **datasets = dataset_open_all(arguments->arena, program, entry, specs, spec_count, arguments->diag);
    if (!datasets)
        return false;
    options.datasets = datasets;
    SessionOptions session_options = {.seed = sampling->seed,
                                      .only_entry = entry->name,
                                      .progress = activity_pipelines,
                                      .progress_context = arguments->activity};
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

static bool is_sampler(const ProgramEntry *entry) { return !entry->training && (emits_any(entry, RESULT_IMAGE) || emits_any(entry, RESULT_ROWS)); }

// By name; else the one called "sample"; else the only one that emits images or rows.
static const ProgramEntry *find_entry(Arguments *arguments, const Program *program, const char *name) {
    const ProgramEntry *entry = name ? common_entry(arguments, program, name, false) : program_entry(program, "sample");
    if (name || (entry && !entry->training))
        return entry;
    const char **known = ARENA_NEW(arguments->arena, const char *, program->entries.count + 1u);
    uint32_t count = 0, evaluating = 0;
    for (uint32_t i = 0; i < program->entries.count; i++)
        if (is_sampler(&program->entries.items[i])) {
            entry = &program->entries.items[i];
            known[count++] = entry->name;
        }
    if (count == 1)
        return entry;
    for (uint32_t i = 0; count == 0 && i < program->entries.count; i++)
        if (!program->entries.items[i].training)
            known[evaluating++] = program->entries.items[i].name;
    Text names = text_create(arguments->arena);
    for (uint32_t i = 0; i < count + evaluating; i++)
        text_format(&names, "%s--program %s", i ? ", " : "", known[i]);
    if (count)
        diag_error(arguments->diag, NULL, "%s has no program \"sample\", and %u that emit images or rows; say which: %s", program->name,
                   count, names.data);
    else
        diag_error(arguments->diag, NULL, "%s has no program that emits images or rows%s%s", program->name,
                   evaluating ? "; those that evaluate are " : "", names.data);
    return NULL;
}

bool sampling_run(Arguments *arguments, const Sampling *sampling) {
    Program *program = common_read_bundle(arguments, sampling->bundle);
    const ProgramEntry *entry = program ? find_entry(arguments, program, sampling->program) : NULL;
    EmitsOutput output = output_of(sampling);
    Inputs inputs;
    if (!entry || !(sampling->may_replace || sample_is_free(entry, &output, arguments_has(arguments, "interpolate"), arguments->diag)))
        return false;
    const ProgramState *state = sampling->from ? NULL : trained_state(program, entry);
    if (state) {
        diag_error(arguments->diag, NULL, "the program \"%s\" needs trained weights (%s): --from RUN or --from FILE.safetensors",
                   entry->name, state->name);
        return false;
    }
    Device *device = read_inputs(arguments, entry, &inputs) ? common_device(arguments, entry) : NULL;
    if (!device)
        return false;
    common_check_class(arguments, program, device);
    bool good = run_session(arguments, sampling, device, program, entry, &inputs);
    common_check_validation(arguments, device);
    device_destroy(&device);
    return good;
}
