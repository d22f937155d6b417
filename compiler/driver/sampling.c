// Sampling: bundle, device, weights and data sets for one sampling program.
#include "compiler/driver/sampling.h"

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

static void progress(void *context, uint32_t done, uint32_t total) { common_progress(context, "repetition", done, total); }

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
                             .reports = sampling->reports};
    options.datasets = dataset_open_all(arguments->arena, program, entry, specs, spec_count, arguments->diag);
    if (!options.datasets)
        return false;
    SessionOptions session_options = {.seed = sampling->seed, .only_entry = entry->name};
    Session *session = session_create(arguments->arena, device, program, &session_options, arguments->diag);
    bool good = session && session_initialise(session, arguments->diag);
    if (good && sampling->from)
        good = sample_load(session, program, sampling->from, &options.trained_steps, arguments->diag);
    good = good && sample_run(session, program, &options, arguments->diag);
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
    Device *device = common_device(arguments);
    if (!device)
        return false;
    common_check_class(arguments, program, device);
    bool good = run_session(arguments, sampling, device, program, entry);
    common_check_validation(arguments, device);
    device_destroy(&device);
    return good;
}
