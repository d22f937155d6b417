// Sample: see sample.h.
#include "runtime/sample.h"
#include "runtime/data/loader.h"
#include "runtime/draw.h"
#include "runtime/figure.h"
#include "runtime/metrics.h"
#include "runtime/weights.h"
#include <inttypes.h>

enum { IN_FLIGHT = 3, TEXT_COUNT = 4 };

typedef struct {
    Arena *arena;
    const Program *program;
    Session *session;
    const SampleOptions *options;
    const ProgramEntry *entry;
    Loader *loader;
    Emits *emits;
    uint32_t runs, per_run, records[IN_FLIGHT]; // records by tag mod IN_FLIGHT; per_run: repetitions
    uint32_t waiting;                           // submitted, not taken
    uint32_t done, total;
} Sampling;

static void print_reports(const Sampling *sampling, const SessionResult *result) {
    for (uint32_t i = 0; sampling->options->reports && i < result->phase->results.count; i++) {
        const ProgramResult *report = &result->phase->results.items[i];
        if (!report->format && result->values[i])
            fprintf(sampling->options->reports, "%s.%s@%u.%u %.9g\n", result->phase->name, report->name, result->moment.step,
                    result->moment.repetition, metrics_value(result, i));
    }
}

static bool take(Sampling *sampling, bool wait, bool *got, Diag *diag) {
    SessionResult result;
    if (!session_take(sampling->session, wait, &result, got, diag))
        return false;
    if (!*got)
        return true;
    sampling->waiting--;
    sampling->done++;
    emits_add(sampling->emits, &result, (uint32_t)(result.tag / sampling->per_run), sampling->records[result.tag % IN_FLIGHT]);
    print_reports(sampling, &result);
    if (sampling->options->progress)
        sampling->options->progress(sampling->options->progress_context, sampling->done, sampling->total);
    return true;
}

static bool take_all(Sampling *sampling, Diag *diag) {
    bool got = true;
    while (sampling->waiting > 0)
        if (!take(sampling, true, &got, diag))
            return false;
    return true;
}

static bool submit(Sampling *sampling, const LoaderBatch *batch, uint64_t tag, Diag *diag) {
    bool got = true;
    while (got && sampling->waiting > 0) // what is ready, and one more where all places are taken
        if (!take(sampling, sampling->waiting == IN_FLIGHT, &got, diag))
            return false;
    uint32_t epoch_steps = loader_epoch_steps(sampling->loader);
    uint32_t step = sampling->options->is_interpolation ? 0 : batch->step; // one step, one noise
    Moment moment = {step, sampling->runs, step / epoch_steps, epoch_steps, batch->repetition, batch->records};
    sampling->records[tag % IN_FLIGHT] = batch->records;
    sampling->waiting++;
    return session_submit(sampling->session, sampling->entry, &sampling->entry->phases.items[batch->phase], &moment, batch->feeds, tag,
                          diag);
}

// What a run begins with: its own states anew, its texts.
static bool begin_run(Sampling *sampling, uint32_t run, Diag *diag) {
    const Texts *texts = sampling->options->texts;
    return take_all(sampling, diag) && session_reset_entry(sampling->session, sampling->entry->name, diag) &&
           (!texts || texts_set(sampling->session, sampling->entry, texts, run, diag));
}

static bool run_all(Sampling *sampling, Diag *diag) {
    for (uint32_t p = 0; p < sampling->entry->phases.count; p++)
        sampling->per_run += loader_repeats(sampling->loader, p);
    sampling->total = sampling->per_run * sampling->runs;
    for (uint32_t i = 0; i < sampling->total; i++) {
        LoaderBatch batch;
        if (i % sampling->per_run == 0 && !begin_run(sampling, i / sampling->per_run, diag))
            return false;
        if (!loader_next(sampling->loader, &batch, diag) || !submit(sampling, &batch, i, diag))
            return false;
    }
    return take_all(sampling, diag);
}

enum { FIGURE_ROWS = 10 };

static bool write_picture(const Sampling *sampling, const EmitsOutput *output, const char *name, const Image *image, Diag *diag) {
    const char *path = arena_format(sampling->arena, "%s/%s%s.png", output->folder, output->prefix ? output->prefix : "", name);
    bool ok = image_write(path, image, output->texts, output->text_count, diag);
    if (ok && output->log)
        fprintf(output->log, "%s\n", path);
    return ok;
}

// Texts beside the pictures that were made of them.
static bool write_figure(const Sampling *sampling, const EmitsOutput *output, const EmitsPictures *pictures, uint32_t count, Diag *diag) {
    Arena *arena = sampling->arena;
    const Texts *texts = sampling->options->texts;
    const ProgramFeed *input = texts_input(sampling->entry);
    uint32_t limit = output->count && output->count < FIGURE_ROWS ? output->count : FIGURE_ROWS;
    const char *captions[FIGURE_ROWS];
    FigureColumn *columns = ARENA_NEW(arena, FigureColumn, count + 1);
    Figure figure = {
        .title = sampling->program->name ? sampling->program->name : "samples", .rows = limit, .captions = captions, .columns = columns};
    for (uint32_t i = 0; i < count; i++) {
        if (pictures[i].times != 1 || pictures[i].count == 0)
            continue;
        columns[figure.column_count++] =
            (FigureColumn){pictures[i].name, pictures[i].channels, pictures[i].height, pictures[i].width, pictures[i].values};
        figure.rows = pictures[i].count < figure.rows ? pictures[i].count : figure.rows;
    }
    if (figure.column_count == 0)
        return true;
    uint32_t per_run = emits_images_per_run(sampling->entry);
    for (uint32_t i = 0; i < figure.rows; i++) {
        uint32_t text = texts_index(texts, input, i / per_run, i % per_run);
        captions[i] = texts->captions && texts->captions[text] ? texts->captions[text] : arena_format(arena, "vector %u", text);
    }
    figure.subtitle = arena_format(arena, "program %s, %s steps of training, seed %" PRIu64, sampling->entry->name,
                                   text_thousands(arena, sampling->options->weights.steps), sampling->options->seed);
    Image image;
    const char *html = arena_format(arena, "%s/%sfigure.html", output->folder, output->prefix ? output->prefix : "");
    if (!figure_draw(arena, &figure, &image, diag) || !write_picture(sampling, output, "figure", &image, diag) ||
        !figure_write_html(html, &figure, diag))
        return false;
    if (output->log)
        fprintf(output->log, "%s\n", html);
    return true;
}

// Rows: noise; columns: the texts, from the first to the second.
static bool write_interpolation(const Sampling *sampling, const EmitsOutput *output, const EmitsPictures *pictures, Diag *diag) {
    Arena *arena = sampling->arena;
    uint32_t columns = sampling->runs, rows = pictures->count / columns,
             shown = output->count && output->count < rows ? output->count : rows;
    shown = shown > FIGURE_ROWS ? FIGURE_ROWS : shown;
    size_t each = (size_t)pictures->channels * pictures->height * pictures->width;
    float *values = ARENA_NEW(arena, float, each *shown *columns);
    const char **captions = ARENA_NEW(arena, const char *, columns);
    for (uint32_t c = 0; c < columns; c++) {
        captions[c] = arena_format(arena, "%.2f", columns > 1 ? c / (columns - 1.0) : 0.0);
        for (uint32_t r = 0; r < shown; r++)
            memcpy(values + ((size_t)r * columns + c) * each, pictures->values + ((size_t)c * rows + r) * each, each * sizeof *values);
    }
    const char *const *ends = sampling->options->texts->captions;
    DrawStrip strip = {.title = ends[0] ? arena_format(arena, "%s  \u2192  %s", ends[0], ends[columns - 1]) : pictures->name,
                       .values = values,
                       .rows = shown,
                       .columns = columns,
                       .channels = pictures->channels,
                       .height = pictures->height,
                       .width = pictures->width,
                       .column_captions = captions};
    Image image;
    return draw_strip(arena, &strip, &image, diag) &&
           write_picture(sampling, output, arena_format(arena, "interpolation-%s", pictures->name), &image, diag);
}

static bool write_all(const Sampling *sampling, const EmitsOutput *output, Diag *diag) {
    const SampleOptions *options = sampling->options;
    EmitsPictures *pictures;
    uint32_t count =
        options->texts ? emits_pictures(sampling->arena, sampling->emits, options->is_interpolation ? 0 : output->count, &pictures) : 0;
    if (!options->is_interpolation)
        return emits_write(sampling->emits, output, diag) && (!options->texts || write_figure(sampling, output, pictures, count, diag));
    bool ok = file_make_folders(output->folder, diag);
    uint32_t written = 0;
    for (uint32_t i = 0; ok && i < count; i++)
        if (pictures[i].times == 1) {
            ok = write_interpolation(sampling, output, &pictures[i], diag);
            written++;
        }
    if (ok && !written)
        diag_error(diag, NULL, "the program \"%s\" emits no image once a run: there is nothing to lay side by side", sampling->entry->name);
    return ok && written;
}

static bool write_files(const Sampling *sampling, Diag *diag) {
    Arena *arena = sampling->arena;
    EmitsOutput output = sampling->options->output;
    if (!output.folder)
        return true;
    const ImageText texts[TEXT_COUNT] = {
        {"digest", sampling->program->digest},
        {"program", sampling->entry->name},
        {"step", arena_format(arena, "%u", sampling->options->weights.steps)},
        {"seed", arena_format(arena, "%" PRIu64, sampling->options->seed)},
    };
    output.count = sampling->options->count;
    output.texts = texts;
    output.text_count = TEXT_COUNT;
    return write_all(sampling, &output, diag);
}

static const ProgramEntry *find_entry(const Program *program, const char *name, Diag *diag) {
    const ProgramEntry *entry = program_entry(program, name);
    if (entry)
        return entry;
    Arena *arena = arena_create();
    const char **names = ARENA_NEW(arena, const char *, program->entries.count + 1);
    for (uint32_t i = 0; i < program->entries.count; i++)
        names[i] = program->entries.items[i].name;
    diag_error(diag, NULL, "the bundle has no program \"%s\"%s", name, text_suggestion(arena, name, names, program->entries.count));
    arena_destroy(&arena);
    return NULL;
}

static uint32_t runs_of(const SampleOptions *options, const ProgramEntry *entry) {
    uint32_t runs = options->count ? (options->count - 1) / emits_images_per_run(entry) + 1 : 1;
    // Each caption that was given is used at least once; vectors and records are there for the asking.
    uint32_t texts = options->texts ? (options->texts->count - 1) / texts_per_run(texts_input(entry)) + 1 : 1;
    return options->is_interpolation ? options->texts->count : options->count || runs > texts ? runs : texts;
}

bool sample_run(Session *session, const Program *program, const SampleOptions *options, Diag *diag) {
    const ProgramEntry *entry = find_entry(program, options->entry, diag);
    if (!entry)
        return false;
    Arena *arena = arena_create();
    Sampling sampling = {.arena = arena,
                         .program = program,
                         .session = session,
                         .options = options,
                         .entry = entry,
                         .emits = emits_create(arena),
                         .runs = runs_of(options, entry)};
    LoaderOptions loading = {
        .program = program, .entry = entry, .datasets = options->datasets, .seed = options->seed, .end_step = sampling.runs};
    sampling.loader = loader_create(arena, &loading, diag);
    bool ok = sampling.loader && run_all(&sampling, diag) && write_files(&sampling, diag);
    loader_destroy(&sampling.loader);
    arena_destroy(&arena);
    return ok;
}

bool sample_load(Arena *arena, Session *session, const Program *program, const char *run_or_file, SampleWeights *out, Diag *diag) {
    Arena *inner = arena_create();
    Checkpoint checkpoint;
    bool ok =
        checkpoint_read_from(inner, run_or_file, &checkpoint, diag) && weights_set(session, program, &checkpoint, CHECKPOINT_WEIGHTS, diag);
    *out = (SampleWeights){0};
    if (ok)
        *out = (SampleWeights){checkpoint.info.step, checkpoint.info.encoder ? arena_copy_text(arena, checkpoint.info.encoder) : NULL};
    arena_destroy(&inner);
    return ok;
}

static const ProgramState *written_state(const Program *program, const ProgramEntry *entry, const Range *range) {
    size_t length = strlen(entry->name);
    for (uint32_t i = 0; i < program->states.count; i++) {
        const ProgramState *state = &program->states.items[i];
        const Range *place = &state->tensor.range;
        bool is_own = !checkpoint_keeps(state) && strncmp(state->name, entry->name, length) == 0 && state->name[length] == '.';
        if (!is_own && place->memory == range->memory && place->offset < range->offset + range->size &&
            range->offset < place->offset + place->size)
            return state;
    }
    return NULL;
}

const ProgramState *sample_writes(const Program *program, const ProgramEntry *entry) {
    for (uint32_t p = 0; p < entry->phases.count; p++)
        for (uint32_t d = 0; d < entry->phases.items[p].dispatches.count; d++) {
            const Dispatch *dispatch = &entry->phases.items[p].dispatches.items[d];
            const ProgramKernel *kernel = &program->kernels.items[dispatch->kernel];
            for (uint32_t b = 0; b < dispatch->ranges.count; b++) {
                if (kernel->bindings.items[b] != BINDING_WRITE)
                    continue;
                const ProgramState *state = written_state(program, entry, &dispatch->ranges.items[b]);
                if (state)
                    return state;
            }
        }
    return NULL;
}
