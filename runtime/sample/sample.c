// Sample: see sample.h.
#include "runtime/sample/sample.h"
#include "runtime/sample/feeding.h"
#include "runtime/show/draw.h"
#include "runtime/show/figure.h"
#include "runtime/show/grid.h"
#include "runtime/run/metrics.h"
#include "runtime/sample/weights.h"
#include <inttypes.h>

enum { TEXT_COUNT = 4 };

typedef struct {
    Arena *arena;
    const Program *program;
    Session *session;
    const SampleOptions *options;
    const ProgramEntry *entry;
    Inputs inputs;
    Loader *loader;
    Emits *emits;
    uint32_t runs;
    uint32_t made, kept;  // records: of one run, of all that are written (0: all)
    uint32_t done, total; // repetitions
} Sampling;

static void print_reports(const Sampling *sampling, const SessionResult *result) {
    for (uint32_t i = 0; sampling->options->reports && i < result->phase->results.count; i++) {
        const ProgramResult *report = &result->phase->results.items[i];
        if (report->format == RESULT_REPORT && result->values[i])
            fprintf(sampling->options->reports, "%s.%s@%u.%u %.9g\n", program_phase_title(result->phase), report->name, result->moment.step,
                    result->moment.repetition, metrics_value(result, i));
    }
}

static bool feed(void *context, PlayTurn *turn, Diag *diag) { return feeding_next(((Sampling *)context)->loader, turn, diag); }

static bool take(void *context, const SessionResult *result, Diag *diag) {
    (void)diag;
    Sampling *sampling = context;
    sampling->done++;
    emits_add(sampling->emits, result, (uint32_t)result->tag, result->moment.records);
    print_reports(sampling, result);
    if (sampling->options->progress)
        sampling->options->progress(sampling->options->progress_context, sampling->done, sampling->total);
    return true;
}

// What a run begins with: its own states anew, its inputs, its texts. An interpolation is one step: one noise.
static bool begin_run(const Sampling *sampling, Play *play, uint32_t run, Diag *diag) {
    const Texts *texts = sampling->options->texts;
    play->tag = run;
    return session_play_anew(play, diag) &&
           inputs_set(sampling->session, sampling->entry, &sampling->inputs, sampling->options->is_interpolation ? 0 : run, diag) &&
           (!texts || texts_set(sampling->session, sampling->entry, texts, run, diag));
}

static bool run_all(Sampling *sampling, Diag *diag) {
    Play play = {.session = sampling->session,
                 .entry = sampling->entry,
                 .steps = sampling->runs,
                 .feed = feed,
                 .take = take,
                 .context = sampling};
    feeding_prepare(&play, sampling->arena, sampling->loader);
    if (sampling->entry->training && !session_play_begin(&play, sampling->arena, 0, diag))
        return false;
    for (uint32_t p = 0; p < sampling->entry->phases.count; p++)
        sampling->total += sampling->runs * session_play_repeats(&play, p) * program_phase_times(&sampling->entry->phases.items[p]);
    for (uint32_t i = 0; i < sampling->runs; i++)
        if (!begin_run(sampling, &play, i, diag) || !session_play(&play, sampling->options->is_interpolation ? 0 : i, diag))
            return false;
    return session_play_finish(&play, diag);
}

enum { FIGURE_ROWS = 10, FIGURE_PICTURES = 8 }; // rows: of an interpolation; pictures: of a caption

static bool write_picture(const Sampling *sampling, const EmitsOutput *output, const char *name, const Image *image, Diag *diag) {
    const char *path = arena_format(sampling->arena, "%s/%s%s.png", output->folder, output->prefix ? output->prefix : "", name);
    bool ok = image_write(path, image, output->texts, output->text_count, diag);
    if (ok && output->log)
        fprintf(output->log, "%s\n", path);
    return ok;
}

// The pictures of a caption, at most `most`; their number.
static uint32_t copy_pictures(const Sampling *sampling, const EmitsPictures *from, uint32_t text, uint32_t most, float *out) {
    const ProgramFeed *input = texts_input(sampling->entry);
    uint32_t per_run = emits_images_per_run(sampling->entry), count = 0;
    size_t each = (size_t)from->channels * from->height * from->width;
    for (uint32_t i = 0; i < from->count && count < most; i++)
        if (texts_index(sampling->options->texts, input, i / per_run, i % per_run) == text) {
            if (out)
                memcpy(out + count * each, from->values + i * each, each * sizeof *out);
            count++;
        }
    return count;
}

static FigureColumn figure_column(const Sampling *sampling, const EmitsPictures *from, const uint32_t *texts, uint32_t rows,
                                  uint32_t most) {
    Arena *arena = sampling->arena;
    size_t each = (size_t)from->channels * from->height * from->width;
    FigureColumn column = {.name = from->name, .channels = from->channels, .height = from->height, .width = from->width};
    uint32_t *counts = ARENA_NEW(arena, uint32_t, rows + 1u);
    for (uint32_t row = 0; row < rows; row++) {
        uint32_t count = copy_pictures(sampling, from, texts[row], most, NULL);
        column.per_row = count > column.per_row ? count : column.per_row;
    }
    float *values = ARENA_NEW(arena, float, each *rows *column.per_row);
    for (uint32_t row = 0; row < rows; row++)
        counts[row] = copy_pictures(sampling, from, texts[row], column.per_row, values + each * row * column.per_row);
    column.counts = counts;
    column.values = values;
    return column;
}

static bool is_shown(const EmitsPictures *pictures) { return pictures->times == 1 && pictures->count > 0; }

// The captions of which there are pictures, in order.
static uint32_t find_shown_texts(const Sampling *sampling, const EmitsPictures *pictures, uint32_t count, uint32_t *out) {
    uint32_t rows = 0;
    for (uint32_t text = 0; text < sampling->options->texts->count; text++) {
        bool any = false;
        for (uint32_t i = 0; i < count; i++)
            any = any || (is_shown(&pictures[i]) && copy_pictures(sampling, &pictures[i], text, 1, NULL));
        if (any)
            out[rows++] = text;
    }
    return rows;
}

static bool write_figure_files(const Sampling *sampling, const EmitsOutput *output, const Figure *figure, Diag *diag) {
    Arena *arena = sampling->arena;
    Image image;
    const char *html = arena_format(arena, "%s/%sfigure.html", output->folder, output->prefix ? output->prefix : "");
    if (!figure_draw(arena, figure, &image, diag) || !write_picture(sampling, output, "figure", &image, diag) ||
        !figure_write_html(html, figure, diag))
        return false;
    if (output->log)
        fprintf(output->log, "%s\n", html);
    return true;
}

// A row a caption: the text, then the pictures that were made of it.
static bool write_figure(const Sampling *sampling, const EmitsOutput *output, const EmitsPictures *pictures, uint32_t count, Diag *diag) {
    Arena *arena = sampling->arena;
    const Texts *texts = sampling->options->texts;
    uint32_t *shown = ARENA_NEW(arena, uint32_t, texts->count + 1u), emits = 0;
    bool is_taken = false;
    for (uint32_t i = 0; i < count; i++) {
        emits += is_shown(&pictures[i]);
        is_taken = is_taken || strcmp(pictures[i].name, "figure") == 0;
    }
    if (is_taken)
        diag_warning(diag, NULL, "the program emits a \"figure\" of its own: none of texts beside their pictures is written over it");
    if (emits == 0 || is_taken)
        return true;
    uint32_t all = find_shown_texts(sampling, pictures, count, shown), most = emits < FIGURE_PICTURES ? FIGURE_PICTURES / emits : 1;
    FigureColumn *columns = ARENA_NEW(arena, FigureColumn, emits);
    Figure figure = {.title = sampling->program->name ? sampling->program->name : "samples", .rows = all, .columns = columns};
    for (uint32_t i = 0; i < count; i++)
        if (is_shown(&pictures[i]))
            columns[figure.column_count++] = figure_column(sampling, &pictures[i], shown, all, most);
    figure.rows = figure_rows_max(&figure) < all ? figure_rows_max(&figure) : all;
    const char **captions = ARENA_NEW(arena, const char *, all + 1u);
    for (uint32_t row = 0; row < all; row++)
        captions[row] = texts->captions && texts->captions[shown[row]] ? texts->captions[shown[row]]
                                                                       : arena_format(arena, "vector %u", shown[row]);
    figure.captions = captions;
    figure.subtitle = arena_format(arena, "program %s, %s steps of training, seed %" PRIu64 "%s", sampling->entry->name,
                                   text_thousands(arena, sampling->options->weights.steps), sampling->options->seed,
                                   figure.rows < all ? arena_format(arena, "; the first %u of %u captions", figure.rows, all) : "");
    return write_figure_files(sampling, output, &figure, diag);
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

// By labels that are an input of a number for each picture: how many stand in a row, and what they are called.
static void find_classes(const Sampling *sampling, EmitsOutput *output) {
    uint32_t count = sampling->kept ? sampling->kept : sampling->made * sampling->runs;
    for (uint32_t i = 0; i < sampling->inputs.count; i++) {
        const InputRecords *records = &sampling->inputs.items[i];
        if (!records->input->below || records->input->tensor.layout.rank != 1 || !records->values || records->per_run != sampling->made)
            continue;
        double *classes = ARENA_NEW(sampling->arena, double, count);
        const char **names = ARENA_NEW(sampling->arena, const char *, count);
        for (uint32_t k = 0; k < count; k++) {
            classes[k] = records->values[k % records->count];
            bool has_name = records->classes && classes[k] < records->classes->count;
            names[k] = has_name ? records->classes->names[(uint32_t)classes[k]] : arena_format(sampling->arena, "%.0f", classes[k]);
        }
        output->by_class = grid_by_class(classes, count);
        output->classes = records->classes ? names : NULL;
        return;
    }
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
    output.count = sampling->kept;
    output.records_per_run = sampling->made;
    find_classes(sampling, &output);
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

static uint32_t ceil_of(uint32_t count, uint32_t each) { return count ? (count - 1) / each + 1 : 0; }

// Records of one run. How often a phase of an epoch repeats, the loader knows; steps do not matter to it.
static bool count_made(Sampling *sampling, Diag *diag) {
    const ProgramEntry *entry = sampling->entry;
    uint32_t *repeats = ARENA_NEW(sampling->arena, uint32_t, entry->phases.count + 1u);
    bool is_plain = true;
    for (uint32_t p = 0; p < entry->phases.count; p++) {
        repeats[p] = entry->phases.items[p].repeat;
        is_plain = is_plain && repeats[p] > 0;
    }
    if (!is_plain) {
        LoaderOptions none = {.program = sampling->program, .entry = entry, .datasets = sampling->options->datasets};
        Loader *loader = loader_create(sampling->arena, &none, diag);
        if (!loader)
            return false;
        for (uint32_t p = 0; p < entry->phases.count; p++)
            repeats[p] = loader_repeats(loader, p);
        loader_destroy(&loader);
    }
    sampling->made = emits_records_per_run(entry, repeats);
    return true;
}

// How often the program runs, and how much of it is kept.
static void count_runs(Sampling *sampling) {
    const SampleOptions *options = sampling->options;
    const Inputs *inputs = &sampling->inputs;
    uint32_t runs = 1, wanted = inputs_wanted(inputs);
    // Each caption and each record that was given is used at least once; vectors and records of data sets are there for the asking.
    for (uint32_t i = 0; i < inputs->count; i++)
        if (inputs->items[i].is_given && ceil_of(inputs->items[i].count, inputs->items[i].per_run) > runs)
            runs = ceil_of(inputs->items[i].count, inputs->items[i].per_run);
    uint32_t texts = options->texts ? ceil_of(options->texts->count, texts_per_run(texts_input(sampling->entry))) : 0;
    runs = texts > runs ? texts : runs;
    sampling->kept = options->count ? options->count : inputs_per_run(inputs) == sampling->made ? wanted : 0;
    sampling->runs = options->is_interpolation ? options->texts->count : options->count ? ceil_of(options->count, sampling->made) : runs;
}

static bool take_inputs(Sampling *sampling, Diag *diag) {
    const SampleOptions *options = sampling->options;
    if (options->inputs) {
        sampling->inputs = *options->inputs;
        return true;
    }
    sampling->inputs = inputs_create(sampling->arena, sampling->entry);
    inputs_know(&sampling->inputs, sampling->program, &options->classes);
    return inputs_complete(sampling->arena, sampling->entry, options->texts ? texts_input(sampling->entry) : NULL, &sampling->inputs, diag);
}

bool sample_run(Session *session, const Program *program, const SampleOptions *options, Diag *diag) {
    const ProgramEntry *entry = find_entry(program, options->entry, diag);
    if (!entry)
        return false;
    Arena *arena = arena_create();
    Sampling sampling = {
        .arena = arena, .program = program, .session = session, .options = options, .entry = entry, .emits = emits_create(arena)};
    bool ok = take_inputs(&sampling, diag) && count_made(&sampling, diag);
    if (ok) {
        count_runs(&sampling);
        LoaderOptions loading = {
            .program = program, .entry = entry, .datasets = options->datasets, .seed = options->seed, .end_step = sampling.runs};
        sampling.loader = loader_create(arena, &loading, diag);
        ok = sampling.loader && run_all(&sampling, diag) && write_files(&sampling, diag);
    }
    loader_destroy(&sampling.loader);
    arena_destroy(&arena);
    return ok;
}

// ---- what is there already

typedef struct {
    const EmitsOutput *output;
    const char *first; // a file that is there
    uint32_t count;
} Taken;

static void look(Arena *arena, Taken *taken, const char *name) {
    const EmitsOutput *output = taken->output;
    const char *path = file_join(arena, output->folder, arena_format(arena, "%s%s", output->prefix ? output->prefix : "", name));
    uint32_t count = 0;
    const char **names = file_is_folder(path) ? file_list(arena, path, &count, diag_create(arena)) : NULL;
    if (!file_exists(path) || (names && count == 0))
        return;
    taken->first = taken->first ? taken->first : path;
    taken->count++;
}

bool sample_is_free(const ProgramEntry *entry, const EmitsOutput *output, bool is_interpolation, Diag *diag) {
    Arena *arena = arena_create();
    Taken taken = {.output = output};
    for (uint32_t p = 0; p < entry->phases.count; p++)
        for (uint32_t i = 0; i < entry->phases.items[p].results.count; i++) {
            const ProgramResult *result = &entry->phases.items[p].results.items[i];
            if (result->format == RESULT_REPORT)
                continue;
            bool is_image = result->format == RESULT_IMAGE;
            if (is_interpolation) {
                look(arena, &taken, arena_format(arena, "interpolation-%s.png", result->name));
                continue;
            }
            look(arena, &taken, arena_format(arena, is_image ? "%s.png" : "%s.npy", result->name));
            if (is_image && output->tensors)
                look(arena, &taken, arena_format(arena, "%s.npy", result->name));
            if (is_image && output->singles)
                look(arena, &taken, result->name);
        }
    if (texts_input(entry) && !is_interpolation) {
        look(arena, &taken, "figure.png");
        look(arena, &taken, "figure.html");
    }
    if (taken.count)
        diag_error(diag, NULL, "%s%s there already: choose another --out, or --force to replace what is written anew", taken.first,
                   taken.count > 1 ? arena_format(arena, " and %u other%s are", taken.count - 1, taken.count > 2 ? "s" : "") : " is");
    arena_destroy(&arena);
    return taken.count == 0;
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
        if (!is_own && range_overlaps(place, range))
            return state;
    }
    return NULL;
}

const ProgramState *sample_writes(const Program *program, const ProgramEntry *entry) {
    for (uint32_t p = 0; p < entry->phases.count; p++)
        for (uint32_t d = 0; d < entry->phases.items[p].steps.count; d++) {
            const Step *dispatch = &entry->phases.items[p].steps.items[d];
            for (uint32_t b = 0; b < dispatch->ranges.count; b++) {
                if (!program_step_writes(program, dispatch, b))
                    continue;
                const ProgramState *state = written_state(program, entry, &dispatch->ranges.items[b]);
                if (state)
                    return state;
            }
        }
    return NULL;
}
