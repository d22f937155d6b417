// Request: see request.h.
#include "runtime/sample/request.h"
#include "runtime/data/encoder.h"

// The first trained state that the program touches, or NULL.
static const ProgramState *trained_state(const Program *program, const ProgramEntry *entry) {
    for (uint32_t i = 0; i < entry->phases.count; i++)
        for (uint32_t d = 0; d < entry->phases.items[i].steps.count; d++) {
            const Step *dispatch = &entry->phases.items[i].steps.items[d];
            for (uint32_t r = 0; r < dispatch->ranges.count; r++)
                for (uint32_t s = 0; s < program->states.count; s++)
                    if (program->states.items[s].kind != STATE_PROGRAM && program->states.items[s].kind != STATE_SUM &&
                        range_overlaps(&dispatch->ranges.items[r], &program->states.items[s].tensor.range))
                        return &program->states.items[s];
        }
    return NULL;
}

typedef struct {
    Arena *arena;
    const SampleRequest *request;
    const Program *program;
    const ProgramEntry *entry;
    Diag *diag;
} Work;

// ---- texts

static bool find_captions(const Work *work, const ProgramFeed *input, const SampleWeights *weights, Texts *out) {
    const SampleRequest *request = work->request;
    if (!weights->encoder && !input->tokens)
        diag_warning(work->diag, NULL, "these weights do not say which encoder they know; %s is taken", encoder_default()->name);
    return texts_encode(work->arena, request->texts, request->text_count, weights->encoder, input, out, work->diag);
}

// Captions of the data set; as many as there are images.
static bool find_records(const Work *work, const ProgramFeed *input, Texts *out) {
    Arena *arena = work->arena;
    const SampleRequest *request = work->request;
    const Program *program = work->program;
    uint32_t per_run = texts_per_run(input), wanted = request->interpolate ? 2 : request->count > per_run ? request->count : per_run;
    for (uint32_t i = 0; i < program->data.count; i++)
        if (texts_field(&program->data.items[i], input) != UINT32_MAX) {
            const Dataset *dataset = dataset_open(arena, request->data[0], &program->data.items[i], work->diag);
            return dataset && texts_of_data(arena, dataset, wanted, request->seed, false, input, out, work->diag);
        }
    diag_error(work->diag, NULL, "no data set of %s has %s", program->name, texts_kind(arena, input));
    return false;
}

// What the program's text input gets: captions, vectors, or a data set's captions.
static bool find_texts(const Work *work, const ProgramFeed *input, const SampleWeights *weights, Texts *out) {
    const SampleRequest *request = work->request;
    int given = (request->text_count > 0) + (request->embedding != NULL) + (request->data_count > 0);
    if (given != 1) {
        diag_error(work->diag, NULL,
                   "the program makes images of texts: %s --text \"...\", --embedding FILE.npy or --data SPEC (the texts of a data set)",
                   given ? "only one of" : "give it");
        return false;
    }
    const char *encoder = request->encoder ? request->encoder : ENCODER_UNNAMED;
    bool found = request->text_count  ? find_captions(work, input, weights, out)
                 : request->embedding ? texts_read(work->arena, request->embedding, encoder, input, out, work->diag)
                                      : find_records(work, input, out);
    return found && texts_check_encoder(out->encoder, weights->encoder, request->from ? request->from : "the network", work->diag);
}

static bool add_texts(const Work *work, SampleOptions *options) {
    const SampleRequest *request = work->request;
    const ProgramEntry *entry = work->entry;
    const ProgramFeed *input = texts_input(entry);
    uint32_t steps = request->interpolate;
    if (!input) {
        bool given = request->text_count || request->embedding || steps;
        if (given)
            diag_error(work->diag, NULL, "the program \"%s\" takes no texts: it has no input \"text\"", entry->name);
        return !given;
    }
    if (options->inputs->items[input - entry->inputs.items].values) // by --set, or its default
        return true;
    Texts *texts = ARENA_NEW(work->arena, Texts, 1), *between = ARENA_NEW(work->arena, Texts, 1);
    options->texts = texts;
    if (!find_texts(work, input, &options->weights, texts))
        return false;
    if (!steps)
        return true;
    if (input->tokens) {
        diag_error(work->diag, NULL, "--interpolate goes from vector to vector, and the program \"%s\" reads %s", entry->name,
                   texts_kind(work->arena, input));
        return false;
    }
    if (steps < 2 || texts->count != 2) {
        diag_error(
            work->diag, NULL,
            "--interpolate N goes from one text to another: N is at least 2, and there are two texts; here N is %u, and texts there are %u",
            steps, texts->count);
        return false;
    }
    texts_interpolate(work->arena, texts, steps, between);
    options->texts = between;
    options->is_interpolation = true;
    return true;
}

static void report_broken(const Work *work, Dataset *const *datasets) {
    for (uint32_t i = 0; i < work->program->data.count; i++)
        if (datasets[i])
            dataset_report_broken(datasets[i], work->diag);
}

// What --set gives, and the defaults; a text comes by --text, --embedding or --data, too.
static bool read_inputs(const Work *work, Inputs *out) {
    const SampleRequest *request = work->request;
    const ProgramFeed *text = texts_input(work->entry);
    bool has_words = request->text_count || request->embedding;
    *out = inputs_create(work->arena, work->entry);
    ClassLists *classes = ARENA_NEW(work->arena, ClassLists, 1);
    if (request->from)
        *classes = classes_of_run(work->arena, request->from);
    inputs_know(out, work->program, classes);
    if (!inputs_read_all(work->arena, work->entry, request->sets, request->set_count, out, work->diag))
        return false;
    bool is_set = text && out->items[text - work->entry->inputs.items].is_given;
    if (is_set && has_words) {
        diag_error(work->diag, NULL, "the input \"text\" is given twice: by --set, and by --text or --embedding");
        return false;
    }
    // Without words its default serves, where it has one; else find_texts says what is missing.
    bool is_other = text && !is_set && (has_words || request->interpolate || !text->default_count);
    return inputs_complete(work->arena, work->entry, is_other ? text : NULL, out, work->diag);
}

bool request_run(Arena *arena, const SampleRequest *request, Device *device, const Program *program, const ProgramEntry *entry,
                 const Inputs *inputs, Diag *diag) {
    Work work = {arena, request, program, entry, diag};
    SampleOptions options = {.entry = entry->name,
                             .count = request->count,
                             .seed = request->seed,
                             .output = request->output,
                             .inputs = inputs,
                             .progress = request->progress,
                             .progress_context = request->progress_context,
                             .reports = request->reports};
    Dataset **datasets = dataset_open_all(arena, program, entry, request->data, request->data_count, diag);
    if (!datasets)
        return false;
    options.datasets = datasets;
    SessionOptions session_options = {.seed = request->seed,
                                      .only_entry = entry->name,
                                      .progress = request->progress_pipelines,
                                      .progress_context = request->progress_context};
    Session *session = session_create(arena, device, program, &session_options, diag);
    bool good = session && session_initialise(session, diag);
    if (good && request->from)
        good = sample_load(arena, session, program, request->from, &options.weights, diag);
    good = good && add_texts(&work, &options) && sample_run(session, program, &options, diag);
    if (good)
        report_broken(&work, datasets);
    session_destroy(&session);
    return good;
}

static bool is_sampler(const ProgramEntry *entry) {
    return !entry->training && (emits_any(entry, RESULT_IMAGE) || emits_any(entry, RESULT_ROWS));
}

const ProgramEntry *request_entry(Arena *arena, const Program *program, Diag *diag) {
    const ProgramEntry *entry = program_entry(program, "sample");
    if (entry && !entry->training)
        return entry;
    const char **known = ARENA_NEW(arena, const char *, program->entries.count + 1u);
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
    Text names = text_create(arena);
    for (uint32_t i = 0; i < count + evaluating; i++)
        text_format(&names, "%s--program %s", i ? ", " : "", known[i]);
    if (count)
        diag_error(diag, NULL, "%s has no program \"sample\", and %u that emit images or rows; say which: %s", program->name,
                   count, names.data);
    else
        diag_error(diag, NULL, "%s has no program that emits images or rows%s%s", program->name,
                   evaluating ? "; those that evaluate are " : "", names.data);
    return NULL;
}

bool request_check(Arena *arena, const SampleRequest *request, const Program *program, const ProgramEntry *entry, Inputs *inputs,
                   Diag *diag) {
    Work work = {arena, request, program, entry, diag};
    if (!request->may_replace && !sample_is_free(entry, &request->output, request->interpolate > 0, diag))
        return false;
    const ProgramState *state = request->from ? NULL : trained_state(program, entry);
    if (!state)
        return read_inputs(&work, inputs);
    diag_error(diag, NULL, "the program \"%s\" needs trained weights (%s): --from RUN or --from FILE.safetensors", entry->name,
               state->name);
    return false;
}
