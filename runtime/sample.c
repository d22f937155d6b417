// Sample: see sample.h.
#include "runtime/sample.h"
#include "runtime/data/loader.h"
#include "runtime/metrics.h"
#include "runtime/weights.h"
#include <inttypes.h>

enum { IN_FLIGHT = 3, TEXT_COUNT = 4 };

typedef struct {
    Session *session;
    const SampleOptions *options;
    const ProgramEntry *entry;
    Loader *loader;
    Emits *emits;
    uint32_t runs, records[IN_FLIGHT]; // by tag mod IN_FLIGHT
    uint32_t waiting;                  // submitted, not taken
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
    emits_add(sampling->emits, &result, result.moment.step, sampling->records[result.tag % IN_FLIGHT]);
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
    Moment moment = {batch->step, sampling->runs, batch->step / epoch_steps, epoch_steps, batch->repetition};
    sampling->records[tag % IN_FLIGHT] = batch->records;
    sampling->waiting++;
    return session_submit(sampling->session, sampling->entry, &sampling->entry->phases.items[batch->phase], &moment, batch->feeds, tag,
                          diag);
}

static bool run_all(Sampling *sampling, Diag *diag) {
    uint32_t per_run = 0;
    for (uint32_t p = 0; p < sampling->entry->phases.count; p++)
        per_run += loader_repeats(sampling->loader, p);
    sampling->total = per_run * sampling->runs;
    for (uint32_t i = 0; i < sampling->total; i++) {
        LoaderBatch batch;
        if (i % per_run == 0 && (!take_all(sampling, diag) || !session_reset_entry(sampling->session, sampling->entry->name, diag)))
            return false;
        if (!loader_next(sampling->loader, &batch, diag) || !submit(sampling, &batch, i, diag))
            return false;
    }
    return take_all(sampling, diag);
}

static bool write_files(Arena *arena, const Sampling *sampling, const Program *program, Diag *diag) {
    EmitsOutput output = sampling->options->output;
    if (!output.folder)
        return true;
    const ImageText texts[TEXT_COUNT] = {
        {"digest", program->digest},
        {"program", sampling->entry->name},
        {"step", arena_format(arena, "%u", sampling->options->trained_steps)},
        {"seed", arena_format(arena, "%" PRIu64, sampling->options->seed)},
    };
    output.count = sampling->options->count;
    output.texts = texts;
    output.text_count = TEXT_COUNT;
    return emits_write(sampling->emits, &output, diag);
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

bool sample_run(Session *session, const Program *program, const SampleOptions *options, Diag *diag) {
    const ProgramEntry *entry = find_entry(program, options->entry, diag);
    if (!entry)
        return false;
    Arena *arena = arena_create();
    uint32_t per_run = emits_images_per_run(entry);
    Sampling sampling = {.session = session,
                         .options = options,
                         .entry = entry,
                         .emits = emits_create(arena),
                         .runs = options->count ? (options->count - 1) / per_run + 1 : 1};
    LoaderOptions loading = {
        .program = program, .entry = entry, .datasets = options->datasets, .seed = options->seed, .end_step = sampling.runs};
    sampling.loader = loader_create(arena, &loading, diag);
    bool ok = sampling.loader && run_all(&sampling, diag) && write_files(arena, &sampling, program, diag);
    loader_destroy(&sampling.loader);
    arena_destroy(&arena);
    return ok;
}

bool sample_load(Session *session, const Program *program, const char *run_or_file, uint32_t *trained_steps, Diag *diag) {
    Arena *arena = arena_create();
    Checkpoint checkpoint;
    bool ok =
        checkpoint_read_from(arena, run_or_file, &checkpoint, diag) && weights_set(session, program, &checkpoint, CHECKPOINT_WEIGHTS, diag);
    *trained_steps = ok ? checkpoint.info.step : 0;
    arena_destroy(&arena);
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
