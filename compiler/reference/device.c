// Device run: states and feeds in, submit, results out.
#include "compiler/reference/device.h"
#include "runtime/sample/feeding.h"
#include <math.h>

typedef struct {
    const DeviceRun *run;
    Arena *arena; // of one repetition
    Diag *diag;
    const ProgramPhase *phase;
    const PlayTurn *turn;
    const char *at; // "3.0"
} Running;

// ---- states and inputs

static bool put_states(const DeviceRun *run, Arena *arena, const char *kind, Diag *diag) {
    for (uint32_t i = 0; i < run->program->states.count; i++) {
        const ProgramState *state = &run->program->states.items[i];
        HostTensor tensor;
        if (state->kind == STATE_SUM ||
            (state->kind == STATE_PROGRAM && !text_starts_with(state->name, arena_format(arena, "%s.", run->entry->name))))
            continue;
        if (!session_get(run->session, arena, state->name, &tensor, diag) || !dump_put(run->files, kind, state->name, NULL, &tensor))
            return false;
    }
    return true;
}

static bool set_states(const DeviceRun *run, Diag *diag) {
    for (uint32_t i = 0; i < run->program->states.count; i++) {
        const HostTensor *given = dump_find(run->files, "before", run->program->states.items[i].name, NULL);
        if (given && !session_set(run->session, run->program->states.items[i].name, given, diag))
            return false;
    }
    return true;
}

static bool set_inputs(const DeviceRun *run, Arena *arena, Diag *diag) {
    for (uint32_t i = 0; i < run->inputs->count; i++) {
        HostTensor tensor = inputs_tensor(arena, &run->inputs->items[i], 0);
        if (!dump_put(run->files, "feeds", arena_format(arena, "%s.%s", run->entry->name, tensor.name), "0.0", &tensor))
            return false;
    }
    return inputs_set(run->session, run->entry, run->inputs, 0, diag);
}

// ---- one repetition

static const void *find_feed(Running *running, uint32_t index) {
    const DeviceRun *run = running->run;
    const ProgramFeed *feed = &running->phase->feeds.items[index];
    const char *full = arena_format(running->arena, "%s.%s.%s", run->entry->name, running->phase->name, feed->name);
    const HostTensor *given = dump_find(run->files, "feeds", full, running->at);
    void *elements = NULL;
    if (given) {
        if (!dump_labels_fit(full, given, program_below(run->program, feed), running->diag) ||
            !batches_elements_from(running->arena, full, given, feed->tensor.type, &feed->tensor.layout, &elements, running->diag))
            return NULL;
    } else if (run->data->loader) {
        if (!batches_seek(run->data, running->turn->run, running->turn->phase, running->turn->moment.repetition, running->diag))
            return NULL;
        elements = (void *)(uintptr_t)run->data->batch.feeds[index];
    } else {
        diag_error(running->diag, NULL, "nothing is given for the feed \"%s\": --set %s=FILE.npy, or --data SPEC", feed->name, feed->name);
        return NULL;
    }
    HostTensor tensor = batches_elements_to(elements, feed->tensor.type, &feed->tensor.layout);
    return dump_put(run->files, "feeds", full, running->at, &tensor) ? elements : NULL;
}

static void print_emit(const Running *running, const ProgramResult *result, const HostTensor *tensor) {
    const float *values = tensor->data;
    uint64_t count = host_count(tensor);
    double sum = 0, squares = 0;
    Text shape = text_create(running->arena);
    for (uint32_t i = 0; i < tensor->rank; i++)
        text_format(&shape, "%s%llu", i ? "," : "", (unsigned long long)tensor->dims[i]);
    fprintf(running->run->log, "emit %s@%s %s %s[%s]", result->name, running->at, result_format_names[result->format], element_name(tensor->dtype), shape.data);
    if (tensor->dtype == ELEMENT_F32) {
        for (uint64_t i = 0; i < count; i++)
            sum += values[i];
        for (uint64_t i = 0; i < count; i++)
            squares += (values[i] - sum / (double)count) * (values[i] - sum / (double)count);
        fprintf(running->run->log, " mean %.6g std %.6g", sum / (double)count, sqrt(squares / (double)count));
    }
    fputc('\n', running->run->log);
}

static bool take_result(const Running *running, const ProgramResult *result, const void *value) {
    if (!value)
        return true;
    HostTensor tensor = batches_elements_to(value, result->tensor.type, &result->tensor.layout);
    bool is_value = text_starts_with(result->name, "values/") || text_starts_with(result->name, "gradients/");
    const char *slash = strchr(result->name, '/'); // "values/train.both.fake"
    if (is_value)
        return dump_put(running->run->files, arena_copy_bytes(running->arena, result->name, (size_t)(slash - result->name)), slash + 1,
                             running->at, &tensor);
    if (result->format != RESULT_REPORT) {
        print_emit(running, result, &tensor);
        return dump_put(running->run->files, "emits", result->name, running->at, &tensor);
    }
    const char *name = arena_format(running->arena, "%s.%s.%s", running->run->entry->name,
                                    program_phase_title(running->phase), result->name);
    double number = host_number(&tensor, 0);
    fprintf(running->run->log, "%s@%s %.9g\n", name, running->at, isnan(number) ? fabs(number) : number); // a NaN has no sign here
    return dump_put(running->run->files, "report", name, running->at, &tensor);
}

static bool feed(void *context, PlayTurn *turn, Diag *diag) {
    Running *running = context;
    const DeviceRun *run = running->run;
    arena_reset(running->arena);
    running->phase = &run->entry->phases.items[turn->phase];
    running->turn = turn;
    running->diag = diag;
    running->at = arena_format(running->arena, "%u.%u", turn->moment.step, turn->moment.repetition);
    const void **feeds = ARENA_NEW(running->arena, const void *, running->phase->feeds.count + 1);
    for (uint32_t i = 0; i < running->phase->feeds.count; i++)
        if (!(feeds[i] = find_feed(running, i)))
            return false;
    turn->feeds = feeds;
    return batches_records(run->data, program_batch(running->phase), turn->run, turn->phase, turn->moment.repetition,
                           &turn->moment.records, diag);
}

static bool take(void *context, const SessionResult *result, Diag *diag) {
    Running *running = context;
    running->diag = diag;
    running->phase = result->phase;
    running->at = arena_format(running->arena, "%u.%u", result->moment.step, result->moment.repetition);
    for (uint32_t i = 0; i < result->phase->results.count; i++)
        if (!take_result(running, &result->phase->results.items[i], result->values[i]))
            return false;
    return true;
}

static bool run_step(const DeviceRun *run, Play *play, uint32_t step, Diag *diag) {
    for (uint32_t i = 0; run->phase && i < run->entry->phases.count; i++)
        if (strcmp(run->phase, run->entry->phases.items[i].name) == 0 && !session_play_phase(play, step, i, diag))
            return false;
    return run->phase || session_play(play, step, diag);
}

// A phase that is run alone has its turn in each step.
static bool begin(const DeviceRun *run, Arena *arena, Play *play, Diag *diag) {
    const uint32_t *runs = session_play_past(run->session, run->entry, arena, diag);
    if (!runs || !batches_begin(arena, run->data, runs, diag))
        return false;
    if (run->data->loader)
        feeding_prepare(play, arena, run->data->loader);
    return run->phase || session_play_begin(play, arena, run->first_step, diag);
}

bool device_run(Arena *arena, const DeviceRun *run, Diag *diag) {
    if (dump_has_kind(run->files, "draws"))
        diag_warning(diag, NULL, "draws/ are left aside: a device draws its own numbers from the seed; --interpret takes given ones");
    if (!set_states(run, diag) || !set_inputs(run, arena, diag) || !put_states(run, arena, "before", diag))
        return false;
    Running running = {.run = run, .arena = arena_create()};
    Play play = {.session = run->session,
                 .entry = run->entry,
                 .steps = run->first_step + run->steps,
                 .in_flight = 1,
                 .feed = feed,
                 .take = take,
                 .context = &running};
    bool good = begin(run, arena, &play, diag);
    uint32_t step = run->first_step;
    for (; step < run->first_step + run->steps && good && !session_play_is_stopped(&play); step++)
        good = run_step(run, &play, step, diag);
    if (good && session_play_is_stopped(&play))
        fprintf(run->log, "%s\n", program_stop_text(arena, run->entry, step));
    arena_destroy(&running.arena);
    return good && put_states(run, arena, "after", diag);
}
